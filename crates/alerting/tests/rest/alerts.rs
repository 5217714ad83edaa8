//! The list of alerts.

use serde_json::{Value, json};

use crate::testkit::{ALERTING, App, error_monitor, with};

#[tokio::test(start_paused = true)]
async fn an_alert_is_shown_in_opensearchs_form() {
    let app = App::start();
    let id = app.make_monitor(error_monitor()).await;
    app.find(14);
    app.send(&format!("POST {ALERTING}/monitors/{id}/_execute"), "").await;
    let listed = app.get(&format!("{ALERTING}/monitors/alerts")).await;
    let alert = listed.at("/alerts/0");
    let start = alert["start_time"].clone();
    assert_eq!(
        listed.json(),
        json!({ "totalAlerts": 1, "alerts": [{
            "id": alert["id"], "version": alert["version"], "monitor_id": id, "workflow_id": "",
            "workflow_name": "", "associated_alert_ids": [], "schema_version": 5, "monitor_version": 1,
            "monitor_name": "Error Weather Logs", "execution_id": alert["execution_id"],
            "trigger_id": "count_error", "trigger_name": "count_error", "finding_ids": [],
            "related_doc_ids": [], "state": "ACTIVE", "error_message": null, "alert_history": [],
            "severity": "1",
            "action_execution_results": [{ "action_id": "error_log", "last_execution_time": start,
                "throttled_count": 0 }],
            "start_time": start, "last_notification_time": start, "end_time": null,
            "acknowledged_time": null }] })
    );
    assert!(start.as_i64().unwrap() >= 1_779_105_600_000);
}

#[tokio::test(start_paused = true)]
async fn alerts_are_listed_by_state_severity_monitor_and_name() {
    let app = App::start();
    let first = app.make_monitor(error_monitor()).await;
    let trigger = "/triggers/0/query_level_trigger";
    let second = with(error_monitor(), "/name", json!("Slow answers"));
    let second = with(second, &format!("{trigger}/severity"), json!("3"));
    let second =
        with(second, "/pampero", json!({ "triggers": { "count_error": { "for": "10m" } } }));
    let second = app.make_monitor(second).await;
    let third = with(error_monitor(), "/name", json!("Broken"));
    let script = json!("return 1 / (ctx.results[0].hits.total.value - 14) > 0");
    let third = with(third, &format!("{trigger}/condition/script/source"), script);
    let third = app.make_monitor(third).await;
    app.find(14);
    for id in [&first, &second, &third] {
        app.send(&format!("POST {ALERTING}/monitors/{id}/_execute"), "").await;
    }
    let check = async |query: &str, expected: &[&str]| {
        let listed = app.get(&format!("{ALERTING}/monitors/alerts?{query}")).await;
        let alerts = listed.at("/alerts");
        let monitors: Vec<&Value> =
            alerts.as_array().unwrap().iter().map(|alert| &alert["monitor_id"]).collect();
        assert_eq!(monitors, expected, "{query}: {}", listed.text());
    };
    check("", &[&third, &first]).await;
    check("alertState=ERROR", &[&third]).await;
    check("alertState=ACTIVE", &[&first]).await;
    // A state of Pampero's own, shown to those who ask for it.
    check("alertState=PENDING", &[&second]).await;
    check("severityLevel=3&alertState=PENDING", &[&second]).await;
    check(&format!("monitorId={first}"), &[&first]).await;
    check("searchString=weather", &[&first]).await;
    check("sortString=monitor_name&sortOrder=desc&size=1", &[&first]).await;
    check("size=5&startIndex=1", &[&first]).await;
    // The alert of one monitor is not that of another.
    let listed = app.get(&format!("{ALERTING}/monitors/alerts?monitorId={first}")).await;
    let foreign = app
        .call(
            &format!("POST {ALERTING}/monitors/{second}/_acknowledge/alerts"),
            json!({ "alerts": [listed.at("/alerts/0/id")] }),
        )
        .await;
    assert_eq!(foreign.at("/success"), json!([]));
    assert_eq!(foreign.at("/failed").as_array().unwrap().len(), 1);
    let broken = app.get(&format!("{ALERTING}/monitors/alerts?monitorId={third}")).await;
    assert!(broken.at("/alerts/0/error_message").is_string());
    let refused = app
        .call(
            &format!("POST {ALERTING}/monitors/{third}/_acknowledge/alerts"),
            json!({ "alerts": [broken.at("/alerts/0/id")] }),
        )
        .await;
    assert!(refused.text().contains("Alert is in an error state and can not be acknowledged."));
    let own = app
        .call(
            &format!("POST {ALERTING}/monitors/{first}/_acknowledge/alerts"),
            json!({ "alerts": [listed.at("/alerts/0/id")] }),
        )
        .await;
    assert_eq!(own.at("/failed"), json!([]), "{}", own.text());
    check("alertState=ACTIVE", &[]).await;
    check("alertState=ACKNOWLEDGED", &[&first]).await;
    app.find(0);
    app.send(&format!("POST {ALERTING}/monitors/{first}/_execute"), "").await;
    check("alertState=COMPLETED", &[&first]).await;
    app.alerting.retain_sources(|source| source.definition != third);
    check("alertState=DELETED", &[&third]).await;
    check("sortString=monitor_name", &[&third, &first]).await;
}

#[tokio::test(start_paused = true)]
async fn no_data_is_an_error_that_says_so() {
    let app = App::start();
    let monitor = with(error_monitor(), "/pampero", json!({ "no_data": "tell" }));
    let id = app.make_monitor(monitor).await;
    app.find(0);
    app.send(&format!("POST {ALERTING}/monitors/{id}/_execute"), "").await;
    let listed = app.get(&format!("{ALERTING}/monitors/alerts?alertState=ERROR")).await;
    assert_eq!(listed.at("/alerts/0/state"), "ERROR", "{}", listed.text());
    assert_eq!(listed.at("/alerts/0/error_message"), "no data");
}
