//! The polling job: its schedule, what it survives, how it ends.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use pampero_loader::{AveragePeriod, Role};
use pampero_weather::provider::ProviderId;

use crate::bed::{Bed, at, draft, fake, id, minutes};
use crate::fake::Say;

#[tokio::test(start_paused = true)]
async fn rounds_come_once_per_interval() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.wait(Duration::from_secs(24 * 3600)).await;
    assert_eq!(bed.fakes[0].calls().len(), 1 + 24 * 4, "one at the start, then four an hour");
    let stats = bed.poller.stats();
    assert_eq!((stats.regular_rounds, stats.rechecks, stats.unanswered), (97, 0, 0));
    assert_eq!((stats.lateness.count(), stats.round_durations.count()), (97, 97));
}

#[tokio::test(start_paused = true)]
async fn a_new_place_is_asked_at_once_and_a_removed_one_no_more() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.settle().await;
    bed.places.add(draft("rosario")).await.unwrap();
    bed.settle().await;
    assert_eq!(bed.fakes[0].calls().last().unwrap(), &[id("rosario")]);
    assert!(bed.served("rosario").is_some());

    bed.places.remove(&id("rosario")).await.unwrap();
    bed.next_round().await;
    assert_eq!(bed.fakes[0].calls().last().unwrap(), &[id("jfk")]);
    assert!(bed.board.slot(&id("rosario")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_an_adapter_costs_one_round() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].next([Say::Panic]);
    bed.settle().await;
    assert_eq!(bed.served("jfk"), None);
    bed.next_round().await;
    assert_eq!(bed.temperature("jfk"), Some(10.0));
}

#[tokio::test(start_paused = true)]
async fn a_restart_serves_what_was_served_and_keeps_how_it_was_chosen() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[0].always(Say::Down);
    bed.settle().await;
    let before = bed.served("jfk").unwrap();
    assert!(matches!(before.role, Role::Fallback { .. }));
    bed.stop().await;

    let fakes = vec![fake(0, &bed.clock), fake(1, &bed.clock)];
    for fake in &fakes {
        fake.always(Say::Hang);
    }
    let again =
        Bed::start_on(Arc::clone(&bed.store), Arc::clone(&bed.clock), &["jfk"], fakes).await;
    assert_eq!(again.served("jfk").unwrap(), before, "before anybody was asked");
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_is_used_until_it_expires_also_after_a_restart() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].expires_after(minutes(40));
    bed.wait(Duration::from_secs(25 * 60)).await;
    assert_eq!(bed.fakes[0].calls().len(), 1);
    bed.stop().await;

    let fakes = vec![fake(0, &bed.clock)];
    let again =
        Bed::start_on(Arc::clone(&bed.store), Arc::clone(&bed.clock), &["jfk"], fakes).await;
    again.wait(Duration::from_secs(10 * 60)).await;
    assert!(again.fakes[0].calls().is_empty(), "the answer of the first start is still good");
    again.wait(Duration::from_secs(15 * 60)).await;
    assert_eq!(again.fakes[0].calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_a_provider_that_hangs() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].always(Say::Hang);
    bed.settle().await;
    assert!(bed.stop().await < Duration::from_secs(1));
    assert_eq!(bed.trouble("jfk"), None, "an end is no failure of a provider");
}

#[tokio::test(start_paused = true)]
async fn a_mean_prefers_the_first_provider_and_says_what_it_covers() {
    let bed = Bed::start(&["jfk"], 2).await;
    bed.fakes[1].always(Say::Degrees(0.0, SignedDuration::ZERO));
    bed.wait(Duration::from_secs(6 * 3600)).await;
    bed.fakes[0].always(Say::Down);
    bed.wait(Duration::from_secs(6 * 3600)).await;

    let mean = bed.averages.temperature(&id("jfk"), AveragePeriod::Day).await.unwrap();
    assert!((mean.mean.coverage - 0.5).abs() < 0.01, "{mean:?}");
    // Ten degrees for a little over six hours, since a value speaks for an hour, then nought.
    let value = mean.mean.value.unwrap();
    assert!((5.2..6.2).contains(&value), "{value}");
    assert_eq!(mean.providers, [ProviderId::OpenMeteo, ProviderId::MetNorway]);
    assert_eq!(mean.mean.window.to, bed.clock.now());
    assert_eq!(mean.mean.window.from, at("2026-11-24T00:02:00Z"));
}

#[tokio::test(start_paused = true)]
async fn a_mean_is_worked_out_anew_when_a_value_comes() {
    let bed = Bed::start(&["jfk"], 1).await;
    let before = bed.averages.temperature(&id("jfk"), AveragePeriod::Week).await.unwrap();
    assert_eq!(before.mean.value, None);
    bed.settle().await;
    let after = bed.averages.temperature(&id("jfk"), AveragePeriod::Week).await.unwrap();
    assert_eq!(after.mean.value, Some(10.0));
}
