//! Runs on schedule: when, how often, and with which outcome.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_alerting::{AlertState, RunOptions};
use serde_json::{Value, json};

use crate::scene::{Listed, Stage, after, error_at, monitor, recorded, start};

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn times(stage: &Stage) -> Vec<Timestamp> {
    stage.notebook.state.lock().unwrap().runs.iter().map(|(at, _, _)| *at).collect()
}

fn outcomes(stage: &Stage) -> Vec<String> {
    stage.notebook.state.lock().unwrap().runs.iter().map(|(_, _, what)| what.clone()).collect()
}

const COUNT: &str = "ctx.results[0].hits.total.value > 2";

#[tokio::test(start_paused = true)]
async fn runs_are_counted_from_when_the_monitor_was_switched_on() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(&folder, Arc::new(Listed::default()), start());
    stage.definitions.create_monitor(Some("logs"), &monitor(10, COUNT)).unwrap();
    stage.play(minutes(25)).await;
    assert_eq!(times(&stage), [after(0), after(600), after(1_200)]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_neither_repeats_a_run_nor_moves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(&folder, Arc::new(Listed::default()), start());
    stage.definitions.create_monitor(Some("logs"), &monitor(10, COUNT)).unwrap();
    stage.play(minutes(15)).await;
    drop(stage);
    let stage = Stage::new(&folder, Arc::new(Listed::default()), after(16 * 60));
    stage.play(minutes(6)).await;
    assert_eq!(times(&stage), [after(1_200)]);
}

#[tokio::test(start_paused = true)]
async fn missed_runs_are_caught_up_once_at_the_newest_time() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(&folder, Arc::new(Listed::default()), start());
    stage.definitions.create_monitor(Some("logs"), &monitor(10, COUNT)).unwrap();
    stage.play(minutes(5)).await;
    drop(stage);
    let stage = Stage::new(&folder, Arc::new(Listed::default()), after(3_333));
    stage.play(minutes(6)).await;
    assert_eq!(times(&stage), [after(3_000), after(3_600)]);
}

#[tokio::test(start_paused = true)]
async fn a_monitor_in_a_file_that_changes_runs_by_its_new_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::new(&folder, Arc::new(Listed::default()), start());
    stage.definitions.create_monitor(Some("logs"), &monitor(10, COUNT)).unwrap();
    let file = folder.path().join("monitors/logs.json");
    let watched = stage.definitions.clone().run(stage.cancel.clone());
    let changed = async {
        tokio::time::sleep(minutes(1)).await;
        fs::write(&file, monitor(1, COUNT).to_string()).unwrap();
        tokio::time::sleep(minutes(2)).await;
        fs::remove_file(&file).unwrap();
        tokio::time::sleep(minutes(10)).await;
        stage.cancel.cancel();
    };
    tokio::join!(stage.play(minutes(13)), watched, changed);
    assert_eq!(times(&stage), [after(0), after(60), after(120), after(180)]);
    assert!(stage.notebook.state.lock().unwrap().kept.is_empty());
    assert!(stage.runner.status().is_empty());
}

#[tokio::test(start_paused = true)]
async fn monitors_that_ask_the_same_share_a_search() {
    let folder = tempfile::tempdir().unwrap();
    let search = Arc::new(Listed::default());
    let stage = Stage::new(&folder, search.clone(), start());
    for number in 0..50 {
        let condition = format!("ctx.results[0].hits.total.value > {number}");
        stage.write(&format!("m{number}"), &monitor(1, &condition));
    }
    let mut other = monitor(1, COUNT);
    other["inputs"][0]["search"]["query"]["size"] = json!(1);
    stage.write("other", &other);
    stage.definitions.look().unwrap();
    stage.play(Duration::from_secs(90)).await;
    assert_eq!(times(&stage).len(), 51 * 2);
    assert_eq!(search.searches.lock().unwrap().len(), 2 * 2);
}

#[tokio::test(start_paused = true)]
async fn monitors_that_ask_differently_are_spread_over_their_interval() {
    let folder = tempfile::tempdir().unwrap();
    let options = RunOptions { settle: Duration::from_millis(500), ..RunOptions::default() };
    let stage = Stage::with(&folder, Arc::new(Listed::default()), start(), options);
    for number in 0..600 {
        let mut other = monitor(1, COUNT);
        other["inputs"][0]["search"]["query"]["size"] = json!(number);
        stage.write(&format!("m{number}"), &other);
    }
    stage.definitions.look().unwrap();
    stage.play(Duration::from_secs(61)).await;
    let mut in_second = [0_usize; 60];
    for at in times(&stage) {
        in_second[usize::try_from(at.as_second() % 60).unwrap()] += 1;
    }
    let most = in_second.iter().max().unwrap();
    assert!(
        *most <= 40 && in_second.iter().filter(|count| 0 < **count).count() > 50,
        "{in_second:?}"
    );
    let late = stage.runner.status().values().map(|status| status.late_ms).max().unwrap();
    assert!((500..1_000).contains(&late), "{late}");
}

#[tokio::test(start_paused = true)]
async fn zero_no_data_and_failure_are_told_apart() {
    let found = vec![(start(), error_at(start(), 1))];
    let quiet = monitor(1, COUNT);
    let mut told = monitor(1, COUNT);
    told["pampero"] = json!({ "no_data": "tell" });
    let null = "ctx.results[0].aggregations.mean.value > 1";
    let wrong = "ctx.results[0].hits.total.value.foo() > 1";
    assert!(pampero_alerting::Monitor::from_json(&monitor(1, wrong)).is_err());
    check(&quiet, &found, false, "None").await;
    check(&quiet, &[], false, "None").await;
    check(&told, &found, false, "None").await;
    check(&told, &[], false, "no data").await;
    check(&monitor(1, null), &found, false, "no data").await;
    check(&quiet, &[], true, "Configured indices are not found: [weather_logs]").await;
    check(
        &monitor(1, "1 / (ctx.results[0].hits.total.value - 1) > 0"),
        &found,
        false,
        "the condition failed",
    )
    .await;
    check(&monitor(1, "ctx.results[0].hits.total.value < 2"), &found, false, "Some(Some(1.0))")
        .await;

    async fn check(
        monitor: &Value,
        documents: &[(Timestamp, Value)],
        is_missing: bool,
        outcome: &str,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let search = Arc::new(Listed::default());
        *search.documents.lock().unwrap() = documents.to_vec();
        *search.is_missing.lock().unwrap() = is_missing;
        let stage = Stage::new(&folder, search, after(60));
        stage.definitions.create_monitor(Some("logs"), monitor).unwrap();
        stage.play(Duration::from_secs(1)).await;
        let outcomes = outcomes(&stage);
        assert_eq!(outcomes.len(), 1);
        assert!(outcomes[0].starts_with(outcome), "{monitor}: {outcomes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_that_fails_once_harms_no_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let search = Arc::new(Listed::default());
    *search.documents.lock().unwrap() = recorded(1);
    *search.failures.lock().unwrap() = 1;
    let stage = Stage::new(&folder, search, start());
    stage.definitions.create_monitor(Some("logs"), &monitor(1, "return true")).unwrap();
    stage.play(Duration::from_secs(90)).await;
    let outcomes = outcomes(&stage);
    assert!(outcomes[0].contains("too slow") && outcomes[1].starts_with("Some"), "{outcomes:?}");
    assert!(stage.runner.status()["logs"].error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_says_what_would_be_told_and_enters_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let search = Arc::new(Listed::default());
    *search.documents.lock().unwrap() =
        (1..=4).map(|number| (after(number), error_at(after(number), 7))).collect();
    let stage = Stage::new(&folder, search, start());
    let entry = stage.definitions.create_monitor(Some("logs"), &monitor(10, COUNT)).unwrap();
    let answer = stage.runner.execute(&entry, after(60), true).to_json();
    assert_eq!(answer["monitor_name"], "Error Weather Logs");
    assert_eq!(answer["period_start"], after(-540).as_millisecond());
    assert_eq!(answer["period_end"], after(60).as_millisecond());
    assert_eq!(answer["input_results"]["results"][0]["hits"]["total"]["value"], 4);
    let trigger = &answer["trigger_results"]["count_error"];
    assert_eq!((&trigger["triggered"], &trigger["error"]), (&json!(true), &Value::Null));
    let action = &trigger["action_results"]["tell"];
    assert_eq!(action["output"]["subject"], "Error Weather Logs: count_error");
    assert_eq!(action["output"]["message"], format!("4 at {}", after(60)));
    assert!(stage.notebook.state.lock().unwrap().seen.is_empty());
    stage.runner.execute(&entry, after(60), false);
    let seen = stage.notebook.state.lock().unwrap().seen.clone();
    assert_eq!(seen, [(after(60), "count_error".to_owned(), AlertState::Active)]);
}
