//! The polling job: looks at which places are due and starts a round for them, whatever fails.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use pampero_providers::Refresh;
use pampero_resilience::{Clock, Distribution, DistributionSnapshot};
use pampero_store::{PlaceState, Store, StoreError};
use pampero_weather::place::{Place, PlaceId};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::board::{Board, Role, Served};
use crate::place_book::PlaceBook;
use crate::round::{Chain, Wanted, cached_answer};
use crate::schedule::{Due, PollingPolicy, Task};
use crate::source::Sources;
use crate::timeline::Timeline;

/// Longest sleep between two looks at the wall clock, so that a machine that wakes, or a clock that
/// is set, is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Polls every place on its schedule.
pub struct Poller {
    chain: Arc<Chain>,
    places: Arc<PlaceBook>,
    policy: PollingPolicy,
    tracker: TaskTracker,
    schedule: Mutex<HashMap<PlaceId, Scheduled>>,
    round_ended: Notify,
    counters: Counters,
}

#[derive(Clone, Copy)]
struct Scheduled {
    due: Due,
    in_flight: bool,
}

struct Counters {
    regular_rounds: AtomicU64,
    rechecks: AtomicU64,
    places: AtomicU64,
    lateness: Distribution,
    round_durations: Distribution,
}

/// Upper bounds for how late a round starts, in seconds.
const LATENESS_BOUNDS_S: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 600.0];

/// Upper bounds for how long a round takes, in seconds.
const ROUND_BOUNDS_S: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

impl Default for Counters {
    fn default() -> Self {
        Self {
            regular_rounds: AtomicU64::new(0),
            rechecks: AtomicU64::new(0),
            places: AtomicU64::new(0),
            lateness: Distribution::new(&LATENESS_BOUNDS_S),
            round_durations: Distribution::new(&ROUND_BOUNDS_S),
        }
    }
}

/// What the poller has done since the program started.
#[derive(Clone, Debug, PartialEq)]
pub struct PollerStats {
    /// Regular rounds that were started.
    pub regular_rounds: u64,
    /// Rounds that were started to try better providers again.
    pub rechecks: u64,
    /// Places that were asked for in all rounds together.
    pub places: u64,
    /// Places that rounds ended for without an answer of any provider.
    pub unanswered: u64,
    /// Places that are being asked for now.
    pub in_flight: usize,
    /// When the next place is due; `None` when none is on the schedule that is not being asked for.
    pub next_due_at: Option<Timestamp>,
    /// How late rounds started after they were due, in seconds.
    pub lateness: DistributionSnapshot,
    /// How long rounds took, in seconds.
    pub round_durations: DistributionSnapshot,
}

impl Poller {
    /// Puts what the store has on the board and prepares to poll.
    ///
    /// # Errors
    /// The store cannot be read.
    #[expect(clippy::too_many_arguments, reason = "the parts of the loader meet here, once")]
    pub async fn open(
        places: Arc<PlaceBook>,
        board: Arc<Board>,
        sources: Sources,
        store: Arc<dyn Store>,
        timeline: Timeline,
        clock: Arc<dyn Clock>,
        policy: PollingPolicy,
        tracker: TaskTracker,
        cancel: CancellationToken,
    ) -> Result<Self, StoreError> {
        for (selection, observation) in store.served().await? {
            if let Some(slot) = board.slot(&selection.place) {
                let role = match selection.fallback_cause {
                    Some(cause) => Role::Fallback { cause },
                    None => Role::Primary,
                };
                slot.serve(Served { observation, role, decided_at: selection.decided_at });
            }
        }
        let kept_answers = store.kept_answers().await?.into_iter().map(cached_answer).collect();
        let chain = Chain {
            sources,
            board,
            store,
            timeline,
            clock,
            cancel,
            kept_answers: Mutex::new(kept_answers),
            not_covered: Mutex::default(),
            unanswered: AtomicU64::new(0),
        };
        Ok(Self {
            chain: Arc::new(chain),
            places,
            policy,
            tracker,
            schedule: Mutex::default(),
            round_ended: Notify::new(),
            counters: Counters::default(),
        })
    }

    /// Polls until the program ends; rounds that are under way then are left to the tracker.
    pub async fn run(self: Arc<Self>) {
        let mut changes = self.places.changes();
        loop {
            let now = self.chain.clock.now();
            let next_at = self.start_due_rounds(now);
            let wait = next_at.map_or(LOOK_AGAIN, |next_at| until(now, next_at).min(LOOK_AGAIN));
            tokio::select! {
                () = self.chain.cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                () = self.round_ended.notified() => {}
                changed = changes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Returns what the poller has done.
    pub fn stats(&self) -> PollerStats {
        let (in_flight, next_due_at) = {
            let schedule =
                self.schedule.lock().expect("no code panics while it holds the schedule");
            let waiting = schedule.values().filter(|scheduled| !scheduled.in_flight);
            let next_due_at = waiting.clone().map(|scheduled| scheduled.due.next_at()).min();
            (schedule.len() - waiting.count(), next_due_at)
        };
        PollerStats {
            regular_rounds: self.counters.regular_rounds.load(Ordering::Relaxed),
            rechecks: self.counters.rechecks.load(Ordering::Relaxed),
            places: self.counters.places.load(Ordering::Relaxed),
            unanswered: self.chain.unanswered.load(Ordering::Relaxed),
            in_flight,
            next_due_at,
            lateness: self.counters.lateness.snapshot(),
            round_durations: self.counters.round_durations.snapshot(),
        }
    }

    /// Starts rounds for everything that is due; returns when the next thing is.
    fn start_due_rounds(self: &Arc<Self>, now: Timestamp) -> Option<Timestamp> {
        let refresh = self.refresh()?;
        let ready = ready_places(&self.places);
        let mut regular = Vec::new();
        let mut recheck = Vec::new();
        let mut next_at: Option<Timestamp> = None;
        let mut late = Duration::ZERO;
        {
            let mut schedule =
                self.schedule.lock().expect("no code panics while it holds the schedule");
            let known: HashSet<&PlaceId> = ready.iter().map(|place| &place.id).collect();
            schedule.retain(|id, scheduled| scheduled.in_flight || known.contains(id));
            for place in ready {
                let scheduled = schedule
                    .entry(place.id.clone())
                    .or_insert_with(|| Scheduled { due: Due::at_once(now), in_flight: false });
                scheduled.due = scheduled.due.bounded(now, refresh, &self.policy);
                if scheduled.in_flight {
                    continue;
                }
                let Some(task) = scheduled.due.task(now) else {
                    let at = scheduled.due.next_at();
                    next_at = Some(next_at.map_or(at, |next_at| next_at.min(at)));
                    continue;
                };
                scheduled.in_flight = true;
                late = late.max(until(scheduled.due.next_at(), now));
                match task {
                    Task::Regular => regular.push(place),
                    Task::Recheck => recheck.push(place),
                }
            }
        }
        self.start_round(Task::Regular, regular, late);
        self.start_round(Task::Recheck, recheck, late);
        next_at
    }

    fn start_round(self: &Arc<Self>, task: Task, places: Vec<Place>, late: Duration) {
        if places.is_empty() {
            return;
        }
        let rounds = match task {
            Task::Regular => &self.counters.regular_rounds,
            Task::Recheck => &self.counters.rechecks,
        };
        rounds.fetch_add(1, Ordering::Relaxed);
        self.counters.places.fetch_add(places.len() as u64, Ordering::Relaxed);
        self.counters.lateness.record_duration(late);
        let poller = Arc::clone(self);
        let span = tracing::trace_span!(
            parent: None,
            "poll",
            task = task.as_str(),
            places = places.len(),
            late_ms = late.as_millis() as u64
        );
        let round = async move {
            let begun = Instant::now();
            Arc::clone(&poller).round(task, places).await;
            poller.counters.round_durations.record_duration(begun.elapsed());
        };
        self.tracker.spawn(round.instrument(span));
    }

    /// Asks for some places in batches of what the first provider takes.
    async fn round(self: Arc<Self>, task: Task, places: Vec<Place>) {
        let chain_length = self.chain.sources.chain().len();
        let batch_max =
            self.chain.sources.chain().first().map_or(1, |first| first.profile().batch_max);
        let wanted: Vec<Wanted> = places
            .into_iter()
            .map(|place| {
                let ranks = match task {
                    Task::Regular => chain_length,
                    Task::Recheck => self.rank_of_served(&place.id),
                };
                Wanted { place, ranks }
            })
            .collect();
        let batches: Vec<Vec<Wanted>> =
            wanted.chunks(batch_max.max(1)).map(<[_]>::to_vec).collect();
        let mut asked = stream::iter(batches)
            .map(|batch| async {
                let ids: Vec<PlaceId> =
                    batch.iter().map(|wanted| wanted.place.id.clone()).collect();
                let guard = InFlight { poller: &self, ids, task, first_answered: Vec::new() };
                (self.chain.ask(batch).await, guard)
            })
            .buffer_unordered(self.policy.batches_max.max(1));
        while let Some((first_answered, mut guard)) = asked.next().await {
            guard.first_answered = first_answered;
        }
    }

    /// Returns the rank of the provider that serves a place; the length of the chain while nobody does well.
    fn rank_of_served(&self, place: &PlaceId) -> usize {
        let chain = self.chain.sources.chain();
        let slot = self.chain.board.slot(place);
        let healthy = slot.filter(|slot| slot.trouble().is_none()).and_then(|slot| slot.served());
        let rank = healthy.and_then(|served| {
            chain.iter().position(|source| source.id() == served.observation.provider)
        });
        rank.unwrap_or(chain.len()).max(1)
    }

    fn refresh(&self) -> Option<Refresh> {
        self.chain.sources.chain().first().map(|first| first.profile().refresh)
    }

    fn settle(&self, task: Task, ids: &[PlaceId], first_answered: &[PlaceId]) {
        let now = self.chain.clock.now();
        let Some(refresh) = self.refresh() else { return };
        let answered: HashSet<&PlaceId> = first_answered.iter().collect();
        {
            let mut schedule =
                self.schedule.lock().expect("no code panics while it holds the schedule");
            for id in ids {
                if let Some(scheduled) = schedule.get_mut(id) {
                    let answered = answered.contains(id);
                    scheduled.due = scheduled.due.after(task, answered, now, refresh, &self.policy);
                    scheduled.in_flight = false;
                }
            }
        }
        self.round_ended.notify_one();
    }
}

/// Puts places back on the schedule when their batch has ended, even by a panic.
struct InFlight<'a> {
    poller: &'a Poller,
    ids: Vec<PlaceId>,
    task: Task,
    first_answered: Vec<PlaceId>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.poller.settle(self.task, &self.ids, &self.first_answered);
    }
}

/// Returns the places that are known in full, in their order.
fn ready_places(places: &PlaceBook) -> Vec<Place> {
    let places = places.list();
    let ready = places.iter().filter_map(|place| match &place.state {
        PlaceState::Ready(place) => Some(place.clone()),
        PlaceState::Unresolved { .. } => None,
    });
    ready.collect()
}

/// Returns the time from `earlier` to `later`, nothing when it lies behind.
fn until(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or(Duration::ZERO)
}
