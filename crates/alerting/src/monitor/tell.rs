//! What a condition and a template see as `ctx`, and what actions say.
//!
//! The templates of an action are written for the moment when it fires, so its end and trouble are told in
//! default words, unless a template asks for `ctx.pampero`, which says what is told; then it is used for
//! everything.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_templates::mustache::{Escape, Template};
use serde_json::{Value, json};

use super::{Action, Monitor, StoredFacts, Trigger};
use crate::text::{TEXT_BYTES_MAX, Teller};
use crate::{Alert, AlertState, Notice, NoticeKind, Observation, Outcome};

/// Longest subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 4_096;

/// What stands in a template that tells by itself what it is told for.
const OWN_WORDS: &str = "ctx.pampero";

/// Subject and text of an action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Tells what the actions of one trigger say.
#[derive(Clone, Debug)]
pub struct MonitorTeller {
    /// The monitor.
    pub monitor: Arc<Monitor>,
    /// What the server knows of it.
    pub facts: StoredFacts,
    /// The id of the trigger.
    pub trigger: String,
}

impl Teller for MonitorTeller {
    fn message(
        &self,
        notice: &Notice,
        observation: &Observation,
    ) -> Result<Option<(String, String)>, String> {
        let trigger = self.monitor.trigger(&self.trigger);
        let action = trigger.and_then(|t| t.actions.iter().find(|a| a.id == notice.action));
        let (Some(trigger), Some(action)) = (trigger, action) else { return Ok(None) };
        let is_told = matches!(notice.kind, NoticeKind::Fired | NoticeKind::Reminder);
        // Between two evaluations, and when the search failed, there is nothing that a template could show.
        let has_nothing = observation.answer.is_none() && self.monitor.input.is_some();
        if has_nothing || (!is_told && !action.message.source().contains(OWN_WORDS)) {
            return Ok(None);
        }
        let results: Vec<Value> =
            observation.answer.iter().map(|answer| Value::clone(answer)).collect();
        let error = match &observation.outcome {
            Outcome::Failed(reason) => Some(reason.as_str()),
            Outcome::Known(_) | Outcome::NoData => None,
        };
        let scene = Scene { monitor: &self.monitor, facts: &self.facts, at: observation.at };
        let mut ctx = scene.ctx(results, error);
        scene.turn_to(&mut ctx, trigger, notice.alerts.first());
        ctx["ctx"]["pampero"] = about(notice);
        let told = action.tell(&ctx, &self.monitor, trigger)?;
        Ok(Some((told.subject, told.text)))
    }
}

/// Returns `ctx.pampero`: what is told, how many, since when, for how long.
fn about(notice: &Notice) -> Value {
    json!({
        "kind": notice.kind,
        "count": notice.count,
        "active_count": notice.active_count,
        "since": notice.since.to_string(),
        "lasted_seconds": notice.lasted.as_secs(),
        "throttled": notice.throttled,
        "value": notice.alerts.first().and_then(|alert| alert.value),
        "fired": notice.kind == NoticeKind::Fired,
        "reminder": notice.kind == NoticeKind::Reminder,
        "recovered": notice.kind == NoticeKind::Recovered,
        "no_data": notice.kind == NoticeKind::NoData,
        "failed": notice.kind == NoticeKind::Failed,
    })
}

impl Action {
    /// Renders subject and text. Without a subject it is the names of monitor and trigger.
    ///
    /// # Errors
    /// A template cannot be rendered, or nothing is left of the text.
    pub(crate) fn tell(
        &self,
        data: &Value,
        monitor: &Monitor,
        trigger: &Trigger,
    ) -> Result<Told, String> {
        let render = |template: &Template, bytes_max: usize| {
            template.render(data, Escape::Json, bytes_max).map_err(|error| error.to_string())
        };
        let subject = match &self.subject {
            Some(subject) => render(subject, SUBJECT_BYTES_MAX)?,
            None => format!("{}: {}", monitor.name, trigger.name),
        };
        let text = render(&self.message, TEXT_BYTES_MAX)?;
        if text.trim().is_empty() {
            let id = &self.destination_id;
            return Err(format!("Message content missing in the Destination with id: {id}"));
        }
        Ok(Told { subject, text })
    }
}

/// What `ctx` is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'s> {
    pub(crate) monitor: &'s Monitor,
    pub(crate) facts: &'s StoredFacts,
    /// When the run was due.
    pub(crate) at: Timestamp,
}

impl Scene<'_> {
    /// Returns `{"ctx":{…}}` without a trigger.
    pub(crate) fn ctx(&self, results: Vec<Value>, error: Option<&str>) -> Value {
        let (start, end) = self.monitor.schedule.period_ending(self.at);
        let ms = |instant: Option<Timestamp>| instant.map(Timestamp::as_millisecond);
        let monitor = self.monitor;
        json!({ "ctx": {
            "results": results,
            "periodStart": start.to_string(),
            "periodEnd": end.to_string(),
            "error": error,
            "monitor": {
                "_id": self.facts.id,
                "_version": self.facts.version,
                "id": self.facts.id,
                "version": self.facts.version,
                "name": monitor.name,
                "enabled": monitor.is_enabled,
                "monitor_type": "query_level_monitor",
                "enabled_time": ms(self.facts.enabled_time),
                "last_update_time": ms(self.facts.last_update_time),
                "schedule": monitor.schedule.to_json(),
                "inputs": monitor.input.iter().map(|input| input.to_json()).collect::<Vec<_>>(),
            },
        } })
    }

    /// Puts a trigger and its alert into `ctx`.
    pub(crate) fn turn_to(&self, ctx: &mut Value, trigger: &Trigger, alert: Option<&Alert>) {
        let actions: Vec<Value> = trigger.actions.iter().map(action_facts).collect();
        ctx["ctx"]["trigger"] = json!({
            "id": trigger.id,
            "name": trigger.name,
            "severity": trigger.severity.to_string(),
            "condition": trigger.condition_json(),
            "actions": actions,
        });
        ctx["ctx"]["alert"] = alert.map_or(Value::Null, alert_facts);
    }
}

fn action_facts(action: &Action) -> Value {
    json!({
        "id": action.id,
        "name": action.name,
        "destination_id": action.destination_id,
        "throttle_enabled": action.is_throttled,
    })
}

fn alert_facts(alert: &Alert) -> Value {
    let ms = |instant: Option<Timestamp>| instant.map(Timestamp::as_millisecond);
    let state = match alert.state {
        AlertState::Pending => "PENDING",
        AlertState::Active => "ACTIVE",
        AlertState::Acknowledged => "ACKNOWLEDGED",
        AlertState::Completed => "COMPLETED",
        AlertState::Error => "ERROR",
        AlertState::NoData => "NO_DATA",
        AlertState::Deleted => "DELETED",
    };
    json!({
        "id": alert.id,
        "version": alert.version,
        "state": state,
        "severity": alert.severity.to_string(),
        "isAcknowledged": alert.state == AlertState::Acknowledged,
        "start_time": ms(alert.started.or(Some(alert.since))),
        "last_notification_time": ms(alert.told),
        "acknowledged_time": ms(alert.acknowledged),
        "end_time": ms(alert.ended),
        "error_message": alert.error,
        "execution_id": format!("{}_{}", alert.source.definition, alert.seen),
    })
}
