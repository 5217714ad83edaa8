//! `_count` and `_validate/query`: how many documents a query finds, and whether it can be asked.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
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
    let query = asked_query(&call)?;
    let work = move |state: &RestState| {
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

/// A query that cannot be read is an answer here, not an error.
async fn validate(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&QUERY_PARAMETERS, &VALIDATE_PARAMETERS, &scope::PARAMETERS])?;
    let explain = call.parameters.boolean("explain", false)?;
    let scope = Scope::read(&expression, &call.parameters)?;
    let query = match asked_query(&call) {
        Ok(query) => query.unwrap_or_else(Query::match_all),
        Err(Failure::Exception(why)) => {
            let mut answer = json!({ "valid": false });
            if explain {
                answer["error"] = Value::from(why.reason());
            }
            return Ok(Answer::json(answer));
        }
        Err(failure) => return Err(failure),
    };
    let work = move |state: &RestState| {
        let opened = scope.open(state)?;
        let now = state.clock.now();
        let judged: Vec<(&Snapshot, Option<Exception>)> = opened
            .snapshots
            .iter()
            .map(|snapshot| {
                let context = QueryContext {
                    index: &snapshot.name,
                    mapping: &snapshot.mapping,
                    layout: &snapshot.layout,
                    now,
                };
                (snapshot, build(&query, context).err())
            })
            .collect();
        let valid = judged.iter().all(|(_, refused)| refused.is_none());
        let mut answer = json!({ "_shards": counted(judged.len()), "valid": valid });
        if explain {
            answer["explanations"] =
                judged.iter().map(|(it, refused)| explanation(it, refused.as_ref())).collect();
        }
        Ok(Answer::json(answer))
    };
    state.run(Work::Search, work).await
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
