//! The column of one field in one segment, read block by block.

use pampero_opensearch::{Exception, ExceptionKind, Field, FieldKind};
use tantivy::columnar::{Column, ColumnIndex, DynamicColumn, StrColumn};
use tantivy::{DocId, SegmentReader};

use crate::layout::Layout;

/// The column of a field in one segment.
#[derive(Clone, Debug)]
pub(super) enum FieldColumn {
    /// No document of the segment has a value.
    Empty,
    /// Whole numbers; `divisor` is what nanoseconds are divided by to get milliseconds, else 1.
    Integer {
        /// The numbers.
        column: Column<i64>,
        /// What they are divided by.
        divisor: i64,
    },
    /// Numbers of `unsigned_long`.
    Unsigned(Column<u64>),
    /// Decimals.
    Float(Column<f64>),
    /// Booleans.
    Boolean(Column<bool>),
    /// Whole strings.
    Strings(StrColumn),
}

/// Values of a block of documents.
#[derive(Debug)]
pub(super) struct Pairs<T> {
    /// For each value, which entry of the block it belongs to; never falling.
    pub(super) at: Vec<u32>,
    /// The values.
    pub(super) values: Vec<T>,
    rows: Vec<u32>,
}

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self { at: Vec::new(), values: Vec::new(), rows: Vec::new() }
    }
}

impl<T: PartialOrd + Copy + Default + std::fmt::Debug + Send + Sync + 'static> Pairs<T> {
    /// Reads the values of `docs`.
    pub(super) fn read(&mut self, column: &Column<T>, docs: &[DocId]) {
        self.at.clear();
        if matches!(column.index, ColumnIndex::Full) {
            self.at.extend(0..docs.len() as u32);
            self.values.resize(docs.len(), T::default());
            column.values.get_vals(docs, &mut self.values);
            return;
        }
        self.rows.clear();
        for (at, doc) in docs.iter().enumerate() {
            for row in column.index.value_row_ids(*doc) {
                self.at.push(at as u32);
                self.rows.push(row);
            }
        }
        self.values.resize(self.rows.len(), T::default());
        column.values.get_vals(&self.rows, &mut self.values);
    }

    /// Puts `missing` where one of `entries` entries has no value.
    pub(super) fn fill(&mut self, entries: usize, missing: T) {
        let (mut at, mut values) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        let mut given = self.at.iter().zip(&self.values).peekable();
        for entry in 0..entries as u32 {
            let before = at.len();
            while let Some((_, value)) = given.next_if(|(other, _)| **other == entry) {
                at.push(entry);
                values.push(*value);
            }
            if at.len() == before {
                at.push(entry);
                values.push(missing);
            }
        }
        (self.at, self.values) = (at, values);
    }

    /// Returns each value with the entry of the block it belongs to.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, T)> + Clone {
        self.at.iter().zip(&self.values).map(|(at, value)| (*at as usize, *value))
    }
}

impl FieldColumn {
    /// Opens the column of `field`.
    pub(super) fn open(reader: &SegmentReader, field: &Field) -> Result<Self, Exception> {
        let top = match field.kind {
            FieldKind::Keyword { .. } | FieldKind::Ip => Layout::KEYWORDS,
            _ => Layout::NUMBERS,
        };
        let name = format!("{top}.{}", field.path);
        let handles = reader.fast_fields().dynamic_column_handles(&name).map_err(failed)?;
        let divisor = match field.kind {
            FieldKind::Date { nanos: true, .. } => 1_000_000,
            _ => 1,
        };
        for handle in handles {
            let column = handle.open().map_err(|error| failed(error.into()))?;
            let wanted_boolean = matches!(field.kind, FieldKind::Boolean);
            match column {
                DynamicColumn::Bool(column) if wanted_boolean => return Ok(Self::Boolean(column)),
                DynamicColumn::I64(column) if !wanted_boolean => {
                    return Ok(Self::Integer { column, divisor });
                }
                DynamicColumn::U64(column) if !wanted_boolean => {
                    return Ok(Self::Unsigned(column));
                }
                DynamicColumn::F64(column) if !wanted_boolean => return Ok(Self::Float(column)),
                DynamicColumn::Str(column) => return Ok(Self::Strings(column)),
                _ => {}
            }
        }
        Ok(Self::Empty)
    }

    /// Reads the values of `docs` as decimals; a boolean is 1 or 0.
    pub(super) fn numbers(&self, docs: &[DocId], scratch: &mut Scratch, pairs: &mut Pairs<f64>) {
        match self {
            Self::Empty | Self::Strings(_) => {
                pairs.at.clear();
                pairs.values.clear();
            }
            Self::Float(column) => pairs.read(column, docs),
            Self::Integer { column, divisor } => {
                scratch.integers.read(column, docs);
                let divisor = *divisor;
                convert(&scratch.integers, pairs, |value| value.div_euclid(divisor) as f64);
            }
            Self::Unsigned(column) => {
                scratch.unsigned.read(column, docs);
                convert(&scratch.unsigned, pairs, |value| value as f64);
            }
            Self::Boolean(column) => {
                scratch.booleans.read(column, docs);
                convert(&scratch.booleans, pairs, |value| f64::from(u8::from(value)));
            }
        }
    }

    /// Returns the index from documents to values.
    pub(super) fn index(&self) -> Option<&ColumnIndex> {
        match self {
            Self::Empty => None,
            Self::Integer { column, .. } => Some(&column.index),
            Self::Unsigned(column) => Some(&column.index),
            Self::Float(column) => Some(&column.index),
            Self::Boolean(column) => Some(&column.index),
            Self::Strings(column) => Some(&column.ords().index),
        }
    }

    /// Tells whether a document has a value.
    pub(super) fn has_value(&self, doc: DocId) -> bool {
        self.index().is_some_and(|index| !index.value_row_ids(doc).is_empty())
    }

    /// Tells whether a document may have more than one value.
    pub(super) fn is_multivalued(&self) -> bool {
        matches!(self.index(), Some(ColumnIndex::Multivalued(_)))
    }
}

/// Buffers for columns whose values are converted.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Whole numbers.
    pub(super) integers: Pairs<i64>,
    /// Numbers of `unsigned_long`.
    pub(super) unsigned: Pairs<u64>,
    /// Booleans.
    pub(super) booleans: Pairs<bool>,
}

/// Writes the values of one buffer into another, changed.
pub(super) fn convert<S: Copy, T>(from: &Pairs<S>, to: &mut Pairs<T>, change: impl FnMut(S) -> T) {
    to.at.clear();
    to.at.extend_from_slice(&from.at);
    to.values.clear();
    to.values.extend(from.values.iter().copied().map(change));
}

/// Tells of a failure of tantivy under an aggregation.
pub(super) fn failed(error: tantivy::TantivyError) -> Exception {
    crate::query::refusal(&error).unwrap_or_else(|| {
        Exception::new(ExceptionKind::Io, format!("the index cannot be read: {error}"))
    })
}
