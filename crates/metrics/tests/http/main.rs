//! The HTTP API as its clients see it: through the router, over a socket, and beside a real
//! Prometheus.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod against_prometheus;
mod limits;
mod prometheus;
mod promtool;
mod requests;
mod routes;
mod rules;
mod samples;
mod served;
mod wire;
