//! Points in time: opened over indices, searched later, listed, and let go of.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::{self, Scope};
use super::scroll::read_ids;
use super::search::invalid;
use super::{RestState, Work};

const PARAMETERS: [&str; 4] = ["keep_alive", "preference", "routing", "allow_partial_pit_creation"];

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .route("/{index}/_search/point_in_time", post(open))
        .route("/_search/point_in_time", delete(close))
        .route("/_search/point_in_time/_all", get(list).delete(close_all))
}

async fn open(
    State(state): State<RestState>,
    Path(index): Path<String>,
    call: Call,
) -> Result<Answer, Failure> {
    call.takes(&[&PARAMETERS, &scope::PARAMETERS])?;
    call.takes_no_body()?;
    let keep_alive: Option<Duration> = call.parameters.duration("keep_alive")?;
    let keep_alive = keep_alive.ok_or_else(|| invalid("keep alive not specified"))?;
    let scope = Scope::read(&index, &call.parameters)?;
    let work = move |state: &RestState| {
        let opened = scope.open(state)?;
        let now = state.clock.now();
        let count = opened.snapshots.len();
        let id = state.contexts().keep_point_in_time(opened, keep_alive, now)?;
        Ok(Answer::json(json!({
            "pit_id": id,
            "_shards": { "total": count, "successful": count, "skipped": 0, "failed": 0 },
            "creation_time": now.as_millisecond(),
        })))
    };
    state.run(Work::Search, work).await
}

async fn list(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    let now = state.clock.now();
    let pits: Vec<Value> = state
        .contexts()
        .points_in_time(now)
        .into_iter()
        .map(|listed| {
            json!({
                "pit_id": listed.id,
                "creation_time": listed.opened.as_millisecond(),
                "keep_alive": u64::try_from(listed.keep_alive.as_millis()).unwrap_or(u64::MAX),
            })
        })
        .collect();
    Ok(Answer::json(json!({ "pits": pits })))
}

async fn close(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    let ids = read_ids(&call.required_json()?, "pit_id")?;
    let freed = state.contexts().free_points_in_time(Some(&ids));
    if freed.is_empty() {
        let reason = format!("no point in time is open with the id [{}]", ids.join(", "));
        return Err(Exception::new(ExceptionKind::ResourceNotFound, reason).into());
    }
    Ok(closed(&freed))
}

async fn close_all(State(state): State<RestState>, call: Call) -> Result<Answer, Failure> {
    call.takes(&[])?;
    call.takes_no_body()?;
    let freed = state.contexts().free_points_in_time(None);
    Ok(closed(&freed))
}

fn closed(freed: &[String]) -> Answer {
    let pits: Vec<Value> =
        freed.iter().map(|id| json!({ "pit_id": id, "successful": true })).collect();
    Answer::json(json!({ "pits": pits }))
}
