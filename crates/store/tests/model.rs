//! Whatever is asked of it in whatever order, the store in a file answers as the plain one in memory.

use pampero_resilience::{QuotaUsage, QuotaWindow};
use pampero_store::behaviour::{
    EVENTS_MAX, bare_event, every_observation, full_event, full_observation, minute, place_id,
    plain_observation, ready_place, selection_of,
};
use pampero_store::memory::MemoryStore;
use pampero_store::{
    Batch, EventFilter, KeptAnswer, ObservationFilter, Order, SqliteOptions, SqliteStore, Store,
};
use pampero_weather::event::EventKind;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::provider::ProviderId;
use proptest::prelude::*;
use tempfile::TempDir;

const PLACES: [&str; 3] = ["azul", "moron", "zarate"];

/// One thing to do to both stores.
#[derive(Clone, Debug)]
enum Step {
    PutPlace(usize),
    RemovePlace(usize),
    Record { said: Vec<Said>, select: Option<prop::sample::Index>, keep_answer: bool },
    AppendEvents(Vec<(bool, i64)>),
    SaveQuota { day: i64, used: u64 },
    Reopen,
}

/// One observation out of few, so that keys and values meet often.
#[derive(Clone, Debug)]
struct Said {
    place: usize,
    provider: ProviderId,
    at_minute: i64,
    fetched_at: i64,
    temperature_c: f64,
    full: bool,
}

impl Said {
    fn observation(&self) -> Observation {
        let place = PLACES[self.place];
        let said = if self.full {
            full_observation(place, self.provider, self.at_minute)
        } else {
            plain_observation(place, self.provider, self.at_minute, self.temperature_c)
        };
        Observation { fetched_at: minute(self.fetched_at), ..said }
    }
}

fn said() -> impl Strategy<Value = Said> {
    let provider = prop::sample::select(&ProviderId::ALL[..3]);
    let parts = (0..PLACES.len(), provider, 0..4_i64, 0..9_i64, 0..3_i32, prop::bool::ANY);
    parts.prop_map(|(place, provider, at_minute, fetched_at, tenths, full)| Said {
        place,
        provider,
        at_minute,
        fetched_at,
        temperature_c: f64::from(tenths) / 10.0,
        full,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let record = (
        prop::collection::vec(said(), 0..12),
        prop::option::of(any::<prop::sample::Index>()),
        prop::bool::ANY,
    );
    prop_oneof![
        2 => (0..PLACES.len()).prop_map(Step::PutPlace),
        1 => (0..PLACES.len()).prop_map(Step::RemovePlace),
        8 => record.prop_map(|(said, select, keep_answer)| Step::Record { said, select, keep_answer }),
        1 => prop::collection::vec((prop::bool::ANY, 0..9_i64), 0..40).prop_map(Step::AppendEvents),
        1 => (0..3_i64, 0..9_u64).prop_map(|(day, used)| Step::SaveQuota { day, used }),
        1 => Just(Step::Reopen),
    ]
}

async fn open(folder: &TempDir) -> SqliteStore {
    let options = SqliteOptions { events_max: EVENTS_MAX, ..SqliteOptions::default() };
    SqliteStore::open(&folder.path().join("weather.db"), options).await.expect("it opens")
}

fn batch_of(said: &[Said], select: Option<prop::sample::Index>, keep_answer: bool) -> Batch {
    let observations: Vec<Observation> = said.iter().map(Said::observation).collect();
    let chosen = select.filter(|_| !said.is_empty()).map(|index| index.get(&observations));
    let selections = chosen.map(|chosen| selection_of(chosen, 1)).into_iter().collect();
    let answer = |said: &Said| KeptAnswer {
        provider: said.provider,
        place: place_id(PLACES[said.place]),
        fetched_at: minute(said.fetched_at),
        expires_at: None,
        last_modified: None,
        body: said.temperature_c.to_string(),
    };
    let answers = said.first().filter(|_| keep_answer).map(answer).into_iter().collect();
    Batch { observations, selections, answers }
}

/// Does `step` to a store and tells what it answered.
async fn take(store: &impl Store, step: &Step) -> String {
    match step {
        Step::PutPlace(nth) => format!("{:?}", store.put_place(ready_place(PLACES[*nth])).await),
        Step::RemovePlace(nth) => {
            format!("{:?}", store.remove_place(&place_id(PLACES[*nth])).await)
        }
        Step::Record { said, select, keep_answer } => {
            let recorded = store.record(batch_of(said, *select, *keep_answer)).await;
            // Which one of several unknown places is named does not matter.
            recorded.map_or("refused".to_owned(), |recorded| format!("{recorded:?}"))
        }
        Step::AppendEvents(events) => {
            let event = |(full, at_minute): &(bool, i64)| match full {
                true => full_event(EventKind::GaveUp, ProviderId::MetNorway, "azul", *at_minute),
                false => bare_event(EventKind::Recovered, *at_minute),
            };
            format!("{:?}", store.append_events(events.iter().map(event).collect()).await)
        }
        Step::SaveQuota { day, used } => {
            let usage = |window| QuotaUsage { window, started_at: minute(day * 1440), used: *used };
            let usage = [QuotaWindow::Day, QuotaWindow::Month].map(usage);
            format!("{:?}", store.save("openweathermap", &usage).await)
        }
        Step::Reopen => String::new(),
    }
}

/// Tells everything a store can be asked.
async fn everything_in(store: &impl Store) -> Vec<String> {
    let mut told = vec![
        format!("{:?}", store.places().await),
        format!("{:?}", store.served().await),
        format!("{:?}", store.load("openweathermap").await),
        format!("{:?}", store.events(&EventFilter { limit: 100, ..EventFilter::default() }).await),
    ];
    let mut answers = store.kept_answers().await.expect("readable");
    answers.sort_by(|one, other| (&one.place, one.provider).cmp(&(&other.place, other.provider)));
    told.push(format!("{answers:?}"));
    let place_only = EventFilter {
        place: Some(place_id("azul")),
        limit: 9,
        order: Order::Descending,
        ..EventFilter::default()
    };
    told.push(format!("{:?}", store.events(&place_only).await));
    for place in PLACES.map(place_id) {
        let observations =
            store.observations(&place, &every_observation()).await.expect("readable");
        for said in &observations {
            let revisions = store.revisions(&place, said.provider, said.observed_at).await;
            told.push(format!("{revisions:?}"));
        }
        told.push(format!("{observations:?}"));
        let samples = store.samples(&place, Quantity::Temperature, minute(1), minute(3)).await;
        told.push(format!("{samples:?}"));
        for order in [Order::Ascending, Order::Descending] {
            let after = Some((minute(2), ProviderId::OpenMeteo));
            let page = ObservationFilter { after, order, limit: 3, ..every_observation() };
            told.push(format!("{:?}", store.observations(&place, &page).await));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn file_and_memory_answer_alike(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = TempDir::new().unwrap();
            let mut sqlite = open(&folder).await;
            let memory = MemoryStore::with_events_max(EVENTS_MAX as usize);
            for place in &PLACES[..2] {
                sqlite.put_place(ready_place(place)).await.unwrap();
                memory.put_place(ready_place(place)).await.unwrap();
            }
            for step in &steps {
                if matches!(step, Step::Reopen) {
                    sqlite.close().await.unwrap();
                    sqlite = open(&folder).await;
                }
                prop_assert_eq!(take(&sqlite, step).await, take(&memory, step).await);
            }
            prop_assert_eq!(everything_in(&sqlite).await, everything_in(&memory).await);
            Ok(())
        })?;
    }
}
