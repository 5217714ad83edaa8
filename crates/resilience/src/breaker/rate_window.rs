//! Counts of calls and failures over the last stretch of time, in ten buckets.

use std::time::Duration;

use tokio::time::Instant;

use crate::FailureRate;

const BUCKETS: u64 = 10;

/// The counts of the present bucket and of the nine before it.
#[derive(Debug)]
pub(super) struct RateWindow {
    rate: FailureRate,
    started: Instant,
    buckets: [Bucket; BUCKETS as usize],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Counted from the start of the window; tells an old bucket from the one that takes its place.
    number: u64,
    calls: u64,
    failures: u64,
}

impl RateWindow {
    pub(super) fn new(rate: FailureRate, now: Instant) -> Self {
        Self { rate, started: now, buckets: Default::default() }
    }

    pub(super) fn count(&mut self, failed: bool, now: Instant) {
        let number = self.number(now);
        let bucket = &mut self.buckets[(number % BUCKETS) as usize];
        if bucket.number != number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        bucket.calls += 1;
        bucket.failures += u64::from(failed);
    }

    /// Returns the calls and the failures among them.
    pub(super) fn totals(&self, now: Instant) -> (u64, u64) {
        let present = self.number(now);
        let counted = self.buckets.iter().filter(|bucket| bucket.number + BUCKETS > present);
        counted.fold((0, 0), |(calls, failures), bucket| {
            (calls + bucket.calls, failures + bucket.failures)
        })
    }

    /// Returns why the share of failures is too large; `None` while it is not.
    pub(super) fn exceeded(&self, now: Instant) -> Option<String> {
        let (calls, failures) = self.totals(now);
        let exceeded = calls >= u64::from(self.rate.calls_min)
            && failures as f64 >= self.rate.share * calls as f64;
        exceeded
            .then(|| format!("{failures} of {calls} calls failed within {:?}", self.rate.window))
    }

    fn number(&self, now: Instant) -> u64 {
        let width = (self.rate.window / BUCKETS as u32).max(Duration::from_micros(1));
        let elapsed = now.saturating_duration_since(self.started);
        // Nanoseconds in 64 bits last for 584 years.
        elapsed.as_nanos() as u64 / (width.as_nanos() as u64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn calls_are_forgotten_when_the_window_has_passed() {
        let start = Instant::now();
        let mut window = RateWindow::new(FailureRate::default(), start);
        window.count(true, start);
        window.count(false, start + 30 * SECOND);

        check(&window, start + 59 * SECOND, (2, 1));
        check(&window, start + 60 * SECOND, (1, 0));
        check(&window, start + 89 * SECOND, (1, 0));
        check(&window, start + 90 * SECOND, (0, 0));
        check(&window, start + 10_000 * SECOND, (0, 0));
    }

    #[test]
    fn bucket_is_emptied_before_it_is_used_again() {
        let start = Instant::now();
        let mut window = RateWindow::new(FailureRate::default(), start);
        for _ in 0..1000 {
            window.count(false, start);
        }
        window.count(true, start + 60 * SECOND);

        check(&window, start + 60 * SECOND, (1, 1));
    }

    #[test]
    fn share_counts_from_the_least_number_of_calls_on() {
        let start = Instant::now();
        let rate = FailureRate { share: 0.5, window: 60 * SECOND, calls_min: 4 };
        let mut window = RateWindow::new(rate, start);
        for failed in [true, true, false] {
            window.count(failed, start);
        }
        assert_eq!(window.exceeded(start), None);

        window.count(false, start);
        let cause = window.exceeded(start);
        assert_eq!(cause.as_deref(), Some("2 of 4 calls failed within 60s"));

        window.count(false, start);
        assert_eq!(window.exceeded(start), None);
    }

    #[test]
    fn window_without_length_does_not_divide_by_zero() {
        let start = Instant::now();
        let rate = FailureRate { share: 0.5, window: Duration::ZERO, calls_min: 1 };
        let mut window = RateWindow::new(rate, start);
        window.count(true, start);

        check(&window, start + SECOND, (0, 0));
    }

    #[track_caller]
    fn check(window: &RateWindow, now: Instant, totals: (u64, u64)) {
        assert_eq!(window.totals(now), totals);
    }
}
