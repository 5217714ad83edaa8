//! What targets and senders say of their metrics: type, help and unit.

use std::collections::BTreeMap;

use pampero_series::Labels;

use crate::scrape::text::Entry;

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

/// How many scrapes a metric may be missing before what was said of it is forgotten.
const MISSING_MAX: u64 = 10;

/// What one target, or all senders together, say of their metrics.
#[derive(Debug)]
pub(crate) struct MetadataBook {
    metrics: BTreeMap<Box<str>, Noted>,
    metrics_max: usize,
    round: u64,
}

#[derive(Debug)]
struct Noted {
    metadata: Metadata,
    seen_in: u64,
}

impl MetadataBook {
    /// Begins without any metric; no more than `metrics_max` are noted.
    pub(crate) fn new(metrics_max: usize) -> Self {
        Self { metrics: BTreeMap::new(), metrics_max, round: 0 }
    }

    /// Begins a scrape.
    pub(crate) fn begin(&mut self) {
        self.round += 1;
    }

    /// Ends a scrape: forgets metrics that have not been there for a while.
    pub(crate) fn end(&mut self) {
        let round = self.round;
        self.metrics.retain(|_, noted| round < noted.seen_in + MISSING_MAX);
    }

    /// Notes what a line says.
    pub(crate) fn note(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Kind { metric, kind } => self.change(metric, |said| said.kind = *kind),
            Entry::Help { metric, help } => {
                self.change(metric, |said| replace_if_new(&mut said.help, help));
            }
            Entry::Unit { metric, unit } => {
                self.change(metric, |said| replace_if_new(&mut said.unit, unit));
            }
            Entry::Sample { .. } => {}
        }
    }

    /// Changes what is said of a metric, unless there are too many.
    pub(crate) fn change(&mut self, metric: &str, change: impl FnOnce(&mut Metadata)) {
        if let Some(noted) = self.metrics.get_mut(metric) {
            noted.seen_in = self.round;
            change(&mut noted.metadata);
        } else if self.metrics.len() < self.metrics_max {
            let mut noted = Noted { metadata: Metadata::default(), seen_in: self.round };
            change(&mut noted.metadata);
            self.metrics.insert(metric.into(), noted);
        }
    }

    /// Returns what is said, in the order of the metrics; of one metric only, if it is named.
    pub(crate) fn iter<'b>(
        &'b self,
        metric: Option<&'b str>,
    ) -> impl Iterator<Item = (&'b str, &'b Metadata)> {
        let is_wanted = move |name: &str| metric.is_none_or(|wanted| wanted == name);
        self.metrics
            .iter()
            .filter(move |(name, _)| is_wanted(name))
            .map(|(name, noted)| (&**name, &noted.metadata))
    }
}

fn replace_if_new(old: &mut String, new: &str) {
    if old != new {
        new.clone_into(old);
    }
}
