//! What the refusals of OpenWeatherMap mean.

use jiff::Timestamp;
use reqwest::StatusCode;

use super::wire::Verdict;
use crate::ProviderError;
use crate::http::RawAnswer;

/// Tells what a refusal means; `None` for an answer.
///
/// The status in the body, `cod`, counts when the HTTP status claims success. A 401 of a new key
/// heals within two hours. The service does not say how long to wait after a 429.
/// Source: OpenWeather, FAQ, API errors.
pub(super) fn refusal(answer: &RawAnswer, now: Timestamp) -> Option<ProviderError> {
    let verdict: Option<Verdict> = serde_json::from_slice(&answer.body).ok();
    let status = match &verdict {
        Some(Verdict { cod: Some(cod), .. }) if answer.status.is_success() => {
            u16::try_from(cod.whole()).ok().and_then(|cod| StatusCode::from_u16(cod).ok())?
        }
        _ => answer.status,
    };
    if status.is_success() {
        return None;
    }
    let message = verdict.and_then(|verdict| verdict.message);
    let said = match message.as_ref().and_then(serde_json::Value::as_str) {
        Some(message) => answer.clean(message),
        None => answer.excerpt(),
    };
    Some(answer.refusal_with(status, said, now))
}
