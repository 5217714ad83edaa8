//! The `Retry-After` header in both its forms.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Longer waits are cut to this: no service means more than a month.
const WAIT_MAX: Duration = Duration::from_secs(31 * 86_400);

/// Reads `Retry-After` as seconds or as an HTTP date, relative to `now`.
///
/// A date in the past is no wait. `None` when the header is missing or is neither.
/// Source: RFC 9110, section 10.2.3.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wait = if is_number {
        // Only a number too large for u64 fails here, and that is cut below.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let then = http_date(text)?;
        Duration::try_from(then.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(WAIT_MAX))
}

/// Reads a date as in `Sun, 06 Nov 1994 08:49:37 GMT`; `None` when it is none.
fn http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn both_forms_are_read() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Mon, 21 Sep 2026 13:05:30 GMT", Some(90));
        check("Monday, 21-Sep-26 13:05:30 GMT", Some(90)); // Obsolete, but allowed.
        check("Mon, 21 Sep 2026 13:00:00 GMT", Some(0)); // Past.
        check("99999999999999999999999", Some(31 * 86_400));
        check("-5", None);
        check("soon", None);
        check("", None);
    }

    #[track_caller]
    fn check(text: &str, seconds: Option<u64>) {
        let now = "2026-09-21T13:04:00Z".parse().expect("an instant");
        let value = HeaderValue::from_str(text).expect("a header value");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
        assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text:?}");
    }
}
