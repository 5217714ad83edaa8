//! `_delete_by_query`: deletes what a query finds, as the indices were when the call began.
//!
//! Hits are read page by page and deleted under the sequence numbers they were read with, so that a
//! document that somebody changed meanwhile is a conflict and not lost.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use http::StatusCode;
use pampero_index::search::search_page;
use pampero_index::{Action, Index, Operation, Outcome, Snapshot, VersionCheck};
use pampero_opensearch::query::Query;
use pampero_opensearch::search::{SearchRequest, SourceFilter, query_from_parameters};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::refresh::Refresh;
use super::scope::{self, Opened, Scope};
use super::search::invalid;
use super::{RestState, Work};

/// Hits that are read and deleted together.
const PAGE: usize = 1000;

const PARAMETERS: [&str; 24] = [
    "q",
    "df",
    "analyzer",
    "analyze_wildcard",
    "default_operator",
    "lenient",
    "conflicts",
    "max_docs",
    "preference",
    "refresh",
    "request_cache",
    "requests_per_second",
    "routing",
    "scroll",
    "scroll_size",
    "search_timeout",
    "search_type",
    "slices",
    "stats",
    "timeout",
    "terminate_after",
    "version",
    "wait_for_active_shards",
    "wait_for_completion",
];

/// What a call asks for.
struct Asked {
    scope: Scope,
    query: Query,
    count_max: usize,
    /// Whether it goes on when documents were changed meanwhile.
    proceeds: bool,
    refresh: Refresh,
}

/// What has come of it so far.
#[derive(Debug, Default)]
struct Tally {
    total: u64,
    deleted: usize,
    conflicts: usize,
    batches: usize,
    failures: Vec<Value>,
}

/// One document that is to be deleted.
struct Doomed {
    index: String,
    operation: Operation,
}

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new().route("/{index}/_delete_by_query", post(delete_by_query))
}

async fn delete_by_query(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    let begun = Instant::now();
    call.takes(&[&PARAMETERS, &scope::PARAMETERS])?;
    let work = move |state: &RestState| {
        let asked = read(&index, &call)?;
        let tally = asked.perform(state)?;
        let conflicted = tally.conflicts > 0 && !asked.proceeds;
        let answer = Answer::json(tally.to_json(begun));
        Ok(if conflicted { answer.with_status(StatusCode::CONFLICT) } else { answer })
    };
    state.run(Work::Write, work).await
}

fn read(index: &str, call: &Call) -> Result<Asked, Failure> {
    let parameters = &call.parameters;
    if !parameters.boolean("wait_for_completion", true)? {
        return Err(Exception::unsupported("[wait_for_completion=false]").into());
    }
    let refresh = parameters.boolean("refresh", false)?;
    let mut conflicts = parameters.text("conflicts").map(str::to_owned);
    if parameters.text("terminate_after").is_some() {
        return Err(Exception::unsupported("[terminate_after] of _delete_by_query").into());
    }
    let mut count_max = parameters.number("max_docs")?;
    let mut query = query_from_parameters(parameters.pairs())?;
    let entries = match call.json()? {
        None => Map::new(),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err(Exception::parsing("the body must be an object").into()),
    };
    for (key, value) in &entries {
        match key.as_str() {
            "query" if query.is_none() => query = Some(Query::from_json(value)?),
            "query" => {}
            "max_docs" => count_max = Some(read_count(value)?),
            "conflicts" => {
                conflicts = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
            "slice" | "sort" => {
                return Err(Exception::unsupported(format!("[{key}] of _delete_by_query")).into());
            }
            _ => {
                let reason = format!("request does not support [{key}]");
                return Err(Exception::parsing(reason).into());
            }
        }
    }
    let proceeds = match conflicts.as_deref() {
        None | Some("abort") => false,
        Some("proceed") => true,
        Some(other) => {
            let reason =
                format!("conflicts may only be \"proceed\" or \"abort\" but was [{other}]");
            return Err(Exception::illegal_argument(reason).into());
        }
    };
    if count_max == Some(0) {
        return Err(invalid("maxDocs should be greater than 0").into());
    }
    Ok(Asked {
        scope: Scope::read(index, parameters)?,
        query: query.ok_or_else(|| invalid("query is missing"))?,
        count_max: count_max.unwrap_or(usize::MAX),
        proceeds,
        refresh: if refresh { Refresh::Now } else { Refresh::Later },
    })
}

/// Reads `max_docs` of the body; what is no count must not become "all of them".
fn read_count(value: &Value) -> Result<usize, Exception> {
    value.as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
        Exception::illegal_argument(format!(
            "[max_docs] must be a positive number, found [{value}]"
        ))
    })
}

impl Asked {
    fn perform(&self, state: &RestState) -> Result<Tally, Exception> {
        let opened = self.scope.open(state)?;
        let request = SearchRequest {
            query: opened.filtered(Some(self.query.clone())),
            size: PAGE.min(self.count_max),
            source: Some(SourceFilter::none()),
            seq_no_primary_term: true,
            ..SearchRequest::from_json(&json!({ "sort": ["_doc"] }))?
        };
        let mut tally = Tally::default();
        let mut cursor = None;
        while tally.done() < self.count_max {
            let now = state.clock.now();
            let options = &state.options.search;
            let (page, behind) = search_page(&opened.snapshots, &request, options, cursor, now)?;
            cursor = Some(behind);
            tally.total = total(&page).min(self.count_max as u64);
            let mut doomed = doomed(&page);
            doomed.truncate(self.count_max - tally.done());
            if doomed.is_empty() {
                break;
            }
            tally.batches += 1;
            delete(state, &opened, doomed, &mut tally)?;
            if tally.conflicts > 0 && !self.proceeds {
                break;
            }
        }
        self.refresh(state, &opened)?;
        Ok(tally)
    }

    /// Refreshes the indices that are still there.
    fn refresh(&self, state: &RestState, opened: &Opened) -> Result<(), Exception> {
        let indices = opened.snapshots.iter().filter_map(|it| current(state, it));
        indices.into_iter().try_for_each(|index| self.refresh.apply(&index))
    }
}

/// Returns the index that a snapshot was taken of; `None` when it was deleted meanwhile, even if there
/// is another one of its name.
fn current(state: &RestState, snapshot: &Snapshot) -> Option<Arc<Index>> {
    state.cluster.indices().get(&snapshot.name).filter(|index| *index.uuid() == snapshot.uuid)
}

/// Deletes the documents of one page, index by index.
///
/// # Errors
/// An index was deleted meanwhile, and is not made again for this; or the disk failed.
fn delete(
    state: &RestState,
    opened: &Opened,
    doomed: Vec<Doomed>,
    tally: &mut Tally,
) -> Result<(), Exception> {
    let mut doomed = doomed.into_iter().peekable();
    while let Some(first) = doomed.next() {
        let name = first.index;
        let mut operations = vec![first.operation];
        while let Some(next) = doomed.next_if(|it| it.index == name) {
            operations.push(next.operation);
        }
        let snapshot = opened.snapshots.iter().find(|it| *it.name == *name);
        let index = snapshot.and_then(|it| current(state, it));
        let index = index.ok_or_else(|| Exception::index_not_found(&name))?;
        let ids: Vec<_> = operations.iter().map(|it| it.id.clone()).collect();
        let results = index.write(operations, state.clock.now());
        for (id, result) in ids.into_iter().zip(results) {
            tally.add(&name, id, result.map(|written| written.outcome))?;
        }
    }
    Ok(())
}

impl Tally {
    fn done(&self) -> usize {
        self.deleted + self.conflicts
    }

    fn add(
        &mut self,
        index: &str,
        id: Option<String>,
        result: Result<Outcome, Exception>,
    ) -> Result<(), Exception> {
        /// More of them say nothing new.
        const FAILURES_MAX: usize = 100;
        match result {
            Ok(Outcome::NotFound) => self.conflicts += 1,
            Ok(_) => self.deleted += 1,
            Err(why) if why.kind() == ExceptionKind::VersionConflict => {
                self.conflicts += 1;
                if self.failures.len() < FAILURES_MAX {
                    let status = why.status();
                    let cause = why.to_json();
                    self.failures.push(
                        json!({ "index": index, "id": id, "cause": cause, "status": status }),
                    );
                }
            }
            Err(why) => return Err(why),
        }
        Ok(())
    }

    fn to_json(&self, begun: Instant) -> Value {
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        json!({
            "took": took_ms,
            "timed_out": false,
            "total": self.total,
            "deleted": self.deleted,
            "batches": self.batches,
            "version_conflicts": self.conflicts,
            "noops": 0,
            "retries": { "bulk": 0, "search": 0 },
            "throttled_millis": 0,
            "requests_per_second": -1.0,
            "throttled_until_millis": 0,
            "failures": self.failures,
        })
    }
}

fn total(page: &Value) -> u64 {
    let total = page.pointer("/hits/total/value").or_else(|| page.pointer("/hits/total"));
    total.and_then(Value::as_u64).unwrap_or_default()
}

/// Reads which documents a page shows.
fn doomed(page: &Value) -> Vec<Doomed> {
    let hits = page.pointer("/hits/hits").and_then(Value::as_array);
    let read = |hit: &Map<String, Value>| {
        let text = |key: &str| hit.get(key)?.as_str().map(str::to_owned);
        let check =
            VersionCheck::Sequence { seq_no: hit.get("_seq_no")?.as_u64()?, primary_term: 1 };
        let operation =
            Operation { id: Some(text("_id")?), action: Action::Delete, routing: None, check };
        Some(Doomed { index: text("_index")?, operation })
    };
    hits.into_iter().flatten().filter_map(|hit| read(hit.as_object()?)).collect()
}

#[cfg(test)]
mod tests {
    use pampero_index::{Cluster, IndexOptions};
    use pampero_resilience::VirtualClock;

    use super::*;
    use crate::rest::RestOptions;
    use pampero_opensearch::parameters::Parameters;

    #[test]
    fn an_index_that_was_deleted_meanwhile_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Arc::new(Cluster::open(folder.path(), IndexOptions::default()).unwrap());
        let clock = Arc::new(VirtualClock::starting_at("2026-05-18T12:00:00Z".parse().unwrap()));
        let state = RestState::new(Arc::clone(&cluster), clock, RestOptions::default());
        let now = state.clock.now();
        cluster.create_index("logs", &Value::Null, now).unwrap();
        let scope = Scope::read("logs", &Parameters::default()).unwrap();
        let opened = scope.open(&state).unwrap();
        let doomed = || {
            let check = VersionCheck::Sequence { seq_no: 0, primary_term: 1 };
            let id = Some("1".to_owned());
            let operation = Operation { id, action: Action::Delete, routing: None, check };
            vec![Doomed { index: "logs".to_owned(), operation }]
        };
        let refused = |kind| {
            let refused = delete(&state, &opened, doomed(), &mut Tally::default()).unwrap_err();
            assert_eq!(refused.kind(), kind);
        };
        cluster.delete_indices(&["logs"]).unwrap();
        refused(ExceptionKind::IndexNotFound);
        assert!(cluster.indices().get("logs").is_none());
        cluster.create_index("logs", &Value::Null, now).unwrap();
        refused(ExceptionKind::IndexNotFound);
    }
}
