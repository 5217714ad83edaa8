//! What the refusals of Open-Meteo mean.

use std::time::Duration;

use jiff::Timestamp;

use super::wire;
use crate::ProviderError;
use crate::calendar::{HOUR_S, MINUTE_S, next_midnight, next_month, next_multiple, until};
use crate::http::RawAnswer;

/// Wait after too many requests at once: others of the same address are in the queue.
const QUEUE_WAIT: Duration = Duration::from_secs(3);

/// Tells what a refusal means; `None` for an answer.
///
/// The service sends no `Retry-After` of its own: how long to wait follows from which of its
/// limits, which go by the clock in UTC, the reason names. A `Retry-After` of a proxy goes before
/// that.
/// Source: Open-Meteo, server source, rate limiter.
pub(super) fn refusal(answer: &RawAnswer, now: Timestamp) -> Option<ProviderError> {
    let refusal: Option<wire::Refusal> = serde_json::from_slice(&answer.body).ok();
    let says_error = refusal.as_ref().is_some_and(|refusal| refusal.error);
    if answer.status.is_success() && !says_error {
        return None;
    }
    let reason = refusal.and_then(|refusal| refusal.reason);
    let said = reason.map_or_else(|| answer.excerpt(), |reason| answer.clean(&reason));
    Some(match answer.status.as_u16() {
        429 => over_limit(answer, said, now),
        200..300 if says_limit(&said) => over_limit(answer, said, now),
        // The refusal came after the service had begun to answer, with the status already sent.
        200..300 => ProviderError::BadRequest { message: said },
        400 if said.to_ascii_lowercase().contains("api key") => {
            ProviderError::Auth { message: said }
        }
        404 => ProviderError::BadRequest { message: said }, // A path the service does not know.
        _ => answer.refusal(said, now),
    })
}

fn says_limit(said: &str) -> bool {
    said.contains("limit exceeded") || said.contains("concurrent requests")
}

fn over_limit(answer: &RawAnswer, message: String, now: Timestamp) -> ProviderError {
    let lower = message.to_ascii_lowercase();
    let asked = answer.retry_after(now);
    let rate_limited = |message, wait| {
        let retry_after = asked.or(wait);
        ProviderError::RateLimited { message, retry_after }
    };
    let quota = |message, resets_at: Option<Timestamp>| {
        let retry_after = asked.or(resets_at.map(|resets_at| until(now, resets_at)));
        ProviderError::Quota { message, resets_at, retry_after }
    };
    let until_next = |length_s| next_multiple(now, length_s).map(|boundary| until(now, boundary));
    if lower.contains("minutely") {
        rate_limited(message, until_next(MINUTE_S))
    } else if lower.contains("hourly") {
        rate_limited(message, until_next(HOUR_S))
    } else if lower.contains("daily") {
        quota(message, next_midnight(now))
    } else if lower.contains("monthly") {
        quota(message, next_month(now))
    } else if lower.contains("concurrent") {
        rate_limited(message, Some(QUEUE_WAIT))
    } else {
        rate_limited(message, None)
    }
}
