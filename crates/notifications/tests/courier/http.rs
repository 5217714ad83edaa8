//! Webhooks: keys, signatures, and receivers that misbehave.

use std::time::{Duration, Instant};

use pampero_notifications::{DeliveryError, sign};
use pampero_resilience::FailureClass;
use serde_json::{Value, json};

use crate::receiver::{Answer, Receiver};
use crate::stage::{INSIDE, REBOUND, channel, courier, message, options, start};

/// Part of every address; no error and no log may show it.
const SECRET: &str = "s3cret-t0ken-of-the-hook";

fn hook(receiver: &Receiver) -> Value {
    json!({ "url": receiver.url(&format!("/in/{SECRET}")) })
}

#[tokio::test]
async fn webhook_carries_key_signature_and_headers() {
    let receiver = Receiver::answering("204 No Content", "", "");
    let mut data = hook(&receiver);
    data["method"] = "PATCH".into();
    data["hmac_secret"] = "whsec_0123456789".into();
    data["header_params"] =
        json!({ "Content-Type": "text/plain", "Authorization": "Bearer abcdef" });
    let delivered =
        courier(options()).deliver(&channel("hook", "webhook", &data), &message()).await.unwrap();

    assert_eq!(delivered.status, 204);
    let [got] = <[_; 1]>::try_from(receiver.got()).unwrap();
    assert_eq!(got.line, format!("PATCH /in/{SECRET} HTTP/1.1"));
    assert_eq!(got.body, message().text.as_bytes());
    assert_eq!(got.header("idempotency-key"), Some("m-1"));
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(got.header("authorization"), Some("Bearer abcdef"));
    let signature = got.header("x-pampero-signature").unwrap();
    let (time, _) = signature.split_once(',').unwrap();
    let seconds: i64 = time.strip_prefix("t=").unwrap().parse().unwrap();
    assert!((seconds - start().as_second()).abs() < 60, "{signature}");
    let at = jiff::Timestamp::from_second(seconds).unwrap();
    assert_eq!(signature, sign(b"whsec_0123456789", at, &got.body));
}

async fn failure(receiver: &Receiver) -> DeliveryError {
    failure_at(&receiver.url(&format!("/in/{SECRET}"))).await
}

async fn failure_at(url: &str) -> DeliveryError {
    let hook = channel("hook", "webhook", &json!({ "url": url }));
    let error = courier(options()).deliver(&hook, &message()).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    error
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let target = Receiver::answering("200 OK", "", "ok");
    for status in
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("location: {}\r\n", target.url("/"));
        let receiver = Receiver::answering(status, &location, "");
        let error = failure(&receiver).await;
        assert_eq!(error.class, FailureClass::BadRequest);
        assert!(error.reason.contains("redirects are not followed"), "{error}");
    }
    assert!(target.got().is_empty());
}

#[tokio::test]
async fn wait_that_is_asked_for_is_told() {
    let receiver = Receiver::answering("429 Too Many Requests", "retry-after: 30\r\n", "slow down");
    let error = failure(&receiver).await;
    assert_eq!(error.class, FailureClass::RateLimited);
    assert_eq!(error.retry_after, Some(Duration::from_secs(30)));

    let date = "retry-after: Mon, 21 Sep 2026 14:04:00 GMT\r\n";
    let receiver = Receiver::answering("503 Service Unavailable", date, "");
    let error = failure(&receiver).await;
    assert_eq!(error.class, FailureClass::Transient);
    let wait = error.retry_after.unwrap();
    assert!(Duration::from_secs(3_500) < wait && wait <= Duration::from_secs(3_600), "{wait:?}");
}

#[tokio::test]
async fn receiver_that_hangs_is_given_up() {
    let receiver = Receiver::start(Answer::Hang);
    let mut options = options();
    options.timeout = Duration::from_millis(200);
    let hook = channel("hook", "webhook", &hook(&receiver));
    let error = courier(options).deliver(&hook, &message()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Transient);
    assert_eq!(error.reason, "no answer within the time allowed");
    assert!(error.may_have_arrived);
    assert_eq!(error.status, None);
}

#[tokio::test]
async fn cut_connection_may_have_brought_the_message() {
    for answer in [Answer::Cut, Answer::CutMidway] {
        let receiver = Receiver::start(answer.clone());
        let error = failure(&receiver).await;
        assert_eq!(error.class, FailureClass::Transient, "{answer:?}");
        assert!(error.may_have_arrived, "{answer:?}");
        assert_eq!(receiver.got().len(), 1, "nothing is repeated here");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_arrived() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = failure_at(&format!("http://{unused}/in/{SECRET}")).await;
    assert_eq!(error.class, FailureClass::Transient);
    assert!(error.reason.starts_with("no connection: "), "{error}");
    assert!(!error.may_have_arrived);
}

#[tokio::test]
async fn endless_answer_is_cut() {
    let receiver = Receiver::start(Answer::Endless);
    let hook = channel("hook", "webhook", &hook(&receiver));
    let began = Instant::now();
    let delivered = courier(options()).deliver(&hook, &message()).await.unwrap();
    assert_eq!(delivered.status, 200);
    assert!(delivered.text.chars().count() < 400, "{}", delivered.text.len());
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "the limit of bytes came before that of time"
    );
    // A head without an end is no answer.
    let error = failure(&Receiver::start(Answer::EndlessHead)).await;
    assert_eq!(error.class, FailureClass::Transient);
}

#[tokio::test]
async fn answer_that_repeats_the_secret_is_cleaned() {
    let said = format!("no hook at /in/{SECRET}\r\n\tgo away");
    let receiver = Receiver::answering("404 Not Found", "", &said);
    let error = failure(&receiver).await;
    assert_eq!(
        error.reason,
        "the receiver answered 404 Not Found: no hook at /in/[redacted] go away"
    );
    let receiver = Receiver::answering("200 OK", "", &said);
    let hook = channel("hook", "webhook", &hook(&receiver));
    let delivered = courier(options()).deliver(&hook, &message()).await.unwrap();
    assert_eq!(delivered.text, "no hook at /in/[redacted] go away");
}

#[tokio::test]
async fn name_is_judged_by_where_it_leads() {
    let receiver = Receiver::answering("200 OK", "", "");
    let port = receiver.address.port();
    let at = |name: &str| {
        channel("hook", "webhook", &json!({ "url": format!("http://{name}:{port}/{SECRET}") }))
    };
    let open = courier(options());
    open.deliver(&at(INSIDE), &message()).await.unwrap();
    assert_eq!(receiver.got().len(), 1);

    let mut closed = options();
    closed.guard = crate::stage::guard(&[]);
    let closed = courier(closed);
    for name in [INSIDE, REBOUND] {
        let error = closed.deliver(&at(name), &message()).await.unwrap_err();
        assert_eq!(error.class, FailureClass::BadRequest, "{error}");
        assert!(error.reason.contains(&format!("{name} is refused: 127.0.0.1")), "{error}");
        assert!(!error.may_have_arrived && !error.reason.contains(SECRET));
    }
    let error = open.deliver(&at("unknown.test"), &message()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Transient, "the name may be known next time: {error}");
    assert!(!error.may_have_arrived);
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn alertmanager_takes_what_it_is_sent() {
    let receiver = Receiver::answering("200 OK", "", "");
    let data = json!({ "url": receiver.url("") });
    courier(options()).deliver(&channel("am", "alertmanager", &data), &message()).await.unwrap();
    let [got] = <[_; 1]>::try_from(receiver.got()).unwrap();
    assert_eq!(got.line, "POST /api/v2/alerts HTTP/1.1");
    let alerts: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(alerts[0]["labels"]["alertname"], "error_logs");
}

#[tokio::test]
async fn account_takes_no_message() {
    let account = json!({
        "host": "127.0.0.1", "port": 25, "method": "none", "from_address": "p@b.example"
    });
    let account = channel("smtp", "smtp_account", &account);
    let error = courier(options()).deliver(&account, &message()).await.unwrap_err();
    assert_eq!(error.reason, "a channel of type smtp_account takes no messages");
}
