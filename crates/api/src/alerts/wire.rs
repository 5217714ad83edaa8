//! Alerts, and where they come from, as they are written in answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pampero_alerting::{Alert, AlertState, NoticeKind, SourceId, SourceKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::between;
use crate::number::Number;

/// A trigger of a monitor, or an alerting rule.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertSource)]
pub(crate) struct SourceBody {
    /// `monitor` over the logs, or `rule` over the metrics.
    #[schema(example = "monitor")]
    pub(crate) kind: &'static str,
    /// The id of the monitor; of a rule its file and group, as in `rules/weather.yml;weather`.
    #[schema(example = "error_logs")]
    pub(crate) definition: String,
    /// The id of the trigger, or the name of the rule.
    #[schema(example = "count_error")]
    pub(crate) trigger: String,
}

/// An alert.
#[derive(Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertBody {
    /// Its id.
    pub(crate) id: String,
    source: SourceBody,
    /// The name of the monitor, or of the group of the rule.
    #[schema(example = "Error Weather Logs")]
    definition_name: String,
    /// The name of the trigger or of the rule.
    #[schema(example = "count_error")]
    name: String,
    /// Everything by which it can be muted: `alertname`, `severity`, `monitor` or `group`, and what tells it
    /// from others of its source.
    labels: BTreeMap<String, String>,
    /// From 1, the highest, to 5.
    #[schema(minimum = 1, maximum = 5)]
    severity: u8,
    /// `pending`, `active`, `acknowledged`, `error`, `no_data`, `completed` or `deleted`.
    #[schema(example = "active")]
    state: &'static str,
    /// When the condition began to hold, or the trouble began.
    #[schema(value_type = String, format = DateTime)]
    since: String,
    /// When it became active; `null` before, and for an error or no data.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    started: Option<String>,
    /// When it was over; `null` while it goes on.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    ended: Option<String>,
    /// When somebody acknowledged it; `null` before.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    acknowledged: Option<String>,
    /// When it was evaluated last.
    #[schema(value_type = String, format = DateTime)]
    seen: String,
    /// When a message of it was made last; `null` before the first.
    #[schema(value_type = Option<String>, required, format = DateTime)]
    told: Option<String>,
    /// How long it has lasted so far, or lasted, in seconds.
    #[schema(value_type = f64, example = 120)]
    lasted_seconds: Number,
    /// The value of the last evaluation; `null` where there is none.
    #[schema(required, example = 14.0)]
    value: Option<f64>,
    /// Why the evaluation fails; `null` when it does not.
    #[schema(required)]
    error: Option<String>,
    /// What is said of it, as `summary`.
    annotations: BTreeMap<String, String>,
    /// The ids of the mutes that hold for it now.
    muted_by: Vec<String>,
}

impl SourceBody {
    pub(crate) fn of(source: &SourceId) -> Self {
        let (definition, trigger) = (source.definition.clone(), source.trigger.clone());
        Self { kind: kind_name(source.kind), definition, trigger }
    }
}

impl AlertBody {
    /// Writes an alert with all its labels and the mutes that hold for it, as it is `now`.
    pub(crate) fn of<'l>(
        alert: &Alert,
        labels: impl Iterator<Item = (&'l str, &'l str)>,
        muted_by: Vec<String>,
        now: Timestamp,
    ) -> Self {
        let until = alert.ended.unwrap_or(now);
        Self {
            id: alert.id.clone(),
            source: SourceBody::of(&alert.source),
            definition_name: alert.definition_name.clone(),
            name: alert.name.clone(),
            labels: owned(labels),
            severity: alert.severity,
            state: state_name(alert.state),
            since: alert.since.to_string(),
            started: shown(alert.started),
            ended: shown(alert.ended),
            acknowledged: shown(alert.acknowledged),
            seen: alert.seen.to_string(),
            told: shown(alert.told),
            lasted_seconds: seconds(between(alert.started.unwrap_or(alert.since), until)),
            value: alert.value,
            error: alert.error.clone(),
            annotations: alert.annotations.iter().cloned().collect(),
            muted_by,
        }
    }
}

/// Writes an instant that may not be there.
pub(crate) fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// Writes a length of time in seconds, to the millisecond.
pub(crate) fn seconds(length: std::time::Duration) -> Number {
    Number::rounded(length.as_secs_f64(), 3)
}

pub(crate) fn owned<'l>(
    pairs: impl Iterator<Item = (&'l str, &'l str)>,
) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) const KINDS: [(&str, SourceKind); 2] =
    [("monitor", SourceKind::Monitor), ("rule", SourceKind::Rule)];

pub(crate) const fn kind_name(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Monitor => "monitor",
        SourceKind::Rule => "rule",
    }
}

/// All states, those that want attention first.
pub(crate) const STATES: [(&str, AlertState); 7] = [
    ("active", AlertState::Active),
    ("error", AlertState::Error),
    ("no_data", AlertState::NoData),
    ("acknowledged", AlertState::Acknowledged),
    ("pending", AlertState::Pending),
    ("completed", AlertState::Completed),
    ("deleted", AlertState::Deleted),
];

pub(crate) const fn state_name(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "pending",
        AlertState::Active => "active",
        AlertState::Acknowledged => "acknowledged",
        AlertState::Completed => "completed",
        AlertState::Error => "error",
        AlertState::NoData => "no_data",
        AlertState::Deleted => "deleted",
    }
}

pub(crate) const fn notice_name(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Fired => "fired",
        NoticeKind::Reminder => "reminder",
        NoticeKind::Escalated => "escalated",
        NoticeKind::Recovered => "recovered",
        NoticeKind::NoData => "no_data",
        NoticeKind::Failed => "failed",
    }
}
