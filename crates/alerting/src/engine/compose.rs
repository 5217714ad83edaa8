//! Makes the message of a notice.

use pampero_notifications::{Message, MessageAlert, MessageKind};
use pampero_series::Labels;

use crate::alert::{Alert, Notice, NoticeKind};
use crate::book::id;
use crate::mute::labels_of;
use crate::observation::{Observation, SourceKind};
use crate::policy::Policy;
use crate::text::{TEXT_BYTES_MAX, Teller, Words, cut, one_line};

/// Most bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 1_000;

/// Returns the message of a notice, and why it has not the words that its definition wants, if so.
pub(super) fn message(
    notice: &Notice,
    policy: Option<&Policy>,
    observation: &Observation,
    teller: &dyn Teller,
    words: &Words,
) -> (Message, Option<String>) {
    let (subject, text, remark) = said(notice, observation, teller, words);
    let first = notice.alerts.first();
    let ids: Vec<&str> = notice.alerts.iter().map(|alert| alert.id.as_str()).collect();
    let kind = message_kind(notice.kind);
    let named = (&notice.channel, &notice.action, notice.at, format!("{kind:?}"), &ids);
    let message = Message {
        key: id::of(&named),
        kind,
        subject,
        text,
        severity: first.map_or(3, |alert| alert.severity),
        source: first.map(named_source).unwrap_or_default(),
        incident: incident(notice),
        link: first.and_then(|alert| words.link(&alert.source)),
        at: notice.at,
        is_repeat: false,
        alerts: notice.alerts.iter().map(|alert| single(alert, policy)).collect(),
    };
    (message, remark)
}

fn said(
    notice: &Notice,
    observation: &Observation,
    teller: &dyn Teller,
    words: &Words,
) -> (String, String, Option<String>) {
    let default = || words.message(notice, observation);
    let told = teller.message(notice, observation);
    let (subject, text, remark) = match told {
        Ok(Some((subject, text))) => (subject, text, None),
        Ok(None) => {
            let (subject, text) = default();
            (subject, text, None)
        }
        Err(error) => {
            let remark = format!(
                "the message of action {} cannot be rendered: {}",
                notice.action,
                one_line(&error, 500)
            );
            let (subject, text) = default();
            (subject, format!("{text}\nThese are the default words: {remark}\n"), Some(remark))
        }
    };
    (one_line(&subject, SUBJECT_BYTES_MAX), cut(text, TEXT_BYTES_MAX), remark)
}

/// Returns what identifies the matter from firing to recovery.
///
/// A source is one incident, and what it cannot tell another. It ends with the last alert that was told:
/// the end of one of several must not end the whole, and has an identity of its own.
fn incident(notice: &Notice) -> String {
    let Some(first) = notice.alerts.first() else { return String::new() };
    let is_trouble = first.started.is_none();
    let whole = id::of(&("incident", &first.source, is_trouble));
    let is_partial = notice.kind == NoticeKind::Recovered && !is_trouble && notice.open_count > 0;
    if is_partial { format!("{whole}-{}", first.id) } else { whole }
}

fn named_source(alert: &Alert) -> String {
    match (alert.definition_name.as_str(), alert.name.as_str()) {
        ("", name) => name.to_owned(),
        (definition, name) => format!("{definition}: {name}"),
    }
}

fn message_kind(kind: NoticeKind) -> MessageKind {
    match kind {
        NoticeKind::Fired => MessageKind::Fired,
        NoticeKind::Reminder => MessageKind::Reminder,
        NoticeKind::Escalated => MessageKind::Escalated,
        NoticeKind::Recovered => MessageKind::Recovered,
        NoticeKind::NoData | NoticeKind::Failed => MessageKind::Trouble,
    }
}

/// Returns the labels by which receivers of single alerts tell them apart.
///
/// Those of a rule are the ones that Prometheus would send, or an Alertmanager that hears of both would take
/// them for different alerts.
fn told_labels(alert: &Alert, policy: Option<&Policy>) -> Labels {
    let labels = labels_of(alert, policy);
    if alert.source.kind == SourceKind::Monitor {
        return labels;
    }
    let is_of_rule = |name: &str| {
        name == "alertname"
            || alert.key.get(name).is_some()
            || policy.is_some_and(|policy| policy.labels.get(name).is_some())
    };
    labels.filtered(is_of_rule)
}

fn single(alert: &Alert, policy: Option<&Policy>) -> MessageAlert {
    let mut labels = told_labels(alert, policy);
    if alert.started.is_none() {
        // Else it would be the same alert as the one that it cannot tell of.
        labels = labels.with("trouble", if alert.error.is_some() { "error" } else { "no_data" });
    }
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut annotations: std::collections::BTreeMap<String, String> =
        alert.annotations.iter().cloned().collect();
    if let Some(error) = &alert.error {
        annotations.entry("error".to_owned()).or_insert_with(|| error.clone());
    }
    MessageAlert {
        labels: labels.iter().map(owned).collect(),
        annotations,
        starts_at: alert.started.unwrap_or(alert.since),
        ends_at: alert.ended,
    }
}
