//! Channels and messages over the API: tests that arrive, letters that are dead, secrets that stay secret.

use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::TestApp;

/// Takes messages on a port of this machine and answers each with a status.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start(app: &TestApp, status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/services/a-secret-path", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&got);
        app.tracker.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                // A message ends with the brace of its JSON.
                while !request.ends_with(b"}") {
                    let mut part = [0; 4096];
                    match stream.read(&mut part).await {
                        Ok(0) | Err(_) => break,
                        Ok(count) => request.extend_from_slice(&part[..count]),
                    }
                }
                taken.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, got }
    }
}

/// Makes a channel through OpenSearch's route, as the page does.
async fn make_channel(app: &TestApp, id: &str, url: &str, is_enabled: bool) {
    let body = json!({ "config_id": id, "config": {
        "name": "Ops", "description": "on call", "config_type": "slack",
        "is_enabled": is_enabled, "slack": { "url": url } } });
    let path = "/opensearch/_plugins/_notifications/configs";
    let made = app.send_json(Method::POST, path, &body.to_string()).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
}

#[tokio::test]
async fn channels_are_listed_without_their_secrets() {
    let app = TestApp::start().await;
    make_channel(&app, "slack-ops", "http://127.0.0.1:9/services/a-secret-path", true).await;
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5)]);
    let reply = app.get("/api/channels").await;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    assert!(!text.contains("a-secret-path"), "{text}");
    let channel = &reply.json()["channels"][0];
    assert_eq!((&channel["id"], &channel["kind"]), (&json!("slack-ops"), &json!("slack")));
    assert_eq!(channel["config"]["slack"]["url"], "[redacted]");
    assert_eq!(channel["file"], "channels/slack-ops.json");
    assert_eq!((&channel["enabled"], &channel["receives"]), (&json!(true), &json!(true)));
    assert_eq!((&channel["waiting"], &channel["delivered"]), (&json!(1), &json!(0)));
    assert_eq!(channel["oldest_waiting"], "2026-11-24T15:00:00Z");
}

#[tokio::test]
async fn a_test_message_arrives_or_says_why_not() {
    let app = TestApp::start().await;
    let good = Receiver::start(&app, "200 OK").await;
    let bad = Receiver::start(&app, "403 Forbidden").await;
    make_channel(&app, "good", &good.url, true).await;
    make_channel(&app, "bad", &bad.url, true).await;
    make_channel(&app, "off", &good.url, false).await;
    let test =
        async |id: &str| app.send_json(Method::POST, &format!("/api/channels/{id}/test"), "").await;
    let arrived = test("good").await.json();
    assert_eq!(
        arrived,
        json!({ "channel": "good", "delivered": true, "status": 200, "text": "ok" })
    );
    let got = good.got.lock().unwrap().clone();
    assert!(got.len() == 1 && got[0].contains("Test message content body"), "{got:?}");
    let refused = test("bad").await.json();
    assert_eq!((&refused["delivered"], &refused["status"]), (&json!(false), &json!(403)));
    let reason = refused["text"].as_str().unwrap();
    assert!(!reason.is_empty() && !reason.contains("a-secret-path"), "{reason}");
    test("off").await.check_problem(409, "channel_disabled");
    test("nobody").await.check_problem(404, "unknown_channel");
    assert_eq!(good.got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn messages_that_were_given_up_are_sent_again_or_removed() {
    let app = TestApp::start().await;
    // There is no channel yet, so that both messages are given up at once.
    app.freeze("2026-11-24T15:00:00Z", &[("jfk", -1.5)]);
    app.freeze("2026-11-24T15:01:00Z", &[]);
    let list = async |query: &str| {
        let reply = app.get(&format!("/api/notifications{query}")).await.json();
        reply["notifications"].as_array().unwrap().clone()
    };
    let waiting = list("?state=waiting").await;
    assert_eq!(waiting.len(), 2);
    assert_eq!((&waiting[0]["kind"], &waiting[1]["kind"]), (&json!("recovered"), &json!("fired")));
    let message = &waiting[1];
    assert_eq!(message["source"], "rule/rules/weather.yml;weather/Frost");
    assert_eq!((&message["channel"], &message["stands_for"]), (&json!("slack-ops"), &json!(1)));
    assert_eq!(list("?state=waiting&channel=other").await, Vec::<Value>::new());
    let first = app.get("/api/notifications?limit=1").await.json();
    assert_eq!(first["next_cursor"], "1");
    deliver(&app, async || list("?state=dead").await.len() == 2).await;
    let dead = list("?state=dead").await;
    assert!(dead[0]["reason"].as_str().unwrap().contains("slack-ops"), "{}", dead[0]);

    let receiver = Receiver::start(&app, "200 OK").await;
    make_channel(&app, "slack-ops", &receiver.url, true).await;
    let path = format!("/api/notifications/{}", dead[0]["id"]);
    let sent = app.send_json(Method::POST, &format!("{path}/resend"), "").await;
    assert_eq!((sent.status.as_u16(), &sent.json()["state"]), (202, &json!("waiting")));
    let again = app.send_json(Method::POST, &format!("{path}/resend"), "").await;
    again.check_problem(404, "unknown_notification");
    deliver(&app, async || list("?state=delivered").await.len() == 1).await;
    assert_eq!(receiver.got.lock().unwrap().len(), 1);
    let delivered = &list("?state=delivered").await[0];
    assert_eq!((&delivered["subject"], &delivered["tries"]), (&dead[0]["subject"], &json!(1)));

    let path = format!("/api/notifications/{}", dead[1]["id"]);
    assert_eq!(app.send_json(Method::DELETE, &path, "").await.status, 204);
    app.send_json(Method::DELETE, &path, "").await.check_problem(404, "unknown_notification");
    assert_eq!(list("?state=dead").await, Vec::<Value>::new());
    let wrong = app.send_json(Method::DELETE, "/api/notifications/x", "").await;
    wrong.check_problem(404, "unknown_notification");
}

/// Delivers until something is so.
pub(crate) async fn deliver(app: &TestApp, is_so: impl AsyncFn() -> bool) {
    let cancel = CancellationToken::new();
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    tokio::join!(app.alerting.run(cancel.clone()), waiting);
}
