//! One index: what it is made of, and how it is read.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use serde_json::{Map, Value};
use tantivy::{IndexReader, Searcher};

use super::disk;
use super::live::{LiveDocuments, LiveState};
use super::lookup;
use super::metadata::{Metadata, fields_max};
use super::refresh::RefreshRule;
use super::slots::WriterSlots;
use super::state::WriteState;
use super::write::Job;
use super::{Found, IndexOptions, IndexStatistics, Snapshot, locks, log};
use crate::layout::Layout;

/// Stands for an instant that has not been.
pub(crate) const NEVER: i64 = i64::MIN;
/// Subfolder of the write-ahead log.
pub(crate) const LOG_FOLDER: &str = "wal";
/// Subfolder of what was damaged and is no longer used.
pub(crate) const QUARANTINE_FOLDER: &str = "quarantine";
/// How often a document is looked for while commits move it from the log to a segment.
const READ_TRIES: usize = 5;

/// One index.
pub struct Index {
    pub(crate) name: Arc<str>,
    pub(crate) uuid: Arc<str>,
    pub(crate) folder: PathBuf,
    pub(crate) layout: Arc<Layout>,
    pub(crate) options: Arc<IndexOptions>,
    pub(crate) slots: Arc<WriterSlots>,
    pub(crate) this: Weak<Index>,
    pub(crate) shape: ArcSwap<Shape>,
    /// Held while the shape changes; after `write`, when both are.
    pub(crate) metadata: Mutex<Metadata>,
    pub(crate) write: Mutex<WriteState>,
    pub(crate) jobs: Mutex<Vec<Arc<Job>>>,
    pub(crate) live: RwLock<LiveDocuments>,
    /// Shows every commit; `None` when tantivy's index cannot be opened.
    pub(crate) reader: Option<IndexReader>,
    /// What is searched: a commit, perhaps not the newest.
    pub(crate) searchable: ArcSwapOption<Searcher>,
    pub(crate) ids: super::ids::DocumentIds,
    pub(crate) times: Times,
    pub(crate) refreshed: Refreshed,
    pub(crate) counts: Counts,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Index").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Fields and settings, which change together in one file.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) mapping: Arc<Mapping>,
    pub(crate) settings: Arc<Map<String, Value>>,
    pub(crate) refresh: RefreshRule,
}

/// Instants in milliseconds since 1970, or [`NEVER`].
#[derive(Debug)]
pub(crate) struct Times {
    /// Of the first operation that cannot be searched.
    pub(crate) pending: AtomicI64,
    /// Of the first operation that is not committed.
    pub(crate) uncommitted: AtomicI64,
    /// Of the first operation that is not synced.
    pub(crate) unsynced: AtomicI64,
    pub(crate) searched: AtomicI64,
    pub(crate) written: AtomicI64,
    /// Before which nothing is tried again that is due, since it failed.
    pub(crate) retry: AtomicI64,
}

/// Counts refreshes, for those who wait for one.
#[derive(Debug, Default)]
pub(crate) struct Refreshed {
    pub(crate) count: Mutex<u64>,
    pub(crate) changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) indexed: AtomicU64,
    pub(crate) searches: AtomicU64,
    pub(crate) uncommitted: AtomicU64,
}

impl Default for Times {
    fn default() -> Self {
        let never = || AtomicI64::new(NEVER);
        Self {
            pending: never(),
            uncommitted: never(),
            unsynced: never(),
            searched: never(),
            written: never(),
            retry: never(),
        }
    }
}

/// Returns the instant, or `None` when it has not been.
pub(crate) fn instant(time: &AtomicI64) -> Option<i64> {
    Some(time.load(Ordering::Acquire)).filter(|time| *time != NEVER)
}

impl Shape {
    pub(crate) fn new(mapping: Arc<Mapping>, settings: Map<String, Value>) -> Self {
        let refresh = RefreshRule::of(&settings);
        Self { mapping, settings: Arc::new(settings), refresh }
    }
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

    /// Returns what is damaged and lost, in words, or `None`. It is told until the index is deleted.
    pub fn damage(&self) -> Option<String> {
        let metadata = locks::lock(&self.metadata);
        Some(metadata.damage.join("; ")).filter(|damage| !damage.is_empty())
    }

    /// Returns the fields.
    pub fn mapping(&self) -> Arc<Mapping> {
        Arc::clone(&self.shape.load().mapping)
    }

    /// Returns the settings, flat and as strings.
    pub fn settings(&self) -> Arc<Map<String, Value>> {
        Arc::clone(&self.shape.load().settings)
    }

    /// Adds fields.
    ///
    /// # Errors
    /// A type would change, or the disk failed.
    pub fn put_mapping(&self, mappings: &Value) -> Result<(), Exception> {
        let mut metadata = locks::lock(&self.metadata);
        let mut mapping = Mapping::clone(&self.shape.load().mapping);
        mapping.merge(mappings)?;
        self.keep_mapping(&mut metadata, mapping)
    }

    /// Makes a mapping that of the index, on disk first.
    pub(crate) fn keep_mapping(
        &self,
        metadata: &mut Metadata,
        mapping: Mapping,
    ) -> Result<(), Exception> {
        let mappings = mapping.to_json();
        let previous = std::mem::replace(&mut metadata.mappings, mappings);
        if let Err(error) = metadata.write(&self.folder) {
            metadata.mappings = previous;
            return Err(disk::write_failed(&self.name, &self.uuid, &error));
        }
        let settings = metadata.settings.clone();
        self.shape.store(Arc::new(Shape::new(Arc::new(mapping), settings)));
        Ok(())
    }

    /// Changes settings; `null` takes one back.
    ///
    /// # Errors
    /// The disk failed.
    pub fn put_settings(&self, settings: &Map<String, Value>) -> Result<(), Exception> {
        let mut metadata = locks::lock(&self.metadata);
        let previous = metadata.settings.clone();
        for (name, value) in settings {
            match value {
                Value::Null => drop(metadata.settings.remove(name)),
                value => drop(metadata.settings.insert(name.clone(), value.clone())),
            }
        }
        if let Err(error) = metadata.write(&self.folder) {
            metadata.settings = previous;
            return Err(disk::write_failed(&self.name, &self.uuid, &error));
        }
        let mut mapping = Mapping::clone(&self.mapping());
        mapping.set_fields_max(fields_max(&metadata.settings));
        self.shape.store(Arc::new(Shape::new(Arc::new(mapping), metadata.settings.clone())));
        Ok(())
    }

    /// Returns when the index was made, in milliseconds since 1970.
    pub(crate) fn created_ms(&self) -> i64 {
        locks::lock(&self.metadata).created_ms
    }

    /// Notes what was lost, for good, and once even if it is found again.
    pub(crate) fn tell_damage(&self, damage: String) {
        let mut metadata = locks::lock(&self.metadata);
        if metadata.damage.contains(&damage) {
            return;
        }
        tracing::warn!(index = %self.name, damage, "a part of an index is damaged");
        metadata.damage.push(damage);
        if let Err(error) = metadata.write(&self.folder) {
            tracing::warn!(index = %self.name, %error, "the damage of an index cannot be noted");
        }
    }

    /// Reads a document by its id: the newest when `realtime`, the searchable one otherwise.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn get(&self, id: &str, realtime: bool) -> Result<Option<Found>, Exception> {
        let Some(reader) = &self.reader else { return Err(self.corrupt()) };
        let failed =
            |error: &tantivy::TantivyError| disk::tantivy_failed(&self.name, &self.uuid, error);
        if !realtime {
            let searcher = self.searcher()?;
            return lookup::document(&searcher, &self.layout, id).map_err(|error| failed(&error));
        }
        for _ in 0..READ_TRIES {
            let entry = locks::read(&self.live).get(id);
            let Some(entry) = entry else {
                let searcher = reader.searcher();
                return lookup::document(&searcher, &self.layout, id)
                    .map_err(|error| failed(&error));
            };
            let LiveState::Present(location) = entry.state else { return Ok(None) };
            let record = log::read_at(&self.log_folder(), location)
                .map_err(|error| disk::write_failed(&self.name, &self.uuid, &error))?;
            if let Some(record) = record {
                return Ok(Some(Found {
                    version: entry.version,
                    seq_no: entry.seq_no,
                    source: record.source,
                    routing: record.routing.map(|routing| routing.to_string()),
                }));
            }
        }
        let reason = format!("document [{id}] was changed too often while it was read");
        Err(Exception::new(ExceptionKind::RejectedExecution, reason))
    }

    /// Returns what can be searched now. An index that nobody searched for 30 s is refreshed first.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn snapshot(&self, now: Timestamp) -> Result<Snapshot, Exception> {
        let now_ms = now.as_millisecond();
        let shape = self.shape.load_full();
        let searched = instant(&self.times.searched);
        if let Some(pending) = instant(&self.times.pending)
            && shape.refresh.is_due_for_search(now_ms, pending, searched)
            && let Err(refusal) = self.refresh()
        {
            // What was refreshed before can still be searched, as on a disk that is full.
            tracing::warn!(index = %self.name, error = %refusal, "an index cannot be refreshed");
        }
        self.times.searched.fetch_max(now_ms, Ordering::AcqRel);
        self.counts.searches.fetch_add(1, Ordering::Relaxed);
        Ok(Snapshot {
            name: Arc::clone(&self.name),
            uuid: Arc::clone(&self.uuid),
            mapping: Arc::clone(&shape.mapping),
            settings: Arc::clone(&shape.settings),
            layout: Arc::clone(&self.layout),
            searcher: self.searcher()?,
        })
    }

    fn searcher(&self) -> Result<Searcher, Exception> {
        self.searchable.load().as_deref().cloned().ok_or_else(|| self.corrupt())
    }

    /// Returns what the index holds.
    pub fn statistics(&self) -> IndexStatistics {
        let searcher = self.searchable.load_full();
        let readers = searcher.as_deref().map_or(&[][..], Searcher::segment_readers);
        IndexStatistics {
            documents: readers.iter().map(|segment| u64::from(segment.num_docs())).sum(),
            deleted: readers.iter().map(|segment| u64::from(segment.num_deleted_docs())).sum(),
            bytes: disk::folder_bytes(&self.folder),
            segments: readers.len(),
            uncommitted: self.counts.uncommitted.load(Ordering::Relaxed),
            indexed_total: self.counts.indexed.load(Ordering::Relaxed),
            searches_total: self.counts.searches.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn log_folder(&self) -> PathBuf {
        self.folder.join(LOG_FOLDER)
    }

    /// Says that nothing can be read or written, and why.
    pub(crate) fn corrupt(&self) -> Exception {
        let damage = self.damage().unwrap_or_else(|| "its segments cannot be opened".to_owned());
        Exception::new(ExceptionKind::Corrupt, format!("index [{}]: {damage}", self.name))
            .in_index(&self.name, &self.uuid)
    }
}
