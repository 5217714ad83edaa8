//! Why a call gave no answer.

use std::time::Duration;

use jiff::Timestamp;

use crate::{BreakerState, Failure, FailureClass, QuotaWindow};

/// Why a call gave no answer: its last attempt failed, time ran out, or it was refused unmade.
#[derive(Debug, thiserror::Error)]
pub enum CallError<E> {
    /// The last attempt failed, and no further one was made.
    #[error("the call failed after {}", counted(*attempts))]
    Failed {
        /// The failure of the last attempt.
        #[source]
        source: E,
        /// Attempts that were made, at least 1.
        attempts: u32,
    },
    /// The last attempt took too long, and no further one was made.
    #[error("no answer within {limit:?}, after {}", counted(*attempts))]
    TimedOut {
        /// The time an attempt may take.
        limit: Duration,
        /// Attempts that were made, at least 1.
        attempts: u32,
    },
    /// The time for the whole call was over.
    #[error("the deadline of {limit:?} passed after {}", counted(*attempts))]
    DeadlineExceeded {
        /// The time a call may take.
        limit: Duration,
        /// Attempts that were begun; 0 when the call only waited.
        attempts: u32,
    },
    /// The breaker refused the call.
    #[error("{}", refused_by_breaker(*state, *until))]
    BreakerOpen {
        /// `Open`, or `HalfOpen` while others probe.
        state: BreakerState,
        /// When a probe may pass; `None` when the breaker is forced open.
        until: Option<Timestamp>,
        /// The time from the refusal until then; `None` when the breaker is forced open.
        retry_after: Option<Duration>,
    },
    /// The service is left alone for a while.
    #[error("the service is left alone until {until:.0} ({})", class.as_str())]
    Paused {
        /// The class of failure that led to it.
        class: FailureClass,
        /// When it is over.
        until: Timestamp,
        /// The time from the refusal until then.
        retry_after: Duration,
    },
    /// The allowance of a calendar window is used up.
    #[error("the allowance of the {} is used up until {resets_at:.0}", window.as_str())]
    QuotaExhausted {
        /// The window.
        window: QuotaWindow,
        /// When the next window begins.
        resets_at: Timestamp,
        /// The time from the refusal until then.
        retry_after: Duration,
    },
    /// Too many callers wait already.
    #[error("{waiting} callers wait already")]
    Saturated {
        /// How many wait.
        waiting: u32,
    },
}

impl<E: Failure> CallError<E> {
    /// Returns what the outcome means; a refusal means what led to it.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Failed { source, .. } => source.class(),
            Self::TimedOut { .. } | Self::DeadlineExceeded { .. } | Self::BreakerOpen { .. } => {
                FailureClass::Transient
            }
            Self::Paused { class, .. } => *class,
            Self::QuotaExhausted { .. } => FailureClass::Quota,
            Self::Saturated { .. } => FailureClass::RateLimited,
        }
    }

    /// Returns how long to wait before the next call, counted from when the error was made;
    /// `None` when nothing says.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed { source, .. } => source.retry_after(),
            Self::BreakerOpen { retry_after, .. } => *retry_after,
            Self::Paused { retry_after, .. } | Self::QuotaExhausted { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::TimedOut { .. } | Self::DeadlineExceeded { .. } | Self::Saturated { .. } => None,
        }
    }
}

impl<E> CallError<E> {
    /// Tells whether the service was asked at all.
    pub fn was_attempted(&self) -> bool {
        match self {
            Self::Failed { attempts, .. }
            | Self::TimedOut { attempts, .. }
            | Self::DeadlineExceeded { attempts, .. } => *attempts > 0,
            Self::BreakerOpen { .. }
            | Self::Paused { .. }
            | Self::QuotaExhausted { .. }
            | Self::Saturated { .. } => false,
        }
    }
}

impl<E: Failure> Failure for CallError<E> {
    fn class(&self) -> FailureClass {
        self.class()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}

/// Returns `1 attempt`, `2 attempts`.
pub(crate) fn counted(attempts: u32) -> String {
    let plural = if attempts == 1 { "" } else { "s" };
    format!("{attempts} attempt{plural}")
}

pub(crate) fn refused_by_breaker(state: BreakerState, until: Option<Timestamp>) -> String {
    match (state, until) {
        (BreakerState::HalfOpen, _) => "the breaker is half-open and others probe".to_owned(),
        (_, Some(until)) => format!("the breaker is open until {until:.0}"),
        (_, None) => "the breaker is forced open".to_owned(),
    }
}
