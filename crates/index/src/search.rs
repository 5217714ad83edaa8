//! Searches over one or more indices: which hits, in which order, and what of them is shown.

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::search::SearchRequest;
use serde_json::Value;

use crate::aggregation::AggregationLimits;
use crate::engine::Snapshot;

/// What one search may cost, and what the caller's parameters change.
#[derive(Clone, Debug)]
pub struct SearchOptions {
    /// `rest_total_hits_as_int`: `hits.total` is a plain number.
    pub total_hits_as_int: bool,
    /// `typed_keys`.
    pub typed_keys: bool,
    /// What aggregations may cost.
    pub aggregation_limits: AggregationLimits,
    /// Most time for one search; a request's own `timeout` counts when it is shorter.
    pub time_max: std::time::Duration,
}

/// Searches, and returns the answer without `took`: `timed_out`, `_shards`, `hits`, `aggregations`.
///
/// The order of `snapshots` decides ties.
///
/// # Errors
/// `search_phase_execution_exception` round what an index refused, or a request that no index can
/// answer.
pub fn search(
    snapshots: &[Snapshot],
    request: &SearchRequest,
    options: &SearchOptions,
    now: Timestamp,
) -> Result<Value, Exception> {
    let _ = (snapshots, request, options, now);
    Err(Exception::unsupported("search"))
}

/// Counts the documents that a query finds; all of them without a query.
///
/// # Errors
/// As [`search`].
pub fn count(
    snapshots: &[Snapshot],
    query: Option<&pampero_opensearch::query::Query>,
    now: Timestamp,
) -> Result<u64, Exception> {
    let _ = (snapshots, query, now);
    Ok(0)
}
