//! The handle of the alerts: takes evaluations, keeps what follows from them, and has it delivered.
//!
//! One lock holds the book, the outbox, the mutes and the store together, so that each evaluation is one
//! step and one transaction. When the disk fails, everything goes on in memory, and the store is brought
//! up to date when it can be written again. Start reading at [`Alerting::observe`].

mod answer;
mod compose;
mod keep;
mod messages;
mod options;
mod questions;
mod records;
mod statistics;
mod step;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use pampero_resilience::Clock;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::keep::Backlog;
pub use self::messages::TestError;
pub use self::options::AlertingOptions;
pub use self::questions::AlertPage;
pub use self::statistics::{AlertStatistics, ChannelStatistics};
use self::step::{entry, note_changes};
use crate::alert::Change;
use crate::book::{AckRefusal, Acknowledged, Book, BookLimits};
use crate::delivery::{self, Deliver};
use crate::history::{HistoryCause, HistoryMessage};
use crate::mute::{MUTES_MAX, Mute, MuteError, Mutes};
use crate::observation::{Observation, Outcome, SourceId};
use crate::outbox::{Outbox, OutboxLimits};
use crate::policy::Policy;
use crate::store::{Batch, Retention, Store, StoreError};
use crate::text::{DefaultTeller, Teller, Tellers, Words, nothing_seen};

/// The alerts of the program. Clones share everything.
#[derive(Clone)]
pub struct Alerting(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) options: AlertingOptions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deliver: Arc<dyn Deliver>,
    /// Rung when something waits to be delivered.
    pub(crate) wake: Notify,
    /// Rung when channels changed.
    pub(crate) channels_changed: Notify,
    words: Words,
    tellers: ArcSwapOption<Box<dyn Tellers>>,
    core: Mutex<Core>,
    /// The statistics as somebody saw them last.
    seen: ArcSwap<AlertStatistics>,
}

/// What changes together.
struct Core {
    book: Book,
    outbox: Outbox,
    mutes: Mutes,
    store: Store,
    /// What the store missed; `None` while it is up to date.
    backlog: Option<Backlog>,
    /// The newest answers of sources with alerts, for messages between two evaluations.
    answers: HashMap<SourceId, Arc<Value>>,
    statistics: AlertStatistics,
    tidied: Option<Timestamp>,
}

/// What an evaluation led to.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What became different.
    pub changes: Vec<Change>,
    /// What is told.
    pub messages: Vec<HistoryMessage>,
    /// How many messages the throttle holds back.
    pub throttled: u64,
    /// What else is to be said, as that a template could not be rendered.
    pub remarks: Vec<String>,
}

impl Alerting {
    /// Opens the alerts in a folder, which no other process may use meanwhile.
    ///
    /// A file that is damaged is put aside with a word in the log, and a new one begins. Blocks.
    ///
    /// # Errors
    /// The folder is in use or cannot be written, or the file is of a newer version of the program.
    pub fn open(
        folder: &Path,
        options: AlertingOptions,
        clock: Arc<dyn Clock>,
        deliver: Arc<dyn Deliver>,
    ) -> Result<Self, StoreError> {
        let (store, loaded, quarantined) = Store::open(folder, clock.now())?;
        if let Some(word) = quarantined {
            tracing::error!(reason = word, "the file of alerts is damaged, and a new one begins");
        }
        let limits = BookLimits { keys_max: options.keys_max, ..BookLimits::default() };
        let mut book = Book::new(limits);
        book.restore(loaded.live, loaded.sources);
        let limits = OutboxLimits {
            messages_max: options.messages_max,
            fold_after: options.fold_after,
            give_up_after: options.give_up_after,
        };
        let core = Core {
            book,
            outbox: Outbox::new(limits, loaded.messages, loaded.message_id_max),
            mutes: Mutes::new(loaded.mutes),
            store,
            backlog: None,
            answers: HashMap::new(),
            statistics: AlertStatistics::default(),
            tidied: None,
        };
        let words = Words { zone: options.zone.clone(), page: options.page.clone() };
        Ok(Self(Arc::new(Inner {
            options,
            clock,
            deliver,
            wake: Notify::new(),
            channels_changed: Notify::new(),
            words,
            tellers: ArcSwapOption::empty(),
            core: Mutex::new(core),
            seen: ArcSwap::default(),
        })))
    }

    /// Enters an evaluation; what follows from it is on disk when this returns.
    ///
    /// Blocks on the disk if anything changed, and not otherwise: when an alert was seen last, and with which
    /// value, is kept with its next change. `teller` is asked under the lock of the
    /// alerts and must not ask them anything. While the disk fails, everything goes on in memory.
    pub fn observe(
        &self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        teller: &dyn Teller,
    ) -> Observed {
        let inner = &*self.0;
        let mut core = inner.lock();
        let core = &mut *core;
        core.statistics.count(&observation.outcome);
        core.book.set_repeating(inner.deliver.forgetful(), inner.options.repeat_every);
        let step = core.book.observe(source, policy, observation, &core.mutes);
        inner.remember_answer(core, source, observation);
        let cause = match &observation.outcome {
            Outcome::Known(_) => HistoryCause::Evaluation,
            Outcome::NoData => HistoryCause::NoData,
            Outcome::Failed(_) => HistoryCause::Failure,
        };
        inner.take_step(core, source, step, cause, observation, teller)
    }

    /// Takes a source away whose definition is gone; its alerts are deleted. Blocks.
    pub fn remove_source(&self, source: &SourceId) {
        let inner = &*self.0;
        let mut core = inner.lock();
        inner.remove(&mut core, source);
    }

    /// Takes those sources away that are not wanted any more, as after a start. Blocks.
    pub fn retain_sources(&self, is_wanted: impl Fn(&SourceId) -> bool) {
        let inner = &*self.0;
        let mut core = inner.lock();
        let gone: Vec<SourceId> =
            core.book.sources().filter(|source| !is_wanted(source)).cloned().collect();
        for source in gone {
            inner.remove(&mut core, &source);
        }
    }

    /// Notes that somebody knows of alerts; returns for each id why it was refused, if it was. Blocks.
    pub fn acknowledge(&self, ids: &[String]) -> Vec<Acknowledged> {
        let inner = &*self.0;
        let now = inner.clock.now();
        let mut core = inner.lock();
        let core = &mut *core;
        let (mut outcomes, step) = core.book.acknowledge(ids, now);
        for (id, outcome) in &mut outcomes {
            let is_unknown = matches!(outcome, Err(AckRefusal::Unknown { .. }));
            if is_unknown && matches!(core.store.finished_by_id(id), Ok(Some(_))) {
                *outcome = Err(AckRefusal::Completed);
            }
        }
        let mut by_source: HashMap<SourceId, Vec<Change>> = HashMap::new();
        for change in &step.changes {
            by_source.entry(change.alert.source.clone()).or_default().push(change.clone());
        }
        let mut batch = Batch { rows: vec![step.rows], ..Batch::default() };
        for (source, changes) in by_source {
            let mut entry = entry(&source, now, HistoryCause::Acknowledged);
            note_changes(&mut entry, &changes);
            batch.history.push(entry);
        }
        inner.keep(core, batch);
        outcomes
    }

    /// Adds a mute; returns its id. Blocks.
    ///
    /// # Errors
    /// It makes no sense, or there are too many.
    pub fn add_mute(&self, mut mute: Mute) -> Result<String, MuteError> {
        mute.check()?;
        let inner = &*self.0;
        let mut core = inner.lock();
        if core.mutes.all().len() >= MUTES_MAX {
            return Err(MuteError::TooMany { max: MUTES_MAX });
        }
        mute.created = inner.clock.now();
        let number = core.mutes.all().len();
        let named: Vec<String> = mute.matchers.iter().map(ToString::to_string).collect();
        mute.id = crate::book::id::of(&(mute.created, number, named, &mute.comment));
        let id = mute.id.clone();
        core.mutes.push(mute.clone());
        inner.keep(&mut core, Batch { mutes: vec![mute], ..Batch::default() });
        Ok(id)
    }

    /// Takes a mute away; `false` when there is none of this id. What it held back is told within a tick.
    /// Blocks.
    pub fn remove_mute(&self, id: &str) -> bool {
        let inner = &*self.0;
        let mut core = inner.lock();
        let is_gone = core.mutes.remove(id).is_some();
        if is_gone {
            let mutes_removed = vec![id.to_owned()];
            inner.keep(&mut core, Batch { mutes_removed, ..Batch::default() });
        }
        is_gone
    }

    /// Sets who renders messages between two evaluations; without it they have the default words.
    pub fn set_tellers(&self, tellers: Box<dyn Tellers>) {
        self.0.tellers.store(Some(Arc::new(tellers)));
    }

    /// Says that channels changed, so that what waits for one of them is tried at once.
    pub fn note_channels(&self) {
        self.0.channels_changed.notify_waiters();
        self.0.wake.notify_one();
    }

    /// Returns what messages say when nobody says it better.
    pub fn words(&self) -> &Words {
        &self.0.words
    }

    /// Delivers, and lets time pass, until it is cancelled; then drains for as long as the options say.
    ///
    /// To be called once, and after the channels were made known: a message for a channel that is not there is a
    /// dead letter at once.
    pub async fn run(&self, cancel: CancellationToken) {
        delivery::run(&self.0, &cancel).await;
    }

    /// Looks whether time alone makes something due, as [`run`](Self::run) does on its own. Blocks.
    pub fn tick(&self) {
        self.0.tick();
    }
}

impl fmt::Debug for Alerting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alerting").finish_non_exhaustive()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something that blocks on a thread for such work.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let inner = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and drops this soon.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Lets time pass.
    pub(crate) fn tick(&self) {
        let now = self.clock.now();
        let mut core = self.lock();
        let core = &mut *core;
        self.save_what_was_missed(core);
        core.book.set_repeating(self.deliver.forgetful(), self.options.repeat_every);
        let tellers = self.tellers.load();
        for (source, step) in core.book.tick(now, &core.mutes) {
            let mut seen = nothing_seen(now);
            seen.answer = core.answers.get(&source).cloned();
            let teller = tellers.as_ref().and_then(|tellers| tellers.teller(&source));
            let teller = teller.as_deref().unwrap_or(&DefaultTeller);
            self.take_step(core, &source, step, HistoryCause::Time, &seen, teller);
        }
        self.tidy(core, now);
    }

    fn remove(&self, core: &mut Core, source: &SourceId) {
        let now = self.clock.now();
        core.answers.remove(source);
        if let Some(step) = core.book.remove_source(source, now) {
            let seen = nothing_seen(now);
            self.take_step(core, source, step, HistoryCause::Removed, &seen, &DefaultTeller);
        }
    }

    fn tidy(&self, core: &mut Core, now: Timestamp) {
        const EVERY: Duration = Duration::from_secs(600);
        let is_due = core.tidied.is_none_or(|at| crate::book::elapsed(at, now) >= EVERY);
        if !is_due || core.backlog.is_some() {
            return;
        }
        core.tidied = Some(now);
        let options = &self.options;
        let keep = Retention {
            history_for: options.history_for,
            history_max: options.history_max,
            finished_max: options.finished_max,
            delivered_for: options.delivered_for,
            delivered_max: options.delivered_max,
            dead_max: options.dead_max,
        };
        if let Err(error) = core.store.tidy(now, &keep) {
            tracing::warn!(error = %error, "old alerts cannot be removed");
        }
        let is_over = |mute: &&Mute| mute.is_over_since(now, options.history_for);
        let over: Vec<String> =
            core.mutes.all().iter().filter(is_over).map(|mute| mute.id.clone()).collect();
        for id in &over {
            core.mutes.remove(id);
        }
        if !over.is_empty() {
            self.keep(core, Batch { mutes_removed: over, ..Batch::default() });
        }
    }
}
