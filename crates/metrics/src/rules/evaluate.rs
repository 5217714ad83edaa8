//! A group of rules at work.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pampero_promql::{Cancel, Engine, QueryError, Value};
use pampero_samples::{AppendError, Sample, SampleStore, SeriesId};
use pampero_series::{Labels, LabelsBuilder, METRIC_NAME, STALE_MARKER};
use tokio::time::Instant;

use super::{RecordingRule, Rule, RuleGroup};
use crate::scrape::target::offset;
use crate::state::{Health, RuleDetail, RuleGroupState, RuleState};
use crate::writer::{Writer, chain};

/// Why a rule gave nothing.
#[derive(Debug, thiserror::Error)]
enum RuleError {
    #[error("the expression cannot be evaluated")]
    Query(#[source] QueryError),
    #[error("the rule gives {found} series, and {max} are the most")]
    Limit { found: usize, max: usize },
    #[error("with the labels of the rule, two series of the result are the same: {labels}")]
    Twice { labels: Labels },
    #[error("the result cannot be kept")]
    Append(#[source] AppendError),
}

/// What rules read from and write to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Desk<'d> {
    pub(crate) engine: &'d Engine,
    pub(crate) store: &'d SampleStore,
    pub(crate) writer: &'d Writer,
    /// Ends an evaluation early.
    pub(crate) cancel: &'d Cancel,
}

/// A group that is evaluated on its schedule.
#[derive(Debug)]
pub(crate) struct GroupAtWork {
    group: RuleGroup,
    pub(crate) interval: Duration,
    pub(crate) offset: Duration,
    /// For each rule, the series that its last evaluation gave. One evaluation at a time.
    live: Mutex<Vec<HashSet<SeriesId>>>,
    state: Mutex<RuleGroupState>,
}

impl GroupAtWork {
    pub(crate) fn new(group: RuleGroup, interval: Duration) -> Self {
        let interval = group.interval.unwrap_or(interval);
        let state = RuleGroupState {
            name: group.name.clone(),
            file: group.file.clone(),
            interval,
            limit: group.limit,
            last_evaluation_ms: None,
            last_duration: Duration::ZERO,
            missed_total: 0,
            rules: group.rules.iter().map(RuleState::of).collect(),
        };
        Self {
            offset: offset(&Labels::empty(), &format!("{};{}", group.file, group.name), interval),
            live: Mutex::new(vec![HashSet::new(); group.rules.len()]),
            interval,
            group,
            state: Mutex::new(state),
        }
    }

    /// Returns how the group does.
    pub(crate) fn state(&self) -> RuleGroupState {
        self.change(|state| state.clone())
    }

    /// Counts evaluations that did not take place.
    pub(crate) fn count_missed(&self, missed: u64) {
        self.change(|state| state.missed_total += missed);
    }

    /// Evaluates the rules one after another. Blocks until their results are on disk.
    pub(crate) fn evaluate(&self, desk: Desk<'_>, at_ms: i64) {
        let started = Instant::now();
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let offset_ms = i64::try_from(self.group.query_offset.as_millis()).unwrap_or(i64::MAX);
        let query_ms = at_ms.saturating_sub(offset_ms);
        for (index, rule) in self.group.rules.iter().enumerate() {
            let Rule::Recording(rule) = rule else { continue };
            let rule_started = Instant::now();
            let result = self.record(desk, rule, query_ms, &mut live[index]);
            if desk.cancel.is_canceled() {
                return;
            }
            self.note(index, at_ms, rule_started.elapsed(), result);
        }
        self.change(|state| {
            state.last_evaluation_ms = Some(at_ms);
            state.last_duration = started.elapsed();
        });
    }

    /// Evaluates one rule; when that fails, the series it gave before are left to the look-back.
    fn record(
        &self,
        desk: Desk<'_>,
        rule: &RecordingRule,
        query_ms: i64,
        live: &mut HashSet<SeriesId>,
    ) -> Result<(), RuleError> {
        let answer = desk
            .engine
            .instant(desk.store, &rule.query, query_ms, desk.cancel)
            .map_err(RuleError::Query)?;
        let found = named(rule, answer.value)?;
        if self.group.limit != 0 && self.group.limit < found.len() {
            return Err(RuleError::Limit { found: found.len(), max: self.group.limit });
        }
        match keep(desk.writer, &found, query_ms, live) {
            Err(AppendError::UnknownSeries) => {
                // One that is gone has been forgotten, and needs no marker any more.
                live.clear();
                keep(desk.writer, &found, query_ms, live)
            }
            result => result,
        }
        .map_err(RuleError::Append)
    }

    fn note(&self, index: usize, at_ms: i64, duration: Duration, result: Result<(), RuleError>) {
        let error = result.err().map(|error| chain(&error));
        self.change(|state| {
            let rule = &mut state.rules[index];
            if let Some(error) = error.as_deref().filter(|_| rule.health != Health::Bad) {
                let (group, rule) = (state.name.as_str(), rule.name.as_str());
                tracing::warn!(rule.group = group, rule.name = rule, error, "rule fails");
            }
            rule.health = if error.is_none() { Health::Good } else { Health::Bad };
            rule.last_error = error;
            rule.last_evaluation_ms = Some(at_ms);
            rule.last_duration = duration;
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut RuleGroupState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the result of a rule under its name and with its labels.
fn named(rule: &RecordingRule, value: Value) -> Result<Vec<(Labels, f64)>, RuleError> {
    let found: Vec<(Labels, f64)> = match value {
        Value::Scalar(point) => vec![(Labels::empty(), point.value)],
        Value::Vector(series) => {
            series.into_iter().map(|(labels, point)| (labels, point.value)).collect()
        }
        // Refused when the file was read.
        Value::String(..) | Value::Matrix(_) => Vec::new(),
    };
    let mut seen = HashSet::new();
    let mut result = Vec::with_capacity(found.len());
    for (labels, value) in found {
        let mut builder = LabelsBuilder::from(&labels);
        builder.set(METRIC_NAME, &rule.record);
        rule.labels.iter().for_each(|(name, value)| {
            builder.set(name, value);
        });
        let labels = builder.build();
        if !seen.insert(labels.clone()) {
            return Err(RuleError::Twice { labels });
        }
        result.push((labels, value));
    }
    Ok(result)
}

/// Keeps a result, with a marker for each series of the one before that is not in it.
fn keep(
    writer: &Writer,
    found: &[(Labels, f64)],
    timestamp_ms: i64,
    live: &mut HashSet<SeriesId>,
) -> Result<(), AppendError> {
    let mut batch = Vec::with_capacity(found.len() + live.len());
    let mut now_live = HashSet::with_capacity(found.len());
    for (labels, value) in found {
        let series = match writer.resolve(labels) {
            Ok(series) => series,
            Err(error @ AppendError::SeriesLimit { .. }) => {
                writer.count_over_series_limit(1);
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        now_live.insert(series);
        batch.push(Sample { series, timestamp_ms, value: *value });
    }
    let gone = live.difference(&now_live);
    batch.extend(gone.map(|series| Sample { series: *series, timestamp_ms, value: STALE_MARKER }));
    if !batch.is_empty() {
        writer.append(&batch)?;
    }
    *live = now_live;
    Ok(())
}

impl RuleState {
    fn of(rule: &Rule) -> Self {
        let (name, query, labels, detail) = match rule {
            Rule::Recording(rule) => {
                (&rule.record, &rule.query, &rule.labels, RuleDetail::Recording)
            }
            Rule::Alerting(rule) => {
                let detail = RuleDetail::Alerting {
                    hold: rule.hold,
                    keep_firing: rule.keep_firing,
                    annotations: rule.annotations.clone(),
                };
                (&rule.alert, &rule.query, &rule.labels, detail)
            }
        };
        Self {
            name: name.clone(),
            query: query.format(),
            labels: labels.clone(),
            health: Health::Unknown,
            last_error: None,
            last_evaluation_ms: None,
            last_duration: Duration::ZERO,
            detail,
        }
    }
}
