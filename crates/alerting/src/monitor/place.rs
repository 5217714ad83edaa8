//! A value of a document and where it stands, so that what is wrong with it can be found.

use serde_json::{Map, Value};

use super::error::{MonitorError, MonitorErrorKind};

/// A value and its JSON pointer.
#[derive(Clone, Debug)]
pub(crate) struct Place<'v> {
    pub(crate) value: &'v Value,
    pub(crate) pointer: String,
}

impl<'v> Place<'v> {
    /// The whole of a document.
    pub(crate) fn whole(value: &'v Value) -> Self {
        Self { value, pointer: String::new() }
    }

    /// The name that a refusal calls it by: its last member.
    fn name(&self) -> &str {
        self.pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default()
    }

    pub(crate) fn refuse(&self, reason: impl Into<String>) -> MonitorError {
        MonitorError::at(&self.pointer, reason)
    }

    fn expected(&self, what: &str) -> MonitorError {
        let name = if self.name().is_empty() { "monitor" } else { self.name() };
        let reason = format!("[{name}] must be {what}, and is {}", kind_of(self.value));
        self.refuse(reason).of(MonitorErrorKind::Parsing)
    }

    /// Returns a member; `None` when it is missing or null.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// Returns a member that must be there.
    pub(crate) fn need(&self, key: &str, reason: &str) -> Result<Self, MonitorError> {
        self.get(key).ok_or_else(|| self.refuse(reason))
    }

    fn child(&self, key: &str, value: &'v Value) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { value, pointer: format!("{}/{key}", self.pointer) }
    }

    pub(crate) fn object(&self) -> Result<&'v Map<String, Value>, MonitorError> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// Returns the members that are not null.
    pub(crate) fn members(&self) -> Result<Vec<(&'v str, Self)>, MonitorError> {
        let object = self.object()?;
        let present = object.iter().filter(|(_, value)| !value.is_null());
        Ok(present.map(|(key, value)| (key.as_str(), self.child(key, value))).collect())
    }

    /// Refuses members that are not among `known`, naming what they may be.
    pub(crate) fn only(&self, known: &[&str], what: &str) -> Result<(), MonitorError> {
        for (key, place) in self.members()? {
            if !known.contains(&key) {
                let list = known.join(", ");
                let reason = format!("Unknown field [{key}] in {what}; known are [{list}]");
                return Err(place.refuse(reason));
            }
        }
        Ok(())
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>, MonitorError> {
        let list = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        let item = |(index, value): (usize, &'v Value)| self.child(&index.to_string(), value);
        Ok(list.iter().enumerate().map(item).collect())
    }

    pub(crate) fn text(&self) -> Result<&'v str, MonitorError> {
        self.value.as_str().ok_or_else(|| self.expected("a text"))
    }

    /// Returns a text that has at least one character and at most `chars_max`.
    pub(crate) fn filled_text(&self, chars_max: usize) -> Result<&'v str, MonitorError> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err(self.refuse(format!("[{}] must not be empty", self.name())));
        }
        self.check_length(text, chars_max)?;
        Ok(text)
    }

    pub(crate) fn check_length(&self, text: &str, chars_max: usize) -> Result<(), MonitorError> {
        let count = text.chars().count();
        if count <= chars_max {
            return Ok(());
        }
        let name = self.name();
        Err(self.refuse(format!("[{name}] has {count} characters, and may have {chars_max}")))
    }

    pub(crate) fn boolean(&self) -> Result<bool, MonitorError> {
        match self.value {
            Value::Bool(value) => Ok(*value),
            // OpenSearch's reader takes these texts as well.
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(self.expected("true or false")),
        }
    }

    pub(crate) fn whole_number(&self) -> Result<i64, MonitorError> {
        self.value.as_i64().ok_or_else(|| self.expected("a whole number"))
    }
}

/// Returns what a value is, as a person would say it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
