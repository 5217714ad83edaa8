//! The options of one aggregation, read by name with OpenSearch's words for what does not fit.

use serde_json::{Map, Value};

use super::ValuesSource;
use crate::{Exception, ExceptionKind};

/// The options of one aggregation.
pub(super) struct Options<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its type.
    pub(super) kind: &'a str,
    values: &'a Map<String, Value>,
}

impl<'a> Options<'a> {
    pub(super) fn new(name: &'a str, kind: &'a str, values: &'a Map<String, Value>) -> Self {
        Self { name, kind, values }
    }

    /// Refuses every option that is not in the list; scripts by their own name.
    pub(super) fn allow(&self, known: &[&str]) -> Result<(), Exception> {
        for key in self.values.keys() {
            if known.contains(&key.as_str()) {
                continue;
            }
            if key == "script" {
                return Err(Exception::unsupported(format_args!(
                    "[script] in aggregation [{}]",
                    self.kind
                )));
            }
            let hint = nearest(key, known.iter().copied());
            return Err(Exception::new(
                ExceptionKind::XContentParse,
                format!("[{}] unknown field [{key}]{hint}", self.kind),
            ));
        }
        Ok(())
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    /// Reads a string, or a number or boolean as its spelling.
    pub(super) fn spelling(&self, key: &str) -> Result<Option<String>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(other) => Err(self.wrong(key, "a value", other)),
        }
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match read_number(value) {
                Some(number) => Ok(Some(number)),
                None => Err(self.wrong(key, "a number", value)),
            },
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => {
                let read = match value {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_i64(),
                };
                match read {
                    Some(number) => Ok(Some(number)),
                    None => Err(self.wrong(key, "an integer", value)),
                }
            }
        }
    }

    /// Reads an integer that is not below `least`.
    pub(super) fn count(&self, key: &str, least: i64) -> Result<Option<usize>, Exception> {
        let Some(number) = self.integer(key)? else { return Ok(None) };
        if number < least {
            let bound =
                if least == 0 { "0 or greater".to_owned() } else { "greater than 0".to_owned() };
            return Err(Exception::illegal_argument(format!(
                "[{key}] must be {bound}. Found [{number}] in [{}]",
                self.name
            )));
        }
        Ok(Some(usize::try_from(number).unwrap_or(usize::MAX)))
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(other) => Err(self.wrong(key, "a boolean", other)),
        }
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<&'a Map<String, Value>>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(other) => Err(self.wrong(key, "an object", other)),
        }
    }

    pub(super) fn array(&self, key: &str) -> Result<Option<&'a Vec<Value>>, Exception> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(other) => Err(self.wrong(key, "an array", other)),
        }
    }

    /// Reads `field`, `missing` and `format`.
    pub(super) fn source(&self) -> Result<ValuesSource, Exception> {
        let Some(field) = self.text("field")? else {
            return Err(Exception::illegal_argument(
                "Required one of fields [field, script], but none were specified. ",
            ));
        };
        Ok(ValuesSource {
            field: field.to_owned(),
            missing: self.missing()?,
            format: self.text("format")?.map(str::to_owned),
        })
    }

    fn missing(&self) -> Result<Option<Value>, Exception> {
        match self.get("missing") {
            Some(value @ (Value::Object(_) | Value::Array(_))) => {
                Err(self.wrong("missing", "a value", value))
            }
            other => Ok(other.cloned()),
        }
    }

    pub(super) fn wrong(&self, key: &str, wanted: &str, found: &Value) -> Exception {
        let kind = self.kind;
        let cause = Exception::illegal_argument(format!(
            "[{key}] must be {wanted}, but a [{}] was found",
            token(found)
        ));
        let reason = format!("[{kind}] failed to parse field [{key}]");
        Exception::new(ExceptionKind::XContentParse, reason).caused_by(cause)
    }
}

/// Reads a number, or a string that holds one.
pub(super) fn read_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| !number.is_nan()),
        _ => None,
    }
}

/// Returns the name that OpenSearch's parser has for a value.
pub(super) fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// Returns ` did you mean [x]?` for the nearest known name, or nothing when none is near.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|it| (strsim::levenshtein(name, it), it))
        .filter(|(distance, it)| *distance <= it.len().max(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance);
    near.map_or_else(String::new, |(_, it)| format!(" did you mean [{it}]?"))
}
