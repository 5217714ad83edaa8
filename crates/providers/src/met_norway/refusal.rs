//! What the refusals of MET Norway mean.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderName;

use crate::ProviderError;
use crate::http::RawAnswer;

/// Says more about a refused identity than the body, which is HTML.
const ERROR_CLASS: HeaderName = HeaderName::from_static("errorclass");
/// Going on sooner after "too many requests" leads to a block.
const THROTTLED_WAIT_MIN: Duration = Duration::from_secs(60);

/// Tells what a refusal means.
///
/// Source: MET Norway, getting started, status codes.
pub(super) fn refusal(answer: &RawAnswer, now: Timestamp) -> ProviderError {
    let said = match answer.header(&ERROR_CLASS) {
        Some(class) => answer.clean(&format!("{class}: {}", answer.excerpt())),
        None => answer.excerpt(),
    };
    match answer.refusal(said, now) {
        ProviderError::RateLimited { message, retry_after } => {
            let retry_after = retry_after.map(|wait| wait.max(THROTTLED_WAIT_MIN));
            ProviderError::RateLimited { message, retry_after }
        }
        error => error,
    }
}
