//! A loader with fake providers, a store in memory and a clock under control.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_loader::{
    Averages, Board, PlaceBook, PlaceDraft, Poller, PollingPolicy, Served, Source, Sources,
    Timeline,
};
use pampero_providers::{Attribution, Defaults, Profile, Refresh};
use pampero_resilience::{
    BreakerPolicy, Clock, MemoryLedger, Policy, RetryPolicy, Stack, VirtualClock,
};
use pampero_store::memory::MemoryStore;
use pampero_store::{EventFilter, ObservationFilter, Order, Store};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::observation::{Observation, SourceKind};
use pampero_weather::place::{Coordinates, PlaceId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::fake::{FakeProvider, provider_of_rank};

/// Where the clock of every test starts: just after a round would have begun.
pub(crate) const START: &str = "2026-11-24T12:02:00Z";
pub(crate) const INTERVAL: Duration = Duration::from_secs(15 * 60);
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(3600);

/// A loader that a test drives.
pub(crate) struct Bed {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) board: Arc<Board>,
    pub(crate) places: Arc<PlaceBook>,
    pub(crate) timeline: Timeline,
    pub(crate) averages: Averages,
    pub(crate) sources: Sources,
    pub(crate) poller: Arc<Poller>,
    pub(crate) cancel: CancellationToken,
    pub(crate) tracker: TaskTracker,
    pub(crate) fakes: Vec<Arc<FakeProvider>>,
}

impl Bed {
    /// Starts a loader with the named places and so many providers in the chain.
    pub(crate) async fn start(places: &[&str], chain_length: usize) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(START.parse().unwrap()));
        let store = Arc::new(MemoryStore::default());
        let fakes = (0..chain_length).map(|rank| fake(rank, &clock)).collect();
        Self::start_on(store, clock, places, fakes).await
    }

    /// Starts a loader on what another one left behind.
    pub(crate) async fn start_on(
        store: Arc<MemoryStore>,
        clock: Arc<dyn Clock>,
        places: &[&str],
        fakes: Vec<Arc<FakeProvider>>,
    ) -> Self {
        let cancel = CancellationToken::new();
        let tracker = TaskTracker::new();
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let (timeline, writing) = Timeline::open(Arc::clone(&shared), cancel.clone());
        tracker.spawn(writing);
        let board = Arc::new(Board::default());
        let configured = places.iter().map(|id| draft(id)).collect();
        let book = PlaceBook::open(Arc::clone(&shared), Arc::clone(&board), configured, None, 100);
        let book = Arc::new(book.await.unwrap());
        let mut chain = Vec::new();
        for fake in &fakes {
            chain.push(source(fake, &clock).await);
        }
        let sources = Sources::new(chain);
        let policy = PollingPolicy {
            interval: INTERVAL,
            jitter: Duration::ZERO,
            ..PollingPolicy::default()
        };
        let poller = Poller::open(
            Arc::clone(&book),
            Arc::clone(&board),
            sources.clone(),
            Arc::clone(&shared),
            timeline.clone(),
            Arc::clone(&clock),
            policy,
            tracker.clone(),
            cancel.clone(),
        );
        let poller = Arc::new(poller.await.unwrap());
        let averages =
            Averages::new(shared, Arc::clone(&board), sources.clone(), Arc::clone(&clock));
        let bed = Self {
            store,
            clock,
            board,
            places: book,
            timeline,
            averages,
            sources,
            poller,
            cancel,
            tracker,
            fakes,
        };
        bed.tracker.spawn(Arc::clone(&bed.poller).run());
        bed
    }

    /// Lets so much time go by, and with it everything that happens meanwhile.
    pub(crate) async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Lets the round that is due end.
    pub(crate) async fn settle(&self) {
        self.wait(Duration::from_secs(1)).await;
    }

    /// Lets time go by until the next regular round has ended.
    pub(crate) async fn next_round(&self) {
        self.wait(INTERVAL).await;
    }

    pub(crate) fn served(&self, place: &str) -> Option<Arc<Served>> {
        self.board.slot(&id(place)).unwrap().served()
    }

    pub(crate) fn temperature(&self, place: &str) -> Option<f64> {
        self.served(place)?.observation.readings.temperature.map(|value| value.0)
    }

    pub(crate) fn trouble(&self, place: &str) -> Option<String> {
        self.board.slot(&id(place)).unwrap().trouble().map(|trouble| trouble.cause.clone())
    }

    /// Returns every event so far, oldest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        self.timeline.flush().await;
        let filter = EventFilter { limit: u32::MAX, ..EventFilter::default() };
        self.store.events(&filter).await.unwrap().into_iter().map(|row| row.event).collect()
    }

    /// Returns the kinds of every event so far, oldest first.
    pub(crate) async fn kinds(&self) -> Vec<EventKind> {
        self.events().await.into_iter().map(|event| event.kind).collect()
    }

    pub(crate) async fn stored(&self, place: &str) -> Vec<Observation> {
        let filter = ObservationFilter {
            provider: None,
            from: None,
            to: None,
            after: None,
            order: Order::Ascending,
            limit: u32::MAX,
        };
        self.store.observations(&id(place), &filter).await.unwrap()
    }

    /// Ends the loader and returns how long that took.
    pub(crate) async fn stop(&self) -> Duration {
        let before = tokio::time::Instant::now();
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        before.elapsed()
    }
}

pub(crate) fn id(text: &str) -> PlaceId {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Describes a place in full.
pub(crate) fn draft(id: &str) -> PlaceDraft {
    PlaceDraft {
        id: Some(id.parse().unwrap()),
        name: Some(id.to_owned()),
        coordinates: Some(Coordinates::new(40.0, -74.0).unwrap()),
        elevation_m: Some(5.0),
        time_zone: Some("America/New_York".to_owned()),
    }
}

/// Makes the fake of a rank: the first takes batches, the others one place at a time.
pub(crate) fn fake(rank: usize, clock: &Arc<dyn Clock>) -> Arc<FakeProvider> {
    let profile = Profile {
        id: provider_of_rank(rank),
        batch_max: if rank == 0 { 100 } else { 1 },
        ..profile()
    };
    Arc::new(FakeProvider::new(profile, Arc::clone(clock)))
}

async fn source(fake: &Arc<FakeProvider>, clock: &Arc<dyn Clock>) -> Source {
    let policy = Policy {
        deadline: Duration::from_secs(60),
        attempt_timeout: Duration::from_secs(10),
        retry: RetryPolicy { attempts_max: NonZeroU32::MIN, ..RetryPolicy::default() },
        breaker: BreakerPolicy { failure_rate: None, ..BreakerPolicy::default() },
        ..Policy::default()
    };
    let ledger = Arc::new(MemoryLedger::default());
    let stack = Stack::open("fake", policy, Arc::clone(clock), ledger, 1).await.unwrap();
    Source::new(Arc::clone(fake) as Arc<_>, stack, STALE_AFTER)
}

fn profile() -> Profile {
    Profile {
        id: provider_of_rank(0),
        name: "Fake",
        attribution: Attribution { text: "Made up", url: "https://example.org/" },
        source_kind: SourceKind::Model,
        batch_max: 1,
        refresh: Refresh { every: Duration::from_secs(900), lag: Duration::from_secs(90) },
        defaults: Defaults {
            stale_after: STALE_AFTER,
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(5),
            backoff_max: Duration::from_secs(60),
            concurrency: NonZeroU32::MIN,
            rate: None,
            allowances: Vec::new(),
        },
    }
}
