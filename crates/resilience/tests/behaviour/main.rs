//! What the stack and its parts promise, seen from outside, under virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod breaker;
mod breaker_model;
mod limits;
mod order;
mod pause;
mod quota;
mod retry;
mod trial;
