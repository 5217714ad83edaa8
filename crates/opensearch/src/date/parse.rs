//! Reading a text with a format.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::pattern::{Epoch, Format, Item, Part, Zone};
use super::{Rounding, read_zone};

/// Names of the months in English.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// Names of the days in English, from Monday.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Reads the whole text, or nothing.
///
/// Missing parts are January, the first day and midnight; with [`Rounding::Up`] the time is filled
/// with its last hour, minute, second and nanosecond instead. Month and day are not: `2026-08` up is
/// the last instant of the first of August.
///
/// Source: OpenSearch, `JavaDateFormatter`, the defaults of its round-up parser.
pub(super) fn parse(
    format: &Format,
    text: &str,
    rounding: Rounding,
    zone: &TimeZone,
) -> Option<Timestamp> {
    match format {
        Format::Epoch(unit) => epoch(*unit, text, rounding),
        Format::Items { read, instant, .. } => {
            if let Some(found) = (*instant).then(|| whole_instant(text)).flatten() {
                return Some(found);
            }
            let mut found = Found::default();
            let rest = items(read, text, &mut found)?;
            if !rest.is_empty() {
                return None;
            }
            found.instant(rounding, zone)
        }
    }
}

/// Reads the form in which programs write most of their dates: all parts up to the second, a fraction
/// or none, and `Z`. What is `None` here may still be a date.
fn whole_instant(text: &str) -> Option<Timestamp> {
    let (head, tail) = text.as_bytes().split_first_chunk::<19>()?;
    let two = |at: usize| match (head[at], head[at + 1]) {
        (tens @ b'0'..=b'9', ones @ b'0'..=b'9') => {
            i8::try_from((tens - b'0') * 10 + ones - b'0').ok()
        }
        _ => None,
    };
    if (head[4], head[7], head[10], head[13], head[16]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let fraction = match tail {
        [b'Z'] => &[],
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let mut nanos = 0;
    for place in 0..9 {
        let digit = fraction.get(place).copied().unwrap_or(b'0');
        nanos = nanos * 10 + i32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let local = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, nanos).ok()?;
    Offset::UTC.to_timestamp(local).ok()
}

/// Reads a number that counts from 1970, with a fraction or without.
fn epoch(unit: Epoch, text: &str, rounding: Rounding) -> Option<Timestamp> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let nanos_digits = match unit {
        Epoch::Seconds => 9,
        Epoch::Millis => 6,
        Epoch::Micros => 3,
    };
    let plain = |digits: &str, most: usize| {
        (1..=most).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    if !plain(whole, 19) || fraction.is_some_and(|digits| !plain(digits, nanos_digits)) {
        return None;
    }
    let scale = 10_i128.pow(u32::try_from(nanos_digits).ok()?);
    let below = match (fraction, rounding) {
        (Some(digits), _) => format!("{digits:0<nanos_digits$}").parse::<i128>().ok()?,
        (None, Rounding::Up) => scale - 1,
        (None, Rounding::Down) => 0,
    };
    let whole: i128 = whole.parse().ok()?;
    let nanos = match (negative, fraction.is_some()) {
        (false, _) => whole * scale + below,
        (true, true) => -(whole * scale + below),
        (true, false) => -(whole * scale) + below,
    };
    Timestamp::from_nanosecond(nanos).ok()
}

/// What was found in a text.
#[derive(Clone, Debug, Default)]
struct Found {
    year: Option<i32>,
    week_year: Option<i32>,
    month: Option<i32>,
    week: Option<i32>,
    day: Option<i32>,
    day_of_year: Option<i32>,
    weekday: Option<i32>,
    hour: Option<i32>,
    hour_of_half: Option<i32>,
    afternoon: Option<bool>,
    minute: Option<i32>,
    second: Option<i32>,
    nanosecond: Option<i32>,
    millisecond_of_day: Option<i32>,
    before_christ: bool,
    zone: Option<FoundZone>,
}

#[derive(Clone, Debug)]
enum FoundZone {
    Offset(i32),
    Named(TimeZone),
}

/// Goes through the items and returns what is left of the text.
fn items<'t>(list: &[Item], mut text: &'t str, found: &mut Found) -> Option<&'t str> {
    for item in list {
        text = match item {
            Item::Optional(inner) => {
                let mut attempt = found.clone();
                match items(inner, text, &mut attempt) {
                    Some(rest) => {
                        *found = attempt;
                        rest
                    }
                    None => text,
                }
            }
            other => one(other, text, found)?,
        };
    }
    Some(text)
}

fn one<'t>(item: &Item, text: &'t str, found: &mut Found) -> Option<&'t str> {
    match item {
        Item::Literal(literal) => text.strip_prefix(literal.as_str()),
        Item::Number { part, digits_min, digits_max } => {
            let (value, rest) = digits(text, *digits_min, *digits_max)?;
            found.set(*part, value)?;
            Some(rest)
        }
        Item::Fraction { point, digits_min, digits_max } => {
            let text = if *point { text.strip_prefix(['.', ','])? } else { text };
            let (value, rest) = digits(text, *digits_min, *digits_max)?;
            let read = u32::try_from(text.len() - rest.len()).ok()?;
            found.nanosecond = Some(value * 10_i32.pow(9 - read));
            Some(rest)
        }
        Item::ShortYear => {
            let (value, rest) = digits(text, 2, 2)?;
            found.year = Some(2000 + value);
            Some(rest)
        }
        Item::Month { full } => {
            let (index, rest) = name(text, &MONTHS, *full)?;
            found.month = Some(index + 1);
            Some(rest)
        }
        Item::Weekday { full } => {
            let (index, rest) = name(text, &WEEKDAYS, *full)?;
            found.weekday = Some(index + 1);
            Some(rest)
        }
        Item::HalfDay => {
            let (index, rest) = name(text, &["AM", "PM"], true)?;
            found.afternoon = Some(index == 1);
            Some(rest)
        }
        Item::Era => {
            let (index, rest) = name(text, &["BC", "AD"], true)?;
            found.before_christ = index == 0;
            Some(rest)
        }
        Item::Zone(form) => zone(*form, text, found),
        Item::Optional(_) => items(std::slice::from_ref(item), text, found),
    }
}

/// Reads at most `most` digits (nine at the outside), as many as there are.
fn digits(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let mut value = 0;
    let mut read = 0;
    for digit in text.bytes().take(most.min(9)).take_while(u8::is_ascii_digit) {
        value = value * 10 + i32::from(digit - b'0');
        read += 1;
    }
    (read >= least && read > 0).then(|| (value, &text[read..]))
}

/// Reads one of some names, whole or its first three letters.
fn name<'t>(text: &'t str, names: &[&str], full: bool) -> Option<(i32, &'t str)> {
    let at = names.iter().position(|name| {
        let name = if full { name } else { &name[..3] };
        text.get(..name.len()).is_some_and(|head| head == name)
    })?;
    let length = if full { names[at].len() } else { 3 };
    Some((i32::try_from(at).ok()?, &text[length..]))
}

fn zone<'t>(form: Zone, text: &'t str, found: &mut Found) -> Option<&'t str> {
    let zero_is_a_letter = !matches!(form, Zone::Offset { zero: false, .. });
    if zero_is_a_letter && let Some(rest) = text.strip_prefix('Z') {
        found.zone = Some(FoundZone::Offset(0));
        return Some(rest);
    }
    if let Some((seconds, length)) = offset(text.as_bytes()) {
        found.zone = Some(FoundZone::Offset(seconds));
        return Some(&text[length..]);
    }
    if matches!(form, Zone::Offset { .. }) {
        return None;
    }
    let name = |letter: char| letter.is_ascii_alphanumeric() || "/_+-:".contains(letter);
    let length = text.find(|letter| !name(letter)).unwrap_or(text.len());
    if !text.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return None;
    }
    found.zone = Some(FoundZone::Named(read_zone(&text[..length]).ok()?));
    Some(&text[length..])
}

/// Reads `+02`, `+0200`, `+02:00`, `+02:00:30` in seconds east of Greenwich, with its length in bytes.
pub(super) fn offset(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let two = |at: usize| match text.get(at..at + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Some(i32::from((tens - b'0') * 10 + ones - b'0'))
        }
        _ => None,
    };
    let hours = two(1)?;
    let (minutes, seconds, length) = if text.get(3) == Some(&b':') {
        let minutes = two(4)?;
        match text.get(6) {
            Some(b':') => (minutes, two(7)?, 9),
            _ => (minutes, 0, 6),
        }
    } else if let Some(minutes) = two(3) {
        (minutes, 0, 5)
    } else {
        (0, 0, 3)
    };
    (hours <= 18 && minutes < 60 && seconds < 60)
        .then_some((sign * (hours * 3600 + minutes * 60 + seconds), length))
}

impl Found {
    /// Keeps a number; `None` when it is beyond what its part knows.
    fn set(&mut self, part: Part, value: i32) -> Option<()> {
        let (slot, least, most) = match part {
            Part::Year => (&mut self.year, 0, 9999),
            Part::WeekYear => (&mut self.week_year, 0, 9999),
            Part::Month => (&mut self.month, 1, 12),
            Part::Week => (&mut self.week, 1, 53),
            Part::Day => (&mut self.day, 1, 31),
            Part::DayOfYear => (&mut self.day_of_year, 1, 366),
            Part::Weekday => (&mut self.weekday, 1, 7),
            Part::Hour => (&mut self.hour, 0, 23),
            Part::HourFromOne => (&mut self.hour, 1, 24),
            Part::HourOfHalf => (&mut self.hour_of_half, 1, 12),
            Part::HourOfHalfFromZero => (&mut self.hour_of_half, 0, 11),
            Part::Minute => (&mut self.minute, 0, 59),
            Part::Second => (&mut self.second, 0, 59),
            Part::MillisecondOfDay => (&mut self.millisecond_of_day, 0, 86_399_999),
            Part::Nanosecond => (&mut self.nanosecond, 0, 999_999_999),
        };
        if !(least..=most).contains(&value) {
            return None;
        }
        let wraps = matches!((part, value), (Part::HourFromOne, 24) | (Part::HourOfHalf, 12));
        *slot = Some(if wraps { 0 } else { value });
        Some(())
    }

    fn instant(&self, rounding: Rounding, zone: &TimeZone) -> Option<Timestamp> {
        let local = DateTime::from_parts(self.date()?, self.time(rounding)?);
        match &self.zone {
            Some(FoundZone::Offset(seconds)) => {
                Offset::from_seconds(*seconds).ok()?.to_timestamp(local).ok()
            }
            Some(FoundZone::Named(zone)) => zone.to_timestamp(local).ok(),
            None if *zone == TimeZone::UTC => Offset::UTC.to_timestamp(local).ok(),
            None => zone.to_timestamp(local).ok(),
        }
    }

    fn date(&self) -> Option<Date> {
        let narrow = |value: Option<i32>| i8::try_from(value.unwrap_or(1)).ok();
        if let Some(year) = self.week_year {
            let weekday = Weekday::from_monday_one_offset(narrow(self.weekday)?).ok()?;
            let week = ISOWeekDate::new(i16::try_from(year).ok()?, narrow(self.week)?, weekday);
            return week.ok().map(Date::from_iso_week_date);
        }
        let year = i16::try_from(self.year.unwrap_or(1970)).ok()?;
        let year = if self.before_christ { 1 - year } else { year };
        if let Some(day) = self.day_of_year {
            let first = Date::new(year, 1, 1).ok()?;
            return first.with().day_of_year(i16::try_from(day).ok()?).build().ok();
        }
        let date = Date::new(year, narrow(self.month)?, narrow(self.day)?).ok()?;
        let named = self.weekday.and_then(|day| i8::try_from(day).ok());
        let agrees = named.is_none_or(|day| date.weekday().to_monday_one_offset() == day);
        agrees.then_some(date)
    }

    fn time(&self, rounding: Rounding) -> Option<Time> {
        if let Some(millis) = self.millisecond_of_day {
            let of = |divisor: i32, modulus: i32| i8::try_from(millis / divisor % modulus).ok();
            let nanos = millis % 1000 * 1_000_000;
            return Time::new(of(3_600_000, 24)?, of(60_000, 60)?, of(1000, 60)?, nanos).ok();
        }
        let hour = match (self.hour, self.hour_of_half) {
            (Some(hour), _) => Some(hour),
            (None, Some(hour)) => Some(hour + if self.afternoon? { 12 } else { 0 }),
            (None, None) => None,
        };
        let fill = |value: Option<i32>, last: i32| {
            value.unwrap_or(if rounding == Rounding::Up { last } else { 0 })
        };
        let narrow = |value: i32| i8::try_from(value).ok();
        Time::new(
            narrow(fill(hour, 23))?,
            narrow(fill(self.minute, 59))?,
            narrow(fill(self.second, 59))?,
            fill(self.nanosecond, 999_999_999),
        )
        .ok()
    }
}
