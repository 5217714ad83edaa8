//! Searches that are answered from memory: monitors and alerts are few, and lie in no index.
//!
//! A [`Catalog`] names the fields that there are. A query of the DSL becomes a [`Filter`] over them, or is
//! refused by the name of what this search does not know; nothing is answered with less than was asked.
//! Every hit scores 1, as those of a filter do.

mod build;
mod filter;
mod order;
mod text;

pub(super) use filter::{Filter, Found};
pub(super) use order::Order;

use pampero_opensearch::Exception;

/// How the values of a field are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FieldKind {
    /// By its words, in lower case; under `.keyword` as a whole.
    Text,
    /// As a whole.
    Keyword,
    /// `true` or `false`.
    Boolean,
    /// By number; times are milliseconds since 1970.
    Number,
}

/// The fields that documents of one kind have.
#[derive(Debug)]
pub(super) struct Catalog {
    /// Dotted paths and what lies there.
    pub(super) fields: &'static [(&'static str, FieldKind)],
    /// What paths of other kinds of documents begin with: they may be asked for and are never there.
    pub(super) absent: &'static [&'static str],
    /// The fields of words that name none.
    pub(super) default_fields: &'static [&'static str],
}

/// A field that a query names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Named {
    /// Its path in a document, without `.keyword`.
    path: String,
    /// How it is compared; `None` where no document has any.
    kind: Option<FieldKind>,
}

impl Catalog {
    /// Finds the field of a dotted path.
    ///
    /// # Errors
    /// There is none; the refusal names those that there are.
    fn named(&self, path: &str) -> Result<Named, Exception> {
        let (bare, is_whole) = match path.strip_suffix(".keyword") {
            Some(bare) => (bare, true),
            None => (path, false),
        };
        if let Some((name, kind)) = self.fields.iter().find(|(name, _)| *name == bare) {
            match (*kind, is_whole) {
                (FieldKind::Text, true) => {
                    let kind = Some(FieldKind::Keyword);
                    return Ok(Named { path: (*name).to_owned(), kind });
                }
                (kind, false) => return Ok(Named { path: (*name).to_owned(), kind: Some(kind) }),
                (_, true) => {}
            }
        }
        if self.absent.iter().any(|prefix| path.starts_with(prefix)) {
            return Ok(Named { path: path.to_owned(), kind: None });
        }
        Err(self.unknown(path))
    }

    /// Tells whether something may lie at a path or under it.
    fn knows_object(&self, path: &str) -> bool {
        let is_above = |name: &str| {
            name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.fields.iter().any(|(name, _)| is_above(name))
    }

    fn unknown(&self, path: &str) -> Exception {
        let names: Vec<String> = self
            .fields
            .iter()
            .map(|(name, kind)| match kind {
                FieldKind::Text => format!("{name}, {name}.keyword"),
                _ => (*name).to_owned(),
            })
            .collect();
        Exception::unsupported(format!("field [{path}]; use one of [{}], which", names.join(", ")))
    }
}

#[cfg(test)]
mod tests;
