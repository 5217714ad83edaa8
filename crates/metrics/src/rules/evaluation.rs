//! What is told of each evaluation of an alerting rule, and to whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pampero_series::Labels;

use super::alerts::{Alerts, RuleAlert};
use super::answer::RuleError;
use super::{Rule, RuleGroup};
use crate::writer::chain;

/// Takes what alerting rules find.
pub trait AlertSink: Send + Sync {
    /// Takes one evaluation. Called from threads that may block, for one rule in the order of the
    /// times; the next rule of the group waits for it.
    fn take(&self, evaluation: RuleEvaluation);
}

/// An alerting rule as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSource {
    /// The file that the group is written in.
    pub file: String,
    /// The name of the group, different from all others of the same file.
    pub group: String,
    /// The name of the alert, with `#2` and so on behind it for further rules of the same name in
    /// the group.
    pub rule: String,
    /// The name of the alert as it is written.
    pub alert: String,
    /// The expression, pretty-printed.
    pub query: String,
    /// How long the result must be there before the alert fires.
    pub hold: Duration,
    /// How long the alert goes on firing after the result is gone.
    pub keep_firing: Duration,
    /// From one evaluation to the next.
    pub interval: Duration,
    /// The labels as templates; those of the group are among them.
    pub labels: Labels,
    /// The annotations as templates.
    pub annotations: Vec<(String, String)>,
}

impl RuleSource {
    /// Returns the value of an annotation as it is written; `None` when it is not there.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let found = self.annotations.iter().find(|(candidate, _)| candidate == name);
        found.map(|(_, text)| text.as_str())
    }
}

/// One evaluation of an alerting rule.
#[derive(Clone, Debug)]
pub struct RuleEvaluation {
    /// The rule.
    pub source: Arc<RuleSource>,
    /// When it was due, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The alerts in the order of their labels, those included that were over in the last 15
    /// minutes; or why it failed, with which alerts stay as they were.
    pub outcome: Result<Arc<[RuleAlert]>, String>,
    /// The expression gave nothing, and one of its selectors finds no series at all. Only worked out
    /// for rules with the annotation `pampero_no_data`.
    pub has_no_data: bool,
}

impl RuleEvaluation {
    pub(super) fn of(
        source: &Arc<RuleSource>,
        at_ms: i64,
        found: &Result<bool, RuleError>,
        alerts: &Alerts,
    ) -> Self {
        let outcome: Result<Arc<[RuleAlert]>, String> =
            found.as_ref().map(|_| alerts.snapshot()).map_err(|error| chain(error));
        let has_no_data = found.as_ref().is_ok_and(|has_no_data| *has_no_data);
        Self { source: Arc::clone(source), at_ms, outcome, has_no_data }
    }
}

impl RuleGroup {
    /// Returns the alerting rules as they are told of, in the order of the rules; `interval` is that
    /// of groups which do not say.
    pub fn sources(&self, interval: Duration) -> Vec<Arc<RuleSource>> {
        self.sources_by_place(interval).into_iter().flatten().collect()
    }

    /// Returns the same with `None` in the places of recording rules.
    pub(super) fn sources_by_place(&self, interval: Duration) -> Vec<Option<Arc<RuleSource>>> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let source = |rule: &Rule| {
            let Rule::Alerting(rule) = rule else { return None };
            let count = counts.entry(rule.alert.clone()).or_default();
            *count += 1;
            let number = if *count == 1 { String::new() } else { format!("#{count}") };
            Some(Arc::new(RuleSource {
                file: self.file.clone(),
                group: self.name.clone(),
                rule: format!("{}{number}", rule.alert),
                alert: rule.alert.clone(),
                query: rule.query.format(),
                hold: rule.hold,
                keep_firing: rule.keep_firing,
                interval: self.interval.unwrap_or(interval),
                labels: rule.labels.clone(),
                annotations: rule.annotations.clone(),
            }))
        };
        self.rules.iter().map(source).collect()
    }
}
