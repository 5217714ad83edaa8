//! What an alerting rule remembers: its alerts, from pending over firing to resolved.
//!
//! Source: Prometheus, `rules/alerting.go`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pampero_series::{Labels, LabelsBuilder, METRIC_NAME};

use super::AlertingRule;
use super::answer::RuleError;
use super::texts::{ALERT_NAME, Annotations};

/// The metric that is 1 for each pending and each firing alert.
pub(super) const ALERTS: &str = "ALERTS";

/// The metric that says since when the condition of an alert holds, in seconds since the Unix epoch.
pub(super) const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// The label of [`ALERTS`] with the state.
const ALERT_STATE: &str = "alertstate";

/// How long an alert that is over is remembered, in milliseconds, so that its end can be told again.
const RESOLVED_RETENTION_MS: i64 = 15 * 60 * 1000;

/// How far an alert of a rule has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RuleAlertState {
    /// It was firing and is over.
    Inactive,
    /// The condition holds, and not for long enough.
    Pending,
    /// The condition holds for long enough, or the alert is kept firing.
    Firing,
}

impl RuleAlertState {
    /// Returns the spelling of Prometheus.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert of a rule. All times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleAlert {
    /// The labels of the series of the result and of the rule, and `alertname`.
    pub labels: Labels,
    /// What is said of it, templates expanded.
    pub annotations: Arc<[(String, String)]>,
    /// How far it has come.
    pub state: RuleAlertState,
    /// The value when the condition held last.
    pub value: f64,
    /// Since when the condition holds.
    pub active_at_ms: i64,
    /// When it began to fire; `None` before.
    pub fired_at_ms: Option<i64>,
    /// When it was over; `None` before.
    pub resolved_at_ms: Option<i64>,
    /// Since when it is firing only because it is kept so; `None` when it is not.
    pub keep_firing_since_ms: Option<i64>,
}

/// The alerts of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    by_labels: BTreeMap<Labels, RuleAlert>,
}

impl Alerts {
    /// Goes on to the time `at_ms`, for which the expression of the rule gave `found`.
    ///
    /// # Errors
    /// Two series of the result are the same alert, and everything stays as it was; or there are
    /// more than `limit` alerts, and all are forgotten.
    pub(super) fn update(
        &mut self,
        rule: &AlertingRule,
        found: &[(Labels, f64)],
        at_ms: i64,
        limit: usize,
    ) -> Result<(), RuleError> {
        let mut noticed: BTreeMap<Labels, (f64, Annotations)> = BTreeMap::new();
        for (series, value) in found {
            let (labels, annotations) = rule.texts.expand(&rule.alert, series, *value);
            if noticed.insert(labels.clone(), (*value, annotations)).is_some() {
                return Err(RuleError::Twice { labels });
            }
        }
        let (hold_ms, keep_ms) = (milliseconds(rule.hold), milliseconds(rule.keep_firing));
        self.by_labels.retain(|labels, alert| match noticed.remove(labels) {
            Some((value, annotations)) => {
                if alert.state == RuleAlertState::Inactive {
                    *alert = RuleAlert::noticed(labels.clone(), annotations, value, at_ms);
                } else {
                    (alert.value, alert.annotations) = (value, annotations);
                    alert.keep_firing_since_ms = None;
                }
                true
            }
            None => alert.end(at_ms, keep_ms),
        });
        for (labels, (value, annotations)) in noticed {
            let alert = RuleAlert::noticed(labels.clone(), annotations, value, at_ms);
            self.by_labels.insert(labels, alert);
        }
        let mut active = 0;
        for alert in self.by_labels.values_mut() {
            if alert.state == RuleAlertState::Pending
                && hold_ms <= at_ms.saturating_sub(alert.active_at_ms)
            {
                alert.state = RuleAlertState::Firing;
                alert.fired_at_ms = Some(at_ms);
            }
            active += usize::from(alert.state != RuleAlertState::Inactive);
        }
        if limit != 0 && limit < active {
            self.by_labels.clear();
            return Err(RuleError::AlertLimit { found: active, max: limit });
        }
        Ok(())
    }

    /// Returns the series that say which alerts are pending or firing, and since when.
    ///
    /// As in Prometheus they have the labels of the rule too, so that one whose template expands to
    /// nothing shows its template.
    pub(super) fn series(&self, rule: &AlertingRule) -> Vec<(Labels, f64)> {
        let active = || self.by_labels.values().filter(|it| it.state != RuleAlertState::Inactive);
        let mut series = Vec::with_capacity(2 * self.by_labels.len());
        for alert in active() {
            let mut labels = LabelsBuilder::from(&series_labels(rule, alert, ALERTS));
            labels.set(ALERT_STATE, alert.state.as_str());
            series.push((labels.build(), 1.0));
        }
        for alert in active() {
            #[expect(clippy::cast_precision_loss, reason = "seconds of any date are exact")]
            let since = alert.active_at_ms.div_euclid(1000) as f64;
            series.push((series_labels(rule, alert, ALERTS_FOR_STATE), since));
        }
        series
    }

    /// Returns the alerts, in the order of their labels.
    pub(super) fn snapshot(&self) -> Arc<[RuleAlert]> {
        self.by_labels.values().cloned().collect()
    }

    /// Returns the alerts, whose times may be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut RuleAlert> {
        self.by_labels.values_mut()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_labels.is_empty()
    }
}

impl RuleAlert {
    fn noticed(labels: Labels, annotations: Annotations, value: f64, at_ms: i64) -> Self {
        Self {
            labels,
            annotations,
            state: RuleAlertState::Pending,
            value,
            active_at_ms: at_ms,
            fired_at_ms: None,
            resolved_at_ms: None,
            keep_firing_since_ms: None,
        }
    }

    /// Goes on to a time at which the condition does not hold; returns whether the alert is still
    /// remembered.
    fn end(&mut self, at_ms: i64, keep_ms: i64) -> bool {
        match self.state {
            RuleAlertState::Pending => return false,
            RuleAlertState::Firing => {
                let since_ms = match self.keep_firing_since_ms {
                    None if keep_ms == 0 => at_ms,
                    None => *self.keep_firing_since_ms.insert(at_ms),
                    Some(since_ms) => since_ms,
                };
                if keep_ms <= at_ms.saturating_sub(since_ms) {
                    self.state = RuleAlertState::Inactive;
                    self.resolved_at_ms = Some(at_ms);
                }
            }
            RuleAlertState::Inactive => {}
        }
        let is_old = |resolved_ms| RESOLVED_RETENTION_MS < at_ms.saturating_sub(resolved_ms);
        !self.resolved_at_ms.is_some_and(is_old)
    }
}

/// Returns the labels of the series of an alert under the name of a metric.
pub(super) fn series_labels(rule: &AlertingRule, alert: &RuleAlert, metric: &str) -> Labels {
    let mut labels = LabelsBuilder::from(&rule.labels);
    for (name, value) in alert.labels.iter() {
        labels.set(name, value);
    }
    labels.set(METRIC_NAME, metric);
    labels.set(ALERT_NAME, &rule.alert);
    labels.build()
}

pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
