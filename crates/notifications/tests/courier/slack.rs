//! Slack: a stand-in that accepts what Slack accepts and nothing else.

use pampero_resilience::FailureClass;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::stage::{INSIDE, channel, courier, guard, message, options};

#[tokio::test]
async fn slack_gets_its_form() {
    let slack = Receiver::answering("200 OK", "content-type: text/plain\r\n", "ok");
    let ops = channel("ops", "slack", &json!({ "url": slack.url("/services/T0/B0/XXXX") }));

    let delivered = courier(options()).deliver(&ops, &message()).await.unwrap();

    assert_eq!((delivered.status, delivered.text.as_str()), (200, "ok"));
    let [got] = <[_; 1]>::try_from(slack.got()).unwrap();
    assert_eq!(got.line, "POST /services/T0/B0/XXXX HTTP/1.1");
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert!(got.header("user-agent").unwrap().starts_with("Pampero/"));
    let body: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(body, json!({ "text": "*14 errors*\n14 errors in 5 minutes\nsince 13:00 — é\n" }));
}

#[tokio::test]
async fn refusals_of_slack_are_told_apart() {
    use FailureClass::{Auth, BadRequest, RateLimited, Transient};
    check("400 Bad Request", "invalid_payload", BadRequest, false).await;
    check("403 Forbidden", "action_prohibited", Auth, false).await;
    check("404 Not Found", "channel_not_found", BadRequest, false).await;
    check("410 Gone", "channel_is_archived", BadRequest, false).await;
    check("429 Too Many Requests", "", RateLimited, false).await;
    check("500 Internal Server Error", "rollup_error", Transient, true).await;
}

async fn check(status: &str, said: &str, class: FailureClass, may_have_arrived: bool) {
    let slack = Receiver::answering(status, "", said);
    let ops = channel("ops", "slack", &json!({ "url": slack.url("/services/T0/B0/XXXXSECRET") }));
    let error = courier(options()).deliver(&ops, &message()).await.unwrap_err();
    assert_eq!(error.class, class, "{status}");
    assert_eq!(error.may_have_arrived, may_have_arrived, "{status}");
    assert_eq!(error.status, status[..3].parse().ok());
    assert!(error.reason.contains(status) && error.reason.contains(said), "{error}");
    assert!(!error.reason.contains("XXXXSECRET"), "{error}");
    assert_eq!(slack.got().len(), 1, "nothing is repeated here");
}

#[tokio::test]
async fn name_that_stands_in_for_slack_must_lead_to_where_the_operator_allows() {
    let slack = Receiver::answering("200 OK", "", "ok");
    let port = slack.address.port();
    let at = |name: &str| {
        channel("ops", "slack", &json!({ "url": format!("http://{name}:{port}/services/T/B/X") }))
    };
    let courier = courier(options());
    courier.deliver(&at(INSIDE), &message()).await.unwrap();

    let error = courier.deliver(&at("public.test"), &message()).await.unwrap_err();
    assert!(error.reason.contains("public.test is neither Slack nor an address"), "{error}");
    assert_eq!(error.class, FailureClass::BadRequest);
    assert_eq!(slack.got().len(), 1);
}

#[tokio::test]
async fn muted_channel_sends_nothing() {
    let slack = Receiver::answering("200 OK", "", "ok");
    let mut ops = channel("ops", "slack", &json!({ "url": slack.url("/services/T0/B0/XXXX") }));
    ops.is_enabled = false;
    let error = courier(options()).deliver(&ops, &message()).await.unwrap_err();
    assert_eq!(error.reason, "The channel is muted");
    assert!(slack.got().is_empty());
}

#[tokio::test]
async fn guard_is_asked_again_when_a_message_is_sent() {
    let slack = Receiver::answering("200 OK", "", "ok");
    let ops = channel("ops", "slack", &json!({ "url": slack.url("/services/T0/B0/XXXX") }));
    let mut options = options();
    options.guard = guard(&[]);
    let error = courier(options).deliver(&ops, &message()).await.unwrap_err();
    assert!(error.reason.contains("127.0.0.1 is the machine itself"), "{error}");
    assert_eq!(error.class, FailureClass::BadRequest);
    assert!(!error.may_have_arrived);
    assert!(slack.got().is_empty());
}
