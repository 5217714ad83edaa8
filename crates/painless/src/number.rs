//! Numbers as Java has them: four types, promotion, wrapping, truncation, and how they are written.
//!
//! Source: The Java Language Specification, chapters 4.2, 5.1, 5.6 and 15.17; `Double.toString` of Java 19
//! and newer, which writes the shortest digits that are read back as the same number.

use std::cmp::Ordering;
use std::fmt;

/// A number, with the type that decides how it is calculated with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

/// Two numbers after promotion to the wider of their types.
enum Promoted {
    Int(i32, i32),
    Long(i64, i64),
    Float(f32, f32),
    Double(f64, f64),
}

impl Number {
    /// Reads a number of JSON as OpenSearch does: the narrowest integer that holds it, else a double.
    pub(crate) fn of_json(number: &serde_json::Number) -> Self {
        match number.as_i64() {
            Some(long) => i32::try_from(long).map_or(Self::Long(long), Self::Int),
            None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// Returns the number in JSON, or `None` for NaN and the infinite ones.
    pub(crate) fn into_json(self) -> Option<serde_json::Number> {
        match self {
            Self::Int(int) => Some(int.into()),
            Self::Long(long) => Some(long.into()),
            // By its digits, since 0.1f is 0.10000000149011612 as a double.
            Self::Float(float) => serde_json::Number::from_f64(float.to_string().parse().ok()?),
            Self::Double(double) => serde_json::Number::from_f64(double),
        }
    }

    /// Returns the name of the type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Long(_) => "long",
            Self::Float(_) => "float",
            Self::Double(_) => "double",
        }
    }

    /// Calculates; `None` is an integer divided by zero.
    pub(crate) fn calculate(self, operator: Arithmetic, right: Self) -> Option<Self> {
        Some(match promote(self, right) {
            Promoted::Int(left, right) => Self::Int(match operator {
                Arithmetic::Add => left.wrapping_add(right),
                Arithmetic::Subtract => left.wrapping_sub(right),
                Arithmetic::Multiply => left.wrapping_mul(right),
                Arithmetic::Divide if right != 0 => left.wrapping_div(right),
                Arithmetic::Remainder if right != 0 => left.wrapping_rem(right),
                Arithmetic::Divide | Arithmetic::Remainder => return None,
            }),
            Promoted::Long(left, right) => Self::Long(match operator {
                Arithmetic::Add => left.wrapping_add(right),
                Arithmetic::Subtract => left.wrapping_sub(right),
                Arithmetic::Multiply => left.wrapping_mul(right),
                Arithmetic::Divide if right != 0 => left.wrapping_div(right),
                Arithmetic::Remainder if right != 0 => left.wrapping_rem(right),
                Arithmetic::Divide | Arithmetic::Remainder => return None,
            }),
            Promoted::Float(left, right) => Self::Float(match operator {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => left % right,
            }),
            Promoted::Double(left, right) => Self::Double(match operator {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => left % right,
            }),
        })
    }

    pub(crate) fn negate(self) -> Self {
        match self {
            Self::Int(int) => Self::Int(int.wrapping_neg()),
            Self::Long(long) => Self::Long(long.wrapping_neg()),
            Self::Float(float) => Self::Float(-float),
            Self::Double(double) => Self::Double(-double),
        }
    }

    /// Compares by value after promotion; `None` with NaN.
    pub(crate) fn compare(self, right: Self) -> Option<Ordering> {
        match promote(self, right) {
            Promoted::Int(left, right) => Some(left.cmp(&right)),
            Promoted::Long(left, right) => Some(left.cmp(&right)),
            Promoted::Float(left, right) => left.partial_cmp(&right),
            Promoted::Double(left, right) => left.partial_cmp(&right),
        }
    }

    /// Returns what `equals` of Java says: the same type and the same value.
    pub(crate) fn equals(self, right: Self) -> bool {
        match (self, right) {
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Long(left), Self::Long(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => {
                left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan()
            }
            (Self::Double(left), Self::Double(right)) => {
                left.to_bits() == right.to_bits() || left.is_nan() && right.is_nan()
            }
            _ => false,
        }
    }

    pub(crate) fn to_int(self) -> i32 {
        match self {
            Self::Int(int) => int,
            Self::Long(long) => long as i32,
            Self::Float(float) => float as i32,
            Self::Double(double) => double as i32,
        }
    }

    pub(crate) fn to_long(self) -> i64 {
        match self {
            Self::Int(int) => i64::from(int),
            Self::Long(long) => long,
            Self::Float(float) => float as i64,
            Self::Double(double) => double as i64,
        }
    }

    pub(crate) fn to_float(self) -> f32 {
        match self {
            Self::Int(int) => int as f32,
            Self::Long(long) => long as f32,
            Self::Float(float) => float,
            Self::Double(double) => double as f32,
        }
    }

    pub(crate) fn to_double(self) -> f64 {
        match self {
            Self::Int(int) => f64::from(int),
            Self::Long(long) => long as f64,
            Self::Float(float) => f64::from(float),
            Self::Double(double) => double,
        }
    }
}

fn promote(left: Number, right: Number) -> Promoted {
    use Number::{Double, Float, Int, Long};
    match (left, right) {
        (Double(_), _) | (_, Double(_)) => Promoted::Double(left.to_double(), right.to_double()),
        (Float(_), _) | (_, Float(_)) => Promoted::Float(left.to_float(), right.to_float()),
        (Long(_), _) | (_, Long(_)) => Promoted::Long(left.to_long(), right.to_long()),
        (Int(left), Int(right)) => Promoted::Int(left, right),
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(formatter, "{int}"),
            Self::Long(long) => write!(formatter, "{long}"),
            Self::Float(float) if float.is_finite() => {
                write_digits(formatter, &format!("{float:e}"))
            }
            Self::Double(double) if double.is_finite() => {
                let mut digits = format!("{double:e}");
                // Of numbers with one digit, Java writes the nearest with two: 4.9E-324, not 5.0E-324.
                let two = format!("{double:.1e}");
                if !digits.contains('.') && two.parse() == Ok(*double) {
                    digits = two;
                }
                write_digits(formatter, &digits)
            }
            other => formatter.write_str(match other.to_double() {
                double if double.is_nan() => "NaN",
                double if double < 0.0 => "-Infinity",
                _ => "Infinity",
            }),
        }
    }
}

/// Writes what Rust writes as `1.25e3` as Java does: `1250.0`, and with an exponent from 1.0E7 and below
/// 0.001.
fn write_digits(formatter: &mut fmt::Formatter<'_>, scientific: &str) -> fmt::Result {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    if whole == "0" || exponent == 0 {
        return write!(formatter, "{sign}{whole}.{fraction}");
    }
    if !(-3..7).contains(&exponent) {
        return write!(formatter, "{sign}{whole}.{fraction}E{exponent}");
    }
    let digits = format!("{whole}{}", if fraction == "0" { "" } else { fraction });
    let places = exponent.unsigned_abs() as usize;
    if exponent < 0 {
        return write!(formatter, "{sign}0.{}{digits}", "0".repeat(places - 1));
    }
    let digits = format!("{digits:0<width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(places + 1);
    write!(formatter, "{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

/// Reads a text as `Integer.parseInt` and `Long.parseLong` do: digits with an optional sign.
pub(crate) fn parse_long(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// Reads a text as `Double.parseDouble` does, except for hexadecimal digits.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let text = text.trim_matches(|character| character <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "NaN" || unsigned == "Infinity" {
        return text.parse().ok();
    }
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok()
}

/// Rounds as `Math.round` does: to the nearest, halves up.
pub(crate) fn round(double: f64) -> i64 {
    let floor = double.floor();
    if double - floor >= 0.5 { (floor + 1.0) as i64 } else { floor as i64 }
}

/// Returns the larger as `Math.max` does: NaN if one is, and 0.0 above -0.0.
pub(crate) fn max(left: f64, right: f64) -> f64 {
    if left.is_nan() || right.is_nan() {
        return f64::NAN;
    }
    if left == right && left.is_sign_negative() { right } else { left.max(right) }
}

/// Returns the smaller as `Math.min` does.
pub(crate) fn min(left: f64, right: f64) -> f64 {
    -max(-left, -right)
}

/// Returns the power as `Math.pow` does, which knows no power of 1 to what is not known.
pub(crate) fn pow(base: f64, exponent: f64) -> f64 {
    if exponent.is_nan() || base.abs() == 1.0 && exponent.is_infinite() {
        return f64::NAN;
    }
    base.powf(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_writes_them() {
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(1.0, "1.0");
        check(100.0, "100.0");
        check(-35.5, "-35.5");
        check(1_234_567.0, "1234567.0");
        check(9_999_999.0, "9999999.0");
        check(1e7, "1.0E7");
        check(12_345_678.9, "1.23456789E7");
        check(0.001, "0.001");
        check(0.012, "0.012");
        check(0.00099, "9.9E-4");
        check(1e-5, "1.0E-5");
        check(1e21, "1.0E21");
        check(1.0 / 3.0, "0.3333333333333333");
        check(f64::MAX, "1.7976931348623157E308");
        check(5e-324, "4.9E-324");
        check(f64::NAN, "NaN");
        check(f64::INFINITY, "Infinity");
        check(f64::NEG_INFINITY, "-Infinity");
    }

    #[track_caller]
    fn check(double: f64, written: &str) {
        assert_eq!(Number::Double(double).to_string(), written);
    }

    #[test]
    fn floats_are_written_with_their_own_digits() {
        for (float, written) in [
            (0.1, "0.1"),
            (1e10, "1.0E10"),
            (1.0 / 3.0, "0.33333334"),
            (16_777_216.0, "1.6777216E7"),
        ] {
            assert_eq!(Number::Float(float).to_string(), written);
        }
    }

    #[test]
    fn halves_are_rounded_up() {
        for (double, rounded) in [
            (2.5, 3),
            (-2.5, -2),
            (0.499_999_999_999_999_94, 0),
            (1e30, i64::MAX),
            (-1e30, i64::MIN),
            (f64::NAN, 0),
        ] {
            assert_eq!(round(double), rounded, "{double}");
        }
    }

    #[test]
    fn texts_are_read_as_java_reads_them() {
        for (text, read) in [
            ("1d", Some(1.0)),
            (" 2.5 ", Some(2.5)),
            ("1e3", Some(1000.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+1", Some(1.0)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("inf", None),
            ("nan", None),
            ("", None),
            ("1,5", None),
            ("1dd", None),
        ] {
            assert_eq!(parse_double(text), read, "{text:?}");
        }
    }

    #[test]
    fn extremes_know_the_sign_of_zero_and_nan() {
        assert!(min(-0.0, 0.0).is_sign_negative() && min(0.0, -0.0).is_sign_negative());
        assert!(max(-0.0, 0.0).is_sign_positive() && max(0.0, -0.0).is_sign_positive());
        assert!(max(f64::NAN, 1.0).is_nan() && min(1.0, f64::NAN).is_nan());
        assert_eq!((max(-3.0, 2.0), min(-3.0, 2.0)), (2.0, -3.0));
        assert!(pow(1.0, f64::NAN).is_nan() && pow(-1.0, f64::INFINITY).is_nan());
        assert_eq!(pow(2.0, 10.0), 1024.0);
    }
}
