//! The settings as they were written: the file and the environment in one tree, each value with its
//! origin.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::origin::{Lines, Origin, Remark};

/// What the names of variables that stand for a key begin with.
pub(super) const VARIABLE_PREFIX: &str = "PAMPERO_";

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Where the value begins.
    pub(super) origin: Origin,
    /// Where its key begins; the same as `origin` for the members of a list.
    pub(super) key_origin: Origin,
    /// What a variable held, word for word; `None` for what the file says.
    pub(super) text: Option<String>,
}

/// A value by its TOML type.
#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Table),
}

/// Keys and their values.
pub(super) type Table = BTreeMap<String, Node>;

/// Reads a file; what could not be read is left out and becomes a problem.
pub(super) fn parse(text: &str, problems: &mut Vec<Remark>) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::of(text);
    problems.extend(errors.into_iter().map(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        // Only the message, never the line itself: it may hold a key.
        let what = format!("this is not TOML: {}", error.message());
        Remark { origin: lines.origin(offset), key: String::new(), what }
    }));
    table_of(table.get_ref(), &|offset| lines.origin(offset))
}

/// Puts the value of a variable into the place of the tree that its name stands for.
///
/// Two underscores stand between levels, as in `PAMPERO_SERVER__LISTEN`. The value is read as TOML,
/// and as a plain text when it is none.
pub(super) fn overlay(tree: &mut Table, variable: &str, text: &str, problems: &mut Vec<Remark>) {
    let Some(path) = variable.strip_prefix(VARIABLE_PREFIX) else { return };
    let path = path.to_lowercase();
    let mut keys: Vec<&str> = path.split("__").collect();
    let Some(last) = keys.pop() else { return };
    let origin = Origin::Variable(variable.to_owned());
    let mut table = tree;
    for key in keys {
        let node = table.entry(key.to_owned()).or_insert_with(|| Node {
            value: Value::Table(Table::new()),
            origin: origin.clone(),
            key_origin: origin.clone(),
            text: None,
        });
        let Value::Table(inner) = &mut node.value else {
            let what = format!("{key} is no table, so no variable can reach into it");
            problems.push(Remark { origin, key: String::new(), what });
            return;
        };
        table = inner;
    }
    let value = match DeValue::parse(text) {
        Ok(value) => value_of(value.get_ref(), &|_| origin.clone()),
        Err(_) => Value::String(text.to_owned()),
    };
    let key_origin = origin.clone();
    table.insert(last.to_owned(), Node { value, origin, key_origin, text: Some(text.to_owned()) });
}

fn table_of(table: &DeTable<'_>, place: &dyn Fn(usize) -> Origin) -> Table {
    let members = table.iter().map(|(key, value)| {
        let node = node_of(value, place(key.span().start), place);
        (key.get_ref().to_string(), node)
    });
    members.collect()
}

fn node_of(
    value: &Spanned<DeValue<'_>>,
    key_origin: Origin,
    place: &dyn Fn(usize) -> Origin,
) -> Node {
    let origin = place(value.span().start);
    Node { value: value_of(value.get_ref(), place), origin, key_origin, text: None }
}

fn value_of(value: &DeValue<'_>, place: &dyn Fn(usize) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => Value::Integer(
            i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX),
        ),
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(members) => Value::Array(
            members
                .iter()
                .map(|member| node_of(member, place(member.span().start), place))
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(table_of(table, place)),
    }
}
