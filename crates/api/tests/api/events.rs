//! The timeline: in order, page by page, and as it happens.

use std::time::Duration;

use http_body_util::BodyExt;
use jiff::SignedDuration;
use pampero_api::ServerConfig;
use pampero_weather::event::{Event, EventKind};
use pampero_weather::provider::ProviderId;
use serde_json::{Value, json};

use crate::app::{NOON, TestApp, at, request};

fn event(minute: i64, kind: EventKind, provider: ProviderId) -> Event {
    Event {
        at: at(NOON) + SignedDuration::from_mins(minute),
        kind,
        provider: Some(provider),
        place: Some("rosario".parse().unwrap()),
        cause: Some(format!("cause {minute}")),
        attempt: Some(2),
        elapsed: Some(Duration::from_millis(1_500)),
    }
}

fn causes(list: &Value) -> Vec<String> {
    let events = list["events"].as_array().unwrap();
    events.iter().map(|event| event["cause"].as_str().unwrap().to_owned()).collect()
}

async fn app_with_events() -> TestApp {
    let app = TestApp::start().await;
    let (one, other) = (ProviderId::OpenMeteo, ProviderId::MetNorway);
    app.publish([
        event(0, EventKind::AttemptFailed, one),
        event(1, EventKind::BreakerOpened, one),
        event(2, EventKind::FallbackStarted, other),
        event(3, EventKind::BreakerClosed, one),
    ])
    .await;
    app
}

#[tokio::test]
async fn events_tell_the_story_in_order() {
    let app = app_with_events().await;
    let list = app.get("/api/events").await.json();
    let mut first = list["events"][0].clone();
    assert!(first["id"].take().is_i64());
    assert_eq!(
        first,
        json!({
            "id": null, "at": NOON, "kind": "attempt_failed", "provider": "open_meteo",
            "place": "rosario", "cause": "cause 0", "attempt": 2, "elapsed_ms": 1500,
        })
    );
    assert_eq!(causes(&list), ["cause 0", "cause 1", "cause 2", "cause 3"]);
    assert_eq!(list["next_cursor"], Value::Null);
}

#[tokio::test]
async fn events_are_chosen_by_what_they_are_about() {
    let app = app_with_events().await;
    check(&app, "order=desc&limit=1", &["cause 3"]).await;
    check(&app, "provider=met_norway", &["cause 2"]).await;
    check(&app, "kind=breaker_opened", &["cause 1"]).await;
    check(&app, "place=buenos-aires", &[]).await;
    check(&app, "from=2026-11-24T15:01:00Z&to=2026-11-24T15:03:00Z", &["cause 1", "cause 2"]).await;
    for query in ["kind=x", "provider=x", "cursor=x", "place=X", "from=x", "limit=0", "order=up"] {
        let reply = app.get(&format!("/api/events?{query}")).await;
        let problem = reply.check_problem(400, "invalid_parameter");
        assert_eq!(problem["parameter"], query.split('=').next().unwrap(), "{problem}");
    }
}

async fn check(app: &TestApp, query: &str, expected: &[&str]) {
    let list = app.get(&format!("/api/events?{query}")).await.json();
    assert_eq!(causes(&list), expected, "{query}");
}

#[tokio::test]
async fn pages_of_events_follow_one_another() {
    let app = app_with_events().await;
    for (order, expected) in [("asc", ["0", "1", "2", "3"]), ("desc", ["3", "2", "1", "0"])] {
        let mut path = format!("/api/events?order={order}&limit=3");
        let mut seen = Vec::new();
        loop {
            let reply = app.get(&path).await;
            seen.extend(causes(&reply.json()));
            let Some(rest) = reply.header("link").strip_prefix('<') else { break };
            path = rest.split('>').next().unwrap().to_owned();
        }
        assert_eq!(seen, expected.map(|minute| format!("cause {minute}")), "{order}");
    }
}

#[tokio::test]
async fn the_stream_brings_events_as_they_happen_and_ends_with_the_program() {
    let config = ServerConfig { subscribers_max: 1, ..ServerConfig::default() };
    let app = TestApp::with(config).await;
    let response = app.api.respond(request(http::Method::GET, "/api/events/stream")).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let refused = app.get("/api/events/stream").await;
    refused.check_problem(503, "too_many_subscribers");

    app.publish([event(0, EventKind::BreakerOpened, ProviderId::OpenMeteo)]).await;
    let mut body = response.into_body();
    let message = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let message = String::from_utf8(message.to_vec()).unwrap();
    assert!(message.starts_with("event: breaker_opened\ndata: {\"id\":null,"), "{message}");
    app.cancel.cancel();
    assert!(body.frame().await.is_none());
    drop(body);
    let again = app.api.respond(request(http::Method::GET, "/api/events/stream")).await;
    assert_eq!(again.status(), 200, "the place of a client that left is free");
}
