//! Sort keys read from the columns of one segment, as ranks.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use pampero_opensearch::search::SortMode;
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use tantivy::columnar::{Cardinality, Column, DynamicColumn, NumericalType, StrColumn, TermOrdHit};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

use super::failed;
use super::order::{Address, Key, KeyKind, Rank, TextRank, score_rank};
use super::values::NumberKind;
use crate::layout::Layout;

/// Most documents of a segment that can be sorted by their ids: four bytes are held for each.
const IDS_MAX: u32 = 20_000_000;

/// The rank of every document of a segment without a column of strings; some stand before it, some behind.
const TEXT_CONSTANT: u64 = 1;

/// One sort key in one segment.
pub(super) enum SegmentKey {
    /// The score.
    Score {
        /// The lowest first.
        ascending: bool,
    },
    /// The place in the index.
    Document {
        /// Rank of the segment's first document.
        base: u64,
        /// Inverts the order.
        flip: u64,
    },
    /// The same for all documents: there is no column.
    Constant(Rank),
    /// Numbers.
    Number(NumberKey),
    /// Strings, by their place in the segment's dictionary.
    Text(TextKey),
    /// Ids, by their place in the segment's dictionary.
    Id(IdKey),
}

/// Numbers of a segment.
pub(super) struct NumberKey {
    column: Column<u64>,
    single: bool,
    stored: NumberKind,
    wanted: NumberKind,
    mode: SortMode,
    flip: u64,
    missing: u64,
}

/// Strings of a segment.
pub(super) struct TextKey {
    strings: StrColumn,
    highest: bool,
    flip: u64,
    missing: u64,
    missing_value: TextRank,
}

/// Ids of a segment.
pub(super) struct IdKey {
    ordinals: Vec<u32>,
    flip: u64,
    index: Arc<InvertedIndexReader>,
}

impl SegmentKey {
    /// Opens the columns of a key.
    ///
    /// # Errors
    /// They cannot be read, or the segment has too many ids to sort by.
    pub(super) fn open(
        key: &Key,
        mapping: &Mapping,
        layout: &Layout,
        reader: &SegmentReader,
        first: Address,
    ) -> Result<Self, Exception> {
        let flip = if key.descending { u64::MAX } else { 0 };
        let opened = match key.kind {
            KeyKind::Score => Some(Self::Score { ascending: !key.descending }),
            KeyKind::Document => Some(Self::Document { base: first.rank(), flip }),
            KeyKind::Unmapped => None,
            KeyKind::Id => Some(Self::Id(IdKey::open(layout, reader, flip)?)),
            KeyKind::Text | KeyKind::Address => match mapping.field(&key.path) {
                Some(field) => TextKey::open(key, &field.path, reader)?.map(Self::Text),
                None => None,
            },
            KeyKind::Number(wanted) => {
                NumberKey::open(key, wanted, mapping, reader)?.map(Self::Number)
            }
        };
        opened.map_or_else(|| key.missing_rank().map(Self::Constant), Ok)
    }

    /// Returns the rank of a document inside this segment.
    pub(super) fn rank(&self, document: DocId, score: f32) -> u64 {
        match self {
            Self::Score { ascending } => score_rank(score, *ascending),
            Self::Document { base, flip } => (base + u64::from(document)) ^ flip,
            Self::Constant(Rank::Number(rank)) => *rank,
            Self::Constant(Rank::Text(_)) => TEXT_CONSTANT,
            Self::Number(key) => key.rank(document),
            Self::Text(key) => key.rank(document),
            Self::Id(key) => string_rank(key.ordinals[document as usize].into(), key.flip),
        }
    }

    /// Returns the ranks of a block of documents without scores.
    pub(super) fn ranks(&self, documents: &[DocId], ranks: &mut Vec<u64>) {
        ranks.clear();
        match self {
            Self::Number(key)
                if key.single && key.column.get_cardinality() == Cardinality::Full =>
            {
                ranks.resize(documents.len(), 0);
                key.column.values.get_vals(documents, ranks);
                for rank in ranks {
                    *rank = key.stored.convert(*rank, key.wanted) ^ key.flip;
                }
            }
            _ => ranks.extend(documents.iter().map(|document| self.rank(*document, 0.0))),
        }
    }

    /// Returns a rank below which no document of the segment has one.
    pub(super) fn best(&self) -> u64 {
        match self {
            Self::Number(key) => key.best(),
            Self::Constant(Rank::Number(rank)) => *rank,
            _ => u64::MIN,
        }
    }

    /// Makes of a rank in this segment one that means the same in all.
    ///
    /// # Errors
    /// The dictionary cannot be read.
    pub(super) fn globalize(&self, rank: u64) -> Result<Rank, Exception> {
        match self {
            Self::Text(key) => key.text(rank).map(Rank::Text),
            Self::Id(key) => key.text(rank).map(Rank::Text),
            Self::Constant(rank) => Ok(rank.clone()),
            _ => Ok(Rank::Number(rank)),
        }
    }

    /// Makes of a rank that means the same in all segments one in this segment.
    ///
    /// # Errors
    /// The dictionary cannot be read.
    pub(super) fn localize(&self, rank: &Rank, descending: bool) -> Result<u64, Exception> {
        match (self, rank) {
            (Self::Text(key), Rank::Text(text)) => key.local(text),
            (Self::Id(key), Rank::Text(text)) => key.local(text),
            (Self::Constant(Rank::Text(own)), Rank::Text(text)) => {
                Ok(match text.compare(own, descending) {
                    Ordering::Less => TEXT_CONSTANT - 1,
                    Ordering::Equal => TEXT_CONSTANT,
                    Ordering::Greater => TEXT_CONSTANT + 1,
                })
            }
            (_, Rank::Number(rank)) => Ok(*rank),
            (_, Rank::Text(_)) => Ok(u64::MAX),
        }
    }
}

impl NumberKey {
    fn open(
        key: &Key,
        wanted: NumberKind,
        mapping: &Mapping,
        reader: &SegmentReader,
    ) -> Result<Option<Self>, Exception> {
        let (name, stored) = match (key.path.as_str(), mapping.field(&key.path)) {
            (name @ (Layout::SEQ_NO | Layout::VERSION), _) => {
                (name.to_owned(), NumberKind::Unsigned)
            }
            (_, Some(field)) => match NumberKind::of(&field.kind) {
                Some(stored) => (format!("{}.{}", Layout::NUMBERS, field.path), stored),
                None => return Ok(None),
            },
            (_, None) => return Ok(None),
        };
        let Some(column) = open_numbers(reader, &name, stored)? else {
            return Ok(None);
        };
        let Rank::Number(missing) = key.missing_rank()? else {
            return Ok(None);
        };
        let single = column.get_cardinality() != Cardinality::Multivalued;
        let flip = if key.descending { u64::MAX } else { 0 };
        Ok(Some(Self { column, single, stored, wanted, mode: key.mode, flip, missing }))
    }

    /// Returns the rank of a document.
    pub(super) fn rank(&self, document: DocId) -> u64 {
        let number = if self.single {
            self.column.first(document)
        } else {
            pick(self.mode, self.stored, self.column.values_for_doc(document))
        };
        number.map_or(self.missing, |it| self.stored.convert(it, self.wanted) ^ self.flip)
    }

    /// Returns the documents of a stretch whose ranks are at most `bound`, by a scan of the column;
    /// `None` where the column does not tell.
    pub(super) fn within(&self, stretch: Range<DocId>, bound: u64) -> Option<Vec<DocId>> {
        let is_plain = self.single && self.stored == self.wanted;
        if !is_plain || self.missing <= bound {
            return None;
        }
        let numbers = if self.flip == 0 { 0..=bound } else { !bound..=u64::MAX };
        let mut documents = Vec::new();
        self.column.get_docids_for_value_range(numbers, stretch, &mut documents);
        Some(documents)
    }

    fn best(&self) -> u64 {
        if self.mode == SortMode::Sum && !self.single {
            return u64::MIN;
        }
        let edge = if self.flip == 0 { self.column.min_value() } else { self.column.max_value() };
        let best = self.stored.convert(edge, self.wanted) ^ self.flip;
        match self.column.get_cardinality() {
            Cardinality::Full => best,
            _ => best.min(self.missing),
        }
    }
}

/// Picks or works out the one number that stands for several, in monotonic form.
fn pick(mode: SortMode, kind: NumberKind, numbers: impl Iterator<Item = u64>) -> Option<u64> {
    match mode {
        SortMode::Min => numbers.min(),
        SortMode::Max => numbers.max(),
        SortMode::Avg | SortMode::Sum | SortMode::Median => {
            let mut numbers: Vec<u64> = numbers.collect();
            if numbers.is_empty() {
                return None;
            }
            numbers.sort_unstable();
            let count = numbers.len();
            let decimals = || numbers.iter().map(|number| kind.to_f64(*number));
            #[expect(clippy::cast_precision_loss, reason = "no document has that many values")]
            let number = match mode {
                SortMode::Sum => decimals().sum(),
                SortMode::Avg => decimals().sum::<f64>() / count as f64,
                _ if count % 2 == 1 => return Some(numbers[count / 2]),
                _ => {
                    let (low, high) = (numbers[count / 2 - 1], numbers[count / 2]);
                    f64::midpoint(kind.to_f64(low), kind.to_f64(high))
                }
            };
            Some(kind.rounded(number))
        }
    }
}

/// Opens a column of numbers in the monotonic form of `kind`; `None` when the segment has none.
///
/// Tantivy keeps the numbers of a path in the narrowest type that holds all of a segment.
///
/// # Errors
/// The column cannot be read.
pub(super) fn open_numbers(
    reader: &SegmentReader,
    name: &str,
    kind: NumberKind,
) -> Result<Option<Column<u64>>, Exception> {
    let target = match kind {
        NumberKind::Boolean => None,
        NumberKind::Double => Some(NumericalType::F64),
        NumberKind::Unsigned => Some(NumericalType::U64),
        NumberKind::Long | NumberKind::Millis | NumberKind::Nanos => Some(NumericalType::I64),
    };
    for handle in reader.fast_fields().dynamic_column_handles(name).map_err(failed)? {
        let stored = handle.column_type().numerical_type();
        if stored.is_some() && stored == target {
            return handle.open_u64_lenient().map_err(failed);
        }
        let column = match (handle.open().map_err(failed)?, target) {
            (DynamicColumn::Bool(column), None) => return Ok(Some(column.to_u64_monotonic())),
            (column, Some(target)) => column.coerce_numerical(target),
            (_, None) => None,
        };
        match column {
            Some(DynamicColumn::I64(column)) => return Ok(Some(column.to_u64_monotonic())),
            Some(DynamicColumn::U64(column)) => return Ok(Some(column)),
            Some(DynamicColumn::F64(column)) => return Ok(Some(column.to_u64_monotonic())),
            _ => {}
        }
    }
    Ok(None)
}

/// Strings take every second rank, so that there is one between any two for a string that no document
/// has, and one at each end for documents without any.
fn string_rank(ordinal: u64, flip: u64) -> u64 {
    (2 * (ordinal + 1)) ^ flip
}

/// Returns the ordinal of a rank; `None` for a rank between two strings or at an end.
fn string_ordinal(rank: u64, flip: u64) -> Option<u64> {
    let even = rank ^ flip;
    (even.is_multiple_of(2) && rank != u64::MIN && rank != u64::MAX).then(|| even / 2 - 1)
}

impl TextKey {
    fn open(key: &Key, path: &str, reader: &SegmentReader) -> Result<Option<Self>, Exception> {
        let name = format!("{}.{path}", Layout::KEYWORDS);
        let Some(strings) = reader.fast_fields().str(&name).map_err(failed)? else {
            return Ok(None);
        };
        let Rank::Text(missing_value) = key.missing_rank()? else {
            return Ok(None);
        };
        let flip = if key.descending { u64::MAX } else { 0 };
        let highest = key.mode == SortMode::Max;
        let mut opened = Self { strings, highest, flip, missing: 0, missing_value };
        opened.missing = opened.local(&opened.missing_value)?;
        Ok(Some(opened))
    }

    fn rank(&self, document: DocId) -> u64 {
        let mut ordinals = self.strings.term_ords(document);
        let ordinal = if self.highest { ordinals.max() } else { ordinals.by_ref().min() };
        ordinal.map_or(self.missing, |ordinal| string_rank(ordinal, self.flip))
    }

    fn text(&self, rank: u64) -> Result<TextRank, Exception> {
        let Some(ordinal) = string_ordinal(rank, self.flip) else {
            return Ok(self.missing_value.clone());
        };
        let mut text = String::new();
        self.strings.ord_to_str(ordinal, &mut text).map_err(failed)?;
        Ok(TextRank::Value(text.into()))
    }

    fn local(&self, text: &TextRank) -> Result<u64, Exception> {
        let text = match text {
            TextRank::MissingFirst => return Ok(u64::MIN),
            TextRank::MissingLast => return Ok(u64::MAX),
            TextRank::Value(text) => text,
        };
        let dictionary = self.strings.dictionary();
        Ok(match dictionary.term_ord_or_next(text.as_bytes()).map_err(failed)? {
            TermOrdHit::Exact(ordinal) => string_rank(ordinal, self.flip),
            TermOrdHit::Next(ordinal) => {
                let next = ordinal.min(dictionary.num_terms() as u64);
                (2 * (next + 1) - 1) ^ self.flip
            }
        })
    }
}

impl IdKey {
    fn open(layout: &Layout, reader: &SegmentReader, flip: u64) -> Result<Self, Exception> {
        if reader.max_doc() > IDS_MAX {
            let reason = format!(
                "sorting on [_id] over more than [{IDS_MAX}] documents of one segment would need too much memory"
            );
            return Err(Exception::new(ExceptionKind::CircuitBreaking, reason));
        }
        let index = reader.inverted_index(layout.id).map_err(failed)?;
        let mut ordinals = vec![0; reader.max_doc() as usize];
        let mut terms = index.terms().stream().map_err(failed)?;
        while terms.advance() {
            let ordinal = u32::try_from(terms.term_ord()).unwrap_or(u32::MAX);
            let mut documents = index
                .read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)
                .map_err(failed)?;
            while documents.doc() != TERMINATED {
                ordinals[documents.doc() as usize] = ordinal;
                documents.advance();
            }
        }
        Ok(Self { ordinals, flip, index })
    }

    fn text(&self, rank: u64) -> Result<TextRank, Exception> {
        let Some(ordinal) = string_ordinal(rank, self.flip) else {
            return Ok(TextRank::MissingLast);
        };
        let mut id = Vec::new();
        self.index.terms().ord_to_term(ordinal, &mut id).map_err(failed)?;
        Ok(TextRank::Value(String::from_utf8_lossy(&id).into()))
    }

    fn local(&self, text: &TextRank) -> Result<u64, Exception> {
        let text = match text {
            TextRank::MissingFirst => return Ok(u64::MIN),
            TextRank::MissingLast => return Ok(u64::MAX),
            TextRank::Value(text) => text,
        };
        let terms = self.index.terms();
        if let Some(ordinal) = terms.term_ord(text.as_bytes()).map_err(failed)? {
            return Ok(string_rank(ordinal, self.flip));
        }
        let mut later = terms.range().ge(text.as_bytes()).into_stream().map_err(failed)?;
        let next = if later.advance() { later.term_ord() } else { terms.num_terms() as u64 };
        Ok((2 * (next + 1) - 1) ^ self.flip)
    }
}
