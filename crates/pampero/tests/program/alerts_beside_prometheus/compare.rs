//! What is different between two sides, a line for each difference, which begins with what it is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::scene::{BEAT, RECORDED, Recorded};
use super::side::{STEP_MS, Side, Stretch, Timelines};

/// Compares what is listed of rules and alerts.
pub(super) fn different_entries(
    theirs: &BTreeMap<String, Value>,
    ours: &BTreeMap<String, Value>,
) -> Vec<String> {
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let different = names.into_iter().filter(|name| theirs.get(*name) != ours.get(*name));
    let written = |entry: Option<&Value>| entry.map_or("nothing".to_owned(), Value::to_string);
    let line = |name: &String| {
        let (theirs, ours) = (written(theirs.get(name)), written(ours.get(name)));
        format!("{name}:\n  {ours}\n  and not {theirs}")
    };
    different.map(line).collect()
}

/// Compares when alerts were there, and what the Alertmanagers said of them.
pub(super) fn different_timelines(
    theirs: &Timelines,
    ours: &Timelines,
    apart_ms: i64,
) -> Vec<String> {
    let lines: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
    let mut different = Vec::new();
    for line in lines {
        let of = |side: &Timelines| side.get(line).cloned().unwrap_or_default();
        let (theirs, ours) = (of(theirs), of(ours));
        let is_near = |(one, other): (&Stretch, &Stretch)| {
            one.said == other.said
                && one.begin_ms.abs_diff(other.begin_ms) <= apart_ms.unsigned_abs()
                && one.end_ms.abs_diff(other.end_ms) <= apart_ms.unsigned_abs()
        };
        if theirs.len() != ours.len() || !theirs.iter().zip(&ours).all(is_near) {
            different.push(format!("{} {}: {ours:?}\n  and not {theirs:?}", line.0, line.1));
        }
    }
    different
}

/// Compares since when alerts are told to fire with when they were evaluated to, in the same side.
pub(super) fn different_beginnings(side: &Timelines) -> Vec<String> {
    let mut different = Vec::new();
    for ((_, labels), told) in side.iter().filter(|((from, _), _)| *from == "Alertmanager") {
        let firing = side.get(&("ALERTS", labels.with("alertstate", "firing")));
        let firing = firing.map(Vec::as_slice).unwrap_or_default();
        let is_same = |(told, firing): (&Stretch, &Stretch)| {
            // A query by range finds it with its next step.
            (0..=STEP_MS).contains(&(firing.begin_ms - told.begin_ms))
        };
        if told.len() != firing.len() || !told.iter().zip(firing).all(is_same) {
            different.push(format!("beginnings {labels}: {told:?}\n  and not {firing:?}"));
        }
    }
    different
}

/// Compares the states of alerts with those that follow from when their conditions held, evaluation by
/// evaluation.
pub(super) async fn different_evaluations(side: &Side) -> Vec<String> {
    let beats = samples(side, BEAT).await;
    let mut different = Vec::new();
    for recorded in &RECORDED {
        let held = samples(side, recorded.record).await;
        let follows = states(recorded, &beats, &held);
        let mut found = BTreeMap::new();
        for state in ["pending", "firing"] {
            let selector =
                format!("ALERTS{{alertname=\"{}\", alertstate=\"{state}\"}}", recorded.alert);
            for at_ms in samples(side, &selector).await {
                found.entry(at_ms).or_insert_with(Vec::new).push(state);
            }
        }
        if found != follows || !follows.values().any(|states| states == &["firing"]) {
            let alert = recorded.alert;
            different.push(format!("evaluations of {alert}: {found:?}\n  and not {follows:?}"));
        }
    }
    different
}

/// Returns at which times the series of a selector have samples, in milliseconds since the Unix epoch.
async fn samples(side: &Side, selector: &str) -> BTreeSet<i64> {
    side.samples(selector).await.into_iter().flat_map(|(_, times)| times).collect()
}

/// Returns the states of an alert that is evaluated at `beats` and whose condition holds at `held`.
///
/// Source: Prometheus, configuration of alerting rules, `for` and `keep_firing_for`.
fn states(
    recorded: &Recorded,
    beats: &BTreeSet<i64>,
    held: &BTreeSet<i64>,
) -> BTreeMap<i64, Vec<&'static str>> {
    let mut states = BTreeMap::new();
    let mut since_ms = None;
    let mut is_firing = false;
    let mut kept_since_ms = None;
    for &beat_ms in beats {
        let holds = held.contains(&beat_ms);
        if holds {
            kept_since_ms = None;
            is_firing |= recorded.hold_ms <= beat_ms - *since_ms.get_or_insert(beat_ms);
        } else if is_firing {
            is_firing = beat_ms - *kept_since_ms.get_or_insert(beat_ms) < recorded.keep_firing_ms;
        }
        if holds || is_firing {
            states.insert(beat_ms, vec![if is_firing { "firing" } else { "pending" }]);
        } else {
            (since_ms, kept_since_ms) = (None, None);
        }
    }
    states
}
