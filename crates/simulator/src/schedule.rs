//! When a fault is played without anybody switching it: once, for ever, or again and again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pampero_weather::provider::{ProviderId, UnknownProvider};

use crate::fault::{Fault, InvalidFault, RetryAfter};

/// A fault that one provider plays at stated times.
///
/// The short form, for command lines, is `PROVIDER=FAULT[@OFFSET+DURATION[/PERIOD]]`, as in
/// `open_meteo=hang`, `met_norway=status:503@20s+40s` or `open_meteo=hang@90s+25s/150s`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduledFault {
    /// Who plays it.
    pub provider: ProviderId,
    /// What is played.
    pub fault: Fault,
    /// When it is played.
    pub when: When,
    /// The share of requests that are hit, over 0 to 1; spread evenly, not by chance.
    pub share: f64,
}

/// The times at which a scheduled fault is played, counted from the start of the simulator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum When {
    /// From start to end.
    Always,
    /// Once.
    Once {
        /// How long after the start.
        offset: Duration,
        /// For how long.
        lasting: Duration,
    },
    /// Once in each period.
    Every {
        /// The length of a period; the first begins with the start.
        period: Duration,
        /// How long after the beginning of the period.
        offset: Duration,
        /// For how long; cut where the period ends.
        lasting: Duration,
    },
}

/// What keeps a text from being a scheduled fault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSchedule {
    /// The text has no `PROVIDER=FAULT`.
    #[error(
        "{0:?} must read PROVIDER=FAULT[@OFFSET+DURATION[/PERIOD]], as in open_meteo=hang@90s+25s/150s"
    )]
    Form(String),
    /// The provider is unknown.
    #[error("the fault names no provider")]
    Provider(#[from] UnknownProvider),
    /// The fault is unknown or cannot be played.
    #[error("the fault cannot be played")]
    Fault(#[from] InvalidFault),
    /// A length of time cannot be read.
    #[error("{0:?} is no length of time; write it as 500ms, 90s, 5m or 2h")]
    Length(String),
    /// The fault would begin after its period has ended, or the period or duration is zero.
    #[error("the fault must last longer than zero and begin within its period")]
    Empty,
}

impl ScheduledFault {
    /// Plays `fault` on every request to `provider` from start to end.
    pub const fn always(provider: ProviderId, fault: Fault) -> Self {
        Self { provider, fault, when: When::Always, share: 1.0 }
    }

    /// Plays `fault` once in each period.
    pub const fn every(
        period: Duration,
        provider: ProviderId,
        fault: Fault,
        offset: Duration,
        lasting: Duration,
    ) -> Self {
        Self { provider, fault, when: When::Every { period, offset, lasting }, share: 1.0 }
    }
}

impl When {
    /// Returns when the play that is on at `elapsed` after the start began, and when it ends.
    ///
    /// `None` when none is on. The end is `None` for a play without end.
    pub(crate) fn play_at(self, elapsed: Duration) -> Option<(Duration, Option<Duration>)> {
        let (begin, end) = match self {
            Self::Always => return Some((Duration::ZERO, None)),
            Self::Once { offset, lasting } => (offset, offset.saturating_add(lasting)),
            Self::Every { period, offset, lasting } => {
                let rounds = elapsed.as_nanos().checked_div(period.as_nanos())?;
                let rounds = u32::try_from(rounds).ok()?;
                let start = period.checked_mul(rounds)?;
                let end = offset.saturating_add(lasting).min(period);
                (start + offset, start + end)
            }
        };
        (begin <= elapsed && elapsed < end).then_some((begin, Some(end)))
    }

    fn checked(self) -> Result<Self, InvalidSchedule> {
        let plays = match self {
            Self::Always => true,
            Self::Once { lasting, .. } => !lasting.is_zero(),
            Self::Every { period, offset, lasting } => !lasting.is_zero() && offset < period,
        };
        if plays { Ok(self) } else { Err(InvalidSchedule::Empty) }
    }
}

impl FromStr for ScheduledFault {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || InvalidSchedule::Form(text.to_owned());
        let (provider, rest) = text.split_once('=').ok_or_else(malformed)?;
        let (fault, when) = match rest.split_once('@') {
            None => (rest, When::Always),
            Some((fault, when)) => (fault, parse_when(when).ok_or_else(malformed)??),
        };
        let (provider, fault): (ProviderId, Fault) = (provider.parse()?, fault.parse()?);
        if !fault.applies_to(provider) {
            let (kind, provider) = (fault.kind(), provider.as_str());
            return Err(InvalidFault::NotForProvider { kind, provider }.into());
        }
        Ok(Self { provider, fault, when: when.checked()?, share: 1.0 })
    }
}

/// Reads `OFFSET+DURATION[/PERIOD]`; `None` when the plus sign is missing.
fn parse_when(text: &str) -> Option<Result<When, InvalidSchedule>> {
    let (times, period) = match text.split_once('/') {
        Some((times, period)) => (times, Some(period)),
        None => (text, None),
    };
    let (offset, lasting) = times.split_once('+')?;
    let read = || {
        let (offset, lasting) = (parse_length(offset)?, parse_length(lasting)?);
        Ok(match period {
            None => When::Once { offset, lasting },
            Some(period) => When::Every { period: parse_length(period)?, offset, lasting },
        })
    };
    Some(read())
}

fn parse_length(text: &str) -> Result<Duration, InvalidSchedule> {
    let unreadable = || InvalidSchedule::Length(text.to_owned());
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let count: u32 = digits.parse().map_err(|_| unreadable())?;
    let unit_ms: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(unreadable()),
    };
    Ok(Duration::from_millis(u64::from(count) * unit_ms))
}

impl fmt::Display for ScheduledFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.provider, self.fault)?;
        match self.when {
            When::Always => Ok(()),
            When::Once { offset, lasting } => {
                write!(formatter, "@{}ms+{}ms", offset.as_millis(), lasting.as_millis())
            }
            When::Every { period, offset, lasting } => write!(
                formatter,
                "@{}ms+{}ms/{}ms",
                offset.as_millis(),
                lasting.as_millis(),
                period.as_millis()
            ),
        }
    }
}

/// Returns a schedule made for watching: a round of [`DEMO_PERIOD`] in which each provider fails.
///
/// In each round Open-Meteo answers 503 from second 20 to 60 and hangs from 90 to 115, so that
/// fallbacks and the breaker can be seen; MET Norway throttles from 125 to 135, Weatherstack
/// reports its allowance as used up from 60 to 75, OpenWeatherMap answers HTML from 100 to 110.
pub fn demo_schedule() -> Vec<ScheduledFault> {
    let play = |provider, fault, offset_s, lasting_s| {
        let (offset, lasting) = (Duration::from_secs(offset_s), Duration::from_secs(lasting_s));
        ScheduledFault::every(DEMO_PERIOD, provider, fault, offset, lasting)
    };
    let throttle = Fault::RateLimited { retry_after: RetryAfter::Seconds(5) };
    vec![
        play(ProviderId::OpenMeteo, Fault::Status { code: 503 }, 20, 40),
        play(ProviderId::OpenMeteo, Fault::Hang, 90, 25),
        play(ProviderId::MetNorway, throttle, 125, 10),
        play(ProviderId::Weatherstack, Fault::QuotaExhausted, 60, 15),
        play(ProviderId::OpenWeatherMap, Fault::Html, 100, 10),
    ]
}

/// The length of a round of the demo schedule.
pub const DEMO_PERIOD: Duration = Duration::from_secs(150);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form_is_read() {
        let seconds = Duration::from_secs;
        check("open_meteo=hang", When::Always);
        check("open_meteo=hang@20s+40s", When::Once { offset: seconds(20), lasting: seconds(40) });
        check(
            "open_meteo=hang@500ms+1m/2h",
            When::Every {
                period: seconds(7200),
                offset: Duration::from_millis(500),
                lasting: seconds(60),
            },
        );
    }

    #[track_caller]
    fn check(text: &str, when: When) {
        let expected =
            ScheduledFault { when, ..ScheduledFault::always(ProviderId::OpenMeteo, Fault::Hang) };
        assert_eq!(text.parse(), Ok(expected.clone()));
        assert_eq!(expected.to_string().parse(), Ok(expected));
    }

    #[test]
    fn unreadable_short_forms_say_what_to_write() {
        refused("hang", "PROVIDER=FAULT");
        refused("open_meteo=hang@20s", "PROVIDER=FAULT");
        refused("nowhere=hang", "no provider");
        refused("open_meteo=flood", "cannot be played");
        refused("met_norway=wrong_count", "cannot be played");
        refused("open_meteo=hang@20+40s", "500ms");
        refused("open_meteo=hang@20s+0s", "longer than zero");
        refused("open_meteo=hang@20s+5s/10s", "within its period");
    }

    #[track_caller]
    fn refused(text: &str, named: &str) {
        let error = text.parse::<ScheduledFault>().expect_err(text);
        assert!(error.to_string().contains(named), "{text}: {error}");
    }

    #[test]
    fn a_play_of_each_period_begins_and_ends_on_time() {
        let seconds = Duration::from_secs;
        let when = When::Every { period: seconds(150), offset: seconds(20), lasting: seconds(40) };
        let at = |elapsed_s| when.play_at(seconds(elapsed_s));
        assert_eq!(at(19), None);
        assert_eq!(at(20), Some((seconds(20), Some(seconds(60)))));
        assert_eq!(at(59), Some((seconds(20), Some(seconds(60)))));
        assert_eq!(at(60), None);
        assert_eq!(at(320), Some((seconds(320), Some(seconds(360)))));
    }

    #[test]
    fn demo_schedule_never_asks_two_faults_of_one_provider_at_once() {
        let schedule = demo_schedule();
        for second in 0..DEMO_PERIOD.as_secs() {
            for provider in ProviderId::ALL {
                let of_provider = schedule.iter().filter(|entry| entry.provider == provider);
                let on = of_provider
                    .filter(|entry| entry.when.play_at(Duration::from_secs(second)).is_some());
                assert!(on.count() <= 1, "{provider} at second {second}");
            }
        }
    }
}
