//! A mapping made ready for reading documents: the same tree with everything worked out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::definition::{Definition, Leaf, Object, Root};
use super::dynamic::{Detection, Dynamic};
use super::parameters::{FieldType, mapper_parsing};
use super::value::{Scalar, convert};
use super::{Analyzer, Field, FieldKind, FloatKind, IntegerKind};
use crate::Exception;
use crate::date::DateFormat;

/// A mapping with everything worked out.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) root: ObjectReader,
    pub(super) detection: Detection,
    /// In the order of their paths.
    pub(super) fields: Vec<Field>,
    /// Field aliases and the paths that they stand for.
    pub(super) aliases: BTreeMap<Arc<str>, Arc<str>>,
    /// Objects and whether they are nested.
    pub(super) objects: BTreeMap<Arc<str>, bool>,
    /// Paths of type `flat_object`.
    pub(super) flat: Vec<Arc<str>>,
    /// What every document has.
    pub(super) constants: Vec<(Arc<str>, String)>,
    /// Fields, objects and aliases, which the limit counts.
    pub(super) count: usize,
    /// The deepest object, with its path; the root is 1.
    pub(super) depth: (usize, String),
}

/// An object that documents may have.
#[derive(Debug)]
pub(super) struct ObjectReader {
    /// Empty at the root.
    pub(super) path: Arc<str>,
    pub(super) dynamic: Dynamic,
    pub(super) enabled: bool,
    /// By length and then by name, which finds a name with few comparisons.
    children: Vec<(Box<str>, Child)>,
}

/// What a name in an object stands for.
#[derive(Debug)]
pub(super) enum Child {
    Object(ObjectReader),
    Leaf(LeafReader),
    Alias(Arc<str>),
}

/// A field that documents may have.
#[derive(Debug)]
pub(super) struct LeafReader {
    pub(super) of: FieldType,
    pub(super) field: Field,
    pub(super) coerce: bool,
    pub(super) ignore_malformed: bool,
    pub(super) null_value: Option<Value>,
    /// The only value, of a `constant_keyword`.
    pub(super) constant: Option<String>,
    pub(super) copy_to: Vec<String>,
    pub(super) fields: Vec<Self>,
}

impl ObjectReader {
    /// Returns what a name stands for, with its place among its siblings.
    pub(super) fn child(&self, name: &str) -> Option<(usize, &Child)> {
        let order = |listed: &str| (listed.len(), listed).cmp(&(name.len(), name));
        let at = self.children.binary_search_by(|(listed, _)| order(listed)).ok()?;
        Some((at, &self.children[at].1))
    }

    /// Returns the name of the child at a place.
    pub(super) fn name(&self, place: usize) -> &str {
        &self.children[place].0
    }
}

impl LeafReader {
    /// Tells whether something of a value is kept where searches look.
    pub(super) fn is_kept(&self) -> bool {
        self.of != FieldType::Binary && (self.field.index || self.field.doc_values)
    }
}

impl Compiled {
    /// Works a mapping out.
    ///
    /// # Errors
    /// An alias or a null value fits nothing.
    pub(super) fn new(root: &Root) -> Result<Self, Exception> {
        let date_formats = match (root.date_detection, &root.date_formats) {
            (Some(false), _) => Vec::new(),
            (_, Some(formats)) => formats.clone(),
            (_, None) => Detection::default_date_formats(),
        };
        let detection = Detection {
            templates: root.templates.clone().unwrap_or_default(),
            numeric: root.numeric_detection.unwrap_or(false),
            date_formats,
        };
        let mut builder = Builder::default();
        let reader = builder.object(&root.object, "", Dynamic::True, 1)?;
        builder.fields.sort_by(|a, b| a.path.cmp(&b.path));
        let compiled = Self {
            root: reader,
            detection,
            fields: builder.fields,
            aliases: builder.aliases,
            objects: builder.objects,
            flat: builder.flat,
            constants: builder.constants,
            count: builder.count,
            depth: builder.depth,
        };
        compiled.check_aliases()?;
        Ok(compiled)
    }

    /// Returns the field with exactly this path.
    pub(super) fn field(&self, path: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| (*field.path).cmp(path)).ok()?;
        Some(&self.fields[at])
    }

    fn check_aliases(&self) -> Result<(), Exception> {
        for (alias, path) in &self.aliases {
            let refuse = |why: &str| {
                let reason =
                    format!("Invalid [path] value [{path}] for field alias [{alias}]: {why}");
                Err(mapper_parsing(reason))
            };
            if alias == path {
                return refuse("an alias cannot refer to itself.");
            }
            if self.aliases.contains_key(path) {
                return refuse("an alias cannot refer to another alias.");
            }
            if self.field(path).is_none() {
                return refuse("an alias must refer to an existing field in the mappings.");
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Builder {
    fields: Vec<Field>,
    aliases: BTreeMap<Arc<str>, Arc<str>>,
    objects: BTreeMap<Arc<str>, bool>,
    flat: Vec<Arc<str>>,
    constants: Vec<(Arc<str>, String)>,
    count: usize,
    depth: (usize, String),
}

impl Builder {
    fn object(
        &mut self,
        object: &Object,
        path: &str,
        inherited: Dynamic,
        depth: usize,
    ) -> Result<ObjectReader, Exception> {
        if depth > self.depth.0 {
            self.depth = (depth, path.to_owned());
        }
        let dynamic = object.dynamic.unwrap_or(inherited);
        let mut children = Vec::with_capacity(object.properties.len());
        for (name, definition) in &object.properties {
            self.count += 1;
            let inner = join(path, name);
            let child = match definition {
                Definition::Object(object) => {
                    self.objects.insert(inner.as_str().into(), object.nested);
                    Child::Object(self.object(object, &inner, dynamic, depth + 1)?)
                }
                Definition::Leaf(leaf) => Child::Leaf(self.leaf(leaf, &inner)?),
                Definition::Alias(target) => {
                    self.aliases.insert(inner.as_str().into(), target.as_str().into());
                    Child::Alias(inner.into())
                }
            };
            children.push((name.as_str().into(), child));
        }
        children.sort_by(|(a, _): &(Box<str>, Child), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        let enabled = object.enabled.unwrap_or(true);
        Ok(ObjectReader { path: path.into(), dynamic, enabled, children })
    }

    fn leaf(&mut self, leaf: &Leaf, path: &str) -> Result<LeafReader, Exception> {
        let path: Arc<str> = path.into();
        let field = Field {
            kind: kind(leaf)?,
            index: leaf.of != FieldType::Binary && leaf.flag("index", true),
            doc_values: leaf
                .flag("doc_values", !matches!(leaf.of, FieldType::Text | FieldType::Binary)),
            type_name: leaf.of.as_str(),
            path: Arc::clone(&path),
        };
        let null_value = leaf.parameters.get("null_value").cloned();
        let mut reader = LeafReader {
            of: leaf.of,
            coerce: leaf.flag("coerce", true),
            ignore_malformed: leaf.flag("ignore_malformed", false),
            null_value,
            constant: leaf.word("value").map(str::to_owned),
            copy_to: names(leaf.parameters.get("copy_to")),
            fields: Vec::with_capacity(leaf.fields.len()),
            field,
        };
        if let Some(scalar) = reader.null_value.as_ref().and_then(Scalar::from_json) {
            convert(&reader.field, true, scalar).map_err(|cause| {
                let reason =
                    format!("Error parsing [null_value] on field [{path}]: {}", cause.reason());
                mapper_parsing(reason).caused_by(cause)
            })?;
        }
        if let Some(value) = &reader.constant {
            self.constants.push((Arc::clone(&path), value.clone()));
        }
        if leaf.of == FieldType::FlatObject {
            self.flat.push(Arc::clone(&path));
        }
        if leaf.of != FieldType::Binary {
            self.fields.push(reader.field.clone());
        }
        for (name, inner) in &leaf.fields {
            self.count += 1;
            reader.fields.push(self.leaf(inner, &join(&path, name))?);
        }
        Ok(reader)
    }
}

fn kind(leaf: &Leaf) -> Result<FieldKind, Exception> {
    let analyzer = |name: &str| leaf.word(name).and_then(Analyzer::from_name);
    let count = |name: &str| {
        leaf.parameters
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|limit| usize::try_from(limit).ok())
    };
    let lowercase = leaf.word("normalizer") == Some("lowercase");
    Ok(match leaf.of {
        FieldType::Text => {
            let analyzer_indexed = analyzer("analyzer").unwrap_or_default();
            FieldKind::Text {
                analyzer: analyzer_indexed,
                search_analyzer: analyzer("search_analyzer").unwrap_or(analyzer_indexed),
            }
        }
        FieldType::Keyword | FieldType::Wildcard => {
            FieldKind::Keyword { ignore_above: count("ignore_above"), lowercase }
        }
        FieldType::ConstantKeyword | FieldType::FlatObject | FieldType::Binary => {
            FieldKind::Keyword { ignore_above: None, lowercase: false }
        }
        FieldType::Long => FieldKind::Integer(IntegerKind::Long),
        FieldType::Integer => FieldKind::Integer(IntegerKind::Integer),
        FieldType::Short => FieldKind::Integer(IntegerKind::Short),
        FieldType::Byte => FieldKind::Integer(IntegerKind::Byte),
        FieldType::UnsignedLong => FieldKind::UnsignedLong,
        FieldType::Double => FieldKind::Float(FloatKind::Double),
        FieldType::Float => FieldKind::Float(FloatKind::Float),
        FieldType::HalfFloat => FieldKind::Float(FloatKind::HalfFloat),
        FieldType::ScaledFloat => {
            let written = leaf.parameters.get("scaling_factor");
            let factor = written
                .and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
                .unwrap_or(1.0);
            FieldKind::Float(FloatKind::Scaled { factor })
        }
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Date => FieldKind::Date { format: date_format(leaf)?, nanos: false },
        FieldType::DateNanos => {
            FieldKind::Date { format: date_format(leaf)?.with_nanos(), nanos: true }
        }
        FieldType::Ip => FieldKind::Ip,
    })
}

fn date_format(leaf: &Leaf) -> Result<DateFormat, Exception> {
    leaf.word("format").map_or_else(|| Ok(DateFormat::default_date()), DateFormat::new)
}

fn names(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Joins the path of an object and a name in it.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
