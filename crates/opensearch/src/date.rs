//! Dates as OpenSearch reads and writes them: formats, date math, rounding.
//!
//! An instant is a [`jiff::Timestamp`]; a `date` column keeps its milliseconds, a `date_nanos` column
//! its nanoseconds. `named` holds the formats with a name, `pattern` cuts Java's patterns into items,
//! `parse` and `print` go through the items, `math` evaluates `now-5m/m`.

mod math;
mod named;
mod parse;
mod pattern;
mod print;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::mapping::preview;
use crate::{Exception, ExceptionKind};
use pattern::Format;

/// The default of fields of type `date` and `date_nanos`.
static DEFAULT: LazyLock<DateFormat> = LazyLock::new(|| {
    let spelling = "strict_date_optional_time||epoch_millis";
    DateFormat::new(spelling).expect("the default is a format")
});

/// One or more formats, tried in order, as in `strict_date_optional_time||epoch_millis`.
#[derive(Clone, Debug)]
pub struct DateFormat {
    spelling: Arc<str>,
    formats: Arc<[Format]>,
    nanos: bool,
}

impl PartialEq for DateFormat {
    fn eq(&self, other: &Self) -> bool {
        self.spelling == other.spelling && self.nanos == other.nanos
    }
}

impl Eq for DateFormat {}

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
    /// Reads the spelling of a format; its resolution is one millisecond.
    ///
    /// # Errors
    /// It names a format or a pattern letter that is not known.
    pub fn new(spelling: &str) -> Result<Self, Exception> {
        if spelling.len() > pattern::SPELLING_MAX {
            return Err(Exception::illegal_argument(format!(
                "a date format may have at most {} bytes",
                pattern::SPELLING_MAX
            )));
        }
        let formats: Vec<Format> =
            spelling.split("||").map(Format::new).collect::<Result<_, _>>()?;
        Ok(Self { spelling: spelling.into(), formats: formats.into(), nanos: false })
    }

    /// Returns the default of fields of type `date`: `strict_date_optional_time||epoch_millis`.
    pub fn default_date() -> Self {
        DEFAULT.clone()
    }

    /// Sets the resolution to one nanosecond, for `date_nanos`.
    #[must_use]
    pub fn with_nanos(mut self) -> Self {
        self.nanos = true;
        self
    }

    /// Returns the spelling as it was read.
    pub fn as_str(&self) -> &str {
        &self.spelling
    }

    /// Reads a plain date without date math, in UTC unless it says otherwise.
    ///
    /// What is finer than the resolution is cut off.
    ///
    /// # Errors
    /// `illegal_argument_exception` as a mapper says it.
    pub fn read(&self, text: &str) -> Result<Timestamp, Exception> {
        if text.is_empty() {
            return Err(Exception::illegal_argument("cannot parse empty date"));
        }
        self.parse(text, Rounding::Down, &TimeZone::UTC)
            .map(|instant| self.cut(instant))
            .ok_or_else(|| self.unreadable(text))
    }

    /// Writes an instant in the first of the formats.
    pub fn write(&self, instant: Timestamp, zone: &TimeZone) -> String {
        print::print(&self.formats[0], instant, zone)
    }

    /// Evaluates a date with date math, as in `now-5m/m` or `2026-05-18||/M`.
    ///
    /// What is finer than the resolution is cut off, so that rounding up ends with the last
    /// millisecond, or with the last nanosecond [`with_nanos`](Self::with_nanos).
    ///
    /// # Errors
    /// `parse_exception`.
    pub fn evaluate(
        &self,
        text: &str,
        rounding: Rounding,
        context: &DateContext,
    ) -> Result<Timestamp, Exception> {
        if let Some(steps) = text.strip_prefix("now") {
            let instant = math::apply(steps, context.now, rounding, &context.zone)?;
            return Ok(self.cut(instant));
        }
        let instant = match text.split_once("||") {
            None => self.anchor(text, rounding, &context.zone)?,
            Some((anchor, steps)) => {
                let anchor = self.anchor(anchor, Rounding::Down, &context.zone)?;
                math::apply(steps, anchor, rounding, &context.zone)?
            }
        };
        Ok(self.cut(instant))
    }

    /// Reads the plain date of an expression.
    fn anchor(
        &self,
        text: &str,
        rounding: Rounding,
        zone: &TimeZone,
    ) -> Result<Timestamp, Exception> {
        if text.is_empty() {
            return Err(Exception::new(ExceptionKind::Parse, "cannot parse empty datetime"));
        }
        self.parse(text, rounding, zone).ok_or_else(|| {
            let cause = self.unreadable(text);
            let reason = format!("{}: [{}]", cause.reason(), cause.reason());
            Exception::new(ExceptionKind::Parse, reason).caused_by(cause)
        })
    }

    /// Tries the formats in order.
    fn parse(&self, text: &str, rounding: Rounding, zone: &TimeZone) -> Option<Timestamp> {
        self.formats.iter().find_map(|format| parse::parse(format, text, rounding, zone))
    }

    /// Cuts an instant to the resolution, towards the past.
    fn cut(&self, instant: Timestamp) -> Timestamp {
        if self.nanos {
            return instant;
        }
        // The earliest instant of all lies on a whole second, so the past is never left.
        Timestamp::from_millisecond(millis(instant)).unwrap_or(instant)
    }

    fn unreadable(&self, text: &str) -> Exception {
        Exception::illegal_argument(format!(
            "failed to parse date field [{}] with format [{}]",
            preview(text),
            self.spelling
        ))
    }

    /// Tells whether a format in the list is `epoch_millis` or the like, which any number fits.
    pub fn takes_epoch(&self) -> bool {
        self.formats.iter().any(|format| matches!(format, Format::Epoch(_)))
    }
}

/// Returns the milliseconds since 1970, cut towards the past (jiff cuts towards 1970).
pub fn millis(instant: Timestamp) -> i64 {
    let nanos = instant.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(nanos).expect("the milliseconds of an instant fit")
}

/// Reads a zone: `Z`, `+02:00`, `UTC`, `Europe/Paris`.
///
/// # Errors
/// It is no zone.
pub fn read_zone(text: &str) -> Result<TimeZone, Exception> {
    let unknown =
        || Exception::illegal_argument(format!("unknown time-zone ID: {}", preview(text)));
    if matches!(text, "Z" | "z" | "UTC" | "GMT" | "UT") {
        return Ok(TimeZone::UTC);
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|name| text.strip_prefix(name));
    let digits = offset.unwrap_or(text);
    if let Some(sign) = digits.get(..1).filter(|sign| matches!(*sign, "+" | "-")) {
        // Java takes an hour of one digit here, though not in a date.
        let padded = match digits.len() {
            2 => format!("{sign}0{}", &digits[1..]),
            _ => digits.to_owned(),
        };
        return match parse::offset(padded.as_bytes()) {
            Some((seconds, length)) if length == padded.len() => {
                Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| unknown())
            }
            _ => Err(unknown()),
        };
    }
    TimeZone::get(text).map_err(|_| unknown())
}
