//! Channels: made, shown, changed, tried, removed.

use http::StatusCode;
use pampero_alerting::rest::AlertingRestOptions;
use serde_json::{Value, json};

use crate::slack::Slack;
use crate::testkit::{ALERTING, App, NOTIFICATIONS, error_monitor};

const HOOK: &str = "https://hooks.slack.com/services/T000/B000/XXXX";

fn slack(name: &str) -> Value {
    json!({ "config": { "name": name, "description": "on call", "config_type": "slack",
        "is_enabled": true, "slack": { "url": HOOK } } })
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_made_shown_changed_and_removed() {
    let app = App::start();
    let configs = format!("{NOTIFICATIONS}/configs");
    app.make_slack("slack-ops", HOOK).await;
    let shown = app.get(&format!("{configs}/slack-ops")).await;
    let noon_ms = 1_779_105_600_000_i64;
    assert_eq!(
        shown.json(),
        json!({ "start_index": 0, "total_hits": 1, "total_hit_relation": "eq", "config_list": [
            { "config_id": "slack-ops", "created_time_ms": noon_ms, "last_updated_time_ms": noon_ms,
              "config": { "name": "Ops Slack", "description": "on call", "config_type": "slack",
                "is_enabled": true, "slack": { "url": "[redacted]" } } }] })
    );
    assert_eq!(app.get("/_opendistro/_notifications/configs").await.json(), shown.json());
    // The redacted secret keeps what there was.
    let mut body = shown.at("/config_list/0");
    body["config"]["name"] = json!("Ops");
    let body = json!({ "config": body["config"] });
    let put = app.call(&format!("PUT {configs}/slack-ops"), body).await;
    assert_eq!(put.json(), json!({ "config_id": "slack-ops" }));
    let shown = app.get(&format!("{configs}?name=ops")).await;
    assert_eq!(shown.at("/config_list/0/config/name"), "Ops");
    // Without an id one is made.
    let made = app.call(&format!("POST {configs}"), slack("Second")).await;
    let second = made.at("/config_id").as_str().unwrap().to_owned();
    assert_eq!(app.get(&configs).await.at("/total_hits"), 2);
    let gone = app.send(&format!("DELETE {configs}?config_id_list=slack-ops,{second}"), "").await;
    let expected = json!({ "delete_response_list": { "slack-ops": "OK", second: "OK" } });
    assert_eq!(gone.json(), expected);
    assert_eq!(app.get(&configs).await.at("/total_hits"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused_in_the_plugins_words() {
    let app = App::start();
    app.make_slack("slack-ops", HOOK).await;
    let check = async |call: &str, body: Value, expected: &str| {
        let path = call.replace(" /", &format!(" {NOTIFICATIONS}/"));
        let reply = app.call(&path, body.clone()).await;
        assert!(reply.refusal().starts_with(expected), "{call} {body}: {}", reply.text());
        reply.at("/error/type")
    };
    let status = json!("status_exception");
    let typed = |kind: &str, of: Value| {
        json!({ "config": { "name": "x", "config_type": kind,
        "is_enabled": true, kind: of } })
    };
    let taken = json!({ "config_id": "slack-ops", "config": slack("x")["config"] });
    assert_eq!(check("POST /configs", taken, "409 ").await, status);
    let other = typed("chime", json!({ "url": "https://hooks.chime.aws/x" }));
    assert_eq!(check("PUT /configs/slack-ops", other, "409 ").await, status);
    assert_eq!(
        check("PUT /configs/x", slack("x"), "404 NotificationConfig x not found").await,
        status
    );
    assert_eq!(
        check("GET /configs/x", Value::Null, "404 NotificationConfig x not found").await,
        status
    );
    check("DELETE /configs/x", Value::Null, "404 NotificationConfig x not found").await;
    check(
        "DELETE /configs?config_id_list=slack-ops,x",
        Value::Null,
        "404 NotificationConfig x not found",
    )
    .await;
    assert_eq!(app.definitions.channels().len(), 1, "nothing was removed");
    check("DELETE /configs", Value::Null, "400 Validation Failed: 1: configIds is null or empty;")
        .await;
    check("POST /configs", json!({}), "400 ").await;
    check("POST /configs", json!([]), "400 the body must be an object").await;
    check("POST /configs", json!({ "config_id": 7, "config": {} }), "400 config_id must be a text")
        .await;
    check("POST /configs", json!({ "colour": 1 }), "400 Unknown field [colour]").await;
    check("POST /configs", Value::Null, "400 request body is required").await;
    check("POST /configs", typed("slack", json!({ "url": "https://example.com/x" })), "400 ").await;
    check(
        "POST /configs",
        typed("slack", json!({ "url": "http://169.254.169.254/services/a" })),
        "400 ",
    )
    .await;
    check("POST /configs", typed("sns", json!({ "topic_arn": "x" })), "400 ").await;
    check("POST /configs", typed("ses_account", json!({})), "400 ").await;
    check("POST /configs", typed("pigeon", json!({})), "400 ").await;
    let bad_id = json!({ "config_id": "../x", "config": slack("x")["config"] });
    check("POST /configs", bad_id, "400 ").await;
    check(
        "GET /configs?colour=red",
        Value::Null,
        "400 request [/_plugins/_notifications/configs] contains unrecognized parameter: [colour]",
    )
    .await;
    check("POST /feature/test/x", Value::Null, "404 Channel x not found").await;
    check("GET /features?x=1", Value::Null, "400 request").await;
    let looked = app.get(&format!("{NOTIFICATIONS}/feature/test/slack-ops")).await;
    assert_eq!(looked.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(looked.headers["allow"], "POST");
}

#[tokio::test(start_paused = true)]
async fn mail_needs_its_account_and_its_groups() {
    let app = App::start();
    let make = async |id: &str, kind: &str, of: Value| {
        let body = json!({ "config_id": id, "config": { "name": id, "config_type": kind,
            "is_enabled": true, kind: of } });
        app.call(&format!("POST {NOTIFICATIONS}/configs"), body).await
    };
    let email = |account: &str, group: &str| {
        json!({ "email_account_id": account, "email_group_id_list": [group],
            "recipient_list": [{ "recipient": "a@example.com" }] })
    };
    let refused = make("mail", "email", email("account", "group")).await;
    assert_eq!(refused.refusal(), "404 NotificationConfig account not found");
    let account = json!({ "host": "mail.example", "port": 587, "method": "start_tls",
        "from_address": "w@example.com" });
    assert_eq!(make("account", "smtp_account", account).await.status, 200);
    let refused = make("mail", "email", email("account", "group")).await;
    assert_eq!(refused.refusal(), "404 NotificationConfig group not found");
    let group = json!({ "recipient_list": [{ "recipient": "b@example.com" }] });
    assert_eq!(make("group", "email_group", group).await.status, 200);
    let refused = make("mail", "email", email("group", "group")).await;
    let expected = "406 group is of type email_group, and must be of type smtp_account";
    assert_eq!(refused.refusal(), expected);
    assert_eq!(make("mail", "email", email("account", "group")).await.status, 200);
    let body = json!({ "config": { "name": "mail", "config_type": "email", "is_enabled": true,
        "email": email("account", "account") } });
    let refused = app.call(&format!("PUT {NOTIFICATIONS}/configs/mail"), body).await;
    let expected = "406 account is of type smtp_account, and must be of type email_group";
    assert_eq!(refused.refusal(), expected);
    let listed = app.get(&format!("{NOTIFICATIONS}/configs?config_type=email")).await;
    assert_eq!(listed.at("/config_list/0/config/email/email_account_id"), "account");
    let channels = app.get(&format!("{NOTIFICATIONS}/channels")).await;
    assert_eq!(channels.at("/total_hits"), 1, "{}", channels.text());
}

#[tokio::test]
async fn a_test_message_tells_what_became_of_it() {
    let hook = Slack::start().await;
    let app = App::start();
    app.make_slack("slack-ops", &hook.url()).await;
    let test = format!("POST {NOTIFICATIONS}/feature/test/slack-ops");
    let sent = app.send(&test, "").await;
    assert_eq!(
        sent.json(),
        json!({ "event_source": { "title": "Test Message Title-slack-ops",
                "reference_id": "slack-ops", "severity": "info", "tags": [] },
            "status_list": [{ "config_id": "slack-ops", "config_type": "slack",
                "config_name": "Ops Slack", "email_recipient_status": [],
                "delivery_status": { "status_code": "200", "status_text": "ok" } }] })
    );
    assert!(hook.texts()[0].contains("slack-ops"), "{:?}", hook.texts());
    hook.answer(StatusCode::NOT_FOUND, "no_service");
    let failed = app.send(&test, "").await;
    assert_eq!(failed.status, 500);
    assert_eq!(failed.at("/error/type"), "status_exception");
    let reason: Value = serde_json::from_str(failed.at("/error/reason").as_str().unwrap()).unwrap();
    let status = reason.pointer("/event_status_list/0/status_list/0/delivery_status").unwrap();
    assert_eq!(status["status_code"], "500");
    let text = status["status_text"].as_str().unwrap();
    assert!(text.starts_with("Failed to send webhook message Failed: "), "{text}");
    assert!(text.contains("no_service"), "{text}");
    // Neither a channel that is switched off nor an account gets one.
    let shown = app.get(&format!("{NOTIFICATIONS}/configs/slack-ops")).await;
    let mut config = shown.at("/config_list/0/config");
    config["is_enabled"] = json!(false);
    let put = format!("PUT {NOTIFICATIONS}/configs/slack-ops");
    assert_eq!(app.call(&put, json!({ "config": config })).await.status, 200);
    let muted = app.send(&test, "").await;
    assert_eq!(muted.status, StatusCode::LOCKED);
    assert!(muted.text().contains("The channel is muted"), "{}", muted.text());
    assert_eq!(hook.texts().len(), 2);
    let account = json!({ "config_id": "account", "config": { "name": "account",
        "config_type": "smtp_account", "is_enabled": true, "smtp_account": { "host": "mail.example",
        "port": 587, "method": "start_tls", "from_address": "w@example.com" } } });
    let made = app.call(&format!("POST {NOTIFICATIONS}/configs"), account).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let refused = app.send(&format!("POST {NOTIFICATIONS}/feature/test/account"), "").await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    let features = app.get(&format!("{NOTIFICATIONS}/features")).await;
    let types = features.at("/allowed_config_type_list");
    assert!(types.as_array().unwrap().contains(&json!("slack")), "{types}");
    assert_eq!(features.at("/plugin_features"), json!({ "tooltip_support": "true" }));
}

#[tokio::test]
async fn calls_that_wait_for_receivers_are_limited() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = App::with(AlertingRestOptions { sends_max: 1, ..AlertingRestOptions::default() });
    let address = silent.local_addr().unwrap();
    app.make_slack("slack-ops", &format!("http://{address}/services/T0/B0/x")).await;
    let test = format!("POST {NOTIFICATIONS}/feature/test/slack-ops");
    let first = app.send(&test, "");
    let second = async {
        // The first call has its place when its message reaches the receiver, which never answers.
        let connection = silent.accept().await.unwrap();
        let second = app.send(&test, "").await;
        let unsaved = format!("POST {ALERTING}/monitors/_execute");
        let third = app.call(&unsaved, error_monitor()).await;
        drop(connection);
        (second, third)
    };
    let (first, (second, third)) = tokio::join!(first, second);
    assert_eq!(first.status, 500, "{}", first.text());
    for refused in [second, third] {
        assert_eq!(refused.status, 429, "{}", refused.text());
        assert_eq!(refused.at("/error/type"), "rejected_execution_exception");
    }
}
