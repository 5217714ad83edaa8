//! An action: through which channel somebody is told, with which words, and how often at most.

use pampero_templates::mustache::Template;
use serde_json::{Value, json};

use super::error::{MonitorError, MonitorErrorKind};
use super::place::Place;
use super::read::{NAME_CHARS_MAX, new_id};
use super::trigger::ID_CHARS_MAX;

/// Longest subject and message, in characters of their templates.
///
/// Source: OpenSearch Alerting, `Action`.
const SUBJECT_CHARS_MAX: usize = 1_000;
const MESSAGE_CHARS_MAX: usize = 3_000;

/// Longest throttle, in minutes: 24 hours.
///
/// Source: OpenSearch Alerting, `plugins.alerting.action_throttle_max_value`.
const THROTTLE_MINUTES_MAX: u32 = 24 * 60;

const MEMBERS: [&str; 8] = [
    "id",
    "name",
    "destination_id",
    "subject_template",
    "message_template",
    "throttle_enabled",
    "throttle",
    "action_execution_policy",
];

/// One way to tell somebody.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its id, different from all others of the trigger.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The channel: a `config_id` of Notifications.
    pub destination_id: String,
    /// The subject; `None` when there is none.
    pub subject: Option<Template>,
    /// The message.
    pub message: Template,
    /// Whether the throttle holds.
    pub is_throttled: bool,
    /// The least time between two messages that something fired, in minutes from 1 to 1440; `None` when it
    /// is not given, and then the throttle does not hold.
    pub throttle_minutes: Option<u32>,
    /// `action_execution_policy` as it was written, which changes nothing at query level.
    execution_policy: Option<Value>,
}

impl Action {
    pub(super) fn read(place: &Place<'_>) -> Result<Self, MonitorError> {
        for (key, member) in place.members()? {
            if !MEMBERS.contains(&key) {
                let reason = format!("Unexpected field: {key}, while parsing action");
                return Err(member.refuse(reason).of(MonitorErrorKind::IllegalState));
            }
        }
        let id = match place.get("id") {
            Some(id) => id.filled_text(ID_CHARS_MAX)?.to_owned(),
            None => new_id(),
        };
        let name = place.need("name", "Action name is null")?.filled_text(NAME_CHARS_MAX)?;
        let destination = place.need("destination_id", "Destination id is null")?;
        let message = place.need("message_template", "Action message template is null")?;
        let subject = place.get("subject_template");
        let subject = subject.map(|subject| read_template(&subject, SUBJECT_CHARS_MAX));
        let throttled = place.get("throttle_enabled").map(|place| place.boolean()).transpose()?;
        let is_throttled = throttled.unwrap_or(false);
        let throttle_minutes =
            place.get("throttle").map(|throttle| read_throttle(&throttle)).transpose()?;
        if is_throttled && throttle_minutes.is_none() {
            return Err(place.refuse("Action throttle enabled but not set throttle value"));
        }
        let policy = place.get("action_execution_policy");
        if let Some(policy) = &policy {
            check_execution_policy(policy, is_throttled)?;
        }
        Ok(Self {
            id,
            name: name.to_owned(),
            destination_id: destination.filled_text(ID_CHARS_MAX)?.to_owned(),
            subject: subject.transpose()?,
            message: read_template(&message, MESSAGE_CHARS_MAX)?,
            is_throttled,
            throttle_minutes,
            execution_policy: policy.map(|policy| policy.value.clone()),
        })
    }

    pub(super) fn to_json(&self) -> Value {
        let template =
            |template: &Template| json!({ "source": template.source(), "lang": "mustache" });
        let mut action = json!({
            "id": self.id,
            "name": self.name,
            "destination_id": self.destination_id,
            "message_template": template(&self.message),
            "throttle_enabled": self.is_throttled,
        });
        if let Some(subject) = &self.subject {
            action["subject_template"] = template(subject);
        }
        if let Some(minutes) = self.throttle_minutes {
            action["throttle"] = json!({ "value": minutes, "unit": "MINUTES" });
        }
        if let Some(policy) = &self.execution_policy {
            action["action_execution_policy"] = policy.clone();
        }
        action
    }
}

fn read_template(place: &Place<'_>, chars_max: usize) -> Result<Template, MonitorError> {
    let name = if place.pointer.ends_with("/subject_template") { "subject" } else { "message" };
    place.only(&["source", "lang", "options", "params"], &format!("{name}_template"))?;
    if let Some(lang) = place.get("lang")
        && lang.text()? != "mustache"
    {
        return Err(lang.refuse(format!("{name}_template must be a mustache script")));
    }
    let source = place.need("source", &format!("{name}_template has no source"))?;
    let text = source.text()?;
    source.check_length(text, chars_max).map_err(|mut error| {
        let count = text.chars().count();
        error.reason =
            format!("{name}_template has {count} characters, and may have at most {chars_max}");
        error
    })?;
    Template::parse(text)
        .map_err(|error| source.refuse(format!("{name}_template is not understood: {error}")))
}

fn read_throttle(place: &Place<'_>) -> Result<u32, MonitorError> {
    place.only(&["value", "unit"], "throttle")?;
    let unit = place.need("unit", "Throttle has no unit; use [MINUTES]")?;
    if !unit.text()?.eq_ignore_ascii_case("MINUTES") {
        return Err(unit.refuse("Can only support MINUTES throttle unit"));
    }
    let value = place.need("value", "Throttle has no value")?;
    let minutes = value.whole_number()?;
    if minutes < 1 {
        return Err(value.refuse("Can not set throttle period less than 1m"));
    }
    u32::try_from(minutes)
        .ok()
        .filter(|minutes| *minutes <= THROTTLE_MINUTES_MAX)
        .ok_or_else(|| value.refuse("Can only set throttle period less than or equal to 1d"))
}

/// Takes `per_execution`, which is what a query-level monitor does anyway.
fn check_execution_policy(place: &Place<'_>, is_throttled: bool) -> Result<(), MonitorError> {
    place.only(&["action_execution_scope"], "action_execution_policy")?;
    let Some(scope) = place.get("action_execution_scope") else { return Ok(()) };
    for (key, member) in scope.members()? {
        match key {
            "per_execution" if is_throttled => {
                return Err(member.refuse(
                    "Throttle cannot be enabled for an action whose execution scope is per_execution",
                ));
            }
            "per_execution" => {}
            "per_alert" => {
                return Err(member.refuse(
                    "Execution scope [per_alert] is for bucket and document monitors; leave it out",
                ));
            }
            _ => {
                let reason = format!("Execution scope [{key}] is not known; use [per_execution]");
                return Err(member.refuse(reason));
            }
        }
    }
    Ok(())
}
