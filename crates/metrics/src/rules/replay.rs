//! What a group would have found: its alerting rules over the recorded past, in memory.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use pampero_promql::{Cancel, Query};
use pampero_series::{
    Labels, METRIC_NAME, Matcher, STALE_MARKER, SelectError, Selection, SeriesSource,
};
use tokio::time::Instant;

use super::alerts::{ALERTS, ALERTS_FOR_STATE, Alerts, milliseconds};
use super::answer::{Found, look, recorded};
use super::evaluate::offset_of;
use super::evaluation::{RuleEvaluation, RuleSource};
use super::overlay::Overlay;
use super::{Rule, RuleGroup};
use crate::history::History;
use crate::schedule::Schedule;

/// Most samples of alerts and recording rules that one replay holds.
const SAMPLES_MAX: usize = 5_000_000;

/// Which rules are replayed over which stretch of the past.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'r> {
    /// The group.
    pub group: &'r RuleGroup,
    /// The only rule to tell of, as [`RuleSource::rule`] names it; `None` for all alerting rules.
    pub rule: Option<&'r str>,
    /// No evaluation is earlier, in milliseconds since the Unix epoch.
    pub from_ms: i64,
    /// No evaluation is later, in milliseconds since the Unix epoch.
    pub to_ms: i64,
    /// Most evaluations of the group.
    pub evaluations_max: usize,
    /// Longest time that it may take.
    pub time: Duration,
}

/// Why a replay ended early, or did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such alerting rule in the group.
    #[error("the group has no alerting rule {rule:?}")]
    UnknownRule {
        /// The name that was asked for.
        rule: String,
    },
    /// The stretch has too many evaluations.
    #[error(
        "the stretch has {found} evaluations, and {max} are the most; choose a shorter stretch or a \
         longer interval"
    )]
    TooManyEvaluations {
        /// How many there would be.
        found: usize,
        /// The most.
        max: usize,
    },
    /// It takes too long.
    #[error("the replay takes longer than {seconds} s; choose a shorter stretch")]
    TooLong {
        /// The longest time, in seconds.
        seconds: u64,
    },
    /// The alerts and recording rules have too many samples.
    #[error("the alerts of the stretch have more than {max} samples; choose a shorter stretch")]
    TooManySamples {
        /// The most.
        max: usize,
    },
    /// It was cancelled.
    #[error("the replay was cancelled")]
    Canceled,
    /// The recorded samples cannot be read.
    #[error("the recorded past cannot be read")]
    Select(#[source] SelectError),
}

impl History {
    /// Evaluates the alerting rules of a group over the recorded past, at the times its schedule
    /// would have had, and shows `visit` each evaluation until it breaks. Writes nothing. Blocks.
    ///
    /// Alerts begin as if there had been none before. What the group reads of its own alerts is what
    /// the replay gives; recorded metrics are read as they were kept, and worked out where none were.
    /// Returns how many times the group was evaluated.
    ///
    /// # Errors
    /// There is no such rule, a limit is passed, the samples cannot be read, or it was cancelled. What
    /// `visit` has seen until then holds.
    pub fn replay(
        &self,
        replay: Replay<'_>,
        cancel: &Cancel,
        visit: &mut dyn FnMut(RuleEvaluation) -> ControlFlow<()>,
    ) -> Result<usize, ReplayError> {
        let interval = replay.group.interval.unwrap_or(self.options().evaluation_interval);
        let first_ms = first_ms(replay, interval)?;
        let sources = replay.group.sources_by_place(interval);
        if let Some(rule) = replay.rule
            && !sources.iter().flatten().any(|source| source.rule == rule)
        {
            return Err(ReplayError::UnknownRule { rule: rule.to_owned() });
        }
        let mut stage = Stage::new(self, replay, sources, first_ms)?;
        let started = Instant::now();
        let mut evaluations = 0;
        let interval_ms = milliseconds(interval).max(1);
        let mut at_ms = first_ms;
        while at_ms <= replay.to_ms {
            if cancel.is_canceled() {
                return Err(ReplayError::Canceled);
            }
            if replay.time < started.elapsed() {
                return Err(ReplayError::TooLong { seconds: replay.time.as_secs() });
            }
            evaluations += 1;
            if stage.evaluate(at_ms, cancel, visit)?.is_break() {
                break;
            }
            at_ms = at_ms.saturating_add(interval_ms);
        }
        Ok(evaluations)
    }
}

/// Returns when the first evaluation of the stretch is due.
fn first_ms(replay: Replay<'_>, interval: Duration) -> Result<i64, ReplayError> {
    let mut schedule = Schedule::new(interval, offset_of(replay.group, interval));
    // A turn is after the time that is given, and one at `from_ms` itself belongs to the stretch.
    let first_ms = schedule.next(replay.from_ms.saturating_sub(1)).due_ms;
    let length_ms = replay.to_ms.saturating_sub(first_ms);
    let count = if length_ms < 0 { 0 } else { length_ms / milliseconds(interval).max(1) + 1 };
    let found = usize::try_from(count).unwrap_or(usize::MAX);
    if replay.evaluations_max < found {
        return Err(ReplayError::TooManyEvaluations { found, max: replay.evaluations_max });
    }
    Ok(first_ms)
}

/// The group in memory.
struct Stage<'s> {
    history: &'s History,
    replay: Replay<'s>,
    sources: Vec<Option<Arc<RuleSource>>>,
    overlay: Overlay<'s, pampero_samples::SampleStore>,
    /// The rules that are evaluated, in their order.
    rules: Vec<RuleOnStage>,
    /// Whether a rule reads the series of alerts.
    reads_alerts: bool,
}

struct RuleOnStage {
    /// Its place in the group.
    index: usize,
    alerts: Alerts,
    /// The series that its last evaluation gave.
    live: HashSet<Labels>,
}

impl<'s> Stage<'s> {
    fn new(
        history: &'s History,
        replay: Replay<'s>,
        sources: Vec<Option<Arc<RuleSource>>>,
        first_ms: i64,
    ) -> Result<Self, ReplayError> {
        let rules = &replay.group.rules;
        let is_wanted = |index: usize| {
            let source = sources[index].as_ref();
            source.is_some_and(|source| replay.rule.is_none_or(|rule| source.rule == rule))
        };
        let mut chosen: BTreeSet<usize> = (0..rules.len()).filter(|at| is_wanted(*at)).collect();
        // From the back, so that what a recording rule reads of an earlier one is worked out too.
        for index in (0..rules.len()).rev() {
            let Rule::Recording(rule) = &rules[index] else { continue };
            let is_read = chosen.iter().any(|other| reads(rules[*other].query(), &rule.record));
            let start_ms = first_ms.saturating_sub(lookback_ms(history));
            if is_read && !is_kept(history, &rule.record, start_ms, replay.to_ms)? {
                chosen.insert(index);
            }
        }
        let mut overlay = Overlay::new(history.store());
        for index in &chosen {
            if let Rule::Alerting(rule) = &rules[*index] {
                overlay.hide(&rule.alert);
            }
        }
        let reads_alerts = chosen.iter().any(|index| {
            let query = rules[*index].query();
            reads(query, ALERTS) || reads(query, ALERTS_FOR_STATE)
        });
        let rules = chosen
            .into_iter()
            .map(|index| RuleOnStage { index, alerts: Alerts::default(), live: HashSet::new() })
            .collect();
        Ok(Self { history, replay, sources, overlay, rules, reads_alerts })
    }

    fn evaluate(
        &mut self,
        at_ms: i64,
        cancel: &Cancel,
        visit: &mut dyn FnMut(RuleEvaluation) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReplayError> {
        let group = self.replay.group;
        let engine = self.history.engine();
        let query_ms = at_ms.saturating_sub(milliseconds(group.query_offset));
        for rule in &mut self.rules {
            let series = match &group.rules[rule.index] {
                Rule::Recording(recording) => {
                    recorded(engine, &self.overlay, recording, query_ms, cancel)
                        .ok()
                        .filter(|found| group.limit == 0 || found.len() <= group.limit)
                }
                Rule::Alerting(alerting) => {
                    let found = look(engine, &self.overlay, alerting, query_ms, cancel);
                    if cancel.is_canceled() {
                        return Err(ReplayError::Canceled);
                    }
                    let found = found.and_then(|Found { series, has_no_data }| {
                        rule.alerts
                            .update(alerting, &series, at_ms, group.limit)
                            .map(|()| has_no_data)
                    });
                    if let Some(source) = &self.sources[rule.index]
                        && visit(RuleEvaluation::of(source, at_ms, &found, &rule.alerts)).is_break()
                    {
                        return Ok(ControlFlow::Break(()));
                    }
                    let is_kept = self.reads_alerts && found.is_ok();
                    is_kept.then(|| rule.alerts.series(alerting))
                }
            };
            if let Some(series) = series {
                rule.keep(&mut self.overlay, series, query_ms);
            }
        }
        if SAMPLES_MAX < self.overlay.samples() {
            return Err(ReplayError::TooManySamples { max: SAMPLES_MAX });
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl RuleOnStage {
    /// Puts a result over the store, with a marker for each series of the one before that is not in
    /// it.
    fn keep<B: SeriesSource>(
        &mut self,
        overlay: &mut Overlay<'_, B>,
        series: Vec<(Labels, f64)>,
        query_ms: i64,
    ) {
        let live: HashSet<Labels> = series.iter().map(|(labels, _)| labels.clone()).collect();
        for gone in self.live.difference(&live) {
            overlay.put(gone.clone(), query_ms, STALE_MARKER);
        }
        for (labels, value) in series {
            overlay.put(labels, query_ms, value);
        }
        self.live = live;
    }
}

fn lookback_ms(history: &History) -> i64 {
    milliseconds(history.engine().options().lookback)
}

/// Returns whether a selector of the query may find series of this name.
fn reads(query: &Query, metric: &str) -> bool {
    query
        .selectors()
        .iter()
        .any(|matchers| matchers.iter().all(|it| it.name() != METRIC_NAME || it.matches(metric)))
}

/// Returns whether samples of a metric were kept in the stretch.
fn is_kept(
    history: &History,
    metric: &str,
    start_ms: i64,
    end_ms: i64,
) -> Result<bool, ReplayError> {
    let matchers = [Matcher::equal(METRIC_NAME, metric)];
    let mut is_kept = false;
    let selection = Selection { matchers: &matchers, start_ms, end_ms };
    let mut visit = |_: &Labels, _: pampero_series::Columns<'_>| {
        is_kept = true;
        ControlFlow::Break(())
    };
    history.store().select(selection, &mut visit).map_err(ReplayError::Select)?;
    Ok(is_kept)
}

#[cfg(test)]
mod tests;
