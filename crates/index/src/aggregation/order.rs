//! Numbers that buckets are ordered by: metrics inside them, found by a path.

use std::cmp::Ordering;

use pampero_opensearch::aggregation::{AggregationKind, Metric, MetricKind, Percentiles};

use super::metrics::{Distinct, Stats};
use super::plan::Plan;
use super::render::{of, slot_of};
use super::state::{Data, State};

/// Compares two numbers; one that is missing comes last in either direction.
pub(super) fn compare_numbers(one: f64, other: f64, descending: bool) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) if descending => other.total_cmp(&one),
        (false, false) => one.total_cmp(&other),
    }
}

/// Returns the number at a path inside a bucket, not a number when there is none.
///
/// The path was checked when the request was read.
pub(super) fn value(plan: &Plan<'_>, state: &State, path: &str, bucket: Option<u32>) -> f64 {
    let (step, rest) = match path.split_once('>') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let found = plan.inner.iter().zip(&state.inner).filter(|(inner, _)| is_named(step, inner.name));
    let Some((inner, state)) = found.max_by_key(|(inner, _)| inner.name.len()) else {
        return f64::NAN;
    };
    let property = step[inner.name.len()..].trim_matches(['.', '[', ']']);
    match &state.data {
        Data::Slots { counts, .. } => {
            let (count, slot) = slot_of(counts, bucket, 1, 0);
            match rest {
                None | Some("_count") => count as f64,
                Some(rest) => value(inner, state, rest, slot),
            }
        }
        data => metric_value(inner, data, property, bucket),
    }
}

/// Tells whether a step of a path is this name, with or without a property after it.
fn is_named(step: &str, name: &str) -> bool {
    step.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn metric_value(plan: &Plan<'_>, data: &Data, property: &str, bucket: Option<u32>) -> f64 {
    match (data, &plan.request.kind) {
        (Data::Stats(states), AggregationKind::Metric(metric)) => {
            stats_value(metric, &of(states, bucket).copied().unwrap_or_default(), property)
        }
        (Data::Weighted(states), _) => of(states, bucket)
            .filter(|state| state.weight.sum() != 0.0)
            .map_or(f64::NAN, |state| state.product.sum() / state.weight.sum()),
        (Data::Distinct(sets, _), _) => of(sets, bucket).map_or(0, Distinct::count) as f64,
        (Data::Percentiles(digests), AggregationKind::Percentiles(request)) => {
            let at: f64 = property.parse().unwrap_or(f64::NAN);
            let found = of(digests, bucket).and_then(|digest| match request {
                Percentiles::Values { .. } => digest.quantile(at / 100.0),
                Percentiles::Ranks { .. } => digest.rank(at).map(|part| part * 100.0),
            });
            found.unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

fn stats_value(metric: &Metric, stats: &Stats, property: &str) -> f64 {
    let property = match (metric.kind, property) {
        (MetricKind::Stats | MetricKind::ExtendedStats, property) => property,
        (MetricKind::ValueCount, _) => "count",
        (kind, _) => kind.as_str(),
    };
    let deviation = stats.variance().map(f64::sqrt);
    let bound =
        |sign: f64| stats.mean().zip(deviation).map(|(mean, it)| mean + sign * metric.sigma * it);
    let value = match property {
        "count" => Some(stats.count as f64),
        "min" => Some(stats.min),
        "max" => Some(stats.max),
        "avg" => stats.mean(),
        "sum" => Some(stats.sum()),
        "sum_of_squares" => Some(stats.sum_of_squares()),
        "variance" | "variance_population" => stats.variance(),
        "variance_sampling" => stats.variance_sampling(),
        "std_deviation" | "std_deviation_population" => deviation,
        "std_deviation_sampling" => stats.variance_sampling().map(f64::sqrt),
        "std_upper" => bound(1.0),
        "std_lower" => bound(-1.0),
        _ => None,
    };
    value.unwrap_or(f64::NAN)
}
