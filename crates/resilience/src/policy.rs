//! The limits of a stack, as the program means them. Every limit has a name and a default.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::QuotaWindow;

/// Everything that bounds the calls to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Longest time of a whole call: attempts, waits and queueing together.
    ///
    /// Keep it longer than `attempt_timeout`: an attempt that the deadline cuts off says nothing
    /// about the service, so a hang shorter than the attempt timeout is never counted.
    pub deadline: Duration,
    /// Longest time of one attempt, counted from when it leaves, not from when it queues.
    pub attempt_timeout: Duration,
    /// How often and when a failed attempt is repeated.
    pub retry: RetryPolicy,
    /// When the service is taken to be down.
    pub breaker: BreakerPolicy,
    /// Most units in a stretch of time; `None` sets no limit.
    pub rate: Option<RatePolicy>,
    /// Most units in a calendar window; empty sets no limit.
    pub quota: Vec<QuotaLimit>,
    /// Most attempts at the same time.
    pub concurrency: NonZeroU32,
    /// Most callers that wait for one of the places of `concurrency`; a further one is refused.
    pub queue_max: u32,
    /// How long the service is left alone when it asks for that.
    pub pause: PausePolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            breaker: BreakerPolicy::default(),
            rate: None,
            quota: Vec::new(),
            concurrency: at_least_one(4),
            queue_max: 1024,
            pause: PausePolicy::default(),
        }
    }
}

/// How often a failed attempt is repeated, and how long to wait in between.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts_max: NonZeroU32,
    /// Upper bound of the wait before the first repeat; it doubles with each further one.
    ///
    /// The wait itself is drawn evenly between zero and the bound (full jitter).
    pub backoff: Duration,
    /// The bound does not grow beyond this.
    pub backoff_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts_max: at_least_one(3),
            backoff: Duration::from_secs(5),
            backoff_max: Duration::from_secs(60),
        }
    }
}

/// When the breaker opens, and how it closes again.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerPolicy {
    /// Opens after so many failures without a success in between.
    pub consecutive_failures: NonZeroU32,
    /// Opens at such a share of failures too; `None` looks at consecutive failures only.
    pub failure_rate: Option<FailureRate>,
    /// A success that took longer counts as a failure; `None` counts every success as one.
    pub slow_call: Option<Duration>,
    /// How long it stays open before a probe may pass.
    pub open_for: Duration,
    /// Most probes at the same time while half-open.
    pub probes_max: NonZeroU32,
    /// Successful probes after which it closes.
    pub probes_to_close: NonZeroU32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            consecutive_failures: at_least_one(3),
            failure_rate: Some(FailureRate::default()),
            slow_call: None,
            open_for: Duration::from_secs(60),
            probes_max: at_least_one(1),
            probes_to_close: at_least_one(1),
        }
    }
}

/// A share of failures over a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRate {
    /// The share of failed calls that opens the breaker, 0 to 1.
    pub share: f64,
    /// How far back calls count. Whole tenths of it are forgotten at once.
    pub window: Duration,
    /// With fewer calls in the window the share says nothing.
    pub calls_min: u32,
}

impl Default for FailureRate {
    fn default() -> Self {
        Self { share: 0.5, window: Duration::from_secs(60), calls_min: 10 }
    }
}

/// A steady rate with room for bursts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RatePolicy {
    /// Units that are allowed per `per`.
    pub units: NonZeroU32,
    /// The stretch of time in which `units` are allowed.
    pub per: Duration,
    /// Most units at once after a rest. A call that costs more is charged so many and no more.
    pub burst: NonZeroU32,
}

/// The allowance of a calendar window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaLimit {
    /// The kind of window.
    pub window: QuotaWindow,
    /// Units that may be used in it; a call that costs more is never made.
    pub units: u64,
}

/// How long a service is left alone after an answer that asks for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PausePolicy {
    /// After the key or identity was refused.
    pub auth: Duration,
    /// After too many calls, when the service does not say how long; doubles while it repeats.
    pub rate_limited: Duration,
    /// The doubling ends here.
    pub rate_limited_max: Duration,
    /// A service that answers "too many calls" and asks for a longer wait gets this one.
    pub asked_max: Duration,
}

impl Default for PausePolicy {
    fn default() -> Self {
        Self {
            auth: Duration::from_secs(3600),
            rate_limited: Duration::from_secs(60),
            rate_limited_max: Duration::from_secs(3600),
            asked_max: Duration::from_secs(24 * 3600),
        }
    }
}

const fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(count - 1)
}
