//! Searches over one or more indices: which hits, in which order, and what of them is shown.
//!
//! [`search`] answers a request, [`search_page`] one page of a scroll, [`count`] counts. The scan
//! over the segments lies in `scan`, the order of hits in `order` and `column`, what a hit shows in
//! `hits`.

mod column;
mod fields;
mod floor;
mod highlight;
mod hits;
mod order;
mod page;
mod plan;
mod scan;
mod top;
mod values;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use pampero_opensearch::query::Query;
use pampero_opensearch::search::{SearchRequest, TotalHits};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};
use tantivy::TantivyError;

use crate::aggregation::{self, AggregationLimits, Part};
use crate::engine::Snapshot;
use crate::query;
use plan::Plan;
use scan::{Found, Wanted};

pub use page::{Cursor, search_page};

/// Hits that are counted unless the request says otherwise.
const TOTAL_DEFAULT: u64 = 10_000;

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
    pub time_max: Duration,
    /// Most bytes of sources in one answer.
    pub answer_bytes_max: usize,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            total_hits_as_int: false,
            typed_keys: false,
            aggregation_limits: AggregationLimits::default(),
            time_max: Duration::from_secs(30),
            answer_bytes_max: 100 << 20,
        }
    }
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
    let total = total_wanted(request, options)?;
    let mut plan = Plan::new(snapshots, request, now)?;
    let after = match &request.search_after {
        Some(values) => Some(plan.read_after(values)?),
        None => None,
    };
    let wanted_count = if request.size == 0 { 0 } else { request.from + request.size };
    let found = scan::scan(
        &plan.shards,
        &Wanted {
            order: &plan.order,
            count: wanted_count,
            total_max: match total {
                TotalHits::Exact => Some(u64::MAX),
                TotalHits::UpTo(count) => Some(count),
                TotalHits::Untracked => None,
            },
            after: after.as_ref(),
            group: plan.group.as_ref().filter(|_| wanted_count > 0),
            terminate_after: request.terminate_after,
            scores: wanted_count > 0 && plan.needs_scores(request),
            constant_scores: plan.has_constant_scores(request),
            stretch: scan::STRETCH,
            deadline: deadline(request, options),
        },
    );
    plan.fail(&found.failures)?;
    let shown = found.positions.get(request.from..).unwrap_or_default();
    let hits = hits::write(&plan, request, options, shown, now)?;
    let score_max = score_max(request, &plan, &found);
    let aggregations = aggregate(&plan, request, options, now)?;
    let total = write_total(total, found.total, options.total_hits_as_int);
    Ok(answer(&plan, &found, hits, score_max, total, aggregations))
}

/// Counts the documents that a query finds; all of them without a query.
///
/// # Errors
/// As [`search`].
pub fn count(
    snapshots: &[Snapshot],
    query: Option<&Query>,
    now: Timestamp,
) -> Result<u64, Exception> {
    let request = SearchRequest { query: query.cloned(), size: 0, ..SearchRequest::default() };
    let options = SearchOptions::default();
    let mut plan = Plan::new(snapshots, &request, now)?;
    let found = scan::scan(
        &plan.shards,
        &Wanted {
            order: &plan.order,
            count: 0,
            total_max: Some(u64::MAX),
            after: None,
            group: None,
            terminate_after: None,
            scores: false,
            constant_scores: false,
            stretch: scan::STRETCH,
            deadline: deadline(&request, &options),
        },
    );
    plan.fail(&found.failures)?;
    match (plan.failures.first(), found.timed_out) {
        (Some(_), _) => Err(plan::all_failed(&plan.failures)),
        (None, true) => {
            Err(Exception::new(ExceptionKind::Timeout, "counting took longer than it may"))
        }
        (None, false) => Ok(found.total),
    }
}

/// Makes an exception of what tantivy or the disk says.
fn failed(error: impl Into<TantivyError>) -> Exception {
    let error = error.into();
    query::refusal(&error).unwrap_or_else(|| {
        Exception::new(ExceptionKind::Io, format!("the index cannot be read: {error}"))
    })
}

fn deadline(request: &SearchRequest, options: &SearchOptions) -> Instant {
    let most = request.timeout.map_or(options.time_max, |it| it.min(options.time_max));
    let start = Instant::now();
    start.checked_add(most).unwrap_or(start)
}

fn total_wanted(request: &SearchRequest, options: &SearchOptions) -> Result<TotalHits, Exception> {
    match (options.total_hits_as_int, request.track_total_hits) {
        (true, Some(TotalHits::UpTo(count))) => Err(Exception::illegal_argument(format!(
            "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got {count}"
        ))),
        (true, None) => Ok(TotalHits::Exact),
        (false, None) => Ok(TotalHits::UpTo(TOTAL_DEFAULT)),
        (_, Some(total)) => Ok(total),
    }
}

/// Returns the value of `hits.total`; `None` when it is not part of the answer.
fn write_total(total: TotalHits, counted: u64, as_int: bool) -> Option<Value> {
    let (value, relation) = match total {
        TotalHits::Untracked => return as_int.then(|| Value::from(-1)),
        TotalHits::UpTo(most) if counted > most => (most, "gte"),
        _ => (counted, "eq"),
    };
    Some(if as_int { Value::from(value) } else { json!({ "value": value, "relation": relation }) })
}

fn score_max(request: &SearchRequest, plan: &Plan<'_>, found: &Found) -> Option<f32> {
    if request.size == 0 {
        return None;
    }
    let is_shown = request.track_scores || plan.order.starts_with_score();
    found.score_max.filter(|_| is_shown)
}

fn aggregate(
    plan: &Plan<'_>,
    request: &SearchRequest,
    options: &SearchOptions,
    now: Timestamp,
) -> Result<Option<Map<String, Value>>, Exception> {
    if request.aggregations.is_empty() {
        return Ok(None);
    }
    let parts: Vec<Part<'_>> = plan
        .shards
        .iter()
        .map(|shard| Part { snapshot: shard.snapshot, query: shard.query.as_ref() })
        .collect();
    aggregation::aggregate(
        &request.aggregations,
        &parts,
        now,
        options.typed_keys,
        &options.aggregation_limits,
    )
    .map(Some)
    .map_err(|failure| plan.refused(failure))
}

fn answer(
    plan: &Plan<'_>,
    found: &Found,
    hits: Vec<Value>,
    score_max: Option<f32>,
    total: Option<Value>,
    aggregations: Option<Map<String, Value>>,
) -> Value {
    let mut inner = Map::new();
    if let Some(total) = total {
        inner.insert("total".to_owned(), total);
    }
    let score_max = score_max.map_or(Value::Null, values::Number::from_f32);
    inner.insert("max_score".to_owned(), score_max);
    inner.insert("hits".to_owned(), Value::Array(hits));
    let mut answer = json!({
        "timed_out": found.timed_out,
        "_shards": plan.write_shards(),
        "hits": inner,
    });
    if found.terminated_early {
        answer["terminated_early"] = Value::Bool(true);
    }
    if let Some(aggregations) = aggregations {
        answer["aggregations"] = Value::Object(aggregations);
    }
    answer
}
