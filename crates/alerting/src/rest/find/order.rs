//! In which order hits come.

use std::cmp::Ordering;

use pampero_opensearch::Exception;
use pampero_opensearch::search::{FieldSort, MissingValue, SortKey, SortTarget};
use serde_json::Value;

use super::{Catalog, FieldKind, Found};

/// In which order hits come: by each key in turn, then by id.
#[derive(Clone, Debug, Default)]
pub(in crate::rest) struct Order(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    /// `None` compares scores or places in an index, which are all the same here.
    path: Option<String>,
    descending: bool,
    missing: MissingValue,
}

impl Catalog {
    /// Reads the order that a search asks for.
    ///
    /// # Errors
    /// It asks for a field that there is none of, or that has words in place of a value.
    pub(in crate::rest) fn order(&self, keys: &[SortKey]) -> Result<Order, Exception> {
        keys.iter().map(|key| self.key(key)).collect::<Result<_, _>>().map(Order)
    }

    fn key(&self, key: &SortKey) -> Result<Key, Exception> {
        let descending = key.descending;
        let SortTarget::Field(field) = &key.target else {
            return Ok(Key { path: None, descending, missing: MissingValue::Last });
        };
        let FieldSort { path, missing, mode, format, .. } = field;
        if mode.is_some() || format.is_some() {
            return Err(Exception::unsupported("sort with [mode] or [format]"));
        }
        if path == "_id" {
            return Ok(Key { path: None, descending, missing: MissingValue::Last });
        }
        let named = self.named(path)?;
        if named.kind == Some(FieldKind::Text) {
            return Err(Exception::illegal_argument(format!(
                "Text fields are not optimised for sorting. Please use a keyword field instead: [{path}.keyword]"
            )));
        }
        Ok(Key { path: Some(named.path), descending, missing: missing.clone() })
    }
}

impl Order {
    /// Orders by one path.
    pub(in crate::rest) fn by(path: &str, descending: bool, missing: MissingValue) -> Self {
        Self(vec![Key { path: Some(path.to_owned()), descending, missing }])
    }

    /// Tells whether nothing is asked for.
    pub(in crate::rest) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares two hits.
    pub(in crate::rest) fn compare(&self, one: Found<'_>, other: Found<'_>) -> Ordering {
        for key in &self.0 {
            let ordering = key.compare(key.value(one.source), key.value(other.source));
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        one.id.cmp(other.id)
    }

    /// Returns what a hit is sorted by, for `sort` in the answer.
    pub(in crate::rest) fn values(&self, hit: Found<'_>) -> Vec<Value> {
        let value = |key: &Key| match (&key.path, key.value(hit.source)) {
            (None, _) => Value::from(1.0),
            (Some(_), Some(value)) => value.clone(),
            (Some(_), None) => Value::Null,
        };
        self.0.iter().map(value).collect()
    }
}

impl Key {
    fn value<'d>(&'d self, source: &'d Value) -> Option<&'d Value> {
        let path = self.path.as_deref()?;
        let found = path.split('.').try_fold(source, |value, name| value.get(name));
        match (found.filter(|value| !value.is_null()), &self.missing) {
            (None, MissingValue::Value(value)) => Some(value),
            (found, _) => found,
        }
    }

    fn compare(&self, one: Option<&Value>, other: Option<&Value>) -> Ordering {
        let missing_first = self.missing == MissingValue::First;
        match (one, other) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) if missing_first => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) if missing_first => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(other)) if self.descending => compare(other, one),
            (Some(one), Some(other)) => compare(one, other),
        }
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => text(one).cmp(&text(other)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
