//! `_count` and `_validate/query`: how many documents a query finds, and whether it can be asked.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use pampero_index::Snapshot;
use pampero_index::query::{QueryContext, build};
use pampero_opensearch::Exception;
use pampero_opensearch::query::Query;
use pampero_opensearch::search::query_from_parameters;
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::{self, Scope};
use super::{RestState, Work};

const QUERY_PARAMETERS: [&str; 6] =
    ["q", "df", "analyzer", "analyze_wildcard", "default_operator", "lenient"];

const COUNT_PARAMETERS: [&str; 4] = ["preference", "routing", "min_score", "terminate_after"];

const VALIDATE_PARAMETERS: [&str; 3] = ["explain", "rewrite", "all_shards"];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_count", get(count_all).post(count_all))
        .route("/{index}/_count", get(count_indices).post(count_indices))
        .route("/_validate/query", get(validate_all).post(validate_all))
        .route("/{index}/_validate/query", get(validate_indices).post(validate_indices))
}

async fn count_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    count(state, String::new(), call).await
}

async fn count_indices(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    count(state, index, call).await
}

async fn validate_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    validate(state, String::new(), call).await
}

async fn validate_indices(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    validate(state, index, call).await
}

async fn count(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&QUERY_PARAMETERS, &COUNT_PARAMETERS, &scope::PARAMETERS])?;
    for name in ["min_score", "terminate_after"] {
        if call.parameters.text(name).is_some() {
            return Err(Exception::unsupported(format!("parameter [{name}] of a count")).into());
        }
    }
    let scope = Scope::read(&expression, &call.parameters)?;
    let work = move |state: &RestState| {
        let query = asked_query(&call)?;
        let opened = scope.open(state)?;
        let query = opened.filtered(query);
        let now = state.clock.now();
        let count = pampero_index::search::count(&opened.snapshots, query.as_ref(), now)?;
        let shards = shards(opened.snapshots.len());
        Ok(Answer::json(json!({ "count": count, "_shards": shards })))
    };
    state.run(Work::Search, work).await
}

/// Reads the query of the body, or of the query string, which wins.
fn asked_query(call: &Call) -> Result<Option<Query>, Failure> {
    if let Some(query) = query_from_parameters(call.parameters.pairs())? {
        return Ok(Some(query));
    }
    let Some(body) = call.json()? else { return Ok(None) };
    let Value::Object(entries) = &body else {
        let reason = "the body must be an object with the key [query]";
        return Err(Exception::parsing(reason).into());
    };
    if let Some(stranger) = entries.keys().find(|key| *key != "query") {
        let reason = format!("request does not support [{stranger}]");
        return Err(Exception::parsing(reason).into());
    }
    Ok(entries.get("query").map(Query::from_json).transpose()?)
}

async fn validate(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&QUERY_PARAMETERS, &VALIDATE_PARAMETERS, &scope::PARAMETERS])?;
    let explain = call.parameters.boolean("explain", false)?;
    let scope = Scope::read(&expression, &call.parameters)?;
    let work = move |state: &RestState| {
        let query = match asked_query(&call) {
            Ok(query) => query.unwrap_or_else(Query::match_all),
            // A query that cannot be read is an answer here, not an error.
            Err(Failure::Exception(why)) => return Ok(unreadable(&why, explain)),
            Err(failure) => return Err(failure),
        };
        let opened = scope.open(state)?;
        Ok(judged(&opened.snapshots, &query, state.clock.now(), explain))
    };
    state.run(Work::Search, work).await
}

fn unreadable(why: &Exception, explain: bool) -> Answer {
    let mut answer = json!({ "valid": false });
    if explain {
        answer["error"] = Value::from(why.reason());
    }
    Answer::json(answer)
}

/// Builds the query for each index and tells whether that works everywhere.
fn judged(snapshots: &[Snapshot], query: &Query, now: Timestamp, explain: bool) -> Answer {
    let judge = |snapshot: &Snapshot| {
        let Snapshot { name, mapping, layout, .. } = snapshot;
        build(query, QueryContext { index: name, mapping, layout, now }).err()
    };
    let judged: Vec<Option<Exception>> = snapshots.iter().map(judge).collect();
    let valid = judged.iter().all(Option::is_none);
    let mut answer = json!({ "_shards": counted(judged.len()), "valid": valid });
    if explain {
        let each = snapshots.iter().zip(&judged);
        answer["explanations"] = each.map(|(it, why)| explanation(it, why.as_ref())).collect();
    }
    Answer::json(answer)
}

fn explanation(snapshot: &Snapshot, refused: Option<&Exception>) -> Value {
    let index = &*snapshot.name;
    match refused {
        None => json!({ "index": index, "valid": true }),
        Some(why) => {
            let error = format!("[{index}/{}] {why}", snapshot.uuid);
            json!({ "index": index, "valid": false, "error": error })
        }
    }
}

/// Returns `_shards` of a call that reads: each index is one shard.
fn shards(count: usize) -> Value {
    json!({ "total": count, "successful": count, "skipped": 0, "failed": 0 })
}

fn counted(count: usize) -> Value {
    json!({ "total": count, "successful": count, "failed": 0 })
}
