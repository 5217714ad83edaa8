//! `_execute`, for a look and in earnest.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use crate::slack::Slack;
use crate::testkit::{ALERTING, App, error_monitor, with};

const OUTPUT: &str = "/trigger_results/count_error/action_results/error_log/output";

#[tokio::test(start_paused = true)]
async fn a_look_shows_everything_and_changes_nothing() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    app.find(14);
    let seen = app
        .send(
            &format!("POST {ALERTING}/monitors/{id}/_execute?dryrun=true&period_end=1787306400000"),
            "",
        )
        .await;
    let expected = json!({
        "monitor_name": "Error Weather Logs",
        "period_start": 1_787_305_800_000_i64,
        "period_end": 1_787_306_400_000_i64,
        "error": null,
        "input_results": {
            "results": [{ "took": 1, "timed_out": false,
                "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 },
                "hits": { "total": { "value": 14, "relation": "eq" }, "max_score": null, "hits": [] } }],
            "ppl_query_results": [], "ppl_num_results": null, "error": null },
        "trigger_results": { "count_error": {
            "name": "count_error", "triggered": true, "error": null, "ppl_query_results": [],
            "action_results": { "error_log": {
                "id": "error_log", "name": "ERROR Log", "throttled": false, "error": null,
                "executionTime": seen.at("/trigger_results/count_error/action_results/error_log/executionTime"),
                "output": { "subject": "Too many errors",
                    "message": "Monitor Error Weather Logs found 14 errors." } } } } },
    });
    assert_eq!(seen.json(), expected);
    assert_eq!(app.get(&format!("{ALERTING}/monitors/alerts")).await.at("/totalAlerts"), 0);
    assert!(app.alerting.outbox().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_told_where_it_fails() {
    let app = App::start();
    app.find(1);
    let look = format!("POST {ALERTING}/monitors/_execute?dryrun=true");
    let indices = "/inputs/0/search/indices";
    let seen = app.call(&look, with(error_monitor(), indices, json!(["gone"]))).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.at("/input_results/error"), "Configured indices are not found: [gone]");
    assert_eq!(seen.at("/input_results/results"), json!([]));
    let condition = "/triggers/0/query_level_trigger/condition/script/source";
    let divided = json!("return 1 / (ctx.results[0].hits.total.value - 1) > 0");
    let seen = app.call(&look, with(error_monitor(), condition, divided)).await;
    assert_eq!(seen.at("/trigger_results/count_error/triggered"), false);
    assert!(seen.at("/trigger_results/count_error/error").is_string(), "{}", seen.text());
    let null = json!("ctx.results[0].aggregations.mean.value > 1");
    let seen = app.call(&look, with(error_monitor(), condition, null)).await;
    let error = seen.at("/trigger_results/count_error/error");
    assert!(error.as_str().unwrap().contains("no data"), "{error}");
}

#[tokio::test]
async fn a_monitor_that_is_not_saved_sends_and_keeps_nothing() {
    let slack = Slack::start().await;
    let app = App::start();
    app.make_slack("slack-ops", &slack.url()).await;
    app.find(14);
    let run = format!("POST {ALERTING}/monitors/_execute");
    let sent = app.call(&run, error_monitor()).await;
    assert!(sent.at(OUTPUT)["messageId"].is_string(), "{}", sent.text());
    let texts = slack.texts();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains("found 14 errors."), "{texts:?}");
    assert_eq!(app.get(&format!("{ALERTING}/monitors/alerts")).await.at("/totalAlerts"), 0);
    slack.answer(StatusCode::NOT_FOUND, "no_service");
    let failed = app.call(&run, error_monitor()).await;
    let error = failed.at("/trigger_results/count_error/action_results/error_log/error");
    assert!(error.as_str().unwrap().contains("no_service"), "{}", failed.text());
    assert_eq!(failed.at(OUTPUT)["messageId"], Value::Null);
    let away = with(
        error_monitor(),
        "/triggers/0/query_level_trigger/actions/0/destination_id",
        json!("nowhere"),
    );
    let failed = app.call(&run, away).await;
    let error = failed.at("/trigger_results/count_error/action_results/error_log/error");
    assert!(error.as_str().unwrap().contains("nowhere"), "{}", failed.text());
}

#[tokio::test(start_paused = true)]
async fn a_throttle_holds_over_runs_by_hand() {
    let app = App::start();
    let action = "/triggers/0/query_level_trigger/actions/0";
    let throttled = with(error_monitor(), &format!("{action}/throttle_enabled"), json!(true));
    let throttle = json!({ "value": 10, "unit": "MINUTES" });
    let throttled = with(throttled, &format!("{action}/throttle"), throttle);
    let id = app.make_monitor(throttled).await;
    let run = format!("POST {ALERTING}/monitors/{id}/_execute");
    let mut told = Vec::new();
    for found in [14, 0, 14] {
        app.find(found);
        tokio::time::advance(Duration::from_secs(60)).await;
        let ran = app.send(&run, "").await;
        let result = ran.at("/trigger_results/count_error/action_results/error_log");
        told.push((result["output"]["messageId"].is_string(), result["throttled"].clone()));
    }
    assert_eq!(told, [(true, json!(false)), (true, json!(false)), (false, json!(true))]);
}
