//! Percentiles of any number of values in little memory.
//!
//! Up to [`Digest::EXACT_MAX`] values all of them are kept, so that small sets are answered exactly.
//! Beyond, neighbours are merged, the fewer the nearer they are to an end.
//!
//! Source: T. Dunning, O. Ertl, "Computing extremely accurate quantiles using t-digests" (2019), the
//! merging digest with the scale function k1; between single values nothing is interpolated, as in
//! version 3.3 of its reference implementation.

/// Values in their order, merged where there are many.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest {
    /// Means and weights, sorted when nothing is pending.
    centroids: Vec<(f64, f64)>,
    pending: usize,
    weight: f64,
    min: f64,
    max: f64,
}

impl Digest {
    /// Up to so many values are kept as they are.
    pub(super) const EXACT_MAX: usize = 1_024;
    /// How fine the merged values are; about twice as many centroids stay at most.
    const COMPRESSION: f64 = 200.0;

    /// Adds a value, and returns by how many bytes it grew.
    pub(super) fn add(&mut self, value: f64) -> u64 {
        let before = self.centroids.len();
        self.push(value, 1.0);
        self.centroids.len().saturating_sub(before) as u64 * 16
    }

    fn push(&mut self, mean: f64, weight: f64) {
        if self.weight == 0.0 {
            (self.min, self.max) = (mean, mean);
        }
        self.min = self.min.min(mean);
        self.max = self.max.max(mean);
        self.centroids.push((mean, weight));
        self.weight += weight;
        self.pending += 1;
        if self.centroids.len() > Self::EXACT_MAX {
            self.compress();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.weight == 0.0 {
            return;
        }
        let (min, max) = (other.min, other.max);
        other.centroids.iter().for_each(|(mean, weight)| self.push(*mean, *weight));
        // A mean never lies beyond the values it was made of, but the values may.
        self.min = self.min.min(min);
        self.max = self.max.max(max);
    }

    fn compress(&mut self) {
        self.sort();
        let normalizer = Self::COMPRESSION / (2.0 * std::f64::consts::PI);
        let scale = |part: f64| normalizer * (2.0 * part - 1.0).clamp(-1.0, 1.0).asin();
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(2 * Self::COMPRESSION as usize);
        let mut before = 0.0;
        let mut lower = scale(0.0);
        for (mean, weight) in self.centroids.drain(..) {
            let Some(last) = merged.last_mut() else {
                merged.push((mean, weight));
                continue;
            };
            let together = last.1 + weight;
            if scale((before + together) / self.weight) - lower <= 1.0 {
                last.0 += (mean - last.0) * weight / together;
                last.1 = together;
            } else {
                before += last.1;
                lower = scale(before / self.weight);
                merged.push((mean, weight));
            }
        }
        self.centroids = merged;
    }

    /// Puts the values in order; to be called before they are asked for.
    pub(super) fn sort(&mut self) {
        if self.pending > 0 {
            self.centroids.sort_by(|one, other| one.0.total_cmp(&other.0));
            self.pending = 0;
        }
    }

    /// Returns the value below which `part`, from 0 to 1, of the values lie; `None` without values.
    pub(super) fn quantile(&self, part: f64) -> Option<f64> {
        let (first, last) = (self.centroids.first()?, self.centroids.last()?);
        let wanted = part * self.weight;
        if self.centroids.len() == 1 || wanted < 1.0 {
            return Some(if self.centroids.len() == 1 { first.0 } else { self.min });
        }
        if first.1 > 1.0 && wanted < first.1 / 2.0 {
            return Some(self.min + (wanted - 1.0) / (first.1 / 2.0 - 1.0) * (first.0 - self.min));
        }
        if wanted > self.weight - 1.0 {
            return Some(self.max);
        }
        if last.1 > 1.0 && self.weight - wanted <= last.1 / 2.0 {
            let rest = (self.weight - wanted - 1.0) / (last.1 / 2.0 - 1.0);
            return Some(self.max - rest * (self.max - last.0));
        }
        let mut so_far = first.1 / 2.0;
        for pair in self.centroids.windows(2) {
            let [(left, left_weight), (right, right_weight)] = [pair[0], pair[1]];
            let step = (left_weight + right_weight) / 2.0;
            if so_far + step > wanted {
                let mut left_unit = 0.0;
                if left_weight == 1.0 {
                    if wanted - so_far < 0.5 {
                        return Some(left);
                    }
                    left_unit = 0.5;
                }
                let mut right_unit = 0.0;
                if right_weight == 1.0 {
                    if so_far + step - wanted <= 0.5 {
                        return Some(right);
                    }
                    right_unit = 0.5;
                }
                let near_left = wanted - so_far - left_unit;
                let near_right = so_far + step - wanted - right_unit;
                return Some((left * near_right + right * near_left) / (near_left + near_right));
            }
            so_far += step;
        }
        Some(self.max)
    }

    /// Returns which part of the values, from 0 to 1, lies below `value`, with half of those that are
    /// equal; `None` without values.
    pub(super) fn rank(&self, value: f64) -> Option<f64> {
        let (first, last) = (self.centroids.first()?, self.centroids.last()?);
        if value < self.min {
            return Some(0.0);
        }
        if value > self.max {
            return Some(1.0);
        }
        if value < first.0 {
            let within = (value - self.min) / (first.0 - self.min);
            let below = if value == self.min { 0.5 } else { 1.0 + within * (first.1 / 2.0 - 1.0) };
            return Some(below / self.weight);
        }
        if value > last.0 {
            let within = (self.max - value) / (self.max - last.0);
            let above = if value == self.max { 0.5 } else { 1.0 + within * (last.1 / 2.0 - 1.0) };
            return Some(1.0 - above / self.weight);
        }
        let from = self.centroids.partition_point(|(mean, _)| *mean < value);
        let to = self.centroids.partition_point(|(mean, _)| *mean <= value);
        let below: f64 = self.centroids[..from].iter().map(|(_, weight)| weight).sum();
        if from < to {
            let equal: f64 = self.centroids[from..to].iter().map(|(_, weight)| weight).sum();
            return Some((below + equal / 2.0) / self.weight);
        }
        let (left, right) = (self.centroids[from - 1], self.centroids[from]);
        // A single value stands for itself alone, so nothing is spread round it.
        let (left_half, right_half) = match (left.1 == 1.0, right.1 == 1.0) {
            (true, true) => return Some(below / self.weight),
            (true, false) => (0.0, right.1 / 2.0),
            (false, true) => (left.1 / 2.0, 0.0),
            (false, false) => (left.1 / 2.0, right.1 / 2.0),
        };
        let within = (value - left.0) / (right.0 - left.0);
        Some((below - left_half + within * (left_half + right_half)) / self.weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sets_are_answered_with_their_own_values() {
        let digest = digest([1.0, 51.0, 101.0, 151.0]);
        for (percent, value) in
            [(1.0, 1.0), (5.0, 1.0), (25.0, 51.0), (50.0, 101.0), (75.0, 151.0), (99.0, 151.0)]
        {
            assert_eq!(digest.quantile(percent / 100.0), Some(value), "{percent} %");
        }
        assert_eq!(digest.rank(51.0), Some(0.375));
        assert_eq!(digest.rank(50.0), Some(0.25));
        assert_eq!(digest.rank(0.0), Some(0.0));
        assert_eq!(digest.rank(151.0), Some(0.875));
        assert_eq!(Digest::default().quantile(0.5), None);
    }

    #[test]
    fn great_sets_are_answered_nearly_in_bounded_memory() {
        let mut whole = Digest::default();
        for chunk in 0..20 {
            let mut part = Digest::default();
            (0..5_000).for_each(|step| {
                part.add(f64::from((step * 7_919 + chunk) % 100_000));
            });
            whole.merge(&part);
        }
        whole.sort();
        assert!(whole.centroids.len() <= Digest::EXACT_MAX);
        let mut values: Vec<f64> = (0..20)
            .flat_map(|chunk| {
                (0..5_000).map(move |step| f64::from((step * 7_919 + chunk) % 100_000))
            })
            .collect();
        values.sort_by(f64::total_cmp);
        for part in [0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999] {
            let found = whole.quantile(part).unwrap();
            let rank = values.partition_point(|value| *value < found) as f64 / values.len() as f64;
            assert!((rank - part).abs() < 0.005, "{part}: {found} is at {rank}");
            assert!((whole.rank(found).unwrap() - part).abs() < 0.005, "{part}");
        }
    }

    fn digest<const N: usize>(values: [f64; N]) -> Digest {
        let mut digest = Digest::default();
        values.into_iter().for_each(|value| {
            digest.add(value);
        });
        digest.sort();
        digest
    }
}
