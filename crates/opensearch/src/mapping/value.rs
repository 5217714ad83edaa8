//! Values of documents as their fields keep them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use super::{Field, FieldKind, FieldValue, FloatKind, IntegerKind, preview};
use crate::date::millis;
use crate::{Exception, ExceptionKind};

/// Most bytes of a whole string that is indexed.
const TERM_MAX: usize = 32_766;

/// A plain value of a document, `null` apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Boolean(bool),
    Integer(i64),
    /// Beyond the greatest `i64`.
    Unsigned(u64),
    Decimal(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Reads a JSON value; `None` for `null`, lists and objects.
    pub(super) fn from_json(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Boolean(*value),
            Value::String(text) => Self::Text(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Integer(value),
                (None, Some(value)) => Self::Unsigned(value),
                (None, None) => Self::Decimal(number.as_f64()?),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        })
    }

    /// Returns the value as a text. Decimals are written in their shortest form, with a point.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Unsigned(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(format!("{value:?}")),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// Brings a value to the form in which its field keeps it; `None` when nothing is kept of it.
///
/// # Errors
/// What the mapper says that the value does not fit, to be put under the name of the field.
pub(super) fn convert(
    field: &Field,
    coerce: bool,
    scalar: Scalar<'_>,
) -> Result<Option<FieldValue>, Exception> {
    let value = match &field.kind {
        FieldKind::Text { analyzer, .. } => FieldValue::Text(*analyzer, scalar.text().into_owned()),
        FieldKind::Keyword { ignore_above, lowercase } => {
            let text = scalar.text();
            // As many bytes hold no more characters, which spares counting them.
            let long = |limit: usize| text.len() > limit && text.chars().count() > limit;
            if ignore_above.is_some_and(long) {
                return Ok(None);
            }
            check_term(&field.path, &text)?;
            FieldValue::Keyword(if *lowercase { text.to_lowercase() } else { text.into_owned() })
        }
        // An empty text is no number and no error while numbers may be texts.
        FieldKind::Integer(_) | FieldKind::UnsignedLong | FieldKind::Float(_)
            if coerce && scalar == Scalar::Text("") =>
        {
            return Ok(None);
        }
        FieldKind::Integer(kind) => FieldValue::Long(integer(*kind, coerce, scalar)?),
        FieldKind::UnsignedLong => FieldValue::Unsigned(unsigned(coerce, scalar)?),
        FieldKind::Float(kind) => FieldValue::Double(decimal(*kind, coerce, scalar)?),
        FieldKind::Boolean => FieldValue::Boolean(boolean(scalar)?),
        FieldKind::Date { format, nanos } => {
            let instant = format.read(&scalar.text())?;
            FieldValue::Long(if *nanos { nanoseconds(instant)? } else { millis(instant) })
        }
        FieldKind::Ip => FieldValue::Keyword(address(&scalar.text())?),
    };
    Ok(Some(value))
}

/// Refuses a whole string that is too long for one term.
///
/// Source: Lucene, `IndexWriter.MAX_TERM_LENGTH`.
pub(super) fn check_term(path: &str, text: &str) -> Result<(), Exception> {
    if text.len() <= TERM_MAX {
        return Ok(());
    }
    Err(Exception::illegal_argument(format!(
        "Document contains at least one immense term in field=\"{path}\" (whose UTF8 encoding is \
         longer than the max length {TERM_MAX}); use [ignore_above] to leave such values out"
    )))
}

/// Returns the nanoseconds since 1970, which a column holds for the years 1970 to 2262.
fn nanoseconds(instant: jiff::Timestamp) -> Result<i64, Exception> {
    let nanos = i64::try_from(instant.as_nanosecond()).ok().filter(|nanos| *nanos >= 0);
    nanos.ok_or_else(|| {
        let (side, edge) = if instant < jiff::Timestamp::UNIX_EPOCH {
            ("before the epoch in 1970", "be stored")
        } else {
            ("after 2262-04-11T23:47:16.854775807", "be stored")
        };
        Exception::illegal_argument(format!(
            "date[{instant}] is {side} and cannot {edge} in nanosecond resolution"
        ))
    })
}

fn boolean(scalar: Scalar<'_>) -> Result<bool, Exception> {
    match scalar {
        Scalar::Boolean(value) => Ok(value),
        Scalar::Text("true") => Ok(true),
        Scalar::Text("false" | "") => Ok(false),
        Scalar::Text(text) => Err(Exception::illegal_argument(format!(
            "Failed to parse value [{}] as only [true] or [false] are allowed.",
            preview(text)
        ))),
        Scalar::Integer(_) | Scalar::Unsigned(_) => {
            Err(token("VALUE_NUMBER_INT", "of boolean type"))
        }
        Scalar::Decimal(_) => Err(token("VALUE_NUMBER_FLOAT", "of boolean type")),
    }
}

/// Says that an object stands where a field has a plain value.
pub(super) fn start_object(field: &Field) -> Exception {
    match field.kind {
        FieldKind::Integer(_) | FieldKind::UnsignedLong | FieldKind::Float(_) => {
            token("START_OBJECT", "numeric, can not use numeric value accessors")
        }
        FieldKind::Boolean => token("START_OBJECT", "of boolean type"),
        _ => Exception::illegal_argument("Can't get text on a START_OBJECT"),
    }
}

fn token(name: &str, what: &str) -> Exception {
    Exception::new(ExceptionKind::JsonParse, format!("Current token ({name}) not {what}"))
}

fn not_numeric(value: bool) -> Exception {
    let name = if value { "VALUE_TRUE" } else { "VALUE_FALSE" };
    token(name, "numeric, can not use numeric value accessors")
}

impl IntegerKind {
    /// Returns the name, the article before it, and the least and the greatest value.
    const fn words(self) -> (&'static str, &'static str, i64, i64) {
        match self {
            Self::Long => ("long", "a", i64::MIN, i64::MAX),
            Self::Integer => ("integer", "an", i32::MIN as i64, i32::MAX as i64),
            Self::Short => ("short", "a", i16::MIN as i64, i16::MAX as i64),
            Self::Byte => ("byte", "a", i8::MIN as i64, i8::MAX as i64),
        }
    }

    /// Returns the name with a capital.
    const fn class(self) -> &'static str {
        match self {
            Self::Long => "Long",
            Self::Integer => "Integer",
            Self::Short => "Short",
            Self::Byte => "Byte",
        }
    }
}

fn integer(kind: IntegerKind, coerce: bool, scalar: Scalar<'_>) -> Result<i64, Exception> {
    let (name, article, least, most) = kind.words();
    let beyond = |text: &str| {
        Exception::illegal_argument(format!(
            "Value [{}] is out of range for {article} {name}",
            preview(text)
        ))
    };
    let lossy = |text: &str| {
        let class = kind.class();
        Exception::illegal_argument(format!(
            "{text} cannot be converted to {class} without data loss"
        ))
    };
    let value = match scalar {
        Scalar::Boolean(value) => return Err(not_numeric(value)),
        Scalar::Integer(value) => value,
        Scalar::Unsigned(_) if kind == IntegerKind::Long => return Err(coercion(&scalar.text())),
        Scalar::Unsigned(_) => return Err(beyond(&scalar.text())),
        Scalar::Decimal(value) => {
            let cut = value.trunc();
            if !coerce && cut != value {
                return Err(lossy(&scalar.text()));
            }
            in_i64(cut).ok_or_else(|| beyond(&scalar.text()))?
        }
        Scalar::Text(_) if !coerce => {
            let class = kind.class();
            return Err(Exception::illegal_argument(format!("{class} value passed as String")));
        }
        Scalar::Text(text) => match whole(text) {
            Some(value) => value,
            None => {
                // Longs are read as such, the others by way of a decimal, so the errors differ.
                let read = if kind == IntegerKind::Long {
                    java_decimal(text).map_err(|_| for_input_string(text, false))?
                } else {
                    java_decimal(text)?
                };
                in_i64(read.trunc()).ok_or_else(|| beyond(text))?
            }
        },
    };
    if (least..=most).contains(&value) { Ok(value) } else { Err(beyond(&scalar.text())) }
}

/// Reads an integer with or without decimals, which are cut off without going through `f64`.
fn whole(text: &str) -> Option<i64> {
    match text.split_once('.') {
        None => text.parse().ok(),
        Some((whole, below)) => {
            let digits = below.bytes().all(|digit| digit.is_ascii_digit());
            (digits && whole != "-" && whole != "+").then(|| whole.parse().ok()).flatten()
        }
    }
}

/// Returns a whole `f64` as `i64`, or `None` when it does not fit.
fn in_i64(value: f64) -> Option<i64> {
    // Two to the power of 63 is the first value beyond.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0)
        .contains(&value)
        .then_some(value as i64)
}

fn unsigned(coerce: bool, scalar: Scalar<'_>) -> Result<u64, Exception> {
    let beyond = || {
        Exception::illegal_argument(format!(
            "Value [{}] is out of range for an unsigned long",
            preview(&scalar.text())
        ))
    };
    match scalar {
        Scalar::Boolean(value) => Err(not_numeric(value)),
        Scalar::Integer(value) => u64::try_from(value).map_err(|_| beyond()),
        Scalar::Unsigned(value) => Ok(value),
        Scalar::Decimal(value) if !coerce && value.trunc() != value => Err(
            Exception::illegal_argument(format!("Value [{}] has a decimal part", scalar.text())),
        ),
        Scalar::Decimal(value) => in_u64(value.trunc()).ok_or_else(beyond),
        Scalar::Text(_) if !coerce => {
            Err(Exception::illegal_argument("Unsigned long value passed as String"))
        }
        Scalar::Text(text) => {
            let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
            match (java_decimal(text), whole.parse()) {
                (Ok(_), Ok(value)) => Ok(value),
                (Ok(value), Err(_)) => in_u64(value.trunc()).ok_or_else(beyond),
                (Err(_), _) => Err(for_input_string(text, false)),
            }
        }
    }
}

/// Returns a whole `f64` as `u64`, or `None` when it does not fit.
fn in_u64(value: f64) -> Option<u64> {
    // Two to the power of 64 is the first value beyond; minus zero is zero.
    (0.0..18_446_744_073_709_551_616.0).contains(&value).then_some(value as u64)
}

fn decimal(kind: FloatKind, coerce: bool, scalar: Scalar<'_>) -> Result<f64, Exception> {
    let value = match scalar {
        Scalar::Boolean(value) => return Err(not_numeric(value)),
        Scalar::Integer(value) => value as f64,
        Scalar::Unsigned(value) => value as f64,
        Scalar::Decimal(value) => value,
        Scalar::Text(_) if !coerce => {
            let class = kind.class();
            return Err(Exception::illegal_argument(format!("{class} value passed as String")));
        }
        Scalar::Text(text) => java_decimal(text)?,
    };
    let kept = kind.round(value);
    if kept.is_finite() {
        return Ok(kept);
    }
    let shown = if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() || kind == FloatKind::Float {
        format!("{}Infinity", if value < 0.0 { "-" } else { "" })
    } else {
        format!("{value:?}")
    };
    let name = kind.as_str();
    Err(Exception::illegal_argument(format!(
        "[{name}] supports only finite values, but got [{shown}]"
    )))
}

impl FloatKind {
    /// Returns the spelling in mappings.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::Float => "float",
            Self::HalfFloat => "half_float",
            Self::Scaled { .. } => "scaled_float",
        }
    }

    /// Returns the name of the class that holds it.
    const fn class(self) -> &'static str {
        match self {
            Self::Double | Self::Scaled { .. } => "Double",
            Self::Float | Self::HalfFloat => "Float",
        }
    }

    /// Rounds to what the type holds; infinite when it is beyond.
    pub fn round(self, value: f64) -> f64 {
        match self {
            Self::Double => value,
            Self::Float => f64::from(value as f32),
            Self::HalfFloat => half(value),
            Self::Scaled { factor } => (value * factor).round() / factor,
        }
    }
}

/// Rounds to 11 significant bits, as a number of 16 bits holds them, ties to even.
fn half(value: f64) -> f64 {
    const GREATEST: f64 = 65_504.0;
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    // Below 2^-14 the steps stay as they are there.
    let exponent = value.abs().log2().floor().max(-14.0);
    let step = (exponent - 10.0).exp2();
    let rounded = (value / step).round_ties_even() * step;
    if rounded.abs() > GREATEST { f64::INFINITY.copysign(value) } else { rounded }
}

/// Reads a decimal as Java's `parseDouble` does.
fn java_decimal(text: &str) -> Result<f64, Exception> {
    let trimmed = text.trim();
    let plain = trimmed.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match trimmed.strip_prefix('-').unwrap_or(trimmed) {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(if trimmed.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        _ if plain => trimmed.parse().map_err(|_| for_input_string(text, true)),
        _ => Err(for_input_string(text, true)),
    }
}

/// Says that a text is no number; `as_number` when Java's own parser says it.
fn for_input_string(text: &str, as_number: bool) -> Exception {
    let kind = if as_number { ExceptionKind::NumberFormat } else { ExceptionKind::IllegalArgument };
    let empty = as_number && text.trim().is_empty();
    let reason = if empty {
        "empty String".to_owned()
    } else {
        format!("For input string: \"{}\"", preview(text))
    };
    Exception::new(kind, reason)
}

fn coercion(text: &str) -> Exception {
    Exception::new(
        ExceptionKind::InputCoercion,
        format!("Numeric value ({text}) out of range of long ({} - {})", i64::MIN, i64::MAX),
    )
}

/// Writes an address as 32 hexadecimal digits of its IPv6 form, which sort as the addresses do.
///
/// # Errors
/// It is no address.
pub fn address(text: &str) -> Result<String, Exception> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => Ok(format!("{:032x}", address.to_ipv6_mapped().to_bits())),
        Ok(IpAddr::V6(address)) => Ok(format!("{:032x}", address.to_bits())),
        Err(_) => Err(Exception::illegal_argument(format!(
            "'{}' is not an IP string literal.",
            preview(text)
        ))),
    }
}

/// Reads what [`address`] wrote, as people write addresses; `None` when it is something else.
pub fn shown_address(digits: &str) -> Option<String> {
    if digits.len() != 32 {
        return None;
    }
    let address = Ipv6Addr::from_bits(u128::from_str_radix(digits, 16).ok()?);
    Some(address.to_ipv4_mapped().map_or_else(|| address.to_string(), |mapped| mapped.to_string()))
}
