//! Monitors run under virtual time over a recorded past, and what a backtest makes of the same.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod live;
mod past;
mod scene;
