//! The five fields of Unix's cron in a zone, with days on which clocks are changed.
//!
//! Between two changes of the clocks local time goes evenly, so runs are looked for in one such stretch
//! after another by the calendar alone. Where the hour is fixed, a time that a change leaves out is made
//! up at the change, and a time that comes twice counts once; where the hour is `*`, runs go on by
//! elapsed time, as Vixie's cron has it.

mod field;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use field::{Field, Kind};

/// How far ahead a run is looked for: 29 February comes after eight years at the latest.
const HORIZON_DAYS: i32 = 366 * 9;

/// A schedule of cron.
#[derive(Clone, Debug, PartialEq)]
pub struct Cron {
    expression: String,
    zone_name: String,
    zone: TimeZone,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

impl Cron {
    /// Parses minute, hour, day of the month, month and day of the week. When both kinds of days are
    /// given, either suffices. `zone` is the zone of that name.
    ///
    /// # Errors
    /// Says which field is wrong and why; or that no day ever matches.
    pub fn parse(expression: &str, zone_name: &str, zone: TimeZone) -> Result<Self, String> {
        let parts: Vec<&str> = expression.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts[..] else {
            let found = parts.len();
            return Err(format!(
                "it needs five fields (minute, hour, day of month, month, day of week), and has {found}"
            ));
        };
        let cron = Self {
            expression: expression.to_owned(),
            zone_name: zone_name.to_owned(),
            zone,
            minutes: Field::parse(minutes, Kind::Minute)?,
            hours: Field::parse(hours, Kind::Hour)?,
            days: Field::parse(days, Kind::Day)?,
            months: Field::parse(months, Kind::Month)?,
            weekdays: Field::parse(weekdays, Kind::Weekday)?,
        };
        cron.check_days()?;
        Ok(cron)
    }

    /// Returns the five fields as they were written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Returns the name of the zone as it was written.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Refuses days that no month has, as 31 February.
    fn check_days(&self) -> Result<(), String> {
        if self.days.is_any || !self.weekdays.is_any {
            return Ok(());
        }
        let longest = |month: u32| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let matches = |month: u32| (1..=longest(month)).any(|day| self.days.has(day));
        if (1..=12).any(|month| self.months.has(month) && matches(month)) {
            return Ok(());
        }
        Err("no month that is named has such a day".to_owned())
    }

    /// Returns the first run after `after`, or `None` when there is none within nine years.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let end =
            after.checked_add(SignedDuration::from_hours(24 * i64::from(HORIZON_DAYS))).ok()?;
        let minute = after.as_second().div_euclid(60) + 1;
        let mut from = Timestamp::from_second(minute * 60).ok()?;
        // A change of the clocks may lie between `after` and the next whole minute of the old offset.
        if let Some(change) = self.change_after(after).filter(|change| *change < from) {
            from = change;
        }
        while from <= end {
            let change = self.change_after(from);
            if let Some(found) = self.in_stretch(from).filter(|at| change.is_none_or(|c| *at < c)) {
                return Some(found);
            }
            from = change?;
        }
        None
    }

    /// Returns the last run before `before`, or `None` when there is none within nine years.
    pub fn last_before(&self, before: Timestamp) -> Option<Timestamp> {
        let mut back = 3_600_i64;
        let mut low = loop {
            let start = Timestamp::from_second(before.as_second().checked_sub(back)?).ok()?;
            if self.next_after(start).is_some_and(|next| next < before) {
                break start.as_second();
            }
            back *= 4;
            if i64::from(HORIZON_DAYS) * 86_400 * 4 < back {
                return None;
            }
        };
        let mut high = before.as_second();
        // The last start from which there still is a run before the end.
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            let start = Timestamp::from_second(middle).ok()?;
            if self.next_after(start).is_some_and(|next| next < before) {
                low = middle;
            } else {
                high = middle;
            }
        }
        self.next_after(Timestamp::from_second(low).ok()?)
    }

    fn change_after(&self, at: Timestamp) -> Option<Timestamp> {
        self.zone.following(at).next().map(|change| change.timestamp())
    }

    /// Returns the first run at or after `from` as if the offset at `from` went on for ever.
    fn in_stretch(&self, from: Timestamp) -> Option<Timestamp> {
        let offset = self.zone.to_offset(from);
        let mut local = ceil_to_minute(offset.to_datetime(from))?;
        if !self.hours.is_any
            && let Some(begun) = self.change_until(from)
        {
            let just_before = begun.checked_sub(SignedDuration::from_nanos(1)).ok()?;
            let before = self.zone.to_offset(just_before).to_datetime(begun);
            let after = offset.to_datetime(begun);
            if from == begun && self.next_local(ceil_to_minute(before)?)? < after {
                return Some(begun);
            }
            // What the clocks showed once already does not count again.
            local = local.max(ceil_to_minute(before.max(after))?);
        }
        offset.to_timestamp(self.next_local(local)?).ok()
    }

    /// Returns the last change of the clocks at or before `at`.
    fn change_until(&self, at: Timestamp) -> Option<Timestamp> {
        let after = at.checked_add(SignedDuration::from_nanos(1)).ok()?;
        self.zone.preceding(after).next().map(|change| change.timestamp())
    }

    /// Returns the first local time at or after `from`, a whole minute, that the fields name.
    fn next_local(&self, from: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        let mut time = from.time();
        for _ in 0..=HORIZON_DAYS {
            if self.names_day(date)
                && let Some(found) = self.next_time(time)
            {
                return Some(date.to_datetime(found));
            }
            date = if self.months.has(date.month().unsigned_abs().into()) {
                date.tomorrow().ok()?
            } else {
                date.last_of_month().tomorrow().ok()?
            };
            time = Time::midnight();
        }
        None
    }

    fn names_day(&self, date: Date) -> bool {
        if !self.months.has(date.month().unsigned_abs().into()) {
            return false;
        }
        let day = self.days.has(date.day().unsigned_abs().into());
        let weekday =
            self.weekdays.has(date.weekday().to_sunday_zero_offset().unsigned_abs().into());
        match (self.days.is_any, self.weekdays.is_any) {
            (false, false) => day || weekday,
            _ => day && weekday,
        }
    }

    fn next_time(&self, from: Time) -> Option<Time> {
        let from_hour = u32::from(from.hour().unsigned_abs());
        let hour = self.hours.at_or_after(from_hour)?;
        let from_minute = if hour == from_hour { from.minute().unsigned_abs().into() } else { 0 };
        let (hour, minute) = match self.minutes.at_or_after(from_minute) {
            Some(minute) => (hour, minute),
            None => (self.hours.at_or_after(hour + 1)?, self.minutes.at_or_after(0)?),
        };
        Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
    }
}

fn ceil_to_minute(at: DateTime) -> Option<DateTime> {
    let floor = at.date().at(at.hour(), at.minute(), 0, 0);
    if floor == at { Some(at) } else { floor.checked_add(1.minute()).ok() }
}

#[cfg(test)]
mod tests;
