//! What nodes evaluate to: columns with a place for each step.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pampero_series::{Labels, STALE_MARKER, is_stale};

use crate::error::QueryError;

/// Stands where a series has no value. The stale marker is free for this: selectors leave it out,
/// and it is a signalling NaN, which no arithmetic results in.
const ABSENT: f64 = STALE_MARKER;

/// The values of one series, each step having one or none.
#[derive(Clone, Debug)]
pub(super) struct Column(Vec<f64>);

impl Column {
    /// Returns a column without any value.
    pub(super) fn absent(count: usize) -> Self {
        Self(vec![ABSENT; count])
    }

    /// Collects a column; `None` is no value.
    pub(super) fn collect(values: impl Iterator<Item = Option<f64>>) -> Self {
        Self(values.map(|value| value.unwrap_or(ABSENT)).collect())
    }

    pub(super) fn get(&self, step: usize) -> Option<f64> {
        let value = self.0[step];
        if is_stale(value) { None } else { Some(value) }
    }

    pub(super) fn set(&mut self, step: usize, value: f64) {
        self.0[step] = value;
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Option<f64>> {
        self.0.iter().map(|value| if is_stale(*value) { None } else { Some(*value) })
    }

    /// Returns whether no step has a value.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|value| is_stale(*value))
    }

    /// Replaces each value.
    pub(super) fn map(&mut self, mut of: impl FnMut(f64) -> f64) {
        for value in &mut self.0 {
            if !is_stale(*value) {
                *value = of(*value);
            }
        }
    }

    /// Replaces each value with one that depends on the step, or with none.
    pub(super) fn map_steps(&mut self, mut of: impl FnMut(usize, f64) -> Option<f64>) {
        for (step, value) in self.0.iter_mut().enumerate() {
            if !is_stale(*value) {
                *value = of(step, *value).unwrap_or(ABSENT);
            }
        }
    }

    /// Returns a column of so many steps with the value of the first.
    pub(super) fn repeated(&self, count: usize) -> Self {
        Self(vec![self.0[0]; count])
    }

    /// Takes over the values of another column; false when both have one at some step.
    fn absorb(&mut self, other: &Self) -> bool {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            if is_stale(*theirs) {
                continue;
            }
            if !is_stale(*mine) {
                return false;
            }
            *mine = *theirs;
        }
        true
    }
}

/// A series of an instant vector.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) column: Column,
}

/// An instant vector at each step.
#[derive(Clone, Debug, Default)]
pub(super) struct Vector {
    pub(super) series: Vec<Series>,
    /// Whether the order of the series means something, as after `sort`.
    pub(super) is_ordered: bool,
}

impl Vector {
    pub(super) fn unordered(series: Vec<Series>) -> Self {
        Self { series, is_ordered: false }
    }

    /// Returns the vector without empty series, after labels have changed: series with the same
    /// labels become one.
    ///
    /// # Errors
    /// Two of them have a value at the same step.
    pub(super) fn merged(self) -> Result<Self, QueryError> {
        self.without_doubles(Column::absorb)
    }

    /// Returns the vector without empty series, after labels have changed.
    ///
    /// # Errors
    /// Two series have the same labels.
    pub(super) fn distinct(self) -> Result<Self, QueryError> {
        self.without_doubles(|_, _| false)
    }

    fn without_doubles(
        self,
        join: impl Fn(&mut Column, &Column) -> bool,
    ) -> Result<Self, QueryError> {
        let mut places: HashMap<Labels, usize> = HashMap::with_capacity(self.series.len());
        let mut kept: Vec<Series> = Vec::with_capacity(self.series.len());
        for series in self.series {
            if series.column.is_empty() {
                continue;
            }
            match places.entry(series.labels.clone()) {
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(series);
                }
                Entry::Occupied(place) => {
                    if !join(&mut kept[*place.get()].column, &series.column) {
                        return Err(QueryError::SameLabels);
                    }
                }
            }
        }
        Ok(Self { series: kept, is_ordered: self.is_ordered })
    }
}

/// A number at each step.
#[derive(Clone, Debug)]
pub(super) enum Scalars {
    /// The same at all steps.
    Constant(f64),
    /// One for each.
    Each(Vec<f64>),
}

impl Scalars {
    pub(super) fn at(&self, step: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Each(values) => values[step],
        }
    }

    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(of(value)),
            Self::Each(mut values) => {
                values.iter_mut().for_each(|value| *value = of(*value));
                Self::Each(values)
            }
        }
    }
}

/// What a node evaluates to.
#[derive(Clone, Debug)]
pub(super) enum Computed {
    Scalar(Scalars),
    Text(String),
    Vector(Vector),
}

impl Computed {
    /// Returns how many points it holds.
    pub(super) fn point_count(&self) -> usize {
        match self {
            Self::Scalar(Scalars::Each(values)) => values.len(),
            Self::Scalar(Scalars::Constant(_)) | Self::Text(_) => 0,
            Self::Vector(vector) => vector.series.iter().map(|series| series.column.count()).sum(),
        }
    }
}
