//! Aggregations that look at the order of values: `topk`, `bottomk`, `quantile`; and `sort`.

use std::cmp::Ordering;

use super::column::Vector;

/// Returns the φ-quantile of values, interpolated between the two next to it, and sorts them.
///
/// NaN of nothing or of a φ that is NaN, an infinity of a φ outside 0 to 1.
///
/// Source: Prometheus, `promql/quantile.go`, `quantile`.
pub(super) fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    values.sort_unstable_by(|one, other| nan_first(*one, *other));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rank lies between 0 and the number of values"
    )]
    let (lower, weight) = {
        let rank = phi * (values.len() - 1) as f64;
        (rank.floor() as usize, rank - rank.floor())
    };
    let upper = (lower + 1).min(values.len() - 1);
    values[lower] * (1.0 - weight) + values[upper] * weight
}

fn nan_first(one: f64, other: f64) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (false, false) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
        (one, other) => other.cmp(&one),
    }
}

/// Sorts the series of a vector with one step by value, NaN last.
pub(super) fn sort(vector: &mut Vector, is_descending: bool) {
    vector.is_ordered = true;
    let value = |series: &super::Series| series.column.get(0).unwrap_or(f64::NAN);
    vector.series.sort_by(|one, other| {
        let (one, other) = (value(one), value(other));
        match (one.is_nan(), other.is_nan()) {
            (false, false) if is_descending => nan_first(other, one),
            (false, false) => nan_first(one, other),
            (one, other) => one.cmp(&other),
        }
    });
}

/// Keeps the largest values, or the smallest ones, in the order in which Prometheus gives them.
///
/// A binary heap with the value at its root that is the next to go; ties fall as they fall in
/// Prometheus.
///
/// Source: Go, `container/heap`; Prometheus, `promql/engine.go`, `aggregation`.
pub(super) struct Best {
    size_max: usize,
    keeps_smallest: bool,
    /// Values with where they came from.
    heap: Vec<(f64, usize)>,
}

impl Best {
    pub(super) fn new(size_max: usize, keeps_smallest: bool) -> Self {
        Self { size_max, keeps_smallest, heap: Vec::new() }
    }

    pub(super) fn add(&mut self, value: f64, origin: usize) {
        if self.heap.len() < self.size_max {
            self.heap.push((value, origin));
            self.rise(self.heap.len() - 1);
            return;
        }
        let Some((worst, _)) = self.heap.first().copied() else { return };
        let is_better = if self.keeps_smallest { worst > value } else { worst < value };
        if is_better || (worst.is_nan() && !value.is_nan()) {
            self.heap[0] = (value, origin);
            self.sink(0);
        }
    }

    /// Returns where the values came from that were kept, the best one first.
    pub(super) fn into_order(mut self) -> Vec<usize> {
        let keeps_smallest = self.keeps_smallest;
        // Stable, as Prometheus's sort is for up to twelve values.
        self.heap.sort_by(|(one, _), (other, _)| match (one.is_nan(), other.is_nan()) {
            (false, false) if keeps_smallest => nan_first(*one, *other),
            (false, false) => nan_first(*other, *one),
            (one, other) => one.cmp(&other),
        });
        self.heap.into_iter().map(|(_, origin)| origin).collect()
    }

    fn goes_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.heap[one].0, self.heap[other].0);
        one.is_nan() || if self.keeps_smallest { one > other } else { one < other }
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.goes_before(at, parent) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let left = 2 * at + 1;
            if left >= self.heap.len() {
                break;
            }
            let right = left + 1;
            let is_right = right < self.heap.len() && self.goes_before(right, left);
            let child = if is_right { right } else { left };
            if !self.goes_before(child, at) {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phi: f64, values: &[f64], expected: f64) {
        let found = quantile(phi, &mut values.to_vec());
        assert!(found == expected || (found.is_nan() && expected.is_nan()), "{found}");
    }

    #[test]
    fn quantiles_are_interpolated() {
        check(0.5, &[3.0, 1.0, 2.0], 2.0);
        check(0.25, &[1.0, 2.0], 1.25);
        check(0.0, &[2.0, 1.0], 1.0);
        check(1.0, &[2.0, 1.0], 2.0);
        check(-0.1, &[1.0], f64::NEG_INFINITY);
        check(1.1, &[1.0], f64::INFINITY);
        check(f64::NAN, &[1.0], f64::NAN);
        check(0.5, &[], f64::NAN);
        check(0.0, &[1.0, f64::NAN], f64::NAN);
    }

    #[test]
    fn the_best_are_kept_and_nan_only_when_there_is_room() {
        let order = |size, smallest, values: &[f64]| {
            let mut best = Best::new(size, smallest);
            values.iter().enumerate().for_each(|(origin, value)| best.add(*value, origin));
            best.into_order()
        };
        assert_eq!(order(2, false, &[1.0, f64::NAN, 3.0, 2.0]), [2, 3]);
        assert_eq!(order(2, true, &[1.0, f64::NAN, 3.0, 2.0]), [0, 3]);
        assert_eq!(order(4, false, &[f64::NAN, 1.0, 3.0]), [2, 1, 0]);
        assert_eq!(order(0, false, &[1.0]), [0_usize; 0]);
        // Of equal ones the first come stay.
        assert_eq!(order(1, false, &[1.0, 1.0]), [0]);
    }
}
