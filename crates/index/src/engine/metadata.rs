//! What an index is besides its documents: name, uuid, settings, fields, and what was lost of it.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use pampero_opensearch::Mapping;
use pampero_opensearch::mapping::FIELDS_MAX;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::disk;

const FILE: &str = "index.json";

/// The file beside an index.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// Milliseconds since 1970.
    pub(crate) created_ms: i64,
    /// Flat, as in `index.refresh_interval`; values are strings.
    pub(crate) settings: Map<String, Value>,
    /// As `GET _mapping` shows it.
    pub(crate) mappings: Value,
    /// What is lost, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) damage: Vec<String>,
}

impl Metadata {
    pub(crate) fn new(
        name: &str,
        uuid: String,
        settings: Map<String, Value>,
        mapping: &Mapping,
        now: Timestamp,
    ) -> Self {
        let created_ms = now.as_millisecond();
        let mut settings = settings;
        settings.insert("index.uuid".to_owned(), uuid.as_str().into());
        settings.insert("index.creation_date".to_owned(), created_ms.to_string().into());
        settings.entry("index.provided_name").or_insert_with(|| name.into());
        let mappings = mapping.to_json();
        Self { name: name.to_owned(), uuid, created_ms, settings, mappings, damage: Vec::new() }
    }

    /// Reads the file in the folder of an index, and the fields it tells of.
    pub(crate) fn read(folder: &Path) -> io::Result<(Self, Mapping)> {
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidData, error);
        let text = fs::read(folder.join(FILE))?;
        let metadata: Self =
            serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        // A limit that was lowered since does not take away what is there.
        let mut mapping = Mapping::from_json_with(&metadata.mappings, usize::MAX)
            .map_err(|refusal| invalid(refusal.reason().to_owned()))?;
        mapping.set_fields_max(fields_max(&metadata.settings));
        Ok((metadata, mapping))
    }

    /// Puts the file in the folder of an index; it is there for good when this returns.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        disk::replace_file(&folder.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Returns whether a folder is that of an index.
    pub(crate) fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }
}

/// Returns how many fields an index with these settings takes.
pub(crate) fn fields_max(settings: &Map<String, Value>) -> usize {
    let said = settings.get("index.mapping.total_fields.limit").and_then(Value::as_str);
    said.and_then(|text| text.parse().ok()).unwrap_or(FIELDS_MAX)
}
