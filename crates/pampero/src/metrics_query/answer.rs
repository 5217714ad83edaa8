//! The answer of the HTTP API of Prometheus, as far as it is shown.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value as Json;

/// The envelope of every answer.
#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub(super) enum Reply {
    /// The query was evaluated.
    Success {
        data: Json,
        #[serde(default)]
        warnings: Vec<String>,
        #[serde(default)]
        infos: Vec<String>,
    },
    /// It was not.
    Error {
        #[serde(rename = "errorType")]
        error_type: String,
        error: String,
    },
}

/// What was asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// A number or a text without labels.
    Single(String),
    /// The value of each series at one instant.
    Vector(Vec<(String, String)>),
    /// Points of each series: seconds since the Unix epoch and value, in ascending order.
    Matrix(Vec<(String, Vec<(f64, f64)>)>),
}

impl Answer {
    /// Reads what stands under `data`.
    pub(super) fn read(data: Json) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "resultType")]
            result_type: String,
            result: Json,
        }
        #[derive(Deserialize)]
        struct One {
            metric: BTreeMap<String, String>,
            value: (f64, String),
        }
        #[derive(Deserialize)]
        struct Many {
            metric: BTreeMap<String, String>,
            values: Vec<(f64, String)>,
        }
        let data: Data = serde_json::from_value(data).context("the answer holds no result")?;
        Ok(match data.result_type.as_str() {
            "scalar" | "string" => {
                let (_, value): (f64, String) = serde_json::from_value(data.result)?;
                Self::Single(value)
            }
            "vector" => {
                let rows: Vec<One> = serde_json::from_value(data.result)?;
                Self::Vector(
                    rows.into_iter().map(|row| (selector(&row.metric), row.value.1)).collect(),
                )
            }
            "matrix" => {
                let rows: Vec<Many> = serde_json::from_value(data.result)?;
                let number = |(at, value): (f64, String)| (at, value.parse().unwrap_or(f64::NAN));
                let points = |row: Many| {
                    (selector(&row.metric), row.values.into_iter().map(number).collect())
                };
                Self::Matrix(rows.into_iter().map(points).collect())
            }
            other => bail!("a result of the type {other} cannot be shown"),
        })
    }
}

/// Writes labels as a selector, as in `up{job="pampero"}`.
fn selector(labels: &BTreeMap<String, String>) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let others: Vec<String> = labels
        .iter()
        .filter(|(name, _)| *name != "__name__")
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if others.is_empty() && !name.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{}}}", others.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &str, expected: Answer) {
        assert_eq!(Answer::read(serde_json::from_str(data).unwrap()).unwrap(), expected, "{data}");
    }

    #[test]
    fn results_of_all_types_are_read() {
        check(r#"{"resultType": "scalar", "result": [12.5, "4"]}"#, Answer::Single("4".to_owned()));
        check(
            r#"{"resultType": "vector", "result": [
                {"metric": {"__name__": "up", "job": "a"}, "value": [12, "1"]}]}"#,
            Answer::Vector(vec![(r#"up{job="a"}"#.to_owned(), "1".to_owned())]),
        );
        check(
            r#"{"resultType": "matrix", "result": [{"metric": {}, "values": [[12, "+Inf"]]}]}"#,
            Answer::Matrix(vec![("{}".to_owned(), vec![(12.0, f64::INFINITY)])]),
        );
    }
}
