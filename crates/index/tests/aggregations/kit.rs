//! Indices in a folder of their own, filled with documents and aggregated over.

use jiff::Timestamp;
use pampero_index::aggregation::{AggregationLimits, Part, aggregate};
use pampero_index::{
    Action, IndexOptions, Indices, Operation, Snapshot, VersionCheck, query::QueryContext,
};
use pampero_opensearch::aggregation::Aggregations;
use pampero_opensearch::query::Query;
use pampero_opensearch::{Exception, Mapping};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Indices that are aggregated over together.
pub(crate) struct Kit {
    snapshots: Vec<Snapshot>,
    _indices: Indices,
    _folder: TempDir,
}

impl Kit {
    /// Makes one index for each list of segments, each segment a list of documents.
    pub(crate) fn new(mapping: &Value, indices: &[Vec<Vec<Value>>]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let opened = Indices::open(folder.path(), IndexOptions::default()).unwrap();
        let mut snapshots = Vec::new();
        let mut id = 0;
        for (number, segments) in indices.iter().enumerate() {
            let mapping = Mapping::from_json(&json!({ "properties": mapping })).unwrap();
            let name = format!("logs-{number}");
            let index = opened.create(&name, Map::new(), mapping, now()).unwrap();
            for documents in segments {
                let operation = |source: &Value| {
                    id += 1;
                    let source = serde_json::to_vec(source).unwrap().into();
                    Operation {
                        id: Some(id.to_string()),
                        action: Action::Index(source),
                        routing: None,
                        check: VersionCheck::None,
                    }
                };
                let operations = documents.iter().map(operation).collect();
                index.write(operations, now()).into_iter().for_each(|it| drop(it.unwrap()));
                index.refresh().unwrap();
            }
            snapshots.push(index.snapshot(now()).unwrap());
        }
        Self { snapshots, _indices: opened, _folder: folder }
    }

    /// Aggregates over what a query finds.
    pub(crate) fn try_aggregate(
        &self,
        query: &Value,
        aggregations: &Value,
        typed_keys: bool,
        limits: &AggregationLimits,
    ) -> Result<Value, Exception> {
        let aggregations = Aggregations::from_json(aggregations)?;
        let query = Query::from_json(query)?;
        let built: Vec<Box<dyn tantivy::query::Query>> = self
            .snapshots
            .iter()
            .map(|it| {
                let (index, mapping, layout) = (&it.name, &it.mapping, &it.layout);
                let context = QueryContext { index, mapping, layout, now: now() };
                pampero_index::query::build(&query, context)
            })
            .collect::<Result<_, _>>()?;
        let parts: Vec<Part<'_>> = self
            .snapshots
            .iter()
            .zip(&built)
            .map(|(snapshot, query)| Part { snapshot, query: query.as_ref() })
            .collect();
        aggregate(&aggregations, &parts, now(), typed_keys, limits).map(Value::Object)
    }

    /// Aggregates over all documents.
    #[track_caller]
    pub(crate) fn aggregate(&self, aggregations: &Value) -> Value {
        self.aggregate_found(&json!({ "match_all": {} }), aggregations)
    }

    /// Aggregates over what a query finds.
    #[track_caller]
    pub(crate) fn aggregate_found(&self, query: &Value, aggregations: &Value) -> Value {
        let limits = AggregationLimits::default();
        match self.try_aggregate(query, aggregations, false, &limits) {
            Ok(answer) => answer,
            Err(refused) => panic!("{aggregations}: {}", refused.to_json()),
        }
    }
}

/// The instant at which all tests play.
pub(crate) fn now() -> Timestamp {
    "2026-05-18T10:00:00Z".parse().unwrap()
}

/// The fields of all tests.
pub(crate) fn mapping() -> Value {
    json!({
        "level": { "type": "keyword" },
        "tags": { "type": "keyword" },
        "message": { "type": "text" },
        "count": { "type": "long" },
        "size": { "type": "unsigned_long" },
        "temp": { "type": "double" },
        "ok": { "type": "boolean" },
        "at": { "type": "date" },
        "ip": { "type": "ip" },
    })
}

/// Fails unless two answers are equal, numbers up to what adding in another order may change.
#[track_caller]
pub(crate) fn assert_same(found: &Value, expected: &Value, what: &str) {
    if let Err(place) = same(found, expected, "") {
        panic!("{what}\ndiffers at {place}\nfound    {found}\nexpected {expected}");
    }
}

fn same(found: &Value, expected: &Value, place: &str) -> Result<(), String> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            if found.len() != expected.len() {
                return Err(format!("{place}: other entries"));
            }
            for (name, value) in expected {
                let other = found.get(name).ok_or_else(|| format!("{place}.{name}: missing"))?;
                same(other, value, &format!("{place}.{name}"))?;
            }
            Ok(())
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let pairs = found.iter().zip(expected).enumerate();
            for (at, (found, expected)) in pairs {
                same(found, expected, &format!("{place}[{at}]"))?;
            }
            Ok(())
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            let near = (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0);
            if near { Ok(()) } else { Err(format!("{place}: {one} is not {other}")) }
        }
        _ if found == expected => Ok(()),
        _ => Err(format!("{place}: {found} is not {expected}")),
    }
}
