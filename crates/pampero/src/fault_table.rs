//! What becomes of every fault of every provider: played for real, written down in `docs/faults.md`.
//!
//! Each fault meets the adapter, the stack and the loader of the program, on real sockets, with two
//! attempts and short limits. The page is compared with what happened; `UPDATE_GOLDEN=1` rewrites it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pampero_loader::{Board, PlaceBook, Poller, PollingPolicy, Source, Timeline};
use pampero_resilience::{Clock, FailureClass, VirtualClock};
use pampero_simulator::fault::RetryAfter;
use pampero_simulator::{Fault, RunningSimulator, Simulator, SimulatorConfig, catalogue};
use pampero_store::memory::MemoryStore;
use pampero_store::{EventFilter, Store};
use pampero_weather::provider::ProviderId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Sources};
use crate::providers::Workshop;
use crate::service::Network;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
const PATIENCE: Duration = Duration::from_secs(30);
/// Far from the edges of minute, hour and day, so that waits until those are the same in every run.
const START: &str = "2026-11-24T12:07:10Z";

const HEAD: &str = "\
# What becomes of every fault

Every fault that the simulator can play, played to the adapter, the resilience stack and the loader
of the program, by a test that compares this page with what happened. *Attempts* is out of two
allowed; a dash under *events* means that the answer was taken without remark. The names are those
of `pampero simulate --fault PROVIDER=FAULT` and of `/control/faults`; classes and their policies are
those of `FailureClass`.

| fault | provider | outcome | attempts | counts for the breaker | events |
| --- | --- | --- | --- | --- | --- |
";

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_the_documented_outcome() {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::starting_at(START.parse().unwrap()));
    let now = Arc::clone(&clock);
    let config = SimulatorConfig::new(Arc::new(move || now.now()));
    let simulator = Simulator::start(config, CancellationToken::new()).await.unwrap();
    let mut page = HEAD.to_owned();
    for entry in catalogue() {
        let fault = hurried(entry.example);
        let mut rows: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for provider in ProviderId::ALL.into_iter().filter(|id| fault.applies_to(*id)) {
            let row = play(&simulator, &clock, provider, &fault).await;
            rows.entry(row).or_default().push(provider.as_str());
        }
        for (row, providers) in rows {
            page.push_str(&format!("| `{fault}` | {} | {row} |\n", providers.join(", ")));
        }
    }
    simulator.stop().await;
    compare(&page);
}

/// Shortens what would take longer than the limits of this test leave.
fn hurried(fault: Fault) -> Fault {
    match fault {
        Fault::SlowFirstByte { .. } => Fault::SlowFirstByte { ms: 3_000 },
        Fault::SlowBody { .. } => Fault::SlowBody { ms: 3_000 },
        Fault::RateLimited { .. } => Fault::RateLimited { retry_after: RetryAfter::Seconds(1) },
        other => other,
    }
}

/// Lets one provider be asked once, for two places where it takes batches, and tells what became of it.
async fn play(
    simulator: &RunningSimulator,
    clock: &Arc<dyn Clock>,
    provider: ProviderId,
    fault: &Fault,
) -> String {
    simulator.set_fault(provider, None).unwrap();
    simulator.set_fault(provider, Some(fault.clone())).unwrap();
    let config = config(simulator, provider);
    let store = Arc::new(MemoryStore::default());
    let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<_>;
    let (cancel, tracker) = (CancellationToken::new(), TaskTracker::new());
    let (timeline, writing) = Timeline::open(Arc::clone(&shared), cancel.clone());
    tracker.spawn(writing);
    let workshop = Workshop::new(Network::Loopback, Arc::clone(clock)).unwrap();
    let sources = workshop.sources(&config, Arc::clone(&store) as Arc<_>).await.unwrap();
    let source = Arc::clone(&sources.chain()[0]);
    let board = Arc::new(Board::default());
    let drafts = config.places.configured.clone();
    let places = PlaceBook::open(Arc::clone(&shared), Arc::clone(&board), drafts, None, 10);
    let places = Arc::new(places.await.unwrap());
    let poller = Poller::open(
        Arc::clone(&places),
        Arc::clone(&board),
        sources,
        shared,
        timeline.clone(),
        Arc::clone(clock),
        PollingPolicy::default(),
        tracker.clone(),
        cancel.clone(),
    );
    tracker.spawn(Arc::new(poller.await.unwrap()).run());
    let begun = Instant::now();
    let is_done = |id: &pampero_weather::place::PlaceId| {
        let slot = board.slot(id).unwrap();
        slot.trouble().is_some() || slot.served().is_some()
    };
    while !places.list().iter().all(|place| is_done(&place.id)) {
        assert!(begun.elapsed() < PATIENCE, "{provider} {fault}: the round does not end");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    timeline.flush().await;
    let row = row(&source, &store).await;
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
    row
}

async fn row(source: &Source, store: &MemoryStore) -> String {
    let filter = EventFilter { limit: u32::MAX, ..EventFilter::default() };
    let events = store.events(&filter).await.unwrap();
    let mut kinds: Vec<&str> = Vec::new();
    for event in &events {
        let kind = event.event.kind.as_str();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let stats = source.stack.stats();
    let failure = source.status().last_failure;
    let outcome = match failure {
        Some(failure) => failure.class.as_str(),
        None if kinds.contains(&"reading_rejected") => "accepted, readings removed",
        None => "accepted",
    };
    let attempts = stats.attempts_succeeded + stats.attempts_failed.iter().sum::<u64>();
    let attempts = attempts.div_ceil(stats.calls.max(1));
    let counted = FailureClass::ALL
        .into_iter()
        .filter(|class| stats.failed(*class) > 0)
        .any(FailureClass::counts_for_breaker);
    let counted = if counted { "yes" } else { "no" };
    let kinds = if kinds.is_empty() { "–".to_owned() } else { kinds.join(", ") };
    format!("{outcome} | {attempts} | {counted} | {kinds}")
}

fn config(simulator: &RunningSimulator, provider: ProviderId) -> Config {
    let base_url = simulator.base_url(provider);
    let text = format!(
        "[chain]\norder = [\"{provider}\"]\n\
         [resilience]\nattempt_timeout = \"800ms\"\ndeadline = \"4s\"\nattempts_max = 2\n\
         backoff = \"10ms\"\nbreaker_failures = 1000\n\
         [providers.{provider}]\nbase_url = \"{base_url}\"\n\
         [[places]]\nid = \"jfk\"\nlatitude = 40.6398\nlongitude = -73.7789\nelevation = 4\n\
         time_zone = \"America/New_York\"\n"
    );
    // Only a service with batches is asked for both at once; others would fail in any order.
    let batch = "\
         [[places]]\nid = \"lga\"\nlatitude = 40.7772\nlongitude = -73.8726\nelevation = 6\n\
         time_zone = \"America/New_York\"\n";
    let text = if provider == ProviderId::OpenMeteo { text + batch } else { text };
    let keys = ["PAMPERO_OPENWEATHERMAP_KEY", "PAMPERO_WEATHERSTACK_KEY"];
    let variables = keys.map(|name| (name.to_owned(), "a-key-for-the-tests".to_owned())).into();
    let read_file = |path: &Path| std::fs::read_to_string(path);
    let sources = Sources { file: Some(("test.toml", &text)), variables, read_file: &read_file };
    Config::read(&sources).unwrap().config
}

#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the tests says that the page is renewed"
)]
fn compare(page: &str) {
    if std::env::var("UPDATE_GOLDEN").is_ok() {
        std::fs::write(PAGE, page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
    for (now, kept) in page.lines().zip(kept.lines()) {
        assert_eq!(now, kept, "docs/faults.md says otherwise; UPDATE_GOLDEN=1 rewrites it");
    }
    assert_eq!(page.lines().count(), kept.lines().count(), "docs/faults.md has other lines");
}
