//! What the API answers, as lines for people.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use super::table::{self, printable};

/// Writes a list of alerts.
pub(super) fn list(answer: &Value, all: bool) -> String {
    let alerts = items(answer, "alerts");
    if alerts.is_empty() {
        let what = if all { "there are no alerts\n" } else { "nothing is the matter\n" };
        return what.to_owned();
    }
    let rows: Vec<[String; 8]> = alerts
        .iter()
        .map(|alert| {
            [
                state(alert),
                number(&alert["severity"]),
                moment(&alert["since"]),
                length(&alert["lasted_seconds"]),
                text(&alert["name"]),
                key(alert),
                number(&alert["value"]),
                text(&alert["id"]),
            ]
        })
        .collect();
    let headings = ["STATE", "SEVERITY", "SINCE", "FOR", "NAME", "OF", "VALUE", "ID"];
    let mut page = table::write(headings, &rows);
    let total = answer["total"].as_u64().unwrap_or_default();
    if !answer["next_cursor"].is_null() {
        let shown = alerts.len();
        line(&mut page, &format!("{shown} of {total}; show more with --limit"));
    }
    page
}

/// Writes an alert with its history, the oldest entry first.
pub(super) fn alert(answer: &Value) -> String {
    let mut page = String::new();
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            line(&mut page, &format!("{name:<14}{}", printable(&value)));
        }
    };
    let source = &answer["source"];
    let of = ["kind", "definition", "trigger"].map(|part| text(&source[part])).join("/");
    field("id", text(&answer["id"]));
    field("name", text(&answer["name"]));
    field("of", key(answer));
    field("source", of);
    field("state", state(answer));
    field("severity", number(&answer["severity"]));
    field("since", moment(&answer["since"]));
    field("ended", moment(&answer["ended"]));
    field("lasted", length(&answer["lasted_seconds"]));
    field("acknowledged", moment(&answer["acknowledged"]));
    field("value", number(&answer["value"]));
    field("error", text(&answer["error"]));
    for (name, said) in answer["annotations"].as_object().into_iter().flatten() {
        field(name, text(said));
    }
    let mut entries: Vec<&Value> = items(answer, "history").iter().collect();
    entries.reverse();
    for entry in entries {
        page.push('\n');
        line(&mut page, &what_happened(entry));
        for told in items(entry, "messages") {
            line(&mut page, &format!("  {}", what_was_told(told)));
        }
        for remark in items(entry, "remarks") {
            line(&mut page, &format!("  {}", text(remark)));
        }
    }
    page
}

fn what_happened(entry: &Value) -> String {
    let changes: Vec<String> = items(entry, "changes")
        .iter()
        .map(|change| {
            let before = text(&change["before"]);
            let before = if before.is_empty() { "inactive" } else { &before };
            format!("{before} → {}", text(&change["after"]))
        })
        .collect();
    let mut said = format!("{}  {}", moment(&entry["at"]), text(&entry["cause"]));
    for part in [changes.join(", "), text(&entry["error"])] {
        if !part.is_empty() {
            let _ = write!(said, "  {part}");
        }
    }
    let value = number(&entry["value"]);
    if !value.is_empty() {
        let _ = write!(said, "  value {value}");
    }
    said
}

fn what_was_told(told: &Value) -> String {
    let (channel, kind) = (text(&told["channel"]), text(&told["kind"]));
    let state = text(&told["state"]);
    let state = if state.is_empty() { "put together with others, or forgotten" } else { &state };
    let reason = text(&told["reason"]);
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    format!("{kind} to {channel} ({state}{reason}): {}", text(&told["subject"]))
}

/// Writes what became of a test message.
pub(super) fn test(answer: &Value) -> String {
    let (channel, said) = (text(&answer["channel"]), text(&answer["text"]));
    let status = number(&answer["status"]);
    let status = if status.is_empty() { "no answer".to_owned() } else { status };
    let outcome = if answer["delivered"] == true { "arrived" } else { "did not arrive" };
    let mut page = String::new();
    line(&mut page, &format!("{channel}: {outcome} ({status}) {said}"));
    page
}

/// Writes what became of each alert.
pub(super) fn acknowledged(answer: &Value) -> String {
    let done = items(answer, "acknowledged").iter().map(|id| (text(id), "acknowledged".to_owned()));
    let refused = items(answer, "refused").iter().map(|it| (text(&it["id"]), text(&it["reason"])));
    let rows: Vec<[String; 2]> = done.chain(refused).map(|(id, said)| [id, said]).collect();
    table::write(["ID", "OUTCOME"], &rows)
}

/// Writes a mute that was made.
pub(super) fn mute(answer: &Value) -> String {
    let matchers: Vec<String> = items(answer, "matchers")
        .iter()
        .map(|it| format!("{}{}{:?}", text(&it["name"]), text(&it["operator"]), text(&it["value"])))
        .collect();
    let mut page = String::new();
    let until = moment(&answer["ends_at"]);
    line(&mut page, &format!("{}  {} until {until}", text(&answer["id"]), matchers.join(", ")));
    page
}

/// Writes what would have been.
pub(super) fn backtest(answer: &Value) -> String {
    let mut page = String::new();
    let (from, to) = (moment(&answer["from"]), moment(&answer["to"]));
    let count = |name: &str| answer[name].as_u64().unwrap_or_default();
    let (times, told, evaluations) = (count("count"), count("message_count"), count("evaluations"));
    line(
        &mut page,
        &format!(
            "from {from} to {to}: firings {times}, messages {told}, evaluations {evaluations}"
        ),
    );
    let firings = items(answer, "firings");
    if !firings.is_empty() {
        let rows: Vec<[String; 6]> = firings
            .iter()
            .map(|firing| {
                let end = moment(&firing["end"]);
                [
                    moment(&firing["start"]),
                    if end.is_empty() { "goes on".to_owned() } else { end },
                    length(&firing["lasted_seconds"]),
                    text(&firing["source"]["trigger"]),
                    labels(&firing["key"], &[]),
                    number(&firing["peak"]),
                ]
            })
            .collect();
        page.push('\n');
        page.push_str(&table::write(["START", "END", "FOR", "NAME", "OF", "PEAK"], &rows));
    }
    let messages = items(answer, "messages");
    if !messages.is_empty() {
        let rows: Vec<[String; 4]> = messages
            .iter()
            .map(|it| {
                [moment(&it["at"]), text(&it["kind"]), text(&it["channel"]), text(&it["subject"])]
            })
            .collect();
        page.push('\n');
        page.push_str(&table::write(["AT", "WHY", "CHANNEL", "MESSAGE"], &rows));
    }
    let errors = items(answer, "errors");
    if !errors.is_empty() {
        page.push('\n');
    }
    for error in errors {
        let (trigger, reason) = (text(&error["source"]["trigger"]), text(&error["reason"]));
        let times = number(&error["count"]);
        line(&mut page, &format!("{times} times not evaluated: {trigger}: {reason}"));
    }
    let stopped = text(&answer["stopped"]);
    if !stopped.is_empty() {
        line(&mut page, &format!("not played to the end: {stopped}"));
    }
    page
}

fn line(page: &mut String, text: &str) {
    page.push_str(&printable(text));
    page.push('\n');
}

fn items<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Writes a number as short as it can be read back; nothing for what is none.
fn number(value: &Value) -> String {
    match value.as_f64() {
        Some(number) => number.to_string(),
        None => String::new(),
    }
}

/// Writes an instant to the second; nothing for what is none.
fn moment(value: &Value) -> String {
    let instant: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
    instant.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

/// Writes a length of time in its two largest units; nothing for what is none.
fn length(seconds: &Value) -> String {
    let Some(seconds) = seconds.as_f64() else { return String::new() };
    let mut rest = seconds as u64;
    let mut parts = Vec::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / size;
        rest %= size;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

fn state(alert: &Value) -> String {
    let state = text(&alert["state"]);
    if items(alert, "muted_by").is_empty() { state } else { format!("{state}, muted") }
}

/// Writes what tells an alert from others of its source.
fn key(alert: &Value) -> String {
    labels(&alert["labels"], &["alertname", "severity", "monitor", "group"])
}

fn labels(labels: &Value, but: &[&str]) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs = pairs.filter(|(name, _)| !but.contains(&name.as_str()));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", text(value))).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn frost() -> Value {
        json!({
            "id": "a1", "name": "Frost", "state": "active", "severity": 2,
            "source": { "kind": "rule", "definition": "rules/weather.yml;weather", "trigger": "Frost" },
            "labels": { "alertname": "Frost", "group": "weather", "severity": "high", "place": "jfk" },
            "since": "2026-11-24T12:00:00.25Z", "ended": null, "lasted_seconds": 3725.5,
            "acknowledged": null, "value": -1.5, "error": null, "muted_by": ["m"],
            "annotations": { "summary": "cold\nat jfk" },
        })
    }

    #[test]
    fn alerts_are_listed_in_columns() {
        let answer = json!({ "alerts": [frost()], "total": 3, "next_cursor": "1" });
        assert_eq!(
            list(&answer, false),
            "STATE          SEVERITY  SINCE                 FOR    NAME   OF         VALUE  ID\n\
             active, muted  2         2026-11-24T12:00:00Z  1h 2m  Frost  place=jfk  -1.5   a1\n\
             1 of 3; show more with --limit\n"
        );
        let none = json!({ "alerts": [], "total": 0, "next_cursor": null });
        assert_eq!(list(&none, false), "nothing is the matter\n");
        assert_eq!(list(&none, true), "there are no alerts\n");
    }

    #[test]
    fn an_alert_is_shown_with_what_happened() {
        let mut answer = frost();
        answer["history"] = json!([
            { "at": "2026-11-24T12:10:00Z", "cause": "time", "changes": [], "value": null,
              "error": null, "remarks": ["a template failed"], "messages": [{
                "channel": "mail", "kind": "reminder", "state": null, "reason": null,
                "subject": "still cold" }] },
            { "at": "2026-11-24T12:00:00Z", "cause": "evaluation", "value": -1.5, "error": null,
              "changes": [{ "before": null, "after": "active" }], "remarks": [], "messages": [{
                "channel": "slack", "kind": "fired", "state": "dead", "reason": "403",
                "subject": "cold" }] },
        ]);
        assert_eq!(
            alert(&answer),
            "id            a1\n\
             name          Frost\n\
             of            place=jfk\n\
             source        rule/rules/weather.yml;weather/Frost\n\
             state         active, muted\n\
             severity      2\n\
             since         2026-11-24T12:00:00Z\n\
             lasted        1h 2m\n\
             value         -1.5\n\
             summary       cold at jfk\n\
             \n\
             2026-11-24T12:00:00Z  evaluation  inactive → active  value -1.5\n  \
               fired to slack (dead: 403): cold\n\
             \n\
             2026-11-24T12:10:00Z  time\n  \
               reminder to mail (put together with others, or forgotten): still cold\n  \
               a template failed\n"
        );
    }

    #[test]
    fn a_backtest_says_when_how_often_and_what() {
        let answer = json!({
            "from": "2026-11-23T12:00:00Z", "to": "2026-11-24T12:00:00Z", "evaluations": 1440,
            "count": 1, "message_count": 1, "stopped": null,
            "firings": [{ "source": { "trigger": "Frost" }, "key": { "place": "jfk" },
                "start": "2026-11-24T11:00:00Z", "end": null, "lasted_seconds": 3600, "peak": null }],
            "messages": [{ "at": "2026-11-24T11:00:00Z", "kind": "fired", "channel": "slack",
                "subject": "cold" }],
            "errors": [{ "source": { "trigger": "Heat" }, "reason": "no such function", "count": 2 }],
        });
        assert_eq!(
            backtest(&answer),
            "from 2026-11-23T12:00:00Z to 2026-11-24T12:00:00Z: firings 1, messages 1, \
             evaluations 1440\n\
             \n\
             START                 END      FOR  NAME   OF         PEAK\n\
             2026-11-24T11:00:00Z  goes on  1h   Frost  place=jfk\n\
             \n\
             AT                    WHY    CHANNEL  MESSAGE\n\
             2026-11-24T11:00:00Z  fired  slack    cold\n\
             \n\
             2 times not evaluated: Heat: no such function\n"
        );
    }

    #[test]
    fn answers_to_changes_are_one_line_each() {
        let answer =
            json!({ "channel": "slack", "delivered": false, "status": null, "text": "refused" });
        assert_eq!(test(&answer), "slack: did not arrive (no answer) refused\n");
        let answer =
            json!({ "acknowledged": ["a"], "refused": [{ "id": "bb", "reason": "It is over." }] });
        assert_eq!(acknowledged(&answer), "ID  OUTCOME\na   acknowledged\nbb  It is over.\n");
        let answer = json!({ "id": "m", "ends_at": "2026-11-24T14:00:00Z",
            "matchers": [{ "name": "place", "operator": "=~", "value": "j.k" }] });
        assert_eq!(mute(&answer), "m  place=~\"j.k\" until 2026-11-24T14:00:00Z\n");
    }

    #[test]
    fn lengths_have_two_units() {
        for (seconds, expected) in [(0.4, "0s"), (59.0, "59s"), (90_000.0, "1d 1h")] {
            assert_eq!(length(&json!(seconds)), expected);
        }
        assert_eq!(length(&Value::Null), "");
    }
}
