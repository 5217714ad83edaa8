//! Operators between two vectors: which series belong together, worked out once for all steps.

use std::collections::HashMap;

use pampero_series::{Labels, LabelsBuilder, METRIC_NAME};

use super::column::{Column, Series, Vector};
use super::{Evaluator, Grid};
use crate::error::QueryError;
use crate::syntax::{Binary, BinaryOperator, Cardinality, Matching};

impl Matching {
    /// Returns those labels of a series that have to be equal.
    fn key(&self, labels: &Labels) -> Labels {
        let is_named = |name: &str| self.labels.iter().any(|label| label == name);
        if self.on {
            labels.filtered(is_named)
        } else {
            labels.filtered(|name| name != METRIC_NAME && !is_named(name))
        }
    }
}

/// The series of both sides with the same key, by their places.
#[derive(Default)]
struct Group {
    lhs: Vec<usize>,
    rhs: Vec<usize>,
}

fn groups(matching: &Matching, lhs: &Vector, rhs: &Vector) -> Vec<(Labels, Group)> {
    let mut numbers: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<(Labels, Group)> = Vec::new();
    let mut group_of = |series: &Series| {
        *numbers.entry(matching.key(&series.labels)).or_insert_with_key(|key| {
            groups.push((key.clone(), Group::default()));
            groups.len() - 1
        })
    };
    let of_lhs: Vec<usize> = lhs.series.iter().map(&mut group_of).collect();
    let of_rhs: Vec<usize> = rhs.series.iter().map(&mut group_of).collect();
    for (index, number) in of_lhs.into_iter().enumerate() {
        groups[number].1.lhs.push(index);
    }
    for (index, number) in of_rhs.into_iter().enumerate() {
        groups[number].1.rhs.push(index);
    }
    groups
}

impl Evaluator<'_> {
    pub(super) fn between_vectors(
        &self,
        binary: &Binary,
        lhs: Vector,
        rhs: Vector,
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        let groups = groups(&binary.matching, &lhs, &rhs);
        match binary.operator {
            BinaryOperator::And => self.filtered(lhs, &rhs, &groups, true),
            BinaryOperator::Unless => self.filtered(lhs, &rhs, &groups, false),
            BinaryOperator::Or => self.united(lhs, rhs, &groups),
            _ => self.paired(binary, lhs, rhs, groups, grid),
        }
    }

    /// Keeps the left values at whose step the right side has a match, or has none.
    fn filtered(
        &self,
        mut lhs: Vector,
        rhs: &Vector,
        groups: &[(Labels, Group)],
        where_present: bool,
    ) -> Result<Vector, QueryError> {
        for (_, group) in groups {
            let Some(present) = self.presence(rhs, &group.rhs)? else {
                if where_present {
                    group.lhs.iter().for_each(|index| clear(&mut lhs.series[*index].column));
                }
                continue;
            };
            for index in &group.lhs {
                let column = &mut lhs.series[*index].column;
                column.map_steps(|step, value| (present[step] == where_present).then_some(value));
                self.budget.spend(present.len())?;
            }
        }
        lhs.series.retain(|series| !series.column.is_empty());
        Ok(lhs)
    }

    /// Joins the left values with those right ones at whose step the left side has no match.
    fn united(
        &self,
        mut lhs: Vector,
        mut rhs: Vector,
        groups: &[(Labels, Group)],
    ) -> Result<Vector, QueryError> {
        for (_, group) in groups {
            let Some(present) = self.presence(&lhs, &group.lhs)? else { continue };
            for index in &group.rhs {
                let column = &mut rhs.series[*index].column;
                column.map_steps(|step, value| (!present[step]).then_some(value));
                self.budget.spend(present.len())?;
            }
        }
        lhs.series.append(&mut rhs.series);
        lhs.is_ordered |= rhs.is_ordered;
        lhs.merged()
    }

    /// Returns at which steps any of these series has a value; `None` of no series.
    fn presence(
        &self,
        vector: &Vector,
        indexes: &[usize],
    ) -> Result<Option<Vec<bool>>, QueryError> {
        let Some(first) = indexes.first() else { return Ok(None) };
        let mut present = vec![false; vector.series[*first].column.count()];
        for index in indexes {
            let column = &vector.series[*index].column;
            for (present, value) in present.iter_mut().zip(column.iter()) {
                *present |= value.is_some();
            }
            self.budget.spend(column.count())?;
        }
        Ok(Some(present))
    }

    /// Applies an operator to each pair of series that belong together.
    fn paired(
        &self,
        binary: &Binary,
        lhs: Vector,
        rhs: Vector,
        groups: Vec<(Labels, Group)>,
        grid: Grid,
    ) -> Result<Vector, QueryError> {
        let is_one_to_many = matches!(binary.matching.cardinality, Cardinality::OneToMany(_));
        let (many, one) = if is_one_to_many { (&rhs, &lhs) } else { (&lhs, &rhs) };
        let keeps_name = binary.keeps_name(self.options.window);
        let pairing = Pairing { binary, many, one, is_one_to_many, keeps_name };
        let mut pairs = Vec::new();
        for (key, group) in groups {
            let (of_many, of_one) =
                if is_one_to_many { (group.rhs, group.lhs) } else { (group.lhs, group.rhs) };
            pairing.check_one_side(&key, &of_one)?;
            let first = pairs.len();
            for of_many in &of_many {
                for of_one in &of_one {
                    self.budget.check_matches(pairs.len() + 1)?;
                    self.budget.hold(grid.count)?;
                    pairs.push((*of_many, pairing.pair(*of_many, *of_one)));
                }
            }
            if of_many.len() > 1 {
                pairing.check_many_side(&pairs[first..], grid)?;
            }
        }
        // In the order of the side that may have many, as Prometheus goes through it.
        pairs.sort_by_key(|(of_many, _)| *of_many);
        let series = pairs.into_iter().map(|(_, series)| series).collect();
        Vector { series, is_ordered: many.is_ordered }.merged()
    }
}

fn clear(column: &mut Column) {
    *column = Column::absent(column.count());
}

/// Two sides, of which one has at most one series per key and step.
struct Pairing<'p> {
    binary: &'p Binary,
    many: &'p Vector,
    one: &'p Vector,
    /// Whether the side that may have many is the right one.
    is_one_to_many: bool,
    /// Whether results keep the name of the metric.
    keeps_name: bool,
}

impl Pairing<'_> {
    /// Refuses two series of the one side that have values at the same step.
    fn check_one_side(&self, key: &Labels, of_one: &[usize]) -> Result<(), QueryError> {
        if of_one.len() < 2 {
            return Ok(());
        }
        let steps = self.one.series[of_one[0]].column.count();
        for step in 0..steps {
            let mut present =
                of_one.iter().filter(|it| self.one.series[**it].column.get(step).is_some());
            let (Some(second), Some(first)) = (present.next(), present.next()) else { continue };
            // Without any value on the other side nothing is matched at this step.
            if !self.many.series.iter().any(|series| series.column.get(step).is_some()) {
                continue;
            }
            return Err(QueryError::ManyToMany {
                group: key.clone(),
                side: if self.is_one_to_many { "left" } else { "right" },
                first: self.one.series[*first].labels.clone(),
                second: self.one.series[*second].labels.clone(),
            });
        }
        Ok(())
    }

    /// Refuses results of one key that cannot be told apart.
    fn check_many_side(&self, pairs: &[(usize, Series)], grid: Grid) -> Result<(), QueryError> {
        if self.binary.matching.cardinality == Cardinality::OneToOne {
            let all: Vec<&Column> = pairs.iter().map(|(_, series)| &series.column).collect();
            return if overlap(&all, grid) { Err(QueryError::ManyToOne) } else { Ok(()) };
        }
        let mut alike: HashMap<&Labels, Vec<&Column>> = HashMap::new();
        for (_, series) in pairs {
            alike.entry(&series.labels).or_default().push(&series.column);
        }
        if alike.values().any(|columns| overlap(columns, grid)) {
            return Err(QueryError::NotUnique);
        }
        Ok(())
    }

    fn pair(&self, of_many: usize, of_one: usize) -> Series {
        let (many, one) = (&self.many.series[of_many], &self.one.series[of_one]);
        let operator = self.binary.operator;
        let filters = operator.is_comparison() && !self.binary.returns_bool;
        let values = many.column.iter().zip(one.column.iter()).map(|(many, one)| {
            let (many, one) = (many?, one?);
            let (lhs, rhs) = if self.is_one_to_many { (one, many) } else { (many, one) };
            if filters {
                return operator.holds(lhs, rhs).then_some(lhs);
            }
            Some(operator.number(lhs, rhs))
        });
        let column = Column::collect(values);
        Series { labels: self.labels(&many.labels, &one.labels), column }
    }

    /// Returns the labels of the result of a pair.
    fn labels(&self, many: &Labels, one: &Labels) -> Labels {
        let Matching { on, labels, cardinality } = &self.binary.matching;
        let keeps_name = self.keeps_name;
        let named = |name: &str| labels.iter().any(|label| label == name);
        let include = match cardinality {
            Cardinality::OneToOne => {
                return many
                    .filtered(|name| (keeps_name || name != METRIC_NAME) && named(name) == *on);
            }
            Cardinality::ManyToOne(include) | Cardinality::OneToMany(include) => include,
        };
        let many = many.filtered(|name| keeps_name || name != METRIC_NAME);
        if include.is_empty() {
            return many;
        }
        let mut builder = LabelsBuilder::from(&many);
        for name in include {
            builder.set(name, one.value(name));
        }
        builder.build()
    }
}

/// Returns whether two of the columns have a value at the same step.
fn overlap(columns: &[&Column], grid: Grid) -> bool {
    columns.len() > 1
        && (0..grid.count)
            .any(|step| columns.iter().filter(|column| column.get(step).is_some()).nth(1).is_some())
}
