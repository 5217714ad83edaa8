//! The simulator as a client sees it: plain HTTP against a running one.
//!
//! The clock is a number that the test sets; `harness` starts a simulator and asks it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod control;
mod faults;
mod harness;
mod met_norway;
mod open_meteo;
mod openweathermap;
mod slack;
mod weatherstack;
