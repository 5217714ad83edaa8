//! Pipelines: they read buckets that are written already, by `buckets_path`.

use pampero_opensearch::Exception;
use pampero_opensearch::aggregation::{BucketMetric, BucketSort, GapPolicy, OrderKey, Pipeline};
use serde_json::{Map, Value, json};

use super::format::decimal;
use super::metrics::Stats;
use super::order::compare_numbers;
use super::plan::PlannedPipeline;

type Bucket = Map<String, Value>;

/// Works out the pipelines that go along the buckets of their parent.
pub(super) fn inside(
    pipelines: &[PlannedPipeline<'_>],
    buckets: &mut Vec<Bucket>,
    typed_keys: bool,
) -> Result<(), Exception> {
    let parents = || pipelines.iter().filter(|it| it.pipeline.is_parent());
    // One that reads another waits for it; one that reads itself or a circle never has its turn.
    let mut waiting: Vec<&PlannedPipeline<'_>> =
        parents().filter(|it| !matches!(it.pipeline, Pipeline::BucketSort(_))).collect();
    while !waiting.is_empty() {
        let names: Vec<&str> = waiting.iter().map(|it| it.name).collect();
        let is_ready =
            |it: &&PlannedPipeline<'_>| !names.contains(&first_step(path_of(it.pipeline)));
        let (ready, blocked): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(is_ready);
        if ready.is_empty() {
            return Err(Exception::illegal_argument(format!(
                "Cyclical dependency found with pipeline aggregator [{}]",
                names[0]
            )));
        }
        ready.into_iter().try_for_each(|it| along(it, buckets, typed_keys))?;
        waiting = blocked;
    }
    for it in parents() {
        if let Pipeline::BucketSort(sort) = it.pipeline {
            sort_buckets(sort, buckets)?;
        }
    }
    Ok(())
}

fn path_of(pipeline: &Pipeline) -> &str {
    match pipeline {
        Pipeline::Derivative { path, .. }
        | Pipeline::CumulativeSum { path }
        | Pipeline::Bucket { path, .. } => path,
        Pipeline::BucketSort(_) => "",
    }
}

/// Returns the name at the beginning of a path, without a property.
fn first_step(path: &str) -> &str {
    let step = path.split('>').next().unwrap_or(path);
    step.split(['.', '[']).next().unwrap_or(step)
}

fn along(
    planned: &PlannedPipeline<'_>,
    buckets: &mut [Bucket],
    typed_keys: bool,
) -> Result<(), Exception> {
    let put = |bucket: &mut Bucket, kind: &str, mut answer: Value| {
        if let Some(meta) = planned.meta {
            answer["meta"] = meta.clone();
        }
        let name = planned.name;
        let name = if typed_keys { format!("{kind}#{name}") } else { name.to_owned() };
        bucket.insert(name, answer);
    };
    match planned.pipeline {
        Pipeline::CumulativeSum { path } => {
            let mut sum = 0.0;
            for bucket in buckets {
                sum += look_up(bucket, path, GapPolicy::InsertZeros)?.unwrap_or(0.0);
                put(bucket, "simple_value", json!({ "value": sum }));
            }
        }
        Pipeline::Derivative { path, gap_policy, unit_ms } => {
            let mut before: Option<(f64, f64)> = None;
            for bucket in buckets {
                let value = look_up(bucket, path, *gap_policy)?;
                let at = bucket.get("key").and_then(Value::as_f64).unwrap_or(0.0);
                if let (Some(value), Some((last, last_at))) = (value, before) {
                    let change = value - last;
                    let mut answer = json!({ "value": change });
                    if let Some(unit_ms) = unit_ms {
                        let units = (at - last_at) / *unit_ms as f64;
                        answer["normalized_value"] = json!(change / units);
                    }
                    put(bucket, "derivative", answer);
                }
                if let Some(value) = value {
                    before = Some((value, at));
                }
            }
        }
        Pipeline::BucketSort(_) | Pipeline::Bucket { .. } => {}
    }
    Ok(())
}

fn sort_buckets(request: &BucketSort, buckets: &mut Vec<Bucket>) -> Result<(), Exception> {
    if !request.sort.is_empty() {
        let mut keyed = Vec::with_capacity(buckets.len());
        for bucket in std::mem::take(buckets) {
            let mut numbers = Vec::with_capacity(request.sort.len());
            for order in &request.sort {
                let number = match &order.key {
                    OrderKey::Count => look_up(&bucket, "_count", request.gap_policy)?,
                    OrderKey::Key => bucket.get("key").and_then(Value::as_f64),
                    OrderKey::Path(path) => look_up(&bucket, path, request.gap_policy)?,
                };
                numbers.push(number);
            }
            let has_text_key = bucket.get("key").is_some_and(|key| !key.is_number());
            let by_key = request.sort.iter().any(|order| order.key == OrderKey::Key);
            // A bucket without any of the numbers is a gap, which is skipped.
            if numbers.iter().any(Option::is_some) || (by_key && has_text_key) {
                keyed.push((numbers, bucket));
            }
        }
        keyed.sort_by(|(ones, one), (others, other)| {
            let mut result = std::cmp::Ordering::Equal;
            for (at, order) in request.sort.iter().enumerate() {
                let text =
                    |bucket: &Bucket| bucket.get("key").and_then(Value::as_str).map(str::to_owned);
                let next = match (&order.key, text(one), text(other)) {
                    (OrderKey::Key, Some(one), Some(other)) if order.descending => other.cmp(&one),
                    (OrderKey::Key, Some(one), Some(other)) => one.cmp(&other),
                    _ => {
                        let number = |list: &[Option<f64>]| list[at].unwrap_or(f64::NAN);
                        compare_numbers(number(ones), number(others), order.descending)
                    }
                };
                result = result.then(next);
            }
            result
        });
        buckets.extend(keyed.into_iter().map(|(_, bucket)| bucket));
    }
    buckets.drain(..request.from.min(buckets.len()));
    buckets.truncate(request.size.unwrap_or(usize::MAX));
    Ok(())
}

/// Works out a pipeline over the buckets of a sibling, with its type.
pub(super) fn over_sibling(
    planned: &PlannedPipeline<'_>,
    level: &Map<String, Value>,
) -> Result<(&'static str, Value), Exception> {
    let Pipeline::Bucket { metric, path, gap_policy } = planned.pipeline else {
        unreachable!("only those over siblings come here")
    };
    let (sibling, rest) = path.split_once('>').unwrap_or((path, "_count"));
    let Some(answer) = find(level, sibling) else {
        return Err(Exception::illegal_argument(format!("No aggregation found for path [{path}]")));
    };
    let mut stats = Stats::default();
    let mut extremes: Vec<(f64, String)> = Vec::new();
    let mut visit = |name: Option<&str>, bucket: &Bucket| {
        if let Some(value) = look_up(bucket, rest, *gap_policy)? {
            stats.add(value);
            extremes.push((value, bucket_name(name, bucket)));
        }
        Ok::<_, Exception>(())
    };
    match answer.get("buckets") {
        Some(Value::Array(buckets)) => {
            for bucket in buckets.iter().filter_map(Value::as_object) {
                visit(None, bucket)?;
            }
        }
        Some(Value::Object(buckets)) => {
            for (name, bucket) in buckets {
                if let Some(bucket) = bucket.as_object() {
                    visit(Some(name), bucket)?;
                }
            }
        }
        _ => {}
    }
    let known = |value: f64| (stats.count > 0).then_some(value);
    let keys_of = |wanted: f64| -> Vec<&str> {
        let equal = extremes.iter().filter(|(value, _)| *value == wanted);
        equal.map(|(_, name)| name.as_str()).collect()
    };
    let (kind, mut answer) = match metric {
        BucketMetric::Avg => ("simple_value", json!({ "value": stats.mean() })),
        BucketMetric::Sum => ("simple_value", json!({ "value": stats.sum() })),
        BucketMetric::Max => (
            "bucket_metric_value",
            json!({ "value": known(stats.max), "keys": keys_of(stats.max) }),
        ),
        BucketMetric::Min => (
            "bucket_metric_value",
            json!({ "value": known(stats.min), "keys": keys_of(stats.min) }),
        ),
        BucketMetric::Stats => (
            "stats_bucket",
            json!({
                "count": stats.count,
                "min": known(stats.min),
                "max": known(stats.max),
                "avg": stats.mean(),
                "sum": stats.sum(),
            }),
        ),
    };
    if let Some(meta) = planned.meta {
        answer["meta"] = meta.clone();
    }
    Ok((kind, answer))
}

/// Returns the name of a bucket, as the keys of an extreme give it.
fn bucket_name(name: Option<&str>, bucket: &Bucket) -> String {
    let text = bucket.get("key_as_string").or_else(|| bucket.get("key"));
    match (name, text) {
        (Some(name), _) => name.to_owned(),
        (None, Some(Value::String(text))) => text.clone(),
        (None, Some(Value::Number(number))) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, decimal)
        }
        (None, Some(other)) => other.to_string(),
        (None, None) => String::new(),
    }
}

/// Finds an aggregation by its name, whether its type stands before it or not.
fn find<'a>(level: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    level.get(name).or_else(|| {
        let named = |key: &String| key.split_once('#').is_some_and(|(_, rest)| rest == name);
        level.iter().find(|(key, _)| named(key)).map(|(_, value)| value)
    })
}

/// Returns the number at a path in a bucket; `None` is a gap.
fn look_up(bucket: &Bucket, path: &str, gap_policy: GapPolicy) -> Result<Option<f64>, Exception> {
    let documents = bucket.get("doc_count").and_then(Value::as_u64).unwrap_or(0);
    let value = match path {
        "_count" => Some(documents as f64),
        path => at_path(bucket, path)?,
    };
    Ok(match gap_policy {
        // An empty bucket is a gap whatever its metrics say, unless it is the count that is asked for.
        GapPolicy::Skip if documents == 0 && path != "_count" => None,
        GapPolicy::InsertZeros if documents == 0 && path != "_count" => Some(0.0),
        GapPolicy::InsertZeros => Some(value.unwrap_or(0.0)),
        GapPolicy::Skip | GapPolicy::KeepValues => value,
    })
}

fn at_path(bucket: &Bucket, path: &str) -> Result<Option<f64>, Exception> {
    let (step, rest) = match path.split_once('>') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let unknown = || Exception::illegal_argument(format!("No aggregation found for path [{path}]"));
    let (answer, property) = match find(bucket, step) {
        Some(answer) => (answer, "value"),
        None => {
            let cut = step.find('[').or_else(|| step.find('.'));
            let cut = cut.filter(|cut| find(bucket, &step[..*cut]).is_some());
            match cut {
                Some(cut) => {
                    let answer = find(bucket, &step[..cut]).ok_or_else(unknown)?;
                    (answer, step[cut..].trim_matches(['.', '[', ']', '\'']))
                }
                // A derivative has no value in the first bucket, which is a gap and no error.
                None => return Ok(None),
            }
        }
    };
    match (rest, answer) {
        (Some("_count"), answer) => Ok(answer.get("doc_count").and_then(Value::as_f64)),
        (Some(rest), Value::Object(inner)) => at_path(inner, rest),
        (Some(_), _) => Err(unknown()),
        (None, answer) if property == "_bucket_count" => {
            Ok(answer.get("buckets").and_then(Value::as_array).map(|it| it.len() as f64))
        }
        (None, answer) => {
            let direct = answer.get(property).or_else(|| answer.get("values")?.get(property));
            match direct {
                Some(value) => Ok(value.as_f64()),
                None if answer.get("doc_count").is_some() && property == "value" => {
                    Ok(answer.get("doc_count").and_then(Value::as_f64))
                }
                None => Err(Exception::illegal_argument(format!(
                    "buckets_path must reference either a number value or a single value numeric \
                     metric aggregation, found [{path}]"
                ))),
            }
        }
    }
}
