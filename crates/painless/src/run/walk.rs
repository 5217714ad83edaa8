//! Walks through whole values: whether two are equal, how one is written, how it is in JSON.
//!
//! A value that was made may hold another many times, so that every step of a walk is counted.

use serde_json::{Map, Value as Json};

use crate::RunError;
use crate::value::Value;

use super::budget::Budget;

/// How deep a walk goes; JSON that was parsed has at most 128 levels, and what is made at most 100.
const LEVELS_MAX: usize = 256;

fn enter(level: usize, budget: &mut Budget) -> Result<usize, RunError> {
    budget.spend(1)?;
    if level >= LEVELS_MAX {
        return Err(RunError::Failed(format!("a value has more than {LEVELS_MAX} levels")));
    }
    Ok(level + 1)
}

/// Returns what `equals` of Java says.
pub(super) fn equals(
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, RunError> {
    equals_at(left, right, 0, budget)
}

fn equals_at(
    left: &Value<'_>,
    right: &Value<'_>,
    level: usize,
    budget: &mut Budget,
) -> Result<bool, RunError> {
    let level = enter(level, budget)?;
    match (left, right) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::Boolean(left), Value::Boolean(right)) => Ok(left == right),
        (Value::Number(left), Value::Number(right)) => Ok(left.equals(*right)),
        (Value::Text(left), Value::Text(right)) => {
            budget.look_through(left)?;
            Ok(**left == **right)
        }
        (Value::Entry(left), Value::Entry(right)) => {
            Ok(equals_at(&left.0, &right.0, level, budget)?
                && equals_at(&left.1, &right.1, level, budget)?)
        }
        (Value::Object(_) | Value::Map(_), Value::Object(_) | Value::Map(_)) => {
            maps_equal(left, right, level, budget)
        }
        _ => lists_equal(left, right, level, budget),
    }
}

/// Compares lists by their items in order, and sets without order; the values of a map equal nothing.
fn lists_equal(
    left: &Value<'_>,
    right: &Value<'_>,
    level: usize,
    budget: &mut Budget,
) -> Result<bool, RunError> {
    let (Some(count), Some(right_count)) = (left.item_count(), right.item_count()) else {
        return Ok(false);
    };
    let kinds = (left.type_name(), right.type_name());
    if kinds.0 != kinds.1 || kinds.0 == "Collection" || count != right_count {
        return Ok(false);
    }
    for index in 0..count {
        let item = left.item(index).unwrap_or(Value::Null);
        let found = match kinds.0 {
            "Set" => position_at(right, &item, level, budget)?.is_some(),
            _ => {
                let other = right.item(index).unwrap_or(Value::Null);
                equals_at(&item, &other, level, budget)?
            }
        };
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps_equal(
    left: &Value<'_>,
    right: &Value<'_>,
    level: usize,
    budget: &mut Budget,
) -> Result<bool, RunError> {
    if entry_count(left) != entry_count(right) {
        return Ok(false);
    }
    for (key, value) in entries(left, budget)? {
        let Some(other) = lookup(right, &key, budget)? else {
            return Ok(false);
        };
        if !equals_at(&value, &other, level, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the place of an item in a list or set.
pub(super) fn position(
    list: &Value<'_>,
    wanted: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<usize>, RunError> {
    position_at(list, wanted, 0, budget)
}

fn position_at(
    list: &Value<'_>,
    wanted: &Value<'_>,
    level: usize,
    budget: &mut Budget,
) -> Result<Option<usize>, RunError> {
    for index in 0..list.item_count().unwrap_or(0) {
        let item = list.item(index).unwrap_or(Value::Null);
        if equals_at(&item, wanted, level, budget)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Returns how many entries a map has, or `None` if it is no map.
pub(super) fn entry_count(map: &Value<'_>) -> Option<usize> {
    match map {
        Value::Object(members) => Some(members.len()),
        Value::Map(map) => Some(map.entries.len()),
        _ => None,
    }
}

fn object_entry<'a>((key, value): (&'a String, &'a Json)) -> (Value<'a>, Value<'a>) {
    (Value::Text(crate::value::Text::Given(key)), Value::of_json(value))
}

/// Returns all entries of a map.
pub(super) fn entries<'a>(
    map: &Value<'a>,
    budget: &mut Budget,
) -> Result<Vec<(Value<'a>, Value<'a>)>, RunError> {
    budget.make_values(entry_count(map).unwrap_or(0).saturating_mul(2))?;
    Ok(match map {
        Value::Object(members) => members.iter().map(object_entry).collect(),
        Value::Map(map) => map.entries.clone(),
        _ => Vec::new(),
    })
}

/// Returns what a map has for the key, or `None` if it has nothing.
pub(super) fn lookup<'a>(
    map: &Value<'a>,
    key: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Value<'a>>, RunError> {
    match map {
        Value::Object(members) => match key {
            Value::Text(name) => {
                budget.look_through(name)?;
                Ok(members.get(&**name).map(Value::of_json))
            }
            _ => Ok(None),
        },
        Value::Map(map) => {
            for (known, value) in &map.entries {
                if equals(known, key, budget)? {
                    return Ok(Some(value.clone()));
                }
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

/// Writes a value as Java does: `[1, 2]`, `{a=1}`, a text without quotes.
pub(super) fn write(
    value: &Value<'_>,
    into: &mut String,
    budget: &mut Budget,
) -> Result<(), RunError> {
    write_at(value, into, 0, budget)
}

fn write_at(
    value: &Value<'_>,
    into: &mut String,
    level: usize,
    budget: &mut Budget,
) -> Result<(), RunError> {
    let level = enter(level, budget)?;
    match value {
        Value::Null => put("null", into, budget),
        Value::Boolean(boolean) => put(&boolean.to_string(), into, budget),
        Value::Number(number) => put(&number.to_string(), into, budget),
        Value::Text(text) => put(text, into, budget),
        Value::Entry(entry) => {
            write_at(&entry.0, into, level, budget)?;
            put("=", into, budget)?;
            write_at(&entry.1, into, level, budget)
        }
        Value::Object(_) | Value::Map(_) => {
            put("{", into, budget)?;
            for (index, (key, value)) in entries(value, budget)?.iter().enumerate() {
                put(if index > 0 { ", " } else { "" }, into, budget)?;
                write_at(key, into, level, budget)?;
                put("=", into, budget)?;
                write_at(value, into, level, budget)?;
            }
            put("}", into, budget)
        }
        Value::Array(_) | Value::List(_) => {
            put("[", into, budget)?;
            for index in 0..value.item_count().unwrap_or(0) {
                put(if index > 0 { ", " } else { "" }, into, budget)?;
                let item = value.item(index).unwrap_or(Value::Null);
                write_at(&item, into, level, budget)?;
            }
            put("]", into, budget)
        }
    }
}

fn put(text: &str, into: &mut String, budget: &mut Budget) -> Result<(), RunError> {
    budget.make(text.len())?;
    into.push_str(text);
    Ok(())
}

/// Returns the value in JSON; an entry is a map of its key and its value.
pub(super) fn into_json(value: &Value<'_>, budget: &mut Budget) -> Result<Json, RunError> {
    into_json_at(value, 0, budget)
}

fn into_json_at(value: &Value<'_>, level: usize, budget: &mut Budget) -> Result<Json, RunError> {
    let level = enter(level, budget)?;
    budget.make_values(1)?;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Boolean(boolean) => Json::Bool(*boolean),
        Value::Number(number) => number.into_json().map_or(Json::Null, Json::Number),
        Value::Text(text) => {
            budget.make(text.len())?;
            Json::String(text.to_string())
        }
        Value::Entry(entry) => {
            let mut members = Map::new();
            members.insert("key".to_owned(), into_json_at(&entry.0, level, budget)?);
            members.insert("value".to_owned(), into_json_at(&entry.1, level, budget)?);
            Json::Object(members)
        }
        Value::Object(_) | Value::Map(_) => {
            let mut members = Map::new();
            for (key, value) in entries(value, budget)? {
                let mut name = String::new();
                write_at(&key, &mut name, level, budget)?;
                members.insert(name, into_json_at(&value, level, budget)?);
            }
            Json::Object(members)
        }
        Value::Array(_) | Value::List(_) => {
            let mut items = Vec::new();
            for index in 0..value.item_count().unwrap_or(0) {
                let item = value.item(index).unwrap_or(Value::Null);
                items.push(into_json_at(&item, level, budget)?);
            }
            Json::Array(items)
        }
    })
}
