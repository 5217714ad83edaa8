//! Floating-point numbers as Go writes them.
//!
//! Source: Go, `strconv.FormatFloat`.

use std::fmt::Write;

/// No number has more decimals that are not zero.
const DECIMALS_MAX: usize = 1_100;

/// Writes with an exponent if it is below -4 or not below the precision, and without zeros at the end.
///
/// `precision` counts significant digits; `None` takes as few as tell the number from all others.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    if let Some(name) = special(value) {
        return name.to_owned();
    }
    let precision = precision.map(|precision| precision.max(1));
    let (digits, point) = digits(value.abs(), precision);
    // As few digits as possible count as six here.
    let limit = precision.map_or(6, |precision| precision as i64);
    let exponent = point - 1;
    let magnitude = if exponent < -4 || limit <= exponent {
        with_exponent(&digits, exponent, digits.len().saturating_sub(1))
    } else {
        plain(&digits, point)
    };
    signed(value, &magnitude)
}

/// Writes with an exponent of at least two digits and so many decimals.
pub(super) fn exponential(value: f64, decimals: usize) -> String {
    if let Some(name) = special(value) {
        return name.to_owned();
    }
    let (digits, point) = digits(value.abs(), Some(decimals.min(DECIMALS_MAX) + 1));
    let exponent = if digits.is_empty() { 0 } else { point - 1 };
    signed(value, &with_exponent(&digits, exponent, decimals))
}

/// Writes without an exponent and with so many decimals.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if let Some(name) = special(value) {
        return name.to_owned();
    }
    let made = decimals.min(DECIMALS_MAX);
    let mut text = format!("{value:.made$}");
    text.extend(std::iter::repeat_n('0', decimals - made));
    text
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

fn signed(value: f64, magnitude: &str) -> String {
    if value.is_sign_negative() { format!("-{magnitude}") } else { magnitude.to_owned() }
}

/// Returns the significant digits without zeros at the end, and how many stand before the point; zero
/// has none.
fn digits(magnitude: f64, precision: Option<usize>) -> (String, i64) {
    let written = match precision {
        None => format!("{magnitude:e}"),
        Some(precision) => format!("{magnitude:.*e}", precision.min(DECIMALS_MAX) - 1),
    };
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0').to_owned();
    let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
    (digits, point)
}

fn with_exponent(digits: &str, exponent: i64, decimals: usize) -> String {
    let (first, rest) = digits.split_at(digits.len().min(1));
    let mut text = String::from(if first.is_empty() { "0" } else { first });
    if 0 < decimals {
        text.push('.');
        text.push_str(rest);
        text.extend(std::iter::repeat_n('0', decimals.saturating_sub(rest.len())));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing into a text cannot fail.
    let _ = write!(text, "e{sign}{:02}", exponent.abs());
    text
}

fn plain(digits: &str, point: i64) -> String {
    let Ok(whole) = usize::try_from(point) else {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        return format!("0.{zeros}{digits}");
    };
    if digits.len() <= whole {
        let zeros = "0".repeat(whole - digits.len());
        return if whole == 0 { "0".to_owned() } else { format!("{digits}{zeros}") };
    }
    let (before, after) = digits.split_at(whole);
    format!("{}.{after}", if before.is_empty() { "0" } else { before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_has_an_exponent_from_a_million_on() {
        check_general(0.0, None, "0");
        check_general(-0.0, None, "-0");
        check_general(1.0, None, "1");
        check_general(123_456.0, None, "123456");
        check_general(100_000.0, None, "100000");
        check_general(1e6, None, "1e+06");
        check_general(1_234_567.891, None, "1.234567891e+06");
        check_general(0.000_12, None, "0.00012");
        check_general(0.000_012, None, "1.2e-05");
        check_general(1e21, None, "1e+21");
        check_general(5e-324, None, "5e-324");
        check_general(f64::INFINITY, None, "+Inf");
    }

    #[test]
    fn precision_counts_significant_digits() {
        check_general(1234.567, Some(4), "1235");
        check_general(12345.67, Some(4), "1.235e+04");
        check_general(999.999_9, Some(4), "1000");
        check_general(0.5, Some(4), "0.5");
        check_general(100.0, Some(2), "1e+02");
        check_general(100.0, Some(0), "1e+02");
        check_general(100_000.0, Some(20), "100000");
    }

    #[track_caller]
    fn check_general(value: f64, precision: Option<usize>, expected: &str) {
        assert_eq!(general(value, precision), expected, "{value:?} to {precision:?}");
    }

    #[test]
    fn decimals_are_as_many_as_asked_for() {
        assert_eq!(fixed(2.5, 0), "2");
        assert_eq!(fixed(-1.005, 2), "-1.00");
        assert_eq!(fixed(0.5, 2_000).len(), 2_002);
        assert_eq!(exponential(1234.5, 2), "1.23e+03");
        assert_eq!(exponential(0.0, 1), "0.0e+00");
        assert_eq!(exponential(1.0, 2_000).len(), 2_006);
    }
}
