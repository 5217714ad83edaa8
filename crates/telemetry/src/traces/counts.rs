//! What became of the spans.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counts spans by what became of them; clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanCounts(Family<Labels, Counter>);

#[derive(Clone, Debug, Eq, Hash, PartialEq, EncodeLabelSet)]
struct Labels {
    outcome: Outcome,
}

/// What became of a span.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Outcome {
    /// The collector took it.
    Exported,
    /// It found the queue full, or was left when the process ended.
    Dropped,
    /// The collector did not want it.
    Refused,
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        let word = match self {
            Self::Exported => "exported",
            Self::Dropped => "dropped",
            Self::Refused => "refused",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}

impl SpanCounts {
    pub(super) fn add(&self, outcome: Outcome, spans: u64) {
        self.0.get_or_create(&Labels { outcome }).inc_by(spans);
    }

    pub(super) fn get(&self, outcome: Outcome) -> u64 {
        self.0.get_or_create(&Labels { outcome }).get()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for outcome in [Outcome::Exported, Outcome::Dropped, Outcome::Refused] {
            self.add(outcome, 0);
        }
        let help = "Spans of traces by what became of them";
        registry.register("spans", help, self.0.clone());
    }
}
