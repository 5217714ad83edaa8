//! Reading documents: what is kept of their values, and what becomes of names that are not mapped.
//!
//! `walk` goes over the bytes once, along the tree of the mapping, and brings each value here; `flat`
//! reads what is of type `flat_object`.

mod flat;
mod walk;

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::Error;
use serde_json::{Map, Value};

use super::definition::check_name;
use super::dynamic::{Dynamic, Kind};
use super::parameters::{FieldType, mapper_parsing};
use super::reader::{Child, Compiled, LeafReader, ObjectReader, join};
use super::value::{Scalar, convert};
use super::{DEPTH_MAX, FieldKind, FieldValue, ParsedDocument, preview, too_deep};
use crate::{Exception, ExceptionKind};

/// Names that stand for the document itself.
///
/// Source: OpenSearch, the metadata mappers of `IndicesModule`.
const METADATA: &[&str] = &[
    "_id",
    "_index",
    "_source",
    "_routing",
    "_type",
    "_seq_no",
    "_primary_term",
    "_version",
    "_field_names",
    "_ignored",
    "_nested_path",
    "_data_stream_timestamp",
    "_tier",
];

/// Reads a document.
pub(super) fn parse(
    compiled: &Compiled,
    id: &str,
    source: &[u8],
) -> Result<ParsedDocument, Exception> {
    let text = std::str::from_utf8(source).map_err(|error| {
        let at = error.valid_up_to();
        failed(Exception::new(
            ExceptionKind::JsonParse,
            format!("Invalid UTF-8 in the document at byte {at}"),
        ))
    })?;
    match text.trim_ascii_start().as_bytes().first() {
        None => return Err(mapper_parsing("failed to parse, document is empty")),
        Some(b'{') => {}
        Some(_) => {
            return Err(mapper_parsing("Malformed content, must start with an object"));
        }
    }
    let document = ParsedDocument { values: Vec::with_capacity(16), ..ParsedDocument::default() };
    let mut state = State { compiled, id, document, additions: Map::new(), failure: None };
    let outcome = walk::walk(&mut state, text);
    if let Some(failure) = state.failure {
        return Err(failure);
    }
    outcome.map_err(|error| failed(Exception::new(ExceptionKind::JsonParse, error.to_string())))?;
    let mut document = state.document;
    for (path, value) in &compiled.constants {
        document.values.push((Arc::clone(path), FieldValue::Keyword(value.clone())));
    }
    document.additions = (!state.additions.is_empty()).then_some(Value::Object(state.additions));
    Ok(document)
}

/// Says that a document cannot be read, for a reason that belongs to no field.
fn failed(cause: Exception) -> Exception {
    mapper_parsing("failed to parse").caused_by(cause)
}

/// What was read so far.
struct State<'m> {
    compiled: &'m Compiled,
    id: &'m str,
    document: ParsedDocument,
    /// What dynamic mapping adds, in the form of a put-mapping body.
    additions: Map<String, Value>,
    /// Why reading stopped, when it is not the JSON.
    failure: Option<Exception>,
}

/// The object that is being read.
#[derive(Clone)]
struct Scope<'m> {
    /// `None` when it is not mapped yet.
    reader: Option<&'m ObjectReader>,
    dynamic: Dynamic,
    path: Cow<'m, str>,
}

impl<'m> Scope<'m> {
    fn of(reader: &'m ObjectReader) -> Self {
        Self { reader: Some(reader), dynamic: reader.dynamic, path: Cow::Borrowed(&reader.path) }
    }
}

/// Where a value goes.
#[derive(Clone, Copy)]
enum Target<'t, 'm> {
    Leaf(&'m LeafReader),
    Object(&'m ObjectReader),
    New(&'t New<'m>),
    Skip,
}

/// A name that is not mapped, in the object where it is missing.
struct New<'m> {
    scope: Scope<'m>,
    /// The missing name, with further names after dots.
    name: String,
}

/// What a name leads to.
enum Found<'m> {
    Leaf(&'m LeafReader),
    Object(&'m ObjectReader),
    New(New<'m>),
    Skip,
}

impl<'m> Found<'m> {
    fn of(child: &'m Child) -> Result<Self, Exception> {
        match child {
            Child::Leaf(leaf) => Ok(Self::Leaf(leaf)),
            Child::Object(object) if object.enabled => Ok(Self::Object(object)),
            Child::Object(_) => Ok(Self::Skip),
            Child::Alias(path) => {
                Err(mapper_parsing(format!("Cannot write to a field alias [{path}].")))
            }
        }
    }

    const fn target(&self) -> Target<'_, 'm> {
        match self {
            Self::Leaf(leaf) => Target::Leaf(leaf),
            Self::Object(object) => Target::Object(object),
            Self::New(new) => Target::New(new),
            Self::Skip => Target::Skip,
        }
    }
}

/// Follows a name that is no child as it stands: it has dots, or is not mapped.
fn follow<'m>(mut scope: Scope<'m>, name: &str) -> Result<Found<'m>, Exception> {
    if scope.path.is_empty() && METADATA.contains(&name) {
        return Err(mapper_parsing(format!(
            "Field [{name}] is a metadata field and cannot be added inside a document. \
             Use the index API request parameters."
        )));
    }
    check_name(name).map_err(failed)?;
    let mut rest = name;
    loop {
        let (step, behind) = match rest.split_once('.') {
            Some((step, behind)) => (step, Some(behind)),
            None => (rest, None),
        };
        match (scope.reader.and_then(|reader| reader.child(step)), behind) {
            (Some((_, child)), None) => return Found::of(child),
            (Some((_, Child::Object(object))), Some(behind)) => {
                if !object.enabled {
                    return Ok(Found::Skip);
                }
                scope = Scope::of(object);
                rest = behind;
            }
            (Some((_, Child::Leaf(leaf))), Some(_)) => {
                let outer = &leaf.field.path;
                return Err(not_an_object(&join(&scope.path, rest), outer, leaf.of.as_str()));
            }
            (Some((_, Child::Alias(path))), Some(_)) => {
                return Err(not_an_object(&join(&scope.path, rest), path, "alias"));
            }
            (None, _) => {
                return match scope.dynamic {
                    Dynamic::False => Ok(Found::Skip),
                    Dynamic::Strict => Err(strict(&scope, step)),
                    _ => Ok(Found::New(New { scope, name: rest.to_owned() })),
                };
            }
        }
    }
}

fn not_an_object(path: &str, outer: &str, of: &str) -> Exception {
    mapper_parsing(format!(
        "Could not dynamically add mapping for field [{path}]. \
         Existing mapping for [{outer}] must be of type object but found [{of}]."
    ))
}

fn strict(scope: &Scope<'_>, name: &str) -> Exception {
    let dynamic = scope.dynamic.as_str();
    let within = if scope.path.is_empty() { "_doc" } else { &scope.path };
    let first = name.split('.').next().unwrap_or(name);
    Exception::new(
        ExceptionKind::StrictDynamicMapping,
        format!(
            "mapping set to {dynamic}, dynamic introduction of [{first}] within [{within}] is not allowed"
        ),
    )
}

impl<'m> State<'m> {
    /// Keeps why reading stops; the error that is returned only unwinds.
    fn stop<E: Error>(&mut self, failure: Exception) -> E {
        self.failure = Some(failure);
        E::custom("stopped")
    }

    fn scalar(&mut self, target: Target<'_, 'm>, scalar: Scalar<'_>) -> Result<(), Exception> {
        match target {
            Target::Skip => Ok(()),
            Target::Leaf(leaf) => self.leaf(leaf, scalar, true),
            Target::Object(object) => {
                let name = object.path.rsplit('.').next().unwrap_or_default();
                Err(mapper_parsing(format!(
                    "object mapping for [{}] tried to parse field [{name}] as object, \
                     but found a concrete value",
                    object.path
                )))
            }
            Target::New(new) => self.introduce(new, scalar),
        }
    }

    fn null(&mut self, target: Target<'_, 'm>) -> Result<(), Exception> {
        match target {
            Target::Leaf(leaf) => match leaf.null_value.as_ref().and_then(Scalar::from_json) {
                Some(scalar) => self.leaf(leaf, scalar, true),
                None => Ok(()),
            },
            Target::Object(_) | Target::New(_) | Target::Skip => Ok(()),
        }
    }

    /// Keeps a value of a field, of its multi-fields, and of the fields it is copied to.
    fn leaf(
        &mut self,
        leaf: &'m LeafReader,
        scalar: Scalar<'_>,
        copy: bool,
    ) -> Result<(), Exception> {
        match &leaf.constant {
            Some(constant) if *scalar.text() != **constant => {
                let path = &leaf.field.path;
                let cause = Exception::illegal_argument(format!(
                    "constant keyword field [{path}] must have a value of [{constant}]"
                ));
                return Err(self.unfit(leaf, &scalar.text(), cause));
            }
            Some(_) => return Ok(()),
            None if leaf.of == FieldType::FlatObject => {
                let cause = Exception::parsing("Unexpected token, [START_OBJECT] is expected");
                return Err(self.unfit(leaf, &scalar.text(), cause));
            }
            None => {}
        }
        if leaf.is_kept() {
            match convert(&leaf.field, leaf.coerce, scalar) {
                Ok(Some(value)) => self.keep(leaf, value),
                // What stands for nothing is what the field says of nothing.
                Ok(None) => {
                    let null = leaf.null_value.as_ref().and_then(Scalar::from_json);
                    if let Some(null) = null.filter(|_| scalar == Scalar::Text(""))
                        && let Some(value) = convert(&leaf.field, true, null)?
                    {
                        self.keep(leaf, value);
                    }
                }
                Err(_) if leaf.ignore_malformed => {}
                Err(cause) => return Err(self.unfit(leaf, &scalar.text(), cause)),
            }
        }
        for field in &leaf.fields {
            self.leaf(field, scalar, false)?;
        }
        if copy {
            for path in &leaf.copy_to {
                self.copy(path, scalar)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, path: &str, scalar: Scalar<'_>) -> Result<(), Exception> {
        match follow(Scope::of(&self.compiled.root), path)? {
            Found::Leaf(leaf) => self.leaf(leaf, scalar, false),
            found => self.scalar(found.target(), scalar),
        }
    }

    fn keep(&mut self, leaf: &LeafReader, value: FieldValue) {
        let path = &leaf.field.path;
        let listed = !leaf.field.doc_values
            && !self.document.field_names.iter().any(|name| Arc::ptr_eq(name, path));
        if listed {
            self.document.field_names.push(Arc::clone(path));
        }
        if leaf.field.index || !matches!(leaf.field.kind, FieldKind::Text { .. }) {
            self.document.values.push((Arc::clone(path), value));
        }
    }

    fn unfit(&self, leaf: &LeafReader, value: &str, cause: Exception) -> Exception {
        let preview = preview(value);
        mapper_parsing(format!(
            "failed to parse field [{}] of type [{}] in document with id '{}'. \
             Preview of field's value: '{preview}'",
            leaf.field.path,
            leaf.of.as_str(),
            self.id
        ))
        .caused_by(cause)
    }

    /// Maps a new field after its first value.
    fn introduce(&mut self, new: &New<'m>, scalar: Scalar<'_>) -> Result<(), Exception> {
        let kind = match scalar {
            Scalar::Boolean(_) => Kind::Boolean,
            Scalar::Integer(_) | Scalar::Unsigned(_) => Kind::Long,
            Scalar::Decimal(_) => Kind::Double,
            Scalar::Text(text) => self.compiled.detection.kind_of_text(text),
        };
        self.define(new, &kind).map(drop)
    }

    /// Maps a new object and returns it for its members, or `None` when they do not count.
    fn introduce_object(&mut self, new: &New<'m>) -> Result<Option<Scope<'m>>, Exception> {
        let Some(definition) = self.define(new, &Kind::Object)? else {
            return Ok(None);
        };
        let of = definition.get("type").and_then(Value::as_str).unwrap_or("object");
        let enabled = definition.get("enabled") != Some(&Value::Bool(false));
        if !enabled || !matches!(of, "object" | "nested") {
            return Ok(None);
        }
        let dynamic = definition.get("dynamic").and_then(|value| Dynamic::read(value).ok());
        Ok(Some(Scope {
            reader: None,
            dynamic: dynamic.unwrap_or(new.scope.dynamic),
            path: Cow::Owned(join(&new.scope.path, &new.name)),
        }))
    }

    /// Adds the definition of a new name and returns it, or `None` when it is not mapped.
    fn define(&mut self, new: &New<'m>, kind: &Kind) -> Result<Option<Value>, Exception> {
        let path = join(&new.scope.path, &new.name);
        let last = new.name.rsplit('.').next().unwrap_or(&new.name);
        let dynamic = new.scope.dynamic;
        match (self.compiled.detection.definition(dynamic, last, &path, kind), dynamic) {
            (Some(definition), _) => {
                self.add(&path, &definition)?;
                Ok(Some(definition))
            }
            (None, Dynamic::Strict | Dynamic::StrictAllowTemplates) => {
                Err(strict(&new.scope, &new.name))
            }
            (None, _) => Ok(None),
        }
    }

    /// Puts a definition into the additions; the first one of a path stays.
    fn add(&mut self, path: &str, definition: &Value) -> Result<(), Exception> {
        // The root is one level, and the last name is a field and none.
        if path.matches('.').count() >= DEPTH_MAX {
            let outer = path.rsplit_once('.').map_or(path, |(outer, _)| outer);
            return Err(Exception::illegal_argument(too_deep(outer)));
        }
        let mut object = &mut self.additions;
        let mut steps = path.split('.').peekable();
        let mut outer = String::new();
        while let Some(step) = steps.next() {
            let properties = object.entry("properties").or_insert_with(|| Map::new().into());
            let Value::Object(properties) = properties else { return Ok(()) };
            if steps.peek().is_none() {
                properties.entry(step).or_insert_with(|| definition.clone());
                return Ok(());
            }
            outer = join(&outer, step);
            let inner = properties.entry(step).or_insert_with(|| Map::new().into());
            let Value::Object(inner) = inner else { return Ok(()) };
            match inner.get("type").and_then(Value::as_str) {
                None | Some("object" | "nested") => object = inner,
                Some(of) => return Err(not_an_object(path, &outer, of)),
            }
        }
        Ok(())
    }
}
