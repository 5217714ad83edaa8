//! What single numbers are made of, one of these for each bucket.

use std::hash::{BuildHasher, Hash};

use datasketches::hll::{HllSketch, HllType, HllUnion};
use rustc_hash::{FxBuildHasher, FxHashSet};

/// Count, sum and extremes of values, the sum compensated after Kahan and Neumaier.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stats {
    /// How many values.
    pub(super) count: u64,
    sum: f64,
    compensation: f64,
    squares: f64,
    squares_compensation: f64,
    /// The least; infinite without values.
    pub(super) min: f64,
    /// The greatest; infinite below zero without values.
    pub(super) max: f64,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            compensation: 0.0,
            squares: 0.0,
            squares_compensation: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Stats {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1;
        add_compensated(&mut self.sum, &mut self.compensation, value);
        add_compensated(&mut self.squares, &mut self.squares_compensation, value * value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        add_compensated(&mut self.sum, &mut self.compensation, other.sum);
        self.compensation += other.compensation;
        add_compensated(&mut self.squares, &mut self.squares_compensation, other.squares);
        self.squares_compensation += other.squares_compensation;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum + self.compensation
    }

    /// Returns the sum of the squares.
    pub(super) fn sum_of_squares(&self) -> f64 {
        self.squares + self.squares_compensation
    }

    /// Returns the mean, or `None` without values.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }

    /// Returns the variance over all values, never below zero; `None` without values.
    pub(super) fn variance(&self) -> Option<f64> {
        let count = self.count as f64;
        let sum = self.sum();
        (self.count > 0).then(|| ((self.sum_of_squares() - sum * sum / count) / count).max(0.0))
    }

    /// Returns the variance as a sample has it; `None` below two values.
    pub(super) fn variance_sampling(&self) -> Option<f64> {
        let count = self.count as f64;
        let sum = self.sum();
        (self.count > 1)
            .then(|| ((self.sum_of_squares() - sum * sum / count) / (count - 1.0)).max(0.0))
    }
}

/// Adds a value to a sum, and what is lost by it to the compensation.
fn add_compensated(sum: &mut f64, compensation: &mut f64, value: f64) {
    let total = *sum + value;
    if total.is_finite() {
        let lost =
            if sum.abs() >= value.abs() { (*sum - total) + value } else { (value - total) + *sum };
        *compensation += lost;
    }
    *sum = total;
}

/// A mean with weights.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weighted {
    /// The products of values and weights.
    pub(super) product: Stats,
    /// The weights.
    pub(super) weight: Stats,
}

/// How many distinct values there are: exactly up to a threshold, estimated beyond.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct {
    hashes: FxHashSet<u64>,
    sketch: Option<Box<HllSketch>>,
}

impl Distinct {
    /// Registers of the sketch, as a power of two; its error is 0.6 % or so.
    const REGISTERS_LOG2: u8 = 14;

    /// Returns the hash of a value.
    ///
    /// Fx alone spreads too badly for a set that takes the hash for the value, so it is mixed.
    pub(super) fn hash(value: impl Hash) -> u64 {
        let mut mixed = FxBuildHasher.hash_one(value);
        // Source: the finalizer of splitmix64, which is a bijection.
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Adds a hash, and returns by how many bytes it grew.
    pub(super) fn add(&mut self, hash: u64, exact_max: usize) -> u64 {
        if let Some(sketch) = &mut self.sketch {
            sketch.update(hash);
            return 0;
        }
        let grew = if self.hashes.insert(hash) { 16 } else { 0 };
        if self.hashes.len() > exact_max {
            self.estimate_from_here();
        }
        grew
    }

    fn estimate_from_here(&mut self) -> &mut HllSketch {
        let hashes = std::mem::take(&mut self.hashes);
        self.sketch.get_or_insert_with(|| {
            let mut sketch = HllSketch::new(Self::REGISTERS_LOG2, HllType::Hll8)
                .expect("the number of registers is one that sketches have");
            hashes.iter().for_each(|hash| sketch.update(*hash));
            Box::new(sketch)
        })
    }

    pub(super) fn merge(&mut self, other: Self, exact_max: usize) {
        match other.sketch {
            None => {
                for hash in other.hashes {
                    self.add(hash, exact_max);
                }
            }
            Some(sketch) => {
                let own = self.estimate_from_here();
                let mut union = HllUnion::new(Self::REGISTERS_LOG2)
                    .expect("the number of registers is one that sketches have");
                union.update(own);
                union.update(&sketch);
                *own = union.to_sketch(HllType::Hll8);
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        match &self.sketch {
            Some(sketch) => sketch.estimate().round() as u64,
            None => self.hashes.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_lose_small_values() {
        let mut stats = Stats::default();
        [1e16, 1.0, -1e16].into_iter().for_each(|value| stats.add(value));
        assert_eq!(stats.sum(), 1.0);
    }

    #[test]
    fn distinct_values_are_exact_up_to_the_threshold_and_near_beyond() {
        let mut exact = Distinct::default();
        let mut rough = Distinct::default();
        for value in 0..100_000_u64 {
            if value < 3_000 {
                exact.add(Distinct::hash(value), 3_000);
                exact.add(Distinct::hash(value), 3_000);
            }
            rough.add(Distinct::hash(value), 3_000);
        }
        assert_eq!(exact.count(), 3_000);
        let is_near =
            |distinct: &Distinct| (distinct.count() as f64 / 100_000.0 - 1.0).abs() < 0.03;
        assert!(is_near(&rough), "{}", rough.count());
        // The smaller set lies in the greater, so together they are no more than that one.
        let mut merged = exact;
        merged.merge(rough, 3_000);
        assert!(is_near(&merged), "{}", merged.count());
    }
}
