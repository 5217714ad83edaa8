//! Indices on disk: their documents, their log of what is not committed yet, their life cycle.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use pampero_opensearch::{Exception, Mapping};
use serde_json::{Map, Value};

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
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { writer_bytes: 32 << 20, writer_threads: 1, writers_max: 4 }
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

/// All indices of a folder, by name.
#[derive(Debug)]
pub struct Indices {
    layout: Arc<Layout>,
}

/// One index.
#[derive(Debug)]
pub struct Index {
    name: Arc<str>,
    uuid: Arc<str>,
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

impl Indices {
    /// Opens all indices of a folder; a damaged one is told in [`Index::damage`] and leaves the others.
    ///
    /// # Errors
    /// The folder itself cannot be used.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        let _ = (folder, options);
        Ok(Self { layout: Arc::new(Layout::new()) })
    }

    /// Returns the layout that all indices share.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Makes an index.
    ///
    /// `settings` are flat and as strings (`index.number_of_shards`), without the uuid and the date
    /// of creation, which are added.
    ///
    /// # Errors
    /// It is there already, or the disk failed.
    pub fn create(
        &self,
        name: &str,
        settings: Map<String, Value>,
        mapping: Mapping,
        now: Timestamp,
    ) -> Result<Arc<Index>, Exception> {
        let _ = (name, settings, mapping, now);
        Err(Exception::unsupported("create"))
    }

    /// Deletes an index with its files.
    ///
    /// # Errors
    /// It is not there, or the disk failed.
    pub fn delete(&self, name: &str) -> Result<(), Exception> {
        Err(Exception::index_not_found(name))
    }

    /// Returns the index of this name; aliases are not known here.
    pub fn get(&self, name: &str) -> Option<Arc<Index>> {
        let _ = name;
        None
    }

    /// Returns all indices in the order of their names.
    pub fn all(&self) -> Vec<Arc<Index>> {
        Vec::new()
    }

    /// Does what is due: refreshes what changed over a refresh interval ago, commits what was logged
    /// long ago or is much, closes writers that have been idle. To be called every 200 ms or so.
    pub fn tick(&self, now: Timestamp) {
        let _ = now;
    }

    /// Commits and closes everything.
    pub fn close(&self) {}
}

impl Index {
    /// Returns the name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the uuid: 22 characters of URL-safe base64.
    pub fn uuid(&self) -> &Arc<str> {
        &self.uuid
    }

    /// Returns what is damaged and lost, in words, or `None`.
    pub fn damage(&self) -> Option<String> {
        None
    }

    /// Returns the fields.
    pub fn mapping(&self) -> Arc<Mapping> {
        Arc::new(Mapping::default())
    }

    /// Returns the settings, flat and as strings.
    pub fn settings(&self) -> Arc<Map<String, Value>> {
        Arc::new(Map::new())
    }

    /// Adds fields.
    ///
    /// # Errors
    /// A type would change, or the disk failed.
    pub fn put_mapping(&self, mappings: &Value) -> Result<(), Exception> {
        let _ = mappings;
        Ok(())
    }

    /// Changes settings; `null` takes one back.
    ///
    /// # Errors
    /// The disk failed.
    pub fn put_settings(&self, settings: &Map<String, Value>) -> Result<(), Exception> {
        let _ = settings;
        Ok(())
    }

    /// Does operations in their order. What is returned as done is on disk.
    ///
    /// New fields are mapped on the way. Each operation has its own answer; a failing disk fails all
    /// that were not done.
    pub fn write(
        &self,
        operations: Vec<Operation>,
        now: Timestamp,
    ) -> Vec<Result<Written, Exception>> {
        let _ = (operations, now);
        Vec::new()
    }

    /// Reads a document by its id: the newest when `realtime`, the searchable one otherwise.
    ///
    /// # Errors
    /// The disk failed.
    pub fn get(&self, id: &str, realtime: bool) -> Result<Option<Found>, Exception> {
        let _ = (id, realtime);
        Ok(None)
    }

    /// Makes everything that was written searchable.
    ///
    /// # Errors
    /// The disk failed.
    pub fn refresh(&self) -> Result<(), Exception> {
        Ok(())
    }

    /// Waits until what was written before this call is searchable by the regular refresh.
    ///
    /// # Errors
    /// The disk failed.
    pub fn wait_for_refresh(&self) -> Result<(), Exception> {
        self.refresh()
    }

    /// Returns what can be searched now. An index that nobody searched for 30 s is refreshed first.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Exception> {
        let _ = now;
        Err(Exception::index_not_found(&self.name))
    }

    /// Merges segments down to a number of them.
    ///
    /// # Errors
    /// The disk failed.
    pub fn force_merge(&self, segments_max: usize) -> Result<(), Exception> {
        let _ = segments_max;
        Ok(())
    }

    /// Returns what the index holds.
    pub fn statistics(&self) -> IndexStatistics {
        IndexStatistics::default()
    }
}
