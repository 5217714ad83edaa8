//! What each kind of receiver gets, member by member.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::channel::{Alertmanager, BodyTemplate, HeaderText};
use crate::guard::SystemResolver;
use crate::message::{MessageAlert, MessageKind};
use crate::secret::Secret;

fn message() -> Message {
    Message {
        key: "m-1".to_owned(),
        kind: MessageKind::Fired,
        subject: "Errors in <K12> & more".to_owned(),
        text: "14 errors\n<!channel> a & b\n".to_owned(),
        severity: 1,
        source: "error_logs".to_owned(),
        incident: "monitor/error_logs/count_error".to_owned(),
        link: Some("https://pampero.example/alerts/1".to_owned()),
        at: "2026-09-21T13:04:00Z".parse().expect("an instant"),
        is_repeat: false,
        alerts: Vec::new(),
    }
}

fn now() -> Timestamp {
    "2026-09-21T13:05:00Z".parse().expect("an instant")
}

fn channel(kind: ChannelKind) -> Channel {
    Channel {
        id: "ops".to_owned(),
        name: "Ops".to_owned(),
        description: String::new(),
        is_enabled: true,
        created: now(),
        updated: now(),
        kind,
    }
}

fn made(kind: ChannelKind, message: &Message) -> Request {
    let guard = Guard::new([], Arc::new(SystemResolver));
    request(&channel(kind), message, &guard, now()).expect("the request can be made")
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("the body is JSON")
}

fn hook() -> Chat {
    Chat { url: Secret::literal("https://hooks.slack.com/services/T0/B0/XXXX") }
}

fn to(body: Body) -> Webhook {
    Webhook {
        url: Secret::literal("https://receiver.example/in?token=1"),
        method: Method::Post,
        headers: Vec::new(),
        body,
        hmac_secret: None,
    }
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request.headers.get(name).map(|value| value.to_str().expect("the header is text"))
}

#[test]
fn chats_get_the_form_of_their_kind() {
    let message = message();
    let text = "Errors in <K12> & more\n\n14 errors\n<!channel> a & b\n";
    let slack = made(ChannelKind::Slack(hook()), &message);
    assert_eq!(
        body(&slack),
        json!({
            "text": "*Errors in &lt;K12&gt; &amp; more*\n14 errors\n&lt;!channel&gt; a &amp; b\n"
        })
    );
    assert_eq!(header(&slack, "content-type"), Some("application/json"));
    assert_eq!(header(&slack, "idempotency-key"), None);
    assert_eq!(body(&made(ChannelKind::Chime(hook()), &message)), json!({ "Content": text }));
    assert_eq!(body(&made(ChannelKind::Mattermost(hook()), &message)), json!({ "text": text }));
    assert_eq!(body(&made(ChannelKind::MicrosoftTeams(hook()), &message)), json!({ "text": text }));
}

#[test]
fn repeat_is_marked_where_the_receiver_cannot_see_it() {
    let mut message = message();
    message.is_repeat = true;
    let marked = |kind| {
        let request = made(kind, &message);
        String::from_utf8_lossy(&request.body).contains(REPEATED)
    };
    let pagerduty = Preset::Pagerduty { routing_key: Secret::literal("k") };
    assert!(marked(ChannelKind::Slack(hook())));
    assert!(marked(ChannelKind::Chime(hook())));
    assert!(marked(ChannelKind::Mattermost(hook())));
    assert!(marked(ChannelKind::MicrosoftTeams(hook())));
    assert!(marked(ChannelKind::Webhook(to(Body::Preset(Preset::Discord)))));
    assert!(marked(ChannelKind::Webhook(to(Body::Preset(Preset::Ntfy)))));
    assert!(!marked(ChannelKind::Webhook(to(Body::Preset(pagerduty)))));
    assert!(!marked(ChannelKind::Webhook(to(Body::Text))));
    let slack = body(&made(ChannelKind::Slack(hook()), &message));
    assert!(slack["text"].as_str().is_some_and(|text| text.ends_with(&format!("b\n{REPEATED}"))));
}

#[test]
fn long_text_is_cut_for_slack() {
    let mut message = message();
    message.text = "<".repeat(50_000);
    let slack = body(&made(ChannelKind::Slack(hook()), &message));
    let text = slack["text"].as_str().expect("a text");
    assert!(text.chars().count() < 40_000, "{}", text.chars().count());
    assert!(text.contains("… (cut: 4"), "{}", &text[text.len() - 80..]);
}

#[test]
fn webhook_gets_the_text_byte_for_byte() {
    let message = message();
    let plain = made(ChannelKind::Webhook(to(Body::Text)), &message);
    assert_eq!(plain.body, message.text.as_bytes());
    assert_eq!(header(&plain, "content-type"), Some("application/json"));
    assert_eq!(header(&plain, "idempotency-key"), Some("m-1"));
    assert_eq!(header(&plain, "x-pampero-signature"), None);

    let mut webhook = to(Body::Text);
    webhook.method = Method::Put;
    webhook.hmac_secret = Some(Secret::literal("whsec"));
    let text = HeaderText::Secret(Secret::literal("Bearer t0ken"));
    webhook.headers = vec![Header { name: "Authorization".to_owned(), text }];
    let signed = made(ChannelKind::Webhook(webhook), &message);
    assert_eq!(signed.method, Method::Put);
    assert_eq!(header(&signed, "authorization"), Some("Bearer t0ken"));
    assert_eq!(header(&signed, "content-type"), None);
    let expected = sign(b"whsec", now(), message.text.as_bytes());
    assert_eq!(header(&signed, "x-pampero-signature"), Some(expected.as_str()));
    assert!(!format!("{:?}", signed.headers).contains("t0ken"));
}

#[test]
fn template_makes_the_body() {
    let source = r#"{"what":"{{subject}}","n":{{severity}},"kind":"{{kind}}"}"#;
    let template = pampero_templates::mustache::Template::parse(source).expect("a template");
    let mut message = message();
    message.subject = "a \"b\"\n\\".to_owned();
    let request = made(ChannelKind::Webhook(to(Body::Template(BodyTemplate(template)))), &message);
    assert_eq!(body(&request), json!({ "what": "a \"b\"\n\\", "n": 1, "kind": "fired" }));
}

#[test]
fn discord_and_ntfy_get_their_forms() {
    let message = message();
    let discord = made(ChannelKind::Webhook(to(Body::Preset(Preset::Discord))), &message);
    assert_eq!(
        body(&discord),
        json!({
            "content": "Errors in <K12> & more\n\n14 errors\n<!channel> a & b\n",
            "allowed_mentions": { "parse": [] },
        })
    );
    let mut webhook = to(Body::Preset(Preset::Ntfy));
    webhook.url = Secret::literal("https://ntfy.example/base/weather");
    let ntfy = made(ChannelKind::Webhook(webhook), &message);
    assert_eq!(ntfy.url.as_str(), "https://ntfy.example/base/");
    assert_eq!(
        body(&ntfy),
        json!({
            "topic": "weather",
            "title": "Errors in <K12> & more",
            "message": "14 errors\n<!channel> a & b\n",
            "priority": 5,
            "tags": ["warning"],
            "click": "https://pampero.example/alerts/1",
        })
    );
}

#[test]
fn pagerduty_opens_and_resolves_one_incident() {
    let preset = || Preset::Pagerduty { routing_key: Secret::literal("R0UT1NG") };
    let event =
        |message: &Message| body(&made(ChannelKind::Webhook(to(Body::Preset(preset()))), message));
    let mut message = message();
    assert_eq!(
        event(&message),
        json!({
            "routing_key": "R0UT1NG",
            "event_action": "trigger",
            "dedup_key": "monitor/error_logs/count_error",
            "client": "Pampero",
            "client_url": "https://pampero.example/alerts/1",
            "links": [{ "href": "https://pampero.example/alerts/1", "text": "Pampero" }],
            "payload": {
                "summary": "Errors in <K12> & more",
                "source": "error_logs",
                "severity": "critical",
                "timestamp": "2026-09-21T13:04:00Z",
                "custom_details": { "text": "14 errors\n<!channel> a & b\n" },
            },
        })
    );
    message.kind = MessageKind::Recovered;
    assert_eq!(event(&message)["event_action"], "resolve");
    message.incident = "x".repeat(256);
    let key = event(&message)["dedup_key"].as_str().map(str::len);
    assert_eq!(key, Some(64), "a long key is replaced by its digest");
    message.kind = MessageKind::Test;
    assert_eq!(event(&message)["dedup_key"], "m-1");
    assert_eq!(event(&message)["payload"]["severity"], "info");
}

fn alertmanager() -> ChannelKind {
    let url = Url::parse("http://alertmanager.example:9093/prefix/").expect("a URL");
    ChannelKind::Alertmanager(Alertmanager { url, headers: Vec::new() })
}

#[test]
fn alertmanager_gets_alerts_one_by_one() {
    let mut message = message();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    message.alerts = vec![MessageAlert {
        labels: [
            pair("alertname", "Frost"),
            pair("place", "jfk"),
            pair("bad-name", "x"),
            pair("no", ""),
        ]
        .into(),
        annotations: [pair("summary", "cold")].into(),
        starts_at: message.at,
        ends_at: None,
    }];
    let request = made(alertmanager(), &message);
    assert_eq!(request.url.as_str(), "http://alertmanager.example:9093/prefix/api/v2/alerts");
    let firing = json!({
        "labels": { "alertname": "Frost", "place": "jfk" },
        "annotations": { "summary": "cold" },
        "startsAt": "2026-09-21T13:04:00Z",
        "generatorURL": "https://pampero.example/alerts/1",
    });
    assert_eq!(body(&request), json!([firing]));

    message.kind = MessageKind::Recovered;
    message.at = "2026-09-21T14:00:00Z".parse().expect("an instant");
    let mut over = firing;
    over["endsAt"] = "2026-09-21T14:00:00Z".into();
    assert_eq!(body(&made(alertmanager(), &message)), json!([over]));
}

#[test]
fn alertmanager_gets_an_alert_for_what_has_none() {
    let mut message = message();
    message.kind = MessageKind::Trouble;
    let trouble = body(&made(alertmanager(), &message));
    message.kind = MessageKind::Recovered;
    let over = body(&made(alertmanager(), &message));
    assert_eq!(trouble[0]["labels"], over[0]["labels"], "the end is that of the trouble");
    assert_eq!(trouble[0]["labels"]["alertname"], "error_logs");
    assert_eq!(trouble[0]["annotations"]["summary"], "Errors in <K12> & more");
    assert_eq!(trouble[0].get("endsAt"), None);
    assert_eq!(over[0]["endsAt"], "2026-09-21T13:04:00Z");
    message.kind = MessageKind::Test;
    let test = body(&made(alertmanager(), &message));
    assert_eq!(test[0]["endsAt"], "2026-09-21T13:09:00Z");
}

#[test]
fn refused_address_and_large_body_make_no_request() {
    let guard = Guard::new([], Arc::new(SystemResolver));
    let mut webhook = to(Body::Text);
    webhook.url = Secret::literal("http://127.0.0.1/s3cret-path");
    let error = request(&channel(ChannelKind::Webhook(webhook)), &message(), &guard, now());
    let error = error.err().expect("the address is refused").to_string();
    assert!(error.contains("127.0.0.1 is the machine itself"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");

    let mut message = message();
    message.text = "x".repeat(BODY_BYTES_MAX + 1);
    let large = request(&channel(ChannelKind::Webhook(to(Body::Text))), &message, &guard, now());
    assert!(matches!(large, Err(WireError::Body(_))));
}
