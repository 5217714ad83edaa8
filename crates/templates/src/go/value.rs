//! The values that pipelines pass on.

use std::borrow::Cow;

use super::Data;

/// The fields of the data, and how many further fields may follow each.
pub(super) const DATA_FIELDS: [(&str, usize); 4] =
    [("Labels", 1), ("ExternalLabels", 1), ("ExternalURL", 0), ("Value", 0)];

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'r> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'r, str>),
    /// Names and values, in the order of the names.
    Labels(&'r [(&'r str, &'r str)]),
    /// What the template is rendered over.
    Data(Data<'r>),
}

impl<'r> Value<'r> {
    /// Returns the name of the type in Go.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Data(_) => {
                "struct { Labels map[string]string; ExternalLabels map[string]string; \
                 ExternalURL string; Value float64 }"
            }
        }
    }

    /// Returns whether it is not the zero of its type.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(is_true) => *is_true,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Labels(labels) => !labels.is_empty(),
            Self::Data(_) => true,
        }
    }

    /// Returns a field of it. A label that is not there is empty.
    ///
    /// # Errors
    /// It has no such field, or none at all.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match (self, name) {
            (Self::Labels(labels), _) => Ok(Self::Text(Cow::Borrowed(label(labels, name)))),
            (Self::Data(data), "Labels") => Ok(Self::Labels(data.labels)),
            (Self::Data(data), "ExternalLabels") => Ok(Self::Labels(data.external_labels)),
            (Self::Data(data), "ExternalURL") => Ok(Self::Text(Cow::Borrowed(data.external_url))),
            (Self::Data(data), "Value") => Ok(Self::Float(data.value)),
            _ => Err(format!("a {} has no field {name}", self.type_name())),
        }
    }
}

/// Returns the value of a label; empty if it is not there.
pub(super) fn label<'r>(labels: &[(&'r str, &'r str)], name: &str) -> &'r str {
    labels.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}
