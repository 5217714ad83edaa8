//! Functions of range vectors: which samples are in the window of each step, and what is made of
//! them.

use std::collections::HashSet;

use pampero_series::{Columns, Labels, METRIC_NAME, MatchOperator, is_stale};

use super::column::{Column, Scalars, Series, Vector};
use super::over_time::{self, Windows};
use super::select::Clock;
use super::{Evaluator, Grid, Sink};
use crate::error::QueryError;
use crate::functions::Function;
use crate::syntax::{Expr, RangeSelector, Selector, Subquery, ValueType};

/// Returns whether it takes a range vector.
pub(super) fn is_one(function: Function) -> bool {
    function.params().contains(&ValueType::Matrix)
}

/// Returns whether it answers series by series.
pub(super) fn is_streamed(function: Function) -> bool {
    is_one(function) && function != Function::AbsentOverTime
}

/// Takes the samples of the series of a range vector, one series at a time.
type SampleSink<'s> = &'s mut dyn FnMut(&Labels, Columns<'_>, Clock) -> Result<(), QueryError>;

impl Evaluator<'_> {
    pub(super) fn range_function_vector(
        &self,
        function: Function,
        args: &[Expr],
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        if function == Function::AbsentOverTime {
            return self.absent_over_time(args, grid);
        }
        let mut series = Vec::new();
        self.each_of_range_function(function, args, grid, &mut |labels, column| {
            series.push(Series { labels, column });
            Ok(())
        })?;
        Ok(Vector::unordered(series))
    }

    /// Gives the result of each series to `sink`; series without one are left out.
    pub(super) fn each_of_range_function(
        &self,
        function: Function,
        args: &[Expr],
        grid: Grid,
        sink: Sink<'_>,
    ) -> Result<(), QueryError> {
        let params = self.params(args, grid)?;
        if let (Function::QuantileOverTime, Some(phis)) = (function, params.first()) {
            self.check_quantiles(phis, grid);
        }
        let is_rate = matches!(function, Function::Rate | Function::Increase);
        let keeps_name = matches!(function, Function::LastOverTime | Function::FirstOverTime);
        let mut seen = HashSet::new();
        let range_ms = range_ms(args);
        self.each_range(args, grid, &mut |labels, samples, clock| {
            self.budget.hold(grid.count)?;
            let windows = Windows {
                samples,
                clock,
                grid,
                range_ms,
                rule: self.options.window,
                budget: self.budget,
            };
            let column = over_time::apply(function, &windows, &params)?;
            if column.is_empty() {
                self.budget.release(grid.count);
                return Ok(());
            }
            if let (true, Some(name)) = (is_rate, labels.metric_name()) {
                self.annotations.check_counter(name);
            }
            if keeps_name {
                return sink(labels.clone(), column);
            }
            let labels = labels.without_metric_name();
            if !seen.insert(labels.clone()) {
                return Err(QueryError::SameLabels);
            }
            sink(labels, column)
        })
    }

    /// Warns of quantiles outside 0 to 1.
    pub(super) fn check_quantiles(&self, phis: &Scalars, grid: Grid) {
        let count = if matches!(phis, Scalars::Constant(_)) { 1 } else { grid.count };
        (0..count).for_each(|step| self.annotations.check_quantile(phis.at(step)));
    }

    fn params(&self, args: &[Expr], grid: Grid) -> Result<Vec<Scalars>, QueryError> {
        let scalars = args.iter().filter(|arg| arg.value_type() == ValueType::Scalar);
        scalars.map(|arg| self.scalars(arg, grid)).collect()
    }

    /// Gives the samples of each series of the range vector among the arguments to `sink`, without
    /// stale markers.
    fn each_range(
        &self,
        args: &[Expr],
        grid: Grid,
        sink: SampleSink<'_>,
    ) -> Result<(), QueryError> {
        match matrix_arg(args) {
            Some(Expr::Range(RangeSelector { selector, range_ms })) => {
                self.each_selected_range(selector, *range_ms, grid, sink)
            }
            Some(Expr::Subquery(subquery)) => self.each_of_subquery(subquery, grid, sink),
            // The types were checked before.
            _ => Ok(()),
        }
    }

    fn each_selected_range(
        &self,
        selector: &Selector,
        range_ms: i64,
        grid: Grid,
        sink: SampleSink<'_>,
    ) -> Result<(), QueryError> {
        let clock = self.clock(selector.shift, grid);
        let (mut timestamps_ms, mut values) = (Vec::new(), Vec::new());
        self.read(selector, clock, grid, range_ms, &mut |labels, samples| {
            if !samples.values.iter().copied().any(is_stale) {
                return sink(labels, samples, clock);
            }
            timestamps_ms.clear();
            values.clear();
            for (timestamp_ms, value) in samples.timestamps_ms.iter().zip(samples.values) {
                if !is_stale(*value) {
                    timestamps_ms.push(*timestamp_ms);
                    values.push(*value);
                }
            }
            sink(labels, Columns { timestamps_ms: &timestamps_ms, values: &values }, clock)
        })
    }

    fn each_of_subquery(
        &self,
        subquery: &Subquery,
        grid: Grid,
        sink: SampleSink<'_>,
    ) -> Result<(), QueryError> {
        let clock = self.clock(subquery.shift, grid);
        let Some(inner) = self.subquery_grid(subquery, grid)? else { return Ok(()) };
        let vector = self.vector(&subquery.expr, inner)?;
        let (mut timestamps_ms, mut values) = (Vec::new(), Vec::new());
        for series in vector.series {
            timestamps_ms.clear();
            values.clear();
            for (step, value) in series.column.iter().enumerate() {
                if let Some(value) = value {
                    timestamps_ms.push(inner.time_ms(step));
                    values.push(value);
                }
            }
            self.budget.spend(values.len())?;
            let samples = Columns { timestamps_ms: &timestamps_ms, values: &values };
            sink(&series.labels, samples, clock)?;
        }
        Ok(())
    }

    /// Answers 1 at each step at which no series has a sample in its window.
    fn absent_over_time(&self, args: &[Expr], grid: Grid) -> Result<Vector, QueryError> {
        self.budget.hold(2 * grid.count)?;
        let mut absent = Column::collect((0..grid.count).map(|_| Some(1.0)));
        let range_ms = range_ms(args);
        self.each_range(args, grid, &mut |_, samples, clock| {
            let rule = self.options.window;
            let windows = Windows { samples, clock, grid, range_ms, rule, budget: self.budget };
            let present = over_time::apply(Function::PresentOverTime, &windows, &[])?;
            absent.map_steps(|step, one| present.get(step).is_none().then_some(one));
            Ok(())
        })?;
        let labels = matrix_arg(args).map(labels_of_absence).unwrap_or_else(Labels::empty);
        let series = vec![Series { labels, column: absent }];
        Vector::unordered(series).merged()
    }
}

fn matrix_arg(args: &[Expr]) -> Option<&Expr> {
    args.iter().map(Expr::unfixed).find(|arg| arg.value_type() == ValueType::Matrix)
}

/// Returns the length of the windows in milliseconds.
fn range_ms(args: &[Expr]) -> i64 {
    match matrix_arg(args) {
        Some(Expr::Range(range)) => range.range_ms,
        Some(Expr::Subquery(subquery)) => subquery.range_ms,
        _ => 0,
    }
}

/// Returns the labels of the series that says that nothing is there: those that a selector asks
/// for by name and value.
///
/// Source: Prometheus, `promql/functions.go`, `createLabelsForAbsentFunction`.
pub(super) fn labels_of_absence(expr: &Expr) -> Labels {
    let matchers = match expr.unfixed() {
        Expr::Selector(selector) => &selector.matchers[..],
        Expr::Range(range) => &range.selector.matchers[..],
        _ => &[],
    };
    let mut asked: Vec<(&str, &str)> = Vec::new();
    let mut seen = HashSet::new();
    for matcher in matchers.iter().filter(|matcher| matcher.name() != METRIC_NAME) {
        let is_first = matcher.operator() != MatchOperator::Equal || seen.insert(matcher.name());
        let value = match matcher.operator() {
            MatchOperator::Equal if is_first => matcher.value(),
            // Two conditions on one label leave open what it would be.
            _ => "",
        };
        asked.push((matcher.name(), value));
    }
    asked.into_iter().collect()
}
