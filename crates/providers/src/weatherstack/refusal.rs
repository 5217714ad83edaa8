//! What the refusals of Weatherstack mean.

use jiff::Timestamp;
use serde_json::Value;

use super::wire::{Fault, Verdict};
use crate::ProviderError;
use crate::calendar::{next_month, until};
use crate::http::RawAnswer;

/// Tells what a refusal means; `None` for an answer.
///
/// The code in the body counts before the HTTP status, which is 200 in the classic form. After
/// `answered_before` "request failed" is a fault of the service; before, it is how the service
/// says that it does not know the place.
/// Source: Weatherstack, API documentation, API errors.
pub(super) fn refusal(
    answer: &RawAnswer,
    answered_before: bool,
    now: Timestamp,
) -> Option<ProviderError> {
    let verdict: Option<Verdict> = serde_json::from_slice(&answer.body).ok();
    let success = verdict.as_ref().and_then(|verdict| verdict.success);
    let fault = verdict.and_then(|verdict| verdict.error);
    if answer.status.is_success() && success != Some(false) && fault.is_none() {
        return None;
    }
    let said = fault.as_ref().map_or_else(|| answer.excerpt(), |fault| said(answer, fault));
    let kind = fault.as_ref().and_then(Kind::of);
    Some(match kind {
        Some(kind) => meaning(answer, kind, said, answered_before, now),
        None if answer.status.as_u16() == 404 => ProviderError::BadRequest { message: said },
        None if !answer.status.is_success() => answer.refusal(said, now),
        None => answer.malformed(&format!("it is an unknown refusal: {said}")),
    })
}

/// What a code of the service stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Key,
    Plan,
    UsedUp,
    TooFast,
    NoPlace,
    Failed,
    Question,
}

impl Kind {
    /// Reads the code, which is a number, a number as text, or a name; then the type.
    fn of(fault: &Fault) -> Option<Self> {
        let by_code = match &fault.code {
            Some(Value::Number(code)) => code.as_u64().and_then(Self::of_code),
            Some(Value::String(text)) => {
                text.parse().ok().and_then(Self::of_code).or_else(|| Self::of_name(text))
            }
            _ => None,
        };
        by_code.or_else(|| fault.kind.as_deref().and_then(Self::of_name))
    }

    fn of_code(code: u64) -> Option<Self> {
        Some(match code {
            101 | 102 => Self::Key,
            104 => Self::UsedUp,
            105 => Self::Plan,
            429 => Self::TooFast,
            602 => Self::NoPlace,
            615 => Self::Failed,
            103 | 404 | 601 | 603..=614 => Self::Question,
            _ => return None,
        })
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "missing_access_key" | "invalid_access_key" | "unauthorized" | "inactive_user" => {
                Self::Key
            }
            "usage_limit_reached" => Self::UsedUp,
            "https_access_restricted" | "function_access_restricted" | "forbidden" => Self::Plan,
            "rate_limit_reached" | "too_many_requests" => Self::TooFast,
            "no_results" => Self::NoPlace,
            "request_failed" => Self::Failed,
            "invalid_api_function" | "404_not_found" | "missing_query" => Self::Question,
            _ => return None,
        })
    }
}

fn meaning(
    answer: &RawAnswer,
    kind: Kind,
    message: String,
    answered_before: bool,
    now: Timestamp,
) -> ProviderError {
    match kind {
        Kind::Key => ProviderError::Auth { message },
        Kind::Plan => {
            let hint = "if the base URL begins with https, this key may need http, \
                where it travels in clear text";
            ProviderError::Auth { message: format!("{message}; {hint}") }
        }
        Kind::UsedUp => {
            let resets_at = next_month(now);
            let retry_after = resets_at.map(|resets_at| until(now, resets_at));
            ProviderError::Quota { message, resets_at, retry_after }
        }
        Kind::TooFast => {
            ProviderError::RateLimited { message, retry_after: answer.retry_after(now) }
        }
        Kind::Failed if answered_before => ProviderError::Server {
            status: answer.status.as_u16(),
            message,
            retry_after: answer.retry_after(now),
        },
        Kind::NoPlace | Kind::Failed => ProviderError::NotCovered { message },
        Kind::Question => ProviderError::BadRequest { message },
    }
}

/// Returns code, type and explanation in one line.
fn said(answer: &RawAnswer, fault: &Fault) -> String {
    let code = fault.code.as_ref().map(|code| match code {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let parts = [code, fault.kind.clone(), fault.info.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    answer.clean(&parts.join(" "))
}
