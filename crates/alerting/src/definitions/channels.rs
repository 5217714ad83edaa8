//! Channels as definitions in files.

use std::sync::Arc;

use jiff::Timestamp;
use pampero_notifications::{Channel, ChannelError, Guard, Vault, check_id, file_stem};
use serde_json::Value;
use tracing::warn;

use super::error::DefinitionError;
use super::shelf::{Kind, Refusal};

/// The kind of definitions that channels are.
#[derive(Debug)]
pub(super) struct ChannelFiles {
    pub(super) vault: Arc<dyn Vault>,
    pub(super) guard: Guard,
}

impl Kind for ChannelFiles {
    type Item = Arc<Channel>;

    const FOLDER: &'static str = "channels";
    const SWITCH: &'static str = "is_enabled";

    fn check_id(&self, id: &str) -> Result<(), DefinitionError> {
        check_id(id).map_err(refused)
    }

    fn stem(&self, id: &str) -> String {
        file_stem(id)
    }

    fn id(&self, stem: &str) -> String {
        stem.replace('~', "/")
    }

    fn read_file(&self, id: &str, document: &Value, now: Timestamp) -> Result<Self::Item, Refusal> {
        let channel = Channel::from_file(id, document, &*self.vault, &self.guard, now);
        channel
            .map(Arc::new)
            .map_err(|error| Refusal { reason: error.reason, pointer: "/config".to_owned() })
    }

    fn read_given(
        &self,
        id: &str,
        document: &Value,
        old: Option<&Self::Item>,
        now: Timestamp,
    ) -> Result<Self::Item, DefinitionError> {
        let old = old.map(|old| &**old);
        let channel = Channel::from_json(id, document, old, &*self.vault, &self.guard, now);
        channel.map(Arc::new).map_err(refused)
    }

    fn text(&self, item: &Self::Item) -> String {
        let mut text = serde_json::to_string_pretty(&item.to_file_json()).unwrap_or_default();
        text.push('\n');
        text
    }

    fn must_rewrite(&self, document: &Value, item: &Self::Item) -> bool {
        has_new_reference(&item.to_file_json(), Some(document))
    }

    fn is_enabled(&self, item: &Self::Item) -> bool {
        item.is_enabled
    }

    fn forget(&self, id: &str) {
        if let Err(error) = self.vault.forget(id) {
            warn!(channel.id = id, %error, "the secrets of a channel that was removed are still there");
        }
    }

    fn not_found(&self, id: &str) -> DefinitionError {
        DefinitionError::ChannelNotFound { id: id.to_owned() }
    }
}

fn refused(error: ChannelError) -> DefinitionError {
    DefinitionError::Channel { status: error.kind.status(), reason: error.reason }
}

/// Tells whether a reference to a secret stands where the file has something else, namely the secret.
fn has_new_reference(clean: &Value, written: Option<&Value>) -> bool {
    match clean {
        Value::String(text) if text.starts_with("$env:") || text.starts_with("$file:") => {
            written != Some(clean)
        }
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| has_new_reference(value, written.and_then(|file| file.get(key)))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .any(|(index, item)| has_new_reference(item, written.and_then(|file| file.get(index)))),
        _ => false,
    }
}
