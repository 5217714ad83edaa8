//! What the stack decided, told to the caller as it happens.

use std::time::Duration;

use jiff::Timestamp;

/// One decision of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// When it was taken.
    pub at: Timestamp,
    /// What was decided.
    pub kind: DecisionKind,
    /// Why, in words; `None` when the kind says it all.
    pub cause: Option<String>,
    /// The attempt it belongs to, counted from 1; `None` outside a call.
    pub attempt: Option<u32>,
    /// How long the attempt (`AttemptFailed`) or the call (all others) had taken; `None` outside a call.
    pub elapsed: Option<Duration>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DecisionKind {
    /// An attempt failed; the cause names its class first.
    AttemptFailed,
    /// A failed attempt will be repeated; the cause says after which wait.
    RetryScheduled,
    /// No further attempt is made; the cause says why not.
    GaveUp,
    /// A call succeeded after at least one failed attempt.
    Recovered,
    /// The breaker opened.
    BreakerOpened,
    /// The breaker lets probes through.
    BreakerHalfOpened,
    /// The breaker closed.
    BreakerClosed,
    /// An operator forced the breaker open.
    BreakerForcedOpen,
    /// An operator forced the breaker closed.
    BreakerForcedClosed,
    /// An operator gave the breaker back to its own rules.
    BreakerReleased,
    /// A call was not made; the cause says what refused it.
    CallRefused,
    /// The service is left alone for a while (refused key, used-up quota, asked to wait).
    Paused,
    /// The allowance of a day or month is used up.
    QuotaExhausted,
    /// The quota counts could not be put on record; the call goes on, the counts are kept in memory.
    LedgerFailed,
}
