//! What the jobs tell of themselves: targets and rules, as they are at this moment.

use std::sync::Arc;
use std::time::Duration;

use pampero_series::Labels;

use crate::rules::{RuleAlert, RuleAlertState};

/// How the last try went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Health {
    /// It has not been tried.
    #[default]
    Unknown,
    /// It went well.
    Good,
    /// It failed.
    Bad,
}

/// One target that is scraped.
#[derive(Clone, Debug)]
pub struct TargetState {
    /// The job that the target belongs to, which is the name of its pool.
    pub job: String,
    /// The labels that every series of the target gets.
    pub labels: Labels,
    /// What was configured before it became labels: `__address__`, `__scheme__`,
    /// `__metrics_path__`, `__scrape_interval__`, `__scrape_timeout__`, `job`, parameters.
    pub discovered_labels: Labels,
    /// Where the target is scraped, without credentials.
    pub scrape_url: String,
    /// When the last scrape began, in milliseconds since the Unix epoch; `None` before the first.
    pub last_scrape_ms: Option<i64>,
    /// How long the last scrape took.
    pub last_duration: Duration,
    /// Why the last scrape failed; `None` when it did not.
    pub last_error: Option<String>,
    /// How the last scrape went.
    pub health: Health,
    /// From one scrape to the next.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
}

/// One group of rules.
#[derive(Clone, Debug)]
pub struct RuleGroupState {
    /// The name, different from all others of the same file.
    pub name: String,
    /// The file that the group is written in.
    pub file: String,
    /// From one evaluation to the next.
    pub interval: Duration,
    /// Most series that one rule may give; `0` is no limit.
    pub limit: usize,
    /// When the last evaluation was due, in milliseconds since the Unix epoch; `None` before the
    /// first.
    pub last_evaluation_ms: Option<i64>,
    /// How long the last evaluation of the whole group took.
    pub last_duration: Duration,
    /// Evaluations that did not take place, because the one before took too long.
    pub missed_total: u64,
    /// The rules, in the order of their evaluation.
    pub rules: Vec<RuleState>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct RuleState {
    /// The name of the metric that is recorded, or of the alert.
    pub name: String,
    /// The expression, pretty-printed.
    pub query: String,
    /// The labels that are put on the result.
    pub labels: Labels,
    /// How the last evaluation went.
    pub health: Health,
    /// Why the last evaluation failed; `None` when it did not.
    pub last_error: Option<String>,
    /// When the last evaluation was due, in milliseconds since the Unix epoch; `None` before the
    /// first.
    pub last_evaluation_ms: Option<i64>,
    /// How long the last evaluation took.
    pub last_duration: Duration,
    /// What is particular to its kind.
    pub detail: RuleDetail,
}

/// What is particular to a kind of rule.
#[derive(Clone, Debug)]
pub enum RuleDetail {
    /// The result is kept as a metric.
    Recording,
    /// The result is an alert.
    Alerting {
        /// How long the result must be there before the alert fires.
        hold: Duration,
        /// How long the alert goes on firing after the result is gone.
        keep_firing: Duration,
        /// The annotations, as templates.
        annotations: Vec<(String, String)>,
        /// The alerts in the order of their labels, those included that were over in the last 15
        /// minutes.
        alerts: Arc<[RuleAlert]>,
    },
}

impl RuleState {
    /// Returns the alerts that are pending or firing, in the order of their labels; none for a
    /// recording rule.
    pub fn active_alerts(&self) -> impl Iterator<Item = &RuleAlert> {
        let alerts = match &self.detail {
            RuleDetail::Recording => &[][..],
            RuleDetail::Alerting { alerts, .. } => alerts,
        };
        alerts.iter().filter(|alert| alert.state != RuleAlertState::Inactive)
    }
}
