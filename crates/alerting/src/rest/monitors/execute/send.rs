//! Sends what the actions of a monitor say that is not saved: at once and once, past the outbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use pampero_notifications::{Message, MessageAlert, MessageKind};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::super::super::AlertingRest;
use crate::book::id;
use crate::monitor::{Monitor, Trigger};
use crate::run::{ActionRun, Execution};
use crate::text::one_line;

/// Most messages that are sent at once.
const SENDING_MAX: usize = 4;

/// Longest time for all messages of one call.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Most bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 1_000;

/// A message with where it belongs in the answer.
struct Letter {
    trigger: String,
    action: String,
    channel: String,
    message: Message,
}

/// Sends what was rendered, and notes in the answer what became of it.
pub(super) async fn send(
    rest: &AlertingRest,
    monitor: &Monitor,
    execution: &Execution,
    answer: &mut Value,
) {
    let now = rest.clock().now();
    let deadline = Instant::now() + TIME_MAX;
    let letters = letters(rest, monitor, execution, now);
    let sending = letters.into_iter().map(|letter| {
        let deliver = Arc::clone(rest.deliver());
        async move {
            let delivery = deliver.deliver(&letter.channel, &letter.message);
            let outcome = match timeout_at(deadline, delivery).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(error.reason),
                Err(_) => Err(format!("not sent within {} s", TIME_MAX.as_secs())),
            };
            (letter, outcome)
        }
    });
    let sent: Vec<_> = stream::iter(sending).buffer_unordered(SENDING_MAX).collect().await;
    for (letter, outcome) in sent {
        let results = &mut answer["trigger_results"][&letter.trigger]["action_results"];
        let result = &mut results[&letter.action];
        match outcome {
            Ok(()) => result["output"]["messageId"] = letter.message.key.as_str().into(),
            Err(reason) => result["error"] = reason.into(),
        }
    }
}

fn letters(
    rest: &AlertingRest,
    monitor: &Monitor,
    execution: &Execution,
    now: Timestamp,
) -> Vec<Letter> {
    let mut letters = Vec::new();
    for (trigger, run) in monitor.triggers().iter().zip(&execution.triggers) {
        for action in run.actions.iter().filter(|action| action.error.is_none()) {
            let Some(to) = trigger.actions.iter().find(|it| it.id == action.id) else { continue };
            letters.push(Letter {
                trigger: run.id.clone(),
                action: action.id.clone(),
                channel: to.destination_id.clone(),
                message: message(rest, monitor, trigger, action, now),
            });
        }
    }
    letters
}

fn message(
    rest: &AlertingRest,
    monitor: &Monitor,
    trigger: &Trigger,
    action: &ActionRun,
    now: Timestamp,
) -> Message {
    let key = id::of(&("unsaved", monitor.name(), &trigger.id, &action.id, now));
    let labels = [
        ("alertname", trigger.name.clone()),
        ("monitor", monitor.name().to_owned()),
        ("severity", trigger.severity.to_string()),
    ];
    let alert = MessageAlert {
        labels: labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        annotations: BTreeMap::new(),
        starts_at: now,
        ends_at: None,
    };
    Message {
        incident: key.clone(),
        key,
        kind: MessageKind::Fired,
        subject: one_line(&action.subject, SUBJECT_BYTES_MAX),
        text: action.message.clone(),
        severity: trigger.severity,
        source: format!("{}: {}", monitor.name(), trigger.name),
        link: rest.alerting().words().page.clone(),
        at: now,
        is_repeat: false,
        alerts: vec![alert],
    }
}
