//! The way of a person who makes an alert, in the order of the system that Pampero replaces.

use serde_json::json;

use crate::slack::Slack;
use crate::testkit::{ALERTING, App, NOTIFICATIONS, error_monitor};

#[tokio::test]
async fn an_alert_is_made_from_the_channel_to_the_last_message() {
    let slack = Slack::start().await;
    let app = App::start();

    // A channel.
    app.make_slack("slack-ops", &slack.url()).await;
    let channels = app.get(&format!("{NOTIFICATIONS}/channels")).await;
    assert_eq!(
        channels.json(),
        json!({ "start_index": 0, "total_hits": 1, "total_hit_relation": "eq", "channel_list": [
            { "config_id": "slack-ops", "name": "Ops Slack", "description": "on call",
              "config_type": "slack", "is_enabled": true }] })
    );

    // The query alone, and what it finds.
    app.find(3);
    let mut query = error_monitor();
    query["triggers"] = json!([]);
    let seen = app.call(&format!("POST {ALERTING}/monitors/_execute?dryrun=true"), query).await;
    assert_eq!(seen.at("/input_results/results/0/hits/total/value"), 3);
    assert_eq!(seen.at("/trigger_results"), json!({}));

    // The trigger and its message, without sending.
    let preview = format!("POST {ALERTING}/monitors/_execute?dryrun=true");
    let seen = app.call(&preview, error_monitor()).await;
    assert_eq!(seen.at("/trigger_results/count_error/triggered"), true, "{}", seen.text());
    let output = "/trigger_results/count_error/action_results/error_log/output";
    assert_eq!(
        seen.at(output),
        json!({ "subject": "Too many errors",
            "message": "Monitor Error Weather Logs found 3 errors." })
    );
    app.find(2);
    let seen = app.call(&preview, error_monitor()).await;
    assert_eq!(seen.at("/trigger_results/count_error/triggered"), false);
    assert_eq!(seen.at("/trigger_results/count_error/action_results"), json!({}));
    assert_eq!(slack.texts().len(), 0);

    // A test message.
    let tested = app.send(&format!("POST {NOTIFICATIONS}/feature/test/slack-ops"), "").await;
    assert_eq!(tested.at("/status_list/0/delivery_status/status_code"), "200", "{}", tested.text());
    assert_eq!(slack.texts().len(), 1);

    // The monitor itself.
    let made = app.call(&format!("POST {ALERTING}/monitors"), error_monitor()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.at("/_id").as_str().unwrap().to_owned();
    assert_eq!(made.headers["location"], format!("{ALERTING}/monitors/{id}"));
    let file = app.folder.path().join(format!("monitors/{id}.json"));
    assert!(file.is_file(), "the monitor is a file");

    // Errors come: one message, and silence while it lasts.
    app.find(14);
    let run = format!("POST {ALERTING}/monitors/{id}/_execute");
    let ran = app.send(&run, "").await;
    assert_eq!(ran.at("/trigger_results/count_error/triggered"), true, "{}", ran.text());
    assert!(ran.at(output)["messageId"].is_string(), "{}", ran.text());
    let again = app.send(&run, "").await;
    assert_eq!(again.at(output), json!({}), "{}", again.text());
    assert_eq!(app.alerting.outbox().len(), 1);

    // The alert, and somebody who knows of it.
    let listed = app.get(&format!("{ALERTING}/monitors/alerts")).await;
    assert_eq!(listed.at("/totalAlerts"), 1);
    assert_eq!(listed.at("/alerts/0/state"), "ACTIVE");
    let alert = listed.at("/alerts/0/id").as_str().unwrap().to_owned();
    let acknowledge = format!("POST {ALERTING}/monitors/{id}/_acknowledge/alerts");
    let known = app.call(&acknowledge, json!({ "alerts": [alert] })).await;
    assert_eq!(known.json(), json!({ "success": [alert], "failed": [] }));
    let known = app.call(&acknowledge, json!({ "alerts": [alert, "x"] })).await;
    assert_eq!(
        known.json(),
        json!({ "success": [], "failed": [
            { alert.clone(): { "failed_reason": "Alert has already been acknowledged." } },
            { "x": { "failed_reason": "Alert: x does not exist (it may have already completed)." } },
        ] })
    );

    // The end, which is told once.
    app.find(0);
    let ended = app.send(&run, "").await;
    assert_eq!(ended.at("/trigger_results/count_error/triggered"), false);
    assert!(ended.at(output)["messageId"].is_string(), "{}", ended.text());
    let listed = app.get(&format!("{ALERTING}/monitors/alerts?alertState=COMPLETED")).await;
    assert_eq!(listed.at("/alerts/0/id"), alert);
    assert!(listed.at("/alerts/0/end_time").is_i64());

    // And away with it.
    let gone = app.send(&format!("DELETE {ALERTING}/monitors/{id}"), "").await;
    assert_eq!(gone.json(), json!({ "_id": id, "_version": 2 }));
    assert!(!file.exists());
    let gone = app.get(&format!("{ALERTING}/monitors/{id}")).await;
    assert_eq!(gone.refusal(), "404 Monitor not found.");
    let gone = app.send(&format!("DELETE {NOTIFICATIONS}/configs/slack-ops"), "").await;
    assert_eq!(gone.json(), json!({ "delete_response_list": { "slack-ops": "OK" } }));
}
