//! What is known of definitions beyond their files: versions, and since when they are switched on.
//!
//! One file of JSON beside the data. When it is lost, versions begin anew and intervals are counted from
//! now on; nothing else changes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk;

/// What is known of one kind of definitions.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Page {
    /// The number that the next write gets.
    pub(super) next_seq_no: u64,
    /// By id.
    pub(super) rows: BTreeMap<String, Row>,
}

/// What is known of one definition.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Row {
    /// How often it was written, from 1.
    pub(super) version: u64,
    /// The number of its last write.
    pub(super) seq_no: u64,
    /// What its text was.
    pub(super) fingerprint: u64,
    /// When it was seen first.
    pub(super) created: Timestamp,
    /// When it was seen changed.
    pub(super) updated: Timestamp,
    /// Since when it is switched on; `None` when it is off.
    pub(super) enabled: Option<Timestamp>,
    /// The last text that was good, while the file has a broken one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) good_text: Option<String>,
}

/// The file of one page.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    folder: PathBuf,
    stem: &'static str,
}

impl Ledger {
    pub(super) fn new(folder: &Path, stem: &'static str) -> Self {
        Self { folder: folder.to_owned(), stem }
    }

    /// Reads the page; an empty one when there is none, or when it cannot be read, with why.
    pub(super) fn read(&self) -> (Page, Option<String>) {
        let path = self.folder.join(format!("{}.json", self.stem));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return (Page::default(), None);
            }
            Err(error) => return (Page::default(), Some(error.to_string())),
        };
        match serde_json::from_str(&text) {
            Ok(page) => (page, None),
            Err(error) => (Page::default(), Some(error.to_string())),
        }
    }

    pub(super) fn write(&self, page: &Page) -> io::Result<()> {
        let text = serde_json::to_string_pretty(page)?;
        disk::write(&self.folder, self.stem, &text)
    }
}
