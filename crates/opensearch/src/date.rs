//! Dates as OpenSearch reads and writes them: formats, date math, rounding.
//!
//! An instant is a [`jiff::Timestamp`]; a `date` column keeps its milliseconds, a `date_nanos` column
//! its nanoseconds.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Exception;

/// One or more formats, tried in order, as in `strict_date_optional_time||epoch_millis`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DateFormat {
    spelling: String,
}

/// To which side a date with missing parts is filled and a rounded one is rounded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rounding {
    /// To the first instant, for `gte` and `lt`.
    Down,
    /// To the last instant that the resolution knows, for `gt` and `lte`.
    Up,
}

/// How a date is evaluated.
#[derive(Clone, Debug)]
pub struct DateContext {
    /// What `now` means.
    pub now: Timestamp,
    /// The zone of dates without one, and of rounding.
    pub zone: TimeZone,
}

impl DateFormat {
    /// Reads the spelling of a format.
    ///
    /// # Errors
    /// It names a format or a pattern letter that is not known.
    pub fn new(spelling: &str) -> Result<Self, Exception> {
        Ok(Self { spelling: spelling.to_owned() })
    }

    /// Returns the default of fields of type `date`: `strict_date_optional_time||epoch_millis`.
    pub fn default_date() -> Self {
        Self { spelling: "strict_date_optional_time||epoch_millis".to_owned() }
    }

    /// Returns the spelling as it was read.
    pub fn as_str(&self) -> &str {
        &self.spelling
    }

    /// Reads a plain date without date math, in UTC unless it says otherwise.
    ///
    /// # Errors
    /// `illegal_argument_exception` as a mapper says it.
    pub fn read(&self, text: &str) -> Result<Timestamp, Exception> {
        let _ = text;
        Err(Exception::unsupported("dates"))
    }

    /// Writes an instant in the first of the formats.
    pub fn write(&self, instant: Timestamp, zone: &TimeZone) -> String {
        let _ = zone;
        instant.to_string()
    }

    /// Evaluates a date with date math, as in `now-5m/m` or `2026-05-18||/M`.
    ///
    /// # Errors
    /// `parse_exception`.
    pub fn evaluate(
        &self,
        text: &str,
        rounding: Rounding,
        context: &DateContext,
    ) -> Result<Timestamp, Exception> {
        let _ = (rounding, context);
        self.read(text)
    }
}

/// Reads a zone: `Z`, `+02:00`, `UTC`, `Europe/Paris`.
///
/// # Errors
/// It is no zone.
pub fn read_zone(text: &str) -> Result<TimeZone, Exception> {
    TimeZone::get(text)
        .map_err(|_| Exception::illegal_argument(format!("unknown time-zone ID: {text}")))
}
