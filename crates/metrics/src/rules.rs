//! Rules: read from files of Prometheus's format, evaluated on a schedule, kept as series.
//!
//! What an alerting rule finds is handed to an [`AlertSink`] after each evaluation; who is told is
//! decided there. Start reading at [`RuleGroup`], then `evaluate`, then `alerts`.

mod alerts;
mod answer;
mod evaluate;
mod evaluation;
mod file;
mod keep;
mod overlay;
mod replay;
mod restore;
mod roster;
mod texts;

use std::sync::Arc;
use std::time::Duration;

use pampero_promql::Query;
use pampero_series::Labels;

pub use alerts::{RuleAlert, RuleAlertState};
pub(crate) use evaluate::{Desk, GroupAtWork};
pub use evaluation::{AlertSink, RuleEvaluation, RuleSource};
pub use file::{RuleFileError, RuleProblem};
pub use replay::{Replay, ReplayError};
pub(crate) use roster::{Replaced, Roster};
use texts::Texts;

/// Rules that are evaluated together, one after another.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// The name, different from all others of the same file.
    pub name: String,
    /// The file that the group is written in.
    pub file: String,
    /// From one evaluation to the next; `None` when the group does not say.
    pub interval: Option<Duration>,
    /// Most series that one rule may give; `0` is no limit.
    pub limit: usize,
    /// How far before the evaluation the rules look, for data that come late.
    pub query_offset: Duration,
    /// The rules, in the order of their evaluation.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// The result is kept as a metric.
    Recording(RecordingRule),
    /// The result is an alert.
    Alerting(AlertingRule),
}

/// A rule whose result is kept as a metric.
#[derive(Clone, Debug)]
pub struct RecordingRule {
    /// The name of the metric.
    pub record: String,
    /// What is evaluated: an instant vector or a scalar.
    pub query: Query,
    /// Labels that are put on the result; those of the group are among them.
    pub labels: Labels,
}

/// A rule whose result is an alert.
#[derive(Clone, Debug)]
pub struct AlertingRule {
    /// The name of the alert.
    pub alert: String,
    /// What is evaluated: an instant vector or a scalar.
    pub query: Query,
    /// How long the result must be there before the alert fires.
    pub hold: Duration,
    /// How long the alert goes on firing after the result is gone.
    pub keep_firing: Duration,
    /// Labels that are put on the alert, as templates; those of the group are among them.
    pub labels: Labels,
    /// What the alert says, as templates.
    pub annotations: Vec<(String, String)>,
    /// Labels and annotations, read as templates.
    pub(crate) texts: Arc<Texts>,
}

impl RuleGroup {
    /// Returns whether both are the same group and do the same; `interval` is that of groups which
    /// do not say.
    fn does_the_same(&self, other: &Self, interval: Duration) -> bool {
        let shape = |group: &Self| {
            let every = group.interval.unwrap_or(interval);
            (group.limit, group.query_offset, every, group.rules.len())
        };
        (&self.name, &self.file) == (&other.name, &other.file)
            && shape(self) == shape(other)
            && self.rules.iter().zip(&other.rules).all(|(rule, other)| rule.does_the_same(other))
    }
}

impl Rule {
    /// Returns the name of the metric or of the alert.
    fn name(&self) -> &str {
        match self {
            Self::Recording(rule) => &rule.record,
            Self::Alerting(rule) => &rule.alert,
        }
    }

    /// Returns the labels as they are written.
    fn labels(&self) -> &Labels {
        match self {
            Self::Recording(rule) => &rule.labels,
            Self::Alerting(rule) => &rule.labels,
        }
    }

    /// Returns what is evaluated.
    fn query(&self) -> &Query {
        match self {
            Self::Recording(rule) => &rule.query,
            Self::Alerting(rule) => &rule.query,
        }
    }

    fn does_the_same(&self, other: &Self) -> bool {
        let is_alike = match (self, other) {
            (Self::Recording(_), Self::Recording(_)) => true,
            (Self::Alerting(rule), Self::Alerting(other)) => {
                (rule.hold, rule.keep_firing, &rule.annotations)
                    == (other.hold, other.keep_firing, &other.annotations)
            }
            _ => false,
        };
        is_alike
            && (self.name(), self.labels()) == (other.name(), other.labels())
            && self.query().format() == other.query().format()
    }
}

#[cfg(test)]
mod testbed;
#[cfg(test)]
mod tests;
