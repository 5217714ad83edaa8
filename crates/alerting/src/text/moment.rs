//! Times and durations as people read them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns an instant with its zone, as in `2026-11-24 09:00:00 -03`.
pub(crate) fn shown_at(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// Returns a duration in its two largest units, as in `1 h 5 min`; seconds are the smallest one.
pub(crate) fn shown_duration(lasted: Duration) -> String {
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = lasted.as_secs();
    let mut parts = Vec::new();
    for (name, seconds) in UNITS {
        let count = rest / seconds;
        rest %= seconds;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        }
    }
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_in_two_units() {
        check(0, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(3_725, "1 h 2 min");
        check(90_000, "1 d 1 h");
        check(86_400 * 400, "400 d");
    }

    #[track_caller]
    fn check(seconds: u64, expected: &str) {
        assert_eq!(shown_duration(Duration::from_secs(seconds)), expected);
    }

    #[test]
    fn times_have_their_zone() {
        let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert_eq!(shown_at(at, &TimeZone::UTC), "2026-11-24 12:00:00 UTC");
        let zone = TimeZone::get("America/Montevideo").unwrap();
        assert_eq!(shown_at(at, &zone), "2026-11-24 09:00:00 -03");
    }
}
