//! Looks values up by their names, and writes them.

use std::borrow::Cow;

use serde_json::Value;

use crate::RenderError;
use crate::budget::{Bounded, Budget};

/// What names are looked up in, the innermost context last.
pub(super) type Contexts<'d> = Vec<Cow<'d, Value>>;

/// Returns the value of a name: that of the innermost context that has one; `None` when none has.
pub(super) fn look_up<'d>(
    contexts: &Contexts<'d>,
    name: &str,
    budget: &mut Budget,
) -> Result<Option<Cow<'d, Value>>, RenderError> {
    if name == "." {
        return Ok(contexts.last().cloned());
    }
    for context in contexts.iter().rev() {
        budget.step(1)?;
        // A context that is made, as the number of items, has no members.
        let Cow::Borrowed(value) = context else { continue };
        if let Some(found) = member(value, name) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Follows the parts of `name` from `value` on.
///
/// The longest part that is a key of an object counts, since fields of log lines have dots in their keys.
fn member<'d>(value: &'d Value, name: &str) -> Option<Cow<'d, Value>> {
    let mut value = value;
    let mut rest = name;
    loop {
        let (next, after) = match value {
            Value::Object(members) => {
                prefixes(rest).find_map(|(key, after)| Some((members.get(key)?, after)))?
            }
            Value::Array(items) => {
                let (key, after) = rest.split_once('.').unwrap_or((rest, ""));
                if matches!(key, "size" | "length") {
                    let count = Cow::Owned(Value::from(items.len()));
                    return after.is_empty().then_some(count);
                }
                (items.get(key.parse::<usize>().ok()?)?, after)
            }
            _ => return None,
        };
        if after.is_empty() {
            return Some(Cow::Borrowed(next));
        }
        (value, rest) = (next, after);
    }
}

/// Returns `name` with nothing behind it, then cut at its dots from the last one to the first.
fn prefixes(name: &str) -> impl Iterator<Item = (&str, &str)> {
    let cuts = name.rmatch_indices('.').map(move |(at, _)| (&name[..at], &name[at + 1..]));
    std::iter::once((name, "")).chain(cuts)
}

/// Returns whether a section about it is written.
///
/// Numbers are, even 0, and so is an empty object. Source: mustache.java, `BaseObjectHandler`.
pub(super) fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_true) => *is_true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Number(_) | Value::Object(_) => true,
    }
}

/// Returns a value as text: nothing for null, compact JSON for objects and lists.
pub(super) fn text_of<'v>(
    value: &'v Value,
    budget: &mut Budget,
) -> Result<Cow<'v, str>, RenderError> {
    let text = match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Array(_) | Value::Object(_) => Cow::Owned(json(value, budget)?),
    };
    budget.text(text.len())?;
    Ok(text)
}

fn json(value: &Value, budget: &Budget) -> Result<String, RenderError> {
    let bytes_max = budget.bytes_max();
    let mut out = Bounded::new(bytes_max);
    // Writing is all that can fail, and it fails for want of room only.
    serde_json::to_writer(&mut out, value).map_err(|_| RenderError::TooLong { bytes_max })?;
    String::from_utf8(out.into_bytes()).map_err(|error| RenderError::Failed(error.to_string()))
}
