//! Aggregations over groups of series.

use std::collections::HashMap;

use pampero_series::{Labels, METRIC_NAME};

use super::column::{Column, Series, Vector};
use super::fold::Fold;
use super::rank::{Best, quantile};
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::options::WindowRule;
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

/// The labels of a group, with the places of its series.
type Members = (Labels, Vec<usize>);

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
        let is_version_2 = self.options.window == WindowRule::LeftClosed;
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

    /// Returns the vector with the groups of its series.
    fn grouped(
        &self,
        aggregate: &Aggregate,
        grid: Grid,
    ) -> Result<(Vector, Vec<Members>), QueryError> {
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
        phis.iter().for_each(|phi| self.annotations.check_quantile(*phi));
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
            Grouping::By(names) => Grouping::By([&names[..], std::slice::from_ref(label)].concat()),
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
