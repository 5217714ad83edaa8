//! Aggregations that take the values of a group one after the other.

use super::column::Column;
use super::rolling::{Mean, Sum};
use crate::syntax::AggregateOperator;

/// The state of a group at each step.
pub(super) enum Fold {
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
#[derive(Clone, Copy)]
pub(super) struct Spread {
    count: f64,
    mean: Sum,
    squares: Sum,
}

impl Spread {
    const NOTHING: Self = Self {
        count: 0.0,
        mean: Sum { sum: 0.0, lost: 0.0 },
        squares: Sum { sum: 0.0, lost: 0.0 },
    };
}

impl Fold {
    /// Returns how many times 8 bytes a step takes.
    pub(super) const fn points_per_step(operator: AggregateOperator) -> usize {
        match operator {
            AggregateOperator::Count
            | AggregateOperator::Group
            | AggregateOperator::Min
            | AggregateOperator::Max => 1,
            AggregateOperator::Stddev | AggregateOperator::Stdvar => 5,
            _ => 3,
        }
    }

    pub(super) fn new(operator: AggregateOperator, steps: usize, is_version_2: bool) -> Self {
        use AggregateOperator as Operator;
        match operator {
            Operator::Avg => Self::Avg(vec![Mean::NOTHING; steps]),
            Operator::Count => Self::Count { counts: vec![0; steps], is_group: false },
            Operator::Group => Self::Count { counts: vec![0; steps], is_group: true },
            Operator::Min => Self::Least { column: Column::absent(steps), is_max: false },
            Operator::Max => Self::Least { column: Column::absent(steps), is_max: true },
            Operator::Stddev | Operator::Stdvar => Self::Deviation {
                spreads: vec![Spread::NOTHING; steps],
                is_root: operator == Operator::Stddev,
                is_version_2,
            },
            // The others are not folded.
            _ => Self::Sum(vec![None; steps]),
        }
    }

    pub(super) fn add(&mut self, column: &Column) {
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
                    // NaN gives way to any number, and of equal ones the first stays.
                    let is_better = best.get(step).is_none_or(|other| {
                        other.is_nan() || if *is_max { other < value } else { other > value }
                    });
                    if is_better {
                        best.set(step, value);
                    }
                }
            }
            Self::Deviation { spreads, is_version_2, .. } => {
                each(spreads, column, |spread, value| {
                    spread.count += 1.0;
                    if spread.count == 1.0 {
                        // Prometheus 2 answers 0 for one value whatever it is.
                        let is_number = *is_version_2 || value.is_finite();
                        spread.mean = Sum::of(value);
                        spread.squares = Sum::of(if is_number { 0.0 } else { f64::NAN });
                        return;
                    }
                    let delta = value - spread.mean.total();
                    spread.mean = spread.mean.plus(Sum::of(delta / spread.count));
                    let square = delta * (value - spread.mean.total());
                    spread.squares = spread.squares.plus(Sum::of(square));
                })
            }
        }
    }

    pub(super) fn finish(self) -> Column {
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
                    let variance = spread.squares.total() / spread.count;
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
