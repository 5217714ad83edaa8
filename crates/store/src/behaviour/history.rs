//! Facts about reading: what is served, what is kept, and how history is listed.

use std::slice::from_ref;

use pampero_weather::mean::Sample;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use pampero_weather::unit::{Celsius, Percent};

use super::{
    batch_of, every_observation, full_observation, minute, place_id, plain_observation,
    ready_place, selection_of,
};
use crate::{Batch, KeptAnswer, ObservationFilter, Order, ProviderSample, Selection, Store};

async fn with_places(store: &impl Store) {
    for id in ["zarate", "azul"] {
        store.put_place(ready_place(id)).await.expect("a place can be put");
    }
}

async fn record(store: &impl Store, observations: &[Observation], selections: Vec<Selection>) {
    let batch = Batch { observations: observations.to_vec(), selections, answers: Vec::new() };
    store.record(batch).await.expect("recordable");
}

/// The last decision for each place counts, in the order of the places.
pub async fn place_is_served_from_its_newest_selection(store: &impl Store) {
    with_places(store).await;
    assert_eq!(store.served().await.expect("readable"), []);
    let primary = full_observation("azul", ProviderId::OpenMeteo, 0);
    let fallback = full_observation("azul", ProviderId::Weatherstack, 10);
    let other = full_observation("zarate", ProviderId::MetNorway, 5);
    let first = Selection { fallback_cause: None, ..selection_of(&primary, 1) };
    record(store, from_ref(&primary), vec![first.clone()]).await;
    assert_eq!(store.served().await.expect("readable"), [(first, primary.clone())]);

    let second = selection_of(&fallback, 11);
    let third = selection_of(&other, 6);
    record(store, &[fallback.clone(), other.clone()], vec![second.clone(), third.clone()]).await;
    assert_eq!(store.served().await.expect("readable"), [(third, other), (second, fallback)]);

    let back = selection_of(&primary, 12);
    record(store, &[], vec![back.clone()]).await;
    assert_eq!(store.served().await.expect("readable")[1], (back, primary));
}

/// A correction reaches what is served without a new decision.
pub async fn served_observation_is_the_corrected_one(store: &impl Store) {
    with_places(store).await;
    let wrong = plain_observation("azul", ProviderId::OpenMeteo, 0, 45.0);
    let right = plain_observation("azul", ProviderId::OpenMeteo, 0, 25.0);
    let selection = selection_of(&wrong, 1);
    record(store, &[wrong], vec![selection.clone()]).await;
    record(store, from_ref(&right), Vec::new()).await;
    assert_eq!(store.served().await.expect("readable"), [(selection, right)]);
}

/// One answer is kept for each provider and place.
pub async fn kept_answer_is_the_newest_one(store: &impl Store) {
    with_places(store).await;
    let answer = |place: &str, provider, at_minute, last_modified: Option<&str>| KeptAnswer {
        provider,
        place: place_id(place),
        fetched_at: minute(at_minute),
        expires_at: last_modified.map(|_| minute(at_minute + 30)),
        last_modified: last_modified.map(str::to_owned),
        body: format!("{{\"at\":{at_minute},\"unit\":\"°C\"}}"),
    };
    let date = Some("Sun, 01 Mar 2026 00:00:00 GMT");
    let old = answer("azul", ProviderId::MetNorway, 0, date);
    let other_provider = answer("azul", ProviderId::OpenMeteo, 1, None);
    let other_place = answer("zarate", ProviderId::MetNorway, 2, None);
    let new = answer("azul", ProviderId::MetNorway, 31, date);
    for answers in [vec![old], vec![other_provider.clone(), other_place.clone()], vec![new.clone()]]
    {
        store.record(Batch { answers, ..Batch::default() }).await.expect("recordable");
    }
    let mut kept = store.kept_answers().await.expect("readable");
    kept.sort_by_key(|answer| answer.fetched_at);
    assert_eq!(kept, [other_provider, other_place, new]);
}

/// Records two minutes of three providers for `azul`, and one of another place.
async fn with_history(store: &impl Store) -> PlaceId {
    with_places(store).await;
    let providers = [ProviderId::OpenMeteo, ProviderId::Weatherstack, ProviderId::MetNorway];
    let mut said = vec![plain_observation("zarate", ProviderId::OpenMeteo, 0, 0.0)];
    for at_minute in [1, 0] {
        said.extend(providers.map(|provider| plain_observation("azul", provider, at_minute, 1.5)));
    }
    store.record(batch_of(said)).await.expect("recordable");
    place_id("azul")
}

/// The order of listing: by instant, then by the spelling of the provider.
const IN_ORDER: [(i64, ProviderId); 6] = [
    (0, ProviderId::MetNorway),
    (0, ProviderId::OpenMeteo),
    (0, ProviderId::Weatherstack),
    (1, ProviderId::MetNorway),
    (1, ProviderId::OpenMeteo),
    (1, ProviderId::Weatherstack),
];

async fn listed(
    store: &impl Store,
    place: &PlaceId,
    filter: &ObservationFilter,
) -> Vec<(i64, ProviderId)> {
    let found = store.observations(place, filter).await.expect("readable");
    let key = |one: &Observation| {
        ((one.observed_at.as_second() - minute(0).as_second()) / 60, one.provider)
    };
    found.iter().map(key).collect()
}

/// Pages of any size joined together are the whole, in both directions.
pub async fn observations_are_listed_in_pages(store: &impl Store) {
    let place = with_history(store).await;
    for order in [Order::Ascending, Order::Descending] {
        let mut whole = IN_ORDER.to_vec();
        if order == Order::Descending {
            whole.reverse();
        }
        for limit in 1..=7 {
            let mut filter = ObservationFilter { order, limit, ..every_observation() };
            let mut joined = Vec::new();
            loop {
                let page = listed(store, &place, &filter).await;
                let Some((at_minute, provider)) = page.last() else { break };
                assert!(page.len() <= limit as usize, "a page of {}", page.len());
                filter.after = Some((minute(*at_minute), *provider));
                joined.extend(page);
            }
            assert_eq!(joined, whole, "{order:?} in pages of {limit}");
        }
    }
    let nothing = ObservationFilter { limit: 0, ..every_observation() };
    assert_eq!(listed(store, &place, &nothing).await, []);
    assert_eq!(listed(store, &place_id("nowhere"), &every_observation()).await, []);
}

/// Filters narrow the listing; the end of a stretch is not part of it.
pub async fn observations_are_listed_by_provider_and_stretch(store: &impl Store) {
    let place = with_history(store).await;
    let by_provider =
        ObservationFilter { provider: Some(ProviderId::Weatherstack), ..every_observation() };
    assert_eq!(listed(store, &place, &by_provider).await, [IN_ORDER[2], IN_ORDER[5]]);
    let early = ObservationFilter { to: Some(minute(1)), ..every_observation() };
    assert_eq!(listed(store, &place, &early).await, IN_ORDER[..3]);
    let late = ObservationFilter { from: Some(minute(1)), ..every_observation() };
    assert_eq!(listed(store, &place, &late).await, IN_ORDER[3..]);
    let after = Some((minute(0), ProviderId::OpenMeteo));
    let late_after = ObservationFilter { after, ..late };
    assert_eq!(listed(store, &place, &late_after).await, IN_ORDER[3..]);
    let absent = ObservationFilter { provider: Some(ProviderId::OpenWeatherMap), ..early };
    assert_eq!(listed(store, &place, &absent).await, []);
}

/// Values come by time; where nothing was said there is none.
pub async fn samples_are_the_values_of_a_half_open_stretch(store: &impl Store) {
    with_places(store).await;
    let said = |provider, at_minute, temperature_c, humidity: Option<f64>| {
        let mut said = plain_observation("azul", provider, at_minute, temperature_c);
        said.readings.relative_humidity = humidity.map(Percent);
        said
    };
    let mut unsaid = said(ProviderId::OpenMeteo, 20, 0.0, Some(51.0));
    unsaid.readings.temperature = None;
    let corrected = said(ProviderId::OpenMeteo, 10, 11.5, None);
    let all = [
        said(ProviderId::OpenMeteo, 30, 13.0, None),
        said(ProviderId::OpenMeteo, 10, 99.0, None),
        corrected.clone(),
        said(ProviderId::MetNorway, 10, -11.25, Some(50.0)),
        unsaid,
        said(ProviderId::OpenMeteo, 0, 10.0, None),
        plain_observation("zarate", ProviderId::OpenMeteo, 10, 40.0),
    ];
    store.record(batch_of(all)).await.expect("recordable");
    let value = |provider, at_minute, value| {
        let sample = Sample { at: minute(at_minute), value };
        ProviderSample { provider, sample }
    };
    let check = async |quantity, from, to, expected: &[ProviderSample]| {
        let place = place_id("azul");
        let samples = store.samples(&place, quantity, minute(from), minute(to)).await;
        assert_eq!(samples.expect("readable"), expected, "{quantity:?} {from} to {to}");
    };
    let at_10 = [value(ProviderId::MetNorway, 10, -11.25), value(ProviderId::OpenMeteo, 10, 11.5)];
    check(Quantity::Temperature, 1, 30, &at_10).await;
    let at_30 = value(ProviderId::OpenMeteo, 30, 13.0);
    check(Quantity::Temperature, 10, 31, &[at_10[0], at_10[1], at_30]).await;
    check(Quantity::Temperature, 31, 60, &[]).await;
    let humidity = [value(ProviderId::MetNorway, 10, 50.0), value(ProviderId::OpenMeteo, 20, 51.0)];
    check(Quantity::RelativeHumidity, 0, 60, &humidity).await;
    for quantity in Quantity::ALL {
        check(quantity, 60, 90, &[]).await;
    }
    assert_eq!(corrected.readings.temperature, Some(Celsius(11.5)));
}
