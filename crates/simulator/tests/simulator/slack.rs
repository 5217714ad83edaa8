//! The stand-in for Slack: what it takes, what it refuses, and what it shows.

use serde_json::{Value, json};

use crate::harness::{Got, Harness, read};

async fn post(harness: &Harness, kind: &str, body: String) -> Got {
    let request = harness.http.post(harness.simulator.slack_url());
    let request = request.header("content-type", kind).body(body);
    read(request.send().await.unwrap()).await.unwrap()
}

async fn check(harness: &Harness, body: Value, status: u16, text: &str) {
    harness.advance(10);
    let got = post(harness, "application/json; charset=utf-8", body.to_string()).await;
    assert_eq!((got.status, got.text.as_str()), (status, text), "{body}");
}

#[tokio::test]
async fn messages_are_taken_in_slacks_form_alone() {
    let harness = Harness::start().await;
    check(&harness, json!({ "text": "a" }), 200, "ok").await;
    check(&harness, json!({ "blocks": [{ "type": "divider" }] }), 200, "ok").await;
    check(&harness, json!({}), 400, "no_text").await;
    check(&harness, json!({ "text": " " }), 400, "no_text").await;
    check(&harness, json!({ "text": 7 }), 400, "invalid_payload").await;
    check(&harness, json!({ "text": "a", "blocks": "b" }), 400, "invalid_payload").await;
    check(&harness, json!(["text"]), 400, "invalid_payload").await;
    let many = vec![json!({ "type": "divider" }); 51];
    check(&harness, json!({ "blocks": many }), 400, "invalid_blocks").await;
    assert_eq!(post(&harness, "text/plain", json!({ "text": "a" }).to_string()).await.status, 400);
    assert_eq!(post(&harness, "application/json", "{".to_owned()).await.status, 400);
    let texts: Vec<String> =
        harness.simulator.slack_messages().into_iter().map(|message| message.text).collect();
    assert_eq!(texts, ["a", ""]);
}

#[tokio::test]
async fn whoever_is_too_fast_is_asked_to_wait() {
    let harness = Harness::start().await;
    let send = async || {
        let body = json!({ "text": "a" }).to_string();
        post(&harness, "application/json", body).await
    };
    for _ in 0..3 {
        assert_eq!(send().await.status, 200);
    }
    let refused = send().await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    harness.advance(1);
    assert_eq!(send().await.status, 200);
}

#[tokio::test]
async fn refusals_are_switched_and_messages_listed() {
    let harness = Harness::start().await;
    let control = |path: &str| harness.simulator.control_url().join(path).unwrap();
    let put = harness.http.put(control("slack/fault"));
    let put = put.json(&json!({ "status": 429, "retry_after": 30 })).send().await.unwrap();
    assert_eq!(put.status(), 204);
    let body = json!({ "text": "a" }).to_string();
    let refused = post(&harness, "application/json", body.clone()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("30")));
    let wrong = harness.http.put(control("slack/fault")).json(&json!({ "status": 200 }));
    assert_eq!(wrong.send().await.unwrap().status(), 422);
    harness.http.delete(control("slack/fault")).send().await.unwrap();
    assert_eq!(post(&harness, "application/json", body).await.status, 200);
    let listed = harness.http.get(control("slack")).send().await.unwrap();
    let listed = read(listed).await.unwrap().json();
    let expected = json!({ "at": "2026-09-21T14:12:00Z", "text": "a", "body": { "text": "a" } });
    assert_eq!(listed, json!({ "messages": [expected], "refused": 1 }));
}
