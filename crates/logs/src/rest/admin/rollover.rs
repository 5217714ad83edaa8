//! Rollover of an alias to a new index.

use axum::Router;
use pampero_index::cluster::{Blueprint, Rollover, RolloverConditions};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::{POST, Request, WAITING, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};
use pampero_opensearch::parameters::read_duration;

pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/{index}/_rollover", on(POST, roll_over))
        .route("/{index}/_rollover/{new_index}", on(POST, roll_over))
}

/// The conditions as they were asked, for the words of the answer.
#[derive(Default)]
struct Asked {
    conditions: RolloverConditions,
    age: Option<String>,
    documents: Option<u64>,
    size: Option<String>,
}

impl Asked {
    fn read(conditions: &Value) -> Result<Self, Exception> {
        let mut asked = Self::default();
        for (name, value) in conditions.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match name.as_str() {
                "max_age" => {
                    let age = read_duration(name, &text)?;
                    asked.conditions.age_min_ms =
                        Some(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
                    asked.age = Some(text);
                }
                "max_docs" => {
                    let documents = text.parse().map_err(|_| {
                        Exception::illegal_argument(format!("[max_docs] is no number: [{text}]"))
                    })?;
                    asked.conditions.documents_min = Some(documents);
                    asked.documents = Some(documents);
                }
                "max_size" => {
                    asked.conditions.bytes_min = Some(read_size(name, &text)?);
                    asked.size = Some(text);
                }
                _ => {
                    return Err(Exception::new(
                        ExceptionKind::XContentParse,
                        format!("[1:1] [conditions] unknown field [{name}]"),
                    ));
                }
            }
        }
        Ok(asked)
    }

    fn to_json(&self, outcome: &Rollover) -> Value {
        let mut met = Map::new();
        let mut add = |name: String, value: Option<bool>| {
            if let Some(value) = value {
                met.insert(name, value.into());
            }
        };
        if let Some(age) = &self.age {
            add(format!("[max_age: {age}]"), outcome.age_met);
        }
        if let Some(documents) = self.documents {
            add(format!("[max_docs: {documents}]"), outcome.documents_met);
        }
        if let Some(size) = &self.size {
            add(format!("[max_size: {size}]"), outcome.bytes_met);
        }
        met.into()
    }
}

fn roll_over(request: &Request<'_>) -> Result<Answer, Failure> {
    request.call.takes(&[WAITING, &["dry_run"]])?;
    let dry_run = request.flag("dry_run", false)?;
    let mut body = request.call.json()?.unwrap_or_default();
    let conditions =
        body.as_object_mut().and_then(|it| it.remove("conditions")).unwrap_or_default();
    let asked = Asked::read(&conditions)?;
    let blueprint = Blueprint::from_json(&body)?;
    let new_index = match request.place("new_index") {
        "" => None,
        name => Some(pampero_opensearch::names::resolve_date_math(name, request.now)?),
    };
    let outcome = request.cluster().rollover(
        request.place("index"),
        new_index.as_deref(),
        asked.conditions,
        &blueprint,
        dry_run,
        request.now,
    )?;
    Ok(Answer::json(json!({
        "acknowledged": outcome.rolled_over,
        "shards_acknowledged": outcome.rolled_over,
        "old_index": &outcome.old_index,
        "new_index": &outcome.new_index,
        "rolled_over": outcome.rolled_over,
        "dry_run": dry_run,
        "conditions": asked.to_json(&outcome),
    })))
}

/// Reads a number of bytes with its unit, as in `5gb`.
fn read_size(name: &str, text: &str) -> Result<u64, Exception> {
    const UNITS: [(&str, i32); 6] =
        [("kb", 10), ("mb", 20), ("gb", 30), ("tb", 40), ("pb", 50), ("b", 0)];
    let lower = text.trim().to_ascii_lowercase();
    let read = UNITS.iter().find_map(|(unit, power)| {
        let count: f64 = lower.strip_suffix(unit)?.trim().parse().ok()?;
        (count.is_finite() && 0.0 <= count).then_some(count * 2f64.powi(*power))
    });
    read.map(|bytes| bytes as u64).ok_or_else(|| {
        Exception::illegal_argument(format!(
            "failed to parse setting [{name}] with value [{text}] as a size in bytes: unit is missing or unrecognized"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(read_size("max_size", text).ok(), expected, "{text}");
    }

    #[test]
    fn sizes_carry_a_unit() {
        check("10b", Some(10));
        check("1.5KB", Some(1536));
        check("5gb", Some(5 << 30));
        check("7", None);
        check("-7kb", None);
        check("nankb", None);
    }
}
