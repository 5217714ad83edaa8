//! A trigger: a condition over the answer of the search, and who is told.

use std::collections::HashSet;

use pampero_painless::Script;
use serde_json::{Value, json};

use super::action::Action;
use super::error::MonitorError;
use super::place::Place;
use super::read::{NAME_CHARS_MAX, new_id, unsupported};

/// Most actions of one trigger.
const ACTIONS_MAX: usize = 20;

/// Longest id, in characters.
pub(super) const ID_CHARS_MAX: usize = 512;

/// A trigger at query level.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its id, different from all others of the monitor.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// From 1, the highest, to 5.
    pub severity: u8,
    /// The condition.
    pub condition: Script,
    /// What the condition sees as `params`; an object.
    pub params: Value,
    /// Who is told.
    pub actions: Vec<Action>,
}

impl Trigger {
    /// Reads a trigger with or without its wrapper.
    pub(super) fn read(place: &Place<'_>) -> Result<Self, MonitorError> {
        let members = place.members()?;
        if let [(key, member)] = &members[..] {
            match *key {
                "query_level_trigger" => return Self::read_bare(member),
                kind @ ("bucket_level_trigger"
                | "document_level_trigger"
                | "chained_alert_trigger"
                | "ppl_trigger"
                | "remote_monitor_trigger") => {
                    return Err(unsupported(member, &format!("trigger [{kind}]")));
                }
                _ => {}
            }
        }
        Self::read_bare(place)
    }

    fn read_bare(place: &Place<'_>) -> Result<Self, MonitorError> {
        place.only(&["id", "name", "severity", "condition", "actions"], "trigger")?;
        let id = match place.get("id") {
            Some(id) => id.filled_text(ID_CHARS_MAX)?.to_owned(),
            None => new_id(),
        };
        let name = place.need("name", "Trigger name is null")?.filled_text(NAME_CHARS_MAX)?;
        let severity = read_severity(&place.need("severity", "Trigger severity is null")?)?;
        let condition = place.need("condition", "Trigger condition is null")?;
        let (condition, params) = read_condition(&condition, name)?;
        let actions = read_actions(place)?;
        Ok(Self { id, name: name.to_owned(), severity, condition, params, actions })
    }

    /// Returns it in OpenSearch's form, without the wrapper.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "severity": self.severity.to_string(),
            "condition": self.condition_json(),
            "actions": self.actions.iter().map(Action::to_json).collect::<Vec<_>>(),
        })
    }

    /// Returns the condition in OpenSearch's form.
    pub(super) fn condition_json(&self) -> Value {
        let mut script = json!({ "source": self.condition.source(), "lang": "painless" });
        if self.params.as_object().is_some_and(|params| !params.is_empty()) {
            script["params"] = self.params.clone();
        }
        json!({ "script": script })
    }
}

fn read_severity(place: &Place<'_>) -> Result<u8, MonitorError> {
    let text = match place.value {
        Value::Number(number) => number.to_string(),
        _ => place.text()?.to_owned(),
    };
    let severity = text.parse().ok().filter(|severity| (1..=5).contains(severity));
    severity.ok_or_else(|| {
        place.refuse(format!("Severity [{text}] is none of [1, 2, 3, 4, 5]; 1 is the highest"))
    })
}

fn read_condition(place: &Place<'_>, trigger: &str) -> Result<(Script, Value), MonitorError> {
    place.only(&["script"], "condition")?;
    let script = place.need("script", "Condition has no [script]")?;
    let empty = || Value::Object(serde_json::Map::new());
    let (source, params) = match script.value {
        Value::String(_) => (script.clone(), empty()),
        _ => {
            script.only(&["source", "lang", "params"], "script of condition")?;
            if let Some(lang) = script.get("lang")
                && lang.text()? != "painless"
            {
                let reason = "Invalid script language. Allowed languages are [painless]";
                return Err(lang.refuse(reason));
            }
            let params = script.get("params");
            if let Some(params) = &params {
                params.object()?;
            }
            let source = script.need("source", "Condition has no source")?;
            (source, params.map_or_else(empty, |params| params.value.clone()))
        }
    };
    let parsed = Script::parse(source.text()?).map_err(|error| {
        source.refuse(format!("The condition of trigger [{trigger}] is not understood: {error}"))
    })?;
    Ok((parsed, params))
}

fn read_actions(place: &Place<'_>) -> Result<Vec<Action>, MonitorError> {
    let Some(list) = place.get("actions") else { return Ok(Vec::new()) };
    let items = list.items()?;
    if ACTIONS_MAX < items.len() {
        let reason = format!("A trigger can only have up to {ACTIONS_MAX} actions");
        return Err(list.refuse(reason));
    }
    let mut ids = HashSet::new();
    let mut actions = Vec::with_capacity(items.len());
    for item in &items {
        let action = Action::read(item)?;
        if !ids.insert(action.id.clone()) {
            let id = &action.id;
            let reason = format!("Duplicate action id: {id}. Action ids must be unique.");
            return Err(item.refuse(reason));
        }
        actions.push(action);
    }
    Ok(actions)
}
