//! Dates and date math, worked out with civil times.

use jiff::civil::{Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use serde_json::Value;

/// 2026-04-01T10:07:42.500Z.
pub(crate) const NOW_MS: i64 = 1_775_038_062_500;

/// Returns the zone of a name or an offset as in `+05:30`.
pub(crate) fn zone(name: &str) -> TimeZone {
    match offset_s(name) {
        Some(seconds) => jiff::tz::Offset::from_seconds(seconds).unwrap().to_time_zone(),
        None => TimeZone::get(name).unwrap(),
    }
}

/// Reads `Z`, `+05:30` or `-08:00` as seconds.
fn offset_s(text: &str) -> Option<i32> {
    if text == "Z" || text == "UTC" {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    Some(sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60))
}

/// Returns the milliseconds of a date, or of date math; `up` fills and rounds to the last millisecond.
pub(crate) fn read(value: &Value, format: Option<&str>, zone: &TimeZone, up: bool) -> i64 {
    let text = match value {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    if let Some(math) = text.strip_prefix("now") {
        return calculate(zoned(NOW_MS, zone), math, up);
    }
    match text.split_once("||") {
        Some((base, math)) => calculate(zoned(plain(base, format, zone, false), zone), math, up),
        None => plain(&text, format, zone, up),
    }
}

fn zoned(ms: i64, zone: &TimeZone) -> ZonedDateTime {
    Timestamp::from_millisecond(ms).unwrap().to_zoned_datetime(zone.clone())
}

fn plain(text: &str, format: Option<&str>, zone: &TimeZone, up: bool) -> i64 {
    match format {
        Some("epoch_second") => return text.parse::<i64>().unwrap() * 1000,
        Some("dd/MM/yyyy") => {
            let parts: Vec<&str> = text.split('/').collect();
            return plain(&format!("{}-{}-{}", parts[2], parts[1], parts[0]), None, zone, up);
        }
        _ => {}
    }
    let is_number = text.len() > 4 && text.bytes().all(|it| it.is_ascii_digit());
    if is_number {
        return text.parse().unwrap();
    }
    let (day, time) = text.split_once('T').unwrap_or((text, ""));
    // Months and days that are left out are the first ones, however the time is filled.
    let parts: Vec<i16> = day.split('-').map(|it| it.parse().unwrap()).collect();
    let part = |at: usize| i8::try_from(parts.get(at).copied().unwrap_or(1)).unwrap();
    let day = date(parts[0], part(1), part(2));
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, suffix) = time.split_at(zone_at);
    let (time, ms) = time.split_once('.').unwrap_or((time, ""));
    let mut numbers = time.split(':').map(|it| it.parse::<i8>().ok());
    let mut next = |last: i8| numbers.next().flatten().unwrap_or(if up { last } else { 0 });
    let (hour, minute, second) = (next(23), next(59), next(59));
    let ms = ms.parse().unwrap_or(if up { 999 } else { 0 });
    let zone = if suffix.is_empty() { zone.clone() } else { self::zone(suffix) };
    let local = day.at(hour, minute, second, ms * 1_000_000);
    local.to_zoned_datetime(zone).unwrap().timestamp().as_millisecond()
}

/// Applies `+1d`, `-30m`, `/h` and so on, from left to right.
fn calculate(mut at: ZonedDateTime, math: &str, up: bool) -> i64 {
    let mut rest = math;
    while !rest.is_empty() {
        let (operator, behind) = rest.split_at(1);
        let digits = behind.find(|it: char| !it.is_ascii_digit()).unwrap();
        let (amount, behind) = behind.split_at(digits);
        let (unit, behind) = behind.split_at(1);
        rest = behind;
        if operator == "/" {
            let start = floor(&at, unit);
            at = match up {
                true => add(&start, 1, unit).checked_sub(1.millisecond()).unwrap(),
                false => start,
            };
            continue;
        }
        let amount: i64 = amount.parse().unwrap_or(1);
        at = add(&at, if operator == "-" { -amount } else { amount }, unit);
    }
    at.timestamp().as_millisecond()
}

/// Returns the start of the unit that an instant lies in.
pub(crate) fn floor(at: &ZonedDateTime, unit: &str) -> ZonedDateTime {
    let day = at.date();
    let midnight = |day: jiff::civil::Date| at.with().date(day).time(jiff::civil::time(0, 0, 0, 0));
    let floored = match unit {
        "s" => at.with().subsec_nanosecond(0),
        "m" => at.with().second(0).subsec_nanosecond(0),
        "h" | "H" => at.with().minute(0).second(0).subsec_nanosecond(0),
        "d" => midnight(day),
        "w" => {
            let behind = i64::from(day.weekday().since(Weekday::Monday));
            midnight(day.checked_sub(behind.days()).unwrap())
        }
        "M" => midnight(day.first_of_month()),
        "q" => midnight(date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1)),
        _ => midnight(day.first_of_year()),
    };
    floored.build().unwrap()
}

/// Adds units: days and longer ones by the calendar, the others by the clock.
pub(crate) fn add(at: &ZonedDateTime, amount: i64, unit: &str) -> ZonedDateTime {
    let span = match unit {
        "s" => amount.seconds(),
        "m" => amount.minutes(),
        "h" | "H" => amount.hours(),
        "d" => amount.days(),
        "w" => amount.weeks(),
        "M" => amount.months(),
        "q" => (3 * amount).months(),
        _ => amount.years(),
    };
    at.checked_add(span).unwrap()
}

/// Writes an instant as date fields do by default.
pub(crate) fn write(ms: i64, zone: &TimeZone) -> String {
    let text = zoned(ms, zone).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string();
    match text.strip_suffix("+00:00") {
        Some(utc) if *zone == TimeZone::UTC => format!("{utc}Z"),
        _ => text,
    }
}
