//! Reads series from the source.

use std::ops::ControlFlow;

use pampero_series::{Columns, Labels, Selection, is_stale};

use super::column::Column;
use super::{Evaluator, Grid, Sink};
use crate::answer::Point;
use crate::error::QueryError;
use crate::syntax::{At, Expr, RangeSelector, Selector, Shift, Subquery};

/// The times that a selector looks at, one for each step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    first_ms: i64,
    /// 0 when the time is fixed.
    step_ms: i64,
}

impl Clock {
    pub(super) fn time_ms(&self, step: usize) -> i64 {
        let steps = i64::try_from(step).unwrap_or(i64::MAX);
        self.first_ms.saturating_add(self.step_ms.saturating_mul(steps))
    }
}

/// Returns the place of the first time after `limit_ms`, from `start` on.
///
/// It is looked for in strides that double, because it mostly lies a few places further.
pub(super) fn first_after(times_ms: &[i64], start: usize, limit_ms: i64) -> usize {
    let times_ms = &times_ms[start..];
    let mut stride = 1;
    while stride <= times_ms.len() && times_ms[stride - 1] <= limit_ms {
        stride *= 2;
    }
    let (from, to) = (stride / 2, stride.min(times_ms.len()));
    start + from + times_ms[from..to].partition_point(|time_ms| *time_ms <= limit_ms)
}

impl Evaluator<'_> {
    /// Returns the times that a selector with this shift looks at.
    pub(super) fn clock(&self, shift: Shift, grid: Grid) -> Clock {
        let (start_ms, step_ms) = match shift.at {
            None => (grid.start_ms, grid.step_ms),
            Some(At::Time(time_ms)) => (time_ms, 0),
            Some(At::Start) => (self.query_start_ms, 0),
            Some(At::End) => (self.query_end_ms, 0),
        };
        Clock { first_ms: start_ms.saturating_sub(shift.offset_ms), step_ms }
    }

    /// Gives the newest sample of each series at each step to `sink`; series without one are left
    /// out.
    pub(super) fn each_selected(
        &self,
        selector: &Selector,
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<(), QueryError> {
        self.each_newest(selector, grid, |_, value| value, sink)
    }

    /// Gives the time in seconds of the newest sample of each series at each step to `sink`.
    pub(super) fn each_timestamp(
        &self,
        selector: &Selector,
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<(), QueryError> {
        #[expect(clippy::cast_precision_loss, reason = "a float is what PromQL answers")]
        self.each_newest(selector, grid, |time_ms, _| time_ms as f64 / 1000.0, sink)
    }

    fn each_newest(
        &self,
        selector: &Selector,
        grid: Grid,
        of: impl Fn(i64, f64) -> f64,
        sink: Sink<'_>,
    ) -> Result<(), QueryError> {
        let clock = self.clock(selector.shift, grid);
        let lookback_ms = i64::try_from(self.options.lookback.as_millis()).unwrap_or(i64::MAX);
        self.read(selector, clock, grid, lookback_ms, &mut |labels, samples| {
            self.budget.hold(grid.count)?;
            let mut column = Column::absent(grid.count);
            let mut after = 0;
            for step in 0..grid.count {
                let time_ms = clock.time_ms(step);
                after = first_after(samples.timestamps_ms, after, time_ms);
                let Some(newest) = after.checked_sub(1) else { continue };
                let first_ms = self.options.window.first_ms(time_ms.saturating_sub(lookback_ms));
                let (sample_ms, value) = (samples.timestamps_ms[newest], samples.values[newest]);
                if sample_ms >= first_ms && !is_stale(value) {
                    column.set(step, of(sample_ms, value));
                }
            }
            if column.is_empty() {
                self.budget.release(grid.count);
                return Ok(());
            }
            sink(labels.clone(), column)
        })
    }

    /// Shows `visit` the samples of each series that any step can need, stale markers included.
    pub(super) fn read(
        &self,
        selector: &Selector,
        clock: Clock,
        grid: Grid,
        window_ms: i64,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let first_ms = clock.time_ms(0).saturating_sub(window_ms);
        let selection = Selection {
            matchers: &selector.matchers,
            start_ms: self.options.window.first_ms(first_ms),
            end_ms: clock.time_ms(grid.count - 1),
        };
        let mut failure = None;
        let selected = self.source.select(selection, &mut |labels, samples| {
            let visited =
                self.budget.read(samples.timestamps_ms.len()).and_then(|()| visit(labels, samples));
            match visited {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        match failure {
            Some(error) => Err(error),
            None => selected.map_err(QueryError::Source),
        }
    }

    /// Evaluates a range vector at one time, in the order of the labels.
    pub(super) fn matrix(
        &self,
        expr: &Expr,
        grid: Grid,
    ) -> Result<Vec<(Labels, Vec<Point>)>, QueryError> {
        let mut matrix = Vec::new();
        match expr.unfixed() {
            Expr::Range(RangeSelector { selector, range_ms }) => {
                let clock = self.clock(selector.shift, grid);
                self.read(selector, clock, grid, *range_ms, &mut |labels, samples| {
                    self.budget.hold(2 * samples.values.len())?;
                    let points = samples
                        .timestamps_ms
                        .iter()
                        .zip(samples.values)
                        .filter(|(_, value)| !is_stale(**value))
                        .map(|(timestamp_ms, value)| Point {
                            timestamp_ms: *timestamp_ms,
                            value: *value,
                        });
                    matrix.push((labels.clone(), points.collect()));
                    Ok(())
                })?;
            }
            Expr::Subquery(subquery) => {
                let inner = self.subquery_grid(subquery, grid)?;
                if let Some(inner) = inner {
                    let vector = self.vector(&subquery.expr, inner)?;
                    let series = vector.series.into_iter();
                    matrix.extend(
                        series.map(|series| (series.labels, super::points(&series.column, inner))),
                    );
                }
            }
            // The types were checked before.
            _ => {}
        }
        matrix.retain(|(_, points)| !points.is_empty());
        matrix.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(matrix)
    }

    /// Returns the steps of a subquery that any step of `grid` can need, which are multiples of
    /// its step; `None` when there is none.
    pub(super) fn subquery_grid(
        &self,
        subquery: &Subquery,
        grid: Grid,
    ) -> Result<Option<Grid>, QueryError> {
        let default_ms = self.options.evaluation_interval.as_millis();
        let step_ms = subquery
            .step_ms
            .unwrap_or_else(|| i64::try_from(default_ms).unwrap_or(i64::MAX))
            .max(1);
        let clock = self.clock(subquery.shift, grid);
        let left_edge_ms = clock.time_ms(0).saturating_sub(subquery.range_ms);
        let first_ms = self.options.window.first_ms(left_edge_ms);
        let past_multiple_ms = first_ms.rem_euclid(step_ms);
        let start_ms = match past_multiple_ms {
            0 => first_ms,
            _ => first_ms.saturating_add(step_ms - past_multiple_ms),
        };
        let length_ms = clock.time_ms(grid.count - 1).saturating_sub(start_ms);
        if length_ms < 0 {
            return Ok(None);
        }
        let count = usize::try_from(length_ms / step_ms).unwrap_or(usize::MAX).saturating_add(1);
        // Even one series would not fit: say so before anything is read.
        if count > self.options.limits.held_max {
            return Err(QueryError::TooManyHeld { max: self.options.limits.held_max });
        }
        Ok(Some(Grid { start_ms, step_ms, count }))
    }
}
