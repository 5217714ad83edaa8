//! Aggregations over several segments of several indices: answers by example, and random trees of them
//! over random documents beside a plain model.

#![expect(clippy::unwrap_used, reason = "a test may fail by it")]

mod answers;
mod kit;
mod model;
mod random;
mod refused;
