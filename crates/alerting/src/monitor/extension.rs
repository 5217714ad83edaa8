//! What stands under `pampero` in a monitor: what OpenSearch's monitors do not have.
//!
//! OpenSearch ignores members at the top that it does not know, so that a monitor with these runs there too.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::error::MonitorError;
use super::place::Place;
use super::trigger::{ID_CHARS_MAX, Trigger};
use crate::{Escalation, NoDataRule};

/// Longest wait, reminder and the like.
const DURATION_MAX: Duration = Duration::from_secs(366 * 86_400);

/// Shortest time from one reminder to the next, as in the configuration of rules.
const REMINDER_MIN: Duration = Duration::from_secs(1);

/// Most escalations of a trigger.
const ESCALATIONS_MAX: usize = 10;

/// What stands under `pampero`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extension {
    /// What the absence of data means.
    pub no_data: NoDataRule,
    /// The field that tells the time of documents; `None` leaves it to the query.
    pub time_field: Option<String>,
    /// What stands under the ids of triggers.
    pub triggers: BTreeMap<String, TriggerExtension>,
    /// As it was written, to be written back; `None` when nothing was.
    written: Option<Value>,
}

/// What stands under the id of a trigger.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TriggerExtension {
    /// `for`: how long the condition must hold.
    pub hold: Duration,
    /// `keep_firing_for`: how long an alert goes on when the condition holds no more.
    pub keep_firing: Duration,
    /// `reminder`: from one message to the next while it goes on; `None` for none.
    pub reminder: Option<Duration>,
    /// `recovery`: whether the end is told; it is unless this says otherwise.
    pub recovery: bool,
    /// `escalations`, in the order of their waits.
    pub escalations: Vec<Escalation>,
}

impl Default for TriggerExtension {
    fn default() -> Self {
        Self {
            hold: Duration::ZERO,
            keep_firing: Duration::ZERO,
            reminder: None,
            recovery: true,
            escalations: Vec::new(),
        }
    }
}

impl Extension {
    pub(super) fn read(place: &Place<'_>, triggers: &[Trigger]) -> Result<Self, MonitorError> {
        place.only(&["no_data", "time_field", "triggers"], "pampero")?;
        let no_data = match place.get("no_data") {
            None => NoDataRule::default(),
            Some(rule) => read_no_data(&rule)?,
        };
        let time_field = match place.get("time_field") {
            None => None,
            Some(field) => Some(field.filled_text(255)?.to_owned()),
        };
        let mut extensions = BTreeMap::new();
        if let Some(list) = place.get("triggers") {
            for (id, member) in list.members()? {
                if !triggers.iter().any(|trigger| trigger.id == id) {
                    let known: Vec<&str> = triggers.iter().map(|t| t.id.as_str()).collect();
                    let known = known.join(", ");
                    let reason =
                        format!("pampero.triggers names [{id}]; the triggers are [{known}]");
                    return Err(member.refuse(reason));
                }
                extensions.insert(id.to_owned(), read_trigger(&member)?);
            }
        }
        let written = Some(place.value.clone());
        Ok(Self { no_data, time_field, triggers: extensions, written })
    }

    /// Returns what was written; `None` when nothing was.
    pub(super) fn to_json(&self) -> Option<&Value> {
        self.written.as_ref()
    }
}

fn read_no_data(place: &Place<'_>) -> Result<NoDataRule, MonitorError> {
    match place.text()? {
        "quiet" => Ok(NoDataRule::Quiet),
        "tell" => Ok(NoDataRule::Tell),
        "keep" => Ok(NoDataRule::Keep),
        other => Err(place.refuse(format!("no_data [{other}] is none of [quiet, tell, keep]"))),
    }
}

fn read_trigger(place: &Place<'_>) -> Result<TriggerExtension, MonitorError> {
    let known = ["for", "keep_firing_for", "reminder", "recovery", "escalations"];
    place.only(&known, "a trigger of pampero")?;
    let duration = |key: &str| place.get(key).map(|value| read_duration(&value)).transpose();
    let reminder = duration("reminder")?;
    if let Some(reminder) = reminder
        && reminder < REMINDER_MIN
    {
        let pointer = format!("{}/reminder", place.pointer);
        return Err(MonitorError::at(&pointer, "[reminder] must be at least 1s"));
    }
    let recovery = place.get("recovery").map(|value| value.boolean()).transpose()?;
    Ok(TriggerExtension {
        hold: duration("for")?.unwrap_or_default(),
        keep_firing: duration("keep_firing_for")?.unwrap_or_default(),
        reminder,
        recovery: recovery.unwrap_or(true),
        escalations: read_escalations(place)?,
    })
}

fn read_escalations(place: &Place<'_>) -> Result<Vec<Escalation>, MonitorError> {
    let Some(list) = place.get("escalations") else { return Ok(Vec::new()) };
    let items = list.items()?;
    if ESCALATIONS_MAX < items.len() {
        return Err(list.refuse(format!("at most {ESCALATIONS_MAX} escalations are allowed")));
    }
    let mut escalations = Vec::with_capacity(items.len());
    for item in items {
        item.only(&["after", "channel"], "an escalation")?;
        let after = read_duration(&item.need("after", "an escalation needs [after], as 30m")?)?;
        let channel = item.need("channel", "an escalation needs [channel]")?;
        let channel = channel.filled_text(ID_CHARS_MAX)?.to_owned();
        escalations.push(Escalation { after, channel });
    }
    escalations.sort_by_key(|escalation| escalation.after);
    Ok(escalations)
}

/// Reads a length of time as in Prometheus's rules: `90s`, `2m`, `1h30m`, `1d`.
fn read_duration(place: &Place<'_>) -> Result<Duration, MonitorError> {
    let text = place.text()?;
    let duration = parse_duration(text).ok_or_else(|| {
        place.refuse(format!("[{text}] is no length of time; write it as 90s, 2m, 1h30m or 1d"))
    })?;
    if DURATION_MAX < duration {
        return Err(place.refuse(format!("[{text}] is longer than 366d")));
    }
    Ok(duration)
}

/// Parses numbers with units, from the longest unit to the shortest, each at most once.
///
/// Source: Prometheus, configuration reference, `<duration>`.
fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = &UNITS[..];
    let mut sum_ms = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let position = units.iter().position(|(name, _)| *name == &rest[..letters])?;
        sum_ms = sum_ms.checked_add(count.checked_mul(units[position].1)?)?;
        units = &units[position + 1..];
        rest = &rest[letters..];
    }
    (!text.is_empty()).then(|| Duration::from_millis(sum_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_prometheus() {
        check("0", Some(0));
        check("90s", Some(90_000));
        check("1h30m", Some(5_400_000));
        check("1w2d", Some(9 * 86_400_000));
        check("500ms", Some(500));
        check("1m1h", None);
        check("1m1m", None);
        check("5", None);
        check("m", None);
        check("", None);
        check("-5m", None);
        check("99999999999999999999y", None);
        check("99999999999y", None);
        check("5µ", None);
    }

    #[track_caller]
    fn check(text: &str, ms: Option<u64>) {
        assert_eq!(parse_duration(text), ms.map(Duration::from_millis), "{text}");
    }
}
