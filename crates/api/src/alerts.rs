//! The alerts over the API: what is the matter now, what was, who was told, and what is watched.
//!
//! `list` has the alerts themselves, `sources` what watches, `history` what changed, `mutes` who is not told,
//! `backtest` what would have been, `channels` and `messages` the way to people. Definitions are changed
//! through the routes of OpenSearch's plugins or as files. Start reading at [`parts::AlertParts`].

pub(crate) mod backtest;
pub(crate) mod channels;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod mutes;
pub(crate) mod parts;
pub(crate) mod problems;
pub(crate) mod sources;
mod watched;
mod wire;

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use crate::parameters::Parameters;
use crate::problem::ApiError;
use crate::state::ApiState;
use parts::AlertParts;

/// Returns the alerts.
///
/// # Errors
/// They are switched off.
fn parts(state: &ApiState) -> Result<&AlertParts, ApiError> {
    state.alerts.as_ref().ok_or_else(|| {
        let detail = "alerts are switched off; set alerting.enabled = true in the configuration";
        ApiError::new(StatusCode::NOT_FOUND, "alerting_off", detail)
    })
}

/// Does something with the alerts on a thread that may block; it comes to its end even when the client goes
/// away.
async fn with_alerts<T: Send + 'static>(
    state: &ApiState,
    work: impl FnOnce(&AlertParts, &ApiState) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let alerts = parts(state)?.clone();
    let shared = state.clone();
    let working = state.tracker.spawn_blocking(move || work(&alerts, &shared));
    working.await.map_err(ApiError::internal)?
}

/// Reads how many rows the page leaves out: the cursor of a listing that is sorted anew each time.
fn offset(values: &Parameters<'_>) -> Result<usize, ApiError> {
    let Some(text) = values.text("cursor") else { return Ok(0) };
    text.parse().map_err(|_| {
        let detail = "cursor: give next_cursor of the page before, as it is";
        ApiError::parameter("cursor", detail)
    })
}

/// Cuts a page out of all rows; returns it with the cursor of the next one.
fn cut_page<T>(rows: Vec<T>, offset: usize, limit: u32) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let end = offset.saturating_add(limit);
    let next_cursor = (end < rows.len()).then(|| end.to_string());
    (rows.into_iter().skip(offset).take(limit).collect(), next_cursor)
}

/// Reads a parameter with one of a few words.
fn one_of<T: Copy>(
    values: &Parameters<'_>,
    name: &str,
    words: &[(&str, T)],
) -> Result<Option<T>, ApiError> {
    let Some(text) = values.text(name) else { return Ok(None) };
    word(name, text, words).map(Some)
}

fn word<T: Copy>(name: &str, text: &str, words: &[(&str, T)]) -> Result<T, ApiError> {
    let found = words.iter().find(|(known, _)| *known == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let detail = format!("{name}: {text:?} is none of {}", known.join(", "));
        ApiError::parameter(name, detail)
    })
}

/// Reads an instant in a body.
fn instant(field: &str, text: &str) -> Result<Timestamp, ApiError> {
    text.parse().map_err(|_| {
        let detail = format!(
            "{field}: {text:?} is no instant; write one with its offset, as in 2026-11-24T03:41:00Z"
        );
        invalid_field(field, detail)
    })
}

fn invalid_field(field: &str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_body", detail).about_field(field)
}

/// Returns how long something took, zero when it ended before it began.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
