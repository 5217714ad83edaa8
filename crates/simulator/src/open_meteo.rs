//! The stand-in for Open-Meteo: `v1/forecast` for one or many places, and geocoding at `v1/search`.
//!
//! `current` and `hourly` are played; `daily` and `minutely_15` are not and are refused.
//! Source: Open-Meteo API documentation and server source.

mod forecast;
mod geocoding;
mod query;
mod variable;

use serde_json::json;

use crate::fault::LimitWindow;
use crate::question::Question;
use crate::reply::Reply;
use crate::scene::Scene;

/// Most places in one request.
const PLACES_MAX: usize = 1_000;

/// Answers a question.
pub(crate) fn answer(scene: &Scene<'_>, question: &Question) -> Reply {
    match question.path.as_str() {
        "v1/forecast" => match query::Query::read(question, scene.instant()) {
            Ok(query) => forecast::answer(scene, &query),
            Err(reason) => refusal(400, &reason),
        },
        "v1/search" => geocoding::answer(question),
        _ => refusal(404, "Not Found"),
    }
}

/// Answers with a status and a reason.
pub(crate) fn refusal(status: u16, reason: &str) -> Reply {
    Reply::json(status, &json!({"error": true, "reason": reason}))
}

/// Returns the reason the service gives when a limit is reached.
pub(crate) const fn limit_reason(window: LimitWindow) -> &'static str {
    match window {
        LimitWindow::Minute => {
            "Minutely API request limit exceeded. Please try again in one minute."
        }
        LimitWindow::Hour => {
            "Hourly API request limit exceeded. Please try again in the next hour."
        }
        LimitWindow::Day => "Daily API request limit exceeded. Please try again tomorrow.",
        LimitWindow::Concurrent => "Too many concurrent requests",
    }
}
