//! Backtests over the API: monitors over the recorded log, rules over the recorded metrics.

use http::Method;
use serde_json::{Value, json};

use crate::app::{Reply, TestApp, at};

/// Puts lines of the log into an index: errors at these minutes before noon.
async fn log(app: &TestApp, minutes: &[i64]) {
    let mut lines = String::new();
    for (number, minute) in minutes.iter().enumerate() {
        let time = at("2026-11-24T15:00:00Z") - jiff::SignedDuration::from_mins(*minute);
        let document = json!({
            "timestamp": time.to_string(), "level": "error", "message": format!("it broke {number}"),
        });
        lines.push_str(&format!("{}\n{document}\n", json!({ "create": {} })));
    }
    let path = "/opensearch/weather_logs/_bulk?refresh=true";
    let mut request = crate::app::request(Method::POST, path);
    request.headers_mut().insert("content-type", "application/x-ndjson".parse().unwrap());
    *request.body_mut() = axum::body::Body::from(lines);
    let reply = app.send(request).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["errors"]), (200, &json!(false)));
}

async fn play(app: &TestApp, body: Value) -> Reply {
    app.send_json(Method::POST, "/api/alerts/backtest", &body.to_string()).await
}

#[tokio::test]
async fn a_monitor_is_played_over_the_log() {
    let app = TestApp::start().await;
    // Five errors within five minutes, an hour ago.
    log(&app, &[64, 63, 63, 62, 61]).await;
    let monitor: Value =
        serde_json::from_str(include_str!("../../../../monitors/error_logs.json")).unwrap();
    let stretch = json!({ "from": "2026-11-24T13:00:00Z", "to": "2026-11-24T15:00:00Z" });
    let with = |key: &str, value: Value| {
        let mut body = stretch.clone();
        body[key] = value;
        body
    };
    let played = play(&app, with("monitor", monitor.clone())).await;
    let body = played.json();
    assert_eq!(played.status, 200, "{body}");
    assert_eq!((&body["evaluations"], &body["count"]), (&json!(13), &json!(1)), "{body}");
    let firing = &body["firings"][0];
    assert_eq!(
        (&firing["start"], &firing["source"]["trigger"]),
        (&json!("2026-11-24T14:00:00Z"), &json!("count_error"))
    );
    assert_eq!(
        (&firing["end"], &firing["lasted_seconds"]),
        (&json!("2026-11-24T14:10:00Z"), &json!(600))
    );
    assert_eq!(body["message_count"], 2, "one when it begins, one when it ends");
    let kinds: Vec<&Value> =
        body["messages"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, [&json!("fired"), &json!("recovered")]);
    assert_eq!((&body["errors"], &body["stopped"]), (&json!([]), &Value::Null));
    assert_eq!(app.get("/api/alerts").await.json()["total"], 0, "nothing happened in earnest");

    let saved = play(&app, with("monitor_id", json!("error_logs"))).await.json();
    assert_eq!(saved["count"], 1, "{saved}");
    let mut strict = monitor;
    strict["triggers"][0]["query_level_trigger"]["condition"]["script"]["source"] =
        json!("ctx.results[0].hits.total.value > 5");
    let none = play(&app, with("monitor", strict)).await.json();
    assert_eq!((&none["count"], &none["firings"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn rules_are_played_over_the_metrics() {
    let app = TestApp::start().await;
    // The minutes of the hour stand in for a temperature, so that nothing has to be recorded.
    let rules = r#"
groups:
- name: weather
  interval: 1m
  rules:
  - alert: Frost
    expr: vector(time() % 3600 / 60) >= 20 < 30
    for: 2m
    labels: {place: jfk}
    annotations: {summary: 'frost in minute {{ $value | printf "%.0f" }}'}
"#;
    let played = play(&app, json!({ "rules": rules, "from": "2026-11-24T14:00:00Z" })).await;
    let body = played.json();
    assert_eq!(played.status, 200, "{body}");
    assert_eq!((&body["count"], &body["message_count"]), (&json!(1), &json!(2)), "{body}");
    let firing = &body["firings"][0];
    assert_eq!(firing["key"], json!({ "place": "jfk" }));
    let peak = firing["peak"].as_f64().unwrap();
    assert!((29.0..30.0).contains(&peak), "{firing}");
    assert_eq!(firing["source"]["definition"], "rules.yml;weather");
    let lasted = firing["lasted_seconds"].as_f64().unwrap();
    assert!((420.0..=480.0).contains(&lasted), "{firing}");
    let text = body["messages"][0]["text"].as_str().unwrap();
    assert!(text.contains("frost in minute 2"), "{text}");
    let evaluations = body["evaluations"].as_u64().unwrap();
    assert!((60..=61).contains(&evaluations), "{evaluations}");
}

#[tokio::test]
async fn what_cannot_be_played_is_refused() {
    let app = TestApp::start().await;
    let check = async |body: Value, status: u16, code: &str, field: &str, detail: &str| {
        let problem = play(&app, body).await.check_problem(status, code);
        assert_eq!(problem["field"], field, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    };
    check(json!({}), 400, "invalid_body", "monitor", "one of monitor").await;
    let both = json!({ "monitor_id": "a", "rules": "b" });
    check(both, 400, "invalid_body", "monitor", "one of monitor").await;
    check(json!({ "monitor_id": "a" }), 404, "unknown_monitor", "monitor_id", "no monitor a").await;
    check(json!({ "monitor": {} }), 400, "invalid_monitor", "monitor", "").await;
    let rules = "groups:\n- name: a\n  rules:\n  - alert: X\n    expr: t <\n";
    check(json!({ "rules": rules }), 400, "invalid_rules", "rules", "rules.yml:").await;
    let rules = "groups:\n- name: a\n  rules:\n  - record: x\n    expr: t\n";
    check(json!({ "rules": rules }), 400, "invalid_rules", "rules", "no alerting rule").await;
    let rules = "groups:\n- name: a\n  interval: 1s\n  rules:\n  - alert: X\n    expr: t\n";
    let long = json!({ "rules": rules, "from": "2026-11-01T00:00:00Z" });
    check(long, 400, "invalid_stretch", "from", "shorter stretch").await;
    let late = json!({ "monitor_id": "error_logs", "from": "2027-01-01T00:00:00Z" });
    check(late, 400, "invalid_body", "from", "must be earlier").await;
    let coming = json!({ "monitor_id": "error_logs", "from": "2027-01-01T00:00:00Z",
        "to": "2027-01-02T00:00:00Z" });
    check(coming, 400, "invalid_body", "from", "which is 2026-11-24T15:00:00Z").await;
    let wrong = json!({ "monitor_id": "error_logs", "from": "yesterday" });
    check(wrong, 400, "invalid_body", "from", "is no instant").await;
}

#[tokio::test]
async fn one_backtest_runs_at_a_time() {
    let app = TestApp::start().await;
    let rules = "groups:\n- name: a\n  interval: 1s\n  rules:\n  - alert: X\n    expr: vector(1)\n";
    let body = json!({ "rules": rules, "from": "2026-11-24T13:00:00Z" });
    let (one, two) = tokio::join!(play(&app, body.clone()), play(&app, body.clone()));
    assert_eq!((one.status.as_u16(), &one.json()["count"]), (200, &json!(1)));
    two.check_problem(429, "backtest_running");
    assert!(!two.header("retry-after").is_empty());
    assert_eq!(play(&app, body).await.status, 200);
}
