//! What every adapter does with what a service may do to it, over real connections on this machine.
//!
//! Start reading at `suite`, which runs one table over all four adapters; the other modules hold what
//! only one of them does, or what none may do.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

mod adapters;
mod conditional;
mod geocoding;
mod requests;
mod secrecy;
mod stand_in;
mod suite;
mod transport;
