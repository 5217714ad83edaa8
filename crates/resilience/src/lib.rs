//! What keeps a call to an unreliable service bounded, and tells of every decision on the way.
//!
//! Knows no weather and no HTTP: a call is any future whose error says its [`FailureClass`].
//! Start reading at [`Stack::call`], which shows the parts in their order.

mod backoff;
mod breaker;
mod call_error;
mod clock;
mod concurrency;
mod decision;
mod distribution;
mod failure;
mod pause;
mod policy;
mod quota;
mod rate_limit;
mod stack;
mod stats;

pub use breaker::{
    Admission, Breaker, BreakerFailure, BreakerRefusal, BreakerSnapshot, BreakerState, Permit,
    Transition, TransitionCause,
};
pub use call_error::CallError;
pub use clock::{Clock, SystemClock, VirtualClock};
pub use decision::{Decision, DecisionKind};
pub use distribution::{Distribution, DistributionSnapshot};
pub use failure::{Failure, FailureClass, RetryRule};
pub use pause::PauseState;
pub use policy::{
    BreakerPolicy, FailureRate, PausePolicy, Policy, QuotaLimit, RatePolicy, RetryPolicy,
};
pub use quota::{LedgerError, MemoryLedger, QuotaLedger, QuotaState, QuotaUsage, QuotaWindow};
pub use stack::Stack;
pub use stats::StackStats;
