//! A plain model: documents in a list, aggregations evaluated one after the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// Works aggregations out over documents.
pub(crate) fn evaluate(aggregations: &Value, documents: &[&Value]) -> Value {
    let mut answer = Map::new();
    for (name, body) in aggregations.as_object().unwrap() {
        let nothing = json!({});
        let inner = body.get("aggs").unwrap_or(&nothing);
        let (kind, options) =
            body.as_object().unwrap().iter().find(|(key, _)| *key != "aggs").unwrap();
        answer.insert(name.clone(), one(kind, options, inner, documents));
    }
    Value::Object(answer)
}

/// Returns the values of a field, as often as they stand in the document.
pub(crate) fn values(document: &Value, field: &str) -> Vec<Value> {
    match &document[field] {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    }
}

/// Returns a value as a number: booleans as 1 and 0, dates in ms.
fn number(value: &Value) -> f64 {
    match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => {
            text.parse::<Timestamp>().map_or(f64::NAN, |it| it.as_millisecond() as f64)
        }
        value => value.as_f64().unwrap(),
    }
}

/// Tells whether a document matches a query of the kinds that tests ask.
pub(crate) fn matches(document: &Value, query: &Value) -> bool {
    if let Some(term) = query.get("term").and_then(Value::as_object) {
        let (field, value) = term.iter().next().unwrap();
        return values(document, field).contains(value);
    }
    if let Some(range) = query.get("range").and_then(Value::as_object) {
        let (field, bounds) = range.iter().next().unwrap();
        return values(document, field).iter().any(|value| {
            bounds.get("gte").is_none_or(|it| number(value) >= number(it))
                && bounds.get("lt").is_none_or(|it| number(value) < number(it))
        });
    }
    true
}

/// Puts documents into buckets by key; a document is in each of its buckets once.
fn bucketed<'a, K: Ord + Clone>(
    documents: &[&'a Value],
    keys: impl Fn(&Value) -> Vec<K>,
) -> BTreeMap<K, Vec<&'a Value>> {
    let mut buckets: BTreeMap<K, Vec<&'a Value>> = BTreeMap::new();
    for document in documents {
        let mut own = keys(document);
        own.sort();
        own.dedup();
        own.into_iter().for_each(|key| buckets.entry(key).or_default().push(document));
    }
    buckets
}

fn bucket(mut shown: Value, documents: &[&Value], inner: &Value) -> Value {
    shown["doc_count"] = json!(documents.len());
    let inner = evaluate(inner, documents);
    shown.as_object_mut().unwrap().extend(inner.as_object().unwrap().clone());
    shown
}

/// A key that can be ordered.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum ModelKey {
    Number(i64),
    Text(String),
}

fn term_keys(document: &Value, options: &Value) -> Vec<ModelKey> {
    let mut found = values(document, options["field"].as_str().unwrap());
    if found.is_empty() && !options["missing"].is_null() {
        found.push(options["missing"].clone());
    }
    let key = |value: &Value| match value {
        Value::String(text) => ModelKey::Text(text.clone()),
        value => ModelKey::Number(number(value) as i64),
    };
    found.iter().map(key).collect()
}

fn one(kind: &str, options: &Value, inner: &Value, documents: &[&Value]) -> Value {
    let field = options["field"].as_str().unwrap_or_default();
    match kind {
        "terms" => terms(options, inner, documents),
        "histogram" => {
            let width = options["interval"].as_f64().unwrap();
            let keys = |it: &Value| {
                let values = values(it, field);
                values.iter().map(|value| (number(value) / width).floor() as i64).collect()
            };
            let mut buckets = bucketed(documents, keys);
            if let (Some(first), Some(last)) =
                (buckets.keys().next().copied(), buckets.keys().last().copied())
            {
                for key in first..=last {
                    buckets.entry(key).or_default();
                }
            }
            let write = |(key, found): (&i64, &Vec<&Value>)| {
                bucket(json!({ "key": *key as f64 * width }), found, inner)
            };
            json!({ "buckets": buckets.iter().map(write).collect::<Vec<_>>() })
        }
        "date_histogram" => date_histogram(options, inner, documents),
        "range" => {
            let write = |range: &Value| {
                let found: Vec<&Value> = documents
                    .iter()
                    .filter(|it| {
                        values(it, field).iter().any(|value| {
                            range["from"].as_f64().is_none_or(|from| from <= number(value))
                                && range["to"].as_f64().is_none_or(|to| number(value) < to)
                        })
                    })
                    .copied()
                    .collect();
                bucket(range.clone(), &found, inner)
            };
            json!({ "buckets": options["ranges"].as_array().unwrap().iter().map(write).collect::<Vec<_>>() })
        }
        "filter" => {
            let found: Vec<&Value> =
                documents.iter().filter(|it| matches(it, options)).copied().collect();
            bucket(json!({}), &found, inner)
        }
        "filters" => {
            let queries = options["filters"].as_object().unwrap();
            let mut buckets = Map::new();
            let mut rest: Vec<&Value> = documents.to_vec();
            for (name, query) in queries {
                let found: Vec<&Value> =
                    documents.iter().filter(|it| matches(it, query)).copied().collect();
                rest.retain(|it| !matches(it, query));
                buckets.insert(name.clone(), bucket(json!({}), &found, inner));
            }
            if options["other_bucket"] == json!(true) {
                buckets.insert("_other_".to_owned(), bucket(json!({}), &rest, inner));
            }
            json!({ "buckets": buckets })
        }
        "missing" => {
            let found: Vec<&Value> =
                documents.iter().filter(|it| values(it, field).is_empty()).copied().collect();
            bucket(json!({}), &found, inner)
        }
        metric => metric_of(metric, options, documents),
    }
}

fn terms(options: &Value, inner: &Value, documents: &[&Value]) -> Value {
    let buckets = bucketed(documents, |it| term_keys(it, options));
    let is_boolean = options["field"] == "ok";
    let mut entries: Vec<(ModelKey, Vec<&Value>)> = buckets.into_iter().collect();
    match options["order"].as_object().and_then(|order| order.iter().next()) {
        None => entries.sort_by_key(|(_, found)| std::cmp::Reverse(found.len())),
        Some((key, direction)) if key == "_key" && direction == "desc" => entries.reverse(),
        Some(_) => {}
    }
    let size = options["size"].as_u64().unwrap_or(10) as usize;
    let other: usize = entries.iter().skip(size).map(|(_, found)| found.len()).sum();
    let write = |(key, found): &(ModelKey, Vec<&Value>)| {
        let shown = match key {
            ModelKey::Text(text) => json!({ "key": text }),
            ModelKey::Number(flag) if is_boolean => {
                json!({ "key": flag, "key_as_string": (*flag == 1).to_string() })
            }
            ModelKey::Number(number) => json!({ "key": number }),
        };
        bucket(shown, found, inner)
    };
    json!({
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": other,
        "buckets": entries.iter().take(size).map(write).collect::<Vec<_>>(),
    })
}

fn date_histogram(options: &Value, inner: &Value, documents: &[&Value]) -> Value {
    let field = options["field"].as_str().unwrap();
    let zone = TimeZone::get(options["time_zone"].as_str().unwrap_or("UTC")).unwrap();
    let fixed_ms = match options["fixed_interval"].as_str() {
        Some("6h") => Some(21_600_000),
        Some("90m") => Some(5_400_000),
        _ => None,
    };
    let key = |value: &Value| {
        let ms = number(value) as i64;
        match fixed_ms {
            Some(width) => ms.div_euclid(width) * width,
            None => {
                let local =
                    Timestamp::from_millisecond(ms).unwrap().to_zoned_datetime(zone.clone());
                local.start_of_day().unwrap().timestamp().as_millisecond()
            }
        }
    };
    let mut buckets =
        bucketed(documents, |it| values(it, field).iter().map(key).collect::<Vec<i64>>());
    if let (Some(first), Some(last)) =
        (buckets.keys().next().copied(), buckets.keys().last().copied())
    {
        let mut at = first;
        while at < last {
            buckets.entry(at).or_default();
            at = match fixed_ms {
                Some(width) => at + width,
                None => {
                    let day =
                        Timestamp::from_millisecond(at).unwrap().to_zoned_datetime(zone.clone());
                    let next = day.tomorrow().unwrap().start_of_day().unwrap();
                    next.timestamp().as_millisecond()
                }
            };
        }
    }
    let write = |(key, found): (&i64, &Vec<&Value>)| {
        let local = Timestamp::from_millisecond(*key).unwrap().to_zoned_datetime(zone.clone());
        let mut text = local.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string();
        if zone == TimeZone::UTC {
            text = text.replace("+00:00", "Z");
        }
        bucket(json!({ "key": key, "key_as_string": text }), found, inner)
    };
    json!({ "buckets": buckets.iter().map(write).collect::<Vec<_>>() })
}

fn metric_of(kind: &str, options: &Value, documents: &[&Value]) -> Value {
    let field = options["field"].as_str().unwrap();
    let found = documents.iter().flat_map(|it| {
        let mut found = values(it, field);
        if found.is_empty() && !options["missing"].is_null() {
            found.push(options["missing"].clone());
        }
        // A document has a string once, however often it stands there.
        if found.iter().all(Value::is_string) {
            found.sort_by_key(|it| it.to_string());
            found.dedup();
        }
        found
    });
    let found: Vec<Value> = found.collect();
    if kind == "cardinality" {
        let mut distinct: Vec<String> = found.iter().map(Value::to_string).collect();
        distinct.sort();
        distinct.dedup();
        return json!({ "value": distinct.len() });
    }
    if kind == "value_count" {
        return json!({ "value": found.len() });
    }
    let mut numbers: Vec<f64> = found.iter().map(number).collect();
    numbers.sort_by(f64::total_cmp);
    let sum: f64 = numbers.iter().sum();
    let average = (!numbers.is_empty()).then(|| sum / numbers.len() as f64);
    let (min, max) = (numbers.first(), numbers.last());
    match kind {
        "min" => json!({ "value": min }),
        "max" => json!({ "value": max }),
        "avg" => json!({ "value": average }),
        "sum" => json!({ "value": sum }),
        "stats" => json!({
            "count": numbers.len(), "min": min, "max": max, "avg": average, "sum": sum,
        }),
        "percentiles" => {
            // Below, the sets are small, so each answer is one of the values.
            let mut shown = Map::new();
            for percent in options["percents"].as_array().unwrap() {
                let percent = percent.as_f64().unwrap();
                let at = (percent / 100.0 * numbers.len() as f64).floor() as usize;
                let value = numbers.get(at.min(numbers.len().saturating_sub(1)));
                shown.insert(format!("{percent:?}"), json!(value));
            }
            json!({ "values": shown })
        }
        other => panic!("the model does not know [{other}]"),
    }
}
