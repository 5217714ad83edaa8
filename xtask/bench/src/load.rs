//! The load generator: every connection sends its next request as soon as the last is answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::connection::{Connection, Target};

/// Longest latency that is told apart, in nanoseconds; longer ones count as this.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// What came back.
#[derive(Debug)]
pub(crate) struct Tally {
    latency_ns: Histogram<u64>,
    errors: u64,
}

/// Sends requests for `seconds`, then waits for those under way.
///
/// # Errors
/// No connection could be made.
pub(crate) async fn run(target: Target, connections: usize, seconds: u64) -> Result<Tally> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(&target).await?);
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut senders = JoinSet::new();
    for connection in opened {
        senders.spawn(send_until(connection, target.clone(), until));
    }
    let mut all = Tally::new()?;
    while let Some(tally) = senders.join_next().await {
        all.add(&tally.context("a connection's task failed")??)?;
    }
    Ok(all)
}

/// Works on one connection; a broken one counts as one error and is opened again.
async fn send_until(mut connection: Connection, target: Target, until: Instant) -> Result<Tally> {
    let mut tally = Tally::new()?;
    while Instant::now() < until {
        let begun = Instant::now();
        match connection.get(&target).await {
            Ok(200) => tally.record(begun.elapsed()),
            Ok(_) => tally.errors += 1,
            Err(_) => {
                tally.errors += 1;
                connection = Connection::open(&target).await?;
            }
        }
    }
    Ok(tally)
}

impl Tally {
    fn new() -> Result<Self> {
        let latency_ns = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3)?;
        Ok(Self { latency_ns, errors: 0 })
    }

    fn record(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_NS_MAX);
        self.latency_ns.saturating_record(nanoseconds);
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.latency_ns.add(&other.latency_ns)?;
        self.errors += other.errors;
        Ok(())
    }

    /// Returns the report: counts, and latencies in microseconds.
    pub(crate) fn to_json(&self) -> Value {
        let at_us = |quantile: f64| self.latency_ns.value_at_quantile(quantile) as f64 / 1e3;
        json!({
            "requests": self.latency_ns.len(),
            "errors": self.errors,
            "p50_us": at_us(0.5),
            "p99_us": at_us(0.99),
            "p999_us": at_us(0.999),
            "max_us": self.latency_ns.max() as f64 / 1e3,
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use url::Url;

    use super::*;
    use crate::bare;

    #[test]
    fn report_counts_answers_and_errors_apart() {
        let mut tally = Tally::new().unwrap();
        for milliseconds in 1..=100 {
            tally.record(Duration::from_millis(milliseconds));
        }
        let mut other = Tally::new().unwrap();
        other.errors = 2;
        tally.add(&other).unwrap();
        let report = tally.to_json();
        assert_eq!((report["requests"].as_u64(), report["errors"].as_u64()), (Some(100), Some(2)));
        let p99_us = report["p99_us"].as_f64().unwrap();
        assert!((98_900.0..=99_200.0).contains(&p99_us), "{p99_us}");
    }

    #[tokio::test]
    async fn every_answer_of_a_real_server_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/weather", listener.local_addr().unwrap());
        let answer = bare::Answer::from_parts("HTTP/1.1 200 OK\r\n\r\n", b"{}").unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, bare::router(answer)).await });

        let target = Target::new(&Url::parse(&url).unwrap()).unwrap();
        let tally = run(target, 4, 1).await.unwrap();

        assert!(4 <= tally.latency_ns.len());
        assert_eq!(tally.errors, 0);
    }
}
