//! Evaluates a tree column-wise: each node gives one column per series, with a place for each step.
//!
//! Start reading at [`Evaluator::eval`]. Selectors and range functions hand their series on one at
//! a time ([`Evaluator::each_series`]), so raw samples are never in memory for more than one.

mod aggregate;
mod annotations;
mod binary;
mod budget;
mod calendar;
mod call;
mod column;
mod elementwise;
mod fold;
mod histogram;
mod label;
mod matching;
mod over_time;
mod range_function;
mod rank;
mod rolling;
mod select;

use pampero_series::{Labels, SeriesSource};

use crate::answer::{Answer, Point, Value};
use crate::cancel::Cancel;
use crate::error::QueryError;
use crate::options::Options;
use crate::syntax::{Expr, ValueType};
use annotations::Annotations;
use budget::Budget;
use column::{Column, Computed, Scalars, Series, Vector};

/// The times at which an expression is evaluated; there is at least one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    /// The first, in milliseconds since the Unix epoch.
    pub(crate) start_ms: i64,
    /// From one to the next, in milliseconds.
    pub(crate) step_ms: i64,
    /// How many.
    pub(crate) count: usize,
}

impl Grid {
    fn at(at_ms: i64) -> Self {
        Self { start_ms: at_ms, step_ms: 1, count: 1 }
    }

    fn time_ms(&self, step: usize) -> i64 {
        let steps = i64::try_from(step).unwrap_or(i64::MAX);
        self.start_ms.saturating_add(self.step_ms.saturating_mul(steps))
    }

    fn times_ms(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |step| self.time_ms(step))
    }
}

/// Evaluates at one time.
pub(crate) fn instant(
    options: &Options,
    source: &dyn SeriesSource,
    expr: &Expr,
    at_ms: i64,
    cancel: &Cancel,
) -> Result<Answer, QueryError> {
    let budget = Budget::new(&options.limits, cancel);
    let annotations = Annotations::default();
    let evaluator = Evaluator {
        options,
        source,
        budget: &budget,
        annotations: &annotations,
        query_start_ms: at_ms,
        query_end_ms: at_ms,
    };
    let grid = Grid::at(at_ms);
    let value = if expr.value_type() == ValueType::Matrix {
        Value::Matrix(evaluator.matrix(expr, grid)?)
    } else {
        match evaluator.eval(expr, grid)? {
            Computed::Scalar(scalars) => {
                Value::Scalar(Point { timestamp_ms: at_ms, value: scalars.at(0) })
            }
            Computed::Text(text) => Value::String(at_ms, text),
            Computed::Vector(vector) => Value::Vector(samples(vector, at_ms)),
        }
    };
    Ok(answer(value, annotations, &budget))
}

fn answer(value: Value, annotations: Annotations, budget: &Budget<'_>) -> Answer {
    let (warnings, infos) = annotations.into_parts();
    Answer { value, warnings, infos, statistics: budget.statistics() }
}

/// Returns the samples of a vector with one step.
fn samples(mut vector: Vector, timestamp_ms: i64) -> Vec<(Labels, Point)> {
    if !vector.is_ordered {
        vector.series.sort_by(|one, other| one.labels.cmp(&other.labels));
    }
    let sample = |series: Series| {
        let value = series.column.get(0)?;
        Some((series.labels, Point { timestamp_ms, value }))
    };
    vector.series.into_iter().filter_map(sample).collect()
}

/// Evaluates at each step of a grid; `end_ms` is what the caller asked for, the last step or later.
pub(crate) fn range(
    options: &Options,
    source: &dyn SeriesSource,
    expr: &Expr,
    grid: Grid,
    end_ms: i64,
    cancel: &Cancel,
) -> Result<Answer, QueryError> {
    let budget = Budget::new(&options.limits, cancel);
    let annotations = Annotations::default();
    let evaluator = Evaluator {
        options,
        source,
        budget: &budget,
        annotations: &annotations,
        query_start_ms: grid.start_ms,
        query_end_ms: end_ms,
    };
    let mut matrix: Vec<(Labels, Vec<Point>)> = match evaluator.eval(expr, grid)? {
        Computed::Scalar(scalars) => {
            let point = |(step, timestamp_ms)| Point { timestamp_ms, value: scalars.at(step) };
            vec![(Labels::empty(), grid.times_ms().enumerate().map(point).collect())]
        }
        // The types were checked before, so there is no text.
        Computed::Text(_) => Vec::new(),
        Computed::Vector(vector) => vector
            .series
            .into_iter()
            .map(|series| (series.labels, points(&series.column, grid)))
            .filter(|(_, points)| !points.is_empty())
            .collect(),
    };
    matrix.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(answer(Value::Matrix(matrix), annotations, &budget))
}

fn points(column: &Column, grid: Grid) -> Vec<Point> {
    let point = |(step, value)| Some(Point { timestamp_ms: grid.time_ms(step), value: value? });
    column.iter().enumerate().filter_map(point).collect()
}

/// What takes the series of a vector, one at a time.
type Sink<'s> = &'s mut dyn FnMut(Labels, Column) -> Result<(), QueryError>;

/// Evaluates one query over one source.
#[derive(Clone, Copy)]
struct Evaluator<'e> {
    options: &'e Options,
    source: &'e dyn SeriesSource,
    budget: &'e Budget<'e>,
    annotations: &'e Annotations,
    /// What `@ start()` means.
    query_start_ms: i64,
    /// What `@ end()` means.
    query_end_ms: i64,
}

impl Evaluator<'_> {
    /// Evaluates an expression that is no range vector.
    fn eval(&self, expr: &Expr, grid: Grid) -> Result<Computed, QueryError> {
        self.budget.check()?;
        let held_before = self.budget.held();
        let computed = self.eval_node(expr, grid)?;
        if let Computed::Vector(vector) = &computed
            && vector.series.len() > self.options.limits.series_max
        {
            return Err(QueryError::TooManySeries { max: self.options.limits.series_max });
        }
        // What the operands held is free again.
        self.budget.set_held(held_before + computed.point_count());
        Ok(computed)
    }

    fn eval_node(&self, expr: &Expr, grid: Grid) -> Result<Computed, QueryError> {
        match expr {
            Expr::Number(number) => Ok(Computed::Scalar(Scalars::Constant(*number))),
            Expr::String(text) => Ok(Computed::Text(text.clone())),
            Expr::Fixed(inner) => self.eval_fixed(inner, grid),
            Expr::Negate(inner) => self.negate(inner, grid),
            Expr::Binary(binary) => self.binary(binary, grid),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, grid).map(Computed::Vector),
            Expr::Call { function, args } if range_function::is_one(*function) => {
                self.range_function_vector(*function, args, grid).map(Computed::Vector)
            }
            Expr::Call { function, args } => self.call(*function, args, grid),
            Expr::Selector(selector) => {
                let mut series = Vec::new();
                self.each_selected(selector, grid, &mut |labels, column| {
                    series.push(Series { labels, column });
                    Ok(())
                })?;
                Ok(Computed::Vector(Vector::unordered(series)))
            }
            // The types were checked before: a range vector stands in calls only.
            Expr::Range(_) | Expr::Subquery(_) => Ok(Computed::Vector(Vector::default())),
        }
    }

    /// Evaluates what is the same for all steps once, and repeats it.
    fn eval_fixed(&self, inner: &Expr, grid: Grid) -> Result<Computed, QueryError> {
        let computed = self.eval(inner, Grid { count: 1, ..grid })?;
        match computed {
            Computed::Scalar(scalars) => Ok(Computed::Scalar(Scalars::Constant(scalars.at(0)))),
            Computed::Text(text) => Ok(Computed::Text(text)),
            Computed::Vector(mut vector) => {
                self.budget.hold(vector.series.len().saturating_mul(grid.count))?;
                for series in &mut vector.series {
                    series.column = series.column.repeated(grid.count);
                }
                Ok(Computed::Vector(vector))
            }
        }
    }

    /// Evaluates an instant vector.
    fn vector(&self, expr: &Expr, grid: Grid) -> Result<Vector, QueryError> {
        match self.eval(expr, grid)? {
            Computed::Vector(vector) => Ok(vector),
            // The types were checked before.
            Computed::Scalar(_) | Computed::Text(_) => Ok(Vector::default()),
        }
    }

    /// Evaluates a scalar.
    fn scalars(&self, expr: &Expr, grid: Grid) -> Result<Scalars, QueryError> {
        match self.eval(expr, grid)? {
            Computed::Scalar(scalars) => Ok(scalars),
            // The types were checked before.
            Computed::Vector(_) | Computed::Text(_) => Ok(Scalars::Constant(f64::NAN)),
        }
    }

    /// Evaluates an instant vector and gives its series to `sink`, without keeping them all where
    /// that is not needed.
    fn each_series(&self, expr: &Expr, grid: Grid, sink: Sink<'_>) -> Result<(), QueryError> {
        match expr {
            Expr::Selector(selector) => self.each_selected(selector, grid, sink),
            Expr::Call { function, args } if range_function::is_streamed(*function) => {
                self.each_of_range_function(*function, args, grid, sink)
            }
            _ => {
                let vector = self.vector(expr, grid)?;
                vector.series.into_iter().try_for_each(|series| sink(series.labels, series.column))
            }
        }
    }

    fn negate(&self, inner: &Expr, grid: Grid) -> Result<Computed, QueryError> {
        match self.eval(inner, grid)? {
            Computed::Scalar(scalars) => Ok(Computed::Scalar(scalars.map(|value| -value))),
            Computed::Vector(mut vector) => {
                for series in &mut vector.series {
                    series.labels = series.labels.without_metric_name();
                    series.column.map(|value| -value);
                }
                Ok(Computed::Vector(vector.distinct()?))
            }
            Computed::Text(text) => Ok(Computed::Text(text)),
        }
    }
}
