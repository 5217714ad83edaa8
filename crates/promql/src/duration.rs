//! Durations as Prometheus spells them.

use std::time::Duration;

use crate::error::QueryError;

/// Units with their milliseconds, in the order in which they have to be written.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration like `1h30m`; a year has 365 days, a day 24 hours, and `0` needs no unit.
///
/// # Errors
/// It is not written like this, or longer than 292 years.
///
/// Source: Prometheus documentation, querying basics, time durations.
pub fn parse_duration(text: &str) -> Result<Duration, QueryError> {
    let error = || QueryError::Duration { text: text.to_owned() };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total_ms, mut units) = (text, 0_u64, &UNITS[..]);
    if rest.is_empty() {
        return Err(error());
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters =
            after.len() - after.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
        let (unit, after) = after.split_at(letters);
        let number: u64 = number.parse().map_err(|_| error())?;
        let place = units.iter().position(|(name, _)| *name == unit).ok_or_else(error)?;
        let part_ms = number.checked_mul(units[place].1).ok_or_else(error)?;
        total_ms = total_ms.checked_add(part_ms).ok_or_else(error)?;
        units = &units[place + 1..];
        rest = after;
    }
    // Prometheus counts durations in nanoseconds of 63 bits.
    if total_ms > i64::MAX as u64 / 1_000_000 {
        return Err(error());
    }
    Ok(Duration::from_millis(total_ms))
}

/// Writes a duration as Prometheus does: `1h30m`, and `90d` rather than `12w6d`.
///
/// What is below a millisecond is left out.
pub fn format_duration(duration: Duration) -> String {
    let mut rest_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest_ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, unit_ms) in UNITS {
        // Years and weeks only when nothing else would follow.
        let is_exact_only = matches!(unit, "y" | "w");
        if rest_ms >= unit_ms && (!is_exact_only || rest_ms.is_multiple_of(unit_ms)) {
            text += &format!("{}{unit}", rest_ms / unit_ms);
            rest_ms %= unit_ms;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: f64, written: &str) {
        let duration = parse_duration(text).unwrap();
        assert_eq!(duration.as_secs_f64(), seconds, "{text}");
        assert_eq!(format_duration(duration), written, "{text}");
    }

    #[test]
    fn durations_are_read_and_written() {
        check("0", 0.0, "0s");
        check("15s", 15.0, "15s");
        check("90s", 90.0, "1m30s");
        check("1h30m", 5400.0, "1h30m");
        check("90d", 90.0 * 86_400.0, "90d");
        check("2w", 14.0 * 86_400.0, "2w");
        check("1y", 365.0 * 86_400.0, "1y");
        check("1w2d", 9.0 * 86_400.0, "9d");
        check("1500ms", 1.5, "1s500ms");
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in
            ["", "1", "s", "1x", "1m1h", "1m1m", "-1m", "1.5h", "1 m", "9999999999y", "300y"]
        {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
