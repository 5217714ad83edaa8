//! Which field a clause means, and its terms in tantivy.

use std::borrow::Cow;

use pampero_opensearch::mapping::{Analyzer, Field, FieldKind};
use pampero_opensearch::query::WeightedField;
use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::Term;

use super::Builder;
use crate::analysis::normalize;
use crate::layout::Layout;

/// What the name of a field stands for.
#[derive(Clone)]
pub(super) enum Target<'a> {
    /// `_id`.
    Id,
    /// `_index`.
    Index,
    /// `_seq_no`.
    SeqNo,
    /// A field of the mapping.
    Field(Cow<'a, Field>),
    /// No field, in which nothing is found.
    Unmapped,
}

/// A place with terms: one path of a JSON field, or a whole field.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// A term without a value.
    start: Term,
    json: bool,
    normal: Normal,
}

/// How a text is brought into the form of the terms.
#[derive(Clone, Copy, Debug)]
enum Normal {
    Same,
    Lowercase,
    As(Analyzer),
}

impl Place {
    /// Returns the term of a value that is in the form of the terms already.
    pub(super) fn term(&self, value: &str) -> Term {
        let mut term = self.start.clone();
        if self.json {
            term.append_type_and_str(value);
        } else {
            term.append_bytes(value.as_bytes());
        }
        term
    }

    /// Returns the tantivy field.
    pub(super) fn field(&self) -> tantivy::schema::Field {
        self.start.field()
    }

    /// Returns the bytes that all of its terms begin with in the dictionary.
    pub(super) fn prefix(&self) -> Vec<u8> {
        self.term("").serialized_value_bytes().to_vec()
    }

    /// Returns the first term behind all of its terms.
    pub(super) fn end(&self) -> Term {
        let mut bytes = self.prefix();
        // The prefix ends with the type of the values, and no type has the highest number.
        if let Some(last) = bytes.last_mut() {
            *last += 1;
        }
        let mut term = self.start.clone();
        term.set_bytes(&bytes);
        term
    }

    /// Brings a text into the form of the terms without cutting it.
    pub(super) fn normalize(&self, text: &str) -> String {
        match self.normal {
            Normal::Same => text.to_owned(),
            Normal::Lowercase => text.to_lowercase(),
            Normal::As(analyzer) => normalize(analyzer, text),
        }
    }
}

impl<'a> Builder<'a> {
    pub(super) fn target(&self, name: &str) -> Target<'a> {
        match name {
            "_id" => Target::Id,
            "_index" => Target::Index,
            Layout::SEQ_NO => Target::SeqNo,
            _ => self.context.mapping.resolve(name).map_or(Target::Unmapped, Target::Field),
        }
    }

    pub(super) fn id_place(&self) -> Place {
        let start = Term::from_field_text(self.context.layout.id, "");
        Place { start, json: false, normal: Normal::Same }
    }

    /// Returns where the whole strings of a field lie.
    pub(super) fn keywords(&self, field: &Field) -> Place {
        let lowercase = matches!(field.kind, FieldKind::Keyword { lowercase: true, .. });
        let normal = if lowercase { Normal::Lowercase } else { Normal::Same };
        let start = json_term(self.context.layout.keywords, &field.path);
        Place { start, json: true, normal }
    }

    /// Returns where the words of a field lie that `analyzer` cut.
    pub(super) fn words(&self, field: &Field, analyzer: Analyzer) -> Place {
        let start = json_term(self.context.layout.text(analyzer), &field.path);
        Place { start, json: true, normal: Normal::As(analyzer) }
    }

    /// Returns where the terms of a field lie that patterns are held against.
    ///
    /// `clause` is for the words of the refusal.
    pub(super) fn terms_of(&self, field: &Field, clause: &str) -> Result<Place, Exception> {
        match field.kind {
            FieldKind::Text { analyzer, .. } => {
                check_indexed(field)?;
                Ok(self.words(field, analyzer))
            }
            FieldKind::Keyword { .. } => {
                check_indexed(field)?;
                Ok(self.keywords(field))
            }
            _ => Err(Exception::new(
                ExceptionKind::QueryShard,
                format!(
                    "Can only use {clause} queries on keyword, text and wildcard fields - not on \
                     [{}] which is of type [{}]",
                    field.path, field.type_name
                ),
            )),
        }
    }

    /// Returns the fields that names and patterns stand for, each with its weight.
    ///
    /// A pattern stands for the fields that words can be looked for in; a name that is no field is kept
    /// out. A field that is named twice counts with the product of its weights.
    ///
    /// # Errors
    /// There are more than 1024.
    pub(super) fn expand(
        &self,
        fields: &[WeightedField],
    ) -> Result<Vec<(Target<'a>, f32)>, Exception> {
        let mut found: Vec<(String, Target<'a>, f32)> = Vec::new();
        let mut add = |path: &str, target: Target<'a>, boost: f32| match found
            .iter_mut()
            .find(|(known, ..)| known == path)
        {
            Some((_, _, earlier)) => *earlier *= boost,
            None => found.push((path.to_owned(), target, boost)),
        };
        for weighted in fields {
            if weighted.field.contains('*') {
                for field in self.context.mapping.matching(&weighted.field) {
                    if field.kind != FieldKind::Boolean && field.index {
                        add(&field.path, Target::Field(Cow::Borrowed(field)), weighted.boost);
                    }
                }
                continue;
            }
            match self.target(&weighted.field) {
                Target::Unmapped => {}
                Target::Field(field) => {
                    add(&field.path.clone(), Target::Field(field), weighted.boost);
                }
                target => add(&weighted.field, target, weighted.boost),
            }
        }
        let limit = pampero_opensearch::query::CLAUSES_MAX;
        if found.len() > limit {
            return Err(Exception::illegal_argument(format!(
                "field expansion matches too many fields, limit: {limit}, got: {}",
                found.len()
            )));
        }
        Ok(found.into_iter().map(|(_, target, boost)| (target, boost)).collect())
    }
}

/// Returns the term of a path in a JSON field, without a value.
///
/// Backslashes in a path are characters like others, while tantivy reads them as escapes.
pub(super) fn json_term(field: tantivy::schema::Field, path: &str) -> Term {
    if path.contains('\\') {
        return Term::from_field_json_path(field, &path.replace('\\', "\\\\"), true);
    }
    Term::from_field_json_path(field, path, true)
}

/// Returns the name of a column, as tantivy resolves it.
pub(super) fn column(field: &str, path: &str) -> String {
    format!("{field}.{}", path.replace('\\', "\\\\"))
}

/// Refuses a field that cannot be searched; columns can be, also without `index`.
pub(super) fn check_indexed(field: &Field) -> Result<(), Exception> {
    if field.index || field.doc_values {
        return Ok(());
    }
    Err(failed(format!("Cannot search on field [{}] since it is not indexed.", field.path)))
}

fn failed(reason: String) -> Exception {
    super::failed_to_create(Exception::illegal_argument(reason))
}
