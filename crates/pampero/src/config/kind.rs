//! How values are written: each kind reads a value, says what is wrong with it, and writes it back.

mod duration;
mod map;
mod number;
mod rate;
mod text;

use std::fmt::Display;

use super::tree::{Node, Value};

pub(super) use duration::duration;
pub(super) use map::texts;
pub(super) use number::{boolean, count, number, size};
pub(super) use rate::rate;
pub(super) use text::{address, host, list, nearest, one_of, parsed, path, url, web_origin};

/// Reads a value, or says what is wrong with it and what to write instead.
type ReadValue<T> = Box<dyn Fn(&Node) -> Result<T, String>>;

/// A kind of value.
pub(super) struct Kind<T> {
    /// What it is called in the reference, as in `duration`.
    pub(super) name: String,
    /// Reads a value, or says what is wrong with it and what to write instead.
    pub(super) read: ReadValue<T>,
    /// Writes a value as TOML.
    pub(super) show: Box<dyn Fn(&T) -> String>,
}

impl<T> Kind<T> {
    pub(super) fn new(
        name: impl Into<String>,
        read: impl Fn(&Node) -> Result<T, String> + 'static,
        show: impl Fn(&T) -> String + 'static,
    ) -> Self {
        Self { name: name.into(), read: Box::new(read), show: Box::new(show) }
    }
}

/// Returns the text of a value; a variable's value is a text, whatever it looks like.
pub(super) fn text_of(node: &Node) -> Option<&str> {
    match (&node.value, &node.text) {
        (Value::String(text), _) => Some(text),
        (Value::Array(_) | Value::Table(_), _) => None,
        (_, text) => text.as_deref(),
    }
}

/// Says that the value is not of the kind `wanted`, as in `10 has no unit`.
fn not_a(wanted: &str, node: &Node, advice: impl Display) -> String {
    format!("{} is not {wanted}; {advice}", shown(node))
}

/// Writes a value for a message, cut where it gets long.
fn shown(node: &Node) -> String {
    const LENGTH_MAX: usize = 60;
    match &node.value {
        Value::String(text) if LENGTH_MAX < text.chars().count() => {
            let beginning: String = text.chars().take(LENGTH_MAX).collect();
            format!("{beginning:?}…")
        }
        Value::String(text) => format!("{text:?}"),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime => "a date".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// Writes a text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
