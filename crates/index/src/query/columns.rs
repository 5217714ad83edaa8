//! Queries over the values of a column: numbers, dates, booleans.
//!
//! The column of one path may be of another type in every segment, because tantivy gives whole numbers
//! the narrowest one. So bounds are kept exact and brought into the column's own type segment by
//! segment.

use std::ops::Bound;
use std::sync::Arc;

use tantivy::columnar::{Column, ColumnType, DynamicColumn};
use tantivy::query::{
    BitSetDocSet, BoundsRange, ConstScorer, EmptyScorer, EnableScoring, Explanation,
    FastFieldRangeWeight, Query, Scorer, Weight,
};
use tantivy::schema::Field;
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TantivyError, Term};

use super::field::json_term;

/// A bound of a range of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Any integer that a column holds.
    Whole(i128),
    /// A decimal, finite.
    Decimal(f64),
}

/// Finds documents of which a value lies in one of several ranges.
#[derive(Clone, Debug)]
pub(super) struct ColumnQuery {
    field: Field,
    path: Arc<str>,
    /// As tantivy resolves it.
    column: Arc<str>,
    ranges: Arc<[(Bound<Number>, Bound<Number>)]>,
}

impl ColumnQuery {
    /// Makes the query; `field` is a JSON field with columns, `path` lies in it.
    pub(super) fn new(
        field: Field,
        column: String,
        path: Arc<str>,
        ranges: Vec<(Bound<Number>, Bound<Number>)>,
    ) -> Self {
        Self { field, path, column: column.into(), ranges: ranges.into() }
    }

    /// Returns the ranges of whole numbers that a column of type `T` may hold something of, closed.
    fn whole_ranges<T>(&self, limits: (i128, i128), value: impl Fn(i128) -> T) -> Vec<(T, T)> {
        let ranges = self.ranges.iter();
        ranges
            .filter_map(|(lower, upper)| whole_range(*lower, *upper, limits))
            .map(|(lower, upper)| (value(lower), value(upper)))
            .collect()
    }

    fn decimal_ranges(&self) -> Vec<(f64, f64)> {
        let ranges = self.ranges.iter().map(|(lower, upper)| decimal_range(*lower, *upper));
        ranges.filter(|(lower, upper)| lower <= upper).collect()
    }

    /// Finds the documents with a value in one of several closed ranges.
    fn ranges_scorer<T>(
        &self,
        reader: &SegmentReader,
        boost: Score,
        column: &Column<T>,
        ranges: &[(T, T)],
    ) -> tantivy::Result<Box<dyn Scorer>>
    where
        T: tantivy::fastfield::FastValue + PartialOrd,
    {
        match ranges {
            [] => Ok(Box::new(EmptyScorer)),
            // Tantivy finds the column by the name in the term, in which it reads backslashes as escapes.
            [(lower, upper)] if !self.path.contains('\\') => {
                self.range_scorer(reader, boost, (*lower, *upper))
            }
            _ => Ok(scan(reader, boost, column, ranges.to_vec())),
        }
    }

    /// Leaves one range to tantivy, with bounds of the column's own type.
    fn range_scorer<T: tantivy::fastfield::FastValue>(
        &self,
        reader: &SegmentReader,
        boost: Score,
        (lower, upper): (T, T),
    ) -> tantivy::Result<Box<dyn Scorer>> {
        let term = |value: T| {
            let mut term: Term = json_term(self.field, &self.path);
            term.append_type_and_fast_value(value);
            Bound::Included(term)
        };
        FastFieldRangeWeight::new(BoundsRange::new(term(lower), term(upper))).scorer(reader, boost)
    }
}

/// Looks at the values of every document; `ranges` are closed.
fn scan<T: PartialOrd + Copy + Send + Sync + std::fmt::Debug + 'static>(
    reader: &SegmentReader,
    boost: Score,
    column: &Column<T>,
    ranges: Vec<(T, T)>,
) -> Box<dyn Scorer> {
    let ranges = disjoint(ranges);
    let holds = |value: T| {
        let at = ranges.partition_point(|(lower, _)| *lower <= value);
        at > 0 && value <= ranges[at - 1].1
    };
    let mut found = BitSet::with_max_value(reader.max_doc());
    for document in 0..reader.max_doc() {
        if column.values_for_doc(document).any(holds) {
            found.insert(document);
        }
    }
    Box::new(ConstScorer::new(BitSetDocSet::from(found), boost))
}

/// Returns ranges in their order, those that overlap made one, so that the last one that begins before
/// a value is the only one that may hold it.
fn disjoint<T: PartialOrd + Copy>(mut ranges: Vec<(T, T)>) -> Vec<(T, T)> {
    ranges.sort_by(|one, other| one.0.partial_cmp(&other.0).unwrap_or(std::cmp::Ordering::Equal));
    let mut disjoint: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (lower, upper) in ranges {
        match disjoint.last_mut() {
            Some(last) if lower <= last.1 => {
                if upper > last.1 {
                    last.1 = upper;
                }
            }
            _ => disjoint.push((lower, upper)),
        }
    }
    disjoint
}

/// Returns the whole numbers between two bounds, both included and within `limits`; `None` for none.
fn whole_range(
    lower: Bound<Number>,
    upper: Bound<Number>,
    limits: (i128, i128),
) -> Option<(i128, i128)> {
    let lower = match lower {
        Bound::Included(Number::Whole(whole)) => whole,
        Bound::Excluded(Number::Whole(whole)) => whole.saturating_add(1),
        Bound::Included(Number::Decimal(decimal)) => decimal.ceil() as i128,
        Bound::Excluded(Number::Decimal(decimal)) => (decimal.floor() as i128).saturating_add(1),
        Bound::Unbounded => limits.0,
    };
    let upper = match upper {
        Bound::Included(Number::Whole(whole)) => whole,
        Bound::Excluded(Number::Whole(whole)) => whole.saturating_sub(1),
        Bound::Included(Number::Decimal(decimal)) => decimal.floor() as i128,
        Bound::Excluded(Number::Decimal(decimal)) => (decimal.ceil() as i128).saturating_sub(1),
        Bound::Unbounded => limits.1,
    };
    let (lower, upper) = (lower.max(limits.0), upper.min(limits.1));
    (lower <= upper).then_some((lower, upper))
}

/// Returns the decimals between two bounds, both included; the first is greater when there are none.
fn decimal_range(lower: Bound<Number>, upper: Bound<Number>) -> (f64, f64) {
    let decimal = |number: Number| match number {
        Number::Whole(whole) => whole as f64,
        Number::Decimal(decimal) => decimal,
    };
    let lower = match lower {
        Bound::Included(number) => decimal(number),
        Bound::Excluded(number) => decimal(number).next_up(),
        Bound::Unbounded => f64::NEG_INFINITY,
    };
    let upper = match upper {
        Bound::Included(number) => decimal(number),
        Bound::Excluded(number) => decimal(number).next_down(),
        Bound::Unbounded => f64::INFINITY,
    };
    (lower, upper)
}

impl Query for ColumnQuery {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for ColumnQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        const SIGNED: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
        const UNSIGNED: (i128, i128) = (0, u64::MAX as i128);
        for handle in reader.fast_fields().dynamic_column_handles(&self.column)? {
            if handle.column_type() == ColumnType::Str {
                continue;
            }
            return match handle.open()? {
                DynamicColumn::I64(column) => {
                    let ranges = self.whole_ranges(SIGNED, |whole| whole as i64);
                    self.ranges_scorer(reader, boost, &column, &ranges)
                }
                DynamicColumn::U64(column) => {
                    let ranges = self.whole_ranges(UNSIGNED, |whole| whole as u64);
                    self.ranges_scorer(reader, boost, &column, &ranges)
                }
                DynamicColumn::F64(column) => {
                    self.ranges_scorer(reader, boost, &column, &self.decimal_ranges())
                }
                // Tantivy has no ranges over booleans.
                DynamicColumn::Bool(column) => {
                    let ranges = self.whole_ranges((0, 1), |whole| whole == 1);
                    Ok(scan(reader, boost, &column, ranges))
                }
                _ => Ok(Box::new(EmptyScorer)),
            };
        }
        Ok(Box::new(EmptyScorer))
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > document || scorer.seek(document) != document {
            return Err(TantivyError::InvalidArgument(format!(
                "document {document} does not match"
            )));
        }
        Ok(Explanation::new("ColumnQuery", scorer.score()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_whole_numbers_are_exact() {
        use Bound::{Excluded, Included, Unbounded};
        use Number::{Decimal, Whole};
        check(Included(Whole(2)), Excluded(Whole(5)), Some((2, 4)));
        check(Excluded(Whole(2)), Included(Whole(5)), Some((3, 5)));
        check(Included(Decimal(1.5)), Included(Decimal(4.5)), Some((2, 4)));
        check(Excluded(Decimal(2.0)), Excluded(Decimal(4.0)), Some((3, 3)));
        check(Excluded(Decimal(1.5)), Excluded(Decimal(2.5)), Some((2, 2)));
        check(Unbounded, Unbounded, Some((0, 100)));
        check(Included(Whole(-5)), Included(Whole(1000)), Some((0, 100)));
        check(Included(Whole(101)), Unbounded, None);
        check(Unbounded, Excluded(Whole(0)), None);
        check(Excluded(Whole(3)), Excluded(Whole(4)), None);
    }

    #[test]
    fn overlapping_ranges_become_one() {
        assert_eq!(disjoint(vec![(5, 6), (1, 9), (12, 12), (2, 3)]), [(1, 9), (12, 12)]);
    }

    #[track_caller]
    fn check(lower: Bound<Number>, upper: Bound<Number>, expected: Option<(i128, i128)>) {
        assert_eq!(whole_range(lower, upper, (0, 100)), expected, "{lower:?} to {upper:?}");
    }
}
