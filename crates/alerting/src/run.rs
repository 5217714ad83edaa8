//! Runs monitors on their schedules.
//!
//! The runner plans by due times, starts what is due on threads for blocking work, a few at a time, and
//! hands what each trigger observed to an [`Observer`]. Monitors that are due at the same instant and ask
//! the same share one search. Runs that were missed are caught up once, at the newest time. Start reading at
//! [`Runner::run`].

mod execution;
mod group;
mod last_runs;
mod observer;
mod plan;
pub(crate) mod value;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pampero_resilience::Clock;
use serde::Serialize;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::definitions::{Definitions, MonitorEntry};
use crate::monitor::{Monitor, MonitorTeller, StoredFacts};
use crate::text::Teller;
use crate::{Alert, LogSearch, Observation, Policy, SourceId, SourceKind};
use group::{Group, Ran};
use last_runs::LastRuns;
use plan::Plan;

pub use observer::MonitorTellers;
pub(crate) use observer::is_live;

pub use execution::{ActionRun, Execution, TriggerRun};
pub(crate) use execution::{Answer, Run, ask, has_documents, source};

/// Longest sleep: a machine that slept, or whose clock was set, is noticed then.
const SLEEP_MAX: Duration = Duration::from_secs(15);

/// From one writing down of the last runs to the next.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// Takes what runs observe.
pub trait Observer: Debug + Send + Sync {
    /// Enters an evaluation. Blocks.
    fn observe(
        &self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        teller: &dyn Teller,
    );

    /// Returns the alert of a source that is not over, pending ones left out.
    fn live_alert(&self, source: &SourceId) -> Option<Alert>;

    /// Lets go all sources of a kind but these. Blocks.
    fn keep_only(&self, kind: SourceKind, sources: &HashSet<SourceId>);
}

/// How monitors are run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Most searches at the same time.
    pub searches_max: usize,
    /// How long after it was due a run begins, so that what was logged just before is there.
    pub settle: Duration,
    /// Over how long monitors that were switched on at the same time are spread; those that ask the same
    /// stay together. At most one interval.
    pub spread: Duration,
    /// The folder in which the last runs are kept; `None` keeps them in memory.
    pub ledger: Option<PathBuf>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            searches_max: 2,
            settle: Duration::from_millis(500),
            spread: Duration::from_secs(60),
            ledger: None,
        }
    }
}

/// How a monitor ran last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunStatus {
    /// When the run was due.
    pub at: Timestamp,
    /// How long after that it began, in milliseconds, the settling included.
    pub late_ms: u64,
    /// How long search and conditions took, in milliseconds; monitors that share a search each have it.
    pub took_ms: u64,
    /// Why it cannot be told what holds; `None` when it can.
    pub error: Option<String>,
    /// How many runs there were since the start of the program.
    pub runs: u64,
    /// How many runs were missed and not made up for, since the start of the program.
    pub missed: u64,
}

/// Runs monitors.
#[derive(Debug)]
pub struct Runner {
    definitions: Arc<Definitions>,
    search: Arc<dyn LogSearch>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    options: RunOptions,
    last_runs: LastRuns,
    status: Mutex<BTreeMap<String, RunStatus>>,
}

impl Runner {
    /// Makes a runner. Blocks when last runs are kept.
    pub fn new(
        definitions: Arc<Definitions>,
        search: Arc<dyn LogSearch>,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
        options: RunOptions,
    ) -> Self {
        let last_runs = LastRuns::open(options.ledger.as_deref());
        let status = Mutex::default();
        Self { definitions, search, observer, clock, options, last_runs, status }
    }

    /// Returns how each monitor ran last, by its id.
    pub fn status(&self) -> BTreeMap<String, RunStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the first run of a monitor of which the others are counted.
    pub fn anchor(&self, entry: &MonitorEntry) -> Timestamp {
        plan::anchor(entry, self.options.spread)
    }

    /// Runs a monitor once as if it were due at `at`. Unless it is `dry`, what it observes is entered, as a
    /// run on schedule does; either way it is told what the actions would say. Blocks.
    pub fn execute(&self, entry: &MonitorEntry, at: Timestamp, dry: bool) -> Execution {
        let execution = self.run_once(&entry.item, &entry.facts(), at);
        if !dry {
            enter(&*self.observer, entry, &execution);
        }
        execution
    }

    /// Runs a monitor that is not kept once, and enters nothing. Blocks.
    pub fn execute_unsaved(&self, monitor: &Monitor, at: Timestamp) -> Execution {
        self.run_once(monitor, &StoredFacts::default(), at)
    }

    fn run_once(&self, monitor: &Monitor, facts: &StoredFacts, at: Timestamp) -> Execution {
        let answer = group::search_for(&*self.search, monitor, at);
        let indices = monitor.input().map(|input| input.indices().to_vec()).unwrap_or_default();
        let run = Run {
            monitor,
            facts,
            at,
            alert: &|trigger| self.observer.live_alert(&source(&facts.id, trigger)),
            has_documents: &|| has_documents(&*self.search, &indices, monitor.time_field(), at),
            renders: true,
        };
        run.evaluate(answer)
    }

    /// Runs what is due until it is cancelled; what was begun then is finished.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut changes = self.definitions.subscribe();
        let mut plan = Plan::new(self.options.spread);
        let mut waiting: VecDeque<Group> = VecDeque::new();
        let mut at_work: JoinSet<Vec<Ran>> = JoinSet::new();
        let mut members: HashMap<Id, Vec<(String, Timestamp)>> = HashMap::new();
        let mut kept = self.clock.now();
        self.reload(&mut plan).await;
        loop {
            let now = self.clock.now();
            waiting.extend(Group::gather(plan.take_due(now, self.options.settle)));
            while at_work.len() < self.options.searches_max.max(1) {
                let Some(group) = waiting.pop_front() else { break };
                let begun: Vec<_> = group.ids().collect();
                let runner = Arc::clone(&self);
                let handle = at_work.spawn_blocking(move || group.run(&runner));
                members.insert(handle.id(), begun);
            }
            let wait = plan.wait(now, self.options.settle).min(SLEEP_MAX);
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(done) = at_work.join_next_with_id() => {
                    let id = match &done { Ok((id, _)) => *id, Err(error) => error.id() };
                    if let Err(error) = &done {
                        error!(%error, "a run of monitors broke off");
                    }
                    for (monitor, at) in members.remove(&id).unwrap_or_default() {
                        self.last_runs.set(&monitor, at);
                        let missed = plan.finish(&monitor, at, self.clock.now());
                        self.count_missed(&monitor, missed);
                    }
                }
                changed = changes.changed() => {
                    if changed.is_err() { break }
                    self.reload(&mut plan).await;
                }
                () = tokio::time::sleep(wait) => {}
            }
            let now = self.clock.now();
            if Duration::try_from(now.duration_since(kept)).is_ok_and(|past| KEEP_EVERY <= past) {
                kept = now;
                self.keep_last_runs().await;
            }
        }
        while let Some(done) = at_work.join_next_with_id().await {
            let id = match &done {
                Ok((id, _)) => *id,
                Err(error) => error.id(),
            };
            for (monitor, at) in members.remove(&id).unwrap_or_default() {
                self.last_runs.set(&monitor, at);
            }
        }
        self.keep_last_runs().await;
    }

    /// Brings the plan to what the definitions are now, and lets go what is no longer watched.
    async fn reload(self: &Arc<Self>, plan: &mut Plan) {
        let entries = self.definitions.monitors();
        let enabled = entries.into_iter().filter(|entry| entry.item.is_enabled());
        let enabled: Vec<Arc<MonitorEntry>> = enabled.collect();
        let sources = enabled.iter().flat_map(|entry| {
            entry.item.triggers().iter().map(|trigger| source(&entry.id, &trigger.id))
        });
        let sources: HashSet<SourceId> = sources.collect();
        let known: HashSet<&str> = enabled.iter().map(|entry| entry.id.as_str()).collect();
        self.last_runs.keep_only(&known);
        self.forget_status(&known);
        plan.set(enabled, &self.last_runs, self.clock.now());
        let observer = Arc::clone(&self.observer);
        let kept = move || observer.keep_only(SourceKind::Monitor, &sources);
        if let Err(error) = tokio::task::spawn_blocking(kept).await {
            error!(%error, "alerts of monitors that are gone cannot be ended");
        }
    }

    async fn keep_last_runs(self: &Arc<Self>) {
        let runner = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || runner.last_runs.keep()).await;
        if let Ok(Err(error)) = kept {
            warn!(%error, "the last runs of monitors cannot be kept");
        }
    }

    fn forget_status(&self, known: &HashSet<&str>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.retain(|id, _| known.contains(id.as_str()));
    }

    fn count_missed(&self, monitor: &str, missed: u64) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(status) = status.get_mut(monitor) {
            status.missed += missed;
        }
    }

    fn note(&self, ran: &Ran) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let before = status.get(&ran.monitor);
        let status_now = RunStatus {
            at: ran.at,
            late_ms: ran.late_ms,
            took_ms: ran.took_ms,
            error: ran.error.clone(),
            runs: before.map_or(0, |before| before.runs) + 1,
            missed: before.map_or(0, |before| before.missed),
        };
        status.insert(ran.monitor.clone(), status_now);
    }
}

/// Enters what a run observed.
fn enter(observer: &dyn Observer, entry: &MonitorEntry, execution: &Execution) {
    for (trigger, run) in entry.item.triggers().iter().zip(&execution.triggers) {
        let teller = MonitorTeller {
            monitor: Arc::clone(&entry.item),
            facts: entry.facts(),
            trigger: trigger.id.clone(),
        };
        let policy = entry.item.policy(trigger);
        let observation = execution.observation(run);
        observer.observe(&source(&entry.id, &trigger.id), &policy, &observation, &teller);
    }
}
