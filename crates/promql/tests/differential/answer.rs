//! The answer of either engine in one form, and what counts as the same.

use std::collections::BTreeMap;
use std::fmt;

use pampero_promql::{Answer, ErrorKind, Point, QueryError, Value};
use pampero_series::Labels;
use serde_json::Value as Json;

/// Largest difference, as a share of the larger value.
const TOLERANCE: f64 = 1e-9;

/// What an engine answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answered {
    Scalar(i64, f64),
    String(String),
    Vector(Vec<(Labels, i64, f64)>),
    Matrix(Vec<(Labels, Vec<(i64, f64)>)>),
    /// The type of the error in the words of the HTTP API, and what it says.
    Error(String, String),
}

impl From<Result<Answer, QueryError>> for Answered {
    fn from(result: Result<Answer, QueryError>) -> Self {
        let point = |point: Point| (point.timestamp_ms, point.value);
        match result.map(|answer| answer.value) {
            Ok(Value::Scalar(at)) => Self::Scalar(at.timestamp_ms, at.value),
            Ok(Value::String(_, text)) => Self::String(text),
            Ok(Value::Vector(series)) => Self::Vector(
                series.into_iter().map(|(it, at)| (it, at.timestamp_ms, at.value)).collect(),
            ),
            Ok(Value::Matrix(series)) => Self::Matrix(
                series
                    .into_iter()
                    .map(|(labels, points)| (labels, points.into_iter().map(point).collect()))
                    .collect(),
            ),
            Err(error) => {
                let kind = match error.kind() {
                    ErrorKind::BadData => "bad_data",
                    ErrorKind::Execution => "execution",
                    ErrorKind::Timeout => "timeout",
                    ErrorKind::Canceled => "canceled",
                    ErrorKind::Internal => "internal",
                };
                Self::Error(kind.to_owned(), error.to_string())
            }
        }
    }
}

impl From<Json> for Answered {
    fn from(body: Json) -> Self {
        if body["status"] != "success" {
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            return Self::Error(text("errorType"), text("error"));
        }
        let result = &body["data"]["result"];
        let rows = || result.as_array().unwrap().iter();
        match body["data"]["resultType"].as_str().unwrap() {
            "scalar" => {
                let (at, value) = point(result);
                Self::Scalar(at, value)
            }
            "string" => Self::String(result[1].as_str().unwrap().to_owned()),
            "vector" => Self::Vector(
                rows()
                    .map(|row| {
                        let (at, value) = point(&row["value"]);
                        (labels(&row["metric"]), at, value)
                    })
                    .collect(),
            ),
            _ => Self::Matrix(
                rows()
                    .map(|row| {
                        let points = row["values"].as_array().unwrap().iter().map(point);
                        (labels(&row["metric"]), points.collect())
                    })
                    .collect(),
            ),
        }
    }
}

fn point(json: &Json) -> (i64, f64) {
    let seconds = json[0].as_f64().unwrap();
    let value = json[1].as_str().unwrap().parse().unwrap();
    ((seconds * 1_000.0).round() as i64, value)
}

fn labels(json: &Json) -> Labels {
    json.as_object().unwrap().iter().map(|(name, value)| (name, value.as_str().unwrap())).collect()
}

impl Answered {
    /// Returns in words how `other` differs; `None` when it is the same.
    pub(crate) fn difference(&self, other: &Self, is_ordered: bool) -> Option<String> {
        match (self, other) {
            (Self::Error(left, _), Self::Error(right, _)) => {
                (left != right).then(|| format!("error {left} against {right}"))
            }
            (Self::Scalar(left_at, left), Self::Scalar(right_at, right)) => (left_at != right_at
                || !is_same(*left, *right))
            .then(|| format!("{left} at {left_at} against {right} at {right_at}")),
            (Self::String(left), Self::String(right)) => {
                (left != right).then(|| format!("{left:?} against {right:?}"))
            }
            (Self::Vector(left), Self::Vector(right)) => {
                let as_points = |rows: &[(Labels, i64, f64)]| {
                    rows.iter().map(|row| (row.0.clone(), vec![(row.1, row.2)])).collect::<Vec<_>>()
                };
                series_difference(&as_points(left), &as_points(right), is_ordered)
            }
            (Self::Matrix(left), Self::Matrix(right)) => series_difference(left, right, true),
            _ => Some("another kind of answer".to_owned()),
        }
    }

    /// Returns whether there is anything to compare in it.
    pub(crate) fn is_telling(&self) -> bool {
        match self {
            Self::Scalar(..) | Self::String(_) => true,
            Self::Vector(rows) => !rows.is_empty(),
            Self::Matrix(rows) => !rows.is_empty(),
            Self::Error(..) => false,
        }
    }
}

type Rows = [(Labels, Vec<(i64, f64)>)];

fn series_difference(left: &Rows, right: &Rows, is_ordered: bool) -> Option<String> {
    let index =
        |rows: &Rows| -> BTreeMap<Labels, Vec<(i64, f64)>> { rows.iter().cloned().collect() };
    let (by_left, by_right) = (index(left), index(right));
    if let Some(only) = by_left.keys().find(|labels| !by_right.contains_key(labels)) {
        return Some(format!("only we have {only} ({} against {})", left.len(), right.len()));
    }
    if let Some(only) = by_right.keys().find(|labels| !by_left.contains_key(labels)) {
        return Some(format!("we lack {only} ({} against {})", left.len(), right.len()));
    }
    for (labels, points) in &by_left {
        if let Some(difference) = points_difference(points, &by_right[labels]) {
            return Some(format!("{labels}: {difference}"));
        }
    }
    if left.len() != right.len() {
        return Some(format!("{} rows against {}", left.len(), right.len()));
    }
    let order = |rows: &Rows| rows.iter().map(|row| row.0.clone()).collect::<Vec<_>>();
    (is_ordered && order(left) != order(right))
        .then(|| format!("order {:?} against {:?}", order(left), order(right)))
}

fn points_difference(left: &[(i64, f64)], right: &[(i64, f64)]) -> Option<String> {
    let times = |points: &[(i64, f64)]| points.iter().map(|point| point.0).collect::<Vec<_>>();
    if times(left) != times(right) {
        return Some(format!("at {:?} against {:?}", times(left), times(right)));
    }
    left.iter()
        .zip(right)
        .find(|(left, right)| !is_same(left.1, right.1))
        .map(|(left, right)| format!("{} against {} at {}", left.1, right.1, left.0))
}

fn is_same(left: f64, right: f64) -> bool {
    if left == right || (left.is_nan() && right.is_nan()) {
        return true;
    }
    // Differences of equal values cancel out to noise round zero; the inputs are of the order of 1.
    let scale = left.abs().max(right.abs()).max(1e-3);
    (left - right).abs() <= TOLERANCE * scale
}

impl fmt::Display for Answered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{self:?}");
        let end = text.char_indices().nth(600).map_or(text.len(), |(index, _)| index);
        formatter.write_str(&text[..end])
    }
}
