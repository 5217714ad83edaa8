//! Numbers as services write and want them: as integers, with decimals, or as text.

use std::fmt;

use jiff::Timestamp;
use pampero_weather::unit::Meters;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A finite number that arrived as an integer, as a float, or as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl Number {
    /// Returns the number as a code or a count, rounded to the nearest whole one.
    pub(crate) fn whole(self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let whole = self.0.round() as i64;
        whole
    }

    /// Reads the number as seconds since the Unix epoch; `None` outside the years jiff can tell.
    pub(crate) fn as_unix_seconds(self) -> Option<Timestamp> {
        Timestamp::from_second(self.whole()).ok()
    }
}

/// Writes a height in whole metres.
pub(crate) fn whole_meters(Meters(height): Meters) -> String {
    // Adding zero turns a negative zero into a plain one, which no service has to know about.
    (height.round() + 0.0).to_string()
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    #[expect(clippy::cast_precision_loss, reason = "no service sends more than 53 bits")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no service sends more than 53 bits")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        let parsed = text.trim().parse().ok().filter(|value: &f64| value.is_finite());
        parsed.map(Number).ok_or_else(|| E::custom("a text where a number was expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_is_read_in_every_form() {
        check("15", Some(15.0));
        check("-3.5", Some(-3.5));
        check("1e2", Some(100.0));
        check("18446744073709551615", Some(18_446_744_073_709_551_615.0));
        check("\"5.50\"", Some(5.5));
        check("\" -34.610 \"", Some(-34.61));
        check("\"n/a\"", None);
        check("\"\"", None);
        check("\"inf\"", None);
        check("\"NaN\"", None);
        check("true", None);
        check("null", None);
        check("[1]", None);
    }

    #[track_caller]
    fn check(json: &str, number: Option<f64>) {
        let read = serde_json::from_str(json).ok().map(|Number(value)| value);
        assert_eq!(read, number, "{json}");
    }

    #[test]
    fn code_is_a_whole_number() {
        assert_eq!(Number(51.0).whole(), 51);
        assert_eq!(Number(-0.4).whole(), 0);
        assert_eq!(Number(f64::MAX).whole(), i64::MAX);
    }

    #[test]
    fn instant_beyond_the_calendar_is_none() {
        assert_eq!(Number(0.0).as_unix_seconds(), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(Number(f64::MAX).as_unix_seconds(), None);
    }
}
