//! The REST API of alerting and notifications as its callers see it: requests through the real routes, without
//! a socket. `walkthrough` goes the way of a person who makes an alert; the rest are tables.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod alerts;
mod channels;
mod executions;
mod frame;
mod hostile;
mod monitors;
mod refusals;
mod secrets;
mod slack;
mod testkit;
mod walkthrough;
