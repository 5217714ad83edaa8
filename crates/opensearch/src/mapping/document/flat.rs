//! Objects of type `flat_object`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::super::FieldValue;
use super::super::definition::check_name;
use super::super::reader::{LeafReader, join};
use super::super::value::{Scalar, check_term};
use super::walk::duplicate;
use super::{State, failed};

/// Reads an object of type `flat_object`: each of its leaves is a whole string, found under its own
/// path and under that of the field.
pub(super) fn read_flat<'de, 'm, A: MapAccess<'de>>(
    state: &mut State<'m>,
    leaf: &'m LeafReader,
    path: &str,
    mut map: A,
) -> Result<(), A::Error> {
    let mut seen = HashSet::new();
    while let Some(name) = map.next_key::<Cow<'de, str>>()? {
        if let Err(failure) = check_name(&name) {
            return Err(state.stop(failed(failure)));
        }
        let inner = join(path, &name);
        if !seen.insert(name) {
            let name = inner.rsplit('.').next().unwrap_or_default();
            return Err(state.stop(duplicate(name)));
        }
        map.next_value_seed(FlatSeed { state, leaf, path: inner.into() })?;
    }
    Ok(())
}

struct FlatSeed<'s, 'm> {
    state: &'s mut State<'m>,
    leaf: &'m LeafReader,
    path: Arc<str>,
}

impl FlatSeed<'_, '_> {
    fn take<E: Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        let text = scalar.text();
        if let Err(cause) = check_term(&self.path, &text) {
            let failure = self.state.unfit(self.leaf, &text, cause);
            return Err(self.state.stop(failure));
        }
        let values = &mut self.state.document.values;
        let whole = Arc::clone(&self.leaf.field.path);
        values.push((whole, FieldValue::Keyword(text.clone().into_owned())));
        values.push((self.path, FieldValue::Keyword(text.into_owned())));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for FlatSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FlatSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.take(Scalar::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.take(Scalar::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.take(Scalar::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.take(Scalar::Decimal(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(Scalar::Text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { state, leaf, path } = self;
        loop {
            let seed = FlatSeed { state: &mut *state, leaf, path: Arc::clone(&path) };
            if list.next_element_seed(seed)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        read_flat(self.state, self.leaf, &self.path, map)
    }
}
