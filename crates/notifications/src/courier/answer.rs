//! What an answer means.

use pampero_resilience::FailureClass;
use reqwest::StatusCode;

/// Statuses that mean that a message arrived.
///
/// Source: OpenSearch Notifications.
pub(super) fn is_success(status: StatusCode) -> bool {
    (200..=207).contains(&status.as_u16())
}

/// Tells what a repeat could do about an answer that is no success.
///
/// Source: Slack, errors of incoming webhooks; RFC 9110.
pub(super) fn class(status: StatusCode) -> FailureClass {
    match status.as_u16() {
        401 | 403 | 407 => FailureClass::Auth,
        429 => FailureClass::RateLimited,
        408 | 425 | 500.. => FailureClass::Transient,
        _ => FailureClass::BadRequest,
    }
}

/// Says in words what the status alone says.
pub(super) fn words(status: StatusCode) -> String {
    let number = status.as_u16();
    if status.is_redirection() {
        return format!(
            "the receiver answered {number}: redirects are not followed, give the final address"
        );
    }
    match status.canonical_reason() {
        Some(reason) => format!("the receiver answered {number} {reason}"),
        None => format!("the receiver answered {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_decides_whether_a_repeat_helps() {
        use FailureClass::{Auth, BadRequest, RateLimited, Transient};
        for status in [200, 201, 202, 204, 207] {
            check(status, None);
        }
        for status in [208, 226, 301, 302, 307, 308, 400, 404, 405, 410, 413, 422] {
            check(status, Some(BadRequest));
        }
        for status in [401, 403, 407] {
            check(status, Some(Auth));
        }
        check(429, Some(RateLimited));
        for status in [408, 425, 500, 502, 503, 504, 599, 999] {
            check(status, Some(Transient));
        }
    }

    #[track_caller]
    fn check(status: u16, expected: Option<FailureClass>) {
        let status = StatusCode::from_u16(status).expect("the case is a status");
        let found = (!is_success(status)).then(|| class(status));
        assert_eq!(found, expected, "{status}");
    }
}
