//! The job that keeps means at hand.

use std::time::Duration;

use jiff::SignedDuration;
use pampero_loader::{AveragePeriod, Averages};

use crate::bed::{Bed, id};
use crate::fake::Say;

/// Returns the day's mean of a place in °C, with its coverage, as it is at hand.
fn at_hand(bed: &Bed, place: &str) -> Option<(Option<f64>, f64)> {
    let means = bed.averages.at_hand();
    let means = means.get(&id(place))?;
    let [(period, day), _] = means.all();
    assert_eq!(period, AveragePeriod::Day);
    Some((day.mean.value, day.mean.coverage))
}

#[tokio::test(start_paused = true)]
async fn means_are_at_hand_and_follow_new_values() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.fakes[0].always(Say::Degrees(4.0, SignedDuration::from_mins(5)));
    assert_eq!(at_hand(&bed, "jfk"), None);
    bed.averages.renew_at_hand(&bed.places).await;
    assert_eq!(at_hand(&bed, "jfk"), Some((None, 0.0)), "coverage is told without a mean too");
    bed.settle().await;
    bed.averages.renew_at_hand(&bed.places).await;
    let (value, coverage) = at_hand(&bed, "jfk").unwrap();
    assert_eq!(value, Some(4.0));
    assert!(0.0 < coverage && coverage < 0.01, "{coverage}");
}

#[tokio::test(start_paused = true)]
async fn means_are_worked_out_anew_only_when_they_grow_old() {
    let bed = Bed::start(&["jfk"], 1).await;
    bed.settle().await;
    bed.averages.renew_at_hand(&bed.places).await;
    let first = bed.averages.at_hand()[&id("jfk")].clone();
    bed.wait(Averages::RENEWED_AFTER - Duration::from_secs(1)).await;
    bed.averages.renew_at_hand(&bed.places).await;
    assert_eq!(bed.averages.at_hand()[&id("jfk")].day, first.day);
    bed.wait(Duration::from_secs(1)).await;
    bed.averages.renew_at_hand(&bed.places).await;
    let second = bed.averages.at_hand()[&id("jfk")].clone();
    assert!(first.day.computed_at < second.day.computed_at);
    bed.cancel.cancel();
}

#[tokio::test(start_paused = true)]
async fn one_look_works_out_a_bounded_number_of_places() {
    let names: Vec<String> = (0..Averages::RENEWED_MAX + 6).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bed = Bed::start(&names, 1).await;
    bed.averages.renew_at_hand(&bed.places).await;
    assert_eq!(bed.averages.at_hand().len(), Averages::RENEWED_MAX);
    bed.averages.renew_at_hand(&bed.places).await;
    assert_eq!(bed.averages.at_hand().len(), names.len());
}
