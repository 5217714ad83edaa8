//! Numbers for people.
//!
//! Source: Prometheus 2.42, `template/template.go`.

use jiff::Timestamp;

use super::float::general;

/// Significant digits of a number for people.
const DIGITS: Option<usize> = Some(4);

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const LARGE_BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// Writes with a metric prefix.
pub(super) fn decimal(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, DIGITS);
    }
    if 1.0 <= value.abs() { large(value, 1000.0, LARGE) } else { small(value) }
}

/// Writes with a prefix of powers of 1024; what is below 1024 has none.
pub(super) fn binary(value: f64) -> String {
    if !value.is_finite() {
        return general(value, DIGITS);
    }
    large(value, 1024.0, LARGE_BINARY)
}

fn large(mut value: f64, base: f64, prefixes: [&str; 8]) -> String {
    let mut taken = "";
    for prefix in prefixes {
        if value.abs() < base {
            break;
        }
        taken = prefix;
        value /= base;
    }
    format!("{}{taken}", general(value, DIGITS))
}

fn small(mut value: f64) -> String {
    let mut taken = "";
    for prefix in SMALL {
        if 1.0 <= value.abs() {
            break;
        }
        taken = prefix;
        value *= 1000.0;
    }
    format!("{}{taken}", general(value, DIGITS))
}

/// Writes a number of seconds as days, hours, minutes and seconds.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return general(seconds, DIGITS);
    }
    if seconds == 0.0 {
        return format!("{}s", general(seconds, DIGITS));
    }
    if seconds.abs() < 1.0 {
        return format!("{}s", small(seconds));
    }
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = whole(seconds.abs());
    let (days, hours) = (whole / 86_400, whole / 3600 % 24);
    let (minutes, rest) = (whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{}s", general(seconds.abs(), DIGITS)),
        (0, 0, _) => format!("{sign}{minutes}m {rest}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes}m {rest}s"),
        _ => format!("{sign}{days}d {hours}h {minutes}m {rest}s"),
    }
}

/// Cuts the decimals off; what is too large becomes the least number, as in Go on amd64.
fn whole(value: f64) -> i64 {
    // 2^63, the first that is too large.
    if value < 9_223_372_036_854_775_808.0 { value as i64 } else { i64::MIN }
}

/// Writes a ratio in percent.
pub(super) fn percentage(ratio: f64) -> String {
    format!("{}%", general(ratio * 100.0, DIGITS))
}

/// Writes seconds since 1970 as a time in UTC, to the millisecond.
///
/// # Errors
/// The time does not fit into 64 bits of nanoseconds.
pub(super) fn timestamp(seconds: f64) -> Result<String, String> {
    if !seconds.is_finite() {
        return Ok(general(seconds, DIGITS));
    }
    let nanoseconds = seconds * 1e9;
    let too_far = || format!("{} seconds since 1970 are too far away", general(seconds, None));
    if 9_223_372_036_854_775_808.0 <= nanoseconds.abs() {
        return Err(too_far());
    }
    let milliseconds = nanoseconds as i64 / 1_000_000;
    let time = Timestamp::from_millisecond(milliseconds).map_err(|_| too_far())?;
    Ok(time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_follow_the_size() {
        check(decimal, 1_234_567.0, "1.235M");
        check(decimal, 999.999_9, "1000");
        check(decimal, 1e27, "1000Y");
        check(decimal, -0.000_12, "-120u");
        check(decimal, 1e-30, "1e-06y");
        check(decimal, f64::NAN, "NaN");
        check(binary, 1024.0 * 1024.0, "1Mi");
        check(binary, 0.5, "0.5");
    }

    #[test]
    fn durations_begin_with_the_largest_unit() {
        check(duration, 3661.0, "1h 1m 1s");
        check(duration, 93_784.0, "1d 2h 3m 4s");
        check(duration, 59.994, "59.99s");
        check(duration, -61.0, "-1m 1s");
        check(duration, 0.0, "0s");
        check(duration, 0.1, "100ms");
        check(duration, f64::INFINITY, "+Inf");
    }

    #[test]
    fn ratios_are_percent() {
        check(percentage, 0.1234, "12.34%");
        check(percentage, f64::NAN, "NaN%");
    }

    #[track_caller]
    fn check(write: fn(f64) -> String, value: f64, expected: &str) {
        assert_eq!(write(value), expected, "{value:?}");
    }

    #[test]
    fn times_are_cut_to_the_millisecond() {
        assert_eq!(timestamp(1_435_065_584.128_9).unwrap(), "2015-06-23 13:19:44.128 +0000 UTC");
        assert_eq!(timestamp(-0.5).unwrap(), "1969-12-31 23:59:59.5 +0000 UTC");
        assert_eq!(timestamp(0.0).unwrap(), "1970-01-01 00:00:00 +0000 UTC");
        assert!(timestamp(1e10).is_err());
    }
}
