//! Writing metrics: the numbers of one bucket in the shapes that OpenSearch gives them.

use pampero_opensearch::aggregation::{AggregationKind, Metric, MetricKind, Percentiles};
use serde_json::{Map, Value, json};

use super::format::{KeyFormat, decimal};
use super::metrics::{Distinct, Stats};
use super::plan::{Plan, Work};
use super::render::of;
use super::state::Data;

/// Writes a metric.
pub(super) fn metric(plan: &Plan<'_>, work: &Work, data: &Data, parent: Option<u32>) -> Value {
    match (work, data, &plan.request.kind) {
        (Work::Metric { source, .. }, Data::Stats(states), AggregationKind::Metric(metric)) => {
            let stats = of(states, parent).copied().unwrap_or_default();
            render_stats(metric, &stats, &source.format)
        }
        (Work::Weighted { value, .. }, Data::Weighted(states), _) => {
            let state = of(states, parent).copied().unwrap_or_default();
            let mean =
                (state.weight.sum() != 0.0).then(|| state.product.sum() / state.weight.sum());
            single_value(mean, &value.format)
        }
        (_, Data::Distinct(sets, _), _) => {
            json!({ "value": of(sets, parent).map_or(0, Distinct::count) })
        }
        (Work::Percentiles { source }, Data::Percentiles(digests), kind) => {
            let AggregationKind::Percentiles(request) = kind else {
                unreachable!("digests are collected for percentiles only")
            };
            let (points, keyed): (Vec<(f64, Option<f64>)>, bool) = match request {
                Percentiles::Values { percents, keyed, .. } => {
                    let value = |percent: &f64| {
                        let digest = of(digests, parent);
                        (*percent, digest.and_then(|it| it.quantile(percent / 100.0)))
                    };
                    (percents.iter().map(value).collect(), *keyed)
                }
                Percentiles::Ranks { values, keyed, .. } => {
                    let rank = |value: &f64| {
                        let digest = of(digests, parent);
                        (*value, digest.and_then(|it| it.rank(*value)).map(|part| part * 100.0))
                    };
                    (values.iter().map(rank).collect(), *keyed)
                }
            };
            render_points(&points, keyed, &source.format)
        }
        _ => unreachable!("what is collected is what was planned"),
    }
}

fn render_points(points: &[(f64, Option<f64>)], keyed: bool, format: &KeyFormat) -> Value {
    let spelling = |value: &Option<f64>| value.and_then(|value| format.number_spelling(value));
    if keyed {
        let mut values = Map::new();
        for (key, value) in points {
            values.insert(decimal(*key), json!(value));
            if let Some(spelling) = spelling(value) {
                values.insert(format!("{}_as_string", decimal(*key)), Value::String(spelling));
            }
        }
        return json!({ "values": values });
    }
    let point = |(key, value): &(f64, Option<f64>)| match spelling(value) {
        Some(spelling) => json!({ "key": key, "value": value, "value_as_string": spelling }),
        None => json!({ "key": key, "value": value }),
    };
    json!({ "values": points.iter().map(point).collect::<Vec<_>>() })
}

fn single_value(value: Option<f64>, format: &KeyFormat) -> Value {
    match value.and_then(|value| format.number_spelling(value)) {
        Some(spelling) => json!({ "value": value, "value_as_string": spelling }),
        None => json!({ "value": value }),
    }
}

fn render_stats(metric: &Metric, stats: &Stats, format: &KeyFormat) -> Value {
    let known = |value: f64| (stats.count > 0).then_some(value);
    match metric.kind {
        MetricKind::Min => single_value(known(stats.min), format),
        MetricKind::Max => single_value(known(stats.max), format),
        MetricKind::Avg => single_value(stats.mean(), format),
        MetricKind::Sum => single_value(Some(stats.sum()), format),
        MetricKind::ValueCount => json!({ "value": stats.count }),
        MetricKind::Stats | MetricKind::ExtendedStats => {
            let mut shown = Map::new();
            shown.insert("count".to_owned(), stats.count.into());
            let numbers = [
                ("min", known(stats.min)),
                ("max", known(stats.max)),
                ("avg", stats.mean()),
                ("sum", Some(stats.sum())),
            ];
            for (name, value) in numbers {
                shown.insert(name.to_owned(), json!(value));
                if let Some(spelling) =
                    known(0.0).and(value).and_then(|it| format.number_spelling(it))
                {
                    shown.insert(format!("{name}_as_string"), Value::String(spelling));
                }
            }
            if metric.kind == MetricKind::ExtendedStats {
                extend_stats(&mut shown, stats, metric.sigma);
            }
            Value::Object(shown)
        }
    }
}

fn extend_stats(shown: &mut Map<String, Value>, stats: &Stats, sigma: f64) {
    let squares = (stats.count > 0).then(|| stats.sum_of_squares());
    let (population, sampling) = (stats.variance(), stats.variance_sampling());
    let bound = |variance: Option<f64>, sign: f64| {
        stats.mean().zip(variance).map(|(mean, it)| mean + sign * sigma * it.sqrt())
    };
    let numbers = [
        ("sum_of_squares", squares),
        ("variance", population),
        ("variance_population", population),
        ("variance_sampling", sampling),
        ("std_deviation", population.map(f64::sqrt)),
        ("std_deviation_population", population.map(f64::sqrt)),
        ("std_deviation_sampling", sampling.map(f64::sqrt)),
    ];
    shown.extend(numbers.map(|(name, value)| (name.to_owned(), json!(value))));
    shown.insert(
        "std_deviation_bounds".to_owned(),
        json!({
            "upper": bound(population, 1.0),
            "lower": bound(population, -1.0),
            "upper_population": bound(population, 1.0),
            "lower_population": bound(population, -1.0),
            "upper_sampling": bound(sampling, 1.0),
            "lower_sampling": bound(sampling, -1.0),
        }),
    );
}
