//! Providers: how they have been, and their breakers by hand; readiness and metrics of both.

use http::Method;
use pampero_weather::provider::ProviderId::OpenMeteo;
use serde_json::{Value, json};

use crate::app::{NOON, TestApp, observation};

const BREAKER: &str = "/api/providers/open_meteo/breaker";

#[tokio::test]
async fn providers_are_listed_in_the_order_of_the_chain() {
    let app = TestApp::start().await;
    let list = app.get("/api/providers").await.json();
    let ids: Vec<&Value> =
        list["providers"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [&json!("open_meteo"), &json!("met_norway")]);
    let first = &list["providers"][0];
    assert_eq!((&first["rank"], &first["stale_after_seconds"]), (&json!(1), &json!(3600)));
    assert_eq!((&first["last_success_at"], &first["last_failure"]), (&Value::Null, &Value::Null));
    assert_eq!((&first["pause"], &first["breaker"]["state"]), (&Value::Null, &json!("closed")));
    assert_eq!(
        first["quota"],
        json!([{"window": "day", "used": 0, "limit": 10000, "resets_at": "2026-11-25T00:00:00Z"}])
    );
    assert_eq!(app.get("/api/providers/open_meteo").await.json(), *first);
    app.get("/api/providers/weatherstack").await.check_problem(404, "unknown_provider");
    app.get("/api/providers/nobody").await.check_problem(404, "unknown_provider");
}

#[tokio::test]
async fn a_failed_round_leaves_its_traces() {
    let app = TestApp::start().await;
    app.fail_a_round().await;
    let told = app.get("/api/providers/open_meteo").await.json();
    assert_eq!(
        (&told["last_failure"]["class"], &told["last_failure"]["at"]),
        (&json!("bad_request"), &json!(NOON))
    );
    assert!(told["last_failure"]["message"].as_str().unwrap().contains("no such parameter"));
    assert!(told["calls"]["attempts_failed"]["bad_request"].as_u64() >= Some(1));
    assert!(told["quota"][0]["used"].as_u64() >= Some(1));
}

#[tokio::test]
async fn a_breaker_is_forced_and_given_back() {
    let app = TestApp::start().await;
    for (wanted, state, forced, kind) in [
        ("open", "open", true, "breaker_forced_open"),
        ("closed", "closed", true, "breaker_forced_closed"),
        ("auto", "closed", false, "breaker_released"),
    ] {
        let body = format!(r#"{{"state": "{wanted}"}}"#);
        let reply = app.send_json(Method::PUT, BREAKER, &body).await;
        assert_eq!(reply.status, 200);
        let breaker = &reply.json()["breaker"];
        assert_eq!((&breaker["state"], &breaker["forced"]), (&json!(state), &json!(forced)));
        app.timeline.flush().await;
        let events = app.get("/api/events?order=desc&limit=1").await.json();
        assert_eq!(events["events"][0]["kind"], kind);
        assert_eq!(events["events"][0]["cause"], "over the API");
    }
    let wrong = app.send_json(Method::PUT, BREAKER, r#"{"state": "ajar"}"#).await;
    assert_eq!(wrong.check_problem(400, "invalid_body")["field"], "state");
    let missing = app.send_json(Method::PUT, BREAKER, "{}").await;
    missing.check_problem(400, "invalid_body");
    let unknown = app.send_json(Method::PUT, &BREAKER.replace("open_meteo", "metar"), "{}").await;
    unknown.check_problem(404, "unknown_provider");
}

#[tokio::test]
async fn readiness_follows_store_and_end() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/health/live").await.json(), json!({"status": "live"}));
    assert_eq!(app.get("/health/ready").await.json(), json!({"status": "ready"}));
    app.cancel.cancel();
    let stopping = app.get("/health/ready").await;
    stopping.check_problem(503, "stopping");
    assert_eq!(stopping.header("retry-after"), "5");
}

#[tokio::test]
async fn metrics_show_providers_places_and_events() {
    let app = TestApp::start().await;
    app.observe(observation("rosario", OpenMeteo, "2026-11-24T13:00:00Z", 20.5), Some("x")).await;
    app.send_json(Method::PUT, BREAKER, r#"{"state": "open"}"#).await;
    let text = String::from_utf8(app.get("/metrics").await.body.to_vec()).unwrap();
    for line in [
        r#"pampero_provider_breaker_state{provider="open_meteo",state="open"} 1"#,
        r#"pampero_provider_breaker_state{provider="open_meteo",state="closed"} 0"#,
        r#"pampero_provider_breaker_forced{provider="open_meteo"} 1"#,
        r#"pampero_provider_paused{provider="met_norway"} 0"#,
        r#"pampero_provider_quota_limit{provider="met_norway",window="day"} 10000"#,
        r#"pampero_provider_attempts_total{provider="open_meteo",outcome="auth"} 0"#,
        r#"pampero_provider_breaker_transitions_total{provider="open_meteo",from="closed",to="open",cause="operator"} 1"#,
        r#"pampero_provider_quota_left{provider="met_norway",window="day"} 10000"#,
        r#"pampero_weather_places{state="ready"} 2"#,
        r#"pampero_weather_observation_age_seconds{place="rosario",provider="open_meteo"} 7200"#,
        r#"pampero_weather_stale{place="rosario",provider="open_meteo"} 1"#,
        r#"pampero_weather_trouble{place="rosario"} 0"#,
        r#"pampero_weather_role{place="rosario",provider="open_meteo",role="fallback"} 1"#,
        r#"pampero_weather_temperature_celsius{place="rosario",provider="open_meteo"} 20.5"#,
        r#"pampero_timeline_events_total{kind="breaker_forced_open"} 1"#,
        "pampero_timeline_events_dropped_total 0",
    ] {
        assert!(
            text.lines().any(|it| it == line || it == format!("{line}.0")),
            "{line} is not in\n{text}"
        );
    }
}
