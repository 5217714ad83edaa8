//! Reading the options of a clause: which keys there are, and what type their values have.

use serde_json::{Map, Value};

use super::Clause;
use crate::Exception;

/// The options that every clause has.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub(super) boost: f32,
    pub(super) name: Option<String>,
}

impl Default for Common {
    fn default() -> Self {
        Self { boost: 1.0, name: None }
    }
}

impl Common {
    /// Takes `boost` or `_name`, and refuses any other key as an option that `clause` does not have.
    pub(super) fn take(&mut self, clause: &str, key: &str, value: &Value) -> Result<(), Exception> {
        match key {
            "boost" => {
                let boost = float(clause, key, value)?;
                if boost < 0.0 {
                    return Err(Exception::illegal_argument(format!(
                        "negative [boost] are not allowed in [{clause}], use a value between 0 \
                         and 1 to deboost"
                    )));
                }
                self.boost = boost;
            }
            "_name" => self.name = Some(text(clause, key, value)?),
            _ => return Err(unknown(clause, key)),
        }
        Ok(())
    }
}

/// Returns the only key of a query with its value.
pub(super) fn one_key(query: &Value) -> Result<(&str, &Value), Exception> {
    let Some(object) = query.as_object() else {
        return Err(Exception::parsing(
            "[_na] query malformed, must start with start_object".to_owned(),
        ));
    };
    let mut entries = object.iter();
    let Some((name, body)) = entries.next() else {
        return Err(Exception::illegal_argument("query malformed, empty clause found"));
    };
    if !body.is_object() {
        return Err(Exception::parsing(format!(
            "[{name}] query malformed, no start_object after query name"
        )));
    }
    if entries.next().is_some() {
        return Err(Exception::parsing(format!(
            "[{name}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]"
        )));
    }
    Ok((name, body))
}

/// Reads a clause that has no options of its own.
pub(super) fn nothing_else(
    clause: &str,
    body: &Value,
    common: &mut Common,
    read: Clause,
) -> Result<Clause, Exception> {
    for (key, value) in object(clause, body)? {
        common.take(clause, key, value)?;
    }
    Ok(read)
}

/// Returns the field that a clause is about with its options; `boost` and `_name` may stand beside it.
pub(super) fn one_field<'a>(
    clause: &str,
    body: &'a Value,
    common: &mut Common,
) -> Result<(&'a str, &'a Value), Exception> {
    let mut found: Option<(&str, &Value)> = None;
    for (key, value) in object(clause, body)? {
        if matches!(key.as_str(), "boost" | "_name") && !value.is_object() {
            common.take(clause, key, value)?;
            continue;
        }
        if let Some((field, _)) = found {
            return Err(Exception::parsing(format!(
                "[{clause}] query doesn't support multiple fields, found [{field}] and [{key}]"
            )));
        }
        if value.is_array() {
            return Err(Exception::parsing(format!(
                "[{clause}] query does not support array of values"
            )));
        }
        found = Some((key, value));
    }
    let Some((field, value)) = found else {
        return Err(no_field(clause));
    };
    if field.is_empty() {
        return Err(Exception::illegal_argument("field name is null or empty"));
    }
    Ok((field, value))
}

/// Says that a clause names no field.
pub(super) fn no_field(clause: &str) -> Exception {
    Exception::illegal_argument(format!("[{clause}] requires a field name"))
}

/// Says that a clause has no such option.
pub(super) fn unknown(clause: &str, key: &str) -> Exception {
    Exception::parsing(format!("[{clause}] query does not support [{key}]"))
}

/// Says that an option is of the wrong type.
pub(super) fn wrong_type(clause: &str, key: &str, expected: &str, value: &Value) -> Exception {
    Exception::parsing(format!("[{clause}] option [{key}] must be {expected}, found [{value}]"))
}

/// Reads an object.
pub(super) fn object<'a>(
    clause: &str,
    body: &'a Value,
) -> Result<&'a Map<String, Value>, Exception> {
    body.as_object().ok_or_else(|| {
        Exception::parsing(format!("[{clause}] query malformed, no start_object after query name"))
    })
}

/// Reads a scalar as the text that it is written with.
pub(super) fn text(clause: &str, key: &str, value: &Value) -> Result<String, Exception> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(boolean) => Ok(boolean.to_string()),
        other => Err(wrong_type(clause, key, "a string", other)),
    }
}

/// Reads a text that may be `null`.
pub(super) fn optional_text(
    clause: &str,
    key: &str,
    value: &Value,
) -> Result<Option<String>, Exception> {
    if value.is_null() { Ok(None) } else { text(clause, key, value).map(Some) }
}

/// Reads a scalar as it is; `null`, objects and arrays are none.
pub(super) fn scalar(clause: &str, key: &str, value: &Value) -> Result<Value, Exception> {
    match value {
        Value::Null => Err(Exception::illegal_argument("value cannot be null")),
        Value::Array(_) | Value::Object(_) => Err(wrong_type(clause, key, "a single value", value)),
        other => Ok(other.clone()),
    }
}

/// Reads a boolean, also as `"true"` and `"false"`.
pub(super) fn boolean(clause: &str, key: &str, value: &Value) -> Result<bool, Exception> {
    match value {
        Value::Bool(boolean) => Ok(*boolean),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(Exception::illegal_argument(format!(
            "[{clause}] option [{key}]: Failed to parse value [{}] as only [true] or [false] are \
             allowed.",
            other.as_str().map_or_else(|| other.to_string(), str::to_owned)
        ))),
    }
}

/// Reads a finite number, also from a text.
pub(super) fn float(clause: &str, key: &str, value: &Value) -> Result<f32, Exception> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = number.map(|number| number as f32).filter(|number| number.is_finite());
    number.ok_or_else(|| wrong_type(clause, key, "a number", value))
}

/// Reads a whole number from 0, also from a text.
pub(super) fn count(clause: &str, key: &str, value: &Value) -> Result<u32, Exception> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let number = number.and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| wrong_type(clause, key, "a whole number from 0", value))
}
