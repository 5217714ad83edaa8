//! Facts about recording: what is new, what repeats, what corrects.

use jiff::{SignedDuration, Timestamp};
use pampero_weather::condition::Intensity;
use pampero_weather::observation::{Observation, Precipitation, Quantity, SourceKind};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::Flag;
use pampero_weather::unit::{Celsius, Millimeters, Percent};

use super::{
    batch_of, every_observation, full_observation, minute, place_id, plain_observation,
    ready_place, selection_of,
};
use crate::{Batch, Recorded, Store, StoreError, StoredRevision};

const PROVIDER: ProviderId = ProviderId::OpenMeteo;

async fn with_place(store: &impl Store) {
    store.put_place(ready_place("azul")).await.expect("a place can be put");
}

async fn record(store: &impl Store, observations: impl Into<Vec<Observation>>) -> Vec<Recorded> {
    store.record(batch_of(observations)).await.expect("recordable")
}

async fn history(store: &impl Store) -> Vec<Observation> {
    store.observations(&place_id("azul"), &every_observation()).await.expect("readable")
}

async fn revisions(store: &impl Store, at_minute: i64) -> Vec<StoredRevision> {
    let place = place_id("azul");
    store.revisions(&place, PROVIDER, minute(at_minute)).await.expect("readable")
}

/// No reading, flag or code is lost or rounded, and what was not said stays unsaid.
pub async fn observation_comes_back_as_it_was_recorded(store: &impl Store) {
    with_place(store).await;
    let full = full_observation("azul", PROVIDER, 0);
    let mut without_interval = full_observation("azul", PROVIDER, 1);
    without_interval.readings.precipitation =
        Some(Precipitation { amount: Millimeters(0.0), interval: None });
    without_interval.source_kind = SourceKind::Station;
    let plain = plain_observation("azul", PROVIDER, 2, 1e-3);
    let said = [full, without_interval, plain];
    assert_eq!(record(store, said.clone()).await, [const { Recorded::Inserted }; 3]);
    assert_eq!(history(store).await, said);
}

/// The same answer again adds no row, makes no revision, and keeps the first `fetched_at`.
pub async fn repeated_observation_changes_nothing(store: &impl Store) {
    with_place(store).await;
    let first = full_observation("azul", PROVIDER, 0);
    record(store, [first.clone()]).await;
    for poll in 1..=10 {
        let again = Observation { fetched_at: minute(15 * poll), ..first.clone() };
        let unchanged = Recorded::Unchanged { first_fetched_at: first.fetched_at };
        assert_eq!(record(store, [again]).await, [unchanged]);
    }
    assert_eq!(history(store).await, [first]);
    assert_eq!(revisions(store, 0).await, []);
}

/// The newest answer counts, the older ones stay readable, oldest first.
pub async fn different_answer_becomes_a_revision(store: &impl Store) {
    with_place(store).await;
    let answers: Vec<Observation> = (0..3)
        .map(|nth| Observation {
            fetched_at: minute(10 * nth),
            // The third answer says what the first one said, which is a correction as well.
            ..plain_observation("azul", PROVIDER, 0, if nth == 1 { 21.0 } else { 20.0 })
        })
        .collect();
    assert_eq!(record(store, [answers[0].clone()]).await, [Recorded::Inserted]);
    assert_eq!(record(store, [answers[1].clone()]).await, [Recorded::Revised { revision: 1 }]);
    assert_eq!(record(store, [answers[2].clone()]).await, [Recorded::Revised { revision: 2 }]);

    assert_eq!(history(store).await, [answers[2].clone()]);
    let replaced = |revision: u32, nth: usize| StoredRevision {
        revision,
        replaced_at: answers[nth + 1].fetched_at,
        observation: answers[nth].clone(),
    };
    assert_eq!(revisions(store, 0).await, [replaced(0, 0), replaced(1, 1)]);
    assert_eq!(revisions(store, 1).await, [], "nothing was said of that minute");
}

/// Each single change is told from a repetition.
pub async fn every_part_of_an_observation_counts_as_a_difference(store: &impl Store) {
    with_place(store).await;
    let changes: [fn(&mut Observation); 9] = [
        |said| said.source_kind = SourceKind::Station,
        |said| said.readings.temperature = None,
        |said| said.readings.relative_humidity = Some(Percent(87.1)),
        |said| said.readings.precipitation.as_mut().expect("it rains").interval = None,
        |said| said.readings.precipitation = None,
        |said| said.condition.as_mut().expect("said").intensity = Intensity::Heavy,
        |said| said.condition.as_mut().expect("said").raw_code = "63".to_owned(),
        |said| said.condition = None,
        |said| said.flags.set(Quantity::Temperature, Flag::Suspect),
    ];
    record(store, [full_observation("azul", PROVIDER, 0)]).await;
    let mut last = full_observation("azul", PROVIDER, 0);
    for (change, revision) in changes.iter().zip(1..) {
        change(&mut last);
        assert_eq!(record(store, [last.clone()]).await, [Recorded::Revised { revision }]);
        assert_eq!(history(store).await, [last.clone()], "revision {revision}");
    }
}

/// Within one batch the order of the observations decides, as it would over several.
pub async fn one_batch_may_repeat_and_correct_itself(store: &impl Store) {
    with_place(store).await;
    let said = |temperature_c| plain_observation("azul", PROVIDER, 0, temperature_c);
    let other = plain_observation("azul", ProviderId::MetNorway, 0, 1.0);
    let first_fetched_at = said(1.0).fetched_at;

    let results = record(store, [said(1.0), other.clone(), said(1.0), said(2.0), said(3.0)]).await;
    let expected = [
        Recorded::Inserted,
        Recorded::Inserted,
        Recorded::Unchanged { first_fetched_at },
        Recorded::Revised { revision: 1 },
        Recorded::Revised { revision: 2 },
    ];
    assert_eq!(results, expected);
    let results = record(store, [said(3.0), said(4.0), said(4.0)]).await;
    let expected = [
        Recorded::Unchanged { first_fetched_at },
        Recorded::Revised { revision: 3 },
        Recorded::Unchanged { first_fetched_at },
    ];
    assert_eq!(results, expected);

    assert_eq!(history(store).await, [other, said(4.0)]);
    let replaced = revisions(store, 0).await;
    let temperatures = replaced.iter().map(|one| one.observation.readings.temperature);
    assert_eq!(temperatures.collect::<Vec<_>>(), [1.0, 2.0, 3.0].map(|c| Some(Celsius(c))));
    assert_eq!(replaced.iter().map(|one| one.revision).collect::<Vec<_>>(), [0, 1, 2]);
}

/// What is finer than a millisecond neither survives nor makes a difference.
pub async fn instants_are_cut_to_the_millisecond(store: &impl Store) {
    with_place(store).await;
    let nanos = |nanos| minute(0) + SignedDuration::from_nanos(nanos);
    let said = |observed_at: Timestamp, fetched_at: Timestamp| Observation {
        observed_at,
        fetched_at,
        ..plain_observation("azul", PROVIDER, 0, 7.0)
    };
    let whole = said(nanos(5_000_000), nanos(9_000_000));
    assert_eq!(
        record(store, [said(nanos(5_999_999), nanos(9_000_001))]).await,
        [Recorded::Inserted]
    );
    let unchanged = Recorded::Unchanged { first_fetched_at: whole.fetched_at };
    assert_eq!(record(store, [whole.clone()]).await, [unchanged]);
    assert_eq!(history(store).await, [whole]);

    let mut filter = every_observation();
    filter.from = Some(nanos(5_000_001));
    let later = store.observations(&place_id("azul"), &filter).await.expect("readable");
    assert_eq!(later, [], "the kept instant lies before the stretch");
    filter.from = None;
    filter.to = Some(nanos(5_000_001));
    let before = store.observations(&place_id("azul"), &filter).await.expect("readable");
    assert_eq!(before.len(), 1, "the kept instant lies before the end");
}

/// A value that differs from itself would be a correction for ever.
pub async fn reading_that_is_no_number_is_left_out(store: &impl Store) {
    with_place(store).await;
    let mut said = full_observation("azul", PROVIDER, 0);
    said.readings.temperature = Some(Celsius(f64::NAN));
    said.readings.relative_humidity = Some(Percent(f64::INFINITY));
    said.readings.precipitation =
        Some(Precipitation { amount: Millimeters(f64::NAN), interval: None });
    assert_eq!(record(store, [said.clone()]).await, [Recorded::Inserted]);
    let unchanged = Recorded::Unchanged { first_fetched_at: said.fetched_at };
    assert_eq!(record(store, [said.clone()]).await, [unchanged]);
    said.readings.temperature = None;
    said.readings.relative_humidity = None;
    said.readings.precipitation = None;
    assert_eq!(history(store).await, [said]);
}

/// The good part of a bad batch is not written either.
pub async fn unknown_place_refuses_the_whole_batch(store: &impl Store) {
    with_place(store).await;
    let good = plain_observation("azul", PROVIDER, 0, 1.0);
    let bad = plain_observation("nowhere", PROVIDER, 0, 1.0);
    let refused = store.record(batch_of([good.clone(), bad])).await;
    assert!(
        matches!(&refused, Err(StoreError::UnknownPlace(place)) if place.as_str() == "nowhere")
    );
    assert_eq!(history(store).await, []);
    assert_eq!(record(store, [good]).await, [Recorded::Inserted]);
}

/// A place is never served from what is not there.
pub async fn selection_of_nothing_refuses_the_whole_batch(store: &impl Store) {
    with_place(store).await;
    let good = plain_observation("azul", PROVIDER, 0, 1.0);
    let missing = plain_observation("azul", PROVIDER, 1, 1.0);
    let selections = vec![selection_of(&missing, 2)];
    let batch = Batch { observations: vec![good], selections, answers: Vec::new() };
    let refused = store.record(batch).await;
    assert!(matches!(refused, Err(StoreError::Write { .. })), "{refused:?}");
    assert_eq!(history(store).await, []);
    assert_eq!(store.served().await.expect("readable"), []);
}

/// Hundreds of observations at once are each answered in their own place.
pub async fn large_batch_is_answered_in_order(store: &impl Store) {
    with_place(store).await;
    let said = |at_minute| plain_observation("azul", PROVIDER, at_minute, 1.0);
    let odd: Vec<Observation> = (0..400).filter(|nth| nth % 2 == 1).map(said).collect();
    record(store, odd).await;
    let mut all: Vec<Observation> = (0..400).rev().map(said).collect();
    all[0].readings.temperature = Some(Celsius(2.0));
    let results = record(store, all.clone()).await;
    for (observation, result) in all.iter().zip(results) {
        let nth = (observation.observed_at.as_second() - minute(0).as_second()) / 60;
        let expected = match nth {
            399 => Recorded::Revised { revision: 1 },
            odd if odd % 2 == 1 => Recorded::Unchanged { first_fetched_at: observation.fetched_at },
            _ => Recorded::Inserted,
        };
        assert_eq!(result, expected, "minute {nth}");
    }
    assert_eq!(history(store).await.len(), 400);
}
