//! The store of samples as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod behaviour;
mod concurrency;
mod failures;
mod kill;
mod model;
mod retention;
mod scene;
