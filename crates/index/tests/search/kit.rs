//! Indices in a folder of their own, filled with documents and asked with JSON.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_index::search::{SearchOptions, search};
use pampero_index::{Action, Index, IndexOptions, Indices, Operation, Snapshot, VersionCheck};
use pampero_opensearch::search::SearchRequest;
use pampero_opensearch::{Exception, Mapping};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Indices in a folder that goes away with them.
pub(crate) struct Kit {
    indices: Indices,
    _folder: TempDir,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
        Self { indices, _folder: folder }
    }

    /// One index with these documents, their ids counted from 0, in one segment.
    pub(crate) fn with(name: &str, mapping: Value, documents: &[Value]) -> Self {
        let kit = Self::new();
        let index = kit.create(name, mapping);
        let documents: Vec<(String, Value)> =
            (0..).map(|id: usize| id.to_string()).zip(documents.iter().cloned()).collect();
        write(&index, &documents);
        kit
    }

    pub(crate) fn create(&self, name: &str, mapping: Value) -> Arc<Index> {
        self.create_with(name, mapping, Map::new())
    }

    pub(crate) fn create_with(
        &self,
        name: &str,
        mapping: Value,
        settings: Map<String, Value>,
    ) -> Arc<Index> {
        let mapping = Mapping::from_json(&json!({ "properties": mapping })).unwrap();
        self.indices.create(name, settings, mapping, now()).unwrap()
    }

    pub(crate) fn snapshots(&self) -> Vec<Snapshot> {
        self.indices.all().iter().map(|index| index.snapshot(now()).unwrap()).collect()
    }

    pub(crate) fn try_search(&self, body: &Value) -> Result<Value, Exception> {
        let request = SearchRequest::from_json(body)?;
        search(&self.snapshots(), &request, &SearchOptions::default(), now())
    }

    #[track_caller]
    pub(crate) fn search(&self, body: &Value) -> Value {
        match self.try_search(body) {
            Ok(answer) => answer,
            Err(refused) => panic!("{body}: {}", refused.to_json()),
        }
    }
}

/// The instant at which all tests play.
pub(crate) fn now() -> Timestamp {
    "2026-05-18T10:00:00Z".parse().unwrap()
}

/// Writes documents and makes them searchable, which makes a segment of them.
pub(crate) fn write(index: &Index, documents: &[(String, Value)]) {
    let operations = documents.iter().map(|(id, source)| {
        operation(id, Action::Index(serde_json::to_vec(source).unwrap().into()))
    });
    for written in index.write(operations.collect(), now()) {
        written.unwrap();
    }
    index.refresh().unwrap();
}

/// Deletes documents.
pub(crate) fn delete(index: &Index, ids: &[String]) {
    let operations = ids.iter().map(|id| operation(id, Action::Delete));
    for written in index.write(operations.collect(), now()) {
        written.unwrap();
    }
    index.refresh().unwrap();
}

fn operation(id: &str, action: Action) -> Operation {
    Operation { id: Some(id.to_owned()), action, routing: None, check: VersionCheck::None }
}

/// Returns the ids of the hits of an answer, in their order.
pub(crate) fn ids(answer: &Value) -> Vec<&str> {
    hits(answer).iter().map(|hit| hit["_id"].as_str().unwrap()).collect()
}

/// Returns the hits of an answer.
pub(crate) fn hits(answer: &Value) -> &[Value] {
    answer["hits"]["hits"].as_array().unwrap()
}
