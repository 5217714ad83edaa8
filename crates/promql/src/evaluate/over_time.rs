//! What range functions make of the windows of one series.

use pampero_series::Columns;

use super::Grid;
use super::budget::Budget;
use super::column::{Column, Scalars};
use super::rank::quantile;
use super::rolling::{Mean, Rolling, Sum};
use super::select::{Clock, first_after};
use crate::error::QueryError;
use crate::functions::Function;
use crate::options::WindowRule;

/// The windows of one series, one for each step.
pub(super) struct Windows<'w> {
    /// Without stale markers.
    pub(super) samples: Columns<'w>,
    /// Where windows end.
    pub(super) clock: Clock,
    pub(super) grid: Grid,
    /// How long windows are, in milliseconds.
    pub(super) range_ms: i64,
    pub(super) rule: WindowRule,
    pub(super) budget: &'w Budget<'w>,
}

/// One window that is not empty.
struct Window<'w> {
    step: usize,
    /// Where its samples stand among those of the series.
    start: usize,
    end: usize,
    timestamps_ms: &'w [i64],
    values: &'w [f64],
    /// Its edges, in milliseconds since the Unix epoch.
    left_ms: i64,
    right_ms: i64,
}

impl<'w> Windows<'w> {
    /// Makes a column of what `of` makes of each window that is not empty.
    fn column(&self, mut of: impl FnMut(Window<'w>) -> Option<f64>) -> Result<Column, QueryError> {
        self.try_column(|window| Ok(of(window)))
    }

    /// Makes a column by something that looks at each sample of a window.
    fn scan(&self, mut of: impl FnMut(Window<'w>) -> Option<f64>) -> Result<Column, QueryError> {
        self.try_column(|window| {
            self.budget.spend(window.values.len())?;
            Ok(of(window))
        })
    }

    fn try_column(
        &self,
        mut of: impl FnMut(Window<'w>) -> Result<Option<f64>, QueryError>,
    ) -> Result<Column, QueryError> {
        let Columns { timestamps_ms, values } = self.samples;
        let mut column = Column::absent(self.grid.count);
        let (mut start, mut end) = (0, 0);
        for step in 0..self.grid.count {
            let right_ms = self.clock.time_ms(step);
            let left_ms = right_ms.saturating_sub(self.range_ms);
            let first_ms = self.rule.first_ms(left_ms);
            end = first_after(timestamps_ms, end, right_ms);
            start = first_after(&timestamps_ms[..end], start, first_ms.saturating_sub(1));
            if start == end {
                continue;
            }
            let (timestamps_ms, values) = (&timestamps_ms[start..end], &values[start..end]);
            let window = Window { step, start, end, timestamps_ms, values, left_ms, right_ms };
            if let Some(value) = of(window)? {
                column.set(step, value);
            }
        }
        Ok(column)
    }
}

/// Applies a function to the windows of one series.
pub(super) fn apply(
    function: Function,
    windows: &Windows<'_>,
    params: &[Scalars],
) -> Result<Column, QueryError> {
    let values = windows.samples.values;
    let param = |index: usize, step: usize| params.get(index).map_or(f64::NAN, |it| it.at(step));
    match function {
        Function::CountOverTime => windows.column(|window| Some(float(window.values.len()))),
        Function::PresentOverTime => windows.column(|_| Some(1.0)),
        Function::LastOverTime => windows.column(|window| window.values.last().copied()),
        Function::FirstOverTime => windows.column(|window| window.values.first().copied()),
        Function::SumOverTime => {
            let mut sums = Rolling::new(values, Sum::of, Sum::plus);
            windows.column(|window| Some(sums.over(window.start, window.end)?.total()))
        }
        Function::AvgOverTime => averages(windows),
        Function::MinOverTime => {
            let mut least = Rolling::new(values, |value| value, lesser);
            windows.column(|window| least.over(window.start, window.end))
        }
        Function::MaxOverTime => {
            let mut most = Rolling::new(values, |value| value, greater);
            windows.column(|window| most.over(window.start, window.end))
        }
        Function::Changes => count_pairs(windows, |before, after| {
            before != after && !(before.is_nan() && after.is_nan())
        }),
        Function::Resets => count_pairs(windows, |before, after| after < before),
        Function::Delta => extrapolated(windows, false, false),
        Function::Increase => extrapolated(windows, true, false),
        Function::Rate => extrapolated(windows, true, true),
        Function::Idelta => windows.column(|window| last_change(&window, false)),
        Function::Irate => windows.column(|window| last_change(&window, true)),
        Function::StddevOverTime => windows.scan(|window| Some(variance(window.values).sqrt())),
        Function::StdvarOverTime => windows.scan(|window| Some(variance(window.values))),
        Function::QuantileOverTime => {
            let mut sorted = Vec::new();
            windows.scan(|window| {
                sorted.clear();
                sorted.extend_from_slice(window.values);
                Some(quantile(param(0, window.step), &mut sorted))
            })
        }
        Function::Deriv => windows.scan(|window| {
            let first_ms = *window.timestamps_ms.first()?;
            linear_regression(&window, first_ms).map(|(slope, _)| slope)
        }),
        Function::PredictLinear => windows.scan(|window| {
            // From the time of the step on, whatever the offset of the selector.
            let now_ms = windows.grid.time_ms(window.step);
            let (slope, intercept) = linear_regression(&window, now_ms)?;
            Some(slope * param(0, window.step) + intercept)
        }),
        Function::HoltWinters => windows.try_column(|window| {
            windows.budget.spend(window.values.len())?;
            let (smoothing, trend) = (param(0, window.step), param(1, window.step));
            holt_winters(window.values, smoothing, trend)
        }),
        // No other function takes a range vector series by series.
        _ => Ok(Column::absent(windows.grid.count)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no window has 2^53 samples")]
fn float(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "PromQL counts in floats")]
fn seconds(from_ms: i64, to_ms: i64) -> f64 {
    to_ms.saturating_sub(from_ms) as f64 / 1000.0
}

/// Returns the lesser one, of equal ones the first; NaN when both are.
fn lesser(first: f64, second: f64) -> f64 {
    if first > second || first.is_nan() { second } else { first }
}

/// Returns the greater one, of equal ones the first; NaN when both are.
fn greater(first: f64, second: f64) -> f64 {
    if first < second || first.is_nan() { second } else { first }
}

fn averages(windows: &Windows<'_>) -> Result<Column, QueryError> {
    let mut sums = Rolling::new(windows.samples.values, Sum::of, Sum::plus);
    windows.column(|window| {
        let sum = sums.over(window.start, window.end)?;
        if sum.sum.is_infinite() && window.values.iter().all(|value| value.is_finite()) {
            // Only the sum overflows, and not the mean.
            let mut mean = Mean::NOTHING;
            window.values.iter().for_each(|value| mean.add(*value));
            return mean.get();
        }
        Some(sum.total() / float(window.values.len()))
    })
}

/// Counts in each window the neighbours for which `counts` holds.
fn count_pairs(
    windows: &Windows<'_>,
    counts: impl Fn(f64, f64) -> bool,
) -> Result<Column, QueryError> {
    // How many pairs end at a sample or before it; of two windows the difference counts.
    let mut total = 0_usize;
    let mut totals = Vec::with_capacity(windows.samples.values.len());
    totals.push(0);
    for pair in windows.samples.values.windows(2) {
        total += usize::from(counts(pair[0], pair[1]));
        totals.push(total);
    }
    windows.column(|window| Some(float(totals[window.end - 1] - totals[window.start])))
}

/// How much each window has changed, continued to its edges where samples are near enough.
///
/// Source: Prometheus, `promql/functions.go`, `extrapolatedRate`.
fn extrapolated(
    windows: &Windows<'_>,
    is_counter: bool,
    is_per_second: bool,
) -> Result<Column, QueryError> {
    let values = windows.samples.values;
    // The places at which a counter has started anew.
    let resets: Vec<usize> = match is_counter {
        true => (1..values.len()).filter(|at| values[*at] < values[*at - 1]).collect(),
        false => Vec::new(),
    };
    let mut first_reset = 0;
    windows.try_column(|window| {
        let [first, .., last] = window.values else { return Ok(None) };
        let mut change = last - first;
        first_reset += resets[first_reset..].iter().take_while(|at| **at <= window.start).count();
        let inside = resets[first_reset..].iter().take_while(|at| **at < window.end);
        let mut count = 0;
        for at in inside {
            change += values[at - 1];
            count += 1;
        }
        windows.budget.spend(count)?;
        let factor = extrapolation(&window, is_counter.then_some((*first, change)), windows.rule);
        let per_second = if is_per_second { factor / seconds(0, windows.range_ms) } else { factor };
        Ok(Some(change * per_second))
    })
}

/// Returns by what the change between the first and the last sample is multiplied to stand for
/// the whole window. `counter` is the first value of a counter with its change.
fn extrapolation(window: &Window<'_>, counter: Option<(f64, f64)>, rule: WindowRule) -> f64 {
    let [first_ms, .., last_ms] = window.timestamps_ms else { return f64::NAN };
    let sampled = seconds(*first_ms, *last_ms);
    let between = sampled / float(window.values.len() - 1);
    let near = between * 1.1;
    let mut to_start = seconds(window.left_ms, *first_ms);
    let mut to_end = seconds(*last_ms, window.right_ms);
    // A counter cannot have been below zero.
    let to_zero = counter
        .filter(|(first, change)| *change > 0.0 && *first >= 0.0)
        .map_or(f64::INFINITY, |(first, change)| sampled * (first / change));
    // The versions cap by the zero of the counter before or after the half interval.
    if rule == WindowRule::LeftClosed && to_zero < to_start {
        to_start = to_zero;
    }
    if to_start >= near {
        to_start = between / 2.0;
    }
    if to_zero < to_start {
        to_start = to_zero;
    }
    if to_end >= near {
        to_end = between / 2.0;
    }
    (sampled + to_start + to_end) / sampled
}

/// Returns the change between the last two samples, of a counter per second.
fn last_change(window: &Window<'_>, is_rate: bool) -> Option<f64> {
    let [.., before, last] = window.values else { return None };
    let [.., before_ms, last_ms] = window.timestamps_ms else { return None };
    let change = if is_rate && last < before { *last } else { last - before };
    Some(if is_rate { change / seconds(*before_ms, *last_ms) } else { change })
}

/// Returns the variance of all values, by Welford's method with compensated sums.
fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::of(0.0), Sum::of(0.0));
    for value in values {
        count += 1.0;
        let delta = value - mean.exact();
        mean = mean.plus(Sum::of(delta / count));
        squares = squares.plus(Sum::of(delta * (value - mean.exact())));
    }
    squares.exact() / count
}

/// Returns slope per second and value at `origin_ms` of the line of least squares; `None` of fewer
/// than two samples.
///
/// Source: Prometheus, `promql/functions.go`, `linearRegression`.
fn linear_regression(window: &Window<'_>, origin_ms: i64) -> Option<(f64, f64)> {
    let [first, _, ..] = window.values else { return None };
    if window.values.iter().all(|value| value == first) {
        let is_line = first.is_finite();
        return Some(if is_line { (0.0, *first) } else { (f64::NAN, f64::NAN) });
    }
    let (mut x, mut y) = (Sum::of(0.0), Sum::of(0.0));
    let (mut xy, mut xx) = (Sum::of(0.0), Sum::of(0.0));
    for (timestamp_ms, value) in window.timestamps_ms.iter().zip(window.values) {
        let at = seconds(origin_ms, *timestamp_ms);
        x = x.plus(Sum::of(at));
        y = y.plus(Sum::of(*value));
        xy = xy.plus(Sum::of(at * value));
        xx = xx.plus(Sum::of(at * at));
    }
    let count = float(window.values.len());
    let (x, y, xy, xx) = (x.exact(), y.exact(), xy.exact(), xx.exact());
    let slope = (xy - x * y / count) / (xx - x * x / count);
    Some((slope, y / count - slope * x / count))
}

/// Returns the last value of the doubly smoothed series; `None` of fewer than two samples.
///
/// Source: Prometheus, `promql/functions.go`, `funcHoltWinters`.
fn holt_winters(values: &[f64], smoothing: f64, trend: f64) -> Result<Option<f64>, QueryError> {
    for (name, symbol, factor) in [("smoothing", "sf", smoothing), ("trend", "tf", trend)] {
        if factor <= 0.0 || factor >= 1.0 {
            let message =
                format!("invalid {name} factor. Expected: 0 < {symbol} < 1, got: {factor:.6}");
            return Err(QueryError::Parameter { message });
        }
    }
    let [first, second, ..] = values else { return Ok(None) };
    let (mut before, mut smoothed, mut slope) = (0.0, *first, second - first);
    for (index, value) in values.iter().enumerate().skip(1) {
        if index > 1 {
            slope = trend * (smoothed - before) + (1.0 - trend) * slope;
        }
        let next = smoothing * value + (1.0 - smoothing) * (smoothed + slope);
        (before, smoothed) = (smoothed, next);
    }
    Ok(Some(smoothed))
}
