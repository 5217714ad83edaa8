//! Counts of what a stack did, as plain numbers for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::FailureClass;

const CLASSES: usize = FailureClass::ALL.len();

/// What a stack did since it was opened. All but the last two only grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StackStats {
    /// Calls that were begun.
    pub calls: u64,
    /// Attempts that succeeded.
    pub attempts_succeeded: u64,
    /// Attempts that failed by class, in the order of [`FailureClass::ALL`]; a timeout is transient.
    pub attempts_failed: [u64; CLASSES],
    /// Attempts that took too long; the transient ones contain them.
    pub attempts_timed_out: u64,
    /// Attempts after the first of a call.
    pub retries: u64,
    /// Calls that the deadline cut off.
    pub deadlines_exceeded: u64,
    /// Calls that the breaker refused.
    pub refused_by_breaker: u64,
    /// Calls that were refused while the service is left alone.
    pub refused_by_pause: u64,
    /// Calls that a used-up allowance refused.
    pub refused_by_quota: u64,
    /// Calls that were refused because too many waited.
    pub refused_by_queue: u64,
    /// Times the service was left alone from then on, by the class of failure that led to it, in the
    /// order of [`FailureClass::ALL`].
    pub pauses: [u64; CLASSES],
    /// Quota counts that could not be put on record at once.
    pub ledger_failures: u64,
    /// Attempts that hold one of the concurrency places now.
    pub in_flight: u32,
    /// Callers that wait for one of the concurrency places now.
    pub waiting: u32,
}

impl StackStats {
    /// Returns how many attempts failed with `class`.
    pub fn failed(&self, class: FailureClass) -> u64 {
        self.attempts_failed[class as usize]
    }

    /// Returns how often the service was left alone because of `class`.
    pub fn paused_by(&self, class: FailureClass) -> u64 {
        self.pauses[class as usize]
    }
}

/// The running counts behind [`StackStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: Count,
    pub(crate) attempts_succeeded: Count,
    pub(crate) attempts_failed: [Count; CLASSES],
    pub(crate) attempts_timed_out: Count,
    pub(crate) retries: Count,
    pub(crate) deadlines_exceeded: Count,
    pub(crate) refused_by_breaker: Count,
    pub(crate) refused_by_pause: Count,
    pub(crate) refused_by_quota: Count,
    pub(crate) refused_by_queue: Count,
    pub(crate) pauses: [Count; CLASSES],
    pub(crate) ledger_failures: Count,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add_one(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Counters {
    pub(crate) fn read(&self, in_flight: u32, waiting: u32) -> StackStats {
        StackStats {
            calls: self.calls.get(),
            attempts_succeeded: self.attempts_succeeded.get(),
            attempts_failed: std::array::from_fn(|class| self.attempts_failed[class].get()),
            attempts_timed_out: self.attempts_timed_out.get(),
            retries: self.retries.get(),
            deadlines_exceeded: self.deadlines_exceeded.get(),
            refused_by_breaker: self.refused_by_breaker.get(),
            refused_by_pause: self.refused_by_pause.get(),
            refused_by_quota: self.refused_by_quota.get(),
            refused_by_queue: self.refused_by_queue.get(),
            pauses: std::array::from_fn(|class| self.pauses[class].get()),
            ledger_failures: self.ledger_failures.get(),
            in_flight,
            waiting,
        }
    }
}
