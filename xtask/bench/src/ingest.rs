//! A made-up week of a service and its machine, sent by remote write as fast as it is taken.
//!
//! The same seed gives the same week, so that stores can be compared.
//!
//! Source: Prometheus, `prompb/remote.proto` and `prompb/types.proto`, remote write 1.0.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use prost::Message;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use url::Url;

use crate::connection::{Connection, Target};

const SEED: u64 = 500;
const STEP_MS: i64 = 15_000;
/// Steps in one request: five minutes, as a sender that has fallen behind bundles them.
const STEPS_PER_REQUEST: i64 = 20;
const HEADERS: &str = "content-type: application/x-protobuf\r\ncontent-encoding: snappy\r\n\
                       x-prometheus-remote-write-version: 0.1.0\r\n";

#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// How the values of a series go on.
#[derive(Clone, Copy)]
enum Shape {
    /// A whole number that grows by up to so much in a step.
    Counter(u32),
    /// Seconds in hundredths, up to so many hundredths in a step.
    Hundredths(u32),
    /// Tenths that wander, and stand still most of the time.
    Tenths,
    /// Memory, in pages of 4 KiB.
    Pages,
    /// Never changes.
    Constant,
}

/// A series and where it is.
struct Source {
    labels: Vec<Label>,
    shape: Shape,
    state: f64,
}

/// Sends `days` days that end at `end_s`, in seconds since the Unix epoch; returns the report.
///
/// # Errors
/// The URL cannot be reached, or a request is not taken.
pub(crate) async fn run(url: &Url, days: f64, end_s: i64) -> Result<Value> {
    let mut sources = sources();
    let mut chance = StdRng::seed_from_u64(SEED);
    let steps = (days * 86_400_000.0) as i64 / STEP_MS;
    let start_ms = end_s * 1_000 - steps * STEP_MS;
    let mut connection = Connection::open(&Target::new(url)?).await?;
    let (begun, mut samples) = (Instant::now(), 0);
    for first in (0..steps).step_by(STEPS_PER_REQUEST as usize) {
        let last = steps.min(first + STEPS_PER_REQUEST);
        let times: Vec<i64> = (first..last).map(|step| start_ms + step * STEP_MS).collect();
        let timeseries =
            sources.iter_mut().map(|source| source.over(&times, &mut chance)).collect();
        let message = WriteRequest { timeseries }.encode_to_vec();
        let body = snap::raw::Encoder::new().compress_vec(&message).context("no snappy")?;
        let target = Target::posting(url, HEADERS, &body)?;
        let (status, _, answer) = connection.get_whole(&target).await?;
        let answer = String::from_utf8_lossy(answer);
        ensure!((200..300).contains(&status), "{url} answered {status}: {answer}");
        samples += times.len() * sources.len();
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({ "series": sources.len(), "samples": samples, "seconds": seconds }))
}

impl Source {
    fn over(&mut self, times: &[i64], chance: &mut StdRng) -> TimeSeries {
        let sample = |timestamp: &i64| Sample { value: self.next(chance), timestamp: *timestamp };
        let samples = times.iter().map(sample).collect();
        TimeSeries { labels: self.labels.clone(), samples }
    }

    fn next(&mut self, chance: &mut StdRng) -> f64 {
        match self.shape {
            Shape::Counter(most) | Shape::Hundredths(most) => {
                self.state += f64::from(chance.random_range(0..=most));
            }
            Shape::Tenths if chance.random_bool(0.2) => {
                self.state += f64::from(chance.random_range(-3..=3));
            }
            Shape::Pages => self.state += 4096.0 * f64::from(chance.random_range(-90..=90)),
            Shape::Tenths | Shape::Constant => {}
        }
        match self.shape {
            Shape::Hundredths(_) => self.state / 100.0,
            Shape::Tenths => self.state / 10.0,
            _ => self.state,
        }
    }
}

/// Returns the 500 series.
fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    let mut add =
        |name: &str, labels: &[(&str, String)], shape| all.push(source(name, labels, shape));
    let numbered = |prefix: &str, count: usize| -> Vec<String> {
        (0..count).map(|index| format!("{prefix}{index}")).collect()
    };
    let modes = ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"];
    for cpu in numbered("", 16) {
        for (rank, mode) in modes.iter().enumerate() {
            let labels = [("cpu", cpu.clone()), ("mode", (*mode).to_owned())];
            let most = if rank == 0 { 1_500 } else { 60 };
            add("node_cpu_seconds_total", &labels, Shape::Hundredths(most));
        }
    }
    let bounds = [
        "0.000025", "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
        "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf",
    ];
    for route in numbered("/route/", 6) {
        for (rank, bound) in bounds.iter().enumerate() {
            let labels = [("route", route.clone()), ("le", (*bound).to_owned())];
            let most = 2 * rank as u32 + 1;
            add("http_request_duration_seconds_bucket", &labels, Shape::Counter(most));
        }
        for status in ["2xx", "3xx", "4xx", "5xx"] {
            let labels = [("route", route.clone()), ("status_class", status.to_owned())];
            add("http_requests_total", &labels, Shape::Counter(40));
        }
    }
    for place in numbered("place-", 20) {
        for quantity in ["temperature", "humidity", "pressure", "wind_speed", "gust", "cloud"] {
            add(&format!("weather_{quantity}"), &[("place", place.clone())], Shape::Tenths);
        }
    }
    for field in numbered("node_memory_field_", 30) {
        add(&field, &[], Shape::Pages);
    }
    for device in numbered("eth", 4) {
        add(
            "node_network_receive_bytes_total",
            &[("device", device.clone())],
            Shape::Counter(90_000),
        );
        add("node_network_transmit_bytes_total", &[("device", device)], Shape::Counter(70_000));
    }
    for target in numbered("target-", 76) {
        add("up", &[("target", target)], Shape::Constant);
    }
    all
}

fn source(name: &str, labels: &[(&str, String)], shape: Shape) -> Source {
    let mut labels: Vec<Label> = labels
        .iter()
        .map(|(name, value)| Label { name: (*name).to_owned(), value: value.clone() })
        .collect();
    for (name, value) in [("__name__", name), ("instance", "localhost:9100"), ("job", "bench")] {
        labels.push(Label { name: name.to_owned(), value: value.to_owned() });
    }
    labels.sort_by(|one, other| one.name.cmp(&other.name));
    let state = if matches!(shape, Shape::Pages) { 4096.0 * 100_000.0 } else { 1.0 };
    Source { labels, shape, state }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_series_are_five_hundred_different_ones() {
        let sources = sources();
        let names: BTreeSet<String> =
            sources.iter().map(|source| format!("{:?}", source.labels)).collect();
        assert_eq!((sources.len(), names.len()), (500, 500));
    }

    #[test]
    fn counters_never_fall() {
        let mut chance = StdRng::seed_from_u64(1);
        let counter = sources().into_iter().find(|it| matches!(it.shape, Shape::Counter(_)));
        let series = counter.unwrap().over(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &mut chance);
        assert!(series.samples.is_sorted_by(|one, other| one.value <= other.value));
    }
}
