//! Aggregations over groups of series.

use std::collections::HashMap;

use pampero_series::{Labels, METRIC_NAME};

use super::column::{Column, Series, Vector};
use super::rank::{Best, quantile};
use super::rolling::{Mean, Sum};
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::syntax::{Aggregate, AggregateOperator, Expr, Grouping};

impl Grouping {
    /// Returns the labels of the group that a series belongs to.
    fn key(&self, labels: &Labels) -> Labels {
        match self {
            Self::By(names) if names.is_empty() => Labels::empty(),
            Self::By(names) => names.iter().map(|name| (name, labels.value(name))).collect(),
            Self::Without(names) => {
                labels.filtered(|name| name != METRIC_NAME && !names.iter().any(|it| it == name))
            }
        }
    }
}

/// Numbers groups in the order in which they turn up.
#[derive(Default)]
struct Groups {
    numbers: HashMap<Labels, usize>,
    labels: Vec<Labels>,
}

impl Groups {
    fn number(&mut self, key: Labels) -> usize {
        *self.numbers.entry(key).or_insert_with_key(|key| {
            self.labels.push(key.clone());
            self.labels.len() - 1
        })
    }
}

impl Evaluator<'_> {
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        use AggregateOperator as Operator;
        match aggregate.operator {
            Operator::Topk | Operator::Bottomk => self.best(aggregate, grid),
            Operator::Quantile => self.quantiles(aggregate, grid),
            Operator::CountValues => self.count_values(aggregate, grid),
            operator => self.folded(operator, aggregate, grid),
        }
    }

    /// Folds series as they come; only the groups are kept.
    fn folded(
        &self,
        operator: AggregateOperator,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        let mut groups = Groups::default();
        let mut folds: Vec<Fold> = Vec::new();
        let is_version_2 = self.options.window == crate::options::WindowRule::LeftClosed;
        self.each_series(&aggregate.expr, grid, &mut |labels, column| {
            let number = groups.number(aggregate.grouping.key(&labels));
            if number == folds.len() {
                self.budget.check_series(number + 1)?;
                self.budget.hold(Fold::points_per_step(operator) * grid.count)?;
                folds.push(Fold::new(operator, grid.count, is_version_2));
            }
            folds[number].add(&column);
            self.budget.release(column.count());
            self.budget.spend(column.count())
        })?;
        let series = groups.labels.into_iter().zip(folds);
        let series = series.map(|(labels, fold)| Series { labels, column: fold.finish() });
        Vector::unordered(series.collect()).merged()
    }

    /// Returns the vector with the numbers of its series in each group.
    fn grouped(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<(Vector, Vec<(Labels, Vec<usize>)>), QueryError> {
        let vector = self.vector(&aggregate.expr, grid)?;
        let mut groups = Groups::default();
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (index, series) in vector.series.iter().enumerate() {
            let number = groups.number(aggregate.grouping.key(&series.labels));
            if number == members.len() {
                members.push(Vec::new());
            }
            members[number].push(index);
        }
        let groups = groups.labels.into_iter().zip(members).collect();
        Ok((vector, groups))
    }

    /// Keeps the largest or the smallest values of each group.
    fn best(&self, aggregate: &Aggregate, grid: Grid) -> Result<Vector, QueryError> {
        let keeps_smallest = aggregate.operator == AggregateOperator::Bottomk;
        let sizes = self.param(aggregate, grid)?;
        let (vector, groups) = self.grouped(aggregate, grid)?;
        self.budget.hold(vector.series.len().saturating_mul(grid.count))?;
        let mut columns: Vec<Column> =
            vector.series.iter().map(|_| Column::absent(grid.count)).collect();
        let mut order = Vec::new();
        for (step, size) in sizes.iter().enumerate() {
            let Some(size) = size_of(*size)? else { continue };
            for (_, members) in &groups {
                self.budget.spend(members.len())?;
                let mut best = Best::new(size.min(members.len()), keeps_smallest);
                for index in members {
                    if let Some(value) = vector.series[*index].column.get(step) {
                        best.add(value, *index);
                    }
                }
                for index in best.into_order() {
                    if let Some(value) = vector.series[index].column.get(step) {
                        columns[index].set(step, value);
                    }
                    if grid.count == 1 {
                        order.push(index);
                    }
                }
            }
        }
        if grid.count > 1 {
            order.extend(0..columns.len());
        }
        let series = order.into_iter().map(|index| {
            let column = std::mem::replace(&mut columns[index], Column::absent(0));
            Series { labels: vector.series[index].labels.clone(), column }
        });
        let series = series.filter(|series| !series.column.is_empty()).collect();
        Ok(Vector { series, is_ordered: true })
    }

    /// Returns the parameter at each step.
    fn param(&self, aggregate: &Aggregate, grid: Grid) -> Result<Vec<f64>, QueryError> {
        let scalars = match &aggregate.param {
            Some(param) => self.scalars(param, grid)?,
            // The grammar asks for it.
            None => super::Scalars::Constant(f64::NAN),
        };
        self.budget.hold(grid.count)?;
        Ok((0..grid.count).map(|step| scalars.at(step)).collect())
    }

    fn quantiles(&self, aggregate: &Aggregate, grid: Grid) -> Result<Vector, QueryError> {
        let phis = self.param(aggregate, grid)?;
        let (vector, groups) = self.grouped(aggregate, grid)?;
        self.budget.hold(groups.len().saturating_mul(grid.count))?;
        let mut series = Vec::with_capacity(groups.len());
        let mut values = Vec::new();
        for (labels, members) in groups {
            let mut column = Column::absent(grid.count);
            for (step, phi) in phis.iter().enumerate() {
                self.budget.spend(members.len())?;
                values.clear();
                values.extend(members.iter().filter_map(|it| vector.series[*it].column.get(step)));
                if !values.is_empty() {
                    column.set(step, quantile(*phi, &mut values));
                }
            }
            series.push(Series { labels, column });
        }
        Vector::unordered(series).merged()
    }

    /// Counts how often each value occurs, with the value as a label.
    fn count_values(&self, aggregate: &Aggregate, grid: Grid) -> Result<Vector, QueryError> {
        let Some(Expr::String(label)) = aggregate.param.as_ref().map(Expr::unfixed) else {
            // The grammar asks for it.
            return Ok(Vector::default());
        };
        if !super::label::is_name(label) {
            let message = format!("invalid label name {label:?}");
            return Err(QueryError::Parameter { message });
        }
        let grouping = match &aggregate.grouping {
            Grouping::By(names) => Grouping::By([&names[..], &[label.clone()]].concat()),
            without @ Grouping::Without(_) => without.clone(),
        };
        let mut groups = Groups::default();
        let mut columns: Vec<Column> = Vec::new();
        self.each_series(&aggregate.expr, grid, &mut |labels, column| {
            // Neighbours are often equal, and their group is found already.
            let mut last: Option<(u64, usize)> = None;
            for (step, value) in column.iter().enumerate() {
                let Some(value) = value else { continue };
                let number = match last {
                    Some((bits, number)) if bits == value.to_bits() => number,
                    _ => {
                        self.budget.spend(100)?;
                        groups.number(grouping.key(&labels.with(label, &written(value))))
                    }
                };
                last = Some((value.to_bits(), number));
                if number == columns.len() {
                    self.budget.check_series(number + 1)?;
                    self.budget.hold(grid.count)?;
                    columns.push(Column::absent(grid.count));
                }
                let count = columns[number].get(step).unwrap_or(0.0);
                columns[number].set(step, count + 1.0);
            }
            self.budget.release(column.count());
            self.budget.spend(column.count())
        })?;
        let series = groups.labels.into_iter().zip(columns);
        let series = series.map(|(labels, column)| Series { labels, column }).collect();
        Vector::unordered(series).merged()
    }
}

/// Returns how many series `topk` keeps; `None` when that is none.
fn size_of(param: f64) -> Result<Option<usize>, QueryError> {
    // 2^63, beyond which there is no such integer.
    let limit = 9_223_372_036_854_775_808.0;
    if !(-limit..limit).contains(&param) {
        let message = format!("Scalar value {} overflows int64", written(param));
        return Err(QueryError::Parameter { message });
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let size = param as i64;
    Ok(usize::try_from(size).ok().filter(|size| *size > 0))
}

/// Writes a number as Prometheus does, without an exponent.
fn written(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// The state of a group at each step.
enum Fold {
    Sum(Vec<Option<Sum>>),
    Avg(Vec<Mean>),
    /// Also of `group`, which answers 1 in place of the count.
    Count {
        counts: Vec<u32>,
        is_group: bool,
    },
    /// Also of `max`.
    Least {
        column: Column,
        is_max: bool,
    },
    Deviation {
        spreads: Vec<Spread>,
        is_root: bool,
        is_version_2: bool,
    },
}

/// Count, mean and sum of squared distances from the mean.
#[derive(Clone, Copy, Default)]
struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Fold {
    /// Returns how many times 8 bytes a step takes.
    const fn points_per_step(operator: AggregateOperator) -> usize {
        match operator {
            AggregateOperator::Count
            | AggregateOperator::Group
            | AggregateOperator::Min
            | AggregateOperator::Max => 1,
            _ => 3,
        }
    }

    fn new(operator: AggregateOperator, steps: usize, is_version_2: bool) -> Self {
        use AggregateOperator as Operator;
        match operator {
            Operator::Avg => Self::Avg(vec![Mean::default(); steps]),
            Operator::Count => Self::Count { counts: vec![0; steps], is_group: false },
            Operator::Group => Self::Count { counts: vec![0; steps], is_group: true },
            Operator::Min => Self::Least { column: Column::absent(steps), is_max: false },
            Operator::Max => Self::Least { column: Column::absent(steps), is_max: true },
            Operator::Stddev | Operator::Stdvar => Self::Deviation {
                spreads: vec![Spread::default(); steps],
                is_root: operator == Operator::Stddev,
                is_version_2,
            },
            // The others are not folded.
            _ => Self::Sum(vec![None; steps]),
        }
    }

    fn add(&mut self, column: &Column) {
        match self {
            Self::Sum(sums) => each(sums, column, |sum, value| {
                let value = Sum::of(value);
                *sum = Some(sum.map_or(value, |sum| sum.plus(value)));
            }),
            Self::Avg(means) => each(means, column, Mean::add),
            Self::Count { counts, .. } => each(counts, column, |count, _| *count += 1),
            Self::Least { column: best, is_max } => {
                for (step, value) in column.iter().enumerate() {
                    let Some(value) = value else { continue };
                    let value = match best.get(step) {
                        Some(other) if *is_max => value.max(other),
                        Some(other) => value.min(other),
                        None => value,
                    };
                    best.set(step, value);
                }
            }
            Self::Deviation { spreads, is_version_2, .. } => {
                each(spreads, column, |spread, value| {
                    spread.count += 1.0;
                    if spread.count == 1.0 {
                        // Prometheus 2 answers 0 for one value whatever it is.
                        let is_number = *is_version_2 || value.is_finite();
                        (spread.mean, spread.squares) =
                            (value, if is_number { 0.0 } else { f64::NAN });
                        return;
                    }
                    let delta = value - spread.mean;
                    spread.mean += delta / spread.count;
                    spread.squares += delta * (value - spread.mean);
                })
            }
        }
    }

    fn finish(self) -> Column {
        match self {
            Self::Sum(sums) => Column::collect(sums.into_iter().map(|sum| sum.map(Sum::total))),
            Self::Avg(means) => Column::collect(means.iter().map(Mean::get)),
            Self::Count { counts, is_group } => {
                let value = |count| if is_group { 1.0 } else { f64::from(count) };
                Column::collect(counts.into_iter().map(|count| (count > 0).then(|| value(count))))
            }
            Self::Least { column, .. } => column,
            Self::Deviation { spreads, is_root, .. } => {
                Column::collect(spreads.into_iter().map(|spread| {
                    let variance = spread.squares / spread.count;
                    let value = if is_root { variance.sqrt() } else { variance };
                    (spread.count > 0.0).then_some(value)
                }))
            }
        }
    }
}

fn each<T>(states: &mut [T], column: &Column, mut add: impl FnMut(&mut T, f64)) {
    for (state, value) in states.iter_mut().zip(column.iter()) {
        if let Some(value) = value {
            add(state, value);
        }
    }
}
