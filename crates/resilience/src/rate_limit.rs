//! A steady rate with room for bursts, on tokio's clock.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::RatePolicy;

/// Hands out units one caller after the other, so that a costly call is not overtaken for ever.
pub(crate) struct RateLimit {
    limiter: RateLimiter<NotKeyed, InMemoryState, SinceStart, NoOpMiddleware<Duration>>,
    clock: SinceStart,
    burst: NonZeroU32,
    turn: Mutex<()>,
}

impl RateLimit {
    /// Makes a rested limit; `None` when the rate is beyond one unit per nanosecond, which is none.
    pub(crate) fn new(policy: &RatePolicy) -> Option<Self> {
        /// The limiter counts nanoseconds in 64 bits; a full burst takes at most a fourth of them.
        const NANOS_MAX: u128 = (u64::MAX / 4) as u128;
        let interval = (policy.per / policy.units.get()).min(Duration::from_nanos(u64::MAX / 4));
        let quota = Quota::with_period(interval)?;
        let room = NANOS_MAX / interval.as_nanos();
        let burst = policy.burst.min(NonZeroU32::new(room.try_into().unwrap_or(u32::MAX))?);
        let clock = SinceStart(Instant::now());
        let limiter = RateLimiter::direct_with_clock(quota.allow_burst(burst), clock);
        Some(Self { limiter, clock, burst, turn: Mutex::new(()) })
    }

    /// Waits until those who came before have taken their units.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Takes the units of one call, at most a full burst, or returns how long to wait for them.
    pub(crate) fn take(&self, cost: u32) -> Result<(), Duration> {
        let Some(units) = NonZeroU32::new(cost) else { return Ok(()) };
        let taken = self.limiter.check_n(units.min(self.burst));
        let taken = taken.expect("the units are at most the burst");
        taken.map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

/// tokio's clock in the terms of governor.
#[derive(Clone, Copy, Debug)]
struct SinceStart(Instant);

impl Clock for SinceStart {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn burst_is_followed_by_the_steady_rate() {
        let limit = RateLimit::new(&policy(2, 1, 3)).unwrap();

        assert_eq!(limit.take(3), Ok(()));
        assert_eq!(limit.take(1), Err(Duration::from_millis(500)));
        assert_eq!(limit.take(3), Err(Duration::from_millis(1500)));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(limit.take(1), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn cost_beyond_the_burst_is_charged_as_a_burst() {
        let limit = RateLimit::new(&policy(1, 1, 3)).unwrap();

        assert_eq!(limit.take(1000), Ok(()));
        assert_eq!(limit.take(1), Err(Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn call_without_cost_takes_nothing() {
        let limit = RateLimit::new(&policy(1, 1, 1)).unwrap();

        assert_eq!(limit.take(0), Ok(()));
        assert_eq!(limit.take(1), Ok(()));
        assert_eq!(limit.take(0), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn extreme_policies_do_not_panic() {
        let most = NonZeroU32::MAX;
        for (units, per) in [(NonZeroU32::MIN, Duration::MAX), (most, Duration::from_secs(1))] {
            if let Some(limit) = RateLimit::new(&RatePolicy { units, per, burst: most }) {
                assert_eq!(limit.take(u32::MAX), Ok(()));
                // Whether there is room left depends on the rate; that there is an answer does not.
                let _ = limit.take(u32::MAX);
            }
        }
        assert!(
            RateLimit::new(&RatePolicy { units: most, per: Duration::ZERO, burst: most }).is_none()
        );
    }

    fn policy(units: u32, per_s: u64, burst: u32) -> RatePolicy {
        let positive = |count| NonZeroU32::new(count).unwrap();
        let per = Duration::from_secs(per_s);
        RatePolicy { units: positive(units), per, burst: positive(burst) }
    }
}
