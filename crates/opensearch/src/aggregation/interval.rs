//! Widths of buckets along time.

use crate::Exception;

/// A unit of the calendar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CalendarUnit {
    /// `1s`.
    Second,
    /// `1m`.
    Minute,
    /// `1h`.
    Hour,
    /// `1d`.
    Day,
    /// `1w`, from Monday.
    Week,
    /// `1M`.
    Month,
    /// `1q`.
    Quarter,
    /// `1y`.
    Year,
}

/// The width of the buckets of a date histogram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interval {
    /// One unit of the calendar, which may be of different lengths.
    Calendar(CalendarUnit),
    /// So many milliseconds, at least one.
    Fixed(i64),
}

impl CalendarUnit {
    /// Reads a spelling, as in `month` or `1M`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "second" | "1s" => Self::Second,
            "minute" | "1m" => Self::Minute,
            "hour" | "1h" => Self::Hour,
            "day" | "1d" => Self::Day,
            "week" | "1w" => Self::Week,
            "month" | "1M" => Self::Month,
            "quarter" | "1q" => Self::Quarter,
            "year" | "1y" => Self::Year,
            _ => return None,
        })
    }
}

impl Interval {
    /// Reads `calendar_interval`.
    ///
    /// # Errors
    /// It is no unit of the calendar.
    pub fn calendar(text: &str) -> Result<Self, Exception> {
        CalendarUnit::from_name(text).map(Self::Calendar).ok_or_else(|| {
            Exception::illegal_argument(format!(
                "The supplied interval [{text}] could not be parsed as a calendar interval."
            ))
        })
    }

    /// Reads `fixed_interval`, as in `30s` or `90m`.
    ///
    /// # Errors
    /// It is no multiple of `ms`, `s`, `m`, `h` or `d`, or not above zero.
    pub fn fixed(text: &str) -> Result<Self, Exception> {
        let unread = || {
            Exception::illegal_argument(format!(
                "failed to parse setting [date_histogram.fixed_interval] with value [{text}] as a \
                 time value: unit is missing or unrecognized"
            ))
        };
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(unread)?;
        let unit_ms = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(unread()),
        };
        let count: i64 = text[..digits].parse().map_err(|_| unread())?;
        match count.checked_mul(unit_ms) {
            Some(ms) if ms > 0 => Ok(Self::Fixed(ms)),
            _ => Err(Exception::illegal_argument(format!(
                "Zero or negative time interval not supported: [{text}]"
            ))),
        }
    }

    /// Reads the old `interval`: a unit of the calendar when it is one, a fixed time otherwise.
    ///
    /// # Errors
    /// It is neither.
    pub fn legacy(text: &str) -> Result<Self, Exception> {
        match CalendarUnit::from_name(text) {
            Some(unit) => Ok(Self::Calendar(unit)),
            None => match text.parse::<i64>() {
                Ok(ms) if ms > 0 => Ok(Self::Fixed(ms)),
                Ok(_) => Err(Exception::illegal_argument(
                    "[interval] must be 1 or greater for aggregation [date_histogram]",
                )),
                Err(_) => Self::fixed(text),
            },
        }
    }
}

/// Reads a length of time with a sign, as `offset` has it, in milliseconds.
pub(super) fn read_offset(text: &str) -> Result<i64, Exception> {
    let unread = || {
        Exception::illegal_argument(format!(
            "failed to parse setting [date_histogram.offset] with value [{text}] as a time value: \
             unit is missing or unrecognized"
        ))
    };
    let (sign, magnitude) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    if magnitude == "0" {
        return Ok(0);
    }
    match Interval::fixed(magnitude) {
        Ok(Interval::Fixed(ms)) => Ok(sign * ms),
        _ => Err(unread()),
    }
}
