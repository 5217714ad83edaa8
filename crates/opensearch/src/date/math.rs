//! Date math: `+1h`, `-5m`, `/d`, from left to right.
//!
//! Source: OpenSearch, `JavaDateMathParser`.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};

use super::Rounding;
use crate::mapping::preview;
use crate::{Exception, ExceptionKind};

/// Applies the steps of an expression to an instant, in a zone.
///
/// Rounding up ends with the last nanosecond of the unit.
pub(super) fn apply(
    steps: &str,
    instant: Timestamp,
    rounding: Rounding,
    zone: &TimeZone,
) -> Result<Timestamp, Exception> {
    if steps.is_empty() {
        return Ok(instant);
    }
    let mut at = ZonedDateTime::new(instant, zone.clone());
    let mut rest = steps;
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let sign = match operator {
            '/' | '+' => 1,
            '-' => -1,
            _ => return Err(refusal("operator not supported for date math", steps)),
        };
        let length = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(length);
        let Some(letter) = behind.chars().next() else {
            return Err(refusal("truncated date math", steps));
        };
        rest = &behind[letter.len_utf8()..];
        let count = match digits {
            "" => 1,
            digits => digits.parse::<i32>().map_err(|_| beyond(steps))?,
        };
        let unit = Unit::from_letter(letter).ok_or_else(|| {
            refusal(&format!("unit [{letter}] not supported for date math"), steps)
        })?;
        at = if operator != '/' {
            at.checked_add(unit.span(i64::from(sign) * i64::from(count), steps)?)
                .map_err(|_| beyond(steps))?
        } else if count == 1 {
            unit.round(&at, rounding).ok_or_else(|| beyond(steps))?
        } else {
            return Err(refusal("rounding `/` can only be used on single unit types", steps));
        };
    }
    Ok(at.timestamp())
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'y' => Self::Year,
            'M' => Self::Month,
            'w' => Self::Week,
            'd' => Self::Day,
            'h' | 'H' => Self::Hour,
            'm' => Self::Minute,
            's' => Self::Second,
            _ => return None,
        })
    }

    fn span(self, count: i64, steps: &str) -> Result<Span, Exception> {
        let span = match self {
            Self::Year => Span::new().try_years(count),
            Self::Month => Span::new().try_months(count),
            Self::Week => Span::new().try_weeks(count),
            Self::Day => Span::new().try_days(count),
            Self::Hour => Span::new().try_hours(count),
            Self::Minute => Span::new().try_minutes(count),
            Self::Second => Span::new().try_seconds(count),
        };
        span.map_err(|_| beyond(steps))
    }

    /// Rounds to the first or the last nanosecond of the unit; `None` beyond what can be told.
    ///
    /// A day begins with its first instant, which is not midnight where the clock skips it. The hour
    /// of an instant is told by its own offset, so that an hour that comes twice is rounded twice.
    fn round(self, at: &ZonedDateTime, rounding: Rounding) -> Option<ZonedDateTime> {
        let midnight = |date: Date| date.to_zoned_datetime(at.time_zone().clone()).ok();
        let date = at.date();
        let (first, next) = match self {
            Self::Year => {
                let first = date.first_of_year();
                (midnight(first)?, first.checked_add(Span::new().years(1)).ok().and_then(midnight))
            }
            Self::Month => {
                let first = date.first_of_month();
                (midnight(first)?, first.checked_add(Span::new().months(1)).ok().and_then(midnight))
            }
            Self::Week => {
                let since_monday = i64::from(date.weekday().since(Weekday::Monday));
                let first = date.checked_sub(Span::new().days(since_monday)).ok()?;
                (midnight(first)?, first.checked_add(Span::new().weeks(1)).ok().and_then(midnight))
            }
            Self::Day => (midnight(date)?, date.tomorrow().ok().and_then(midnight)),
            Self::Hour => {
                let first = at.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?;
                let next = first.checked_add(Span::new().hours(1)).ok();
                (first, next)
            }
            Self::Minute => {
                let first = at.with().second(0).subsec_nanosecond(0).build().ok()?;
                let next = first.checked_add(Span::new().minutes(1)).ok();
                (first, next)
            }
            Self::Second => {
                let first = at.with().subsec_nanosecond(0).build().ok()?;
                let next = first.checked_add(Span::new().seconds(1)).ok();
                (first, next)
            }
        };
        match rounding {
            Rounding::Down => Some(first),
            Rounding::Up => next?.checked_sub(Span::new().nanoseconds(1)).ok(),
        }
    }
}

fn refusal(reason: &str, steps: &str) -> Exception {
    Exception::new(ExceptionKind::Parse, format!("{reason} [{}]", preview(steps)))
}

fn beyond(steps: &str) -> Exception {
    refusal("date math leaves the years -9999 to 9999", steps)
}
