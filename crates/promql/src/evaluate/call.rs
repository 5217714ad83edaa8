//! Functions of instant vectors and scalars.

use pampero_series::Labels;

use super::column::{Column, Computed, Scalars, Series, Vector};
use super::range_function::labels_of_absence;
use super::{Evaluator, Grid, calendar, elementwise, rank};
use crate::error::QueryError;
use crate::functions::Function;
use crate::syntax::Expr;

impl Evaluator<'_> {
    pub(super) fn call(
        &self,
        function: Function,
        args: &[Expr],
        grid: Grid,
    ) -> Result<Computed, QueryError> {
        let vector = match function {
            Function::Pi => return Ok(Computed::Scalar(Scalars::Constant(std::f64::consts::PI))),
            Function::Time => return self.time(grid).map(Computed::Scalar),
            Function::Scalar => return self.scalar(&args[0], grid).map(Computed::Scalar),
            Function::Vector => self.scalar_as_vector(&args[0], grid)?,
            Function::Absent => self.absent(&args[0], grid)?,
            Function::Timestamp => self.timestamp(&args[0], grid)?,
            Function::Sort | Function::SortDesc => {
                let mut vector = self.vector(&args[0], grid)?;
                if grid.count == 1 {
                    rank::sort(&mut vector, function == Function::SortDesc);
                }
                vector
            }
            Function::LabelReplace => self.label_replace(args, grid)?,
            Function::LabelJoin => self.label_join(args, grid)?,
            Function::HistogramQuantile => self.histogram_quantile(args, grid)?,
            Function::HistogramFraction => self.histogram_fraction(args, grid)?,
            // Of native histograms only, of which there are none.
            Function::HistogramAvg
            | Function::HistogramCount
            | Function::HistogramStddev
            | Function::HistogramStdvar
            | Function::HistogramSum => {
                self.vector(&args[0], grid)?;
                Vector::default()
            }
            Function::Clamp | Function::ClampMin | Function::ClampMax | Function::Round => {
                self.bounded(function, args, grid)?
            }
            _ if calendar::is_part(function) => self.calendar_part(function, args, grid)?,
            _ => {
                let vector = self.vector(&args[0], grid)?;
                mapped(vector, |value| elementwise::apply(function, value))?
            }
        };
        Ok(Computed::Vector(vector))
    }

    fn time(&self, grid: Grid) -> Result<Scalars, QueryError> {
        self.budget.hold(grid.count)?;
        Ok(Scalars::Each(grid.times_ms().map(seconds).collect()))
    }

    /// Returns the value of the only series at each step, NaN where there is none or several.
    fn scalar(&self, arg: &Expr, grid: Grid) -> Result<Scalars, QueryError> {
        let vector = self.vector(arg, grid)?;
        self.budget.hold(2 * grid.count)?;
        let mut only: Vec<Option<f64>> = vec![None; grid.count];
        let mut is_crowded = vec![false; grid.count];
        for series in &vector.series {
            for (step, value) in series.column.iter().enumerate() {
                is_crowded[step] |= value.is_some() && only[step].is_some();
                only[step] = only[step].or(value);
            }
        }
        let value = |(value, is_crowded): (Option<f64>, bool)| {
            value.filter(|_| !is_crowded).unwrap_or(f64::NAN)
        };
        Ok(Scalars::Each(only.into_iter().zip(is_crowded).map(value).collect()))
    }

    fn scalar_as_vector(&self, arg: &Expr, grid: Grid) -> Result<Vector, QueryError> {
        let scalars = self.scalars(arg, grid)?;
        self.budget.hold(grid.count)?;
        let column = Column::collect((0..grid.count).map(|step| Some(scalars.at(step))));
        Ok(Vector::unordered(vec![Series { labels: Labels::empty(), column }]))
    }

    /// Answers 1 at each step at which the vector is empty.
    fn absent(&self, arg: &Expr, grid: Grid) -> Result<Vector, QueryError> {
        self.budget.hold(grid.count)?;
        let mut absent = Column::collect((0..grid.count).map(|_| Some(1.0)));
        self.each_series(arg, grid, &mut |_, column| {
            absent.map_steps(|step, one| column.get(step).is_none().then_some(one));
            self.budget.release(column.count());
            self.budget.spend(column.count())
        })?;
        Vector::unordered(vec![Series { labels: labels_of_absence(arg), column: absent }]).merged()
    }

    /// Answers when a sample was taken; of anything but a selector that is the time of the step.
    fn timestamp(&self, arg: &Expr, grid: Grid) -> Result<Vector, QueryError> {
        if let Expr::Selector(selector) = arg.unfixed() {
            let mut series = Vec::new();
            self.each_timestamp(selector, grid, &mut |labels, column| {
                series.push(Series { labels: labels.without_metric_name(), column });
                Ok(())
            })?;
            return Vector::unordered(series).merged();
        }
        let mut vector = self.vector(arg, grid)?;
        for series in &mut vector.series {
            series.labels = series.labels.without_metric_name();
            series.column.map_steps(|step, _| Some(seconds(grid.time_ms(step))));
        }
        vector.merged()
    }

    fn bounded(&self, function: Function, args: &[Expr], grid: Grid) -> Result<Vector, QueryError> {
        let mut vector = self.vector(&args[0], grid)?;
        let param = |index: usize, default: f64| match args.get(index) {
            Some(arg) => self.scalars(arg, grid),
            None => Ok(Scalars::Constant(default)),
        };
        let (first, second) = (param(1, 1.0)?, param(2, f64::NAN)?);
        for series in &mut vector.series {
            series.labels = series.labels.without_metric_name();
            series.column.map_steps(|step, value| {
                elementwise::bounded(function, value, first.at(step), second.at(step))
            });
        }
        vector.merged()
    }

    fn calendar_part(
        &self,
        function: Function,
        args: &[Expr],
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        if let Some(arg) = args.first() {
            let vector = self.vector(arg, grid)?;
            return mapped(vector, |value| calendar::part(function, value));
        }
        let values = grid.times_ms().map(|ms| Some(calendar::part(function, seconds(ms))));
        self.budget.hold(grid.count)?;
        let series = Series { labels: Labels::empty(), column: Column::collect(values) };
        Ok(Vector::unordered(vec![series]))
    }
}

/// Replaces each value, and drops the names of the metrics.
fn mapped(mut vector: Vector, of: impl Fn(f64) -> f64) -> Result<Vector, QueryError> {
    for series in &mut vector.series {
        series.labels = series.labels.without_metric_name();
        series.column.map(&of);
    }
    vector.merged()
}

#[expect(clippy::cast_precision_loss, reason = "PromQL counts time in floats")]
fn seconds(time_ms: i64) -> f64 {
    time_ms as f64 / 1000.0
}
