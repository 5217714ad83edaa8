//! Which daily indices are dropped.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::day_of;

/// The index of a day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Why an index is dropped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// Its day ended too long ago.
    Age,
    /// All of them together are too large.
    Size,
}

impl Reason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Size => "size",
        }
    }
}

/// Returns the names of indices to drop, the oldest first; `days` are in their order.
///
/// The index of today is never dropped, nor one of a day to come: a clock may have been wrong.
pub(super) fn days_to_drop(
    days: &[Day],
    now: Timestamp,
    retention: Duration,
    bytes_max: u64,
) -> Vec<(&str, Reason)> {
    let today = day_of(now);
    let mut bytes: u64 = days.iter().map(|day| day.bytes).sum();
    let mut dropped = Vec::new();
    for day in days.iter().filter(|day| day.date < today) {
        let reason = if is_past(day.date, now, retention) {
            Reason::Age
        } else if bytes_max < bytes {
            Reason::Size
        } else {
            continue;
        };
        bytes -= day.bytes;
        dropped.push((day.name.as_str(), reason));
    }
    dropped
}

/// Tells whether a day in UTC ended longer ago than `retention`.
fn is_past(date: Date, now: Timestamp, retention: Duration) -> bool {
    let end = date.tomorrow().map(|next| next.to_datetime(Time::midnight()));
    let end = end.and_then(|end| Offset::UTC.to_timestamp(end)).ok();
    let kept_until = end.and_then(|end| end.checked_add(retention).ok());
    kept_until.is_some_and(|until| until <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Days of November 2026 with their bytes; what is dropped at noon of the 24th.
    #[track_caller]
    fn check(days: &[(i8, u64)], retention: Duration, bytes_max: u64, expected: &[(i8, Reason)]) {
        let name = |day: i8| format!("logs-{day}");
        let days: Vec<Day> = days
            .iter()
            .map(|(day, bytes)| Day {
                date: Date::constant(2026, 11, *day),
                name: name(*day),
                bytes: *bytes,
            })
            .collect();
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let expected: Vec<_> = expected.iter().map(|(day, reason)| (name(*day), *reason)).collect();
        let dropped: Vec<_> = days_to_drop(&days, now, retention, bytes_max)
            .into_iter()
            .map(|(name, reason)| (name.to_owned(), reason))
            .collect();
        assert_eq!(dropped, expected);
    }

    #[test]
    fn days_that_ended_long_ago_are_dropped() {
        let days = [(20, 1), (21, 1), (22, 1), (23, 1), (24, 1)];
        check(&days, 2 * DAY, 100, &[(20, Reason::Age), (21, Reason::Age)]);
        check(&days, 14 * DAY, 100, &[]);
        // The 22nd ended one and a half days ago.
        check(&days, DAY * 3 / 2, 100, &[(20, Reason::Age), (21, Reason::Age), (22, Reason::Age)]);
    }

    #[test]
    fn oldest_are_dropped_until_the_others_fit() {
        let days = [(22, 40), (23, 40), (24, 40)];
        check(&days, 14 * DAY, 120, &[]);
        check(&days, 14 * DAY, 119, &[(22, Reason::Size)]);
        check(&days, 14 * DAY, 79, &[(22, Reason::Size), (23, Reason::Size)]);
        // What is dropped for its age makes room too.
        check(&[(1, 90), (22, 5), (23, 5)], 14 * DAY, 10, &[(1, Reason::Age)]);
    }

    #[test]
    fn today_and_days_to_come_stay() {
        check(&[(24, 500), (25, 500)], Duration::ZERO, 1, &[]);
    }
}
