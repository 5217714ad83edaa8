//! The part of the query language that is asked for: groups in parentheses, joined in one way each.

use serde_json::{Value, json};

use super::queries;
use crate::documents::Document;

/// Tells whether a document matches a `query_string`.
pub(crate) fn matches(document: &Document, body: &Value) -> bool {
    let parts = split(body["query"].as_str().unwrap());
    group(document, &parts, body)
}

/// Splits at blanks outside of quotes, brackets and parentheses.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted) = (0, false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        match letter {
            ' ' if depth == 0 && !quoted => parts.push(String::new()),
            letter => parts.last_mut().unwrap().push(letter),
        }
    }
    parts
}

/// Evaluates what one pair of parentheses holds.
fn group(document: &Document, parts: &[String], options: &Value) -> bool {
    let operator = match parts.iter().find(|it| *it == "AND" || *it == "OR") {
        Some(operator) => operator.clone(),
        None => options["default_operator"].as_str().unwrap_or("OR").to_uppercase(),
    };
    let (mut optional, mut found) = (0, 0);
    let mut has_required = false;
    let mut negated = false;
    for part in parts {
        let (sign, rest) = match part.as_str() {
            "AND" | "OR" => continue,
            "NOT" => {
                negated = true;
                continue;
            }
            part => match part.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => part.strip_prefix('+').map_or((' ', part), |rest| ('+', rest)),
            },
        };
        let is_match = one(document, rest, options);
        if sign == '-' || std::mem::take(&mut negated) {
            if is_match {
                return false;
            }
        } else if sign == '+' || operator == "AND" {
            has_required = true;
            if !is_match {
                return false;
            }
        } else {
            optional += 1;
            found += usize::from(is_match);
        }
    }
    has_required || optional == 0 || found > 0
}

fn one(document: &Document, part: &str, options: &Value) -> bool {
    if let Some(inner) = part.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        return group(document, &split(inner), options);
    }
    let default = options["default_field"].as_str().unwrap();
    let (field, value) = match part.split_once(':') {
        Some((field, value)) if !part.starts_with('"') => (field, value),
        _ => (default, part),
    };
    if field == "_exists_" {
        return queries::exists(document, value);
    }
    let ask = |clause: &str, value: Value| {
        queries::matches(document, &json!({ clause: { field: value } }))
    };
    if let Some(phrase) = value.strip_prefix('"') {
        let (phrase, slop) = phrase.split_once('"').unwrap();
        let slop: u64 = slop.strip_prefix('~').map_or(0, |it| it.parse().unwrap());
        return ask("match_phrase", json!({ "query": phrase, "slop": slop }));
    }
    for (sign, key) in [(">=", "gte"), ("<=", "lte"), (">", "gt"), ("<", "lt")] {
        if let Some(bound) = value.strip_prefix(sign) {
            return ask("range", json!({ key: bound }));
        }
    }
    if value.starts_with(['[', '{']) {
        let (low, high) = value[1..value.len() - 1].split_once(" TO ").unwrap();
        let mut bounds = json!({});
        if low != "*" {
            bounds[if value.starts_with('[') { "gte" } else { "gt" }] = json!(low);
        }
        if high != "*" {
            bounds[if value.ends_with(']') { "lte" } else { "lt" }] = json!(high);
        }
        return ask("range", bounds);
    }
    if let Some(pattern) = value.strip_prefix('/') {
        let pattern = pattern.strip_suffix('/').unwrap();
        return ask("regexp", json!(pattern));
    }
    if let Some((word, edits)) = value.split_once('~') {
        let fuzziness = edits.parse::<u64>().map_or(json!("AUTO"), |it| json!(it));
        let word = if is_text(field) { word.to_ascii_lowercase() } else { word.to_owned() };
        return ask("fuzzy", json!({ "value": word, "fuzziness": fuzziness }));
    }
    match value {
        "*" => queries::exists(document, field),
        // Words of texts are in small letters, whatever the pattern is written in.
        pattern if pattern.contains(['*', '?']) && is_text(field) => {
            ask("wildcard", json!(pattern.to_ascii_lowercase()))
        }
        pattern if pattern.contains(['*', '?']) => ask("wildcard", json!(pattern)),
        word => ask("match", json!(word)),
    }
}

fn is_text(field: &str) -> bool {
    super::values::kind(field) == Some(super::values::Kind::Text)
}
