//! `_execute`: a monitor is run once, for a look or in earnest.
//!
//! A dry run shows what the actions would say. In earnest a saved monitor does what a run on schedule does, so
//! that an alert that goes on is not told again; one that is not saved sends what its actions say and keeps no
//! alert.

mod send;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use jiff::Timestamp;
use pampero_opensearch::Exception;
use serde_json::{Map, Value, json};

use super::super::AlertingRest;
use super::super::answer::{Answer, Failure};
use super::super::call::Call;
use crate::definitions::MonitorEntry;
use crate::monitor::{Monitor, MonitorErrorKind, MonitorTeller, Trigger};
use crate::run::{Execution, source};
use crate::{HistoryMessage, Observed};
use pampero_opensearch::parameters::Parameters;

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    is_dry: bool,
    /// When the run is due; `None` for now.
    at: Option<Timestamp>,
}

impl Asked {
    fn read(parameters: &Parameters) -> Result<Self, Failure> {
        let is_dry = parameters.boolean("dryrun", false)?;
        let at = parameters.text("period_end").map(read_instant).transpose()?;
        Ok(Self { is_dry, at })
    }
}

pub(super) async fn execute_saved(
    State(rest): State<AlertingRest>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["dryrun", "period_end"])?;
    let asked = Asked::read(&call.parameters)?;
    call.json()?;
    let not_found = || {
        let reason = format!("Can't find monitor with id: {id}");
        Failure::alerting(MonitorErrorKind::NotFound, reason)
    };
    let entry = rest.definitions().monitor(&id).ok_or_else(not_found)?;
    if !asked.is_dry {
        check_counts(&entry, &asked)?;
    }
    let at = asked.at.unwrap_or_else(|| rest.clock().now());
    let state = rest.clone();
    let executed = move || {
        let execution = state.runner().execute(&entry, at, true);
        let mut answer = execution.to_json();
        if !asked.is_dry {
            enter(&state, &entry, &execution, &mut answer);
        }
        Ok(answer)
    };
    Ok(Answer::ok(rest.execute(executed).await?))
}

pub(super) async fn execute_given(
    State(rest): State<AlertingRest>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&["dryrun", "period_end"])?;
    let asked = Asked::read(&call.parameters)?;
    let monitor = Monitor::from_json(&call.required_json()?)?;
    let at = asked.at.unwrap_or_else(|| rest.clock().now());
    let state = rest.clone();
    let executed = move || {
        let execution = state.runner().execute_unsaved(&monitor, at);
        Ok((monitor, execution))
    };
    let place = if asked.is_dry { None } else { Some(rest.sending()?) };
    let (monitor, execution) = rest.execute(executed).await?;
    let mut answer = execution.to_json();
    if !asked.is_dry {
        send::send(&rest, &monitor, &execution, &mut answer).await;
    }
    drop(place);
    Ok(Answer::ok(answer))
}

/// Refuses a run that counts where it could do harm: one of another time would turn the history of its alerts
/// over, and nobody would end the alerts of a monitor that does not run.
fn check_counts(entry: &MonitorEntry, asked: &Asked) -> Result<(), Failure> {
    let reason = if asked.at.is_some() {
        "[period_end] of a saved monitor needs [dryrun=true]: a run that counts is of now"
            .to_owned()
    } else if entry.item.is_enabled() {
        return Ok(());
    } else {
        format!("[{}] is disabled; enable it, or take a look with [dryrun=true]", entry.id)
    };
    Err(Failure::alerting(MonitorErrorKind::IllegalArgument, reason))
}

/// Reads milliseconds since 1970; `ms` may stand behind them.
fn read_instant(text: &str) -> Result<Timestamp, Exception> {
    let number = text.trim().trim_end_matches("ms").parse::<i64>().ok();
    let instant = number.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    instant.ok_or_else(|| {
        Exception::illegal_argument(format!(
            "failed to parse setting [period_end] with value [{text}] as milliseconds since 1970"
        ))
    })
}

/// Enters what a run observed, and shows what was told in place of what the actions would have said.
fn enter(rest: &AlertingRest, entry: &MonitorEntry, execution: &Execution, answer: &mut Value) {
    for (trigger, run) in entry.item.triggers().iter().zip(&execution.triggers) {
        let teller = MonitorTeller {
            monitor: Arc::clone(&entry.item),
            facts: entry.facts(),
            trigger: trigger.id.clone(),
        };
        let policy = entry.item.policy(trigger);
        let observation = execution.observation(run);
        let source = source(&entry.id, &trigger.id);
        let observed = rest.alerting().observe(&source, &policy, &observation, &teller);
        let shown = &mut answer["trigger_results"][&run.id]["action_results"];
        let at = rest.clock().now();
        *shown = told(trigger, run.is_triggered(), observed, at);
    }
}

/// Returns what actions told. One that had nothing to say, since the alert goes on or the throttle holds,
/// has an empty output.
fn told(trigger: &Trigger, is_triggered: bool, observed: Observed, at: Timestamp) -> Value {
    let mut messages: HashMap<String, HistoryMessage> =
        observed.messages.into_iter().map(|it| (it.action.clone(), it)).collect();
    let mut results = Map::new();
    for action in &trigger.actions {
        let message = messages.remove(&action.id);
        if is_triggered || message.is_some() {
            let is_throttled = message.is_none() && 0 < observed.throttled;
            let result = action_result(&action.id, &action.name, message, is_throttled, at);
            results.insert(action.id.clone(), result);
        }
    }
    for (id, message) in messages {
        results.insert(id.clone(), action_result(&id, &id, Some(message), false, at));
    }
    results.into()
}

fn action_result(
    id: &str,
    name: &str,
    message: Option<HistoryMessage>,
    is_throttled: bool,
    at: Timestamp,
) -> Value {
    let output = message.map_or_else(
        || json!({}),
        |it| json!({ "subject": it.subject, "message": it.text, "messageId": it.key }),
    );
    json!({ "id": id, "name": name, "output": output, "throttled": is_throttled,
        "executionTime": at.as_millisecond(), "error": null })
}
