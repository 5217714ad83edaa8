//! Facts about places.

use pampero_weather::place::Coordinates;
use pampero_weather::provider::ProviderId;

use super::{batch_of, every_observation, place_id, plain_observation, ready_place, selection_of};
use crate::{Batch, KeptAnswer, PlaceOrigin, PlaceState, Store, StoredPlace};

async fn listed(store: &impl Store) -> Vec<String> {
    let places = store.places().await.expect("places can be read");
    places.into_iter().map(|place| place.id.to_string()).collect()
}

async fn put(store: &impl Store, place: StoredPlace) {
    store.put_place(place).await.expect("a place can be put");
}

/// The first one added stays the first one.
pub async fn places_are_listed_in_the_order_of_adding(store: &impl Store) {
    for id in ["zarate", "azul", "moron"] {
        put(store, ready_place(id)).await;
    }
    assert_eq!(listed(store).await, ["zarate", "azul", "moron"]);
}

/// A place of the same id is changed, not added.
pub async fn place_is_replaced_and_keeps_its_turn(store: &impl Store) {
    put(store, ready_place("zarate")).await;
    put(store, ready_place("azul")).await;
    let renamed = StoredPlace {
        name: "Zárate".to_owned(),
        origin: PlaceOrigin::Api,
        state: PlaceState::Unresolved {
            coordinates: None,
            elevation_m: None,
            time_zone: None,
            problem: None,
        },
        ..ready_place("zarate")
    };
    put(store, renamed.clone()).await;
    assert_eq!(store.places().await.expect("readable"), [renamed, ready_place("azul")]);
}

/// Nothing of a place gets lost, whatever is known of it yet.
pub async fn place_comes_back_as_it_was_put(store: &impl Store) {
    let unresolved = |id,
                      coordinates,
                      elevation_m,
                      time_zone: Option<&str>,
                      problem: Option<&str>| {
        let state = PlaceState::Unresolved {
            coordinates,
            elevation_m,
            time_zone: time_zone.map(str::to_owned),
            problem: problem.map(str::to_owned),
        };
        StoredPlace { id: place_id(id), name: "Río".to_owned(), origin: PlaceOrigin::Api, state }
    };
    let point = Coordinates::new(90.0, -180.0).ok();
    let put_in = [
        ready_place("full"),
        unresolved("name-only", None, None, None, None),
        unresolved("failed", None, Some(-3.25), None, Some("no place of this name")),
        unresolved("no-zone", point, None, None, None),
        unresolved("zone", point, Some(0.0), Some("Europe/Oslo"), None),
    ];
    for place in &put_in {
        put(store, place.clone()).await;
    }
    assert_eq!(store.places().await.expect("readable"), put_in);
}

/// Removing hides a place and what is kept for it, and is told from removing nothing.
pub async fn removed_place_is_neither_listed_nor_served(store: &impl Store) {
    put(store, ready_place("azul")).await;
    put(store, ready_place("moron")).await;
    record_served(store, "azul").await;
    record_served(store, "moron").await;

    let removed = store.remove_place(&place_id("azul")).await;
    assert!(removed.expect("removable"));
    let removed = store.remove_place(&place_id("azul")).await;
    assert!(!removed.expect("removable"), "it was removed already");
    let removed = store.remove_place(&place_id("nowhere")).await;
    assert!(!removed.expect("removable"), "it never was there");

    assert_eq!(listed(store).await, ["moron"]);
    let served = store.served().await.expect("readable");
    assert_eq!(served.len(), 1);
    assert_eq!(served[0].0.place, place_id("moron"));
    let answers = store.kept_answers().await.expect("readable");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].place, place_id("moron"));
}

async fn record_served(store: &impl Store, place: &str) {
    let observation = plain_observation(place, ProviderId::MetNorway, 0, 12.5);
    let answer = KeptAnswer {
        provider: ProviderId::MetNorway,
        place: place_id(place),
        fetched_at: observation.fetched_at,
        expires_at: None,
        last_modified: None,
        body: "{}".to_owned(),
    };
    let batch = Batch {
        selections: vec![selection_of(&observation, 1)],
        observations: vec![observation],
        answers: vec![answer],
    };
    store.record(batch).await.expect("recordable");
}

/// What was said of a removed place is there again, in its old turn; an answer under way may still arrive.
pub async fn place_added_again_has_its_history(store: &impl Store) {
    put(store, ready_place("azul")).await;
    put(store, ready_place("moron")).await;
    record_served(store, "azul").await;
    store.remove_place(&place_id("azul")).await.expect("removable");
    let late = plain_observation("azul", ProviderId::OpenMeteo, 5, 13.0);
    store.record(batch_of([late])).await.expect("an answer under way is still taken");

    put(store, ready_place("azul")).await;

    assert_eq!(listed(store).await, ["azul", "moron"]);
    let history = store.observations(&place_id("azul"), &every_observation()).await;
    assert_eq!(history.expect("readable").len(), 2);
    assert_eq!(store.served().await.expect("readable").len(), 1);
    assert_eq!(store.kept_answers().await.expect("readable").len(), 1);
}
