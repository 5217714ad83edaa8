//! `_msearch`: several searches in one request, each with its own answer or error.

use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use bytes::Bytes;
use pampero_opensearch::Exception;
use pampero_opensearch::search::SearchRequest;
use serde_json::{Map, Value};

use super::answer::{Answer, Failure};
use super::call::{Call, body_required, read_json};
use super::scope::{self, Scope};
use super::search::{Search, check_search_type, invalid, search_options, with_took};
use super::{RestState, Work};
use pampero_opensearch::parameters::Parameters;

/// Most searches of one request.
const SEARCHES_MAX: usize = 1000;

const PARAMETERS: [&str; 9] = [
    "search_type",
    "typed_keys",
    "rest_total_hits_as_int",
    "max_concurrent_searches",
    "max_concurrent_shard_requests",
    "pre_filter_shard_size",
    "ccs_minimize_roundtrips",
    "cancel_after_time_interval",
    "phase_took",
];

/// Keys that the header of a search may have.
const HEADER_KEYS: [&str; 12] = [
    "index",
    "indices",
    "search_type",
    "preference",
    "routing",
    "ignore_unavailable",
    "allow_no_indices",
    "expand_wildcards",
    "request_cache",
    "ccs_minimize_roundtrips",
    "ignore_throttled",
    "allow_partial_search_results",
];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_msearch", get(search_all).post(search_all))
        .route("/{index}/_msearch", get(search_indices).post(search_indices))
}

async fn search_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    search_many(state, String::new(), call).await
}

async fn search_indices(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    search_many(state, index, call).await
}

async fn search_many(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    let begun = Instant::now();
    call.takes(&[&PARAMETERS, &scope::PARAMETERS])?;
    if call.body.is_empty() {
        return Err(body_required().into());
    }
    let work = move |state: &RestState| {
        let scope = Scope::read(&expression, &call.parameters)?;
        let searches = read_searches(state, &call.body, &scope, &call.parameters)?;
        let responses: Vec<String> =
            searches.into_iter().map(|search| respond(state, search)).collect();
        let took_ms = begun.elapsed().as_millis();
        let body = format!("{{\"took\":{took_ms},\"responses\":[{}]}}", responses.join(","));
        Ok(Answer::raw(body).rendered(&call.shape))
    };
    state.run(Work::Search, work).await
}

/// Does one search and writes what came of it.
fn respond(state: &RestState, search: Search) -> String {
    let begun = Instant::now();
    match search.perform(state) {
        Ok(mut answer) => {
            if let Some(entries) = answer.as_object_mut() {
                entries.insert("status".to_owned(), Value::from(200));
            }
            with_took(answer, begun)
        }
        Err(exception) => {
            let failure = Failure::from(exception);
            let status = failure.status().as_u16();
            format!("{{\"error\":{},\"status\":{status}}}", failure.to_json())
        }
    }
}

/// Reads pairs of a header and a body; an empty line is a header that says nothing.
fn read_searches(
    state: &RestState,
    body: &Bytes,
    scope: &Scope,
    parameters: &Parameters,
) -> Result<Vec<Search>, Failure> {
    let Some(body) = body.strip_suffix(b"\n") else {
        let reason = "The msearch request must be terminated by a newline [\\n]";
        return Err(Exception::illegal_argument(reason).into());
    };
    let options = search_options(state, parameters)?;
    let mut searches = Vec::new();
    let mut lines = body.split(|byte| *byte == b'\n');
    while let Some(header) = lines.next() {
        let Some(body) = lines.next() else {
            // Blank lines at the end are no headers.
            if header.trim_ascii().is_empty() {
                break;
            }
            return Err(Exception::illegal_argument("the last search has no body").into());
        };
        if searches.len() == SEARCHES_MAX {
            let reason = format!("more than [{SEARCHES_MAX}] searches in one request");
            return Err(Exception::illegal_argument(reason).into());
        }
        let mut scope = scope.clone();
        let allows_partial = read_header(header, &mut scope)?;
        let body = match body.trim_ascii() {
            b"" => Value::Null,
            body => read_json(body)?,
        };
        let request = SearchRequest::from_json(&body)?;
        searches.push(Search { scope, request, options: options.clone(), allows_partial });
    }
    if searches.is_empty() {
        return Err(invalid("no requests added").into());
    }
    Ok(searches)
}

/// Reads a header and tells whether the search allows an answer in part.
fn read_header(line: &[u8], scope: &mut Scope) -> Result<bool, Exception> {
    let entries = match line.trim_ascii() {
        b"" => Map::new(),
        line => match read_json(line)? {
            Value::Object(entries) => entries,
            other => {
                let reason = format!("the header of a search must be an object, found [{other}]");
                return Err(Exception::illegal_argument(reason));
            }
        },
    };
    for (key, value) in &entries {
        if !HEADER_KEYS.contains(&key.as_str()) {
            let reason = format!("key [{key}] is not supported in the metadata section");
            return Err(Exception::illegal_argument(reason));
        }
        if key == "search_type" {
            check_search_type(value.as_str())?;
        }
        if !value.is_null() {
            scope.apply_header(key, value)?;
        }
    }
    Ok(entries.get("allow_partial_search_results") != Some(&Value::Bool(false)))
}
