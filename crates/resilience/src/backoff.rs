//! The wait before a repeat: exponential, with full jitter from a seeded source of chance.

use std::sync::Mutex;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::RetryPolicy;

/// Draws waits.
#[derive(Debug)]
pub(crate) struct Backoff(Mutex<StdRng>);

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Returns the wait after failed attempt number `attempt`, in whole milliseconds.
    ///
    /// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub(crate) fn draw(&self, policy: &RetryPolicy, attempt: u32) -> Duration {
        let bound = bound(policy, attempt).as_millis().min(u128::from(u64::MAX)) as u64;
        let mut chance = self.0.lock().expect("no code panics while it holds the chance");
        Duration::from_millis(chance.random_range(0..=bound))
    }
}

fn bound(policy: &RetryPolicy, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    policy.backoff.saturating_mul(1 << doublings).min(policy.backoff_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_doubles_up_to_its_limit() {
        check(1, 5);
        check(2, 10);
        check(4, 40);
        check(5, 60);
        check(u32::MAX, 60);
    }

    #[track_caller]
    fn check(attempt: u32, bound_s: u64) {
        assert_eq!(bound(&RetryPolicy::default(), attempt), Duration::from_secs(bound_s));
    }

    #[test]
    fn jitter_fills_the_whole_range_and_repeats_with_its_seed() {
        let policy = RetryPolicy::default();
        let draw = |seed| {
            let backoff = Backoff::new(seed);
            (0..1000).map(|_| backoff.draw(&policy, 1)).collect::<Vec<_>>()
        };
        let waits = draw(7);

        assert_eq!(waits, draw(7));
        assert_ne!(waits, draw(8));
        assert!(waits.iter().all(|wait| *wait <= policy.backoff));
        assert!(waits.iter().min().unwrap() < &(policy.backoff / 50));
        assert!(waits.iter().max().unwrap() > &(policy.backoff * 49 / 50));
    }
}
