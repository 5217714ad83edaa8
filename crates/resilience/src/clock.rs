//! Wall time as something that is passed in.

use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the wall time, in UTC.
pub trait Clock: Debug + Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine, in whole milliseconds, which is what the store keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let now_ms = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(now_ms).expect("a part of an instant is an instant")
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

/// Returns the instant `wait` after `now`, or one that no process lives to see.
pub(crate) fn instant_after(now: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);
    now + wait.min(CENTURY)
}

/// Returns the wall time `wait` after `now`, or the last one there is.
pub(crate) fn wall_after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Returns the time from `now` until `then`, zero when it is past.
pub(crate) fn wall_between(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}
