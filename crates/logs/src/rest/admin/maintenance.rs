//! Refresh, flush, merging, and what indices hold.

use std::sync::Arc;

use axum::Router;
use pampero_index::{Index, IndexStatistics};
use pampero_opensearch::Exception;
use serde_json::{Map, Value, json};

use super::{GET, POST, RESOLVING, Request, on};
use crate::rest::RestState;
use crate::rest::answer::{Answer, Failure};

/// Parts of the statistics; those that an index has nothing to tell of are left out.
const METRICS: [&str; 17] = [
    "docs",
    "store",
    "indexing",
    "get",
    "search",
    "merge",
    "refresh",
    "flush",
    "warmer",
    "query_cache",
    "fielddata",
    "completion",
    "segments",
    "translog",
    "recovery",
    "request_cache",
    "_all",
];

const STATS: &[&str] = &[
    "level",
    "fields",
    "completion_fields",
    "fielddata_fields",
    "groups",
    "types",
    "include_segment_file_sizes",
    "include_unloaded_segments",
    "forbid_closed_indices",
];

pub(super) fn routes() -> Router<RestState> {
    let either = GET.or(POST);
    Router::new()
        .route("/_refresh", on(either, refresh))
        .route("/{index}/_refresh", on(either, refresh))
        .route("/_flush", on(either, flush))
        .route("/{index}/_flush", on(either, flush))
        .route("/_forcemerge", on(POST, force_merge))
        .route("/{index}/_forcemerge", on(POST, force_merge))
        .route("/_cache/clear", on(POST, clear_caches))
        .route("/{index}/_cache/clear", on(POST, clear_caches))
        .route("/_stats", on(GET, get_stats))
        .route("/_stats/{metric}", on(GET, get_stats))
        .route("/{index}/_stats", on(GET, get_stats))
        .route("/{index}/_stats/{metric}", on(GET, get_stats))
}

fn indices(request: &Request<'_>) -> Result<Vec<Arc<Index>>, Failure> {
    Ok(request.cluster().resolve(request.place("index"), request.resolving()?, request.now)?)
}

/// Does something to each index and counts how it went; an index that fails does not stop the others.
fn each(
    request: &Request<'_>,
    work: impl Fn(&Index) -> Result<(), Exception>,
) -> Result<Answer, Failure> {
    let indices = indices(request)?;
    let mut failures = Vec::new();
    for index in &indices {
        if let Err(exception) = work(index) {
            failures.push(json!({
                "shard": 0,
                "index": &**index.name(),
                "status": exception.status(),
                "reason": exception.to_json(),
            }));
        }
    }
    let mut shards = json!({
        "total": indices.len(),
        "successful": indices.len() - failures.len(),
        "failed": failures.len(),
    });
    if !failures.is_empty() {
        shards["failures"] = failures.into();
    }
    Ok(Answer::json(json!({ "_shards": shards })))
}

fn refresh(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[RESOLVING])?;
    each(request, Index::refresh)
}

/// Commits what is in the log, which a refresh does.
fn flush(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[RESOLVING, &["force", "wait_if_ongoing"]])?;
    each(request, Index::refresh)
}

fn force_merge(request: &Request<'_>) -> Result<Answer, Failure> {
    const MERGING: &[&str] = &[
        "max_num_segments",
        "only_expunge_deletes",
        "flush",
        "wait_for_completion",
        "primary_only",
    ];
    request.takes_only(&[RESOLVING, MERGING])?;
    if !request.flag("wait_for_completion", true)? {
        return Err(
            Exception::unsupported("parameter [wait_for_completion] with value [false]").into()
        );
    }
    let only_deleted = request.flag("only_expunge_deletes", false)?;
    let segments_max: Option<usize> = request.parameters().number("max_num_segments")?;
    if only_deleted && segments_max.is_some() {
        return Err(Exception::new(
            pampero_opensearch::ExceptionKind::ActionRequestValidation,
            "Validation Failed: 1: cannot set only_expunge_deletes and max_num_segments at the same time, those two parameters are mutually exclusive;",
        )
        .into());
    }
    each(request, |index| index.force_merge(segments_max.unwrap_or(1).max(1)))
}

/// There is no cache that could tell what is not so.
fn clear_caches(request: &Request<'_>) -> Result<Answer, Failure> {
    const CACHES: &[&str] = &["fielddata", "fields", "query", "request", "index", "file"];
    request.takes_only(&[RESOLVING, CACHES])?;
    each(request, |_| Ok(()))
}

fn get_stats(request: &Request<'_>) -> Result<Answer, Failure> {
    request.takes_only(&[RESOLVING, STATS])?;
    let level = request.parameters().text("level").unwrap_or("indices");
    if !["cluster", "indices", "shards"].contains(&level) {
        return Err(Exception::illegal_argument(format!(
            "level parameter must be one of [cluster] or [indices] or [shards] but was [{level}]"
        ))
        .into());
    }
    let metrics: Vec<&str> =
        request.place("metric").split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if let Some(stranger) = metrics.iter().find(|it| !METRICS.contains(it)) {
        return Err(Exception::illegal_argument(format!(
            "request [{}] contains unrecognized metric: [{stranger}]",
            request.call.path
        ))
        .into());
    }
    let indices = indices(request)?;
    let mut total = IndexStatistics::default();
    let mut entries = Map::new();
    for index in &indices {
        let statistics = index.statistics();
        add(&mut total, &statistics);
        let shown = shown(&statistics, &metrics);
        let mut entry = json!({ "uuid": &**index.uuid(), "primaries": shown, "total": shown });
        if level == "shards" {
            let mut shard = shown.clone();
            shard["routing"] = json!({ "state": "STARTED", "primary": true });
            entry["shards"] = json!({ "0": [shard] });
        }
        entries.insert(index.name().to_string(), entry);
    }
    let count = indices.len();
    let all = shown(&total, &metrics);
    let mut answer = json!({
        "_shards": { "total": count, "successful": count, "failed": 0 },
        "_all": { "primaries": all, "total": all },
    });
    if level != "cluster" {
        answer["indices"] = entries.into();
    }
    Ok(Answer::json(answer))
}

fn add(total: &mut IndexStatistics, one: &IndexStatistics) {
    total.documents += one.documents;
    total.deleted += one.deleted;
    total.bytes += one.bytes;
    total.segments += one.segments;
    total.uncommitted += one.uncommitted;
    total.indexed_total += one.indexed_total;
    total.searches_total += one.searches_total;
}

/// Shows the parts that are asked for; no part means all.
fn shown(statistics: &IndexStatistics, metrics: &[&str]) -> Value {
    let parts = [
        ("docs", json!({ "count": statistics.documents, "deleted": statistics.deleted })),
        ("store", json!({ "size_in_bytes": statistics.bytes, "reserved_in_bytes": 0 })),
        ("indexing", json!({ "index_total": statistics.indexed_total })),
        ("search", json!({ "query_total": statistics.searches_total })),
        ("segments", json!({ "count": statistics.segments })),
        ("translog", json!({ "uncommitted_operations": statistics.uncommitted })),
    ];
    let all = metrics.is_empty() || metrics.contains(&"_all");
    let wanted = parts.into_iter().filter(|(name, _)| all || metrics.contains(name));
    wanted.map(|(name, value)| (name.to_owned(), value)).collect::<Map<String, Value>>().into()
}
