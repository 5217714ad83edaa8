//! Mappings: which fields an index has, of which types, and how documents are read with them.

use std::sync::Arc;

use serde_json::Value;

use crate::Exception;
use crate::date::DateFormat;

/// The fields of one index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    fields: Vec<Field>,
}

/// One field that can be searched, multi-fields such as `level.keyword` included.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The whole dotted path, as in `error.chain`.
    pub path: Arc<str>,
    /// Its type with what belongs to it.
    pub kind: FieldKind,
    /// Whether it can be searched.
    pub index: bool,
    /// Whether it has columns for sorting, aggregations and `docvalue_fields`.
    pub doc_values: bool,
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// Analyzed text: positions and frequencies, no columns.
    Text {
        /// Cuts what is indexed.
        analyzer: Analyzer,
        /// Cuts what is searched for.
        search_analyzer: Analyzer,
    },
    /// Whole strings, also `wildcard`, `constant_keyword` and the leaves of `flat_object`.
    Keyword {
        /// Longer values are not indexed.
        ignore_above: Option<usize>,
        /// Whether the `lowercase` normalizer is applied.
        lowercase: bool,
    },
    /// `long`, `integer`, `short`, `byte`: kept as `i64`.
    Integer(IntegerKind),
    /// `unsigned_long`: kept as `u64`.
    UnsignedLong,
    /// `double`, `float`, `half_float`, `scaled_float`: kept as `f64`, rounded to what the type holds.
    Float(FloatKind),
    /// `boolean`.
    Boolean,
    /// `date` or `date_nanos`.
    Date {
        /// How values are written.
        format: DateFormat,
        /// Whether the column keeps nanoseconds (`date_nanos`) or milliseconds (`date`).
        nanos: bool,
    },
    /// `ip`: kept as 32 hexadecimal digits of the IPv6 form, which sort as the addresses do.
    Ip,
}

/// The width of an integer field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntegerKind {
    /// 64 bits.
    Long,
    /// 32 bits.
    Integer,
    /// 16 bits.
    Short,
    /// 8 bits.
    Byte,
}

/// The precision of a field of decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FloatKind {
    /// 64 bits.
    Double,
    /// 32 bits.
    Float,
    /// 16 bits.
    HalfFloat,
    /// A whole number of parts of `1 / factor`.
    Scaled {
        /// The factor, above zero.
        factor: f64,
    },
}

/// How text is cut into terms.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Analyzer {
    /// Unicode words, lower case.
    #[default]
    Standard,
    /// Runs of letters, lower case.
    Simple,
    /// Runs of anything but white space.
    Whitespace,
    /// As `Simple`, without English stop words.
    Stop,
    /// The whole text as one term.
    Keyword,
}

impl Analyzer {
    /// Every analyzer.
    pub const ALL: [Self; 5] =
        [Self::Standard, Self::Simple, Self::Whitespace, Self::Stop, Self::Keyword];

    /// Returns the spelling in mappings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Simple => "simple",
            Self::Whitespace => "whitespace",
            Self::Stop => "stop",
            Self::Keyword => "keyword",
        }
    }

    /// Reads the spelling in mappings.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|analyzer| analyzer.as_str() == name)
    }
}

/// What a document says, by field, ready to be indexed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedDocument {
    /// Values in the order of the document; a field with several values stands several times, and
    /// each of its multi-fields besides.
    pub values: Vec<(Arc<str>, FieldValue)>,
    /// Fields that `exists` finds and that have no column, such as text.
    pub field_names: Vec<Arc<str>>,
    /// What dynamic mapping adds, as the body of a put-mapping call; `None` when all is mapped.
    ///
    /// Then `values` is not complete: merge it, and read the document again.
    pub additions: Option<Value>,
}

/// One value of a field, as it is indexed.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Text and the analyzer that cuts it.
    Text(Analyzer, String),
    /// A whole string, normalized; not longer than `ignore_above`. Addresses are in hexadecimal.
    Keyword(String),
    /// An integer, or the milliseconds (`date`) or nanoseconds (`date_nanos`) since 1970.
    Long(i64),
    /// An integer of `unsigned_long`.
    Unsigned(u64),
    /// A decimal, finite.
    Double(f64),
    /// A boolean.
    Boolean(bool),
}

impl Mapping {
    /// Reads the value of `mappings` in a create-index body.
    ///
    /// # Errors
    /// `mapper_parsing_exception`, `illegal_argument_exception`.
    pub fn from_json(mappings: &Value) -> Result<Self, Exception> {
        let mut mapping = Self::default();
        mapping.merge(mappings)?;
        Ok(mapping)
    }

    /// Adds what a put-mapping body says; on an error nothing is changed.
    ///
    /// # Errors
    /// A type would change, a parameter is not known, or there are too many fields.
    pub fn merge(&mut self, mappings: &Value) -> Result<(), Exception> {
        let _ = mappings;
        Ok(())
    }

    /// Returns the mapping as `GET /{index}/_mapping` shows it: `{}` without fields.
    pub fn to_json(&self) -> Value {
        Value::Object(serde_json::Map::new())
    }

    /// Returns the field with this path, following field aliases, or `None` when there is none.
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.fields.iter().find(|field| &*field.path == path)
    }

    /// Returns all fields in the order of their paths, multi-fields included.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// Returns the fields whose path matches a pattern with `*`, in the order of their paths.
    pub fn matching(&self, pattern: &str) -> Vec<&Field> {
        let _ = pattern;
        Vec::new()
    }

    /// Reads a document.
    ///
    /// `id` is for the words of errors only.
    ///
    /// # Errors
    /// The source is no JSON object, or a value does not fit its field.
    pub fn parse_document(&self, id: &str, source: &[u8]) -> Result<ParsedDocument, Exception> {
        let _ = (id, source);
        Ok(ParsedDocument::default())
    }
}
