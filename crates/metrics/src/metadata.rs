//! What targets and senders say of their metrics: type, help and unit.

use pampero_series::Labels;

/// The type of a metric.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum MetricKind {
    /// It only grows, but for resets.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
    /// Counts in buckets that go up and down.
    GaugeHistogram,
    /// Quantiles that were worked out by the target.
    Summary,
    /// Always 1, the labels say it.
    Info,
    /// One of several states.
    StateSet,
    /// Nobody said.
    #[default]
    Unknown,
}

impl MetricKind {
    /// Returns the spelling of Prometheus's HTTP API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }
}

/// What is said of one metric.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Metadata {
    /// Its type.
    pub kind: MetricKind,
    /// What it means; empty when nobody said.
    pub help: String,
    /// Its unit; empty when nobody said.
    pub unit: String,
}

/// What one target says of one metric.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TargetMetadata {
    /// The labels of the target.
    pub target: Labels,
    /// The name of the metric.
    pub metric: String,
    /// What is said of it.
    pub metadata: Metadata,
}
