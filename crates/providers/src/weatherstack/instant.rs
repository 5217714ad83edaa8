//! The instant of an observation whose date and zone the service does not say.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// An observation may seem so much newer than the present it came with.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(10);

/// Returns the present instant that `location` stands for.
///
/// `localtime_epoch` is the local wall time in seconds as if it were UTC, `utc_offset_hours` counts
/// east. `None` outside the calendar.
pub(super) fn present(localtime_epoch: f64, utc_offset_hours: f64) -> Option<Timestamp> {
    let seconds = (localtime_epoch - utc_offset_hours * 3600.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let seconds = seconds as i64;
    Timestamp::from_second(seconds).ok()
}

/// Returns the latest instant at the wall time `observation_time` UTC that is not after `present`.
///
/// `None` when the text is no time of day.
pub(super) fn observed_at(present: Timestamp, observation_time: &str) -> Option<Timestamp> {
    let time = time_of_day(observation_time)?;
    let latest = present.checked_add(AHEAD_MAX).ok()?;
    let tomorrow = present.to_zoned_datetime(TimeZone::UTC).date().tomorrow().ok()?;
    (0..=2_i32)
        .filter_map(|days| {
            let date = tomorrow.checked_sub(days.days()).ok()?;
            Some(date.to_datetime(time).to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
        })
        .find(|instant| *instant <= latest)
}

/// Reads `02:14 PM`; 12 AM is midnight, 12 PM is noon.
fn time_of_day(text: &str) -> Option<Time> {
    let (clock, half) = text.trim().split_once(' ')?;
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if !(1..=12).contains(&hour) {
        return None;
    }
    let afternoon = match half.trim().to_ascii_uppercase().as_str() {
        "AM" => 0,
        "PM" => 12,
        _ => return None,
    };
    Time::new(hour % 12 + afternoon, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("the case is an instant")
    }

    #[test]
    fn present_is_wall_time_less_offset() {
        for (localtime_epoch, offset, expected) in [
            (1_789_989_900.0, -3.0, "2026-09-21T14:25:00Z"),
            (1_790_009_700.0, 5.5, "2026-09-21T11:25:00Z"),
            (1_790_009_700.0, -9.5, "2026-09-22T02:25:00Z"),
            (1_790_009_700.0, 5.75, "2026-09-21T11:10:00Z"),
        ] {
            assert_eq!(present(localtime_epoch, offset), Some(instant(expected)));
        }
        assert_eq!(present(f64::MAX, 0.0), None);
    }

    #[test]
    fn date_is_the_latest_possible_one() {
        check("2026-09-21T14:25:00Z", "02:14 PM", Some("2026-09-21T14:14:00Z"));
        check("2026-09-21T14:25:00Z", "02:34 PM", Some("2026-09-21T14:34:00Z")); // A little ahead.
        check("2026-09-21T14:25:00Z", "02:36 PM", Some("2026-09-20T14:36:00Z"));
        check("2026-09-22T00:10:00Z", "11:50 PM", Some("2026-09-21T23:50:00Z"));
        check("2027-01-01T00:01:00Z", "11:59 PM", Some("2026-12-31T23:59:00Z"));
        check("2028-03-01T00:01:00Z", "11:59 PM", Some("2028-02-29T23:59:00Z"));
        check("2026-09-21T23:58:00Z", "12:02 AM", Some("2026-09-22T00:02:00Z"));
        check("2026-09-21T00:20:00Z", "12:05 AM", Some("2026-09-21T00:05:00Z"));
        check("2026-09-21T12:20:00Z", "12:05 PM", Some("2026-09-21T12:05:00Z"));
        check("2026-09-21T12:20:00Z", "9:05 am", Some("2026-09-21T09:05:00Z"));
    }

    #[test]
    fn text_that_is_no_time_of_day_is_none() {
        for text in
            ["", "14:05", "14:05 PM", "00:05 AM", "1:60 AM", "noon PM", "1:05 XM", "-1:05 AM"]
        {
            check("2026-09-21T12:20:00Z", text, None);
        }
    }

    #[track_caller]
    fn check(present: &str, text: &str, expected: Option<&str>) {
        assert_eq!(observed_at(instant(present), text), expected.map(instant), "{text:?}");
    }
}
