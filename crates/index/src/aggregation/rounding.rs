//! Beginnings of buckets along time.
//!
//! Source: OpenSearch, `Rounding`: units of a day and more begin at the first instant of their first
//! day in the zone; shorter widths are rounded in local time, a local time that comes twice in a night
//! of change belongs to the later one that is not after the instant, one that never comes is the end of
//! the gap.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use pampero_opensearch::aggregation::{CalendarUnit, Interval};

/// Rounds instants down to the beginnings of buckets. All instants are in ms since 1970.
#[derive(Clone, Debug)]
pub(super) struct Rounding {
    interval: Interval,
    zone: TimeZone,
    /// What local time is ahead of UTC in a zone that never changes; `None` in others.
    fixed_offset_ms: Option<i64>,
    offset_ms: i64,
}

impl Rounding {
    pub(super) fn new(interval: Interval, zone: TimeZone, offset_ms: i64) -> Self {
        let fixed = zone.to_fixed_offset().ok();
        let fixed_offset_ms = fixed.map(|offset| i64::from(offset.seconds()) * 1_000);
        Self { interval, zone, fixed_offset_ms, offset_ms }
    }

    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns width and shift when beginnings are evenly spaced: each is a multiple of the width,
    /// plus the shift.
    pub(super) fn even(&self) -> Option<(i64, i64)> {
        let width = even_width(self.interval)?;
        let zone = self.fixed_offset_ms?;
        Some((width, self.offset_ms.wrapping_sub(zone).rem_euclid(width)))
    }

    /// Returns the beginning of the bucket of an instant.
    pub(super) fn round(&self, instant_ms: i64) -> i64 {
        self.stretch(instant_ms).0
    }

    /// Returns the beginning of the bucket of an instant, and a stretch round the instant, half-open,
    /// in which all instants have this beginning.
    pub(super) fn stretch(&self, instant_ms: i64) -> (i64, i64, i64) {
        if let Some((width, shift)) = self.even() {
            let from = instant_ms.wrapping_sub(shift).div_euclid(width) * width + shift;
            return (from, from, from.saturating_add(width));
        }
        let moved = instant_ms.saturating_sub(self.offset_ms);
        let (key, from, to) = match (self.interval, even_width(self.interval)) {
            (Interval::Calendar(unit), None) => self.days(unit, moved),
            (_, Some(width)) => self.local(width, moved),
            (Interval::Fixed(width), None) => self.local(width, moved),
        };
        let back = |at: i64| at.saturating_add(self.offset_ms);
        (back(key), back(from), back(to))
    }

    /// Returns the beginning after this one.
    pub(super) fn next(&self, key_ms: i64) -> i64 {
        let mut at = key_ms;
        loop {
            let (_, _, to) = self.stretch(at);
            let next = self.round(to);
            if next > key_ms || to == i64::MAX {
                return next.max(key_ms.saturating_add(1));
            }
            at = to;
        }
    }

    /// Rounds to a unit that begins with a day.
    fn days(&self, unit: CalendarUnit, instant_ms: i64) -> (i64, i64, i64) {
        let date = self.zone.to_datetime(timestamp(instant_ms)).date();
        let first = first_day(unit, date);
        let from = self.first_instant(first);
        let to = next_day(unit, first).map_or(i64::MAX, |day| self.first_instant(day));
        (from, from, to)
    }

    /// Returns the first instant of a day.
    fn first_instant(&self, date: Date) -> i64 {
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        match self.zone.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } => at_offset(midnight, offset),
            AmbiguousOffset::Fold { before, .. } => at_offset(midnight, before),
            AmbiguousOffset::Gap { after, .. } => self.end_of_gap(midnight, after),
        }
    }

    /// Returns the end of the gap in which a local time lies.
    fn end_of_gap(&self, local: DateTime, after: jiff::tz::Offset) -> i64 {
        let before_gap = timestamp(at_offset(local, after));
        let transition = self.zone.following(before_gap).next();
        transition.map_or(before_gap, |it| it.timestamp()).as_millisecond()
    }

    /// Rounds a width in local time.
    fn local(&self, width: i64, instant_ms: i64) -> (i64, i64, i64) {
        let instant = timestamp(instant_ms);
        let ahead_ms = i64::from(self.zone.to_offset(instant).seconds()) * 1_000;
        let local_ms = instant_ms.saturating_add(ahead_ms).div_euclid(width) * width;
        let local = jiff::tz::Offset::UTC.to_datetime(timestamp(local_ms));
        let key = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => at_offset(local, offset),
            AmbiguousOffset::Fold { before, after } => {
                let later = at_offset(local, after);
                if later <= instant_ms { later } else { at_offset(local, before) }
            }
            AmbiguousOffset::Gap { after, .. } => self.end_of_gap(local, after),
        };
        // Between two changes of the zone local time is even, so the stretch ends at a change.
        let just_after = timestamp(instant_ms.saturating_add(1));
        let changed = self.zone.preceding(just_after).next();
        let changes = self.zone.following(instant).next();
        let changed = changed.map_or(i64::MIN, |it| it.timestamp().as_millisecond());
        let changes = changes.map_or(i64::MAX, |it| it.timestamp().as_millisecond());
        let from = (local_ms - ahead_ms).max(changed);
        let to = (local_ms.saturating_add(width) - ahead_ms).min(changes);
        (key, from, to)
    }
}

/// Returns the width in ms of an interval that is the same at all times in a zone without changes.
fn even_width(interval: Interval) -> Option<i64> {
    match interval {
        Interval::Fixed(ms) => Some(ms),
        Interval::Calendar(CalendarUnit::Second) => Some(1_000),
        Interval::Calendar(CalendarUnit::Minute) => Some(60_000),
        Interval::Calendar(CalendarUnit::Hour) => Some(3_600_000),
        Interval::Calendar(_) => None,
    }
}

fn first_day(unit: CalendarUnit, date: Date) -> Date {
    let month = match unit {
        CalendarUnit::Month => date.month(),
        CalendarUnit::Quarter => (date.month() - 1) / 3 * 3 + 1,
        CalendarUnit::Year => 1,
        CalendarUnit::Week => {
            let back = i64::from(date.weekday().since(Weekday::Monday));
            return date.checked_sub(back.days()).unwrap_or(Date::MIN);
        }
        _ => return date,
    };
    Date::new(date.year(), month, 1).unwrap_or(Date::MIN)
}

fn next_day(unit: CalendarUnit, first: Date) -> Option<Date> {
    let span = match unit {
        CalendarUnit::Week => 1.week(),
        CalendarUnit::Month => 1.month(),
        CalendarUnit::Quarter => 3.months(),
        CalendarUnit::Year => 1.year(),
        _ => 1.day(),
    };
    first.checked_add(span).ok()
}

fn at_offset(local: DateTime, offset: jiff::tz::Offset) -> i64 {
    match offset.to_timestamp(local) {
        Ok(instant) => instant.as_millisecond(),
        Err(_) if local.year() < 0 => Timestamp::MIN.as_millisecond(),
        Err(_) => Timestamp::MAX.as_millisecond(),
    }
}

/// Returns an instant; one beyond the years that can be told is the nearest that can.
pub(super) fn timestamp(ms: i64) -> Timestamp {
    let instant = Timestamp::from_millisecond(ms);
    instant.unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Beginnings of buckets that were worked out already, by the stretches in which they hold.
#[derive(Debug, Default)]
pub(super) struct RoundingCache {
    /// Stretches and their beginning, in the order of time.
    known: Vec<(i64, i64, i64)>,
    last: Option<(i64, i64, i64)>,
}

impl RoundingCache {
    /// Most stretches that are kept; logs lie in time nearly as they lie in the index, so few are needed.
    const STRETCHES_MAX: usize = 4_096;

    /// Returns the beginning of the bucket of an instant.
    pub(super) fn round(&mut self, rounding: &Rounding, instant_ms: i64) -> i64 {
        if let Some((key, from, to)) = self.last
            && (from..to).contains(&instant_ms)
        {
            return key;
        }
        let place = self.known.partition_point(|(_, _, to)| *to <= instant_ms);
        let stretch = match self.known.get(place) {
            Some(known) if known.1 <= instant_ms => *known,
            _ => {
                let stretch = rounding.stretch(instant_ms);
                if self.known.len() < Self::STRETCHES_MAX {
                    self.known.insert(place, stretch);
                }
                stretch
            }
        };
        self.last = Some(stretch);
        stretch.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rounded_in_their_zone() {
        let day = Interval::Calendar(CalendarUnit::Day);
        let hour = Interval::Calendar(CalendarUnit::Hour);
        let week = Interval::Calendar(CalendarUnit::Week);
        let month = Interval::Calendar(CalendarUnit::Month);
        let quarter = Interval::Calendar(CalendarUnit::Quarter);
        check(
            "UTC",
            hour,
            "2026-03-29T10:59:59.999Z",
            "2026-03-29T10:00:00Z",
            "2026-03-29T11:00:00Z",
        );
        check("UTC", month, "2026-02-11T10:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
        check(
            "UTC",
            quarter,
            "2026-06-30T23:59:59Z",
            "2026-04-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
        );
        check("UTC", week, "1969-12-31T10:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z");
        // A day of 23 hours, and one of 25.
        check(
            "Europe/Paris",
            day,
            "2026-03-29T10:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
        );
        check(
            "Europe/Paris",
            day,
            "2026-10-25T22:30:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
        // Where midnight never comes, the day begins after the gap.
        check(
            "America/Asuncion",
            day,
            "2017-10-01T12:00:00Z",
            "2017-10-01T04:00:00Z",
            "2017-10-02T03:00:00Z",
        );
        // The hour that comes twice makes two buckets.
        check(
            "Europe/Paris",
            hour,
            "2026-10-25T00:30:00Z",
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
        );
        check(
            "Europe/Paris",
            hour,
            "2026-10-25T01:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z",
        );
        // Half an hour of a zone counts in hours, and twelve hours begin at local midnight.
        check(
            "Asia/Kolkata",
            hour,
            "2026-01-01T10:29:00Z",
            "2026-01-01T09:30:00Z",
            "2026-01-01T10:30:00Z",
        );
        let half_day = Interval::Fixed(12 * 3_600_000);
        check(
            "Europe/Paris",
            half_day,
            "2026-07-01T11:00:00Z",
            "2026-07-01T10:00:00Z",
            "2026-07-01T22:00:00Z",
        );
        check(
            "Europe/Paris",
            half_day,
            "2026-03-29T03:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T10:00:00Z",
        );
    }

    #[track_caller]
    fn check(zone: &str, interval: Interval, instant: &str, from: &str, next: &str) {
        let rounding = Rounding::new(interval, TimeZone::get(zone).unwrap(), 0);
        let instant: Timestamp = instant.parse().unwrap();
        let key = rounding.round(instant.as_millisecond());
        assert_eq!(timestamp(key).to_string(), from);
        assert_eq!(timestamp(rounding.next(key)).to_string(), next);
        let cached = RoundingCache::default().round(&rounding, instant.as_millisecond());
        assert_eq!(cached, key);
    }

    #[test]
    fn cached_and_plain_rounding_agree_over_a_year_of_changes() {
        let rounding = Rounding::new(
            Interval::Fixed(7 * 3_600_000),
            TimeZone::get("Europe/Paris").unwrap(),
            60_000,
        );
        let mut cache = RoundingCache::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for step in 0..20_000_i64 {
            let at = start.as_millisecond() + step * 1_577_123;
            assert_eq!(cache.round(&rounding, at), rounding.round(at), "{}", timestamp(at));
        }
    }

    #[test]
    fn offsets_move_the_beginnings() {
        let rounding =
            Rounding::new(Interval::Calendar(CalendarUnit::Day), TimeZone::UTC, 6 * 3_600_000);
        let at: Timestamp = "2026-01-02T05:59:00Z".parse().unwrap();
        assert_eq!(
            timestamp(rounding.round(at.as_millisecond())).to_string(),
            "2026-01-01T06:00:00Z"
        );
    }
}
