//! Mappings: which fields an index has, of which types, and how documents are read with them.
//!
//! `definition` is a mapping as it is written (with `parameters` for what each type takes), `merge`
//! puts one on top of another, `reader` works it out for reading, `document` reads documents with it,
//! `value` brings values to the form in which they are kept, `dynamic` maps what is new.

mod definition;
mod document;
mod dynamic;
mod merge;
mod parameters;
mod reader;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::date::DateFormat;
use crate::{Exception, ExceptionKind};
use definition::{Definition, Root};
use reader::Compiled;
pub use value::{address, shown_address};

/// Most fields, objects, aliases and multi-fields, unless `index.mapping.total_fields.limit` says
/// otherwise.
pub const FIELDS_MAX: usize = 1000;
/// Most objects inside one another, the root included (`index.mapping.depth.limit`).
const DEPTH_MAX: usize = 20;
/// Most levels of a mapping's body that are read before its depth is judged.
const DEPTH_READ_MAX: usize = 40;
/// Most bytes of a field's name (`index.mapping.field_name_length.limit` bounds it further).
const NAME_MAX: usize = 4096;

/// The fields of one index.
///
/// A clone is as costly as the mapping is large in what was written; what was worked out is shared.
#[derive(Clone, Debug)]
pub struct Mapping {
    root: Root,
    compiled: Arc<Compiled>,
    fields_max: usize,
}

impl Default for Mapping {
    fn default() -> Self {
        Self::with_fields_max(FIELDS_MAX)
    }
}

impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && self.fields_max == other.fields_max
    }
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
    /// The spelling of its type in mappings, as in `constant_keyword`.
    pub type_name: &'static str,
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
    /// Makes a mapping without fields that takes so many of them.
    pub fn with_fields_max(fields_max: usize) -> Self {
        let root = Root::default();
        let compiled = Compiled::new(&root).expect("a mapping without fields has nothing wrong");
        Self { root, compiled: Arc::new(compiled), fields_max }
    }

    /// Changes how many fields it takes (`index.mapping.total_fields.limit`); what is there stays.
    pub fn set_fields_max(&mut self, fields_max: usize) {
        self.fields_max = fields_max;
    }

    /// Reads the value of `mappings` in a create-index body; `null` is a mapping without fields.
    ///
    /// # Errors
    /// `mapper_parsing_exception`, `illegal_argument_exception`.
    pub fn from_json(mappings: &Value) -> Result<Self, Exception> {
        Self::from_json_with(mappings, FIELDS_MAX)
    }

    /// As [`from_json`](Self::from_json), with another limit of fields.
    ///
    /// # Errors
    /// `mapper_parsing_exception`, `illegal_argument_exception`.
    pub fn from_json_with(mappings: &Value, fields_max: usize) -> Result<Self, Exception> {
        let mut mapping = Self::with_fields_max(fields_max);
        let entries = match mappings {
            Value::Null => return Ok(mapping),
            Value::Object(entries) => entries,
            _ => return Err(no_object()),
        };
        if entries.len() == 1 && entries.get("_doc").is_some_and(Value::is_object) {
            return Err(Exception::illegal_argument(
                "The mapping definition cannot be nested under a type",
            ));
        }
        let root = Root::read(entries).map_err(|cause| {
            let reason = format!("Failed to parse mapping [_doc]: {}", cause.reason());
            Exception::new(ExceptionKind::MapperParsing, reason).caused_by(cause)
        })?;
        mapping.put(root)?;
        Ok(mapping)
    }

    /// Adds what a put-mapping body says; on an error nothing is changed.
    ///
    /// # Errors
    /// A type would change, a parameter is not known, or there are too many fields.
    pub fn merge(&mut self, mappings: &Value) -> Result<(), Exception> {
        let Value::Object(entries) = mappings else { return Err(no_object()) };
        if entries.contains_key("_doc") {
            return Err(Exception::illegal_argument(
                "Types cannot be provided in put mapping requests",
            ));
        }
        self.put(Root::read(entries)?)
    }

    fn put(&mut self, addition: Root) -> Result<(), Exception> {
        // Thousands of documents may bring a field each: a full mapping is not copied for any of them.
        if self.compiled.count >= self.fields_max && self.root.object.lacks_any_of(&addition.object)
        {
            return Err(self.too_many_fields());
        }
        let mut root = self.root.clone();
        root.merge(addition)?;
        let compiled = Compiled::new(&root)?;
        if compiled.count > self.fields_max && compiled.count > self.compiled.count {
            return Err(self.too_many_fields());
        }
        let (depth, path) = &compiled.depth;
        if *depth > DEPTH_MAX {
            return Err(Exception::illegal_argument(too_deep(path)));
        }
        self.compiled = Arc::new(compiled);
        self.root = root;
        Ok(())
    }

    fn too_many_fields(&self) -> Exception {
        let limit = self.fields_max;
        Exception::illegal_argument(format!("Limit of total fields [{limit}] has been exceeded"))
    }

    /// Returns the mapping as `GET /{index}/_mapping` shows it: `{}` without fields.
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// Returns the field with this path, following field aliases, or `None` when there is none.
    ///
    /// Leaves of a `flat_object` have no field of their own: [`resolve`](Self::resolve) knows them.
    pub fn field(&self, path: &str) -> Option<&Field> {
        let followed = self.compiled.aliases.get(path).map_or(path, |target| target);
        self.compiled.field(followed)
    }

    /// As [`field`](Self::field), with the leaves of a `flat_object` besides, such as `labels.zone`.
    pub fn resolve(&self, path: &str) -> Option<Cow<'_, Field>> {
        if let Some(field) = self.field(path) {
            return Some(Cow::Borrowed(field));
        }
        let inside = |flat: &&Arc<str>| {
            path.strip_prefix(&***flat).is_some_and(|rest| rest.starts_with('.') && rest.len() > 1)
        };
        let flat = self.compiled.flat.iter().find(inside)?;
        let field = self.compiled.field(flat)?.clone();
        Some(Cow::Owned(Field { path: path.into(), ..field }))
    }

    /// Returns all fields in the order of their paths, multi-fields included, aliases apart.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.compiled.fields.iter()
    }

    /// Returns the fields whose path, or an alias of it, matches a pattern with `*`, in the order of
    /// their paths.
    pub fn matching(&self, pattern: &str) -> Vec<&Field> {
        if !pattern.contains('*') {
            return self.field(pattern).into_iter().collect();
        }
        let by_alias: Vec<&str> = self
            .aliases()
            .filter(|(alias, _)| glob(pattern, alias))
            .map(|(_, target)| target)
            .collect();
        let fits = |field: &&Field| glob(pattern, &field.path) || by_alias.contains(&&*field.path);
        self.fields().filter(fits).collect()
    }

    /// Returns the field aliases with the paths that they stand for, in order.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.compiled.aliases.iter().map(|(alias, target)| (&**alias, &**target))
    }

    /// Returns the paths of objects and whether they are nested, in order.
    pub fn objects(&self) -> impl Iterator<Item = (&str, bool)> {
        self.compiled.objects.iter().map(|(path, nested)| (&**path, *nested))
    }

    /// Tells whether there is an object, nested or not, with this path.
    pub fn is_object(&self, path: &str) -> bool {
        self.compiled.objects.contains_key(path)
    }

    /// Tells whether there is a nested object with this path.
    pub fn is_nested(&self, path: &str) -> bool {
        self.compiled.objects.get(path) == Some(&true)
    }

    /// Tells whether a write without `routing` is to be refused (`_routing.required`).
    pub fn is_routing_required(&self) -> bool {
        let required = self.root.metadata.get("_routing").and_then(|entry| entry.get("required"));
        required.is_some_and(|value| parameters::boolean(value).unwrap_or(false))
    }

    /// Returns what was said of a field, a multi-field or an alias with exactly this path.
    pub fn definition(&self, path: &str) -> Option<Value> {
        let mut properties = &self.root.object.properties;
        let mut steps = path.split('.');
        loop {
            match properties.get(steps.next()?)? {
                Definition::Object(object) => properties = &object.properties,
                alias @ Definition::Alias(_) => {
                    return steps.next().is_none().then(|| alias.to_json());
                }
                Definition::Leaf(leaf) => {
                    let mut leaf = leaf;
                    for step in steps {
                        leaf = leaf.fields.get(step)?;
                    }
                    return Some(leaf.to_json());
                }
            }
        }
    }

    /// Reads a document.
    ///
    /// `id` is for the words of errors only.
    ///
    /// # Errors
    /// The source is no JSON object, or a value does not fit its field.
    pub fn parse_document(&self, id: &str, source: &[u8]) -> Result<ParsedDocument, Exception> {
        document::parse(&self.compiled, id, source)
    }
}

fn no_object() -> Exception {
    Exception::new(
        ExceptionKind::MapperParsing,
        "Malformed mappings section, an object is expected",
    )
}

/// Says that an object lies too deep.
fn too_deep(path: &str) -> String {
    let path = preview(path);
    format!("Limit of mapping depth [{DEPTH_MAX}] has been exceeded due to object field [{path}]")
}

/// Cuts a text to what the words of an error repeat of it: at most 1000 bytes.
pub(crate) fn preview(text: &str) -> &str {
    &text[..text.floor_char_boundary(1000)]
}

/// Tells whether a text matches a pattern in which `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}
