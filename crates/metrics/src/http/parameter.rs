//! Parameters read into types: times, durations, limits.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use super::form::Form;

/// The earliest and the latest time that a request may name, in milliseconds since the Unix epoch.
///
/// They lie 285,000 years away, and sums with any duration of a query stay within 64 bits.
pub(super) const TIME_MIN_MS: i64 = -TIME_MAX_MS;
pub(super) const TIME_MAX_MS: i64 = 9_000_000_000_000_000;

/// How Prometheus spells its earliest and latest time; clients send them back.
const TIME_MIN_TEXT: &str = "-292273086-05-16T16:47:06Z";
const TIME_MAX_TEXT: &str = "292277025-08-18T07:12:54.999999999Z";

/// What `limit` leaves out is said in this warning.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// Reads a time in milliseconds since the Unix epoch: RFC 3339, or seconds with a fraction.
pub(super) fn parse_time(text: &str) -> Result<i64, String> {
    let wrong = || format!("cannot parse {text:?} to a valid timestamp");
    if let Some(seconds) = parse_number(text) {
        let whole = seconds.trunc();
        // To whole milliseconds and no further, since a double has no more at today's dates.
        let fraction_ms = ((seconds - whole) * 1000.0).round();
        let time_ms = whole * 1000.0 + fraction_ms;
        let is_in_range = (TIME_MIN_MS as f64..=TIME_MAX_MS as f64).contains(&time_ms);
        return if is_in_range { Ok(time_ms as i64) } else { Err(wrong()) };
    }
    match text {
        TIME_MIN_TEXT => Ok(TIME_MIN_MS),
        TIME_MAX_TEXT => Ok(TIME_MAX_MS),
        text if is_rfc3339(text) => {
            let time: Timestamp = text.parse().map_err(|_| wrong())?;
            Ok(time.as_nanosecond().div_euclid(1_000_000) as i64)
        }
        _ => Err(wrong()),
    }
}

/// Returns whether the text has the shape of RFC 3339, of whose relatives jiff reads many more.
fn is_rfc3339(text: &str) -> bool {
    const DATE_TIME: &[u8] = b"0000-00-00T00:00:00";
    let has_shape = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                shape => byte == shape,
            })
    };
    let Some((date_time, rest)) = text.as_bytes().split_at_checked(DATE_TIME.len()) else {
        return false;
    };
    let fraction = match rest.first() {
        Some(b'.') => 1 + rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = &rest[fraction..];
    has_shape(date_time, DATE_TIME)
        && !date_time.ends_with(b"60")
        && fraction != 1
        && (zone == b"Z" || has_shape(zone, b"+00:00") || has_shape(zone, b"-00:00"))
}

/// Reads a number that is finite and no name of one.
fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Reads a duration, which may be negative: seconds with a fraction, or units as in `5m`.
pub(super) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    if let Some(seconds) = parse_number(text) {
        let nanoseconds = seconds * 1e9;
        if nanoseconds.abs() > i64::MAX as f64 {
            let message = format!("cannot parse {text:?} to a valid duration. It overflows int64");
            return Err(message);
        }
        return Ok(SignedDuration::from_nanos(nanoseconds as i64));
    }
    let duration = pampero_promql::parse_duration(text).ok();
    let duration = duration.and_then(|duration| SignedDuration::try_from(duration).ok());
    duration.ok_or_else(|| format!("cannot parse {text:?} to a valid duration"))
}

impl Form {
    /// Reads a time that has to be there.
    pub(super) fn time(&self, name: &str) -> Result<i64, Failure> {
        parse_time(self.first(name)).map_err(|message| Failure::parameter(name, message))
    }

    /// Reads a time that is `default_ms` when it is not there.
    pub(super) fn time_or(&self, name: &str, default_ms: i64) -> Result<i64, Failure> {
        match self.first(name) {
            "" => Ok(default_ms),
            text => parse_time(text).map_err(|message| {
                Failure::parameter(name, format!("Invalid time value for '{name}': {message}"))
            }),
        }
    }

    /// Reads the start and the end of what is wanted, all that there is unless told otherwise.
    pub(super) fn start_and_end(&self) -> Result<(i64, i64), Failure> {
        Ok((self.time_or("start", TIME_MIN_MS)?, self.time_or("end", TIME_MAX_MS)?))
    }

    /// Reads how long the client waits, at most `max`; `None` when its time is over already.
    pub(super) fn timeout(&self, max: Duration) -> Result<Option<Duration>, Failure> {
        match self.first("timeout") {
            "" => Ok(Some(max)),
            text => {
                let wrong = |message| Failure::parameter("timeout", message);
                let asked = parse_duration(text).map_err(wrong)?;
                let asked = Duration::try_from(asked).unwrap_or_default();
                Ok((!asked.is_zero()).then(|| asked.min(max)))
            }
        }
    }

    /// Reads the most results that are wanted; `None` when it is not said, or `0`.
    pub(super) fn limit(&self) -> Result<Option<usize>, Failure> {
        match self.first("limit") {
            "" => Ok(None),
            text => {
                let wrong = |message: String| Failure::parameter("limit", message);
                let limit: i64 = text.parse().map_err(|_| {
                    wrong(format!("strconv.Atoi: parsing {text:?}: invalid syntax"))
                })?;
                let limit = usize::try_from(limit)
                    .map_err(|_| wrong("limit must be non-negative".to_owned()))?;
                Ok((limit != 0).then_some(limit))
            }
        }
    }

    /// Reads a count; `None` when it is not said, or negative and so no bound.
    pub(super) fn count(&self, name: &str) -> Result<Option<usize>, Failure> {
        match self.first(name) {
            "" => Ok(None),
            text => {
                let wrong = |_| Failure::bad_data(format!("{name} must be a number"));
                let count: i64 = text.parse().map_err(wrong)?;
                Ok(usize::try_from(count).ok())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_time(text: &str, expected_ms: Option<i64>) {
        let expected = expected_ms.ok_or(format!("cannot parse {text:?} to a valid timestamp"));
        assert_eq!(parse_time(text), expected);
    }

    #[test]
    fn times_are_rfc_3339_or_seconds() {
        check_time("0", Some(0));
        check_time("5.1234", Some(5_123));
        check_time("-1.5", Some(-1_500));
        check_time("1e3", Some(1_000_000));
        check_time("1970-01-01T00:00:01Z", Some(1_000));
        check_time("1970-01-01T00:00:00.001999Z", Some(1));
        check_time("2026-11-24T07:09:42+03:00", Some(1_795_493_382_000));
        check_time("1969-12-31T23:59:59.9995Z", Some(-1));
        check_time(TIME_MIN_TEXT, Some(TIME_MIN_MS));
        check_time(TIME_MAX_TEXT, Some(TIME_MAX_MS));
        check_time("", None);
        check_time("x", None);
        check_time("7 ", None);
        check_time("NaN", None);
        check_time("1e400", None);
        check_time("1e30", None);
        check_time("2026-11-24", None);
        check_time("2026-11-24 07:09:42Z", None);
        check_time("2026-11-24T07:09:42", None);
        check_time("2026-11-24T07:09:42.Z", None);
        check_time("2026-11-24T07:09:60Z", None);
        check_time("2026-02-30T07:09:42Z", None);
        check_time("2026-11-24T07:09:42Z[UTC]", None);
    }

    #[track_caller]
    fn check_duration(text: &str, expected: Result<i64, &str>) {
        let found = parse_duration(text).map(|duration| duration.as_millis() as i64);
        let expected =
            expected.map_err(|rest| format!("cannot parse {text:?} to a valid duration{rest}"));
        assert_eq!(found, expected);
    }

    #[test]
    fn durations_are_seconds_or_have_units() {
        check_duration("0.5", Ok(500));
        check_duration("-1", Ok(-1_000));
        check_duration("5m", Ok(300_000));
        check_duration("1h30m", Ok(5_400_000));
        check_duration("250ms", Ok(250));
        check_duration("", Err(""));
        check_duration("5x", Err(""));
        check_duration("NaN", Err(""));
        check_duration("1e12", Err(". It overflows int64"));
    }

    #[test]
    fn limits_are_whole_and_not_negative() {
        let limit = |text: &str| Form::parse("", &format!("limit={text}")).limit();
        assert_eq!(limit(""), Ok(None));
        assert_eq!(limit("0"), Ok(None));
        assert_eq!(limit("7"), Ok(Some(7)));
        assert!(limit("x").unwrap_err().message.contains("strconv.Atoi"));
        assert!(limit("-1").unwrap_err().message.contains("non-negative"));
    }
}
