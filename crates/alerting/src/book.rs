//! The book of alerts: turns observations into changes and notices. No I/O, no clock, no chance.
//!
//! While a source fails or has no data, its alerts stay as they are, and one alert of the source itself
//! says so until it can be evaluated again. Everything that is told follows from what is and from what was
//! told (`due`), so an evaluation, a passing hour and the end of a mute lead to the same messages.
//! Start reading at [`Book::observe`], then `evaluate`, then `due`.

mod due;
mod evaluate;
pub(crate) mod id;
mod live;
mod records;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_series::Labels;

pub(crate) use self::live::{ActionState, Live, SavedSource};
pub use self::records::ActionRecord;
use crate::alert::{Alert, AlertState, Change, Notice};
use crate::mute::Mutes;
use crate::observation::{Observation, SourceId};
use crate::policy::Policy;

/// What is kept within limits.
#[derive(Clone, Debug)]
pub struct BookLimits {
    /// Most alerts of one source at the same time; further findings are counted and ignored.
    pub keys_max: usize,
    /// Most ends of alerts of one source that wait for a mute to be over.
    pub ended_max: usize,
}

impl Default for BookLimits {
    fn default() -> Self {
        Self { keys_max: 50_000, ended_max: 1_000 }
    }
}

/// All alerts that are not over.
#[derive(Clone, Debug, Default)]
pub struct Book {
    limits: BookLimits,
    sources: HashMap<SourceId, Source>,
    /// Channels whose receivers forget what they are not told again and again.
    repeating: HashSet<String>,
    /// How often those are told.
    repeat_every: Duration,
}

/// What is known of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// As it was last; `None` after a restart, until the next evaluation.
    policy: Option<Arc<Policy>>,
    live: HashMap<Labels, Live>,
    /// The error or the lack of data, while it lasts.
    trouble: Option<Live>,
    /// By the id of the action, those of escalations included.
    actions: BTreeMap<String, ActionState>,
    /// Alerts that are over and whose end was not told yet.
    ended: Vec<Live>,
    /// Whether the store has to keep what there is besides the alerts.
    is_dirty: bool,
    /// Counts evaluations, to find what an evaluation did not mention.
    round: u64,
}

/// What an evaluation or the passage of time brought about.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// What became different.
    pub changes: Vec<Change>,
    /// What is to be told.
    pub notices: Vec<Notice>,
    /// Findings that were ignored, because there are too many alerts of the source.
    pub ignored: usize,
    /// How many messages the throttle holds back.
    pub throttled: u64,
    /// What the store has to keep.
    pub(crate) rows: Rows,
}

/// What the store has to keep of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Alerts that are not over.
    pub(crate) live: Vec<Live>,
    /// Alerts that are over and were more than pending.
    pub(crate) over: Vec<Alert>,
    /// Ids of alerts that were pending only.
    pub(crate) dropped: Vec<String>,
    /// What is kept of the source itself; `None` within when it is gone.
    pub(crate) source: Option<(SourceId, Option<SavedSource>)>,
}

impl Step {
    /// Returns whether there is nothing to keep and nothing to tell.
    pub fn is_empty(&self) -> bool {
        let rows = &self.rows;
        self.changes.is_empty()
            && self.notices.is_empty()
            && rows.live.is_empty()
            && rows.over.is_empty()
            && rows.dropped.is_empty()
            && rows.source.is_none()
    }
}

/// Why an alert cannot be acknowledged, in the words of OpenSearch.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AckRefusal {
    /// It is already.
    #[error("Alert has already been acknowledged.")]
    Acknowledged,
    /// Its evaluation fails, or there are no data.
    #[error("Alert is in an error state and can not be acknowledged.")]
    Error,
    /// It is not active yet.
    #[error("Alert is pending and can not be acknowledged.")]
    Pending,
    /// It is over.
    #[error("Alert has already completed and can not be acknowledged.")]
    Completed,
    /// There is none of this id.
    #[error("Alert: {id} does not exist (it may have already completed).")]
    Unknown {
        /// The id.
        id: String,
    },
}

/// The id of an alert, and why it was not acknowledged, if it was not.
pub type Acknowledged = (String, Result<(), AckRefusal>);

/// How many alerts there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AlertCounts {
    /// Those that wait.
    pub pending: usize,
    /// Those that are active.
    pub active: usize,
    /// Those that somebody acknowledged.
    pub acknowledged: usize,
    /// Sources whose evaluation fails.
    pub error: usize,
    /// Sources without data.
    pub no_data: usize,
    /// Of the active and the acknowledged, those under a mute.
    pub muted: usize,
}

impl Book {
    /// Makes an empty book.
    pub fn new(limits: BookLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Names the channels whose receivers take what is not repeated for over, as the Alertmanager does.
    ///
    /// What was told there is told again after so long, acknowledged or muted or not: for such a receiver
    /// silence is a message, namely that it is over.
    pub fn set_repeating(&mut self, channels: HashSet<String>, every: Duration) {
        self.repeating = channels;
        self.repeat_every = every;
    }

    /// Enters an evaluation.
    pub fn observe(
        &mut self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        mutes: &Mutes,
    ) -> Step {
        if !self.sources.contains_key(source) {
            self.sources.insert(source.clone(), Source::default());
        }
        let Some(state) = self.sources.get_mut(source) else { return Step::default() };
        state.adopt(policy);
        let mut step = Step::default();
        state.evaluate(source, observation, &self.limits, &mut step);
        let repeating = (&self.repeating, self.repeat_every);
        state.tell(observation.at, mutes, repeating, &self.limits, &mut step);
        state.collect(source, &mut step);
        step
    }

    /// Lets time pass: reminders, escalations, messages that the throttle or a mute held back.
    ///
    /// A source that was not evaluated since the start is left alone, since nobody knows its policy.
    pub fn tick(&mut self, now: Timestamp, mutes: &Mutes) -> Vec<(SourceId, Step)> {
        let mut steps = Vec::new();
        for (source, state) in &mut self.sources {
            let is_idle =
                state.live.is_empty() && state.trouble.is_none() && state.ended.is_empty();
            if is_idle || state.policy.is_none() {
                continue;
            }
            let mut step = Step::default();
            let repeating = (&self.repeating, self.repeat_every);
            state.tell(now, mutes, repeating, &self.limits, &mut step);
            state.collect(source, &mut step);
            if !step.is_empty() {
                steps.push((source.clone(), step));
            }
        }
        steps.sort_by(|(a, _), (b, _)| a.cmp(b));
        steps
    }

    /// Notes that somebody knows of alerts: nothing is told of them until they are over.
    ///
    /// Returns for each id why it was refused, if it was; the store knows which of the unknown ones were
    /// there once.
    pub fn acknowledge(&mut self, ids: &[String], now: Timestamp) -> (Vec<Acknowledged>, Step) {
        let mut step = Step::default();
        let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut found: HashMap<String, Result<(), AckRefusal>> = HashMap::new();
        for state in self.sources.values_mut() {
            for live in state.live.values_mut().chain(&mut state.trouble) {
                if wanted.contains(live.alert.id.as_str()) {
                    let outcome = live.acknowledge(now, &mut step);
                    found.insert(live.alert.id.clone(), outcome);
                }
            }
        }
        let unknown = |id: &String| Err(AckRefusal::Unknown { id: id.clone() });
        let outcome = |id: &String| (id.clone(), found.remove(id).unwrap_or_else(|| unknown(id)));
        (ids.iter().map(outcome).collect(), step)
    }

    /// Takes a source away whose definition is gone: its alerts are deleted, and what was told of them is
    /// told to be over, muted or not, since later nobody would. `None` when it is not in the book.
    pub fn remove_source(&mut self, source: &SourceId, now: Timestamp) -> Option<Step> {
        let mut state = self.sources.remove(source)?;
        let mut step = Step::default();
        state.delete_all(now, &mut step);
        let repeating = (&self.repeating, self.repeat_every);
        state.tell(now, &Mutes::default(), repeating, &self.limits, &mut step);
        step.rows.live.clear();
        step.rows.source = Some((source.clone(), None));
        Some(step)
    }

    /// Returns the alerts that are not over, in no particular order.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.lives().map(|live| &live.alert)
    }

    /// Returns the alerts of a source that are not over, in no particular order.
    pub fn alerts_of(&self, source: &SourceId) -> impl Iterator<Item = &Alert> {
        let state = self.sources.get(source);
        state.into_iter().flat_map(Source::lives).map(|live| &live.alert)
    }

    /// Returns the sources that are in the book.
    pub fn sources(&self) -> impl Iterator<Item = &SourceId> {
        self.sources.keys()
    }

    /// Returns what is done about the findings of a source; `None` before its first evaluation.
    pub fn policy(&self, source: &SourceId) -> Option<&Arc<Policy>> {
        self.sources.get(source)?.policy.as_ref()
    }

    /// Returns how many alerts there are.
    pub fn counts(&self) -> AlertCounts {
        let mut counts = AlertCounts::default();
        for live in self.lives() {
            match live.alert.state {
                AlertState::Pending => counts.pending += 1,
                AlertState::Active => counts.active += 1,
                AlertState::Acknowledged => counts.acknowledged += 1,
                AlertState::Error => counts.error += 1,
                AlertState::NoData => counts.no_data += 1,
                AlertState::Completed | AlertState::Deleted => {}
            }
            counts.muted += usize::from(live.is_muted);
        }
        counts
    }

    /// Returns everything that has to be kept, for a store that starts anew.
    pub(crate) fn everything(&self) -> Vec<Rows> {
        let rows = |(source, state): (&SourceId, &Source)| Rows {
            live: state.lives().cloned().collect(),
            source: Some((source.clone(), Some(state.saved()))),
            ..Rows::default()
        };
        self.sources.iter().map(rows).collect()
    }

    /// Takes up what was kept.
    pub(crate) fn restore(&mut self, live: Vec<Live>, sources: Vec<(SourceId, SavedSource)>) {
        for (source, saved) in sources {
            let state = self.sources.entry(source).or_default();
            state.actions = saved.actions;
            state.ended = saved.ended;
        }
        for live in live {
            let state = self.sources.entry(live.alert.source.clone()).or_default();
            if matches!(live.alert.state, AlertState::Error | AlertState::NoData) {
                state.trouble = Some(live);
            } else {
                state.live.insert(live.alert.key.clone(), live);
            }
        }
    }

    fn lives(&self) -> impl Iterator<Item = &Live> {
        self.sources.values().flat_map(Source::lives)
    }
}

impl Source {
    fn lives(&self) -> impl Iterator<Item = &Live> {
        self.live.values().chain(&self.trouble)
    }

    /// Takes over what the definition says now.
    fn adopt(&mut self, policy: &Policy) {
        if self.policy.as_deref() == Some(policy) {
            return;
        }
        self.policy = Some(Arc::new(policy.clone()));
        for live in self.live.values_mut().chain(&mut self.trouble) {
            live.rename(policy);
        }
        let of_actions = policy.actions.iter().map(|action| (action.id.clone(), &action.channel));
        let of_escalations = policy.escalations.iter().enumerate();
        let of_escalations = of_escalations.map(|(index, e)| (escalation_id(index), &e.channel));
        for (id, channel) in of_actions.chain(of_escalations) {
            self.actions.entry(id).or_default().channel.clone_from(channel);
        }
        // An action that is gone is needed for as long as something was told through it.
        let is_needed = |id: &str| {
            let told = self.live.values().chain(&self.trouble).chain(&self.ended);
            told.flat_map(|live| &live.told).any(|told| &*told.action == id)
        };
        let escalations = policy.escalations.len();
        let gone: Vec<String> = self
            .actions
            .keys()
            .filter(|id| !policy.actions.iter().any(|action| action.id == **id))
            .filter(|id| !(0..escalations).any(|index| escalation_id(index) == **id))
            .filter(|id| !is_needed(id))
            .cloned()
            .collect();
        for id in gone {
            self.actions.remove(&id);
        }
    }

    /// Hands what became different to the store.
    fn collect(&mut self, source: &SourceId, step: &mut Step) {
        for live in self.live.values_mut().chain(&mut self.trouble) {
            if std::mem::take(&mut live.is_dirty) {
                step.rows.live.push(live.clone());
            }
        }
        if std::mem::take(&mut self.is_dirty) {
            step.rows.source.get_or_insert_with(|| (source.clone(), Some(self.saved())));
        }
    }

    fn saved(&self) -> SavedSource {
        SavedSource { actions: self.actions.clone(), ended: self.ended.clone() }
    }
}

/// Returns the id of an escalation, counted from 0 here and from 1 in the id.
fn escalation_id(index: usize) -> String {
    format!("escalation-{}", index + 1)
}

/// Returns the time that has passed since `from`; zero when that lies ahead by a little, and for ever when
/// it lies ahead by more than an hour, since then somebody has put the clock back.
pub(crate) fn elapsed(from: Timestamp, now: Timestamp) -> Duration {
    let passed = now.duration_since(from);
    match Duration::try_from(passed) {
        Ok(passed) => passed,
        Err(_) if passed.as_secs() < -3_600 => Duration::MAX,
        Err(_) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
