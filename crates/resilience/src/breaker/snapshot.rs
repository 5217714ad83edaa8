//! What a breaker shows to whoever looks at it.

use jiff::Timestamp;

use crate::BreakerState;

/// A breaker at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerSnapshot {
    /// What it does with calls. It stays `Open` after its time until the first call comes.
    pub state: BreakerState,
    /// When that state began.
    pub since: Timestamp,
    /// When a probe may pass, in the past if no call came since; `None` unless open by its own rules.
    pub until: Option<Timestamp>,
    /// The time is over, and the next call will be a probe.
    pub probe_due: bool,
    /// An operator holds it in its state.
    pub forced: bool,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// Counted calls in the window of the failure rate; 0 without one.
    pub window_calls: u64,
    /// Failures among them.
    pub window_failures: u64,
    /// Grows with every change of state.
    pub generation: u64,
    /// Probes under way; 0 unless half-open.
    pub probes_in_flight: u32,
    /// Probes that succeeded since it became half-open; 0 unless half-open.
    pub probes_succeeded: u32,
    /// The last failure that counted; `None` before the first.
    pub last_failure: Option<BreakerFailure>,
}

/// A failure that counted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BreakerFailure {
    /// When it was reported.
    pub at: Timestamp,
    /// What it was, in words.
    pub cause: String,
}
