//! Wall time as something that is passed in.

use std::fmt::Debug;

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the wall time, in UTC.
pub trait Clock: Debug + Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that starts at a chosen instant and then goes with tokio's clock.
///
/// Under a paused runtime it stands still and jumps with `tokio::time::advance`, so that
/// wall time and timers agree in tests.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    start: Timestamp,
    started: Instant,
}

impl VirtualClock {
    /// Starts a clock at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, started: Instant::now() }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.start.saturating_add(self.started.elapsed()).expect("a test ends before year 9999")
    }
}
