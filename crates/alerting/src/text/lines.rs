//! The newest lines of the log that a query found, as far as its answer holds them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::moment::shown_at;
use super::one_line;

/// How many lines are shown.
const LINES_MAX: usize = 3;
/// Most bytes of one message of the log.
const LINE_BYTES_MAX: usize = 300;

/// Writes how many documents the query found, and the three newest of those in its answer.
pub(crate) fn write(text: &mut String, answer: &Value, zone: &TimeZone) {
    let hits = &answer["hits"];
    if let Some(total) = hits["total"]["value"].as_u64() {
        let at_least = if hits["total"]["relation"] == "gte" { "at least " } else { "" };
        let plural = if total == 1 { "" } else { "s" };
        text.push_str(&format!("The query found {at_least}{total} document{plural}.\n"));
    }
    let Some(found) = hits["hits"].as_array() else { return };
    let mut newest: Vec<(Option<Timestamp>, &Value)> =
        found.iter().map(|hit| &hit["_source"]).map(|source| (time_of(source), source)).collect();
    // Those of the same time stay in the order of the answer; those without a time come last.
    newest.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, source) in newest.into_iter().take(LINES_MAX) {
        let at = at.map(|at| shown_at(at, zone));
        let level = ["level", "severity"].iter().find_map(|name| source[name].as_str());
        let message =
            ["log_message", "message", "msg"].iter().find_map(|name| source[name].as_str());
        let parts: Vec<&str> = [at.as_deref(), level, message].into_iter().flatten().collect();
        if !parts.is_empty() {
            text.push_str(&format!("> {}\n", one_line(&parts.join(" "), LINE_BYTES_MAX)));
        }
    }
}

/// Returns the time of a document: text with an offset, or milliseconds since 1970.
fn time_of(source: &Value) -> Option<Timestamp> {
    let value = ["@timestamp", "timestamp", "time"].iter().find_map(|name| source.get(name))?;
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => Timestamp::from_millisecond(number.as_i64()?).ok(),
        _ => None,
    }
}
