//! Monitors as definitions in files.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::error::DefinitionError;
use super::shelf::{Kind, Refusal};
use crate::monitor::Monitor;

/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Longest id that is made of a name, so that a number finds room behind it.
const MADE_BYTES_MAX: usize = 60;

/// The kind of definitions that monitors are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monitors;

impl Kind for Monitors {
    type Item = Arc<Monitor>;

    const FOLDER: &'static str = "monitors";
    const SWITCH: &'static str = "enabled";

    fn check_id(&self, id: &str) -> Result<(), DefinitionError> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || ID_BYTES_MAX < id.len() || !id.bytes().all(is_fine) {
            return Err(DefinitionError::BadId { id: id.chars().take(ID_BYTES_MAX).collect() });
        }
        Ok(())
    }

    fn read_file(&self, id: &str, document: &Value, _: Timestamp) -> Result<Self::Item, Refusal> {
        let monitor = Monitor::from_json(&with_ids(id, document))
            .map_err(|error| Refusal { reason: error.reason, pointer: error.pointer })?;
        Ok(Arc::new(monitor))
    }

    fn read_given(
        &self,
        _: &str,
        document: &Value,
        _: Option<&Self::Item>,
        _: Timestamp,
    ) -> Result<Self::Item, DefinitionError> {
        Monitor::from_json(document).map(Arc::new).map_err(DefinitionError::Monitor)
    }

    fn text(&self, item: &Self::Item) -> String {
        item.to_file_text()
    }

    fn must_rewrite(&self, _: &Value, _: &Self::Item) -> bool {
        false
    }

    fn is_enabled(&self, item: &Self::Item) -> bool {
        item.is_enabled()
    }

    fn forget(&self, _: &str) {}

    fn not_found(&self, id: &str) -> DefinitionError {
        DefinitionError::MonitorNotFound { id: id.to_owned() }
    }
}

/// Gives triggers and actions of a file that have no ids such as do not change from one reading to the
/// next, by their positions: alerts go by these ids.
fn with_ids(id: &str, document: &Value) -> Value {
    let mut document = document.clone();
    let Some(triggers) = document.get_mut("triggers").and_then(Value::as_array_mut) else {
        return document;
    };
    for (number, trigger) in triggers.iter_mut().enumerate() {
        let bare = match trigger.get("query_level_trigger") {
            Some(_) => &mut trigger["query_level_trigger"],
            None => trigger,
        };
        give_id(bare, &format!("{id}-{}", number + 1));
        let Some(actions) = bare.get_mut("actions").and_then(Value::as_array_mut) else { continue };
        for (number, action) in actions.iter_mut().enumerate() {
            give_id(action, &format!("action-{}", number + 1));
        }
    }
    document
}

fn give_id(value: &mut Value, id: &str) {
    if let Some(members) = value.as_object_mut()
        && members.get("id").is_none_or(Value::is_null)
    {
        members.insert("id".to_owned(), Value::from(id));
    }
}

/// Makes an id of a name that is not taken: `Error Weather Logs` becomes `error_weather_logs`.
pub(super) fn free_id(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut made = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            made.push(letter.to_ascii_lowercase());
        } else if !made.is_empty() && !made.ends_with('_') {
            made.push('_');
        }
        if MADE_BYTES_MAX <= made.len() {
            break;
        }
    }
    let made = match made.trim_end_matches('_') {
        "" => "monitor",
        made => made,
    };
    let numbered = (2_u64..).map(|number| format!("{made}_{number}"));
    let mut candidates = std::iter::once(made.to_owned()).chain(numbered);
    candidates.find(|id| !is_taken(id)).unwrap_or_else(|| made.to_owned())
}
