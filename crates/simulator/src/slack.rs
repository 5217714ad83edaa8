//! A stand-in for Slack's incoming webhooks: it takes what Slack takes, refuses what Slack refuses, and
//! shows what it was sent under `GET /control/slack`.
//!
//! Source: Slack, sending messages using incoming webhooks.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::control::problem;
use crate::stage::Stage;

/// Most messages that are kept to be shown; the oldest go first.
const KEPT_MAX: usize = 1_000;
/// Most blocks of a message.
const BLOCKS_MAX: usize = 50;
/// Longest text of a message in characters; Slack cuts longer ones.
const TEXT_MAX: usize = 40_000;
/// Messages in a row that are taken without a second between them.
const BURST: usize = 3;
/// The time over which one message is taken.
const PACE: Duration = Duration::from_secs(1);

/// What was sent to the stand-in, and what it answers.
#[derive(Debug, Default)]
pub(crate) struct Slack(Mutex<Desk>);

#[derive(Debug, Default)]
struct Desk {
    messages: VecDeque<SlackMessage>,
    refused: u64,
    /// What every message is answered with; `None` takes them.
    fault: Option<SlackFault>,
    /// When the last messages were taken, the newest last.
    taken: VecDeque<Timestamp>,
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SlackMessage {
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// Its text; empty when it has blocks or attachments alone.
    pub text: String,
    /// The whole body.
    pub body: Value,
}

/// What the stand-in answers in place of `ok`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct SlackFault {
    /// The status.
    status: u16,
    /// `Retry-After`, in seconds.
    retry_after: Option<u32>,
}

/// Why Slack refuses a message, as status and text.
type Refusal = (StatusCode, &'static str);

impl Slack {
    /// Returns the messages that were taken, oldest first.
    pub(crate) fn messages(&self) -> Vec<SlackMessage> {
        self.with(|desk| desk.messages.iter().cloned().collect())
    }

    /// Forgets what was sent and takes every message again.
    pub(crate) fn reset(&self) {
        self.with(|desk| *desk = Desk::default());
    }

    fn with<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Desk {
    /// Takes a message at `now`, or says why not; too fast is answered with the seconds to wait.
    fn take(&mut self, body: Value, now: Timestamp) -> Result<(), Option<Refusal>> {
        let text = readable(&body).map_err(Some)?;
        let is_recent =
            |at: &Timestamp| Duration::try_from(now.duration_since(*at)).is_ok_and(|it| it < PACE);
        self.taken.retain(is_recent);
        if BURST <= self.taken.len() {
            return Err(None);
        }
        self.taken.push_back(now);
        if self.messages.len() == KEPT_MAX {
            self.messages.pop_front();
        }
        self.messages.push_back(SlackMessage { at: now, text, body });
        Ok(())
    }
}

/// Returns the text of a message that Slack would show.
fn readable(body: &Value) -> Result<String, Refusal> {
    const INVALID: Refusal = (StatusCode::BAD_REQUEST, "invalid_payload");
    let object = body.as_object().ok_or(INVALID)?;
    let text = match object.get("text") {
        None => "",
        Some(Value::String(text)) => text.trim(),
        Some(_) => return Err(INVALID),
    };
    let blocks = list(object, "blocks")?;
    let attachments = list(object, "attachments")?;
    if BLOCKS_MAX < blocks {
        return Err((StatusCode::BAD_REQUEST, "invalid_blocks"));
    }
    if text.is_empty() && blocks == 0 && attachments == 0 {
        return Err((StatusCode::BAD_REQUEST, "no_text"));
    }
    Ok(text.chars().take(TEXT_MAX).collect())
}

/// Returns how many objects a member lists.
fn list(object: &Map<String, Value>, name: &str) -> Result<usize, Refusal> {
    match object.get(name) {
        None => Ok(0),
        Some(Value::Array(items)) if items.iter().all(Value::is_object) => Ok(items.len()),
        Some(_) => Err((StatusCode::BAD_REQUEST, "invalid_payload")),
    }
}

/// Takes a message as `POST /services/T.../B.../...` does.
pub(crate) async fn post_message(
    State(stage): State<Arc<Stage>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let plain = |status: StatusCode, text: &'static str| (status, text).into_response();
    let slow_down = |seconds: u32| {
        let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        response
    };
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|it| it.trim() == "application/json");
    let now = stage.board.now();
    stage.slack.with(|desk| {
        if let Some(SlackFault { status, retry_after }) = desk.fault {
            desk.refused += 1;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = plain(status, "rollup_error");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            return response;
        }
        let read = serde_json::from_slice(&body).ok().filter(|_| is_json);
        let taken = read
            .ok_or(Some((StatusCode::BAD_REQUEST, "invalid_payload")))
            .and_then(|body| desk.take(body, now));
        match taken {
            Ok(()) => plain(StatusCode::OK, "ok"),
            Err(refusal) => {
                desk.refused += 1;
                refusal.map_or_else(|| slow_down(1), |(status, text)| plain(status, text))
            }
        }
    })
}

/// Lists what was sent.
pub(crate) async fn list_messages(State(stage): State<Arc<Stage>>) -> Json<Value> {
    let (messages, refused) =
        stage.slack.with(|desk| (desk.messages.iter().cloned().collect::<Vec<_>>(), desk.refused));
    Json(json!({ "messages": messages, "refused": refused }))
}

/// Lets every message be refused, as in `{"status": 503}` or `{"status": 429, "retry_after": 30}`.
pub(crate) async fn put_fault(State(stage): State<Arc<Stage>>, body: Bytes) -> Response {
    match serde_json::from_slice::<SlackFault>(&body) {
        Ok(fault) if (300..=599).contains(&fault.status) => {
            stage.slack.with(|desk| desk.fault = Some(fault));
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(fault) => problem(422, &format!("status {} must be from 300 to 599", fault.status)),
        Err(error) => {
            let form = "the body is no fault, as in {\"status\": 429, \"retry_after\": 30}";
            problem(400, &format!("{form}: {error}"))
        }
    }
}

/// Takes every message again.
pub(crate) async fn delete_fault(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.slack.with(|desk| desk.fault = None);
    StatusCode::NO_CONTENT
}
