//! The API through its real routes, without a socket but for the tests of the listener.

#![expect(clippy::unwrap_used, reason = "a test may fail at any step")]

mod alerts;
mod alerts_backtest;
mod alerts_told;
mod app;
mod contract;
mod edge;
mod events;
mod exposition;
mod exposition_limits;
mod history;
mod listener;
mod logs;
mod observations;
mod places;
mod providers;
mod weather;
