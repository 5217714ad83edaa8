//! The places: configuration and API side by side, and the look-up of what a place lacks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pampero_loader::{
    Board, LocatedPlace, LookupError, PlaceBook, PlaceBookError, PlaceDraft, PlaceLookup, Resolver,
};
use pampero_store::memory::MemoryStore;
use pampero_store::{PlaceState, Store, StoreError};
use pampero_weather::event::EventKind;
use pampero_weather::place::Coordinates;

use crate::bed::{Bed, draft, id};

async fn open(
    store: &Arc<MemoryStore>,
    configured: &[&str],
    default: Option<&str>,
) -> Result<PlaceBook, PlaceBookError> {
    let configured = configured.iter().map(|id| draft(id)).collect();
    let store = Arc::clone(store) as Arc<dyn Store>;
    PlaceBook::open(store, Arc::new(Board::default()), configured, default.map(draft), 3).await
}

fn ids(book: &PlaceBook) -> Vec<String> {
    book.list().iter().map(|place| place.id.to_string()).collect()
}

#[tokio::test]
async fn the_default_place_comes_only_when_there_is_no_other() {
    let store = Arc::default();
    let book = open(&store, &[], Some("buenos-aires")).await.unwrap();
    assert_eq!(ids(&book), ["buenos-aires"]);
    book.add(draft("rosario")).await.unwrap();
    book.remove(&id("buenos-aires")).await.unwrap();
    let book = open(&store, &[], Some("buenos-aires")).await.unwrap();
    assert_eq!(ids(&book), ["rosario"], "what was removed stays removed");
}

#[tokio::test]
async fn a_place_that_left_the_configuration_leaves_and_one_of_the_api_stays() {
    let store = Arc::default();
    let book = open(&store, &["ewr", "jfk"], None).await.unwrap();
    book.add(draft("rosario")).await.unwrap();
    let book = open(&store, &["jfk"], None).await.unwrap();
    assert_eq!(ids(&book), ["jfk", "rosario"]);
}

#[tokio::test]
async fn refusals_say_why() {
    let store = Arc::default();
    let book = open(&store, &["jfk"], None).await.unwrap();
    let error = book.add(draft("jfk")).await.unwrap_err();
    assert!(matches!(error, PlaceBookError::Exists(_)), "{error}");
    let error = book.remove(&id("jfk")).await.unwrap_err();
    assert!(matches!(error, PlaceBookError::Configured(_)), "{error}");
    let error = book.change(&id("nowhere"), draft("nowhere")).await.unwrap_err();
    assert!(matches!(error, PlaceBookError::Unknown(_)), "{error}");
    let error = book.add(PlaceDraft::default()).await.unwrap_err();
    assert!(matches!(error, PlaceBookError::Nameless), "{error}");
    let wrong_zone = PlaceDraft { time_zone: Some("Mars/Base".to_owned()), ..draft("mars") };
    let error = book.add(wrong_zone).await.unwrap_err();
    assert!(error.to_string().contains("Mars/Base"), "{error}");
    book.add(draft("one")).await.unwrap();
    book.add(draft("two")).await.unwrap();
    let error = book.add(draft("three")).await.unwrap_err();
    assert!(matches!(error, PlaceBookError::Full { limit: 3 }), "{error}");
}

#[tokio::test]
async fn nothing_changes_when_the_store_refuses() {
    let store = Arc::new(MemoryStore::default());
    let book = open(&store, &[], None).await.unwrap();
    store.refuse_writes(Some(|| StoreError::DiskFull));
    book.add(draft("rosario")).await.unwrap_err();
    assert!(book.list().is_empty());
}

/// Knows Rosario and the zone of every position, once it is up.
#[derive(Default)]
struct FakeLookup {
    asked: Mutex<Vec<String>>,
    down: Mutex<bool>,
}

#[async_trait]
impl PlaceLookup for FakeLookup {
    async fn by_name(&self, name: &str) -> Result<Option<LocatedPlace>, LookupError> {
        self.asked.lock().unwrap().push(name.to_owned());
        if *self.down.lock().unwrap() {
            return Err(LookupError("no answer".into()));
        }
        Ok((name == "Rosario").then(|| LocatedPlace {
            coordinates: Coordinates::new(-32.95, -60.64).unwrap(),
            elevation_m: Some(31.0),
            time_zone: "America/Argentina/Cordoba".to_owned(),
        }))
    }

    async fn by_coordinates(&self, coordinates: Coordinates) -> Result<LocatedPlace, LookupError> {
        let time_zone = "Europe/Oslo".to_owned();
        Ok(LocatedPlace { coordinates, elevation_m: Some(12.0), time_zone })
    }
}

fn start_resolver(bed: &Bed) -> Arc<FakeLookup> {
    let lookup = Arc::new(FakeLookup::default());
    let resolver = Resolver::new(
        Arc::clone(&bed.places),
        Arc::clone(&lookup) as Arc<_>,
        bed.timeline.clone(),
        Arc::clone(&bed.clock),
        bed.cancel.clone(),
    );
    bed.tracker.spawn(resolver.run());
    lookup
}

fn named(name: &str) -> PlaceDraft {
    PlaceDraft { name: Some(name.to_owned()), ..PlaceDraft::default() }
}

#[tokio::test(start_paused = true)]
async fn a_place_by_name_alone_is_looked_up_and_then_asked_for() {
    let bed = Bed::start(&["jfk"], 1).await;
    let lookup = start_resolver(&bed);
    bed.places.add(named("Rosario")).await.unwrap();
    assert!(matches!(bed.places.get(&id("rosario")).unwrap().state, PlaceState::Unresolved { .. }));
    bed.settle().await;

    let PlaceState::Ready(place) = bed.places.get(&id("rosario")).unwrap().state.clone() else {
        panic!("the place is still unresolved");
    };
    assert_eq!(place.time_zone_name(), "America/Argentina/Cordoba");
    assert_eq!(lookup.asked.lock().unwrap().as_slice(), ["Rosario"]);
    assert!(bed.served("rosario").is_some());
    assert!(bed.kinds().await.contains(&EventKind::PlaceResolved));
}

#[tokio::test(start_paused = true)]
async fn a_place_by_position_keeps_what_was_given() {
    let bed = Bed::start(&["jfk"], 1).await;
    start_resolver(&bed);
    let given = PlaceDraft {
        coordinates: Some(Coordinates::new(60.0, 10.0).unwrap()),
        elevation_m: Some(500.0),
        ..named("Hytte")
    };
    bed.places.add(given).await.unwrap();
    bed.settle().await;
    let PlaceState::Ready(place) = bed.places.get(&id("hytte")).unwrap().state.clone() else {
        panic!("the place is still unresolved");
    };
    assert_eq!(place.elevation.unwrap().0, 500.0);
    assert_eq!(place.coordinates, Coordinates::new(60.0, 10.0).unwrap());
    assert_eq!(place.time_zone_name(), "Europe/Oslo");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_found_says_so_and_a_look_up_that_fails_is_repeated() {
    let bed = Bed::start(&["jfk"], 1).await;
    let lookup = start_resolver(&bed);
    bed.places.add(named("Atlantis")).await.unwrap();
    bed.settle().await;
    let problem = |name: &str| match &bed.places.get(&id(name)).unwrap().state {
        PlaceState::Unresolved { problem, .. } => problem.clone(),
        PlaceState::Ready(_) => None,
    };
    assert_eq!(problem("atlantis").unwrap(), "no place named \"Atlantis\" was found");

    *lookup.down.lock().unwrap() = true;
    bed.places.add(named("Rosario")).await.unwrap();
    bed.settle().await;
    assert!(problem("rosario").unwrap().contains("no answer"));
    *lookup.down.lock().unwrap() = false;
    bed.wait(Duration::from_secs(60)).await;
    assert!(matches!(bed.places.get(&id("rosario")).unwrap().state, PlaceState::Ready(_)));
    let asked = lookup.asked.lock().unwrap().len();
    assert!(asked <= 6, "look-ups are spaced out: {asked}");
}

#[tokio::test(start_paused = true)]
async fn what_was_looked_up_survives_a_restart_with_the_same_configuration() {
    let bed = Bed::start(&[], 1).await;
    start_resolver(&bed);
    let configured = vec![named("Rosario")];
    let store = Arc::clone(&bed.store) as Arc<dyn Store>;
    let board = Arc::new(Board::default());
    bed.places.add(named("Rosario")).await.unwrap();
    bed.settle().await;
    let again = PlaceBook::open(store, board, configured, None, 3).await.unwrap();
    assert!(matches!(again.list()[0].state, PlaceState::Ready(_)));
}
