//! Writing an instant with a format.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::parse::{MONTHS, WEEKDAYS};
use super::pattern::{Epoch, Format, Item, Minutes, Part, Zone};

/// Writes an instant as it is in a zone.
pub(super) fn print(format: &Format, instant: Timestamp, zone: &TimeZone) -> String {
    let mut text = String::with_capacity(32);
    match format {
        Format::Epoch(unit) => epoch(*unit, instant, &mut text),
        Format::Items { write, .. } => {
            let zoned = ZonedDateTime::new(instant, zone.clone());
            items(write, &zoned, &mut text);
        }
    }
    text
}

fn epoch(unit: Epoch, instant: Timestamp, text: &mut String) {
    let nanos = instant.as_nanosecond();
    let (scale, places): (i128, usize) = match unit {
        Epoch::Seconds => (1_000_000_000, 9),
        Epoch::Millis => (1_000_000, 6),
        Epoch::Micros => (1000, 3),
    };
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, below) = (nanos.abs() / scale, nanos.abs() % scale);
    push(text, format_args!("{sign}{whole}"));
    if below > 0 {
        let fraction = format!("{below:0places$}");
        push(text, format_args!(".{}", fraction.trim_end_matches('0')));
    }
}

fn items(list: &[Item], zoned: &ZonedDateTime, text: &mut String) {
    for item in list {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Number { part, digits_min, .. } => {
                let value = number(*part, zoned);
                push(text, format_args!("{value:0digits_min$}"));
            }
            Item::Fraction { point, digits_max, .. } => {
                let digits = format!("{:09}", zoned.subsec_nanosecond());
                if *point {
                    let kept = digits.trim_end_matches('0').len().max(3);
                    push(text, format_args!(".{}", &digits[..kept]));
                } else {
                    text.push_str(&digits[..*digits_max]);
                }
            }
            Item::ShortYear => push(text, format_args!("{:02}", zoned.year().rem_euclid(100))),
            Item::Month { full } => {
                let name = MONTHS[usize::from(zoned.month().unsigned_abs()) - 1];
                text.push_str(if *full { name } else { &name[..3] });
            }
            Item::Weekday { full } => {
                let at = zoned.weekday().to_monday_zero_offset();
                let name = WEEKDAYS[usize::from(at.unsigned_abs())];
                text.push_str(if *full { name } else { &name[..3] });
            }
            Item::HalfDay => text.push_str(if zoned.hour() < 12 { "AM" } else { "PM" }),
            Item::Era => text.push_str(if zoned.year() < 1 { "BC" } else { "AD" }),
            Item::Zone(form) => zone(*form, zoned, text),
            Item::Optional(inner) => items(inner, zoned, text),
        }
    }
}

fn number(part: Part, zoned: &ZonedDateTime) -> i64 {
    let hour = i64::from(zoned.hour());
    match part {
        Part::Year => i64::from(zoned.year()),
        Part::WeekYear => i64::from(zoned.iso_week_date().year()),
        Part::Month => i64::from(zoned.month()),
        Part::Week => i64::from(zoned.iso_week_date().week()),
        Part::Day => i64::from(zoned.day()),
        Part::DayOfYear => i64::from(zoned.day_of_year()),
        Part::Weekday => i64::from(zoned.weekday().to_monday_one_offset()),
        Part::Hour => hour,
        Part::HourFromOne => (hour + 23) % 24 + 1,
        Part::HourOfHalf => (hour + 11) % 12 + 1,
        Part::HourOfHalfFromZero => hour % 12,
        Part::Minute => i64::from(zoned.minute()),
        Part::Second => i64::from(zoned.second()),
        Part::MillisecondOfDay => {
            let seconds = hour * 3600 + i64::from(zoned.minute()) * 60 + i64::from(zoned.second());
            seconds * 1000 + i64::from(zoned.millisecond())
        }
        Part::Nanosecond => i64::from(zoned.subsec_nanosecond()),
    }
}

fn zone(form: Zone, zoned: &ZonedDateTime, text: &mut String) {
    let seconds = zoned.offset().seconds();
    match form {
        Zone::Name if zoned.time_zone().iana_name().is_some() => {
            text.push_str(zoned.time_zone().iana_name().unwrap_or_default());
        }
        Zone::Any | Zone::Name => offset(seconds, Minutes::Always, true, true, text),
        Zone::Offset { minutes, colon, zero } => offset(seconds, minutes, colon, zero, text),
    }
}

fn offset(seconds: i32, minutes: Minutes, colon: bool, zero: bool, text: &mut String) {
    if seconds == 0 && zero {
        text.push('Z');
        return;
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let total = seconds.unsigned_abs() / 60;
    push(text, format_args!("{sign}{:02}", total / 60));
    if minutes == Minutes::Always || !total.is_multiple_of(60) {
        push(text, format_args!("{}{:02}", if colon { ":" } else { "" }, total % 60));
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything");
}
