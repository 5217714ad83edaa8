//! `[store]`: where observations and events are kept.

use std::path::PathBuf;

use super::kind::{count, path};
use super::reader::Section;

pub(super) const DOC: &str = "Where observations and events are kept.";

/// Where observations and events are kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoreConfig {
    /// The folder of the store; made when it is missing.
    pub(crate) path: PathBuf,
    /// Most events kept; the oldest go first.
    pub(crate) events_max: u32,
}

pub(super) fn read(section: &mut Section<'_>) -> StoreConfig {
    let path = section.read(
        "path",
        PathBuf::from("./data"),
        &path(),
        "Folder of the store, made when it is missing.",
    );
    let events_max = section.read(
        "events_max",
        100_000,
        &count(100..=100_000_000),
        "Most events kept; the oldest go first.",
    );
    StoreConfig { path, events_max: u32::try_from(events_max).unwrap_or(u32::MAX) }
}
