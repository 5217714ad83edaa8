//! When a service's limits are renewed: boundaries of the calendar in UTC.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Seconds of a minute.
pub(crate) const MINUTE_S: i64 = 60;
/// Seconds of an hour.
pub(crate) const HOUR_S: i64 = 3600;

/// Returns the next whole multiple of `length_s` after `now`; `None` at the end of the calendar.
pub(crate) fn next_multiple(now: Timestamp, length_s: i64) -> Option<Timestamp> {
    let next = now.as_second().div_euclid(length_s) + 1;
    Timestamp::from_second(next * length_s).ok()
}

/// Returns the next midnight UTC after `now`; `None` at the end of the calendar.
pub(crate) fn next_midnight(now: Timestamp) -> Option<Timestamp> {
    midnight(utc_date(now).tomorrow().ok()?)
}

/// Returns the first instant of the next month in UTC; `None` at the end of the calendar.
pub(crate) fn next_month(now: Timestamp) -> Option<Timestamp> {
    midnight(utc_date(now).first_of_month().checked_add(1.month()).ok()?)
}

/// Returns the time from `now` until `then`, zero when it is past.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

fn utc_date(now: Timestamp) -> Date {
    now.to_zoned_datetime(TimeZone::UTC).date()
}

fn midnight(date: Date) -> Option<Timestamp> {
    date.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundary_is_the_next_one() {
        let minute = |now| next_multiple(now, MINUTE_S);
        let hour = |now| next_multiple(now, HOUR_S);
        check(minute, "2026-09-21T13:04:59.5Z", "2026-09-21T13:05:00Z");
        check(minute, "2026-09-21T13:05:00Z", "2026-09-21T13:06:00Z");
        check(hour, "2026-09-21T23:04:00Z", "2026-09-22T00:00:00Z");
        check(next_midnight, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z");
        check(next_midnight, "2028-02-28T00:00:00Z", "2028-02-29T00:00:00Z");
        check(next_month, "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z");
        check(next_month, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    }

    #[track_caller]
    fn check(next: impl Fn(Timestamp) -> Option<Timestamp>, now: &str, boundary: &str) {
        let instant = |text: &str| text.parse::<Timestamp>().expect("an instant");
        assert_eq!(next(instant(now)), Some(instant(boundary)), "after {now}");
    }

    #[test]
    fn end_of_the_calendar_is_none() {
        assert_eq!(next_midnight(Timestamp::MAX), None);
        assert_eq!(next_month(Timestamp::MAX), None);
        assert_eq!(next_multiple(Timestamp::MAX, HOUR_S), None);
    }
}
