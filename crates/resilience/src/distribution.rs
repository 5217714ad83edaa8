//! How values are spread: how many there were of each size, for histograms.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counts values by size. Recording takes no lock.
#[derive(Debug)]
pub struct Distribution {
    bounds: &'static [f64],
    counts: Box<[AtomicU64]>,
    /// The bits of a floating-point number.
    sum: AtomicU64,
}

/// A distribution at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DistributionSnapshot {
    /// Upper bounds, each with the values that exceed the bound before and not this one; the last
    /// bound is infinite. Empty where nothing is measured.
    pub buckets: Vec<(f64, u64)>,
    /// All values together.
    pub sum: f64,
}

impl Distribution {
    /// Counts against growing upper bounds; what exceeds the last one is counted as well.
    pub fn new(bounds: &'static [f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a value; a value equal to a bound belongs to it.
    pub fn record(&self, value: f64) {
        let bucket = self.bounds.iter().take_while(|bound| **bound < value).count();
        self.counts[bucket].fetch_add(1, Relaxed);
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // Never refused, since `add` always gives a number.
        let _ = self.sum.fetch_update(Relaxed, Relaxed, add);
    }

    /// Counts a duration in seconds.
    pub fn record_duration(&self, duration: Duration) {
        self.record(duration.as_secs_f64());
    }

    /// Returns the counts as they are now.
    pub fn snapshot(&self) -> DistributionSnapshot {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        let sum = f64::from_bits(self.sum.load(Relaxed));
        DistributionSnapshot { buckets: bounds.zip(counts).collect(), sum }
    }
}

impl DistributionSnapshot {
    /// Returns how many values there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_the_first_bucket_that_holds_them() {
        let distribution = Distribution::new(&[1.0, 2.5]);
        for value in [0.0, 1.0, 1.25, 2.5, 7.0, 8.0] {
            distribution.record(value);
        }
        distribution.record_duration(Duration::from_millis(500));
        let snapshot = distribution.snapshot();
        assert_eq!(snapshot.buckets, [(1.0, 3), (2.5, 2), (f64::INFINITY, 2)]);
        assert_eq!((snapshot.count(), snapshot.sum), (7, 20.25));
    }
}
