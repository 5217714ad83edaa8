//! The first documents of each bucket: which they are, and what of them is shown.

use std::cmp::Ordering;
use std::sync::Arc;

use pampero_opensearch::aggregation::{SourceFilter, TopHits};
use pampero_opensearch::{Exception, names};
use serde_json::{Map, Value, json};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, TantivyDocument};

use super::Part;
use super::column::failed;
use super::format::KeyFormat;
use super::keys::Key;
use crate::layout::Layout;

/// The first documents of one bucket.
#[derive(Clone, Debug, Default)]
pub(super) struct TopList {
    /// Documents of the bucket.
    pub(super) total: u64,
    /// The highest score, when scores are asked for.
    pub(super) score_max: Option<f32>,
    /// The first ones, in their order.
    pub(super) hits: Vec<Hit>,
}

/// One document of a bucket.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// What it is sorted by.
    pub(super) keys: Vec<Key>,
    /// Its score, when scores are asked for.
    pub(super) score: Option<f32>,
    /// The number of its index.
    pub(super) part: u32,
    /// Where it lies in it.
    pub(super) address: DocAddress,
}

/// How hits are ordered, and how many are kept.
#[derive(Clone, Debug)]
pub(super) struct HitOrder {
    /// For each key whether the greatest comes first, and whether documents without a value do.
    pub(super) keys: Arc<[(bool, bool)]>,
    /// How many are kept.
    pub(super) size: usize,
}

impl HitOrder {
    fn compare(&self, one: &Hit, other: &Hit) -> Ordering {
        for ((descending, missing_first), (left, right)) in
            self.keys.iter().zip(one.keys.iter().zip(&other.keys))
        {
            let order = match (left, right) {
                (Key::Null, Key::Null) => Ordering::Equal,
                (Key::Null, _) if *missing_first => Ordering::Less,
                (Key::Null, _) => Ordering::Greater,
                (_, Key::Null) if *missing_first => Ordering::Greater,
                (_, Key::Null) => Ordering::Less,
                _ if *descending => right.cmp(left),
                _ => left.cmp(right),
            };
            if order.is_ne() {
                return order;
            }
        }
        (one.part, one.address).cmp(&(other.part, other.address))
    }
}

impl TopList {
    /// Adds a document if it is one of the first.
    pub(super) fn add(&mut self, hit: Hit, order: &HitOrder) {
        let place = self.hits.partition_point(|other| order.compare(other, &hit).is_lt());
        if place < order.size {
            self.hits.insert(place, hit);
            self.hits.truncate(order.size);
        }
    }

    pub(super) fn merge(&mut self, other: Self, order: &HitOrder) {
        self.total += other.total;
        self.score_max = match (self.score_max, other.score_max) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        other.hits.into_iter().for_each(|hit| self.add(hit, order));
    }
}

/// Writes the hits of one bucket.
pub(super) fn render(
    list: Option<&TopList>,
    request: &TopHits,
    formats: &[Option<KeyFormat>],
    parts: &[Part<'_>],
) -> Result<Value, Exception> {
    let empty = TopList::default();
    let list = list.unwrap_or(&empty);
    let hits = list.hits.iter().skip(request.from);
    let hits = hits
        .map(|hit| render_hit(hit, request, formats, parts))
        .collect::<Result<Vec<_>, Exception>>()?;
    let score_max = if request.sort.is_empty() { list.score_max } else { None };
    Ok(json!({ "hits": {
        "total": { "value": list.total, "relation": "eq" },
        "max_score": score_max,
        "hits": hits,
    } }))
}

fn render_hit(
    hit: &Hit,
    request: &TopHits,
    formats: &[Option<KeyFormat>],
    parts: &[Part<'_>],
) -> Result<Value, Exception> {
    let part = &parts[hit.part as usize];
    let read = read_document(part, hit.address)?;
    let mut shown = Map::new();
    shown.insert("_index".to_owned(), json!(&*part.snapshot.name));
    shown.insert("_id".to_owned(), Value::String(read.id));
    if request.version {
        shown.insert("_version".to_owned(), json!(read.version));
    }
    if request.seq_no_primary_term {
        shown.insert("_seq_no".to_owned(), json!(read.seq_no));
        shown.insert("_primary_term".to_owned(), json!(1));
    }
    let by_score = request.sort.is_empty() || request.sort.iter().any(|key| key.field == "_score");
    shown.insert("_score".to_owned(), json!(hit.score.filter(|_| by_score)));
    if let Some(routing) = read.routing {
        shown.insert("_routing".to_owned(), Value::String(routing));
    }
    if !request.source.hidden {
        shown.insert("_source".to_owned(), filter_source(read.source, &request.source));
    }
    if !request.sort.is_empty() {
        let sort = hit.keys.iter().zip(formats).map(|(key, format)| match format {
            Some(format) => format.json(key),
            None => key.as_f64().map_or(Value::Null, Value::from),
        });
        shown.insert("sort".to_owned(), sort.collect());
    }
    Ok(Value::Object(shown))
}

/// A document as it is stored.
struct StoredDocument {
    id: String,
    source: Value,
    routing: Option<String>,
    version: u64,
    seq_no: u64,
}

fn read_document(part: &Part<'_>, address: DocAddress) -> Result<StoredDocument, Exception> {
    let (searcher, layout) = (&part.snapshot.searcher, &part.snapshot.layout);
    let document: TantivyDocument = searcher.doc(address).map_err(failed)?;
    let text = |field| document.get_first(field).and_then(|it| it.as_str()).map(str::to_owned);
    let bytes = document.get_first(layout.source).and_then(|it| it.as_bytes()).unwrap_or(b"{}");
    let columns = searcher.segment_reader(address.segment_ord).fast_fields();
    let number = |name| {
        let column = columns.column_opt::<u64>(name).ok().flatten();
        column.and_then(|it| it.first(address.doc_id)).unwrap_or(0)
    };
    Ok(StoredDocument {
        id: text(layout.id).unwrap_or_default(),
        source: serde_json::from_slice(bytes).unwrap_or(Value::Null),
        routing: text(layout.routing),
        version: number(Layout::VERSION),
        seq_no: number(Layout::SEQ_NO),
    })
}

/// Leaves of a source what is asked for.
fn filter_source(source: Value, filter: &SourceFilter) -> Value {
    if filter.includes.is_empty() && filter.excludes.is_empty() {
        return source;
    }
    filter_value(source, "", filter, filter.includes.is_empty())
        .unwrap_or_else(|| Value::Object(Map::new()))
}

/// Filters one value; `included` tells whether something above it was included as a whole.
fn filter_value(value: Value, path: &str, filter: &SourceFilter, included: bool) -> Option<Value> {
    let matches = |patterns: &[String]| patterns.iter().any(|it| names::matches(it, path));
    if !path.is_empty() && matches(&filter.excludes) {
        return None;
    }
    let included = included || (!path.is_empty() && matches(&filter.includes));
    match value {
        Value::Object(entries) => {
            let kept: Map<String, Value> = entries
                .into_iter()
                .filter_map(|(name, inner)| {
                    let path =
                        if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    Some((name, filter_value(inner, &path, filter, included)?))
                })
                .collect();
            (included || !kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(values) => {
            let kept: Vec<Value> = values
                .into_iter()
                .filter_map(|inner| filter_value(inner, path, filter, included))
                .collect();
            (included || !kept.is_empty()).then_some(Value::Array(kept))
        }
        plain => included.then_some(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_cut_by_patterns() {
        let source = json!({ "a": { "b": 1, "c": [{ "d": 2, "e": 3 }] }, "f": 4 });
        check(&source, &["a.*"], &[], json!({ "a": { "b": 1, "c": [{ "d": 2, "e": 3 }] } }));
        check(&source, &["a"], &["a.c.d"], json!({ "a": { "b": 1, "c": [{ "e": 3 }] } }));
        check(&source, &[], &["a"], json!({ "f": 4 }));
        check(&source, &["x"], &[], json!({}));
    }

    #[track_caller]
    fn check(source: &Value, includes: &[&str], excludes: &[&str], expected: Value) {
        let owned = |patterns: &[&str]| patterns.iter().map(|it| (*it).to_owned()).collect();
        let filter =
            SourceFilter { hidden: false, includes: owned(includes), excludes: owned(excludes) };
        assert_eq!(filter_source(source.clone(), &filter), expected);
    }
}
