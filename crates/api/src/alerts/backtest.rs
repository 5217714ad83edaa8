//! Backtests: when a monitor or rules would have fired over the recorded past, and what they would have said.
//!
//! One at a time, on a thread for blocking work, within a time; whoever goes away ends it. `wire` has what
//! goes in and comes out, `rules` plays alerting rules.

mod rules;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use pampero_alerting::{
    Backtest, BacktestOptions, Monitor, MonitorError, SourceId, SourceKind, StoredFacts,
};
use tokio_util::sync::CancellationToken;

use super::parts::AlertParts;
use super::{instant, invalid_field, parts};
use crate::body::JsonBody;
use crate::edge::Admin;
use crate::parameters::{NoParameters, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use wire::{BacktestBody, BacktestRequest};

/// Longest time that a backtest may take, besides that of every request.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(60);

/// Most evaluations of a monitor or of a group of rules.
const EVALUATIONS_MAX: usize = 100_000;

/// Most firings, messages and errors that are listed, each.
const LISTED_MAX: usize = 500;

/// How far back a backtest looks unless it is told.
const USUALLY: Duration = Duration::from_secs(24 * 60 * 60);

/// What came of playing one source.
struct Played {
    source: SourceId,
    found: Backtest,
}

/// What is played, and what that may cost.
struct Stage<'s> {
    parts: &'s AlertParts,
    state: &'s ApiState,
    from: Timestamp,
    to: Timestamp,
    begun: Instant,
    cancel: &'s CancellationToken,
}

impl Stage<'_> {
    /// Returns the limits, with as much time as is left.
    fn options(&self) -> BacktestOptions {
        BacktestOptions {
            evaluations_max: EVALUATIONS_MAX,
            time_max: self.time_left(),
            listed_max: LISTED_MAX,
            ..BacktestOptions::between(self.from, self.to)
        }
    }

    fn time_left(&self) -> Duration {
        TIME_MAX.saturating_sub(self.begun.elapsed())
    }
}

/// Plays a monitor or rules over the recorded past: when they would have fired, and what would have been sent.
#[utoipa::path(
    post,
    path = "/api/alerts/backtest",
    tag = "alerts",
    request_body = BacktestRequest,
    responses(
        (status = 200, description = "What would have been", body = BacktestBody),
        (status = 404, description = "No such monitor, no logs or no metrics are kept, or alerts are switched off", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Another backtest is running", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn backtest_alerts(
    _: Admin,
    State(state): State<ApiState>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<BacktestRequest>,
) -> Result<Json<BacktestBody>, ApiError> {
    let alerts = parts(&state)?.clone();
    let turn = Arc::clone(&state.backtests).try_acquire_owned().map_err(|_| {
        let detail = "another backtest is running; try again when it has ended";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "backtest_running", detail)
            .retry_after(Duration::from_secs(10))
    })?;
    let cancel = state.cancel.child_token();
    let ends_with_request = cancel.clone().drop_guard();
    let shared = state.clone();
    let playing = state.tracker.spawn_blocking(move || {
        let _turn = turn;
        play(&alerts, &shared, request, &cancel)
    });
    let played = playing.await.map_err(ApiError::internal)?;
    drop(ends_with_request);
    played.map(Json)
}

fn play(
    parts: &AlertParts,
    state: &ApiState,
    request: BacktestRequest,
    cancel: &CancellationToken,
) -> Result<BacktestBody, ApiError> {
    let (from, to) = stretch(&request, parts.alerting.now())?;
    let begun = Instant::now();
    let stage = Stage { parts, state, from, to, begun, cancel };
    let played = match (request.monitor, request.monitor_id, request.rules) {
        (Some(document), None, None) => {
            let monitor = Monitor::from_json(&document).map_err(|error| invalid_monitor(&error))?;
            let facts = StoredFacts { id: "backtest".to_owned(), ..StoredFacts::default() };
            play_monitor(&stage, &Arc::new(monitor), &facts, None)?
        }
        (None, Some(id), None) => {
            let entry = parts.definitions.monitor(&id).ok_or_else(|| unknown_monitor(&id))?;
            let anchor = parts.runner.as_ref().map(|runner| runner.anchor(&entry));
            play_monitor(&stage, &entry.item, &entry.facts(), anchor)?
        }
        (None, None, Some(text)) => rules::play(&stage, &text)?,
        _ => {
            let detail =
                "give one of monitor (a document), monitor_id and rules (the text of a file)";
            return Err(invalid_field("monitor", detail));
        }
    };
    Ok(BacktestBody::of(played, from, to, begun.elapsed(), LISTED_MAX))
}

fn stretch(request: &BacktestRequest, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let to = request.to.as_deref().map(|text| instant("to", text)).transpose()?;
    // Nothing is recorded of the time to come.
    let to = to.unwrap_or(now).min(now);
    let from = request.from.as_deref().map(|text| instant("from", text)).transpose()?;
    let from = from.unwrap_or_else(|| to.checked_sub(USUALLY).unwrap_or(Timestamp::MIN));
    if from >= to {
        let detail = format!("from: {from} must be earlier than to, which is {to}");
        return Err(invalid_field("from", detail));
    }
    Ok((from, to))
}

fn play_monitor(
    stage: &Stage<'_>,
    monitor: &Arc<Monitor>,
    facts: &StoredFacts,
    anchor: Option<Timestamp>,
) -> Result<Vec<Played>, ApiError> {
    let search = stage.parts.search.as_ref().ok_or_else(|| {
        let detail = "no logs are kept over which a monitor could be played; see [logs]";
        ApiError::new(StatusCode::NOT_FOUND, "no_logs", detail)
    })?;
    let options = BacktestOptions { anchor, ..stage.options() };
    let words = stage.parts.alerting.words();
    let found =
        pampero_alerting::backtest(monitor, facts, &options, &**search, words, stage.cancel);
    let source = SourceId {
        kind: SourceKind::Monitor,
        definition: facts.id.clone(),
        trigger: String::new(),
    };
    Ok(vec![Played { source, found }])
}

fn unknown_monitor(id: &str) -> ApiError {
    let detail = format!("there is no monitor {id}; GET /api/alerts/sources lists them");
    ApiError::new(StatusCode::NOT_FOUND, "unknown_monitor", detail).about_field("monitor_id")
}

fn invalid_monitor(error: &MonitorError) -> ApiError {
    let field = format!("monitor{}", error.pointer.replace('/', "."));
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_monitor", error.reason.clone())
        .about_field(&field)
}
