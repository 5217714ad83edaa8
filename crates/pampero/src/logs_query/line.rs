//! One document of the log as a line for people.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Fields with a place of their own in the line, which are not repeated behind it.
const PLACED: [&str; 5] = ["timestamp", "@timestamp", "level", "service", "log_message"];
/// Fields that repeat what stands in the line.
const LEFT_OUT: [&str; 1] = ["target"];

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// Whether levels have colours.
    pub(super) is_coloured: bool,
}

/// What a line shows.
#[derive(Debug, Default)]
pub(super) struct Line {
    document: Map<String, Value>,
}

impl Line {
    /// Reads a document; what is no object gives an empty line.
    pub(super) fn read(source: &str) -> Self {
        Self { document: serde_json::from_str(source).unwrap_or_default() }
    }

    /// Writes time, level, service, message, then the other fields as `name=value`.
    pub(super) fn write(&self, style: Style) -> String {
        let timestamp = self.text(&["timestamp", "@timestamp"]).unwrap_or("-");
        let level = self.text(&["level"]).unwrap_or("-");
        let message = self.text(&["log_message", "message"]).unwrap_or_default();
        let mut line = format!("{timestamp}  {}", coloured(level, style));
        if let Some(service) = self.text(&["service"]) {
            write!(line, "  {service:<9}").expect("a text in memory takes every text");
        }
        line.push_str("  ");
        push_printable(&mut line, message);
        let has_own_message = self.document.contains_key("log_message");
        for (name, value) in &self.document {
            let is_placed = PLACED.contains(&name.as_str())
                || LEFT_OUT.contains(&name.as_str())
                || (name == "message" && !has_own_message);
            if !is_placed {
                push_field(&mut line, name, value);
            }
        }
        line
    }

    fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.document.get(*name)?.as_str())
    }
}

fn push_field(line: &mut String, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Object(inner) => {
            for (part, value) in inner {
                // What the program had no name for is kept below `fields`, which says nothing.
                let path = if name == "fields" { part.clone() } else { format!("{name}.{part}") };
                push_field(line, &path, value);
            }
        }
        Value::String(text) => {
            let is_bare = !text.is_empty() && !text.contains([' ', '"', '=']);
            write!(line, "  {name}=").expect("a text in memory takes every text");
            let shown = if is_bare { text.clone() } else { format!("{text:?}") };
            push_printable(line, &shown);
        }
        other => {
            write!(line, "  {name}={other}").expect("a text in memory takes every text");
        }
    }
}

/// Leaves control characters out, so that no document moves the cursor of a terminal.
fn push_printable(line: &mut String, text: &str) {
    line.extend(text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
}

fn coloured(level: &str, style: Style) -> String {
    let color = match level {
        "ERROR" => "31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "2",
    };
    let padded: String = format!("{level:<5}").chars().filter(|it| !it.is_control()).collect();
    if style.is_coloured { format!("\u{1b}[{color}m{padded}\u{1b}[0m") } else { padded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, line: &str) {
        assert_eq!(Line::read(source).write(Style { is_coloured: false }), line);
    }

    #[test]
    fn documents_become_lines() {
        check(
            r#"{"timestamp":"2026-11-24T12:00:00.000Z","level":"ERROR","service":"loader","target":"pampero_loader::round","log_message":"provider failed","place":"jfk","fields":{"attempt":3,"cause":"timed out"}}"#,
            "2026-11-24T12:00:00.000Z  ERROR  loader     provider failed  attempt=3  cause=\"timed out\"  place=jfk",
        );
        check(
            r#"{"@timestamp":"2026-11-24T12:00:00Z","level":"info","message":"of somebody else","error":{"chain":"a: b"}}"#,
            "2026-11-24T12:00:00Z  info   of somebody else  error.chain=\"a: b\"",
        );
        check(r#"{"level":"INFO","log_message":"a\u001b[2Jb\nc"}"#, "-  INFO   a [2Jb c");
        check("[]", "-  -      ");
    }

    #[test]
    fn levels_are_coloured_where_it_can_be_seen() {
        let line = Line::read(r#"{"level":"WARN"}"#).write(Style { is_coloured: true });
        assert!(line.contains("\u{1b}[33mWARN \u{1b}[0m"), "{line:?}");
    }
}
