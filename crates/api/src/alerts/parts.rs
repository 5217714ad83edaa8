//! What the API needs of the alerts, and what only the program knows of alerting rules.

use std::sync::Arc;

use pampero_alerting::rest::AlertingRest;
use pampero_alerting::{Alerting, Definitions, LogSearch, Observation, Policy, Runner, SourceId};
use pampero_metrics::{RuleEvaluation, RuleSource};

/// What the API shows of the alerts, and what it may do with them.
#[derive(Clone)]
pub struct AlertParts {
    /// The alerts.
    pub alerting: Alerting,
    /// The monitors and channels.
    pub definitions: Arc<Definitions>,
    /// What is made of alerting rules.
    pub rules: Arc<dyn AlertRules>,
    /// Runs the monitors; `None` without a log index.
    pub runner: Option<Arc<Runner>>,
    /// Searches the logs of the past for monitors; `None` without a log index.
    pub search: Option<Arc<dyn LogSearch>>,
    /// The routes of OpenSearch's plugins, which lie among those of the log index; `None` without one.
    pub rest: Option<AlertingRest>,
}

/// What the program makes of alerting rules: their annotations ask for channels and reminders.
pub trait AlertRules: Send + Sync {
    /// Returns the id of a rule among all sources of alerts.
    fn source_id(&self, rule: &RuleSource) -> SourceId;

    /// Returns what is done about the findings of a rule, and what is wrong with its annotations, a
    /// sentence each.
    fn policy(&self, rule: &RuleSource) -> (Policy, Vec<String>);

    /// Returns what an evaluation found.
    fn observation(&self, evaluation: &RuleEvaluation, policy: &Policy) -> Observation;

    /// Returns the rule files that are not taken, or not taken anew.
    fn problems(&self) -> Vec<RuleFileProblem>;
}

/// A rule file that is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleFileProblem {
    /// The file as it is listed.
    pub file: String,
    /// The line, counted from 1; `None` when it cannot be told.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}
