//! Reads the top of a monitor.

use std::collections::HashSet;

use rand::RngExt;
use rand::distr::slice::Choose;
use serde_json::{Map, Value};

use super::error::{MonitorError, MonitorErrorKind};
use super::extension::Extension;
use super::place::Place;
use super::search_input::SearchInput;
use super::trigger::Trigger;
use super::{Monitor, TRIGGERS_MAX, write};
use crate::schedule::Schedule;

/// Longest name, in characters.
pub(super) const NAME_CHARS_MAX: usize = 256;

/// Characters of a generated id.
const ID_CHARS: usize = 20;

const ID_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Members that the server adds by itself, and that are not kept from what it is given.
const OF_THE_SERVER: [&str; 9] = [
    "schema_version",
    "enabled_time",
    "last_update_time",
    "delete_query_index_in_every_run",
    "should_create_single_alert_for_findings",
    "owner",
    "user",
    "rbac_roles",
    "associated_workflows",
];

/// Members that mean something here.
const UNDERSTOOD: [&str; 9] = [
    "type",
    "name",
    "monitor_type",
    "enabled",
    "schedule",
    "inputs",
    "triggers",
    "data_sources",
    "pampero",
];

/// Makes up an id as OpenSearch does: 20 letters, digits, `-` and `_`.
pub(crate) fn new_id() -> String {
    let letters = Choose::new(ID_ALPHABET).expect("the alphabet is not empty");
    rand::rng().sample_iter(letters).take(ID_CHARS).map(|byte| char::from(*byte)).collect()
}

pub(super) fn monitor(document: &Value) -> Result<Monitor, MonitorError> {
    let whole = Place::whole(document);
    whole.object()?;
    check_kind(&whole)?;
    check_data_sources(&whole)?;
    let name = whole.need("name", "Monitor name is null")?.filled_text(NAME_CHARS_MAX)?;
    let enabled = whole.get("enabled").map(|place| place.boolean()).transpose()?;
    let schedule = Schedule::read(&whole.need("schedule", "Monitor schedule is null")?)?;
    let triggers = read_triggers(&whole)?;
    let extension = match whole.get("pampero") {
        Some(place) => Extension::read(&place, &triggers)?,
        None => Extension::default(),
    };
    let input = read_input(&whole)?;
    Ok(Monitor {
        name: name.to_owned(),
        is_enabled: enabled.unwrap_or(true),
        schedule,
        input,
        triggers,
        extension,
        others: others(&whole)?,
    })
}

fn others(whole: &Place<'_>) -> Result<Map<String, Value>, MonitorError> {
    let is_other = |key: &str| !OF_THE_SERVER.contains(&key) && !UNDERSTOOD.contains(&key);
    let kept = whole.object()?.iter().filter(|(key, _)| is_other(key));
    Ok(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Refuses kinds of monitors by their names.
fn check_kind(whole: &Place<'_>) -> Result<(), MonitorError> {
    if let Some(place) = whole.get("type") {
        match place.text()? {
            "monitor" => {}
            "workflow" => return Err(unsupported(&place, "composite monitors (type [workflow])")),
            other => {
                let reason = format!("Type [{other}] is not known; a monitor has type [monitor]");
                return Err(place.refuse(reason));
            }
        }
    }
    let Some(place) = whole.get("monitor_type") else { return Ok(()) };
    match place.text()? {
        "query_level_monitor" => Ok(()),
        kind @ ("bucket_level_monitor"
        | "doc_level_monitor"
        | "cluster_metrics_monitor"
        | "ppl_monitor") => Err(unsupported(&place, &format!("monitor type [{kind}]"))),
        other => {
            let reason = format!("Monitor type [{other}] is not known; use [query_level_monitor]");
            Err(place.refuse(reason))
        }
    }
}

/// Refuses something that OpenSearch has.
pub(super) fn unsupported(place: &Place<'_>, what: &str) -> MonitorError {
    let reason =
        format!("{what} is not supported by this server, which has query_level_monitor alone");
    place.refuse(reason).of(MonitorErrorKind::Unsupported)
}

/// Lets only those data sources pass that the server writes by itself.
fn check_data_sources(whole: &Place<'_>) -> Result<(), MonitorError> {
    let Some(place) = whole.get("data_sources") else { return Ok(()) };
    let own = write::data_sources();
    let is_own = |(key, member): (&str, Place<'_>)| own.get(key) == Some(member.value);
    if place.members()?.into_iter().all(is_own) {
        return Ok(());
    }
    Err(place.refuse("Custom Data Sources are not allowed."))
}

fn read_input(whole: &Place<'_>) -> Result<Option<SearchInput>, MonitorError> {
    let Some(inputs) = whole.get("inputs") else { return Ok(None) };
    let items = inputs.items()?;
    if 1 < items.len() {
        return Err(inputs.refuse("Monitors can only have 1 search input."));
    }
    let Some(item) = items.first() else { return Ok(None) };
    let mut input = None;
    for (key, member) in item.members()? {
        match key {
            "search" => input = Some(SearchInput::read(&member)?),
            "uri"
            | "doc_level_input"
            | "ppl_input"
            | "composite_input"
            | "remote_monitor_input"
            | "remote_doc_level_monitor_input" => {
                return Err(unsupported(&member, &format!("input [{key}]")));
            }
            _ => {
                return Err(member.refuse(format!("Input [{key}] is not known; use [search]")));
            }
        }
    }
    input.map(Some).ok_or_else(|| item.refuse("Input is empty; it needs [search]"))
}

fn read_triggers(whole: &Place<'_>) -> Result<Vec<Trigger>, MonitorError> {
    let Some(list) = whole.get("triggers") else { return Ok(Vec::new()) };
    let items = list.items()?;
    if TRIGGERS_MAX < items.len() {
        let reason = format!("Monitors can only support up to {TRIGGERS_MAX} triggers.");
        return Err(list.refuse(reason));
    }
    let mut triggers = Vec::with_capacity(items.len());
    let mut ids = HashSet::new();
    for item in &items {
        let trigger = Trigger::read(item)?;
        if !ids.insert(trigger.id.clone()) {
            let id = &trigger.id;
            let reason = format!("Duplicate trigger id: {id}. Trigger ids must be unique.");
            return Err(item.refuse(reason));
        }
        triggers.push(trigger);
    }
    Ok(triggers)
}
