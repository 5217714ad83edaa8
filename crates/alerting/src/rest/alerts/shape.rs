//! An alert in OpenSearch's form.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{ActionRecord, Alert, AlertState};

/// The version of the form.
const SCHEMA_VERSION: u32 = 5;

/// The version of a monitor that is not there.
///
/// Source: OpenSearch Alerting, `Monitor.NO_VERSION`.
const VERSION_OF_NONE: u64 = 1;

/// Returns an alert of a monitor as OpenSearch shows it; `monitor_version` is that of the monitor now, and
/// `None` when it is gone. Of `actions`, those of its
/// source, it shows what was told or held back while it lasted.
pub(super) fn shown(
    alert: &Alert,
    monitor_version: Option<u64>,
    actions: &[ActionRecord],
) -> Value {
    let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    let monitor = &alert.source.definition;
    let results: Vec<Value> = actions
        .iter()
        .map(|it| (it, it.last.filter(|last| alert.since <= *last)))
        .filter(|(it, last)| last.is_some() || 0 < it.throttled)
        .map(|(it, last)| {
            json!({ "action_id": it.id, "last_execution_time": ms(last),
                "throttled_count": it.throttled })
        })
        .collect();
    json!({
        "id": alert.id,
        "version": alert.version,
        "monitor_id": monitor,
        "workflow_id": "",
        "workflow_name": "",
        "associated_alert_ids": [],
        "schema_version": SCHEMA_VERSION,
        "monitor_version": monitor_version.unwrap_or(VERSION_OF_NONE),
        "monitor_name": alert.definition_name,
        "execution_id": format!("{monitor}_{}_{}", alert.seen, alert.id),
        "trigger_id": alert.source.trigger,
        "trigger_name": alert.name,
        "finding_ids": [],
        "related_doc_ids": [],
        "state": state(alert.state),
        "error_message": error(alert),
        "alert_history": [],
        "severity": alert.severity.to_string(),
        "action_execution_results": results,
        "start_time": alert.started.unwrap_or(alert.since).as_millisecond(),
        "last_notification_time": ms(alert.told),
        "end_time": ms(alert.ended),
        "acknowledged_time": ms(alert.acknowledged),
    })
}

/// Returns the name of a state. OpenSearch has none for the lack of data, which is an error there, and none
/// for alerts that wait, which are shown only to those who ask for them by this name.
pub(super) const fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Pending => "PENDING",
        AlertState::Active => "ACTIVE",
        AlertState::Acknowledged => "ACKNOWLEDGED",
        AlertState::Completed => "COMPLETED",
        AlertState::Error | AlertState::NoData => "ERROR",
        AlertState::Deleted => "DELETED",
    }
}

fn error(alert: &Alert) -> Option<&str> {
    let is_no_data = alert.state == AlertState::NoData;
    alert.error.as_deref().or(is_no_data.then_some("no data"))
}
