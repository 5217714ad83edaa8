//! A backtest gives exactly what a live run over the same documents gave.

use std::sync::Arc;
use std::time::Duration;

use pampero_alerting::{
    AlertState, Backtest, BacktestOptions, DefaultTeller, Finding, LogSearch, Monitor, Observation,
    Outcome, Phase, Policy, SourceId, SourceKind, StoredFacts, backtest, backtest_observations,
};
use pampero_series::Labels;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::scene::{Indexed, Listed, Stage, after, monitor, recorded, start, words};

fn monitors() -> Vec<Value> {
    let mut held = monitor(1, "ctx.results[0].hits.total.value > 4");
    held["pampero"] = json!({ "no_data": "tell", "triggers": { "count_error": {
        "for": "2m", "keep_firing_for": "3m", "reminder": "20m",
    } } });
    let hysteresis = "def count = ctx.results[0].hits.total.value; return ctx.alert == null ? count > 8 : count > 6";
    let mut throttled = monitor(1, hysteresis);
    throttled["triggers"][0]["actions"][0]["throttle_enabled"] = json!(true);
    throttled["triggers"][0]["actions"][0]["throttle"] = json!({ "value": 30, "unit": "MINUTES" });
    let mut cron = monitor(1, "ctx.results[0].hits.total.value > 2");
    cron["schedule"] =
        json!({ "cron": { "expression": "*/7 * * * *", "timezone": "Europe/Berlin" } });
    vec![monitor(10, "ctx.results[0].hits.total.value > 2"), held, throttled, cron]
}

#[tokio::test(start_paused = true)]
async fn the_past_of_a_list_is_as_it_was_live() {
    for (seed, monitor) in (1..).zip(monitors()) {
        let documents = recorded(seed);
        let search = Arc::new(Listed::default());
        let fed = search.clone();
        let feed = move |upto: usize| {
            fed.documents.lock().unwrap().push(recorded(seed)[upto].clone());
        };
        let times = documents.iter().map(|(at, _)| *at).collect();
        check(&monitor, search, times, 3 * 3_600, feed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_past_of_an_index_is_as_it_was_live() {
    let documents = recorded(7);
    let search = Arc::new(Indexed::new());
    let fed = search.clone();
    let times = documents.iter().map(|(at, _)| *at).collect();
    let feed = move |number: usize| fed.write(&documents[number..=number]);
    let mut shipped: Value =
        serde_json::from_str(include_str!("../../../../monitors/error_logs.json")).unwrap();
    shipped["schedule"]["period"]["interval"] = json!(3);
    check(&shipped, search, times, 3_600, feed).await;
}

/// Plays a monitor while documents come in at their times, and then over all of them.
async fn check(
    definition: &Value,
    search: Arc<dyn LogSearch>,
    times: Vec<jiff::Timestamp>,
    length_seconds: i64,
    feed: impl Fn(usize),
) {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(&folder, search.clone(), start());
    let entry = stage.definitions.create_monitor(Some("logs"), definition).unwrap();
    let feeding = async {
        let mut now = start();
        for (number, at) in times.iter().enumerate() {
            tokio::time::sleep(Duration::try_from(at.duration_since(now)).unwrap()).await;
            now = *at;
            if after(length_seconds) < now {
                break;
            }
            feed(number);
        }
    };
    let length = Duration::from_secs(length_seconds.unsigned_abs());
    tokio::join!(stage.play(length + Duration::from_millis(1)), feeding);

    let mut options = BacktestOptions::between(start(), after(length_seconds));
    options.anchor = Some(stage.runner.anchor(&entry));
    let cancel = CancellationToken::new();
    let found = backtest(&entry.item, &entry.facts(), &options, &*search, &words(), &cancel);

    let notes = stage.notebook.state.lock().unwrap();
    assert_eq!(found.evaluations, notes.runs.len());
    assert_eq!(found.stopped, None);
    let began = notes.seen.iter().filter(|(_, _, state)| *state == AlertState::Active);
    let began: Vec<_> = began.map(|(at, _, _)| *at).collect();
    let firings: Vec<_> = found.firings.iter().map(|firing| firing.start).collect();
    assert_eq!(firings, began);
    assert!(1 < firings.len(), "{definition}: a past in which nothing happens shows nothing");
    let ended = notes.seen.iter().filter(|(_, _, state)| *state == AlertState::Completed);
    let ended: Vec<_> = ended.map(|(at, _, _)| *at).collect();
    let ends: Vec<_> = found.firings.iter().filter_map(|firing| firing.end).collect();
    assert!(ends.iter().all(|end| ended.contains(end)) && firings.len() <= ends.len() + 1);
    let told: Vec<_> = found
        .messages
        .iter()
        .map(|told| (told.at, told.kind, told.subject.clone(), told.text.clone()))
        .collect();
    assert_eq!(told, notes.said);
    assert_eq!(found.message_count, told.len());
    assert!(found.firings.iter().all(|firing| firing.peak.is_some_and(|peak| 2.0 < peak)));
}

fn play(options: &BacktestOptions, cancel: &CancellationToken) -> Backtest {
    let search = Listed::default();
    let mut reader = monitor(1, "return true");
    reader["triggers"][0]["actions"][0]["message_template"]["source"] = json!("{{nothing}}");
    let reader = Arc::new(Monitor::from_json(&reader).unwrap());
    backtest(&reader, &StoredFacts::default(), options, &search, &words(), cancel)
}

#[test]
fn a_backtest_is_bounded_and_can_be_cancelled() {
    let mut options = BacktestOptions::between(start(), after(86_400 * 365));
    options.evaluations_max = 10;
    let cancel = CancellationToken::new();
    let found = play(&options, &cancel);
    assert_eq!((found.evaluations, found.count), (10, 1));
    assert!(found.stopped.unwrap().starts_with("it may play 10 runs"));
    // What cannot be rendered is told in default words, and is an error.
    assert_eq!((found.messages.len(), found.errors.len()), (1, 1));
    assert!(found.errors[0].reason.contains("Message content missing"), "{:?}", found.errors);
    options.time_max = Duration::ZERO;
    assert!(play(&options, &cancel).stopped.unwrap().starts_with("it may take 0 s"));
    cancel.cancel();
    assert!(play(&options, &cancel).stopped.unwrap().starts_with("it was cancelled"));
}

#[test]
fn what_a_rule_observed_can_be_played() {
    let source = SourceId {
        kind: SourceKind::Rule,
        definition: "rules/weather.yml;weather".to_owned(),
        trigger: "Frost".to_owned(),
    };
    let policy = Policy {
        definition_name: "weather".to_owned(),
        name: "Frost".to_owned(),
        severity: 3,
        labels: Labels::empty(),
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        no_data: pampero_alerting::NoDataRule::Quiet,
        actions: Vec::new(),
        reminder: None,
        recovery: true,
        escalations: Vec::new(),
    };
    let key = |place: &str| Labels::empty().with("place", place);
    let finding = |place: &str, value: f64, since: i64| Finding {
        key: key(place),
        phase: Phase::Firing { since: after(since) },
        value: Some(value),
        annotations: Vec::new(),
    };
    let observed = |at: i64, findings: Vec<Finding>| Observation {
        at: after(at),
        outcome: Outcome::Known(findings),
        answer: None,
    };
    let observations = [
        observed(0, vec![]),
        observed(60, vec![finding("jfk", 1.0, 60)]),
        observed(120, vec![finding("jfk", 5.0, 60), finding("eze", 2.0, 120)]),
        observed(180, vec![finding("jfk", 3.0, 60)]),
        observed(240, vec![]),
    ];
    let options = BacktestOptions::between(after(0), after(240));
    let cancel = CancellationToken::new();
    let found = backtest_observations(
        &source,
        &policy,
        observations,
        &DefaultTeller,
        &words(),
        &options,
        &cancel,
    );
    assert_eq!((found.count, found.evaluations), (2, 5));
    let firings: Vec<_> = found
        .firings
        .iter()
        .map(|firing| (firing.key[0].1.as_str(), firing.start, firing.end, firing.peak))
        .collect();
    let expected = [
        ("jfk", after(60), Some(after(240)), Some(5.0)),
        ("eze", after(120), Some(after(180)), Some(2.0)),
    ];
    assert_eq!(firings, expected);
}
