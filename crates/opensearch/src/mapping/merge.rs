//! Putting one mapping on top of another: what may be added and what may not change.

use serde_json::Value;

use super::definition::{Definition, Leaf, Object, Root};
use super::parameters::{FieldType, plain};
use crate::Exception;

impl Root {
    /// Adds what another root says.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Exception> {
        self.object.merge(other.object, "")?;
        replace(&mut self.templates, other.templates);
        replace(&mut self.date_detection, other.date_detection);
        replace(&mut self.numeric_detection, other.numeric_detection);
        replace(&mut self.date_formats, other.date_formats);
        self.metadata.extend(other.metadata);
        Ok(())
    }
}

/// Takes what the other says, if it says anything.
fn replace<T>(present: &mut Option<T>, other: Option<T>) {
    if other.is_some() {
        *present = other;
    }
}

impl Object {
    /// Tells whether another body brings fields, objects or aliases that are not here.
    pub(super) fn lacks_any_of(&self, other: &Self) -> bool {
        other.properties.iter().any(|(name, definition)| {
            match (self.properties.get(name), definition) {
                (None, _) => true,
                (Some(Definition::Object(present)), Definition::Object(other)) => {
                    present.lacks_any_of(other)
                }
                (Some(Definition::Leaf(present)), Definition::Leaf(other)) => {
                    other.fields.keys().any(|name| !present.fields.contains_key(name))
                }
                _ => false,
            }
        })
    }

    fn merge(&mut self, other: Self, path: &str) -> Result<(), Exception> {
        // A body without a type says nothing about it, so it fits a nested object as well.
        if other.nested && !self.nested && !path.is_empty() {
            return Err(Exception::illegal_argument(format!(
                "object mapping [{path}] can't be changed from non-nested to nested"
            )));
        }
        if other.plain && self.nested {
            return Err(Exception::illegal_argument(format!(
                "object mapping [{path}] can't be changed from nested to non-nested"
            )));
        }
        if let (Some(enabled), false) = (other.enabled, path.is_empty())
            && enabled != self.enabled.unwrap_or(true)
        {
            return Err(Exception::illegal_argument(format!(
                "the [enabled] parameter can't be updated for the object mapping [{path}]"
            )));
        }
        replace(&mut self.enabled, other.enabled);
        replace(&mut self.dynamic, other.dynamic);
        self.parameters.extend(other.parameters);
        for (name, definition) in other.properties {
            match self.properties.get_mut(&name) {
                Some(present) => present.merge(definition, &join(path, &name))?,
                None => {
                    self.properties.insert(name, definition);
                }
            }
        }
        Ok(())
    }
}

impl Definition {
    /// Adds what another definition of the same path says.
    pub(super) fn merge(&mut self, other: Self, path: &str) -> Result<(), Exception> {
        match (self, other) {
            (Self::Object(present), Self::Object(other)) => present.merge(other, path),
            (Self::Leaf(present), Self::Leaf(other)) => present.merge(other, path),
            (Self::Alias(present), Self::Alias(other)) => {
                *present = other;
                Ok(())
            }
            (Self::Object(_), _) => Err(Exception::illegal_argument(format!(
                "can't merge an object mapping [{path}] with a non object mapping"
            ))),
            (_, Self::Object(_)) => Err(Exception::illegal_argument(format!(
                "can't merge a non object mapping [{path}] with an object mapping"
            ))),
            (Self::Leaf(present), Self::Alias(_)) => {
                Err(other_type(path, present.of.as_str(), "alias"))
            }
            (Self::Alias(_), Self::Leaf(other)) => {
                Err(other_type(path, "alias", other.of.as_str()))
            }
        }
    }
}

impl Leaf {
    fn merge(&mut self, other: Self, path: &str) -> Result<(), Exception> {
        if self.of != other.of {
            return Err(other_type(path, self.of.as_str(), other.of.as_str()));
        }
        let names = self.parameters.keys().chain(other.parameters.keys());
        let mut conflicts = Vec::new();
        for name in names.filter(|name| !FieldType::may_change(name)) {
            let (before, after) = (self.effective(name), other.effective(name));
            let conflict = format!(
                "\tCannot update parameter [{name}] from [{}] to [{}]",
                plain(&before),
                plain(&after)
            );
            if before != after && !conflicts.contains(&conflict) {
                conflicts.push(conflict);
            }
        }
        if !conflicts.is_empty() {
            return Err(Exception::illegal_argument(format!(
                "Mapper for [{path}] conflicts with existing mapper:\n{}",
                conflicts.join("\n")
            )));
        }
        self.parameters = other.parameters;
        for (name, leaf) in other.fields {
            match self.fields.get_mut(&name) {
                Some(present) => present.merge(leaf, &join(path, &name))?,
                None => {
                    self.fields.insert(name, leaf);
                }
            }
        }
        Ok(())
    }

    /// Returns what a parameter is, also when nothing was said of it.
    fn effective(&self, name: &str) -> Value {
        if let Some(value) = self.parameters.get(name) {
            return value.clone();
        }
        match name {
            "index" => true.into(),
            "doc_values" => (!matches!(self.of, FieldType::Wildcard | FieldType::Binary)).into(),
            "store" | "index_phrases" | "use_similarity" => false.into(),
            "analyzer" => "standard".into(),
            "format" => "strict_date_optional_time||epoch_millis".into(),
            "index_options" if self.of == FieldType::Text => "positions".into(),
            "index_options" => "docs".into(),
            "term_vector" => "no".into(),
            "position_increment_gap" => 100.into(),
            "similarity" => "BM25".into(),
            _ => Value::Null,
        }
    }
}

fn other_type(path: &str, before: &str, after: &str) -> Exception {
    Exception::illegal_argument(format!(
        "mapper [{path}] cannot be changed from type [{before}] to [{after}]"
    ))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
