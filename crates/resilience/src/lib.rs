//! What keeps a call to an unreliable service bounded, and tells of every decision on the way.
//!
//! Knows no weather and no HTTP: a call is any future whose error says its [`FailureClass`].
//! Start reading at [`Stack::call`], which shows the parts in their order.

mod breaker;
mod clock;
mod decision;
mod failure;
mod quota;
mod stack;

pub use breaker::*;
pub use clock::{Clock, SystemClock, VirtualClock};
pub use decision::{Decision, DecisionKind};
pub use failure::{Failure, FailureClass, RetryRule};
pub use quota::*;
pub use stack::*;
