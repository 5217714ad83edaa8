//! A group of rules at work.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pampero_promql::{Cancel, Engine};
use pampero_samples::{SampleStore, SeriesId};
use pampero_series::Labels;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::alerts::{Alerts, milliseconds};
use super::answer::{Found, RuleError, look, recorded};
use super::evaluation::{AlertSink, RuleEvaluation, RuleSource};
use super::keep::{keep, mark_ended};
use super::restore::restore;
use super::{AlertingRule, RecordingRule, Rule, RuleGroup};
use crate::scrape::target::offset;
use crate::state::{Health, RuleDetail, RuleGroupState, RuleState};
use crate::writer::{Writer, chain};

/// How many evaluations pass before the state of alerts is restored: what they look at has been
/// scraped and recorded by then.
const EVALUATIONS_UNTIL_RESTORED: u8 = 2;

/// What rules read from and write to.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'d> {
    pub(crate) engine: &'d Engine,
    pub(crate) store: &'d SampleStore,
    pub(crate) writer: &'d Writer,
    /// Who is told what alerting rules find.
    pub(crate) sink: Option<&'d dyn AlertSink>,
    /// The wall time in milliseconds since the Unix epoch.
    pub(crate) now_ms: i64,
}

/// A group that is evaluated on its schedule.
#[derive(Debug)]
pub(crate) struct GroupAtWork {
    pub(super) group: RuleGroup,
    pub(crate) interval: Duration,
    pub(crate) offset: Duration,
    /// Ends the schedule of the group.
    pub(crate) stop: CancellationToken,
    /// Ends an evaluation early.
    pub(crate) cancel: Cancel,
    /// For each alerting rule how it is told of.
    sources: Vec<Option<Arc<RuleSource>>>,
    /// Held during an evaluation, so that there is one at a time.
    memory: Mutex<Memory>,
    state: Mutex<RuleGroupState>,
}

/// What one evaluation leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    rules: Vec<RuleMemory>,
    /// Series of rules that are no more, which get a marker with the next evaluation.
    gone: HashSet<SeriesId>,
    /// Evaluations until the state of alerts is restored; 0 once it is. Until then alerts leave no
    /// series, so that those of before are still the newest.
    until_restored: u8,
    /// The group has been replaced or removed.
    is_retired: bool,
}

#[derive(Debug, Default)]
struct RuleMemory {
    /// The series that the last evaluation gave.
    live: HashSet<SeriesId>,
    alerts: Alerts,
}

impl GroupAtWork {
    /// Makes a group that has not been evaluated; `interval` is that of groups which do not say.
    pub(crate) fn new(group: RuleGroup, interval: Duration) -> Self {
        let sources = group.sources_by_place(interval);
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
        let rules = group.rules.iter().map(|_| RuleMemory::default()).collect();
        Self {
            offset: offset_of(&group, interval),
            stop: CancellationToken::new(),
            cancel: Cancel::new(),
            sources,
            memory: Mutex::new(Memory { rules, ..Memory::default() }),
            interval,
            group,
            state: Mutex::new(state),
        }
    }

    /// Lets the state of alerts be restored from what was kept before the program was started.
    pub(super) fn restored_later(self) -> Self {
        self.memory().until_restored = EVALUATIONS_UNTIL_RESTORED;
        self
    }

    /// Makes the group go on from where `old` was, which retires; waits for its evaluation to end.
    ///
    /// A rule goes on from the one with the same name and labels, the second such from the second.
    ///
    /// Source: Prometheus, `rules/group.go`, `CopyState`.
    pub(super) fn going_on_from(self, old: &Self) -> Self {
        let before = old.retire();
        {
            let mut memory = self.memory();
            memory.until_restored = before.until_restored;
            memory.gone = before.gone;
            let mut places: HashMap<(&str, &Labels), Vec<usize>> = HashMap::new();
            for (place, rule) in self.group.rules.iter().enumerate().rev() {
                places.entry((rule.name(), rule.labels())).or_default().push(place);
            }
            for (rule, left) in old.group.rules.iter().zip(before.rules) {
                match places.get_mut(&(rule.name(), rule.labels())).and_then(Vec::pop) {
                    Some(place) => {
                        let is_alerting = matches!(self.group.rules[place], Rule::Alerting(_));
                        let alerts = if is_alerting { left.alerts } else { Alerts::default() };
                        self.show(place, &alerts);
                        memory.rules[place] = RuleMemory { live: left.live, alerts };
                    }
                    None => memory.gone.extend(left.live),
                }
            }
            let shown = old.state();
            self.change(|state| {
                state.last_evaluation_ms = shown.last_evaluation_ms;
                state.last_duration = shown.last_duration;
                state.missed_total = shown.missed_total;
            });
        }
        self
    }

    /// Ends the work of the group for good, and returns what it left; waits for its evaluation to
    /// end.
    fn retire(&self) -> Memory {
        self.stop.cancel();
        self.cancel.cancel();
        let retired = Memory { is_retired: true, ..Memory::default() };
        std::mem::replace(&mut *self.memory(), retired)
    }

    /// Ends the work of the group for good, and returns the series that it gave last.
    pub(super) fn end(&self) -> HashSet<SeriesId> {
        let Memory { rules, gone, .. } = self.retire();
        rules.into_iter().flat_map(|rule| rule.live).chain(gone).collect()
    }

    /// Returns the series that the last evaluation gave; waits for an evaluation to end.
    pub(super) fn live(&self) -> HashSet<SeriesId> {
        self.memory().rules.iter().flat_map(|rule| rule.live.iter().copied()).collect()
    }

    /// Returns how the group does.
    pub(crate) fn state(&self) -> RuleGroupState {
        self.change(|state| state.clone())
    }

    /// Counts evaluations that did not take place.
    pub(crate) fn count_missed(&self, missed: u64) {
        self.change(|state| state.missed_total = state.missed_total.saturating_add(missed));
    }

    /// Returns the time of the data that an evaluation looks at.
    pub(super) fn query_ms(&self, at_ms: i64) -> i64 {
        at_ms.saturating_sub(milliseconds(self.group.query_offset))
    }

    /// Evaluates the rules one after another. Blocks until their results are on disk.
    pub(crate) fn evaluate(&self, desk: Desk<'_>, at_ms: i64) {
        let started = Instant::now();
        let mut memory = self.memory();
        if memory.is_retired {
            return;
        }
        let keeps_alerts = memory.until_restored == 0;
        for (index, rule) in self.group.rules.iter().enumerate() {
            let rule_started = Instant::now();
            let left = &mut memory.rules[index];
            let result = match rule {
                Rule::Recording(rule) => self.record(desk, rule, at_ms, &mut left.live),
                Rule::Alerting(rule) => {
                    let found = self.alert(desk, index, rule, at_ms, &mut left.alerts);
                    self.show(index, &left.alerts);
                    found.and_then(|()| {
                        let series =
                            if keeps_alerts { left.alerts.series(rule) } else { Vec::new() };
                        keep(desk.writer, &series, self.query_ms(at_ms), &mut left.live)
                            .map_err(RuleError::Append)
                    })
                }
            };
            if self.cancel.is_canceled() {
                return;
            }
            self.note(index, at_ms, rule_started.elapsed(), result);
        }
        self.mark_gone(desk, &mut memory, at_ms);
        self.change(|state| {
            state.last_evaluation_ms = Some(at_ms);
            state.last_duration = started.elapsed();
        });
        if memory.until_restored != 0 {
            memory.until_restored -= 1;
            if memory.until_restored == 0 {
                self.restore(desk, &mut memory);
            }
        }
    }

    /// Evaluates one recording rule; when that fails, the series it gave before are left to the
    /// look-back.
    fn record(
        &self,
        desk: Desk<'_>,
        rule: &RecordingRule,
        at_ms: i64,
        live: &mut HashSet<SeriesId>,
    ) -> Result<(), RuleError> {
        let query_ms = self.query_ms(at_ms);
        let found = recorded(desk.engine, desk.store, rule, query_ms, &self.cancel)?;
        if self.group.limit != 0 && self.group.limit < found.len() {
            return Err(RuleError::Limit { found: found.len(), max: self.group.limit });
        }
        keep(desk.writer, &found, query_ms, live).map_err(RuleError::Append)
    }

    /// Evaluates one alerting rule, and tells what it finds.
    fn alert(
        &self,
        desk: Desk<'_>,
        index: usize,
        rule: &AlertingRule,
        at_ms: i64,
        alerts: &mut Alerts,
    ) -> Result<(), RuleError> {
        let (group, query_ms) = (&self.group, self.query_ms(at_ms));
        let found = look(desk.engine, desk.store, rule, query_ms, &self.cancel);
        let found = found.and_then(|Found { series, has_no_data }| {
            alerts.update(rule, &series, at_ms, group.limit).map(|()| has_no_data)
        });
        if found.is_err() && self.cancel.is_canceled() {
            return found.map(drop);
        }
        if let (Some(sink), Some(source)) = (desk.sink, &self.sources[index]) {
            sink.take(RuleEvaluation::of(source, at_ms, &found, alerts));
        }
        found.map(drop)
    }

    /// Ends the series of rules that are no more, unless others of the group give them now.
    fn mark_gone(&self, desk: Desk<'_>, memory: &mut Memory, at_ms: i64) {
        if memory.gone.is_empty() {
            return;
        }
        let gone = std::mem::take(&mut memory.gone);
        let is_live = |series: &SeriesId| memory.rules.iter().any(|it| it.live.contains(series));
        let gone: Vec<SeriesId> = gone.into_iter().filter(|series| !is_live(series)).collect();
        mark_ended(desk.writer, &gone, self.query_ms(at_ms));
    }

    fn restore(&self, desk: Desk<'_>, memory: &mut Memory) {
        for (index, rule) in self.group.rules.iter().enumerate() {
            let Rule::Alerting(rule) = rule else { continue };
            let alerts = &mut memory.rules[index].alerts;
            if let Err(error) = restore(desk.store, rule, alerts, desk.now_ms) {
                let (group, name) = (self.group.name.as_str(), rule.alert.as_str());
                let error = chain(&error);
                tracing::warn!(
                    rule.group = group,
                    rule.name = name,
                    error,
                    "state of alerts is not restored, they wait anew"
                );
            }
            self.show(index, alerts);
        }
    }

    /// Shows the alerts of a rule.
    fn show(&self, index: usize, alerts: &Alerts) {
        self.change(|state| {
            if let RuleDetail::Alerting { alerts: shown, .. } = &mut state.rules[index].detail
                && !(shown.is_empty() && alerts.is_empty())
            {
                *shown = alerts.snapshot();
            }
        });
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

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut RuleGroupState) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns how far behind the multiples of its interval the group is evaluated.
pub(super) fn offset_of(group: &RuleGroup, interval: Duration) -> Duration {
    offset(&Labels::empty(), &format!("{};{}", group.file, group.name), interval)
}

impl RuleState {
    fn of(rule: &Rule) -> Self {
        let detail = match rule {
            Rule::Recording(_) => RuleDetail::Recording,
            Rule::Alerting(rule) => RuleDetail::Alerting {
                hold: rule.hold,
                keep_firing: rule.keep_firing,
                annotations: rule.annotations.clone(),
                alerts: Arc::new([]),
            },
        };
        Self {
            name: rule.name().to_owned(),
            query: rule.query().format(),
            labels: rule.labels().clone(),
            health: Health::Unknown,
            last_error: None,
            last_evaluation_ms: None,
            last_duration: Duration::ZERO,
            detail,
        }
    }
}
