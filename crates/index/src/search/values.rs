//! Numbers and addresses as columns keep them, as requests spell them, and as answers show them.
//!
//! A number travels as its *monotonic form*: the `u64` that sorts as the number does among its kind.

use std::net::{IpAddr, Ipv6Addr};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::FieldKind;
use pampero_opensearch::date::DateFormat;
use serde_json::Value;
use tantivy::columnar::MonotonicallyMappableToU64;

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NumberKind {
    /// Signed integers.
    Long,
    /// Unsigned integers.
    Unsigned,
    /// Decimals.
    Double,
    /// 0 and 1.
    Boolean,
    /// Milliseconds since 1970.
    Millis,
    /// Nanoseconds since 1970.
    Nanos,
}

/// Writes numbers into answers.
#[derive(Debug)]
pub(super) struct Number;

impl Number {
    /// Writes a score with as few digits as tell it from its neighbours.
    pub(super) fn from_f32(score: f32) -> Value {
        score.to_string().parse::<f64>().map_or(Value::Null, Value::from)
    }

    /// Writes a decimal; what JSON cannot hold becomes text.
    pub(super) fn from_f64(number: f64) -> Value {
        match serde_json::Number::from_f64(number) {
            Some(number) => Value::Number(number),
            None if number.is_nan() => Value::from("NaN"),
            None => Value::from(if number > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }
}

impl NumberKind {
    /// Returns the kind of a field's column; `None` when it holds strings or nothing.
    pub(super) fn of(kind: &FieldKind) -> Option<Self> {
        match kind {
            FieldKind::Integer(_) => Some(Self::Long),
            FieldKind::UnsignedLong => Some(Self::Unsigned),
            FieldKind::Float(_) => Some(Self::Double),
            FieldKind::Boolean => Some(Self::Boolean),
            FieldKind::Date { nanos: false, .. } => Some(Self::Millis),
            FieldKind::Date { nanos: true, .. } => Some(Self::Nanos),
            FieldKind::Text { .. } | FieldKind::Keyword { .. } | FieldKind::Ip => None,
        }
    }

    /// Returns the kind that both can be brought to.
    pub(super) fn wider(self, other: Self) -> Self {
        let either = |kind| self == kind || other == kind;
        if self == other {
            self
        } else if either(Self::Double) || either(Self::Unsigned) {
            Self::Double
        } else if either(Self::Nanos) {
            Self::Nanos
        } else if either(Self::Millis) {
            Self::Millis
        } else {
            Self::Long
        }
    }

    /// Brings a number of `self` to another kind, in monotonic form; too large ones become the largest.
    pub(super) fn convert(self, number: u64, to: Self) -> u64 {
        if self == to {
            return number;
        }
        match to {
            Self::Double => self.to_f64(number).to_u64(),
            Self::Unsigned => u64::try_from(self.to_i64(number)).unwrap_or(0),
            Self::Boolean => u64::from(self.to_i64(number) != 0),
            Self::Nanos if self == Self::Millis => {
                self.to_i64(number).saturating_mul(1_000_000).to_u64()
            }
            Self::Millis if self == Self::Nanos => {
                self.to_i64(number).div_euclid(1_000_000).to_u64()
            }
            Self::Long | Self::Millis | Self::Nanos => self.to_i64(number).to_u64(),
        }
    }

    /// Returns the number itself, as a decimal.
    #[expect(clippy::cast_precision_loss, reason = "a decimal is what is asked for")]
    pub(super) fn to_f64(self, number: u64) -> f64 {
        match self {
            Self::Double => f64::from_u64(number),
            Self::Unsigned | Self::Boolean => number as f64,
            Self::Long | Self::Millis | Self::Nanos => i64::from_u64(number) as f64,
        }
    }

    /// Returns the number itself, as an integer; decimals are cut.
    #[expect(clippy::cast_possible_truncation, reason = "decimals are cut, and saturate")]
    fn to_i64(self, number: u64) -> i64 {
        match self {
            Self::Double => f64::from_u64(number) as i64,
            Self::Unsigned | Self::Boolean => i64::try_from(number).unwrap_or(i64::MAX),
            Self::Long | Self::Millis | Self::Nanos => i64::from_u64(number),
        }
    }

    /// Returns the monotonic form of a decimal that is brought to this kind, rounded.
    #[expect(clippy::cast_possible_truncation, reason = "casts from decimals saturate")]
    #[expect(clippy::cast_sign_loss, reason = "casts from decimals saturate")]
    pub(super) fn rounded(self, number: f64) -> u64 {
        match self {
            Self::Double => number.to_u64(),
            Self::Unsigned | Self::Boolean => half_up(number) as u64,
            Self::Long | Self::Millis | Self::Nanos => (half_up(number) as i64).to_u64(),
        }
    }

    /// Reads a number as a request spells it; `None` when it does not fit.
    pub(super) fn read(self, value: &Value, format: Option<&DateFormat>) -> Option<u64> {
        match (self, value) {
            (Self::Double, Value::Number(number)) => number.as_f64().map(f64::to_u64),
            // The ends of the order stand for the lack of a value.
            (Self::Double, Value::String(text)) => match text.parse::<f64>().ok()? {
                f64::INFINITY => Some(u64::MAX),
                f64::NEG_INFINITY => Some(u64::MIN),
                number => Some(number.to_u64()),
            },
            (Self::Unsigned, Value::Number(number)) => number.as_u64(),
            (Self::Unsigned, Value::String(text)) => text.parse().ok(),
            (Self::Long, Value::Bool(it)) => Some(i64::from(*it).to_u64()),
            (Self::Millis | Self::Nanos, Value::String(text)) => {
                let default = DateFormat::default_date();
                let instant = format.unwrap_or(&default).read(text).ok()?;
                self.instant_number(instant)
            }
            (Self::Long | Self::Millis | Self::Nanos, Value::Number(number)) => number
                .as_i64()
                .map(i64::to_u64)
                .or_else(|| number.as_f64().map(|it| Self::Long.rounded(it.trunc()))),
            (Self::Long, Value::String(text)) => match text.as_str() {
                "true" => Some(1_i64.to_u64()),
                "false" => Some(0_i64.to_u64()),
                _ => text.parse::<i64>().ok().map(i64::to_u64),
            },
            _ => None,
        }
    }

    fn instant_number(self, instant: Timestamp) -> Option<u64> {
        match self {
            Self::Nanos => i64::try_from(instant.as_nanosecond()).ok().map(i64::to_u64),
            _ => Some(instant.as_millisecond().to_u64()),
        }
    }

    /// Writes a number as sort values and columns show it: dates as numbers unless there is a format.
    ///
    /// `missing` tells that it stands for the lack of a value at one end of the order.
    pub(super) fn write(self, number: u64, missing: bool, format: Option<&DateFormat>) -> Value {
        match (self, format) {
            (Self::Millis | Self::Nanos, Some(format)) if !missing => {
                match self.timestamp(number) {
                    Some(instant) => Value::from(format.write(instant, &TimeZone::UTC)),
                    None => Value::Null,
                }
            }
            (Self::Double, _) if missing => {
                Number::from_f64(if number == 0 { f64::NEG_INFINITY } else { f64::INFINITY })
            }
            (Self::Double, _) => Number::from_f64(f64::from_u64(number)),
            (Self::Unsigned | Self::Boolean, _) => Value::from(number),
            (Self::Long | Self::Millis | Self::Nanos, _) => Value::from(i64::from_u64(number)),
        }
    }

    /// Returns the instant that a number of a date column means; `None` beyond the years that exist.
    pub(super) fn timestamp(self, number: u64) -> Option<Timestamp> {
        let number = i64::from_u64(number);
        match self {
            Self::Nanos => Timestamp::from_nanosecond(i128::from(number)).ok(),
            _ => Timestamp::from_millisecond(number).ok(),
        }
    }
}

/// Rounds to the next whole number; halves go up, also those below zero.
///
/// Source: Java, `Math.round`, which OpenSearch rounds averages and medians with.
fn half_up(number: f64) -> f64 {
    let below = number.floor();
    if number - below < 0.5 { below } else { below + 1.0 }
}

/// Returns the 32 hexadecimal digits of an address in its IPv6 form.
pub(super) fn address_digits(text: &str) -> Option<String> {
    let address = match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Some(format!("{:032x}", address.to_bits()))
}

/// Returns an address as people write it; digits that are none are given back as they are.
pub(super) fn address_text(digits: &str) -> String {
    let Ok(bits) = u128::from_str_radix(digits, 16) else {
        return digits.to_owned();
    };
    Ipv6Addr::from_bits(bits).to_canonical().to_string()
}
