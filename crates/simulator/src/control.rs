//! The control API: which faults are on, switching them, what was asked.
//!
//! `GET /control/faults`, `PUT` and `DELETE /control/faults/{provider}`,
//! `GET /control/catalogue`, `GET /control/requests`, `POST /control/reset`; of the stand-in for Slack
//! `GET /control/slack`, and `PUT` and `DELETE /control/slack/fault`.
//! Errors are problem+json (RFC 9457).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use pampero_weather::provider::{ProviderId, UnknownProvider};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::{Fault, InvalidFault, catalogue};
use crate::simulator::playable;
use crate::slack;
use crate::stage::Stage;
use crate::switchboard::Switch;

/// Longest time for which a fault can be switched on, in seconds: a year.
const LASTING_MAX_S: f64 = 31_536_000.0;

/// Returns the routes below `/control`.
pub(crate) fn routes() -> Router<Arc<Stage>> {
    Router::new()
        .route("/faults", get(list_faults))
        .route("/faults/{provider}", put(put_fault).delete(delete_fault))
        .route("/catalogue", get(get_catalogue))
        .route("/requests", get(list_requests))
        .route("/slack", get(slack::list_messages))
        .route("/slack/fault", put(slack::put_fault).delete(slack::delete_fault))
        .route("/reset", post(reset))
        .fallback(async || problem(404, "the control API has no such path"))
        .method_not_allowed_fallback(async || problem(405, "the path does not take this method"))
}

/// Makes a problem+json answer.
pub(crate) fn problem(status: u16, detail: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({"status": status.as_u16(), "title": title, "detail": detail});
    (status, [(CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

/// Why a request to the control API is refused.
#[derive(Debug, thiserror::Error)]
enum ControlError {
    #[error(transparent)]
    Provider(#[from] UnknownProvider),
    #[error(
        "the body is no switch, as in {{\"fault\": {{\"kind\": \"status\", \"code\": 503}}, \"for_seconds\": 30, \"share\": 0.5}}: {0}"
    )]
    Body(serde_json::Error),
    #[error(transparent)]
    Fault(#[from] InvalidFault),
    #[error("share {0} must be greater than 0 and at most 1")]
    Share(f64),
    #[error("for_seconds {0} must be greater than 0 and at most 31536000")]
    ForSeconds(f64),
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Provider(_) => 404,
            Self::Body(_) => 400,
            Self::Fault(_) | Self::Share(_) | Self::ForSeconds(_) => 422,
        };
        problem(status, &self.to_string())
    }
}

/// A fault to be switched on, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSwitch {
    fault: RawFault,
    for_seconds: Option<f64>,
    share: Option<f64>,
}

/// A fault as JSON, or in its short form as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawFault {
    Short(String),
    // Read in a second step, because an untagged enum would hide what is wrong with it.
    Long(Value),
}

impl RawSwitch {
    fn read(self) -> Result<Switch, ControlError> {
        let fault: Fault = match self.fault {
            RawFault::Short(text) => text.parse()?,
            RawFault::Long(json) => serde_json::from_value(json).map_err(ControlError::Body)?,
        };
        let share = self.share.unwrap_or(1.0);
        if !(0.0 < share && share <= 1.0) {
            return Err(ControlError::Share(share));
        }
        let lasting = match self.for_seconds {
            Some(seconds) if !(0.0 < seconds && seconds <= LASTING_MAX_S) => {
                return Err(ControlError::ForSeconds(seconds));
            }
            seconds => seconds.map(Duration::from_secs_f64),
        };
        Ok(Switch { fault: fault.checked()?, lasting, share })
    }
}

async fn list_faults(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let board = &stage.board;
    let active: Vec<_> =
        ProviderId::ALL.into_iter().filter_map(|provider| board.active(provider)).collect();
    let schedule: Vec<String> = board.schedule().iter().map(ToString::to_string).collect();
    Json(json!({"now": board.now(), "active": active, "schedule": schedule}))
}

async fn put_fault(
    State(stage): State<Arc<Stage>>,
    Path(provider): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let provider: ProviderId = provider.parse()?;
    let raw: RawSwitch = serde_json::from_slice(&body).map_err(ControlError::Body)?;
    let switch = raw.read()?;
    playable(provider, &switch.fault)?;
    stage.board.switch(provider, Some(switch));
    Ok(Json(json!({"active": stage.board.active(provider)})))
}

async fn delete_fault(
    State(stage): State<Arc<Stage>>,
    Path(provider): Path<String>,
) -> Result<StatusCode, ControlError> {
    stage.board.switch(provider.parse()?, None);
    Ok(StatusCode::NO_CONTENT)
}

async fn get_catalogue() -> Json<Value> {
    Json(json!({"faults": catalogue()}))
}

async fn list_requests(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let counts: BTreeMap<_, _> = ProviderId::ALL
        .into_iter()
        .map(|provider| (provider.as_str(), stage.board.counts(provider)))
        .collect();
    Json(json!({"requests": counts}))
}

async fn reset(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.board.reset();
    stage.slack.reset();
    StatusCode::NO_CONTENT
}
