//! Documents as tantivy takes them in and gives them back, without a tree of values in between.

use std::iter::{Map, once};
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use bytes::Bytes;
use pampero_opensearch::mapping::{FieldValue, ParsedDocument};
use tantivy::schema::Field;
use tantivy::schema::document::{
    DeserializeError, Document, DocumentDeserialize, DocumentDeserializer, ReferenceValue,
    ReferenceValueLeaf, Value, ValueDeserialize, ValueDeserializer, ValueVisitor,
};

use super::in_flight::Ticket;
use crate::layout::Layout;

type PathValue = (Arc<str>, FieldValue);

/// A document on its way into tantivy.
#[derive(Debug)]
pub(crate) struct IndexedDocument {
    pub(crate) layout: Arc<Layout>,
    pub(crate) id: Arc<str>,
    pub(crate) routing: Option<Arc<str>>,
    pub(crate) version: u64,
    pub(crate) seq_no: u64,
    pub(crate) source: Bytes,
    pub(crate) fields: FieldGroups,
    /// Counts the bytes that wait for tantivy; `None` where nobody counts.
    pub(crate) ticket: Option<Ticket>,
}

/// The values of a document, those of one tantivy field beside each other.
#[derive(Debug, Default)]
pub(crate) struct FieldGroups {
    values: Vec<PathValue>,
    field_names: Vec<Arc<str>>,
    groups: Vec<(Field, Range<usize>)>,
}

impl FieldGroups {
    /// Groups what was parsed; values of one field stay in their order.
    pub(crate) fn new(layout: &Layout, parsed: ParsedDocument) -> Self {
        let ParsedDocument { mut values, field_names, .. } = parsed;
        values.sort_by_key(|(_, value)| field_of(layout, value));
        let mut groups: Vec<(Field, Range<usize>)> = Vec::with_capacity(4);
        for (at, (_, value)) in values.iter().enumerate() {
            let field = field_of(layout, value);
            match groups.last_mut() {
                Some((last, range)) if *last == field => range.end = at + 1,
                _ => groups.push((field, at..at + 1)),
            }
        }
        Self { values, field_names, groups }
    }
}

fn field_of(layout: &Layout, value: &FieldValue) -> Field {
    match value {
        FieldValue::Text(analyzer, _) => layout.text(*analyzer),
        FieldValue::Keyword(_) => layout.keywords,
        FieldValue::Long(_)
        | FieldValue::Unsigned(_)
        | FieldValue::Double(_)
        | FieldValue::Boolean(_) => layout.numbers,
    }
}

/// A value as tantivy looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DocumentValue<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(u64),
    Leaf(&'a FieldValue),
    Object(&'a [PathValue]),
}

impl<'a> Value<'a> for DocumentValue<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = Map<slice::Iter<'a, PathValue>, fn(&'a PathValue) -> (&'a str, Self)>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        let leaf = match *self {
            Self::Object(values) => {
                let entry: fn(&'a PathValue) -> (&'a str, Self) =
                    |(path, value)| (path, Self::Leaf(value));
                return ReferenceValue::Object(values.iter().map(entry));
            }
            Self::Text(text) => ReferenceValueLeaf::Str(text),
            Self::Bytes(bytes) => ReferenceValueLeaf::Bytes(bytes),
            Self::Number(number) => ReferenceValueLeaf::U64(number),
            Self::Leaf(FieldValue::Text(_, text) | FieldValue::Keyword(text)) => {
                ReferenceValueLeaf::Str(text)
            }
            Self::Leaf(FieldValue::Long(number)) => ReferenceValueLeaf::I64(*number),
            Self::Leaf(FieldValue::Unsigned(number)) => ReferenceValueLeaf::U64(*number),
            Self::Leaf(FieldValue::Double(number)) => ReferenceValueLeaf::F64(*number),
            Self::Leaf(FieldValue::Boolean(truth)) => ReferenceValueLeaf::Bool(*truth),
        };
        ReferenceValue::Leaf(leaf)
    }
}

impl Document for IndexedDocument {
    type Value<'a> = DocumentValue<'a>;
    type FieldsValuesIter<'a> = Box<dyn Iterator<Item = (Field, DocumentValue<'a>)> + 'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        let layout = &*self.layout;
        let routing = self.routing.iter();
        let names = self.fields.field_names.iter();
        let groups = self.fields.groups.iter();
        Box::new(
            once((layout.id, DocumentValue::Text(&self.id)))
                .chain(once((layout.source, DocumentValue::Bytes(&self.source))))
                .chain(routing.map(|routing| (layout.routing, DocumentValue::Text(routing))))
                .chain(once((layout.seq_no, DocumentValue::Number(self.seq_no))))
                .chain(once((layout.version, DocumentValue::Number(self.version))))
                .chain(names.map(|name| (layout.field_names, DocumentValue::Text(name))))
                .chain(groups.map(|(field, range)| {
                    (*field, DocumentValue::Object(&self.fields.values[range.clone()]))
                })),
        )
    }
}

/// What the document store keeps of a document; `searcher.doc::<StoredDocument>(address)` reads it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredDocument {
    /// `_id`.
    pub id: String,
    /// The document as it was given.
    pub source: Bytes,
    /// `_routing`.
    pub routing: Option<String>,
}

impl DocumentDeserialize for StoredDocument {
    fn deserialize<'de, D>(mut deserializer: D) -> Result<Self, DeserializeError>
    where
        D: DocumentDeserializer<'de>,
    {
        let mut document = Self::default();
        let mut id = None;
        // The id comes before the routing; they are the only texts.
        while let Some((_, value)) = deserializer.next_field::<StoredValue>()? {
            match value {
                StoredValue::Bytes(source) => document.source = source.into(),
                StoredValue::Text(text) if id.is_none() => id = Some(text),
                StoredValue::Text(text) => document.routing = Some(text),
            }
        }
        document.id = id.ok_or_else(|| DeserializeError::custom("a document without an id"))?;
        Ok(document)
    }
}

enum StoredValue {
    Text(String),
    Bytes(Vec<u8>),
}

impl ValueDeserialize for StoredValue {
    fn deserialize<'de, D>(deserializer: D) -> Result<Self, DeserializeError>
    where
        D: ValueDeserializer<'de>,
    {
        deserializer.deserialize_any(StoredVisitor)
    }
}

struct StoredVisitor;

impl ValueVisitor for StoredVisitor {
    type Value = StoredValue;

    fn visit_string(&self, text: String) -> Result<StoredValue, DeserializeError> {
        Ok(StoredValue::Text(text))
    }

    fn visit_bytes(&self, bytes: Vec<u8>) -> Result<StoredValue, DeserializeError> {
        Ok(StoredValue::Bytes(bytes))
    }
}
