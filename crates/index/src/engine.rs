//! Indices on disk: their documents, their log of what is not committed yet, their life cycle.
//!
//! An operation is prepared (`prepare`), put in order and given its version (`batch`), logged and
//! synced (`log`), acknowledged, and handed to tantivy (`shard`). A commit (`commit`) makes
//! segments of what was handed over; then the log is superfluous. `open` puts an index together
//! again from segments and log, and `damage` puts aside what cannot be read.

mod batch;
mod commit;
mod damage;
mod disk;
mod document;
mod ids;
mod in_flight;
mod index;
mod indices;
mod live;
mod locks;
mod log;
mod lookup;
mod metadata;
mod open;
mod prepare;
mod record;
mod refresh;
mod replay;
mod shard;
mod slots;
mod state;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use pampero_opensearch::Mapping;
use serde_json::{Map, Value};

pub use self::document::StoredDocument;
pub(crate) use self::document::{FieldGroups, IndexedDocument};
pub use self::index::Index;
pub use self::indices::Indices;
pub(crate) use self::metadata::fields_max;
use crate::layout::Layout;

/// How indices are kept.
#[derive(Clone, Debug)]
pub struct IndexOptions {
    /// Memory of one tantivy writer in bytes; at least 15 MB.
    pub writer_bytes: usize,
    /// Threads of one tantivy writer.
    pub writer_threads: usize,
    /// Most open indices that are written to at once; the one written to longest ago is closed first.
    pub writers_max: usize,
    /// Bytes of the write-ahead log of an index from which on it is committed.
    pub log_bytes_max: u64,
    /// Bytes of operations that wait in the log alone, until a commit or more of them: a segment that
    /// is being made takes megabytes of memory.
    pub log_only_bytes_max: u64,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            writer_bytes: 32 << 20,
            writer_threads: 1,
            writers_max: 4,
            log_bytes_max: 64 << 20,
            log_only_bytes_max: 256 << 10,
        }
    }
}

/// Why indices cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Reading or writing failed.
    #[error("the indices in {folder} cannot be opened")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// An index as it was at one moment: what was refreshed then can be searched.
#[derive(Clone)]
pub struct Snapshot {
    /// Name of the index.
    pub name: Arc<str>,
    /// Its uuid.
    pub uuid: Arc<str>,
    /// Its fields.
    pub mapping: Arc<Mapping>,
    /// Its settings, flat and as strings, as in `index.max_result_window`.
    pub settings: Arc<Map<String, Value>>,
    /// Where the values lie.
    pub layout: Arc<Layout>,
    /// The documents.
    pub searcher: tantivy::Searcher,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Snapshot").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is done to one document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The id; one is made when there is none.
    pub id: Option<String>,
    /// What is done.
    pub action: Action,
    /// `routing`, which is kept and given back.
    pub routing: Option<String>,
    /// What must be true of the version that is there.
    pub check: VersionCheck,
}

/// What is done to a document.
#[derive(Clone, Debug)]
pub enum Action {
    /// Created, or put in the place of what is there.
    Index(Bytes),
    /// Created; a document that is there already is a conflict.
    Create(Bytes),
    /// Changed in parts.
    Update(UpdateBody),
    /// Deleted.
    Delete,
}

/// How a document is changed in parts.
#[derive(Clone, Debug, Default)]
pub struct UpdateBody {
    /// Merged into the source, object by object.
    pub doc: Option<Map<String, Value>>,
    /// What is created when there is no document.
    pub upsert: Option<Map<String, Value>>,
    /// Whether `doc` is created when there is no document.
    pub doc_as_upsert: bool,
    /// Whether a change that changes nothing is none.
    pub detect_noop: bool,
    /// How often it is tried again when another writer was faster.
    pub retry_on_conflict: u32,
}

/// What must be true of the version that is there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum VersionCheck {
    /// Nothing.
    #[default]
    None,
    /// `if_seq_no` and `if_primary_term`.
    Sequence {
        /// The sequence number.
        seq_no: u64,
        /// The term.
        primary_term: u64,
    },
    /// `version_type=external`: the given version is higher.
    External(u64),
    /// `version_type=external_gte`: the given version is not lower.
    ExternalOrEqual(u64),
}

/// What came of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// A new document.
    Created,
    /// Another version of a document.
    Updated,
    /// The document is gone.
    Deleted,
    /// Nothing had to be changed.
    Noop,
    /// There was nothing to delete.
    NotFound,
}

impl Outcome {
    /// Returns the spelling of `result`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
            Self::Noop => "noop",
            Self::NotFound => "not_found",
        }
    }
}

/// One operation that was done.
#[derive(Clone, Debug)]
pub struct Written {
    /// The id.
    pub id: String,
    /// `_version`, from 1.
    pub version: u64,
    /// `_seq_no`, from 0 in each index.
    pub seq_no: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// The source after an update; `None` for other actions.
    pub source: Option<Bytes>,
}

/// A document that was read by its id.
#[derive(Clone, Debug)]
pub struct Found {
    /// `_version`.
    pub version: u64,
    /// `_seq_no`.
    pub seq_no: u64,
    /// The document as it was given.
    pub source: Bytes,
    /// `_routing`.
    pub routing: Option<String>,
}

/// What an index holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IndexStatistics {
    /// Documents that can be searched.
    pub documents: u64,
    /// Deleted ones that still take space.
    pub deleted: u64,
    /// Bytes on disk, the log included.
    pub bytes: u64,
    /// Segments.
    pub segments: usize,
    /// Operations that are in the log and not committed.
    pub uncommitted: u64,
    /// Operations since the index was opened, deletions included.
    pub indexed_total: u64,
    /// Searches since the index was opened.
    pub searches_total: u64,
}
