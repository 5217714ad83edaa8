//! The values of a running script: borrowed from what it was given where possible, made where not.

use std::ops::Deref;
use std::rc::Rc;

use serde_json::{Map, Value as Json};

use crate::number::Number;
use crate::syntax::Type;

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Text<'a>),
    /// A list that the script was given.
    Array(&'a [Json]),
    /// A map that the script was given.
    Object(&'a Map<String, Json>),
    /// A list that the script made.
    List(Rc<List<'a>>),
    /// A map that the script made.
    Map(Rc<Table<'a>>),
    /// An entry of a map.
    Entry(Rc<(Value<'a>, Value<'a>)>),
}

/// A text, given or made.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Given(&'a str),
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// What a made list stands for, which decides what it can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ListKind {
    List,
    Set,
    Collection,
}

/// A made list.
#[derive(Debug)]
pub(crate) struct List<'a> {
    pub(crate) kind: ListKind,
    pub(crate) items: Vec<Value<'a>>,
    depth: usize,
}

/// A made map, in the order of writing.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) entries: Vec<(Value<'a>, Value<'a>)>,
    depth: usize,
}

/// Why a value does not fit a type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Misfit {
    /// It is `null`, and the type has none.
    Null,
    /// It is of another type.
    Type,
}

impl<'a> Value<'a> {
    pub(crate) fn of_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(boolean) => Self::Boolean(*boolean),
            Json::Number(number) => Self::Number(Number::of_json(number)),
            Json::String(text) => Self::Text(Text::Given(text)),
            Json::Array(items) => Self::Array(items),
            Json::Object(members) => Self::Object(members),
        }
    }

    pub(crate) fn text(text: String) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    pub(crate) fn int(count: usize) -> Self {
        Self::Number(Number::Int(i32::try_from(count).unwrap_or(i32::MAX)))
    }

    pub(crate) fn list(kind: ListKind, items: Vec<Self>) -> Self {
        let depth = 1 + items.iter().map(Self::depth).max().unwrap_or(0);
        Self::List(Rc::new(List { kind, items, depth }))
    }

    pub(crate) fn map(entries: Vec<(Self, Self)>) -> Self {
        let depths = entries.iter().map(|(key, value)| key.depth().max(value.depth()));
        let depth = 1 + depths.max().unwrap_or(0);
        Self::Map(Rc::new(Table { entries, depth }))
    }

    /// Returns how many made values lie in one another here.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Entry(entry) => 1 + entry.0.depth().max(entry.1.depth()),
            _ => 0,
        }
    }

    /// Returns the name of the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(number) => number.type_name(),
            Self::Text(_) => "String",
            Self::Array(_) => "List",
            Self::Object(_) | Self::Map(_) => "Map",
            Self::List(list) => match list.kind {
                ListKind::List => "List",
                ListKind::Set => "Set",
                ListKind::Collection => "Collection",
            },
            Self::Entry(_) => "Map.Entry",
        }
    }

    /// Returns the name of the type with its article.
    pub(crate) fn noun(&self) -> String {
        match self.type_name() {
            "null" => "null".to_owned(),
            "int" => "an int".to_owned(),
            name => format!("a {name}"),
        }
    }

    /// Returns how many items the list has, or `None` if it is no list.
    pub(crate) fn item_count(&self) -> Option<usize> {
        match self {
            Self::Array(items) => Some(items.len()),
            Self::List(list) => Some(list.items.len()),
            _ => None,
        }
    }

    /// Returns an item of a list.
    pub(crate) fn item(&self, index: usize) -> Option<Self> {
        match self {
            Self::Array(items) => items.get(index).map(Self::of_json),
            Self::List(list) => list.items.get(index).cloned(),
            _ => None,
        }
    }

    /// Returns whether it is a list whose items have places.
    pub(crate) fn is_list(&self) -> bool {
        match self {
            Self::Array(_) => true,
            Self::List(list) => list.kind == ListKind::List,
            _ => false,
        }
    }

    /// Returns whether it is of the type; `null` is of none.
    pub(crate) fn is_of(&self, of: Type) -> bool {
        use Type::{
            BoxedBoolean, BoxedDouble, BoxedFloat, BoxedInt, BoxedLong, Collection, Def, Double,
            Entry, Float, Int, Long, Object, Set,
        };
        match (of, self) {
            (_, Self::Null) => false,
            (Def | Object, _) => true,
            (Type::Boolean | BoxedBoolean, Self::Boolean(_)) => true,
            (Int | BoxedInt, Self::Number(Number::Int(_))) => true,
            (Long | BoxedLong, Self::Number(Number::Long(_))) => true,
            (Float | BoxedFloat, Self::Number(Number::Float(_))) => true,
            (Double | BoxedDouble, Self::Number(Number::Double(_))) => true,
            (Type::Number, Self::Number(_)) => true,
            (Type::Text, Self::Text(_)) => true,
            (Collection, Self::Array(_) | Self::List(_)) => true,
            (Type::List, _) => self.is_list(),
            (Set, Self::List(list)) => list.kind == ListKind::Set,
            (Type::Map, Self::Object(_) | Self::Map(_)) => true,
            (Entry, Self::Entry(_)) => true,
            _ => false,
        }
    }

    /// Returns the value as one of the type: what is written out as a cast may lose digits, an assignment
    /// may not.
    pub(crate) fn converted(self, to: Type, cast: bool) -> Result<Self, Misfit> {
        match self {
            Self::Null if to.is_primitive() => Err(Misfit::Null),
            Self::Null => Ok(Self::Null),
            Self::Number(number) if cast || number_fits(number, to) => {
                let number = match to {
                    Type::Int | Type::BoxedInt => Number::Int(number.to_int()),
                    Type::Long | Type::BoxedLong => Number::Long(number.to_long()),
                    Type::Float | Type::BoxedFloat => Number::Float(number.to_float()),
                    Type::Double | Type::BoxedDouble => Number::Double(number.to_double()),
                    Type::Def | Type::Object | Type::Number => number,
                    _ => return Err(Misfit::Type),
                };
                Ok(Self::Number(number))
            }
            other if other.is_of(to) => Ok(other),
            _ => Err(Misfit::Type),
        }
    }

    /// Returns what a variable of the type holds before anything was assigned to it.
    pub(crate) fn initial(of: Type) -> Self {
        match of {
            Type::Boolean => Self::Boolean(false),
            Type::Int => Self::Number(Number::Int(0)),
            Type::Long => Self::Number(Number::Long(0)),
            Type::Float => Self::Number(Number::Float(0.0)),
            Type::Double => Self::Number(Number::Double(0.0)),
            _ => Self::Null,
        }
    }
}

/// Returns whether a number becomes one of the type without a cast.
pub(crate) fn number_fits(number: Number, to: Type) -> bool {
    match to {
        Type::Def | Type::Object | Type::Number | Type::Double | Type::BoxedDouble => true,
        Type::Float | Type::BoxedFloat => !matches!(number, Number::Double(_)),
        Type::Long | Type::BoxedLong => matches!(number, Number::Int(_) | Number::Long(_)),
        Type::Int | Type::BoxedInt => matches!(number, Number::Int(_)),
        _ => false,
    }
}
