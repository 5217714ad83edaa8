//! How many requests were answered, with which status, and how long each took.
//!
//! A route is resolved once, to a [`RouteMetrics`] that holds its counters; recording a request then
//! touches a few atomic numbers and looks nothing up.

mod series;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use series::{Series, SeriesLabels};

/// The route of a request that fits none.
pub const UNMATCHED_ROUTE: &str = "unmatched";

/// The measuring of requests; clones are cheap and count together.
#[derive(Clone, Debug)]
pub struct HttpMetrics(Arc<Shared>);

struct Shared {
    in_flight: AtomicI64,
    series: Mutex<BTreeMap<SeriesLabels, Arc<Series>>>,
}

impl HttpMetrics {
    /// Registers `requests_total`, `request_duration_seconds` and `requests_in_flight` with the
    /// prefix of `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let shared = Shared { in_flight: AtomicI64::new(0), series: Mutex::default() };
        let metrics = Self(Arc::new(shared));
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

    /// Counts a request as in flight until the guard is dropped.
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.0.clone())
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
        self.0.record(status, elapsed);
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

impl Collector for HttpMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let all = self.0.series.lock().expect("no code panics while it holds the routes").clone();
        let in_flight = ConstGauge::new(self.0.in_flight.load(Ordering::Relaxed));
        let help = "Requests that are being answered.";
        in_flight.encode(encoder.encode_descriptor(
            "requests_in_flight",
            help,
            None,
            MetricType::Gauge,
        )?)?;
        if all.is_empty() {
            return Ok(());
        }
        let help = "Requests answered.";
        let mut requests =
            encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (labels, series) in &all {
            series.encode_requests(labels, &mut requests)?;
        }
        let help = "Time from the head of a request to the head of its answer.";
        let unit = Unit::Seconds;
        let mut durations = encoder.encode_descriptor(
            "request_duration",
            help,
            Some(&unit),
            MetricType::Histogram,
        )?;
        for (labels, series) in &all {
            series.encode_durations(labels, &mut durations)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpMetrics").finish_non_exhaustive()
    }
}
