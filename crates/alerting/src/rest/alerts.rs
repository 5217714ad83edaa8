//! Alerts of monitors over REST: listed and acknowledged. Those of rules are shown as Prometheus does, elsewhere.

mod query;
mod shape;

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::routing::{MethodRouter, get, post};
use serde_json::{Map, Value, json};

use super::AlertingRest;
use super::answer::{Answer, Failure};
use super::call::Call;
use super::monitors::check_refresh;
use crate::{
    AckRefusal, Acknowledged, Alert, AlertFilter, AlertState, MonitorErrorKind, SourceKind,
    StoreError,
};
use query::Listing;

/// Most alerts that are acknowledged at once.
const ACKNOWLEDGED_MAX: usize = 1_000;

/// Returns the paths, without the prefix of the plugin, and what answers there.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<AlertingRest>)> {
    vec![
        ("/monitors/alerts", get(list_alerts)),
        ("/monitors/{id}/_acknowledge/alerts", post(acknowledge_alerts)),
    ]
}

async fn list_alerts(State(rest): State<AlertingRest>, call: Call) -> Result<Answer, Failure> {
    call.takes(&query::PARAMETERS)?;
    call.takes_no_body()?;
    let listing = Listing::read(&call.parameters)?;
    let state = rest.clone();
    let listed = move || {
        let alerts = alerts(&state, listing.monitor_id.clone(), listing.states())?;
        let shown = alerts.iter().map(|alert| shown(&state, alert)).collect();
        let (page, total) = listing.page(shown);
        Ok(json!({ "alerts": page, "totalAlerts": total }))
    };
    Ok(Answer::ok(rest.read(listed).await?))
}

/// Returns the alerts of all monitors, or of one, in these states; empty for all states.
fn alerts(
    rest: &AlertingRest,
    monitor_id: Option<String>,
    states: Vec<AlertState>,
) -> Result<Vec<Alert>, StoreError> {
    let filter = AlertFilter {
        kind: Some(SourceKind::Monitor),
        definition: monitor_id,
        states,
        limit: usize::MAX,
        ..AlertFilter::default()
    };
    Ok(rest.alerting().alerts(&filter)?.alerts)
}

fn shown(rest: &AlertingRest, alert: &Alert) -> Value {
    let version = rest.definitions().monitor(&alert.source.definition).map(|entry| entry.version);
    let is_over = matches!(alert.state, AlertState::Completed | AlertState::Deleted);
    // What actions did is kept for the source, and says nothing of alerts that are over.
    let actions = if is_over { Vec::new() } else { rest.alerting().action_records(&alert.source) };
    shape::shown(alert, version, &actions)
}

async fn acknowledge_alerts(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["refresh"])?;
    check_refresh(&call.parameters)?;
    let ids = read_ids(&call.required_json()?)?;
    let state = rest.clone();
    let acknowledged = move || {
        let (mut success, mut failed) = (Vec::new(), Vec::new());
        for (alert, outcome) in acknowledge(&state, &id, ids)? {
            match outcome {
                Ok(()) => success.push(Value::from(alert)),
                Err(refusal) => {
                    let reason = json!({ "failed_reason": refusal.to_string() });
                    failed.push(Value::Object(Map::from_iter([(alert, reason)])));
                }
            }
        }
        Ok(json!({ "success": success, "failed": failed }))
    };
    Ok(Answer::ok(rest.write(acknowledged).await?))
}

/// Acknowledges those alerts that belong to a monitor; all others are not there for it.
fn acknowledge(
    rest: &AlertingRest,
    monitor_id: &str,
    ids: Vec<String>,
) -> Result<Vec<Acknowledged>, Failure> {
    let own = alerts(rest, Some(monitor_id.to_owned()), Vec::new())?;
    let own: Vec<String> = own.into_iter().map(|alert| alert.id).collect();
    let (known, _): (Vec<String>, Vec<String>) =
        ids.iter().cloned().partition(|id| own.contains(id));
    let mut outcomes: HashMap<_, _> = rest.alerting().acknowledge(&known).into_iter().collect();
    let outcome = |id: String| {
        let outcome = outcomes.remove(&id);
        let unknown = || Err(AckRefusal::Unknown { id: id.clone() });
        let outcome = outcome.unwrap_or_else(unknown);
        (id, outcome)
    };
    Ok(ids.into_iter().map(outcome).collect())
}

/// Reads `{"alerts":["…"]}`.
fn read_ids(body: &Value) -> Result<Vec<String>, Failure> {
    let refuse = |reason: String| Failure::alerting(MonitorErrorKind::IllegalArgument, reason);
    let Some(members) = body.as_object() else {
        return Err(refuse("the body must be an object, as {\"alerts\":[\"id\"]}".to_owned()));
    };
    if let Some(name) = members.keys().find(|name| *name != "alerts") {
        return Err(refuse(format!("Unknown field [{name}]; known is [alerts]")));
    }
    let list = match members.get("alerts") {
        None => &[][..],
        Some(Value::Array(list)) => list,
        Some(_) => return Err(refuse("[alerts] must be a list of ids".to_owned())),
    };
    if list.is_empty() {
        return Err(refuse("You must provide at least one alert id.".to_owned()));
    }
    if ACKNOWLEDGED_MAX < list.len() {
        let reason = format!("at most {ACKNOWLEDGED_MAX} alerts can be acknowledged at once");
        return Err(refuse(reason));
    }
    let mut ids: Vec<String> = Vec::with_capacity(list.len());
    for id in list {
        let Some(id) = id.as_str() else {
            return Err(refuse("[alerts] must be a list of ids, which are texts".to_owned()));
        };
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}
