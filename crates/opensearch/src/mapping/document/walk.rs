//! The walk over the bytes of a document: each name is looked up once, where it stands.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::super::parameters::{FieldType, plain};
use super::super::reader::{Child, ObjectReader};
use super::super::value::{Scalar, start_object};
use super::flat::read_flat;
use super::{Found, Scope, State, Target, failed, follow};
use crate::{Exception, ExceptionKind};

/// Goes over a whole document.
pub(super) fn walk(state: &mut State<'_>, text: &str) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let scope = Scope::of(&state.compiled.root);
    (&mut json).deserialize_map(RootVisitor { state, scope })?;
    json.end()
}

/// The names that an object has had so far.
#[derive(Default)]
struct Seen<'de> {
    /// Places of mapped names, one bit each.
    mapped: u64,
    /// Places from 64.
    mapped_far: HashSet<usize>,
    others: HashSet<Cow<'de, str>>,
}

impl Seen<'_> {
    /// Notes a mapped name; `false` when it was there before.
    fn note(&mut self, place: usize) -> bool {
        if place >= 64 {
            return self.mapped_far.insert(place);
        }
        let bit = 1 << place;
        let fresh = self.mapped & bit == 0;
        self.mapped |= bit;
        fresh
    }
}

/// A name in a document, looked up while it is read.
enum Key<'de, 'm> {
    Child(usize, &'m Child),
    Other(Cow<'de, str>),
}

struct KeySeed<'m>(Option<&'m ObjectReader>);

impl<'m> KeySeed<'m> {
    fn find<'de>(&self, name: &str) -> Option<Key<'de, 'm>> {
        let (place, child) = self.0?.child(name)?;
        Some(Key::Child(place, child))
    }
}

impl<'de, 'm> DeserializeSeed<'de> for KeySeed<'m> {
    type Value = Key<'de, 'm>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, 'm> Visitor<'de> for KeySeed<'m> {
    type Value = Key<'de, 'm>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(self.find(name).unwrap_or(Key::Other(Cow::Borrowed(name))))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.find(name).unwrap_or_else(|| Key::Other(Cow::Owned(name.to_owned()))))
    }
}

/// Reads the members of an object.
fn read_object<'de, 'm, A: MapAccess<'de>>(
    state: &mut State<'m>,
    scope: &Scope<'m>,
    mut map: A,
) -> Result<(), A::Error> {
    let mut seen = Seen::default();
    while let Some(key) = map.next_key_seed(KeySeed(scope.reader))? {
        let found = match key {
            Key::Child(place, child) if seen.note(place) => Found::of(child),
            Key::Child(place, _) => {
                let name = scope.reader.map_or("", |reader| reader.name(place));
                return Err(state.stop(duplicate(name)));
            }
            Key::Other(name) => {
                if seen.others.contains(&name) {
                    return Err(state.stop(duplicate(&name)));
                }
                let found = follow(scope.clone(), &name);
                seen.others.insert(name);
                found
            }
        };
        match found {
            Ok(found) => map.next_value_seed(ValueSeed { state, target: found.target() })?,
            Err(failure) => return Err(state.stop(failure)),
        }
    }
    Ok(())
}

pub(super) fn duplicate(name: &str) -> Exception {
    failed(Exception::new(ExceptionKind::JsonParse, format!("Duplicate field '{name}'")))
}

struct RootVisitor<'s, 'm> {
    state: &'s mut State<'m>,
    scope: Scope<'m>,
}

impl<'de> Visitor<'de> for RootVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if !self.state.compiled.root.enabled {
            return skip(&mut map);
        }
        read_object(self.state, &self.scope, map)
    }
}

/// Passes the members of an object over.
fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads one value, with the values of a list one after the other.
struct ValueSeed<'s, 't, 'm> {
    state: &'s mut State<'m>,
    target: Target<'t, 'm>,
}

impl ValueSeed<'_, '_, '_> {
    fn take<E: Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        match self.state.scalar(self.target, scalar) {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.state.stop(failure)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.target {
            Target::Skip => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_, '_> {
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
        self.take(i64::try_from(value).map_or(Scalar::Unsigned(value), Scalar::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.take(Scalar::Decimal(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.take(Scalar::Text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.state.null(self.target) {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.state.stop(failure)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { state, target } = self;
        while list.next_element_seed(ValueSeed { state: &mut *state, target })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.target {
            Target::Skip => skip(&mut map),
            Target::Object(object) => read_object(self.state, &Scope::of(object), map),
            Target::New(new) => match self.state.introduce_object(new) {
                Ok(Some(scope)) => read_object(self.state, &scope, map),
                Ok(None) => skip(&mut map),
                Err(failure) => Err(self.state.stop(failure)),
            },
            Target::Leaf(leaf) if leaf.of == FieldType::FlatObject => {
                let path = leaf.field.path.to_string();
                read_flat(self.state, leaf, &path, map)
            }
            Target::Leaf(leaf) => {
                let object = Value::deserialize(MapAccessDeserializer::new(map))?;
                let cause = start_object(&leaf.field);
                let failure = self.state.unfit(leaf, &plain(&object), cause);
                Err(self.state.stop(failure))
            }
        }
    }
}
