//! Quantiles and fractions of classic histograms, whose buckets are series with the label `le`.

use std::collections::HashMap;

use pampero_series::{Labels, METRIC_NAME};

use super::column::{Column, Series, Vector};
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::syntax::Expr;

/// The label with the upper bound of a bucket.
const UPPER_BOUND: &str = "le";

/// How much less than the bucket before it a bucket may have for it to be noise of floats, as a
/// share of both.
///
/// Source: Prometheus, `promql/quantile.go`, `smallDeltaTolerance`.
const NOISE: f64 = 1e-12;

/// A bucket: its upper bound, and how many observations are not above it.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    bound: f64,
    count: f64,
}

/// The buckets of one histogram.
struct Histogram {
    labels: Labels,
    /// Upper bounds, with the places of their series.
    bounds: Vec<(f64, usize)>,
}

impl Evaluator<'_> {
    pub(super) fn histogram_quantile(
        &self,
        args: &[Expr],
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        let phis = self.scalars(&args[0], grid)?;
        self.check_quantiles(&phis, grid);
        let vector = self.vector(&args[1], grid)?;
        self.of_histograms(&vector, grid, |step, buckets| quantile(phis.at(step), buckets))
    }

    pub(super) fn histogram_fraction(
        &self,
        args: &[Expr],
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        let lower = self.scalars(&args[0], grid)?;
        let upper = self.scalars(&args[1], grid)?;
        let vector = self.vector(&args[2], grid)?;
        if self.options.window == crate::options::WindowRule::LeftClosed {
            // Prometheus 2 answers for native histograms only.
            return Ok(Vector::default());
        }
        self.of_histograms(&vector, grid, |step, buckets| {
            fraction(lower.at(step), upper.at(step), buckets)
        })
    }

    fn of_histograms(
        &self,
        vector: &Vector,
        grid: Grid,
        of: impl Fn(usize, &mut Vec<Bucket>) -> f64,
    ) -> Result<Vector, QueryError> {
        let histograms = histograms(vector);
        self.budget.hold(histograms.len().saturating_mul(grid.count))?;
        let mut series = Vec::with_capacity(histograms.len());
        let mut buckets = Vec::new();
        for Histogram { labels, bounds } in histograms {
            let mut column = Column::absent(grid.count);
            for step in 0..grid.count {
                self.budget.spend(bounds.len())?;
                buckets.clear();
                buckets.extend(bounds.iter().filter_map(|(bound, index)| {
                    let count = vector.series[*index].column.get(step)?;
                    Some(Bucket { bound: *bound, count })
                }));
                if !buckets.is_empty() {
                    column.set(step, of(step, &mut buckets));
                }
            }
            series.push(Series { labels, column });
        }
        Vector::unordered(series).merged()
    }
}

/// Puts buckets together, each histogram's by ascending bounds; what is no bucket is left out.
fn histograms(vector: &Vector) -> Vec<Histogram> {
    let mut numbers: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<Histogram> = Vec::new();
    for (index, series) in vector.series.iter().enumerate() {
        let Ok(bound) = series.labels.value(UPPER_BOUND).parse::<f64>() else { continue };
        let key = series.labels.filtered(|name| name != UPPER_BOUND);
        let number = *numbers.entry(key).or_insert_with_key(|key| {
            let labels = key.filtered(|name| name != METRIC_NAME);
            histograms.push(Histogram { labels, bounds: Vec::new() });
            histograms.len() - 1
        });
        histograms[number].bounds.push((bound, index));
    }
    for histogram in &mut histograms {
        histogram.bounds.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    }
    histograms
}

/// Joins buckets with the same bound, and repairs those that have less than the one before.
/// False when they are no histogram: without a bucket up to infinity, or without another one.
fn repair(buckets: &mut Vec<Bucket>) -> bool {
    if buckets.last().is_none_or(|bucket| bucket.bound != f64::INFINITY) {
        return false;
    }
    buckets.dedup_by(|bucket, before| {
        let is_same = bucket.bound == before.bound;
        if is_same {
            before.count += bucket.count;
        }
        is_same
    });
    let mut before = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if bucket.count < before || is_noise(bucket.count, before) {
            bucket.count = before;
        } else if bucket.count > before {
            before = bucket.count;
        }
    }
    buckets.len() >= 2
}

fn is_noise(count: f64, before: f64) -> bool {
    let sum = count.abs() + before.abs();
    sum > f64::MIN_POSITIVE && (count - before).abs() / sum.min(f64::MAX) < NOISE
}

/// Returns the φ-quantile, interpolated within its bucket; NaN when there is none.
///
/// Source: Prometheus, `promql/quantile.go`, `bucketQuantile`.
fn quantile(phi: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    if !repair(buckets) {
        return f64::NAN;
    }
    let last = buckets.len() - 1;
    let total = buckets[last].count;
    if total == 0.0 {
        return f64::NAN;
    }
    let rank = phi * total;
    // The same probes as a binary search in Go, which matters where a count is NaN.
    let (mut at, mut end) = (0, last);
    while at < end {
        let middle = usize::midpoint(at, end);
        if buckets[middle].count >= rank { end = middle } else { at = middle + 1 }
    }
    if at == last {
        return buckets[last - 1].bound;
    }
    let bucket = buckets[at];
    if at == 0 && bucket.bound <= 0.0 {
        return bucket.bound;
    }
    let before = match at {
        0 => Bucket { bound: 0.0, count: 0.0 },
        _ => buckets[at - 1],
    };
    let share = (rank - before.count) / (bucket.count - before.count);
    before.bound + (bucket.bound - before.bound) * share
}

/// Returns the share of observations between two values; NaN when there is none.
///
/// Source: Prometheus, `promql/quantile.go`, `bucketFraction`.
fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    if !repair(buckets) {
        return f64::NAN;
    }
    let total = buckets[buckets.len() - 1].count;
    if total == 0.0 || total.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets) - rank_of(lower, buckets)) / total
}

/// Returns how many observations are estimated not to be above a value.
fn rank_of(value: f64, buckets: &[Bucket]) -> f64 {
    let total = buckets[buckets.len() - 1].count;
    if value == f64::NEG_INFINITY {
        return 0.0;
    }
    let Some(at) = buckets.iter().position(|bucket| value < bucket.bound) else { return total };
    let bucket = buckets[at];
    let before = match at {
        0 if bucket.bound > 0.0 => Bucket { bound: 0.0, count: 0.0 },
        0 => Bucket { bound: f64::NEG_INFINITY, count: 0.0 },
        _ => buckets[at - 1],
    };
    if value <= before.bound || before.bound.is_infinite() || bucket.bound.is_infinite() {
        return before.count;
    }
    let share = (value - before.bound) / (bucket.bound - before.bound);
    before.count + (bucket.count - before.count) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(phi: f64, buckets: &[(f64, f64)], expected: f64) {
        let mut buckets: Vec<Bucket> =
            buckets.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect();
        let found = quantile(phi, &mut buckets);
        assert!((found - expected).abs() < 1e-12 || found.total_cmp(&expected).is_eq(), "{found}");
    }

    #[test]
    fn quantiles_are_interpolated_within_buckets() {
        let infinity = f64::INFINITY;
        check(0.5, &[(1.0, 2.0), (2.0, 4.0), (infinity, 4.0)], 1.0);
        check(0.75, &[(1.0, 2.0), (2.0, 4.0), (infinity, 4.0)], 1.5);
        check(0.25, &[(1.0, 2.0), (2.0, 4.0), (infinity, 4.0)], 0.5);
        check(1.0, &[(1.0, 2.0), (infinity, 4.0)], 1.0);
        check(0.1, &[(-1.0, 2.0), (infinity, 4.0)], -1.0);
        check(0.5, &[(1.0, 2.0), (2.0, 4.0)], f64::NAN);
        check(0.5, &[(infinity, 4.0)], f64::NAN);
        check(0.5, &[(1.0, 0.0), (infinity, 0.0)], f64::NAN);
        // A bucket with less than the one before counts as much as that one.
        check(0.75, &[(1.0, 4.0), (2.0, 3.0), (4.0, 8.0), (infinity, 8.0)], 3.0);
    }
}
