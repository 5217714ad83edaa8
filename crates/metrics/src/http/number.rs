//! Numbers and times as Go writes them, which is how Prometheus's clients expect them.

use std::io::Write;

/// Below it every whole number is an `f64` of its own, so that it is its shortest form too.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// From here on the general form has an exponent.
const GENERAL_PLAIN_BELOW: f64 = 1e6;

/// Appends the shortest decimal form without an exponent; `NaN`, `+Inf` and `-Inf` by name.
///
/// Source: Go, `strconv.FormatFloat(value, 'f', -1, 64)`.
pub(super) fn push_decimal(out: &mut Vec<u8>, value: f64) {
    if let Some(name) = special_name(value) {
        out.extend_from_slice(name);
    } else if value.trunc() == value && value.abs() < WHOLE_MAX && !is_negative_zero(value) {
        // Counters and counts are whole, and whole numbers are written several times faster.
        push_whole(out, value as i64);
    } else {
        push_display(out, value);
    }
}

/// Appends the form that the Prometheus text format has: with an exponent below 1e-4 and from 1e6.
///
/// Source: Go, `strconv.FormatFloat(value, 'g', -1, 64)`; Prometheus, `expfmt`.
pub(super) fn push_general(out: &mut Vec<u8>, value: f64) {
    if let Some(name) = special_name(value) {
        return out.extend_from_slice(name);
    }
    let magnitude = value.abs();
    if value == 0.0 {
        // Of either sign, which the text format does without.
        out.push(b'0');
    } else if (1e-4..GENERAL_PLAIN_BELOW).contains(&magnitude) {
        push_decimal(out, value);
    } else {
        push_exponent(out, value);
    }
}

/// Appends the form that Go's JSON has: with an exponent below 1e-6 and from 1e21.
pub(super) fn push_json(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    if value.is_finite() && value != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        push_exponent(out, value);
    } else {
        push_decimal(out, value);
    }
}

/// Returns the shortest form that has an exponent, as in `1e+00`.
///
/// Source: Go, `strconv.FormatFloat(value, 'e', -1, 64)`.
pub(super) fn exponential(value: f64) -> String {
    let mut out = Vec::new();
    match special_name(value) {
        Some(name) => out.extend_from_slice(name),
        None => push_exponent(&mut out, value),
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a time in milliseconds as seconds, with three decimals unless it is a whole second.
pub(super) fn push_timestamp(out: &mut Vec<u8>, timestamp_ms: i64) {
    if timestamp_ms < 0 {
        out.push(b'-');
    }
    let magnitude_ms = timestamp_ms.unsigned_abs();
    push_unsigned(out, magnitude_ms / 1000);
    let fraction_ms = magnitude_ms % 1000;
    if fraction_ms != 0 {
        let digit = |divisor: u64| b'0' + (fraction_ms / divisor % 10) as u8;
        out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
    }
}

/// Appends a whole number.
pub(super) fn push_whole(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_unsigned(out, value.unsigned_abs());
}

fn push_unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

fn special_name(value: f64) -> Option<&'static [u8]> {
    if value.is_nan() {
        Some(b"NaN")
    } else if value.is_infinite() {
        Some(if value > 0.0 { b"+Inf" } else { b"-Inf" })
    } else {
        None
    }
}

fn is_negative_zero(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

fn push_display(out: &mut Vec<u8>, value: f64) {
    write!(out, "{value}").expect("a vector takes whatever is written to it");
}

/// Appends the shortest form with an exponent of at least two digits.
fn push_exponent(out: &mut Vec<u8>, value: f64) {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').expect("the form has an exponent");
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    write!(out, "{digits}e{sign}{exponent:0>2}").expect("a vector takes whatever is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    type Push = fn(&mut Vec<u8>, f64);

    #[track_caller]
    fn check(push: Push, value: f64, expected: &str) {
        let mut out = Vec::new();
        push(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{value:e}");
    }

    #[test]
    fn decimals_have_no_exponent() {
        check(push_decimal, 0.0, "0");
        check(push_decimal, -0.0, "-0");
        check(push_decimal, 1.0, "1");
        check(push_decimal, -42.0, "-42");
        check(push_decimal, 0.1, "0.1");
        check(push_decimal, 123_456_789.123, "123456789.123");
        check(push_decimal, 9_007_199_254_740_991.0, "9007199254740991");
        check(push_decimal, 9_007_199_254_740_993.0, "9007199254740992");
        check(push_decimal, 1e21, "1000000000000000000000");
        check(push_decimal, 1e-10, "0.0000000001");
        check(push_decimal, f64::NAN, "NaN");
        check(push_decimal, f64::INFINITY, "+Inf");
        check(push_decimal, f64::NEG_INFINITY, "-Inf");
    }

    #[test]
    fn decimals_are_read_back_as_they_were() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            let read: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            assert!(read == value || value.is_nan(), "{value:e}");
        }
    }

    #[test]
    fn the_general_form_has_an_exponent_where_go_puts_one() {
        check(push_general, 0.0, "0");
        check(push_general, -0.0, "0");
        check(push_general, 100_000.0, "100000");
        check(push_general, 1_000_000.0, "1e+06");
        check(push_general, 84_138_664.0, "8.4138664e+07");
        check(push_general, 999_999.5, "999999.5");
        check(push_general, 0.0001, "0.0001");
        check(push_general, 6.6183e-05, "6.6183e-05");
        check(push_general, -1.5e300, "-1.5e+300");
        check(push_general, f64::NAN, "NaN");
    }

    #[test]
    fn numbers_of_json_have_an_exponent_where_go_puts_one() {
        check(push_json, 8.21e-7, "8.21e-07");
        check(push_json, 0.000_001, "0.000001");
        check(push_json, 1e21, "1e+21");
        check(push_json, 123.5, "123.5");
        check(push_json, f64::NAN, "NaN");
        check(push_json, f64::NEG_INFINITY, "-Inf");
        check(push_json, 0.0, "0");
    }

    #[test]
    fn the_exponential_form_always_has_an_exponent() {
        let cases = [(1.0, "1e+00"), (0.0, "0e+00"), (-0.0, "-0e+00"), (1234.5, "1.2345e+03")];
        let special = [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-Inf"), (2.5e-310, "2.5e-310")];
        for (value, expected) in cases.into_iter().chain(special) {
            assert_eq!(exponential(value), expected);
        }
    }

    #[track_caller]
    fn check_timestamp(timestamp_ms: i64, expected: &str) {
        let mut out = Vec::new();
        push_timestamp(&mut out, timestamp_ms);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn times_have_three_decimals_or_none() {
        check_timestamp(0, "0");
        check_timestamp(5_000, "5");
        check_timestamp(5_120, "5.120");
        check_timestamp(1_795_504_931_005, "1795504931.005");
        check_timestamp(-1, "-0.001");
        check_timestamp(-1_500, "-1.500");
        check_timestamp(i64::MIN, "-9223372036854775.808");
    }
}
