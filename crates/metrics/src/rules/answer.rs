//! What the expressions of rules give, and why they give nothing.

use std::collections::HashSet;
use std::ops::ControlFlow;

use pampero_promql::{Cancel, Engine, Query, QueryError, Value};
use pampero_samples::AppendError;
use pampero_series::{
    Labels, LabelsBuilder, METRIC_NAME, Matcher, SelectError, Selection, SeriesSource, is_stale,
};

use super::alerts::{ALERTS, ALERTS_FOR_STATE, milliseconds};
use super::{AlertingRule, RecordingRule};

/// The annotation that makes a rule look whether it has data.
const NO_DATA: &str = "pampero_no_data";

/// Why a rule gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuleError {
    #[error("the expression cannot be evaluated")]
    Query(#[source] QueryError),
    #[error("the rule gives {found} series, and {max} are the most")]
    Limit { found: usize, max: usize },
    #[error("the rule gives {found} alerts, and {max} are the most")]
    AlertLimit { found: usize, max: usize },
    #[error("with the labels of the rule, two series of the result are the same: {labels}")]
    Twice { labels: Labels },
    #[error("whether there are data cannot be told")]
    Select(#[source] SelectError),
    #[error("the result cannot be kept")]
    Append(#[source] AppendError),
}

/// What the expression of an alerting rule gave.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) series: Vec<(Labels, f64)>,
    /// See [`RuleEvaluation::has_no_data`].
    pub(super) has_no_data: bool,
}

/// Evaluates the expression of an alerting rule.
pub(super) fn look(
    engine: &Engine,
    source: &dyn SeriesSource,
    rule: &AlertingRule,
    query_ms: i64,
    cancel: &Cancel,
) -> Result<Found, RuleError> {
    let answer = engine.instant(source, &rule.query, query_ms, cancel);
    let series = series(answer.map_err(RuleError::Query)?.value);
    let is_asked = rule.annotations.iter().any(|(name, _)| name == NO_DATA);
    let lookback_ms = milliseconds(engine.options().lookback);
    let has_no_data = is_asked
        && series.is_empty()
        && lacks_data(source, &rule.query, query_ms, lookback_ms).map_err(RuleError::Select)?;
    Ok(Found { series, has_no_data })
}

/// Returns whether one of the selectors of a query finds no series that goes on at `query_ms`.
///
/// That there are no alerts is no lack of data.
fn lacks_data(
    source: &dyn SeriesSource,
    query: &Query,
    query_ms: i64,
    lookback_ms: i64,
) -> Result<bool, SelectError> {
    let is_of_alerts = |matcher: &Matcher| {
        matcher.name() == METRIC_NAME && [ALERTS, ALERTS_FOR_STATE].contains(&matcher.value())
    };
    let start_ms = query_ms.saturating_sub(lookback_ms).saturating_add(1);
    for matchers in query.selectors() {
        if matchers.iter().any(is_of_alerts) {
            continue;
        }
        let mut has_data = false;
        let selection = Selection { matchers: &matchers, start_ms, end_ms: query_ms };
        source.select(selection, &mut |_, columns| {
            has_data = columns.values.last().is_some_and(|value| !is_stale(*value));
            if has_data { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if !has_data {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Evaluates a recording rule, and returns the result under its name and with its labels.
pub(super) fn recorded(
    engine: &Engine,
    source: &dyn SeriesSource,
    rule: &RecordingRule,
    query_ms: i64,
    cancel: &Cancel,
) -> Result<Vec<(Labels, f64)>, RuleError> {
    let answer = engine.instant(source, &rule.query, query_ms, cancel);
    let found = series(answer.map_err(RuleError::Query)?.value);
    let mut seen = HashSet::new();
    let mut result = Vec::with_capacity(found.len());
    for (labels, value) in found {
        let mut builder = LabelsBuilder::from(&labels);
        builder.set(METRIC_NAME, &rule.record);
        rule.labels.iter().for_each(|(name, value)| {
            builder.set(name, value);
        });
        let labels = builder.build();
        if !seen.insert(labels.clone()) {
            return Err(RuleError::Twice { labels });
        }
        result.push((labels, value));
    }
    Ok(result)
}

fn series(value: Value) -> Vec<(Labels, f64)> {
    match value {
        Value::Scalar(point) => vec![(Labels::empty(), point.value)],
        Value::Vector(series) => {
            series.into_iter().map(|(labels, point)| (labels, point.value)).collect()
        }
        // Refused when the file was read.
        Value::String(..) | Value::Matrix(_) => Vec::new(),
    }
}
