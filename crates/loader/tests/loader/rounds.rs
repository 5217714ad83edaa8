//! One round: the chain, fallback, what is refused, what is stored before it is served.

use std::time::Duration;

use jiff::SignedDuration;
use pampero_loader::Role;
use pampero_weather::event::EventKind;
use pampero_weather::provider::ProviderId;

use crate::bed::{Bed, INTERVAL, at, id, minutes};
use crate::fake::Say;
use pampero_store::{Store, StoreError};

fn fresh(degrees: f64) -> Say {
    Say::Degrees(degrees, SignedDuration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn all_places_are_asked_in_one_batch_and_served_as_primary() {
    let bed = Bed::start(&["ewr", "jfk", "lga"], 2).await;
    bed.settle().await;

    assert_eq!(bed.fakes[0].calls().len(), 1);
    assert_eq!(bed.fakes[0].calls()[0].len(), 3);
    assert!(bed.fakes[1].calls().is_empty(), "a fallback is not asked without need");
    for place in ["ewr", "jfk", "lga"] {
        let served = bed.served(place).unwrap();
        assert_eq!(served.role, Role::Primary);
        assert_eq!(served.observation.provider, ProviderId::OpenMeteo);
        assert_eq!(bed.stored(place).await, std::slice::from_ref(&served.observation));
    }
    let [first, second] = [0, 1].map(|rank| bed.sources.chain()[rank].stats());
    assert_eq!((first.served_as_primary, first.served_as_fallback), (3, 0));
    assert_eq!((first.batch_sizes.count(), first.batch_sizes.sum), (1, 3.0));
    assert_eq!(first.answer_ages.count(), 3);
    assert_eq!((second.served_as_primary, second.batch_sizes.count()), (0, 0));
    assert_eq!(bed.kinds().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_marked_and_ends_when_the_first_answers_again() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].next([Say::Down]);
    bed.fakes[1].always(fresh(7.0));
    bed.settle().await;

    let served = bed.served("jfk").unwrap();
    assert_eq!(bed.temperature("jfk"), Some(7.0));
    let fallback = bed.sources.chain()[1].stats();
    assert_eq!((fallback.served_as_primary, fallback.served_as_fallback), (0, 1));
    let cause = served.role.fallback_cause().unwrap().to_owned();
    assert!(cause.starts_with("open_meteo: transient: ") && cause.contains("503"), "{cause}");

    bed.wait(Duration::from_secs(61)).await;
    assert_eq!(
        bed.temperature("jfk"),
        Some(10.0),
        "the first is tried again before the next round"
    );
    assert_eq!(bed.served("jfk").unwrap().role, Role::Primary);
    assert_eq!(bed.fakes[1].calls().len(), 1, "a recheck does not ask the fallback again");
    assert_eq!(
        bed.kinds().await,
        [
            EventKind::AttemptFailed,
            EventKind::GaveUp,
            EventKind::FallbackStarted,
            EventKind::FallbackEnded
        ]
    );
    let events = bed.events().await;
    assert_eq!(events[2].provider, Some(ProviderId::MetNorway));
    assert_eq!(events[2].place, Some(id("jfk")));
    assert_eq!(events[2].cause.as_deref(), Some(cause.as_str()));
    assert!(events.is_sorted_by_key(|event| event.at));
}

#[tokio::test(start_paused = true)]
async fn only_the_place_that_failed_goes_on_to_the_fallback() {
    let bed = Bed::start(&["ewr", "jfk"], 2).await;
    bed.fakes[0].always(Say::DegreesExcept(3.0, "jfk"));
    bed.fakes[1].always(fresh(4.0));
    bed.settle().await;

    assert_eq!(bed.temperature("ewr"), Some(3.0));
    assert_eq!(bed.temperature("jfk"), Some(4.0));
    assert_eq!(bed.served("ewr").unwrap().role, Role::Primary);
    assert!(bed.served("jfk").unwrap().role.fallback_cause().unwrap().contains("malformed"));
    assert_eq!(bed.fakes[1].calls(), [[id("jfk")]]);
}

#[tokio::test(start_paused = true)]
async fn with_everybody_down_the_last_value_stays_and_the_trouble_is_told_once() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.settle().await;
    let before = bed.served("jfk").unwrap();
    bed.fakes[0].always(Say::Down);
    bed.fakes[1].always(Say::Hang);
    for _ in 0..4 {
        bed.next_round().await;
    }

    assert_eq!(bed.served("jfk").unwrap(), before, "no value is stamped anew");
    let trouble = bed.trouble("jfk").unwrap();
    assert!(trouble.contains("open_meteo: ") && trouble.contains("met_norway: "), "{trouble}");
    let kinds = bed.kinds().await;
    let count = |kind| kinds.iter().filter(|told| **told == kind).count();
    assert_eq!(count(EventKind::ChainExhausted), 1);
    assert!(count(EventKind::BreakerOpened) >= 2, "both breakers open");

    bed.fakes[0].always(fresh(1.0));
    bed.next_round().await;
    assert_eq!(bed.temperature("jfk"), Some(1.0));
    assert_eq!(bed.trouble("jfk"), None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_served_that_the_store_refused() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.store.refuse_writes(Some(|| StoreError::DiskFull));
    bed.settle().await;
    assert_eq!(bed.served("jfk"), None);
    assert!(bed.trouble("jfk").unwrap().contains("the disk is full"));

    bed.store.refuse_writes(None);
    bed.next_round().await;
    assert_eq!(bed.temperature("jfk"), Some(10.0));
    assert!(bed.kinds().await.contains(&EventKind::StoreFailed), "events wait for room");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_old_gives_way_to_the_fallback() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].always(Say::Degrees(20.0, minutes(61)));
    bed.fakes[1].always(fresh(4.0));
    bed.settle().await;

    assert_eq!(bed.temperature("jfk"), Some(4.0));
    assert_eq!(bed.stored("jfk").await.len(), 1, "the old answer is not stored as new");
    assert_eq!(bed.kinds().await, [EventKind::AnswerRejected, EventKind::FallbackStarted]);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_served_when_there_is_nothing_newer() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].always(Say::Degrees(20.0, minutes(61)));
    bed.fakes[1].always(Say::Down);
    bed.settle().await;

    assert_eq!(bed.temperature("jfk"), Some(20.0));
    assert_eq!(
        bed.served("jfk").unwrap().observation.observed_at,
        at("2026-11-24T11:01:00Z") + SignedDuration::from_millis(20)
    );
    assert_eq!(bed.served("jfk").unwrap().role, Role::Primary, "the first provider said it");
    assert!(bed.trouble("jfk").unwrap().contains("answer rejected"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_the_future_is_never_taken() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].always(Say::Degrees(20.0, minutes(-6)));
    bed.settle().await;
    assert_eq!(bed.served("jfk"), None);
    assert!(bed.stored("jfk").await.is_empty());
    assert_eq!(bed.kinds().await, [EventKind::AnswerRejected, EventKind::ChainExhausted]);

    bed.fakes[0].always(Say::Degrees(20.0, minutes(-4)));
    bed.next_round().await;
    assert_eq!(bed.temperature("jfk"), Some(20.0), "a small difference of clocks is forgiven");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_not_covered_is_left_alone_for_a_day() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].always(Say::Down);
    bed.fakes[1].always(Say::NotCovered);
    bed.wait(Duration::from_secs(23 * 3600)).await;
    assert_eq!(bed.fakes[1].calls().len(), 1);
    bed.wait(Duration::from_secs(2 * 3600)).await;
    assert_eq!(bed.fakes[1].calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_asked_once_an_hour() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].always(Say::KeyRefused);
    bed.wait(Duration::from_secs(59 * 60)).await;
    assert_eq!(bed.fakes[0].calls().len(), 1);
    assert!(!bed.kinds().await.contains(&EventKind::BreakerOpened));
    bed.wait(INTERVAL * 2).await;
    assert_eq!(bed.fakes[0].calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_same_answer_again_changes_nothing_and_a_different_one_is_a_revision() {
    let bed = Bed::start(&["jfk"], 1).await;
    let observed_at = at("2026-11-24T12:00:00Z");
    bed.fakes[0].always(Say::At(10.0, observed_at));
    bed.settle().await;
    let first = bed.served("jfk").unwrap();
    for _ in 0..2 {
        bed.next_round().await;
    }
    assert_eq!(bed.fakes[0].calls().len(), 3);
    assert_eq!(bed.stored("jfk").await, std::slice::from_ref(&first.observation));
    assert_eq!(bed.served("jfk").unwrap().observation, first.observation, "fetched_at included");

    bed.fakes[0].always(Say::At(11.0, observed_at));
    bed.next_round().await;
    assert_eq!(bed.stored("jfk").await.len(), 1);
    assert_eq!(bed.temperature("jfk"), Some(11.0));
    let revisions = bed.store.revisions(&id("jfk"), ProviderId::OpenMeteo, observed_at).await;
    assert_eq!(revisions.unwrap()[0].observation, first.observation);
    assert!(bed.kinds().await.contains(&EventKind::RevisionStored));
}

#[tokio::test(start_paused = true)]
async fn out_of_bounds_readings_are_removed_and_told() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].always(fresh(999.0));
    bed.settle().await;
    assert_eq!(bed.temperature("jfk"), None);
    assert!(bed.served("jfk").is_some(), "the rest of the record survives");
    let events = bed.events().await;
    assert_eq!(events[0].kind, EventKind::ReadingRejected);
    assert!(events[0].cause.as_deref().unwrap().starts_with("temperature: "));
}
