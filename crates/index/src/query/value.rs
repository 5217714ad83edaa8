//! Values of a query as the columns and terms of a field hold them.

use std::net::IpAddr;
use std::ops::Bound;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::date::{DateContext, DateFormat, Rounding};
use pampero_opensearch::mapping::{Field, FieldKind};
use pampero_opensearch::{Exception, ExceptionKind};
use serde_json::Value;

use super::columns::Number;

/// A pair of bounds.
pub(super) type Range<T> = (Bound<T>, Bound<T>);

/// A bound as it was asked for, with whether it belongs to the range; `None` for none.
pub(super) type Limit<'v> = Option<(&'v Value, bool)>;

/// How the bounds of a range are read.
#[derive(Clone)]
pub(super) struct DateReading {
    pub(super) now: Timestamp,
    pub(super) zone: TimeZone,
    /// How dates are written; `None`: as in the field.
    pub(super) format: Option<DateFormat>,
}

/// Returns a scalar as it is written.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the range of the column that is equal to a value; `None` when no column value can be.
///
/// # Errors
/// `number_format_exception`, `parse_exception` or `illegal_argument_exception`: it is no such value.
pub(super) fn equal(
    field: &Field,
    value: &Value,
    reading: &DateReading,
) -> Result<Option<Range<Number>>, Exception> {
    if let FieldKind::Date { .. } = field.kind {
        let bounds = (Some((value, true)), Some((value, true)));
        return between(field, bounds, reading).map(Some);
    }
    let number = number(field, value)?;
    let point = match (&field.kind, number) {
        (FieldKind::Integer(_) | FieldKind::UnsignedLong, Number::Decimal(decimal)) => {
            if decimal.fract() != 0.0 {
                return Ok(None);
            }
            Number::Whole(decimal as i128)
        }
        (_, number) => number,
    };
    Ok(Some((Bound::Included(point), Bound::Included(point))))
}

/// Returns the range of the column between two values, each with whether it belongs to the range.
///
/// # Errors
/// As [`equal`].
pub(super) fn between(
    field: &Field,
    (lower, upper): (Limit<'_>, Limit<'_>),
    reading: &DateReading,
) -> Result<Range<Number>, Exception> {
    let read = |value: &Value, rounding: Rounding| match &field.kind {
        FieldKind::Date { format, nanos } => date(format, *nanos, value, rounding, reading),
        _ => number(field, value),
    };
    let bound = |bound: Limit<'_>, inclusive, exclusive| match bound {
        None => Ok(Bound::Unbounded),
        Some((value, true)) => read(value, inclusive).map(Bound::Included),
        Some((value, false)) => read(value, exclusive).map(Bound::Excluded),
    };
    // `gt` begins behind the whole unit and `lte` takes all of it in; the other two end before it.
    Ok((bound(lower, Rounding::Down, Rounding::Up)?, bound(upper, Rounding::Up, Rounding::Down)?))
}

fn date(
    of_field: &DateFormat,
    nanos: bool,
    value: &Value,
    rounding: Rounding,
    reading: &DateReading,
) -> Result<Number, Exception> {
    let asked = reading.format.clone().map(|it| if nanos { it.with_nanos() } else { it });
    let format = asked.as_ref().unwrap_or(of_field);
    let context = DateContext { now: reading.now, zone: reading.zone.clone() };
    let instant = format.evaluate(&date_text(value), rounding, &context)?;
    // Milliseconds are cut towards the past, so that the last instant of a unit stays in it.
    let count = instant.as_nanosecond();
    Ok(Number::Whole(if nanos { count } else { count.div_euclid(1_000_000) }))
}

/// Returns a date as it is written; a number of milliseconds may come as a decimal.
fn date_text(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() && number.fract() == 0.0 && number.abs() < 1e18 => {
            (number as i64).to_string()
        }
        _ => text(value),
    }
}

/// Reads a number or a boolean as the column of a field holds it.
fn number(field: &Field, value: &Value) -> Result<Number, Exception> {
    match &field.kind {
        FieldKind::Boolean => boolean(value).map(|it| Number::Whole(i128::from(it))),
        FieldKind::Float(kind) => {
            let decimal = match any_number(value)? {
                Number::Whole(whole) => whole as f64,
                Number::Decimal(decimal) => decimal,
            };
            Ok(Number::Decimal(kind.round(decimal)))
        }
        _ => any_number(value),
    }
}

fn any_number(value: &Value) -> Result<Number, Exception> {
    let text = text(value);
    let trimmed = text.trim();
    if let Ok(whole) = trimmed.parse::<i128>() {
        return Ok(Number::Whole(whole));
    }
    let decimal = trimmed.parse::<f64>().ok().filter(|decimal| decimal.is_finite());
    decimal.map(Number::Decimal).ok_or_else(|| {
        Exception::new(ExceptionKind::NumberFormat, format!("For input string: \"{text}\""))
    })
}

fn boolean(value: &Value) -> Result<bool, Exception> {
    match text(value).as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(Exception::illegal_argument(format!(
            "Can't parse boolean value [{other}], expected [true] or [false]"
        ))),
    }
}

/// Returns the first and the last address that a text stands for: one address, or a network as in
/// `192.168.0.0/16`; both in the 32 digits that terms have.
///
/// # Errors
/// It is no address.
pub(super) fn addresses(text: &str) -> Result<(String, String), Exception> {
    let bad = || Exception::illegal_argument(format!("'{text}' is not an IP string literal."));
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| bad())?;
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_ipv6_mapped()), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let free = match length {
        None => 0,
        Some(length) => {
            let length: u32 = length.parse().map_err(|_| bad())?;
            if length > width {
                return Err(bad());
            }
            width - length
        }
    };
    let mask = u128::MAX.checked_shl(free).unwrap_or(0);
    Ok((format!("{:032x}", bits & mask), format!("{:032x}", bits | !mask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_ranges_of_addresses() {
        let v4 = "00000000000000000000ffff";
        check("10.1.2.3", Some((format!("{v4}0a010203"), format!("{v4}0a010203"))));
        check("10.1.2.3/8", Some((format!("{v4}0a000000"), format!("{v4}0affffff"))));
        check("0.0.0.0/0", Some((format!("{v4}00000000"), format!("{v4}ffffffff"))));
        check("::/0", Some(("0".repeat(32), "f".repeat(32))));
        check(
            "2001:db8::/32",
            Some((
                "20010db8000000000000000000000000".to_owned(),
                "20010db8ffffffffffffffffffffffff".to_owned(),
            )),
        );
        check("10.1.2.3/33", None);
        check("10.1.2", None);
        check("here", None);
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(String, String)>) {
        assert_eq!(addresses(text).ok(), expected, "{text}");
    }
}
