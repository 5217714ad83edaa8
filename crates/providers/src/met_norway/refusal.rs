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

#[cfg(test)]
mod tests {
    use pampero_resilience::FailureClass::{
        self, Auth, BadRequest, NotCovered, RateLimited, Transient,
    };

    use super::*;
    use crate::testkit::{answer, assert_fit_to_be_shown, class_of, now};

    const PAGE: &str = include_str!("../../fixtures/met_norway/refused.html");

    #[test]
    fn status_tells_what_a_refusal_means() {
        check(400, &[], (BadRequest, None));
        check(401, &[], (Auth, None));
        check(403, &[], (Auth, None));
        check(404, &[], (NotCovered, None));
        check(422, &[], (NotCovered, None));
        check(429, &[], (RateLimited, None));
        check(429, &[("retry-after", "5")], (RateLimited, Some(60)));
        check(429, &[("retry-after", "300")], (RateLimited, Some(300)));
        check(429, &[("retry-after", "Mon, 21 Sep 2026 14:30:30 GMT")], (RateLimited, Some(600)));
        for status in [499, 500, 502, 503, 504] {
            check(status, &[], (Transient, None));
        }
        check(503, &[("retry-after", "5")], (Transient, Some(5)));
    }

    #[track_caller]
    fn check(status: u16, headers: &[(&'static str, &str)], expected: (FailureClass, Option<u64>)) {
        let error = refusal(&answer(status, headers, PAGE), now());
        assert_eq!(class_of(&error), expected, "{error}");
        assert_fit_to_be_shown(&error);
    }

    #[test]
    fn message_names_the_class_of_the_service() {
        let refused = answer(403, &[("errorclass", "Forbidden::NoUserAgent")], PAGE);
        let message = refusal(&refused, now()).to_string();
        assert!(message.contains("Forbidden::NoUserAgent"), "{message}");
        assert!(message.contains("403 Forbidden"), "{message}");
    }
}
