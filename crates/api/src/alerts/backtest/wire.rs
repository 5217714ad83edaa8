//! What a backtest is asked with, and what it answers.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pampero_alerting::{Backtest, SourceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::between;
use super::super::wire::{SourceBody, notice_name, seconds, shown};
use super::Played;
use crate::number::Number;

/// What is played over which stretch of the past: one of `monitor`, `monitor_id` and `rules`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"monitor_id": "error_logs", "from": "2026-11-24T00:00:00Z"}))]
pub(crate) struct BacktestRequest {
    /// A monitor in the form of OpenSearch.
    #[schema(value_type = Option<Object>)]
    pub(super) monitor: Option<Value>,
    /// The id of a monitor that there is.
    pub(super) monitor_id: Option<String>,
    /// The text of a rule file in the form of Prometheus.
    pub(super) rules: Option<String>,
    /// Where the stretch begins (RFC 3339); a day before its end when it is left out.
    #[schema(format = DateTime)]
    pub(super) from: Option<String>,
    /// Where it ends (RFC 3339); now when it is left out.
    #[schema(format = DateTime)]
    pub(super) to: Option<String>,
}

/// What would have been.
#[derive(Serialize, ToSchema)]
#[schema(as = Backtest)]
pub(crate) struct BacktestBody {
    /// Where the stretch begins.
    #[schema(value_type = String, format = DateTime)]
    from: String,
    /// Where it ends.
    #[schema(value_type = String, format = DateTime)]
    to: String,
    /// How many evaluations were played.
    evaluations: usize,
    /// How often something would have fired.
    count: usize,
    /// When, in the order of the beginnings; the first 500.
    firings: Vec<FiringBody>,
    /// How many messages would have been sent.
    message_count: usize,
    /// Which, in their order; the first 500.
    messages: Vec<MessageBody>,
    /// What could not be evaluated or rendered, each reason once.
    errors: Vec<ErrorBody>,
    /// Why it ends before the end of the stretch; `null` when it does not.
    #[schema(required)]
    stopped: Option<String>,
    /// How long it took, in seconds.
    #[schema(value_type = f64)]
    took_seconds: Number,
}

/// A time during which something would have been active.
#[derive(Serialize, ToSchema)]
#[schema(as = BacktestFiring)]
struct FiringBody {
    source: SourceBody,
    /// What tells it from others of its source.
    key: BTreeMap<String, String>,
    /// When it would have begun.
    #[schema(value_type = String, format = DateTime)]
    start: String,
    /// When it would have been over; `null` when it still was at the end of the stretch.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    end: Option<String>,
    /// How long it would have lasted, within the stretch, in seconds.
    #[schema(value_type = f64)]
    lasted_seconds: Number,
    /// The highest value; `null` where there is none.
    #[schema(required)]
    peak: Option<f64>,
}

/// A message that would have been sent.
#[derive(Serialize, ToSchema)]
#[schema(as = BacktestMessage)]
struct MessageBody {
    source: SourceBody,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// Why: `fired`, `reminder`, `escalated`, `recovered`, `no_data` or `failed`.
    #[schema(example = "fired")]
    kind: &'static str,
    /// The action.
    action: String,
    /// The channel.
    channel: String,
    /// One line.
    subject: String,
    /// The text.
    text: String,
}

/// Something that could not be evaluated or rendered.
#[derive(Serialize, ToSchema)]
#[schema(as = BacktestError)]
struct ErrorBody {
    source: SourceBody,
    /// When it happened first.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// Why.
    reason: String,
    /// How often it happened.
    count: usize,
}

impl BacktestBody {
    /// Puts together what was played, and lists no more than so many of each.
    pub(super) fn of(
        played: Vec<Played>,
        from: Timestamp,
        to: Timestamp,
        took: Duration,
        listed_max: usize,
    ) -> Self {
        let mut body = Self {
            from: from.to_string(),
            to: to.to_string(),
            evaluations: 0,
            count: 0,
            firings: Vec::new(),
            message_count: 0,
            messages: Vec::new(),
            errors: Vec::new(),
            stopped: None,
            took_seconds: seconds(took),
        };
        let (mut firings, mut messages, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for Played { source, found } in played {
            let Backtest { evaluations, count, message_count, stopped, .. } = found;
            body.evaluations += evaluations;
            body.count += count;
            body.message_count += message_count;
            body.stopped = body.stopped.or(stopped);
            let of = |trigger: &str| {
                SourceBody::of(&SourceId { trigger: trigger.to_owned(), ..source.clone() })
            };
            for firing in found.firings {
                let lasted = between(firing.start, firing.end.unwrap_or(to));
                let shown = FiringBody {
                    source: of(&firing.trigger),
                    key: firing.key.into_iter().collect(),
                    start: firing.start.to_string(),
                    end: shown(firing.end),
                    lasted_seconds: seconds(lasted),
                    peak: firing.peak,
                };
                firings.push((firing.start, shown));
            }
            for message in found.messages {
                let shown = MessageBody {
                    source: of(&message.trigger),
                    at: message.at.to_string(),
                    kind: notice_name(message.kind),
                    action: message.action,
                    channel: message.channel,
                    subject: message.subject,
                    text: message.text,
                };
                messages.push((message.at, shown));
            }
            for error in found.errors {
                let shown = ErrorBody {
                    source: of(&error.trigger),
                    at: error.at.to_string(),
                    reason: error.reason,
                    count: error.count,
                };
                errors.push((error.at, shown));
            }
        }
        body.firings = in_order(firings, listed_max);
        body.messages = in_order(messages, listed_max);
        body.errors = in_order(errors, listed_max);
        body
    }
}

/// Sorts by time and cuts what is too many.
fn in_order<T>(mut timed: Vec<(Timestamp, T)>, listed_max: usize) -> Vec<T> {
    timed.sort_by_key(|(at, _)| *at);
    timed.into_iter().take(listed_max).map(|(_, shown)| shown).collect()
}
