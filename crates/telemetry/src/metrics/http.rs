//! How many requests were answered, with which status, how long each took, and how much was sent.
//!
//! A route is resolved once, to a [`RouteMetrics`] that holds its counters; recording a request then
//! touches a few atomic numbers and looks nothing up. Every request that began is counted once, so
//! that the shares of the status classes sum to all of them.

mod series;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use series::{Series, SeriesLabels};

/// The route of a request that fits none.
pub const UNMATCHED_ROUTE: &str = "unmatched";

/// The status under which a request is counted whose client went away before the answer.
///
/// HTTP has none for it, since nobody gets it. Source: nginx, which counts them so.
pub const CLIENT_WENT_AWAY: u16 = 499;

/// The measuring of requests; clones are cheap and count together.
#[derive(Clone, Debug)]
pub struct HttpMetrics(Arc<Shared>);

#[derive(Default)]
struct Shared {
    in_flight: AtomicI64,
    connections_open: AtomicI64,
    connections: AtomicU64,
    answers_reused: AtomicU64,
    answers_rendered: AtomicU64,
    series: Mutex<BTreeMap<SeriesLabels, Arc<Series>>>,
}

impl HttpMetrics {
    /// Registers requests by route and status, their durations and sizes, connections, and how often
    /// a rendered answer was used again, all with the prefix of `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self(Arc::default());
        registry.register_collector(Box::new(metrics.clone()));
        metrics
    }

    /// Returns the counters of a route, to be kept by whoever serves it.
    ///
    /// `template` is the route as it was declared, as in `/api/places/{id}`, never the path of a
    /// request. A method that HTTP does not define counts as `other`. The same route asked for twice
    /// gives the same counters.
    pub fn route(&self, method: &str, template: &'static str) -> RouteMetrics {
        let labels = SeriesLabels { route: template, method: known_method(method) };
        let mut series = self.0.series.lock().expect("no code panics while it holds the routes");
        RouteMetrics(series.entry(labels).or_default().clone())
    }

    /// Returns the counters of requests that fit no route.
    pub fn unmatched(&self, method: &str) -> RouteMetrics {
        self.route(method, UNMATCHED_ROUTE)
    }

    /// Counts a request that was answered before its head could be understood.
    ///
    /// Its method is `other`, and it has no duration: nobody knows when it began.
    pub fn refuse_unread(&self, status: u16) {
        self.unmatched("").0.count_status(status);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.0.clone())
    }

    /// Counts a connection, and that it is open until the guard is dropped.
    pub fn connect(&self) -> OpenConnection {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        self.0.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(self.0.clone())
    }

    /// Counts an answer that was rendered before and sent again.
    pub fn reuse_answer(&self) {
        self.0.answers_reused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer that had to be rendered.
    pub fn render_answer(&self) {
        self.0.answers_rendered.fetch_add(1, Ordering::Relaxed);
    }
}

fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// The counters of one route and method; clones are cheap and count together.
#[derive(Clone, Debug)]
pub struct RouteMetrics(Arc<Series>);

impl RouteMetrics {
    /// Counts an answered request: its status, and the time from its head to the head of the answer.
    pub fn record(&self, status: u16, elapsed: Duration) {
        self.0.count_status(status);
        self.0.count_duration(elapsed);
    }

    /// Counts bytes of request bodies.
    pub fn receive(&self, bytes: u64) {
        self.0.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes of answer bodies, as they were sent.
    pub fn send(&self, bytes: u64) {
        self.0.sent.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that is open.
#[derive(Debug)]
pub struct OpenConnection(Arc<Shared>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Collector for HttpMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.encode_process_wide(&mut encoder)?;
        let all = self.0.series.lock().expect("no code panics while it holds the routes").clone();
        if all.is_empty() {
            return Ok(());
        }
        type Write = fn(&Series, &SeriesLabels, &mut MetricEncoder<'_>) -> fmt::Result;
        let families: [(&str, &str, Option<&Unit>, MetricType, Write); 4] = [
            (
                "requests",
                "Requests, by the status of the answer; 499 when the client went away before it.",
                None,
                MetricType::Counter,
                Series::encode_requests,
            ),
            (
                "request_duration",
                "Time from the head of a request to the head of its answer.",
                Some(&Unit::Seconds),
                MetricType::Histogram,
                Series::encode_durations,
            ),
            (
                "request_body",
                "Size of request bodies together.",
                Some(&Unit::Bytes),
                MetricType::Counter,
                Series::encode_received,
            ),
            (
                "response_body",
                "Size of answer bodies together, as they were sent.",
                Some(&Unit::Bytes),
                MetricType::Counter,
                Series::encode_sent,
            ),
        ];
        for (name, help, unit, kind, write) in families {
            let mut family = encoder.encode_descriptor(name, help, unit, kind)?;
            for (labels, series) in &all {
                write(series, labels, &mut family)?;
            }
        }
        Ok(())
    }
}

impl Shared {
    fn encode_process_wide(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let gauges = [
            ("requests_in_flight", "Requests that are being answered.", &self.in_flight),
            ("connections_open", "Connections that are open.", &self.connections_open),
        ];
        for (name, help, value) in gauges {
            let value = ConstGauge::new(value.load(Ordering::Relaxed));
            value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let help = "Connections that were accepted.";
        let count = ConstCounter::new(self.connections.load(Ordering::Relaxed));
        count.encode(encoder.encode_descriptor(
            "connections",
            help,
            None,
            MetricType::Counter,
        )?)?;
        let help = "Answers for current conditions, reused while neither place nor second changed.";
        let mut answers =
            encoder.encode_descriptor("cache_answers", help, None, MetricType::Counter)?;
        for (result, count) in
            [("reused", &self.answers_reused), ("rendered", &self.answers_rendered)]
        {
            let count = ConstCounter::new(count.load(Ordering::Relaxed));
            count.encode(answers.encode_family(&[("result", result)])?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpMetrics").finish_non_exhaustive()
    }
}
