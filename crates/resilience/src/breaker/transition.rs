//! How often a breaker changed its state, and why.

use super::BreakerState;

/// A change of state with its reason.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Transition {
    /// What it was before.
    pub from: BreakerState,
    /// What it became.
    pub to: BreakerState,
    /// What led to it.
    pub cause: TransitionCause,
}

/// What led to a change of state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TransitionCause {
    /// So many calls failed in a row.
    ConsecutiveFailures,
    /// So large a share of the calls failed.
    FailureRate,
    /// It was open for its time.
    OpenTimeOver,
    /// A probe failed.
    ProbeFailed,
    /// Enough probes succeeded.
    ProbeSucceeded,
    /// An operator forced it, or gave it back to its own rules.
    Operator,
}

impl TransitionCause {
    /// Returns the spelling, as in `probe_failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureRate => "failure_rate",
            Self::OpenTimeOver => "open_time_over",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeSucceeded => "probe_succeeded",
            Self::Operator => "operator",
        }
    }
}

impl Transition {
    /// Every change there can be.
    pub const ALL: [Self; 9] = {
        use BreakerState::{Closed, HalfOpen, Open};
        use TransitionCause as Cause;
        [
            Self { from: Closed, to: Open, cause: Cause::ConsecutiveFailures },
            Self { from: Closed, to: Open, cause: Cause::FailureRate },
            Self { from: Open, to: HalfOpen, cause: Cause::OpenTimeOver },
            Self { from: HalfOpen, to: Open, cause: Cause::ProbeFailed },
            Self { from: HalfOpen, to: Closed, cause: Cause::ProbeSucceeded },
            Self { from: Closed, to: Open, cause: Cause::Operator },
            Self { from: Open, to: Closed, cause: Cause::Operator },
            Self { from: HalfOpen, to: Open, cause: Cause::Operator },
            Self { from: HalfOpen, to: Closed, cause: Cause::Operator },
        ]
    };
}

/// How often each change of [`Transition::ALL`] happened.
#[derive(Debug, Default)]
pub(super) struct TransitionCounts([u64; Transition::ALL.len()]);

impl TransitionCounts {
    pub(super) fn count(&mut self, transition: Transition) {
        let known = Transition::ALL.iter().position(|known| *known == transition);
        if let Some(index) = known {
            self.0[index] += 1;
        }
    }

    pub(super) fn read(&self) -> [(Transition, u64); Transition::ALL.len()] {
        std::array::from_fn(|index| (Transition::ALL[index], self.0[index]))
    }
}
