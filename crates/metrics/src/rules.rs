//! Rules: read from files of Prometheus's format, evaluated on a schedule, kept as series.
//!
//! Alerting rules are read, checked and listed; whoever raises alerts evaluates them.

mod evaluate;
mod file;

use std::time::Duration;

use pampero_promql::Query;
use pampero_series::Labels;

pub(crate) use evaluate::{Desk, GroupAtWork};
pub use file::{RuleFileError, RuleProblem};

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
}

#[cfg(test)]
mod tests;
