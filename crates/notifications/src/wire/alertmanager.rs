//! Alerts as an Alertmanager takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::message::{Message, MessageAlert, MessageKind};

/// How long the alert of a test lasts.
const TEST_LASTS: Duration = Duration::from_secs(300);

/// Returns the alerts of a message; of one that has none, as trouble or a test, one that is made of it.
///
/// An alert that fires has no end, so that the Alertmanager ends it by its own `resolve_timeout` when it does not
/// hear of it again. What tells alerts apart are their labels, so a repeat changes nothing.
///
/// Source: Alertmanager, OpenAPI of API v2, `postableAlerts`.
pub(super) fn alerts(message: &Message) -> Value {
    if message.alerts.is_empty() || message.kind == MessageKind::Test {
        return json!([alert(message, &of_message(message))]);
    }
    message.alerts.iter().map(|one| alert(message, one)).collect()
}

fn alert(message: &Message, alert: &MessageAlert) -> Value {
    let mut labels = members(&alert.labels);
    let name = labels.get("alertname").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        labels.insert("alertname".to_owned(), message.source.as_str().into());
    }
    let is_over = message.kind == MessageKind::Recovered;
    let ends_at = alert.ends_at.or_else(|| is_over.then_some(message.at));
    let mut posted = json!({
        "labels": labels,
        "annotations": members(&alert.annotations),
        "startsAt": alert.starts_at.to_string(),
    });
    if let Some(ends_at) = ends_at {
        // An end before the start is refused.
        posted["endsAt"] = ends_at.max(alert.starts_at).to_string().into();
    }
    if let Some(link) = &message.link {
        posted["generatorURL"] = link.as_str().into();
    }
    posted
}

/// Drops what an Alertmanager would refuse the whole message for.
fn members(pairs: &BTreeMap<String, String>) -> Map<String, Value> {
    let fine = pairs.iter().filter(|(name, value)| is_label_name(name) && !value.is_empty());
    fine.map(|(name, value)| (name.clone(), value.as_str().into())).collect()
}

fn is_label_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(is_part)
}

fn of_message(message: &Message) -> MessageAlert {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let is_test = message.kind == MessageKind::Test;
    MessageAlert {
        // The same at the beginning and at the end of what it tells of.
        labels: BTreeMap::from([
            pair("alertname", &message.source),
            pair("incident", &message.incident),
            pair("severity", if is_test { "info" } else { severity(message.severity) }),
        ]),
        annotations: BTreeMap::from([
            pair("summary", &message.subject),
            pair("description", &message.text),
        ]),
        starts_at: message.at,
        ends_at: is_test.then(|| end_of_test(message.at)),
    }
}

fn end_of_test(at: Timestamp) -> Timestamp {
    at.saturating_add(TEST_LASTS).unwrap_or(Timestamp::MAX)
}

fn severity(severity: u8) -> &'static str {
    match severity {
        ..=1 => "critical",
        2 => "error",
        3 => "warning",
        _ => "info",
    }
}
