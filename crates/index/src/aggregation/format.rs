//! How keys and numbers are written.

use jiff::tz::TimeZone;
use pampero_opensearch::Exception;
use pampero_opensearch::date::DateFormat;
use serde_json::Value;

use super::keys::Key;
use super::rounding::timestamp;

/// How the keys and values of a source are written.
#[derive(Clone, Debug)]
pub(super) enum KeyFormat {
    /// As they are.
    Plain,
    /// Numbers, with a spelling besides.
    Decimal(DecimalPattern),
    /// 1 and 0, with `true` and `false` besides.
    Boolean,
    /// Milliseconds since 1970, with a date besides.
    Date {
        /// The format of the date.
        format: DateFormat,
        /// The zone it is written in.
        zone: TimeZone,
    },
    /// Addresses, which are kept as 32 hexadecimal digits.
    Ip,
}

impl KeyFormat {
    /// Returns what stands for a key in the answer.
    pub(super) fn json(&self, key: &Key) -> Value {
        match key {
            Key::Null => Value::Null,
            Key::Integer(value) => Value::from(*value),
            Key::Unsigned(value) => Value::from(*value),
            Key::Float(_) => key.as_f64().map_or(Value::Null, Value::from),
            Key::Text(text) if matches!(self, Self::Ip) => Value::String(address(text)),
            Key::Text(text) => Value::String(text.to_string()),
            Key::Tuple(keys) => keys.iter().map(|key| self.json(key)).collect(),
        }
    }

    /// Returns the spelling of a key that stands beside it, or `None` when there is none.
    pub(super) fn spelling(&self, key: &Key) -> Option<String> {
        match (self, key) {
            (Self::Boolean, Key::Integer(value)) => Some((*value != 0).to_string()),
            (Self::Date { format, zone }, Key::Integer(ms)) => {
                Some(format.write(timestamp(*ms), zone))
            }
            (Self::Decimal(pattern), key) => key.as_f64().map(|value| pattern.write(value)),
            _ => None,
        }
    }

    /// Returns the spelling of a key, which every key has.
    pub(super) fn text(&self, key: &Key) -> String {
        match self.spelling(key) {
            Some(spelling) => spelling,
            None => match self.json(key) {
                Value::String(text) => text,
                Value::Number(_) if matches!(key, Key::Float(_)) => {
                    decimal(key.as_f64().unwrap_or(f64::NAN))
                }
                other => other.to_string(),
            },
        }
    }

    /// Returns the spelling of a number worked out from values, or `None` when there is none.
    pub(super) fn number_spelling(&self, value: f64) -> Option<String> {
        match self {
            Self::Date { .. } => self.spelling(&Key::Integer(value as i64)),
            Self::Decimal(pattern) => Some(pattern.write(value)),
            _ => None,
        }
    }
}

/// Writes a decimal with at least one digit after the point.
pub(super) fn decimal(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    format!("{value:?}")
}

/// Returns the usual spelling of an address from its 32 hexadecimal digits.
fn address(digits: &str) -> String {
    match u128::from_str_radix(digits, 16) {
        Ok(bits) => {
            let address = std::net::Ipv6Addr::from(bits);
            address.to_ipv4_mapped().map_or_else(|| address.to_string(), |it| it.to_string())
        }
        Err(_) => digits.to_owned(),
    }
}

/// A pattern for numbers, as in `#,##0.00`.
///
/// Source: Java, `DecimalFormat`: `0` is a digit, `#` one that is left out when it is zero, `,` groups,
/// `.` the point, `%` multiplies by 100; what stands before and after is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct DecimalPattern {
    prefix: String,
    suffix: String,
    digits_min: usize,
    decimals_min: usize,
    decimals_max: usize,
    group: Option<usize>,
}

impl DecimalPattern {
    /// Reads a pattern.
    pub(super) fn new(pattern: &str) -> Result<Self, Exception> {
        let is_digit = |letter: char| matches!(letter, '#' | '0' | ',' | '.');
        let unread = || {
            Exception::illegal_argument(format!(
                "invalid number format [{pattern}], as in [#,##0.00]"
            ))
        };
        let from = pattern.find(is_digit).ok_or_else(unread)?;
        let to = pattern.rfind(is_digit).ok_or_else(unread)? + 1;
        let number = &pattern[from..to];
        let suffix = &pattern[to..];
        let exotic = |letter: char| matches!(letter, ';' | '\'' | 'E' | '\u{2030}' | '\u{a4}');
        if !number.chars().all(is_digit) || pattern.contains(exotic) || pattern.len() > 100 {
            return Err(Exception::unsupported(format_args!("number format [{pattern}]")));
        }
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        if decimals.contains(['.', ',']) {
            return Err(unread());
        }
        Ok(Self {
            prefix: pattern[..from].to_owned(),
            suffix: suffix.to_owned(),
            digits_min: whole.matches('0').count(),
            decimals_min: decimals.matches('0').count(),
            decimals_max: decimals.len(),
            group: whole.rfind(',').map(|comma| whole.len() - comma - 1).filter(|it| *it > 0),
        })
    }

    /// Writes a number.
    pub(super) fn write(&self, value: f64) -> String {
        let percent = self.suffix.starts_with('%') || self.prefix.ends_with('%');
        let value = if percent { value * 100.0 } else { value };
        if !value.is_finite() {
            return decimal(value);
        }
        let rounded = format!("{:.*}", self.decimals_max, value.abs());
        let (whole, decimals) = rounded.split_once('.').unwrap_or((&rounded, ""));
        let mut decimals = decimals.to_owned();
        while decimals.len() > self.decimals_min && decimals.ends_with('0') {
            decimals.pop();
        }
        let whole = whole.trim_start_matches('0');
        let whole = format!("{whole:0>width$}", width = self.digits_min);
        let whole = self.group.map_or_else(|| whole.clone(), |size| grouped(&whole, size));
        let sign = if value < 0.0 && rounded.contains(|it: char| it.is_ascii_digit() && it != '0') {
            "-"
        } else {
            ""
        };
        let point = if decimals.is_empty() { "" } else { "." };
        let empty = if whole.is_empty() && decimals.is_empty() { "0" } else { "" };
        format!("{sign}{}{whole}{empty}{point}{decimals}{}", self.prefix, self.suffix)
    }
}

fn grouped(digits: &str, size: usize) -> String {
    let mut written = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_their_pattern_says() {
        check("0.00", 5.14159, "5.14");
        check("#,##0.##", 1234567.5, "1,234,567.5");
        check("000", 7.0, "007");
        check("#.#", 0.0, "0");
        check("0.0", -0.01, "0.0");
        check("$0.00", -5.0, "-$5.00");
        check("0%", 0.256, "26%");
        check("Value is ##0.0", 1.0, "Value is 1.0");
    }

    #[track_caller]
    fn check(pattern: &str, value: f64, expected: &str) {
        assert_eq!(DecimalPattern::new(pattern).unwrap().write(value), expected);
    }

    #[test]
    fn strange_patterns_are_refused() {
        assert!(DecimalPattern::new("abc").is_err());
        assert!(DecimalPattern::new("0.0E0").is_err());
    }

    #[test]
    fn addresses_are_written_as_people_do() {
        assert_eq!(address("00000000000000000000ffff7f000001"), "127.0.0.1");
        assert_eq!(address("00000000000000000000000000000001"), "::1");
    }
}
