//! `_search`: one search over indices or over a point in time.

use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use jiff::Timestamp;
use pampero_index::cluster::ResolveOptions;
use pampero_index::search::SearchOptions;
use pampero_opensearch::search::{PARAMETERS, PointInTime, SearchRequest};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::{self, Scope};
use super::{RestState, Work, scroll};
use pampero_opensearch::parameters::Parameters;

/// Names that searches take and that change nothing on one machine.
const TOLERATED: [&str; 14] = [
    "search_type",
    "preference",
    "routing",
    "request_cache",
    "typed_keys",
    "rest_total_hits_as_int",
    "allow_partial_search_results",
    "batched_reduce_size",
    "pre_filter_shard_size",
    "max_concurrent_shard_requests",
    "ccs_minimize_roundtrips",
    "cancel_after_time_interval",
    "phase_took",
    "include_named_queries_score",
];

/// Names that are refused when they stand in a search.
const REFUSED: [&str; 5] =
    ["search_pipeline", "suggest_field", "suggest_mode", "suggest_size", "suggest_text"];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_search", get(search_all).post(search_all))
        .route("/{index}/_search", get(search_indices).post(search_indices))
}

async fn search_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    search(state, String::new(), call).await
}

async fn search_indices(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    search(state, index, call).await
}

async fn search(state: RestState, expression: String, call: Call) -> Result<Answer, Failure> {
    let begun = Instant::now();
    call.takes(&[&PARAMETERS, &TOLERATED, &REFUSED, &scope::PARAMETERS, &["scroll"]])?;
    let work = move |state: &RestState| {
        let search = read(state, &expression, &call)?;
        let answer = match call.parameters.duration("scroll")? {
            Some(keep_alive) => scroll::begin(state, search, keep_alive)?,
            None => search.perform(state)?,
        };
        Ok(Answer::raw(with_took(answer, begun)).rendered(&call.shape))
    };
    state.run(Work::Search, work).await
}

fn read(state: &RestState, expression: &str, call: &Call) -> Result<Search, Failure> {
    refuse(&call.parameters)?;
    let scope = Scope::read(expression, &call.parameters)?;
    let options = search_options(state, &call.parameters)?;
    let allows_partial = call.parameters.boolean("allow_partial_search_results", true)?;
    let body = call.json()?.unwrap_or(Value::Null);
    let mut request = SearchRequest::from_json(&body)?;
    request.apply_parameters(call.parameters.pairs())?;
    Ok(Search { scope, request, options, allows_partial })
}

impl RestState {
    /// Searches as a call of `_search` with this body does, as if it were `now`. What was written before
    /// the call is found. Blocks, and stands in no line: whoever asks often bounds it.
    ///
    /// # Errors
    /// The body is wrong, an index is not there, or the search failed, also in a part only.
    pub fn search_as_of(
        &self,
        indices: &[String],
        body: &Value,
        now: Timestamp,
    ) -> Result<Value, Exception> {
        let begun = Instant::now();
        let request = SearchRequest::from_json(body)?;
        let scope = Scope { expression: indices.join(","), options: ResolveOptions::default() };
        for index in self.cluster.resolve(&scope.expression, scope.options, now)? {
            index.refresh_pending()?;
        }
        let options = self.options.search.clone();
        let search = Search { scope, request, options, allows_partial: false };
        let mut answer = search.perform_as_of(self, now)?;
        if let Some(entries) = answer.as_object_mut() {
            let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            entries.insert("took".to_owned(), Value::from(took_ms));
        }
        Ok(answer)
    }
}

/// One search, ready to be done.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) scope: Scope,
    pub(super) request: SearchRequest,
    pub(super) options: SearchOptions,
    /// Whether an answer may lack indices that failed, or what time did not suffice for.
    pub(super) allows_partial: bool,
}

impl Search {
    /// Does it and returns the answer without `took`.
    ///
    /// # Errors
    /// Those of [`pampero_index::search::search`], and of indices that are not there.
    pub(super) fn perform(self, state: &RestState) -> Result<Value, Exception> {
        let now = state.clock.now();
        self.perform_as_of(state, now)
    }

    fn perform_as_of(mut self, state: &RestState, now: Timestamp) -> Result<Value, Exception> {
        if let Some(pit) = self.request.pit.clone() {
            return self.perform_at(state, &pit);
        }
        let opened = self.scope.open_as_of(state, now)?;
        self.request.query = opened.filtered(self.request.query.take());
        let search = pampero_index::search::search;
        let answer = search(&opened.snapshots, &self.request, &self.options, now)?;
        self.check_whole(&answer)?;
        Ok(answer)
    }

    /// Does it over a point in time.
    fn perform_at(mut self, state: &RestState, pit: &PointInTime) -> Result<Value, Exception> {
        if !self.scope.expression.is_empty() {
            return Err(invalid("[indices] cannot be used with point in time"));
        }
        let now = state.clock.now();
        let opened = state.contexts().point_in_time(&pit.id, pit.keep_alive, now)?;
        self.request.query = opened.filtered(self.request.query.take());
        let search = pampero_index::search::search;
        let mut answer = search(&opened.snapshots, &self.request, &self.options, now)?;
        self.check_whole(&answer)?;
        if let Some(entries) = answer.as_object_mut() {
            entries.insert("pit_id".to_owned(), Value::from(pit.id.as_str()));
        }
        Ok(answer)
    }

    /// Refuses an answer in part where only a whole one is wanted.
    fn check_whole(&self, answer: &Value) -> Result<(), Exception> {
        let failed = answer.pointer("/_shards/failed").and_then(Value::as_u64).unwrap_or_default();
        let timed_out = answer.get("timed_out").and_then(Value::as_bool).unwrap_or_default();
        if self.allows_partial || (failed == 0 && !timed_out) {
            return Ok(());
        }
        let what = if timed_out { "Time exceeded" } else { "Partial shards failure" };
        let failures = answer.pointer("/_shards/failures").cloned().unwrap_or_default();
        Err(Exception::new(ExceptionKind::SearchPhaseExecution, what)
            .with("phase", "query")
            .with("grouped", true)
            .with("failed_shards", failures)
            .caused_by(Exception::new(ExceptionKind::Timeout, what)))
    }
}

/// Reads what the query string says of the answer's form.
///
/// # Errors
/// A boolean is none, or there is no such type of search.
pub(super) fn search_options(
    state: &RestState,
    parameters: &Parameters,
) -> Result<SearchOptions, Exception> {
    check_search_type(parameters.text("search_type"))?;
    Ok(SearchOptions {
        total_hits_as_int: parameters.boolean("rest_total_hits_as_int", false)?,
        typed_keys: parameters.boolean("typed_keys", false)?,
        ..state.options.search.clone()
    })
}

/// Refuses what is no type of search; both of them are the same where every index is whole.
///
/// # Errors
/// `illegal_argument_exception`.
pub(super) fn check_search_type(kind: Option<&str>) -> Result<(), Exception> {
    match kind {
        None | Some("query_then_fetch" | "dfs_query_then_fetch") => Ok(()),
        Some(other) => Err(Exception::illegal_argument(format!("No search type for [{other}]"))),
    }
}

fn refuse(parameters: &Parameters) -> Result<(), Exception> {
    let asked = |name: &&str| parameters.text(name).is_some_and(|value| value != "_none");
    match REFUSED.into_iter().find(asked) {
        Some(name) => Err(Exception::unsupported(format!("parameter [{name}]"))),
        None => Ok(()),
    }
}

/// Writes an answer as compact JSON with `took` before everything else.
pub(super) fn with_took(answer: Value, begun: Instant) -> String {
    let took_ms = begun.elapsed().as_millis();
    let answer = answer.to_string();
    match answer.strip_prefix('{') {
        Some("}") | None => format!("{{\"took\":{took_ms}}}"),
        Some(rest) => format!("{{\"took\":{took_ms},{rest}"),
    }
}

/// Refuses a request as a whole.
pub(super) fn invalid(what: &str) -> Exception {
    let reason = format!("Validation Failed: 1: {what};");
    Exception::new(ExceptionKind::ActionRequestValidation, reason)
}
