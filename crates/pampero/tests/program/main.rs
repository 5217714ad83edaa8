//! The program as its users see it: started for real, pointed at simulated providers, asked over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod demo;
mod harness;
mod kill_nine;
mod outage;
mod quota;
mod secrets;
