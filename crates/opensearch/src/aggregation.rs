//! Aggregations: their requests as types, and how they are read.

use serde_json::Value;

use crate::Exception;

/// Named aggregations of one level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregations {
    entries: Vec<(String, Aggregation)>,
}

/// One aggregation with those inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// The aggregations inside each of its buckets.
    pub inner: Aggregations,
    /// `meta`, which is given back as it is.
    pub meta: Option<Value>,
}

impl Aggregations {
    /// Reads the value of `aggs`.
    ///
    /// # Errors
    /// `parsing_exception` and its kin.
    pub fn from_json(aggregations: &Value) -> Result<Self, Exception> {
        let _ = aggregations;
        Ok(Self::default())
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
