//! The forms of settings: flat names with dots, and objects inside one another.

use pampero_opensearch::Exception;
use serde_json::{Map, Value, json};

/// Reads settings in any of their forms (flat, nested, with or without `index.`) into flat ones whose
/// values are strings, lists of strings, or `null`.
///
/// # Errors
/// It is no object, or a list holds more than plain values.
pub fn flatten_index_settings(settings: &Value) -> Result<Map<String, Value>, Exception> {
    let flat = flatten_settings(settings)?;
    let prefixed = flat.into_iter().map(|(name, value)| {
        let whole = if name.starts_with("index.") { name } else { format!("index.{name}") };
        (whole, value)
    });
    Ok(prefixed.collect())
}

/// Reads settings, nested or not, into flat ones; nothing is put before their names.
///
/// # Errors
/// As [`flatten_index_settings`].
pub fn flatten_settings(settings: &Value) -> Result<Map<String, Value>, Exception> {
    let mut flat = Map::new();
    match settings {
        Value::Null => {}
        Value::Object(object) => {
            for (name, value) in object {
                flatten_into(&mut flat, name, value)?;
            }
        }
        _ => return Err(Exception::illegal_argument("settings must be an object")),
    }
    Ok(flat)
}

fn flatten_into(flat: &mut Map<String, Value>, name: &str, value: &Value) -> Result<(), Exception> {
    let read = match value {
        Value::Object(object) => {
            for (inner, value) in object {
                flatten_into(flat, &format!("{name}.{inner}"), value)?;
            }
            return Ok(());
        }
        Value::Null => Value::Null,
        Value::Array(items) => {
            let texts: Result<Vec<Value>, Exception> = items
                .iter()
                .map(|item| match plain(item) {
                    Some(text) => Ok(Value::String(text)),
                    None => Err(Exception::illegal_argument(format!(
                        "setting [{name}] has a list with more than plain values"
                    ))),
                })
                .collect();
            Value::Array(texts?)
        }
        other => Value::String(plain(other).unwrap_or_default()),
    };
    flat.insert(name.to_owned(), read);
    Ok(())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

/// Puts flat settings into the nested form in which they are shown.
pub fn nest_settings(flat: &Map<String, Value>) -> Value {
    let mut nested = Map::new();
    for (name, value) in flat {
        nest_into(&mut nested, name, value);
    }
    Value::Object(nested)
}

fn nest_into(object: &mut Map<String, Value>, name: &str, value: &Value) {
    let Some((first, rest)) = name.split_once('.') else {
        object.insert(name.to_owned(), value.clone());
        return;
    };
    let inner = object.entry(first).or_insert_with(|| json!({}));
    match inner.as_object_mut() {
        Some(inner) => nest_into(inner, rest, value),
        // `a` has a value of its own, so that `a.b` keeps its dot.
        None => {
            object.insert(name.to_owned(), value.clone());
        }
    }
}
