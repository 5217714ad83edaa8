//! What one evaluation of a monitor's trigger or of a rule found.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use pampero_series::Labels;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of definition an alert comes from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A monitor over the logs.
    Monitor,
    /// An alerting rule over the metrics.
    Rule,
}

/// A trigger of a monitor, or an alerting rule.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SourceId {
    /// Its kind.
    pub kind: SourceKind,
    /// The id of the monitor; of a rule its file and group, as in `rules/weather.yml;weather`.
    pub definition: String,
    /// The id of the trigger; of a rule its name, with `#2` and so on behind it for further rules of the
    /// same name in the group.
    pub trigger: String,
}

impl fmt::Display for SourceId {
    /// Writes as `monitor/error_logs/count_error`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            SourceKind::Monitor => "monitor",
            SourceKind::Rule => "rule",
        };
        write!(formatter, "{kind}/{}/{}", self.definition, self.trigger)
    }
}

/// One evaluation.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When it was due, which is the time of the data it looked at.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// What the query answered, for the history and for messages; `None` where there is none.
    pub answer: Option<Arc<Value>>,
}

/// What came of an evaluation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The groups for which the condition holds; empty when it holds for none. Each key once.
    Known(Vec<Finding>),
    /// There are no data from which it could be told.
    NoData,
    /// The evaluation failed, with why.
    Failed(String),
}

/// A group for which a condition holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What tells it from other groups of the same source: the labels of a rule's alert without those
    /// that every one has; empty for a monitor, which has one group.
    pub key: Labels,
    /// How far it has come by the source itself. A rule waits in its group as Prometheus does; what a
    /// monitor finds fires at once, and [`Policy::hold`](crate::Policy::hold) waits.
    pub phase: Phase,
    /// The value; `None` where a condition gives only true.
    pub value: Option<f64>,
    /// What is said of it, as `summary`.
    pub annotations: Vec<(String, String)>,
}

/// How far a finding has come by its source.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// It holds since then, and not for long enough.
    Pending {
        /// When it began to hold.
        since: Timestamp,
    },
    /// It holds for long enough, or goes on firing by the rule's will.
    Firing {
        /// When it began to hold.
        since: Timestamp,
    },
}
