//! Scrolls: the hits of one search, page by page, as the indices were when it began.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use http::StatusCode;
use pampero_index::search::{Cursor, SearchOptions, search_page};
use pampero_opensearch::search::{SearchRequest, TotalHits};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::Opened;
use super::search::{Search, invalid, with_took};
use super::{RestState, Work};
use pampero_opensearch::parameters::read_duration;

/// Most ids of one call.
const IDS_MAX: usize = 10_000;

/// One scroll between two pages.
#[derive(Debug)]
pub(crate) struct Scroll {
    opened: Opened,
    request: SearchRequest,
    options: SearchOptions,
    place: Place,
}

/// Where a scroll stands.
#[derive(Debug)]
enum Place {
    Start,
    Behind(Cursor),
    /// A page failed, so nobody knows which hits were shown.
    Lost,
}

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/_search/scroll", get(next).post(next).delete(clear))
        .route("/_search/scroll/{scroll_id}", get(next_of).post(next_of).delete(clear_named))
}

/// Does the first page of a search that goes on, and keeps the rest for `keep_alive`.
///
/// # Errors
/// Those of the search; and what does not go with a scroll.
pub(super) fn begin(
    state: &RestState,
    mut search: Search,
    keep_alive: Duration,
) -> Result<Value, Exception> {
    check(&search.request)?;
    search.request.track_total_hits = Some(TotalHits::Exact);
    let opened = search.scope.open(state)?;
    search.request.query = opened.filtered(search.request.query.take());
    let Search { request, options, .. } = search;
    let mut scroll = Scroll { opened, request, options, place: Place::Start };
    let answer = scroll.page(state)?;
    let id = state.contexts().keep_scroll(scroll, keep_alive, state.clock.now())?;
    Ok(with_id(answer, &id))
}

impl Scroll {
    /// Returns the next page without `took`.
    fn page(&mut self, state: &RestState) -> Result<Value, Exception> {
        let cursor = match std::mem::replace(&mut self.place, Place::Lost) {
            Place::Start => None,
            Place::Behind(cursor) => Some(cursor),
            Place::Lost => {
                let reason = "a page of this scroll failed, so it cannot go on; begin it again";
                return Err(Exception::new(ExceptionKind::SearchContextMissing, reason));
            }
        };
        let Self { opened, request, options, .. } = self;
        let now = state.clock.now();
        let (answer, cursor) = search_page(&opened.snapshots, request, options, cursor, now)?;
        self.place = Place::Behind(cursor);
        Ok(answer)
    }
}

fn check(request: &SearchRequest) -> Result<(), Exception> {
    let refused = [
        (request.from > 0, "using [from] is not allowed in a scroll context"),
        (request.size == 0, "[size] cannot be [0] in a scroll context"),
        (
            request.track_total_hits == Some(TotalHits::Untracked),
            "disabling [track_total_hits] is not allowed in a scroll context",
        ),
        (request.search_after.is_some(), "[search_after] cannot be used in a scroll context"),
        (request.collapse.is_some(), "cannot use `collapse` in a scroll context"),
        (request.pit.is_some(), "using [point in time] is not allowed in a scroll context"),
    ];
    match refused.into_iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(invalid(what)),
        None => Ok(()),
    }
}

async fn next(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    go_on(state, None, call).await
}

async fn next_of(
    State(state): State<RestState>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    go_on(state, Some(id), call).await
}

async fn go_on(state: RestState, id: Option<String>, call: Call) -> Result<Answer, Failure> {
    let begun = Instant::now();
    call.takes(&[&["scroll", "scroll_id", "rest_total_hits_as_int"]])?;
    let parameters = &call.parameters;
    let mut id = id.or_else(|| parameters.text("scroll_id").map(str::to_owned));
    let mut keep_alive = parameters.duration("scroll")?;
    let as_int = parameters.boolean("rest_total_hits_as_int", false)?;
    if let Some(Value::Object(entries)) = call.json()? {
        for (key, value) in &entries {
            match (key.as_str(), value) {
                ("scroll_id", Value::String(text)) => id = Some(text.clone()),
                ("scroll", Value::String(text)) => {
                    keep_alive = Some(read_duration("scroll", text)?);
                }
                _ => {
                    let reason = format!(
                        "Unknown parameter [{key}] in request body or parameter is of the wrong type[{value}] "
                    );
                    return Err(Exception::illegal_argument(reason).into());
                }
            }
        }
    }
    let id = id.ok_or_else(|| invalid("scrollId is missing"))?;
    let shape = call.shape.clone();
    let work = move |state: &RestState| {
        let scroll = state.contexts().scroll(&id, keep_alive, state.clock.now())?;
        let mut scroll = scroll.lock().unwrap_or_else(PoisonError::into_inner);
        scroll.options.total_hits_as_int |= as_int;
        let answer = with_id(scroll.page(state)?, &id);
        Ok(Answer::raw(with_took(answer, begun)).rendered(&shape))
    };
    state.run(Work::Search, work).await
}

async fn clear(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[&["scroll_id"]])?;
    let named = call.parameters.list("scroll_id");
    let named = named.map(|ids| ids.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let ids = match call.json()? {
        Some(body) => read_ids(&body, "scroll_id")?,
        None => named.unwrap_or_default(),
    };
    freed(&state, ids)
}

async fn clear_named(
    State(state): State<RestState>,
    Path(ids): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[])?;
    let ids = match call.json()? {
        Some(body) => read_ids(&body, "scroll_id")?,
        None => ids.split(',').map(str::to_owned).collect(),
    };
    freed(&state, ids)
}

fn freed(state: &RestState, ids: Vec<String>) -> Result<Answer, Failure> {
    if ids.is_empty() {
        return Err(invalid("no scroll ids specified").into());
    }
    let all = ids.iter().any(|id| id == "_all");
    let count = state.contexts().free_scrolls((!all).then_some(&ids[..]));
    let answer = Answer::json(json!({ "succeeded": true, "num_freed": count }));
    Ok(if count == 0 && !all { answer.with_status(StatusCode::NOT_FOUND) } else { answer })
}

/// Reads the ids in a body, of which there are one or a list.
///
/// # Errors
/// There are none, or too many, or something else besides.
pub(super) fn read_ids(body: &Value, key: &str) -> Result<Vec<String>, Exception> {
    let wrong = || {
        let reason =
            format!("the body must be an object with the key [{key}], an id or a list of ids");
        Exception::illegal_argument(reason)
    };
    let entries = body.as_object().filter(|it| it.len() == 1).ok_or_else(wrong)?;
    let ids: Option<Vec<String>> = match entries.get(key) {
        Some(Value::String(id)) => Some(vec![id.clone()]),
        Some(Value::Array(ids)) if ids.len() <= IDS_MAX => {
            ids.iter().map(|id| id.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    };
    ids.filter(|ids| !ids.is_empty()).ok_or_else(wrong)
}

fn with_id(mut answer: Value, id: &str) -> Value {
    if let Some(entries) = answer.as_object_mut() {
        entries.insert("_scroll_id".to_owned(), Value::from(id));
    }
    answer
}
