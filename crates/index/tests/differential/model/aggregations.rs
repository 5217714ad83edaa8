//! Aggregations, each worked out over the documents that are in its bucket.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::queries::matches;
use super::values::{Datum, Kind, address_text, data, datum, kind};
use super::{dates, queries};
use crate::documents::Document;

/// Works aggregations out over documents.
pub(crate) fn evaluate(aggregations: &Value, documents: &[&Document]) -> Value {
    let mut answer = Map::new();
    for (name, body) in aggregations.as_object().into_iter().flatten() {
        let members = body.as_object().unwrap();
        let (name_of_kind, options) = members.iter().find(|(key, _)| *key != "aggs").unwrap();
        let asked = Asked { kind: name_of_kind, options, inner: &body["aggs"] };
        answer.insert(name.clone(), asked.answer(documents));
    }
    Value::Object(answer)
}

/// One aggregation of a request.
struct Asked<'a> {
    kind: &'a str,
    options: &'a Value,
    inner: &'a Value,
}

/// A bucket: its key, what is shown of it besides, and its documents.
type Bucket<'a> = (Datum, Vec<&'a Document>);

impl Asked<'_> {
    fn answer(&self, documents: &[&Document]) -> Value {
        match self.kind {
            "terms" => self.terms(documents),
            "histogram" => self.histogram(documents),
            "date_histogram" => self.date_histogram(documents),
            "composite" => self.composite(documents),
            "range" | "date_range" => self.ranges(documents),
            "filter" => self.bucket(json!({}), &filter(documents, |it| matches(it, self.options))),
            "missing" => {
                let field = self.field();
                let is_missing = |it: &Document| data(it, field).is_empty();
                self.bucket(json!({}), &filter(documents, is_missing))
            }
            "filters" => self.filters(documents),
            _ => self.metric(documents),
        }
    }

    fn field(&self) -> &str {
        self.options["field"].as_str().unwrap()
    }

    fn field_kind(&self) -> Kind {
        kind(self.field()).unwrap()
    }

    /// Returns the values of the field, or what stands for them when there are none.
    fn data(&self, document: &Document) -> Vec<Datum> {
        let found = data(document, self.field());
        match &self.options["missing"] {
            missing if found.is_empty() && !missing.is_null() => {
                vec![datum(self.field_kind(), missing).unwrap()]
            }
            _ => found,
        }
    }

    fn bucket(&self, mut shown: Value, documents: &[&Document]) -> Value {
        shown["doc_count"] = json!(documents.len());
        let inner = evaluate(self.inner, documents);
        shown.as_object_mut().unwrap().extend(inner.as_object().unwrap().clone());
        shown
    }

    /// Puts documents into buckets in the order of the keys, each once into each of its buckets.
    fn bucketed<'d>(
        &self,
        documents: &[&'d Document],
        key: impl Fn(&Datum) -> Datum,
    ) -> Vec<Bucket<'d>> {
        let mut buckets: Vec<Bucket<'d>> = Vec::new();
        for document in documents {
            let mut keys: Vec<Datum> = self.data(document).iter().map(&key).collect();
            keys.dedup();
            for key in keys {
                match buckets.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, members)) => members.push(document),
                    None => buckets.push((key, vec![document])),
                }
            }
        }
        buckets.sort_by(|(one, _), (other, _)| one.compare(other));
        buckets
    }

    fn terms(&self, documents: &[&Document]) -> Value {
        let mut buckets = self.bucketed(documents, Datum::clone);
        buckets.retain(|(key, _)| self.is_wanted(key));
        let least = self.options["min_doc_count"].as_u64().unwrap_or(1) as usize;
        buckets.retain(|(_, members)| members.len() >= least);
        let mut shown: Vec<(Datum, Value)> = buckets
            .into_iter()
            .map(|(key, members)| {
                let shown = self.bucket(self.write_key(&key), &members);
                (key, shown)
            })
            .collect();
        let default = json!({ "_count": "desc" });
        let order = self.options.get("order").unwrap_or(&default);
        let orders = order.as_array().map_or_else(|| vec![order], |it| it.iter().collect());
        shown.sort_by(|one, other| {
            orders.iter().fold(Ordering::Equal, |found, order| {
                let (path, direction) = order.as_object().unwrap().iter().next().unwrap();
                found.then_with(|| compare(path, direction == "desc", one, other))
            })
        });
        let size = self.options["size"].as_u64().unwrap_or(10) as usize;
        let rest: u64 =
            shown.iter().skip(size).map(|(_, shown)| shown["doc_count"].as_u64().unwrap()).sum();
        json!({
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": rest,
            "buckets": shown.into_iter().take(size).map(|(_, shown)| shown).collect::<Vec<_>>(),
        })
    }

    /// Tells whether `include` and `exclude` let a key through.
    fn is_wanted(&self, key: &Datum) -> bool {
        let holds = |rule: &Value| match (rule, key) {
            (Value::String(pattern), Datum::Word(word)) => queries::regexp(word, pattern),
            (Value::Array(keys), key) => {
                keys.iter().any(|it| datum(self.field_kind(), it).as_ref() == Some(key))
            }
            _ => panic!("{rule} is no rule for {key:?}"),
        };
        let rule = |name: &str| self.options.get(name).map(holds);
        rule("include").unwrap_or(true) && !rule("exclude").unwrap_or(false)
    }

    fn write_key(&self, key: &Datum) -> Value {
        match (key, self.field_kind()) {
            (Datum::Word(word), _) => json!({ "key": word }),
            (Datum::Address(bits), _) => json!({ "key": address_text(*bits) }),
            (Datum::Number(number), Kind::Boolean) => {
                json!({ "key": number, "key_as_string": (*number == 1.0).to_string() })
            }
            (Datum::Number(number), Kind::Date) => {
                let text = dates::write(*number as i64, &TimeZone::UTC);
                json!({ "key": number, "key_as_string": text })
            }
            (Datum::Number(number), _) => json!({ "key": number }),
        }
    }

    fn histogram(&self, documents: &[&Document]) -> Value {
        let width = self.options["interval"].as_f64().unwrap();
        let offset = self.options["offset"].as_f64().unwrap_or(0.0);
        let key = |number: f64| ((number - offset) / width).floor() * width + offset;
        let buckets = self.bucketed(documents, |it| Datum::Number(key(it.number())));
        let next = |at: f64| key(at + 1.5 * width);
        let bound = |value: &Value| key(value.as_f64().unwrap());
        self.in_a_row(buckets, bound, next, |key| json!({ "key": key }))
    }

    fn date_histogram(&self, documents: &[&Document]) -> Value {
        let zone = self.options["time_zone"].as_str().map_or(TimeZone::UTC, dates::zone);
        let zoned = |ms: f64| {
            Timestamp::from_millisecond(ms as i64).unwrap().to_zoned_datetime(zone.clone())
        };
        let instant = |at: &jiff::ZonedDateTime| at.timestamp().as_millisecond() as f64;
        let write =
            |key: f64| json!({ "key": key, "key_as_string": dates::write(key as i64, &zone) });
        let bound = |date: &Value| dates::read(date, None, &zone, false) as f64;
        if let Some(interval) = self.options["fixed_interval"].as_str() {
            let (amount, unit) = interval.split_at(interval.len() - 1);
            let unit_ms = match unit {
                "m" => 60_000,
                "h" => 3_600_000,
                _ => 86_400_000,
            };
            let width = f64::from(amount.parse::<u32>().unwrap() * unit_ms);
            // Only zones that never change are asked for here.
            let shift = f64::from(zoned(0.0).offset().seconds()) * 1000.0;
            let offset = self.options["offset"]
                .as_str()
                .map_or(0.0, |it| it.trim_end_matches('h').parse::<f64>().unwrap() * 3_600_000.0);
            let key = |ms: f64| ((ms + shift - offset) / width).floor() * width - shift + offset;
            let buckets = self.bucketed(documents, |it| Datum::Number(key(it.number())));
            return self.in_a_row(buckets, |it| key(bound(it)), |at| at + width, write);
        }
        let unit = match self.options["calendar_interval"].as_str().unwrap() {
            "month" | "1M" => "M",
            name => &name.trim_start_matches('1')[..1],
        };
        let start = |ms: f64| instant(&dates::floor(&zoned(ms), unit));
        let buckets = self.bucketed(documents, |it| Datum::Number(start(it.number())));
        let next = |at: f64| instant(&dates::floor(&dates::add(&zoned(at), 1, unit), unit));
        self.in_a_row(buckets, |it| start(bound(it)), next, write)
    }

    /// Shows buckets of numbers, and between them and the bounds those without documents.
    fn in_a_row(
        &self,
        buckets: Vec<Bucket<'_>>,
        bound: impl Fn(&Value) -> f64,
        next: impl Fn(f64) -> f64,
        write: impl Fn(f64) -> Value,
    ) -> Value {
        let least = self.options["min_doc_count"].as_u64().unwrap_or(0) as usize;
        let mut shown: Vec<Value> = Vec::new();
        let mut expected = f64::INFINITY;
        let mut end = f64::NEG_INFINITY;
        if let Some(bounds) = self.options["extended_bounds"].as_object() {
            (expected, end) = (bound(&bounds["min"]), bound(&bounds["max"]));
        }
        for (key, members) in buckets {
            let key = key.number();
            while least == 0 && expected < key {
                shown.push(self.bucket(write(expected), &[]));
                expected = next(expected);
            }
            if members.len() >= least {
                shown.push(self.bucket(write(key), &members));
            }
            expected = next(key);
        }
        while expected <= end {
            shown.push(self.bucket(write(expected), &[]));
            expected = next(expected);
        }
        if let Some(order) = self.options["order"].as_object() {
            let (path, direction) = order.iter().next().unwrap();
            shown.sort_by(|one, other| {
                let keyed = |it: &Value| (Datum::Number(it["key"].as_f64().unwrap()), it.clone());
                compare(path, direction == "desc", &keyed(one), &keyed(other))
            });
        }
        json!({ "buckets": shown })
    }

    /// The ranges stand in the request in the order in which they are answered.
    fn ranges(&self, documents: &[&Document]) -> Value {
        let field = self.field();
        let is_date = self.kind == "date_range";
        let buckets = self.options["ranges"].as_array().unwrap().iter().map(|range| {
            let bound = |key: &str| match range.get(key) {
                Some(date) if is_date => {
                    Some(dates::read(date, None, &TimeZone::UTC, false) as f64)
                }
                other => other.map(|it| it.as_f64().unwrap()),
            };
            let (from, to) = (bound("from"), bound("to"));
            let found = filter(documents, |it| {
                data(it, field).iter().any(|value| {
                    from.is_none_or(|from| from <= value.number())
                        && to.is_none_or(|to| value.number() < to)
                })
            });
            let mut shown = json!({ "key": range["key"] });
            for (name, bound) in [("from", from), ("to", to)] {
                let Some(bound) = bound else { continue };
                shown[name] = json!(bound);
                if is_date {
                    let text = dates::write(bound as i64, &TimeZone::UTC);
                    shown[format!("{name}_as_string")] = json!(text);
                }
            }
            self.bucket(shown, &found)
        });
        json!({ "buckets": buckets.collect::<Vec<_>>() })
    }

    fn composite(&self, documents: &[&Document]) -> Value {
        let sources = self.options["sources"].as_array().unwrap().iter();
        let sources: Vec<Source<'_>> = sources.map(Source::read).collect();
        let mut buckets: Vec<(Vec<Option<Datum>>, Vec<&Document>)> = Vec::new();
        for document in documents {
            let mut combinations = vec![Vec::new()];
            for source in &sources {
                let keys = source.keys(document);
                let longer = |start: &Vec<Option<Datum>>| {
                    let start = start.clone();
                    keys.iter().map(move |key| [&start[..], std::slice::from_ref(key)].concat())
                };
                combinations = combinations.iter().flat_map(longer).collect();
            }
            for keys in combinations {
                match buckets.iter_mut().find(|(known, _)| *known == keys) {
                    Some((_, members)) => members.push(document),
                    None => buckets.push((keys, vec![document])),
                }
            }
        }
        let compare = |one: &[Option<Datum>], other: &[Option<Datum>]| {
            let keys = sources.iter().zip(one.iter().zip(other));
            keys.fold(Ordering::Equal, |found, (source, (one, other))| {
                found.then_with(|| source.compare(one, other))
            })
        };
        buckets.sort_by(|(one, _), (other, _)| compare(one, other));
        if let Some(after) = self.options.get("after") {
            let after: Vec<Option<Datum>> =
                sources.iter().map(|source| source.read_key(&after[source.name])).collect();
            buckets.retain(|(keys, _)| compare(keys, &after).is_gt());
        }
        let size = self.options["size"].as_u64().unwrap() as usize;
        let buckets: Vec<Value> = buckets
            .iter()
            .take(size)
            .map(|(keys, members)| {
                let keys = sources.iter().zip(keys);
                let keys: Map<String, Value> =
                    keys.map(|(source, key)| (source.name.to_owned(), write_part(key))).collect();
                self.bucket(json!({ "key": keys }), members)
            })
            .collect();
        match buckets.last() {
            Some(last) => json!({ "after_key": last["key"], "buckets": buckets }),
            None => json!({ "buckets": [] }),
        }
    }

    fn filters(&self, documents: &[&Document]) -> Value {
        let mut buckets = Map::new();
        let mut rest = documents.to_vec();
        for (name, query) in self.options["filters"].as_object().unwrap() {
            let found = filter(documents, |it| matches(it, query));
            rest.retain(|it| !matches(it, query));
            buckets.insert(name.clone(), self.bucket(json!({}), &found));
        }
        if self.options["other_bucket"] == true {
            buckets.insert("_other_".to_owned(), self.bucket(json!({}), &rest));
        }
        json!({ "buckets": buckets })
    }

    fn metric(&self, documents: &[&Document]) -> Value {
        let found: Vec<Datum> = documents.iter().flat_map(|it| self.data(it)).collect();
        match self.kind {
            "value_count" => return json!({ "value": found.len() }),
            "cardinality" => {
                let mut distinct = found;
                distinct.sort_by(Datum::compare);
                distinct.dedup();
                return json!({ "value": distinct.len() });
            }
            _ => {}
        }
        let numbers: Vec<f64> = found.iter().map(Datum::number).collect();
        // The sum of nothing is a zero without a sign.
        let sum: f64 = numbers.iter().sum::<f64>() + 0.0;
        let average = (!numbers.is_empty()).then(|| sum / numbers.len() as f64);
        let min = numbers.iter().copied().reduce(f64::min);
        let max = numbers.iter().copied().reduce(f64::max);
        let value = match self.kind {
            "min" => min,
            "max" => max,
            "avg" => average,
            "sum" => Some(sum),
            "stats" => {
                return json!({
                    "count": numbers.len(), "min": min, "max": max, "avg": average, "sum": sum,
                });
            }
            other => panic!("the model does not know [{other}]"),
        };
        let mut shown = json!({ "value": value });
        if let (Some(value), Kind::Date) = (value, self.field_kind()) {
            shown["value_as_string"] = json!(dates::write(value as i64, &TimeZone::UTC));
        }
        shown
    }
}

/// One of the sources of a composite key.
struct Source<'a> {
    name: &'a str,
    options: &'a Value,
    field: &'a str,
    kind: Kind,
}

impl<'a> Source<'a> {
    fn read(value: &'a Value) -> Self {
        let (name, body) = value.as_object().unwrap().iter().next().unwrap();
        let options = body.as_object().unwrap().values().next().unwrap();
        let field = options["field"].as_str().unwrap();
        Self { name, options, field, kind: kind(field).unwrap() }
    }

    /// Returns the keys of a document; one without values has the key `None`, if any.
    fn keys(&self, document: &Document) -> Vec<Option<Datum>> {
        let found = data(document, self.field);
        if found.is_empty() && self.options["missing_bucket"] == true {
            return vec![None];
        }
        let key = |value: Datum| match self.options["interval"].as_f64() {
            Some(width) => Datum::Number((value.number() / width).floor() * width),
            None => value,
        };
        found.into_iter().map(|value| Some(key(value))).collect()
    }

    fn read_key(&self, value: &Value) -> Option<Datum> {
        match self.kind {
            _ if value.is_null() => None,
            Kind::Long => Some(Datum::Number(value.as_f64().unwrap())),
            kind => datum(kind, value),
        }
    }

    /// Compares two keys; the lack of one is lower than all others.
    fn compare(&self, one: &Option<Datum>, other: &Option<Datum>) -> Ordering {
        let order = match (one, other) {
            (Some(one), Some(other)) => one.compare(other),
            (one, other) => one.is_some().cmp(&other.is_some()),
        };
        if self.options["order"] == "desc" { order.reverse() } else { order }
    }
}

fn write_part(key: &Option<Datum>) -> Value {
    match key {
        None => Value::Null,
        Some(Datum::Word(word)) => json!(word),
        Some(Datum::Address(bits)) => json!(address_text(*bits)),
        Some(Datum::Number(number)) => json!(number),
    }
}

fn filter<'d>(documents: &[&'d Document], keep: impl Fn(&Document) -> bool) -> Vec<&'d Document> {
    documents.iter().filter(|it| keep(it)).copied().collect()
}

/// Compares two buckets by one order; what has no number comes last either way.
fn compare(path: &str, descending: bool, one: &(Datum, Value), other: &(Datum, Value)) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let number = |shown: &Value| match path {
        "_count" => shown["doc_count"].as_f64(),
        path => match path.split_once('.') {
            Some((name, property)) => shown[name][property].as_f64(),
            None if shown[path]["doc_count"].is_null() => shown[path]["value"].as_f64(),
            None => shown[path]["doc_count"].as_f64(),
        },
    };
    if path == "_key" {
        return turned(one.0.compare(&other.0));
    }
    match (number(&one.1), number(&other.1)) {
        (Some(one), Some(other)) => turned(one.total_cmp(&other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    }
}
