//! Services whose form is known: Discord, ntfy, PagerDuty.

use serde_json::{Value, json};
use url::Url;

use super::text::{body, cut, one_line, with_subject};
use crate::message::{Message, MessageKind};

/// Source: Discord, Execute Webhook: `content` has at most 2,000 characters.
const DISCORD_CHARS_MAX: usize = 2_000;
/// Source: ntfy, limits: a message of more than 4,096 bytes becomes an attachment. A character has at most
/// four bytes.
const NTFY_CHARS_MAX: usize = 1_000;
/// Source: PagerDuty, Events API v2: `payload.summary` has at most 1,024 characters.
const SUMMARY_CHARS_MAX: usize = 1_024;
/// Source: PagerDuty, Events API v2: `dedup_key` has at most 255 characters.
const DEDUP_KEY_CHARS_MAX: usize = 255;
/// An event has at most 512 KB.
const DETAILS_CHARS_MAX: usize = 32_000;

/// Nothing in the text calls anybody by name or all of them.
pub(super) fn discord(message: &Message) -> Value {
    json!({
        "content": with_subject(message, DISCORD_CHARS_MAX),
        "allowed_mentions": { "parse": [] },
    })
}

/// Takes the topic off the address: messages in JSON go to the root of the server. `None` when there is no
/// topic.
pub(crate) fn ntfy_topic(url: &Url) -> Option<(Url, String)> {
    let (before, topic) = url.path().trim_end_matches('/').rsplit_once('/')?;
    if topic.is_empty() {
        return None;
    }
    let topic = topic.to_owned();
    let mut root = url.clone();
    root.set_path(&format!("{before}/"));
    Some((root, topic))
}

/// Source: ntfy, publish as JSON. Its priorities run from 1, the lowest, to 5.
pub(super) fn ntfy(message: &Message, topic: &str) -> Value {
    let tag = match message.kind {
        MessageKind::Recovered => "white_check_mark",
        MessageKind::Test => "speech_balloon",
        MessageKind::Trouble => "question",
        _ => "warning",
    };
    let mut event = json!({
        "topic": topic,
        "title": one_line(&cut(&message.subject, 250)),
        "message": body(message, NTFY_CHARS_MAX),
        "priority": ntfy_priority(message),
        "tags": [tag],
    });
    if let Some(link) = &message.link {
        event["click"] = link.as_str().into();
    }
    event
}

fn ntfy_priority(message: &Message) -> u8 {
    match message.kind {
        MessageKind::Recovered | MessageKind::Test => 3,
        _ => 6 - message.severity.clamp(1, 5),
    }
}

/// An incident opens, is updated, and is resolved by its key; a test is an incident of its own.
///
/// Source: PagerDuty, Events API v2, send an alert event.
pub(super) fn pagerduty(message: &Message, routing_key: &str) -> Value {
    let action = match message.kind {
        MessageKind::Recovered => "resolve",
        _ => "trigger",
    };
    let summary = match one_line(&message.subject) {
        subject if subject.trim().is_empty() => message.source.clone(),
        subject => subject.into_owned(),
    };
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": dedup_key(message),
        "client": "Pampero",
        "payload": {
            "summary": cut(&summary, SUMMARY_CHARS_MAX),
            "source": message.source,
            "severity": pagerduty_severity(message),
            "timestamp": message.at.to_string(),
            "custom_details": { "text": cut(&message.text, DETAILS_CHARS_MAX) },
        },
    });
    if let Some(link) = &message.link {
        event["client_url"] = link.as_str().into();
        event["links"] = json!([{ "href": link, "text": "Pampero" }]);
    }
    event
}

fn dedup_key(message: &Message) -> String {
    let incident = match message.kind {
        MessageKind::Test => &message.key,
        _ => &message.incident,
    };
    if incident.chars().count() <= DEDUP_KEY_CHARS_MAX {
        return incident.clone();
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, incident.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pagerduty_severity(message: &Message) -> &'static str {
    match (message.kind, message.severity) {
        (MessageKind::Test, _) => "info",
        (_, ..=1) => "critical",
        (_, 2) => "error",
        (_, 3) => "warning",
        _ => "info",
    }
}
