//! The short form of a fault: `hang`, `status:503`, `rate_limited:date:5`.

use std::fmt;
use std::str::FromStr;

use super::{Fault, LimitWindow, RetryAfter, ahead_minutes, huge_mib, old_hours};
use super::{redirect_hops, slow_ms};

/// What keeps a text from being a fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidFault {
    /// No fault has this spelling.
    #[error("unknown fault {0:?}; GET /control/catalogue lists all of them")]
    Unknown(String),
    /// The parameter is missing, superfluous or no number in range.
    #[error("fault {kind} does not take {given:?}; write it as {example}")]
    Parameter {
        /// The fault.
        kind: &'static str,
        /// What stood behind the colon.
        given: String,
        /// How it is written.
        example: &'static str,
    },
    /// The stand-in has nothing to play the fault on.
    #[error("fault {kind} cannot be played by {provider}: it needs batches of places")]
    NotForProvider {
        /// The fault.
        kind: &'static str,
        /// The provider.
        provider: &'static str,
    },
}

impl Fault {
    /// Every fault once, with its parameters at their defaults or at a telling value.
    pub const ALL: [Self; 38] = [
        Self::Status { code: 503 },
        Self::RateLimited { retry_after: RetryAfter::None },
        Self::LimitReached { window: LimitWindow::Minute },
        Self::QuotaExhausted,
        Self::AuthRefused,
        Self::AuthHtml403,
        Self::BadRequest,
        Self::NotCovered,
        Self::SlowFirstByte { ms: slow_ms() },
        Self::SlowBody { ms: slow_ms() },
        Self::Hang,
        Self::Reset,
        Self::Close,
        Self::CutBody,
        Self::CutJson,
        Self::Garbage,
        Self::Html,
        Self::EmptyAnswer,
        Self::EmptyArray,
        Self::WrongCount,
        Self::OneElementNull,
        Self::OutOfOrder,
        Self::ObjectInsteadOfArray,
        Self::WrongUnits,
        Self::Frozen,
        Self::ClockAhead { minutes: ahead_minutes() },
        Self::OldAnswer { hours: old_hours() },
        Self::NullFields,
        Self::AbsentFields,
        Self::TextNumbers,
        Self::UnknownCode,
        Self::ExtraFields,
        Self::Implausible,
        Self::StationPressureAsMsl,
        Self::CorrectedValue,
        Self::HugeBody { mib: huge_mib() },
        Self::RedirectLoop,
        Self::TooManyRedirects { hops: redirect_hops() },
    ];

    /// Returns the spelling of the fault without its parameter, as in `slow_body`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::RateLimited { .. } => "rate_limited",
            Self::LimitReached { .. } => "limit_reached",
            Self::QuotaExhausted => "quota_exhausted",
            Self::AuthRefused => "auth_refused",
            Self::AuthHtml403 => "auth_html_403",
            Self::BadRequest => "bad_request",
            Self::NotCovered => "not_covered",
            Self::SlowFirstByte { .. } => "slow_first_byte",
            Self::SlowBody { .. } => "slow_body",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Close => "close",
            Self::CutBody => "cut_body",
            Self::CutJson => "cut_json",
            Self::Garbage => "garbage",
            Self::Html => "html",
            Self::EmptyAnswer => "empty_answer",
            Self::EmptyArray => "empty_array",
            Self::WrongCount => "wrong_count",
            Self::OneElementNull => "one_element_null",
            Self::OutOfOrder => "out_of_order",
            Self::ObjectInsteadOfArray => "object_instead_of_array",
            Self::WrongUnits => "wrong_units",
            Self::Frozen => "frozen",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::OldAnswer { .. } => "old_answer",
            Self::NullFields => "null_fields",
            Self::AbsentFields => "absent_fields",
            Self::TextNumbers => "text_numbers",
            Self::UnknownCode => "unknown_code",
            Self::ExtraFields => "extra_fields",
            Self::Implausible => "implausible",
            Self::StationPressureAsMsl => "station_pressure_as_msl",
            Self::CorrectedValue => "corrected_value",
            Self::HugeBody { .. } => "huge_body",
            Self::RedirectLoop => "redirect_loop",
            Self::TooManyRedirects { .. } => "too_many_redirects",
        }
    }

    /// Shows how the short form is written, with a parameter where there is one.
    const fn example(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status:503, with 203, 204 or a status from 300 to 599",
            Self::RateLimited { .. } => "rate_limited, rate_limited:5 or rate_limited:date:5",
            Self::LimitReached { .. } => {
                "limit_reached:minute, or with hour, day or concurrent behind the colon"
            }
            Self::SlowFirstByte { .. } => "slow_first_byte:3000, in milliseconds",
            Self::SlowBody { .. } => "slow_body:3000, in milliseconds",
            Self::ClockAhead { .. } => "clock_ahead:120, in minutes",
            Self::OldAnswer { .. } => "old_answer:6, in hours",
            Self::HugeBody { .. } => "huge_body:32, in MiB, at most 1024",
            Self::TooManyRedirects { .. } => "too_many_redirects:5, at most 50",
            _ => "the name alone",
        }
    }

    /// Checks what the JSON form cannot: ranges.
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn checked(self) -> Result<Self, InvalidFault> {
        let in_range = match &self {
            Self::Status { code } => matches!(code, 203 | 204 | 300..=599),
            Self::HugeBody { mib } => (1..=1024).contains(mib),
            Self::TooManyRedirects { hops } => (1..=50).contains(hops),
            Self::SlowFirstByte { ms } | Self::SlowBody { ms } => *ms <= 86_400_000,
            Self::ClockAhead { minutes } => *minutes <= 525_600,
            Self::OldAnswer { hours } => *hours <= 8_760,
            _ => true,
        };
        if in_range { Ok(self) } else { Err(self.refuse(&self.to_string())) }
    }

    fn refuse(&self, given: &str) -> InvalidFault {
        InvalidFault::Parameter {
            kind: self.kind(),
            given: given.to_owned(),
            example: self.example(),
        }
    }

    /// Returns the fault with the parameter of the short form; `None` when it does not take it.
    fn with_parameter(&self, text: &str) -> Option<Self> {
        Some(match self {
            Self::Status { .. } => Self::Status { code: text.parse().ok()? },
            Self::RateLimited { .. } => Self::RateLimited { retry_after: parse_retry_after(text)? },
            Self::LimitReached { .. } => Self::LimitReached { window: parse_window(text)? },
            Self::SlowFirstByte { .. } => Self::SlowFirstByte { ms: text.parse().ok()? },
            Self::SlowBody { .. } => Self::SlowBody { ms: text.parse().ok()? },
            Self::ClockAhead { .. } => Self::ClockAhead { minutes: text.parse().ok()? },
            Self::OldAnswer { .. } => Self::OldAnswer { hours: text.parse().ok()? },
            Self::HugeBody { .. } => Self::HugeBody { mib: text.parse().ok()? },
            Self::TooManyRedirects { .. } => Self::TooManyRedirects { hops: text.parse().ok()? },
            _ => return None,
        })
    }
}

fn parse_retry_after(text: &str) -> Option<RetryAfter> {
    if text == "none" {
        return Some(RetryAfter::None);
    }
    match text.strip_prefix("date:") {
        Some(seconds) => Some(RetryAfter::Date(seconds.parse().ok()?)),
        None => Some(RetryAfter::Seconds(text.parse().ok()?)),
    }
}

fn parse_window(text: &str) -> Option<LimitWindow> {
    Some(match text {
        "minute" => LimitWindow::Minute,
        "hour" => LimitWindow::Hour,
        "day" => LimitWindow::Day,
        "concurrent" => LimitWindow::Concurrent,
        _ => return None,
    })
}

impl LimitWindow {
    /// Returns the spelling, as in `minute`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Concurrent => "concurrent",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.kind())?;
        match self {
            Self::Status { code } => write!(formatter, ":{code}"),
            Self::RateLimited { retry_after: RetryAfter::Seconds(seconds) } => {
                write!(formatter, ":{seconds}")
            }
            Self::RateLimited { retry_after: RetryAfter::Date(seconds) } => {
                write!(formatter, ":date:{seconds}")
            }
            Self::LimitReached { window } => write!(formatter, ":{}", window.as_str()),
            Self::SlowFirstByte { ms } | Self::SlowBody { ms } => write!(formatter, ":{ms}"),
            Self::ClockAhead { minutes } => write!(formatter, ":{minutes}"),
            Self::OldAnswer { hours } => write!(formatter, ":{hours}"),
            Self::HugeBody { mib } => write!(formatter, ":{mib}"),
            Self::TooManyRedirects { hops } => write!(formatter, ":{hops}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, parameter) = match text.split_once(':') {
            Some((kind, parameter)) => (kind, Some(parameter)),
            None => (text, None),
        };
        let known = Self::ALL.into_iter().find(|fault| fault.kind() == kind);
        let Some(fault) = known else {
            return Err(InvalidFault::Unknown(kind.to_owned()));
        };
        match parameter {
            None => Ok(fault),
            Some(parameter) => {
                let refused = fault.refuse(parameter);
                fault.with_parameter(parameter).ok_or(refused)?.checked()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_back_from_its_short_form_and_its_json() {
        for fault in Fault::ALL {
            assert_eq!(fault.to_string().parse(), Ok(fault.clone()), "{fault}");
            let json = serde_json::to_value(&fault).unwrap();
            assert_eq!(json["kind"], fault.kind());
            assert_eq!(serde_json::from_value::<Fault>(json).unwrap(), fault);
        }
    }

    #[test]
    fn every_fault_has_a_spelling_of_its_own() {
        let mut kinds: Vec<_> = Fault::ALL.iter().map(Fault::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), Fault::ALL.len());
    }

    #[test]
    fn parameters_are_read_and_checked() {
        check("status:429", Ok(Fault::Status { code: 429 }));
        check("rate_limited:5", Ok(Fault::RateLimited { retry_after: RetryAfter::Seconds(5) }));
        check("rate_limited:date:7", Ok(Fault::RateLimited { retry_after: RetryAfter::Date(7) }));
        check("limit_reached:day", Ok(Fault::LimitReached { window: LimitWindow::Day }));
        check("status:99", Err("status"));
        check("status:200", Err("203, 204 or"));
        check("status:abc", Err("status"));
        check("hang:5", Err("hang"));
        check("huge_body:0", Err("huge_body"));
        check("earthquake", Err("earthquake"));
    }

    #[track_caller]
    fn check(text: &str, expected: Result<Fault, &str>) {
        match (text.parse::<Fault>(), expected) {
            (Ok(parsed), Ok(expected)) => assert_eq!(parsed, expected, "{text}"),
            (Err(error), Err(named)) => assert!(error.to_string().contains(named), "{error}"),
            (parsed, _) => panic!("{text} was read as {parsed:?}"),
        }
    }
}
