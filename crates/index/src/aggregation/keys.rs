//! Keys of buckets: how the values of a segment's column become them.
//!
//! Inside a segment a key is a `u64` (an ordinal of its dictionary, the number of a bucket), which is
//! cheap to compare; when the segment is done, these become [`Key`]s, which mean the same in every
//! segment and index.

use std::sync::Arc;

use pampero_opensearch::Exception;
use tantivy::DocId;

use super::column::{FieldColumn, Pairs, Scratch, convert, failed};
use super::rounding::{Rounding, RoundingCache};

/// A key that means the same everywhere, in the order of OpenSearch.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Key {
    /// No value.
    Null,
    /// A whole number; instants in ms since 1970, booleans as 0 and 1.
    Integer(i64),
    /// A number of `unsigned_long`.
    Unsigned(u64),
    /// A decimal, by its place in the order of all decimals.
    Float(u64),
    /// A whole string.
    Text(Arc<str>),
    /// One for each of several sources.
    Tuple(Box<[Key]>),
}

/// Of which variant the keys of a source are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyType {
    /// Whole numbers.
    Integer,
    /// Numbers of `unsigned_long`.
    Unsigned,
    /// Decimals.
    Float,
    /// Whole strings.
    Text,
}

/// How values become keys.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// As they are.
    Value,
    /// The beginnings of buckets along time.
    Time(Rounding),
    /// The beginnings of stated stretches of time, sorted; the last one is open.
    Stretches(Arc<[i64]>),
    /// The beginnings of buckets of equal width.
    Number {
        /// The width.
        interval: f64,
        /// Where a bucket begins.
        offset: f64,
    },
}

impl Key {
    /// Makes the key of a decimal; both zeros are one.
    pub(super) fn float(value: f64) -> Self {
        Self::Float(float_order(value + 0.0))
    }

    /// Returns the number, if it is one.
    pub(super) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Unsigned(value) => Some(*value as f64),
            Self::Float(order) => Some(float_value(*order)),
            _ => None,
        }
    }

    /// Makes the key of a whole number as `kind` has it.
    fn integer(value: i64, kind: KeyType) -> Self {
        match kind {
            KeyType::Float => Self::float(value as f64),
            KeyType::Unsigned => Self::Unsigned(value as u64),
            _ => Self::Integer(value),
        }
    }
}

/// Returns a number that is ordered as the decimals are.
fn float_order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn float_value(order: u64) -> f64 {
    f64::from_bits(if order >> 63 == 1 { order & !(1 << 63) } else { !order })
}

/// Reads the keys of documents off one column.
#[derive(Debug)]
pub(super) struct KeyReader {
    column: FieldColumn,
    shape: Shape,
    kind: KeyType,
    /// The key of documents without a value; they have none when it is `None`.
    missing: Option<Key>,
    /// What is taken from whole numbers so that keys count from 0.
    base: i64,
    /// Keys are below this number, when it is known and small.
    width: Option<u64>,
    cache: RoundingCache,
    scratch: Scratch,
    floats: Pairs<f64>,
    run: Vec<u64>,
}

impl KeyReader {
    /// Tables are made for this many keys at most.
    const WIDTH_MAX: u64 = 1 << 20;

    pub(super) fn new(
        column: FieldColumn,
        shape: Shape,
        kind: KeyType,
        missing: Option<Key>,
    ) -> Self {
        let mut reader = Self {
            column,
            shape,
            kind,
            missing,
            base: 0,
            width: None,
            cache: RoundingCache::default(),
            scratch: Scratch::default(),
            floats: Pairs::default(),
            run: Vec::new(),
        };
        reader.measure();
        reader
    }

    /// Finds out how many keys there may be.
    fn measure(&mut self) {
        let number = |value: i64| match &self.shape {
            Shape::Value => Some(value),
            Shape::Time(rounding) => {
                let (width, shift) = rounding.even()?;
                Some(value.wrapping_sub(shift).div_euclid(width))
            }
            _ => None,
        };
        let range = match &self.column {
            FieldColumn::Strings(column) => Some((0, column.num_terms() as i64)),
            FieldColumn::Boolean(_) => Some((0, 1)),
            FieldColumn::Integer { column, divisor } => {
                let least = number(column.min_value().div_euclid(*divisor));
                least.zip(number(column.max_value().div_euclid(*divisor)))
            }
            _ => None,
        };
        if let Shape::Stretches(starts) = &self.shape {
            self.width = Some(starts.len() as u64 + 1);
        } else if let Some((least, greatest)) = range {
            self.base = least;
            let width = greatest.checked_sub(least).map(|span| span as u64 + 2);
            self.width = width.filter(|width| *width <= Self::WIDTH_MAX);
        }
    }

    /// Returns what the keys stay below, when it is known and small.
    pub(super) fn width(&self) -> Option<usize> {
        self.width.map(|width| width as usize)
    }

    /// Returns the key of a document without a value, which no value has.
    fn missing_local(&self) -> u64 {
        match (self.width, &self.shape) {
            (Some(width), _) => width - 1,
            // Numbers of buckets and instants may be -1, which is the highest key.
            (None, Shape::Number { .. } | Shape::Time(_)) => i64::MIN as u64,
            (None, _) => u64::MAX,
        }
    }

    /// Reads the keys of `docs`, each once for a document.
    pub(super) fn read(&mut self, docs: &[DocId], keys: &mut Pairs<u64>) {
        self.read_values(docs, keys);
        if self.column.is_multivalued() {
            self.keep_distinct(keys);
        }
        self.fill_missing(docs, keys);
    }

    fn read_values(&mut self, docs: &[DocId], keys: &mut Pairs<u64>) {
        let (base, cache) = (self.base, &mut self.cache);
        match (&self.column, &self.shape) {
            (FieldColumn::Strings(column), _) => keys.read(column.ords(), docs),
            (FieldColumn::Integer { column, divisor: 1 }, shape) => {
                self.scratch.integers.read(column, docs);
                convert_integers(&self.scratch.integers, keys, shape, base, cache);
            }
            (FieldColumn::Integer { column, divisor }, shape) => {
                self.scratch.integers.read(column, docs);
                for value in &mut self.scratch.integers.values {
                    *value = value.div_euclid(*divisor);
                }
                convert_integers(&self.scratch.integers, keys, shape, base, cache);
            }
            (FieldColumn::Boolean(column), Shape::Value) => {
                self.scratch.booleans.read(column, docs);
                convert(&self.scratch.booleans, keys, u64::from);
            }
            (FieldColumn::Unsigned(column), Shape::Value) => keys.read(column, docs),
            (column, shape) => {
                column.numbers(docs, &mut self.scratch, &mut self.floats);
                let floats = &self.floats;
                match shape {
                    Shape::Value => convert(floats, keys, |value| float_order(value + 0.0)),
                    Shape::Number { interval, offset } => convert(floats, keys, |value| {
                        ((value - offset) / interval).floor() as i64 as u64
                    }),
                    Shape::Time(rounding) => {
                        convert(floats, keys, |value| cache.round(rounding, value as i64) as u64)
                    }
                    Shape::Stretches(starts) => {
                        convert(floats, keys, |value| stretch_of(starts, value as i64));
                    }
                }
            }
        }
    }

    /// Leaves each key of a document once.
    fn keep_distinct(&mut self, keys: &mut Pairs<u64>) {
        let (mut from, mut kept) = (0, 0);
        while from < keys.at.len() {
            let at = keys.at[from];
            let to = from + keys.at[from..].iter().take_while(|other| **other == at).count();
            self.run.clear();
            self.run.extend_from_slice(&keys.values[from..to]);
            self.run.sort_unstable();
            self.run.dedup();
            for key in &self.run {
                (keys.at[kept], keys.values[kept]) = (at, *key);
                kept += 1;
            }
            from = to;
        }
        keys.at.truncate(kept);
        keys.values.truncate(kept);
    }

    /// Reads every value of `docs`; strings count once for a document, numbers as often as they stand.
    pub(super) fn read_all(&mut self, docs: &[DocId], keys: &mut Pairs<u64>) {
        self.read_values(docs, keys);
        if matches!(self.column, FieldColumn::Strings(_)) && self.column.is_multivalued() {
            self.keep_distinct(keys);
        }
        self.fill_missing(docs, keys);
    }

    fn fill_missing(&self, docs: &[DocId], keys: &mut Pairs<u64>) {
        if self.missing.is_some() {
            keys.fill(docs.len(), self.missing_local());
        }
    }

    /// Returns a key that is ordered as the values of this segment are.
    pub(super) fn sortable(&self, local: u64) -> Key {
        match &self.column {
            FieldColumn::Strings(_) => Key::Unsigned(local),
            _ => self.decode_number(local),
        }
    }

    /// Turns keys of [`KeyReader::sortable`] into those that mean the same everywhere.
    pub(super) fn decode_sortable(&self, keys: &mut [&mut Key]) -> Result<(), Exception> {
        let FieldColumn::Strings(column) = &self.column else { return Ok(()) };
        let mut given: Vec<(&mut Key, u64)> = Vec::new();
        for key in keys {
            if let Key::Unsigned(local) = **key {
                given.push((key, local));
            }
        }
        let locals: Vec<u64> = given.iter().map(|(_, local)| *local).collect();
        let decoded = self.decode_strings(column, &locals)?;
        given.into_iter().zip(decoded).for_each(|((place, _), key)| *place = key);
        Ok(())
    }

    /// Tells what the keys of this segment mean everywhere.
    pub(super) fn decode(&self, locals: &[u64]) -> Result<Vec<Key>, Exception> {
        if let FieldColumn::Strings(column) = &self.column {
            return self.decode_strings(column, locals);
        }
        Ok(locals.iter().map(|local| self.decode_number(*local)).collect())
    }

    fn decode_number(&self, local: u64) -> Key {
        if let Some(missing) = &self.missing
            && local == self.missing_local()
        {
            return missing.clone();
        }
        let integer = local.wrapping_add(self.base as u64) as i64;
        match (&self.shape, &self.column) {
            (Shape::Value, FieldColumn::Float(_)) => match self.kind {
                KeyType::Float => Key::Float(local),
                kind => Key::integer(float_value(local) as i64, kind),
            },
            (Shape::Value, FieldColumn::Unsigned(_)) => match self.kind {
                KeyType::Unsigned => Key::Unsigned(local),
                KeyType::Float => Key::float(local as f64),
                _ => Key::Integer(i64::try_from(local).unwrap_or(i64::MAX)),
            },
            (Shape::Value, _) => Key::integer(integer, self.kind),
            (Shape::Time(rounding), FieldColumn::Integer { .. }) => match rounding.even() {
                Some((width, shift)) => {
                    Key::Integer(integer.wrapping_mul(width).wrapping_add(shift))
                }
                None => Key::Integer(integer),
            },
            (Shape::Time(_), _) => Key::Integer(local as i64),
            (Shape::Stretches(starts), _) => {
                Key::Integer(starts[(local as usize).min(starts.len() - 1)])
            }
            (Shape::Number { interval, offset }, _) => {
                Key::float(local as i64 as f64 * interval + offset)
            }
        }
    }

    fn decode_strings(
        &self,
        column: &tantivy::columnar::StrColumn,
        locals: &[u64],
    ) -> Result<Vec<Key>, Exception> {
        let terms = column.num_terms() as u64;
        let mut order: Vec<usize> = (0..locals.len()).filter(|at| locals[*at] < terms).collect();
        order.sort_unstable_by_key(|at| locals[*at]);
        let ordinals: Vec<u64> = order.iter().map(|at| locals[*at]).collect();
        let missing = self.missing.clone().unwrap_or(Key::Null);
        let mut keys = vec![missing; locals.len()];
        let mut places = order.into_iter();
        let read = column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
            if let Some(place) = places.next() {
                keys[place] = Key::Text(String::from_utf8_lossy(term).into());
            }
        });
        read.map_err(|error| failed(error.into()))?;
        Ok(keys)
    }

    /// Returns every key that the column holds, whatever is asked for; not more than `most`.
    pub(super) fn all(&self, most: usize) -> Result<Vec<Key>, Exception> {
        let locals: Vec<u64> = match &self.column {
            FieldColumn::Empty => Vec::new(),
            FieldColumn::Strings(column) => (0..column.num_terms().min(most) as u64).collect(),
            FieldColumn::Integer { column, divisor } => {
                let values = column.values.iter();
                distinct(
                    values.map(|it| it.div_euclid(*divisor).wrapping_sub(self.base) as u64),
                    most,
                )
            }
            FieldColumn::Unsigned(column) => distinct(column.values.iter(), most),
            FieldColumn::Float(column) => {
                distinct(column.values.iter().map(|value| float_order(value + 0.0)), most)
            }
            FieldColumn::Boolean(column) => distinct(column.values.iter().map(u64::from), most),
        };
        self.decode(&locals)
    }
}

fn distinct(values: impl Iterator<Item = u64>, most: usize) -> Vec<u64> {
    let mut seen = rustc_hash::FxHashSet::default();
    for value in values {
        seen.insert(value);
        if seen.len() >= most {
            break;
        }
    }
    seen.into_iter().collect()
}

fn stretch_of(starts: &[i64], instant_ms: i64) -> u64 {
    starts.partition_point(|start| *start <= instant_ms).saturating_sub(1) as u64
}

fn convert_integers(
    integers: &Pairs<i64>,
    keys: &mut Pairs<u64>,
    shape: &Shape,
    base: i64,
    cache: &mut RoundingCache,
) {
    match shape {
        Shape::Value => convert(integers, keys, |value| value.wrapping_sub(base) as u64),
        Shape::Number { interval, offset } => convert(integers, keys, |value| {
            ((value as f64 - offset) / interval).floor() as i64 as u64
        }),
        Shape::Stretches(starts) => convert(integers, keys, |value| stretch_of(starts, value)),
        Shape::Time(rounding) => match rounding.even() {
            None => convert(integers, keys, |value| cache.round(rounding, value) as u64),
            Some((width, shift)) => {
                // Neighbours mostly lie in one bucket, which saves the division.
                let (mut from, mut number) = (i64::MAX, 0);
                convert(integers, keys, |value| {
                    let value = value.wrapping_sub(shift);
                    if value < from || value.wrapping_sub(from) >= width {
                        let bucket = value.div_euclid(width);
                        from = bucket.wrapping_mul(width);
                        number = bucket.wrapping_sub(base) as u64;
                    }
                    number
                });
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_order_and_value() {
        let values = [f64::NEG_INFINITY, -1e300, -1.5, -0.0, 1e-300, 2.5, 1e300];
        let keys: Vec<Key> = values.into_iter().map(Key::float).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys[2].as_f64(), Some(-1.5));
        assert_eq!(keys[5].as_f64(), Some(2.5));
        assert_eq!(Key::float(-0.0), Key::float(0.0));
    }
}
