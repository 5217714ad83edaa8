//! The order of hits: sort keys fitted to the fields of all indices, and positions in that order.
//!
//! What a key compares is brought to a *rank*, a `u64` of which the lowest comes first whatever the
//! direction. Ranks of numbers mean the same in every index, those of strings only inside a segment;
//! between segments strings are compared as such.

use std::cmp::Ordering;
use std::sync::Arc;

use pampero_opensearch::date::DateFormat;
use pampero_opensearch::search::{
    FieldSort, MissingValue, NumericType, SortKey, SortMode, SortTarget,
};
use pampero_opensearch::{Exception, ExceptionKind, Field, FieldKind, Mapping};
use serde_json::Value;

use super::values::{Number, NumberKind};
use crate::layout::Layout;

/// What all keys together make: the order of the hits.
#[derive(Debug)]
pub(super) struct Order {
    /// Empty when the order is that of the scores.
    pub(super) keys: Vec<Key>,
}

/// One sort key, the same for all indices.
#[derive(Debug)]
pub(super) struct Key {
    /// What is compared.
    pub(super) kind: KeyKind,
    /// The field, or what stands for it; for words.
    pub(super) path: String,
    /// Whether the highest comes first.
    pub(super) descending: bool,
    /// Where documents without a value go.
    pub(super) missing: MissingValue,
    /// Which of several values counts.
    pub(super) mode: SortMode,
    /// How dates are written in the answer, if not as numbers.
    pub(super) format: Option<DateFormat>,
}

/// What a key compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyKind {
    /// The score.
    Score,
    /// The place in the index.
    Document,
    /// A column of numbers.
    Number(NumberKind),
    /// A column of strings.
    Text,
    /// A column of addresses.
    Address,
    /// The ids.
    Id,
    /// A field that no index has.
    Unmapped,
}

/// Where a document lies: which of the indices, which of its segments, which document there.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Address {
    /// The place of the index in the search.
    pub(super) index: u32,
    /// The segment.
    pub(super) segment: u32,
    /// The document.
    pub(super) document: u32,
}

/// A document and what it is ordered by.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// One for each key; the rank of the score alone without keys.
    pub(super) ranks: Vec<Rank>,
    /// The score; 0 when none was worked out.
    pub(super) score: f32,
    /// Where it lies.
    pub(super) address: Address,
    /// The value that its group has in common; `None` without groups.
    pub(super) group: Option<Rank>,
}

/// What a position is ordered by, for one key.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Rank {
    /// The lowest first, direction and missing values included.
    Number(u64),
    /// A string, or the lack of one.
    Text(TextRank),
}

/// A string, or the lack of one.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum TextRank {
    /// No value, before all others.
    MissingFirst,
    /// A value.
    Value(Arc<str>),
    /// No value, behind all others.
    MissingLast,
}

/// From where on positions count: all that come later in the order.
#[derive(Clone, Debug)]
pub(super) struct After {
    /// One for each key.
    pub(super) ranks: Vec<Rank>,
    /// Decides among equal ranks; without it all of them are left out.
    pub(super) address: Option<Address>,
}

/// Returns the rank of a score: the highest first unless `ascending`.
pub(super) fn score_rank(score: f32, ascending: bool) -> u64 {
    let rank = tantivy::f64_to_u64(f64::from(score));
    if ascending { rank } else { !rank }
}

impl Address {
    /// Returns the rank in the order of documents.
    pub(super) fn rank(self) -> u64 {
        (u64::from(self.index) << 48) | (u64::from(self.segment) << 32) | u64::from(self.document)
    }
}

impl Order {
    /// Tells whether scores have to be worked out.
    pub(super) fn needs_scores(&self) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|key| key.kind == KeyKind::Score)
    }

    /// Tells whether the best score comes first.
    pub(super) fn starts_with_score(&self) -> bool {
        self.keys.first().is_none_or(|key| key.kind == KeyKind::Score && key.descending)
    }

    /// Tells whether the first key is the place in the index, ascending.
    pub(super) fn is_by_document(&self) -> bool {
        self.keys.first().is_some_and(|key| key.kind == KeyKind::Document && !key.descending)
    }

    /// Tells whether first ranks can be compared between segments.
    pub(super) fn has_global_rank(&self) -> bool {
        self.keys.first().is_some_and(|key| matches!(key.kind, KeyKind::Number(_)))
    }

    /// Compares two positions.
    pub(super) fn compare(&self, one: &Position, other: &Position) -> Ordering {
        self.compare_ranks(&one.ranks, &other.ranks).then_with(|| one.address.cmp(&other.address))
    }

    fn compare_ranks(&self, one: &[Rank], other: &[Rank]) -> Ordering {
        one.iter()
            .zip(other)
            .enumerate()
            .map(|(at, pair)| match pair {
                (Rank::Number(one), Rank::Number(other)) => one.cmp(other),
                (Rank::Text(one), Rank::Text(other)) => {
                    one.compare(other, self.keys[at].descending)
                }
                (Rank::Number(_), Rank::Text(_)) => Ordering::Less,
                (Rank::Text(_), Rank::Number(_)) => Ordering::Greater,
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Reads `search_after`.
    ///
    /// # Errors
    /// The number of values is not that of keys, or a value does not fit its key.
    pub(super) fn read_after(&self, values: &[Value]) -> Result<After, Exception> {
        if self.keys.is_empty() {
            return Err(Exception::illegal_argument("Sort must contain at least one field."));
        }
        if values.len() != self.keys.len() {
            return Err(Exception::illegal_argument(format!(
                "search_after has {} value(s) but sort has {}.",
                values.len(),
                self.keys.len()
            )));
        }
        let ranks: Result<_, _> =
            self.keys.iter().zip(values).map(|(key, value)| key.read_rank(value)).collect();
        Ok(After { ranks: ranks?, address: None })
    }

    /// Writes the `sort` of a hit.
    pub(super) fn write(&self, position: &Position) -> Value {
        self.keys.iter().zip(&position.ranks).map(|(key, rank)| key.write(rank, position)).collect()
    }
}

impl TextRank {
    /// Compares in the direction of a key.
    pub(super) fn compare(&self, other: &Self, descending: bool) -> Ordering {
        match (self, other) {
            (Self::Value(one), Self::Value(other)) if descending => other.cmp(one),
            _ => self.cmp(other),
        }
    }

    fn missing(missing: &MissingValue) -> Self {
        match missing {
            MissingValue::Last => Self::MissingLast,
            MissingValue::First => Self::MissingFirst,
            MissingValue::Value(Value::String(text)) => Self::Value(text.as_str().into()),
            MissingValue::Value(other) => Self::Value(other.to_string().into()),
        }
    }
}

impl Key {
    /// Returns the rank of a number, in the monotonic form of its kind.
    pub(super) fn number_rank(&self, number: u64) -> u64 {
        if self.descending { !number } else { number }
    }

    /// Returns the rank of a document without a value.
    ///
    /// # Errors
    /// The value that stands for it does not fit the field.
    pub(super) fn missing_rank(&self) -> Result<Rank, Exception> {
        if matches!(self.kind, KeyKind::Text | KeyKind::Address | KeyKind::Id) {
            return Ok(Rank::Text(TextRank::missing(&self.missing)));
        }
        match (&self.missing, self.kind) {
            (MissingValue::First, _) => Ok(Rank::Number(u64::MIN)),
            (MissingValue::Value(value), KeyKind::Number(kind)) => {
                let number = kind.read(value, self.format.as_ref()).ok_or_else(|| {
                    Exception::illegal_argument(format!(
                        "Failed to parse missing value [{value}] of sort field [{}]",
                        self.path
                    ))
                })?;
                Ok(Rank::Number(self.number_rank(number)))
            }
            (MissingValue::Last | MissingValue::Value(_), _) => Ok(Rank::Number(u64::MAX)),
        }
    }

    fn read_rank(&self, value: &Value) -> Result<Rank, Exception> {
        let wrong = || {
            let reason = format!("Failed to parse search_after value for field [{}].", self.path);
            Exception::illegal_argument(reason)
        };
        if value.is_null() && !matches!(self.kind, KeyKind::Score | KeyKind::Document) {
            return self.missing_rank();
        }
        match self.kind {
            KeyKind::Score => {
                let score = match value {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_f64(),
                };
                #[expect(clippy::cast_possible_truncation, reason = "scores are 32 bits wide")]
                let score = score.ok_or_else(wrong)? as f32;
                Ok(Rank::Number(score_rank(score, !self.descending)))
            }
            KeyKind::Document => {
                let rank = value.as_u64().ok_or_else(wrong)?;
                Ok(Rank::Number(self.number_rank(rank)))
            }
            KeyKind::Number(kind) => {
                let number = kind.read(value, self.format.as_ref()).ok_or_else(wrong)?;
                Ok(Rank::Number(self.number_rank(number)))
            }
            KeyKind::Address => {
                let text = value.as_str().ok_or_else(wrong)?;
                let digits = super::values::address_digits(text).ok_or_else(wrong)?;
                Ok(Rank::Text(TextRank::Value(digits.into())))
            }
            KeyKind::Text | KeyKind::Id => {
                let text = value.as_str().ok_or_else(wrong)?;
                Ok(Rank::Text(TextRank::Value(text.into())))
            }
            KeyKind::Unmapped => self.missing_rank(),
        }
    }

    fn write(&self, rank: &Rank, position: &Position) -> Value {
        match (self.kind, rank) {
            (KeyKind::Score, _) => Number::from_f32(position.score),
            (KeyKind::Document, _) => Value::from(position.address.rank()),
            (KeyKind::Number(kind), Rank::Number(rank)) => {
                let missing = match self.missing {
                    MissingValue::Value(_) => false,
                    _ => *rank == u64::MAX || *rank == u64::MIN,
                };
                let number = if self.descending { !*rank } else { *rank };
                match (&self.format, missing) {
                    (Some(_), true) => Value::Null,
                    (format, missing) => kind.write(number, missing, format.as_ref()),
                }
            }
            (KeyKind::Address, Rank::Text(TextRank::Value(digits))) => {
                Value::from(super::values::address_text(digits))
            }
            (_, Rank::Text(TextRank::Value(text))) => Value::from(&**text),
            (_, Rank::Text(_)) => Value::Null,
            (_, Rank::Number(rank)) => NumberKind::Long.write(*rank, true, None),
        }
    }
}

/// What a sort key is in one index.
///
/// # Errors
/// The field is not mapped, is text, or its type does not go with the options.
pub(super) fn key_kind(key: &SortKey, mapping: &Mapping) -> Result<KeyKind, Exception> {
    match &key.target {
        SortTarget::Score => Ok(KeyKind::Score),
        SortTarget::Document | SortTarget::ShardDocument => Ok(KeyKind::Document),
        SortTarget::Field(field) => field_kind(field, mapping),
    }
}

fn field_kind(sort: &FieldSort, mapping: &Mapping) -> Result<KeyKind, Exception> {
    let kind = match (sort.path.as_str(), mapping.field(&sort.path)) {
        ("_id", _) => KeyKind::Id,
        (Layout::SEQ_NO | Layout::VERSION, _) => KeyKind::Number(NumberKind::Unsigned),
        ("_index", _) => return Err(Exception::unsupported("sort on [_index]")),
        (_, Some(field)) => column_kind(field)?,
        (_, None) => unmapped_kind(sort)?,
    };
    let textual = matches!(kind, KeyKind::Text | KeyKind::Address | KeyKind::Id);
    if textual && matches!(sort.mode, Some(SortMode::Avg | SortMode::Sum | SortMode::Median)) {
        let reason = "we only support AVG, MEDIAN and SUM on number based fields";
        return Err(query_shard(reason));
    }
    match (sort.numeric_type, kind) {
        (None, kind) | (_, kind @ KeyKind::Unmapped) => Ok(kind),
        (Some(numeric), KeyKind::Number(_)) => Ok(KeyKind::Number(match numeric {
            NumericType::Long => NumberKind::Long,
            NumericType::Double => NumberKind::Double,
            NumericType::Date => NumberKind::Millis,
            NumericType::DateNanos => NumberKind::Nanos,
        })),
        (Some(_), _) => {
            let reason = format!(
                "[numeric_type] option cannot be set on a non-numeric field, got [{}]",
                sort.path
            );
            Err(query_shard(&reason))
        }
    }
}

fn query_shard(reason: &str) -> Exception {
    Exception::new(ExceptionKind::QueryShard, reason)
}

/// Returns what the columns of a field hold.
///
/// # Errors
/// It is text, or it was mapped without columns.
pub(super) fn column_kind(field: &Field) -> Result<KeyKind, Exception> {
    let kind = match &field.kind {
        FieldKind::Text { .. } => {
            return Err(Exception::illegal_argument(format!(
                "Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [{}] in order to load field data by uninverting the inverted index. Note that this can use significant memory.",
                field.path
            )));
        }
        FieldKind::Keyword { .. } => KeyKind::Text,
        FieldKind::Ip => KeyKind::Address,
        // Booleans sort as 0 and 1 between the lowest and the highest number, which stand for none.
        FieldKind::Boolean => KeyKind::Number(NumberKind::Long),
        other => KeyKind::Number(
            NumberKind::of(other).expect("all that is neither text nor an address is a number"),
        ),
    };
    if !field.doc_values {
        return Err(Exception::illegal_argument(format!(
            "Can't load fielddata on [{}] because fielddata is unsupported on fields without doc values",
            field.path
        )));
    }
    Ok(kind)
}

fn unmapped_kind(sort: &FieldSort) -> Result<KeyKind, Exception> {
    let Some(name) = &sort.unmapped_type else {
        let reason = format!("No mapping found for [{}] in order to sort on", sort.path);
        return Err(query_shard(&reason));
    };
    match name.as_str() {
        "long" | "integer" | "short" | "byte" | "unsigned_long" | "double" | "float"
        | "half_float" | "scaled_float" | "boolean" | "date" | "date_nanos" | "keyword" | "ip"
        | "wildcard" | "constant_keyword" | "flat_object" => Ok(KeyKind::Unmapped),
        _ => Err(Exception::illegal_argument(format!("No mapper found for type [{name}]"))),
    }
}

/// Finds the kind that holds the values of two indices.
///
/// # Errors
/// One has strings and the other numbers.
pub(super) fn unify(path: &str, one: KeyKind, other: KeyKind) -> Result<KeyKind, Exception> {
    match (one, other) {
        (one, other) if one == other => Ok(one),
        (KeyKind::Unmapped, kind) | (kind, KeyKind::Unmapped) => Ok(kind),
        (KeyKind::Number(one), KeyKind::Number(other)) => Ok(KeyKind::Number(one.wider(other))),
        _ => Err(Exception::illegal_argument(format!(
            "Can't sort on field [{path}]; the field has incompatible sort types: [{}] and [{}] across shards!",
            one.sort_type(),
            other.sort_type()
        ))),
    }
}

impl KeyKind {
    fn sort_type(self) -> &'static str {
        match self {
            Self::Number(NumberKind::Double) => "DOUBLE",
            Self::Text | Self::Address | Self::Id => "STRING",
            _ => "LONG",
        }
    }
}
