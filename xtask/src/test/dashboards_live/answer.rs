//! What a query returned, and whether two answers are the same.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::ask::ask;
use crate::test::dashboards::document::{items, text};

/// How far two values may lie apart, as a share of the larger one.
const TOLERANCE: f64 = 1e-9;
/// How many differences are told of one answer.
const DIFFERENCES_MAX: usize = 3;

/// The series of an answer by their labels; a scalar is a series without labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer(BTreeMap<Labels, Vec<Point>>);

type Labels = BTreeMap<String, String>;
/// Seconds since the Unix epoch, and the value.
type Point = (f64, f64);

impl Answer {
    /// Asks for one instant, in seconds since the Unix epoch; `None` is now.
    ///
    /// # Errors
    /// The query is refused, or the answer cannot be understood.
    pub(super) fn instant(side: SocketAddr, query: &str, at: Option<f64>) -> Result<Self> {
        let at = at.map(|seconds| seconds.to_string());
        let time = at.as_deref().map(|at| ("time", at));
        let form: Vec<_> = std::iter::once(("query", query)).chain(time).collect();
        Self::read(&ask(side, "query", &form)?)
    }

    /// Asks for a range; all three in seconds.
    ///
    /// # Errors
    /// As [`Answer::instant`].
    pub(super) fn range(
        side: SocketAddr,
        query: &str,
        start: f64,
        end: f64,
        step: f64,
    ) -> Result<Self> {
        let [start, end, step] = [start, end, step].map(|seconds| seconds.to_string());
        let form = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        Self::read(&ask(side, "query_range", &form)?)
    }

    /// Returns the value of the only series; `None` when there are more or none.
    pub(super) fn only_value(&self) -> Option<f64> {
        match self.0.values().map(Vec::as_slice).collect::<Vec<_>>()[..] {
            [[(_, value)]] => Some(*value),
            _ => None,
        }
    }

    /// Tells whether there is no series.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out the series of other jobs than those in `jobs`, which a `|` separates.
    pub(super) fn of_jobs(mut self, jobs: &str) -> Self {
        self.0.retain(|labels, _| {
            labels.get("job").is_none_or(|job| jobs.split('|').any(|it| it == job))
        });
        self
    }

    /// Says in what it differs from what was expected; `None` when both are the same.
    pub(super) fn difference(&self, expected: &Self) -> Option<String> {
        let mut differences = Vec::new();
        for labels in self.0.keys().filter(|labels| !expected.0.contains_key(*labels)) {
            differences.push(format!("{labels:?} only in Pampero"));
        }
        for (labels, points) in &expected.0 {
            match self.0.get(labels) {
                None => differences.push(format!("{labels:?} only in Prometheus")),
                Some(found) if !is_same(found, points) => {
                    differences.push(format!("{labels:?} is {found:?} instead of {points:?}"));
                }
                Some(_) => {}
            }
        }
        differences.truncate(DIFFERENCES_MAX);
        (!differences.is_empty()).then(|| differences.join("; "))
    }

    fn read(data: &Value) -> Result<Self> {
        let result = &data["result"];
        let points_of = |series: &Value| match &series["values"] {
            Value::Array(points) => points.iter().map(point).collect(),
            _ => Ok(vec![point(&series["value"])?]),
        };
        let mut all = BTreeMap::new();
        match text(&data["resultType"]) {
            "scalar" => {
                all.insert(Labels::new(), vec![point(result)?]);
            }
            "vector" | "matrix" => {
                for series in items(result) {
                    let metric = series["metric"].as_object().context("a series has no labels")?;
                    if all.insert(labels(metric), points_of(series)?).is_some() {
                        bail!("two series have the labels {metric:?}");
                    }
                }
            }
            other => bail!("the answer is of the type `{other}`"),
        }
        Ok(Self(all))
    }
}

fn labels(metric: &Map<String, Value>) -> Labels {
    metric.iter().map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
}

fn point(pair: &Value) -> Result<Point> {
    let at = pair[0].as_f64().context("a point has no time")?;
    // Rust reads `+Inf`, `-Inf` and `NaN` as Prometheus writes them.
    let value = text(&pair[1]).parse().with_context(|| format!("{pair} has no value"))?;
    Ok((at, value))
}

fn is_same(found: &[Point], expected: &[Point]) -> bool {
    let pairs = || found.iter().zip(expected);
    found.len() == expected.len()
        && pairs()
            .all(|((at, value), (at_too, expected))| at == at_too && is_near(*value, *expected))
}

fn is_near(found: f64, expected: f64) -> bool {
    let size = found.abs().max(expected.abs());
    found == expected
        || (found.is_nan() && expected.is_nan())
        || (size.is_finite() && (found - expected).abs() <= TOLERANCE * size)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vector(series: &Value) -> Answer {
        Answer::read(&json!({ "resultType": "vector", "result": series })).unwrap()
    }

    #[track_caller]
    fn check(found: Value, expected: Value, is_same: bool) {
        let one = |value| vector(&json!([{ "metric": { "job": "a" }, "value": value }]));
        let difference = one(found).difference(&one(expected));
        assert_eq!(difference.is_none(), is_same, "{difference:?}");
    }

    #[test]
    fn values_are_compared_within_the_tolerance() {
        check(json!([1, "1"]), json!([1, "1"]), true);
        check(json!([1, "1000000000"]), json!([1, "1000000000.9"]), true);
        check(json!([1, "1000000000"]), json!([1, "1000000002"]), false);
        check(json!([1, "0"]), json!([1, "1e-300"]), false);
        check(json!([1, "1"]), json!([2, "1"]), false);
        check(json!([1, "NaN"]), json!([1, "NaN"]), true);
        check(json!([1, "+Inf"]), json!([1, "+Inf"]), true);
        check(json!([1, "+Inf"]), json!([1, "-Inf"]), false);
        check(json!([1, "+Inf"]), json!([1, "1"]), false);
    }

    #[test]
    fn series_are_compared_by_their_labels() {
        let one = json!({ "metric": { "job": "a" }, "value": [1, "1"] });
        let other = json!({ "metric": { "job": "b" }, "value": [1, "1"] });
        let (both, only_one) = (vector(&json!([one, other])), vector(&json!([one])));
        assert!(both.difference(&only_one).unwrap().contains("only in Pampero"));
        assert!(only_one.difference(&both).unwrap().contains("only in Prometheus"));
        assert_eq!(both.of_jobs("a|c"), only_one);
    }

    #[test]
    fn points_of_a_range_all_count() {
        let range = |values: Value| {
            let series = json!([{ "metric": {}, "values": values }]);
            Answer::read(&json!({ "resultType": "matrix", "result": series })).unwrap()
        };
        let expected = range(json!([[1, "1"], [2, "2"]]));
        assert_eq!(range(json!([[1, "1"], [2, "2"]])).difference(&expected), None);
        assert!(range(json!([[1, "1"]])).difference(&expected).is_some());
        assert!(range(json!([[1, "1"], [2, "3"]])).difference(&expected).is_some());
    }
}
