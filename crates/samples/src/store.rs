//! The store of samples: what its clones share, and its outside.

mod append;
mod fold;
mod load;
mod merge;
mod query;
mod tidy;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use pampero_series::Labels;
use rusqlite::{Connection, TransactionBehavior};

use crate::block::Block;
use crate::database::{self, Files, Readers};
use crate::error::{AppendError, MaintainError, OpenError, StorageError};
use crate::head::Head;
use crate::index::Index;
use crate::locks;
use crate::options::SampleOptions;
use crate::sample::{Appended, Maintained, Sample, SeriesId};
use crate::statistics::{Cardinality, SampleStatistics};

/// Keeps samples in one folder; clones share it.
///
/// It may be used from many threads at once. The folder is free again when the last clone is gone.
///
/// A sample that arrives goes into the journal on disk, one row for each commit, and into the head
/// in memory. Once nothing can be added to a stretch of time any more, [`maintain`] folds it into a
/// block of columns; the blocks of a day are merged into one. A read takes head and blocks
/// together, as they were at one moment.
///
/// [`maintain`]: SampleStore::maintain
#[derive(Clone)]
pub struct SampleStore {
    shared: Arc<Shared>,
}

/// What clones share.
///
/// Locks are taken in this order: `tidy`, `folding`, `writer`, `index`, `head`, a generation,
/// `blocks`, `counters`.
struct Shared {
    options: SampleOptions,
    /// The length of a window in milliseconds.
    window_ms: i64,
    readers: Readers,
    /// What merging has done so far, and whether somebody tidies up now.
    tidy: Mutex<tidy::Tidy>,
    /// Held while the head is folded.
    folding: Mutex<()>,
    /// Blocks that were begun and not finished, and wait to be swept away.
    abandoned: Mutex<Vec<i64>>,
    writer: Mutex<append::Writer>,
    /// Batches that wait for whoever holds the writer next.
    queue: Mutex<Vec<Arc<append::Job>>>,
    index: RwLock<Index>,
    head: RwLock<Head>,
    /// Samples in the head, those of a commit that goes on included.
    head_samples: AtomicU64,
    /// The live blocks, the earliest first.
    blocks: RwLock<Vec<Block>>,
    /// Time of the newest sample in milliseconds since the Unix epoch, `i64::MIN` without any.
    newest_ms: AtomicI64,
    /// Counts stretches as long as a window; tells which series have long not been resolved.
    era: AtomicU64,
    counters: Mutex<SampleStatistics>,
    closed: AtomicBool,
    // The last one, so that the folder is let go once everything is closed.
    files: Files,
}

/// How far back the clock may be set before it counts as having been wrong until then, so that the
/// samples it led to no longer hold up those that come now.
const CLOCK_STEP_MAX_MS: i64 = 24 * 60 * 60 * 1000;

impl SampleStore {
    /// Opens the samples in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// An option is out of range, or the folder is in use, cannot be read or written, or holds
    /// something else or damaged samples.
    pub fn open(folder: &Path, options: SampleOptions) -> Result<Self, OpenError> {
        options.check()?;
        let files = Files::lock(folder)?;
        let shared = load::open(files, options)?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Returns the series with these labels, and registers it if it is new.
    ///
    /// A new series is on disk with its first sample.
    ///
    /// # Errors
    /// The series is new, and as many are known as may be.
    pub fn resolve(&self, labels: &Labels) -> Result<SeriesId, AppendError> {
        let shared = &*self.shared;
        let era = shared.era.load(Ordering::Relaxed);
        if let Some(series) = locks::read(&shared.index).resolve(labels, era) {
            return Ok(series);
        }
        let mut index = locks::write(&shared.index);
        // Somebody else may have been quicker.
        if let Some(series) = index.resolve(labels, era) {
            return Ok(series);
        }
        let max = shared.options.series_max;
        let limit = AppendError::SeriesLimit { max };
        if index.len() >= max { Err(limit) } else { index.add(labels, era).ok_or(limit) }
    }

    /// Returns the labels of a series; `None` when it has been forgotten.
    pub fn labels(&self, series: SeriesId) -> Option<Labels> {
        locks::read(&self.shared.index).labels(series)
    }

    /// Keeps a batch, as a whole or not at all; what is counted as stored is then on disk.
    ///
    /// Batches of several threads share a commit. `now_ms` is the time of the clock in milliseconds
    /// since the Unix epoch.
    ///
    /// # Errors
    /// A series is unknown, the disk is full, the store is closed, or writing fails.
    pub fn append(&self, batch: &[Sample], now_ms: i64) -> Result<Appended, AppendError> {
        self.shared.append(batch, now_ms)
    }

    /// Does a bounded piece of the work in the background: drops what is too old or too much,
    /// folds, merges, forgets series without samples, gives space back.
    ///
    /// Meant to be called about once a minute, and again at once while it returns `more`. Appending
    /// and reading go on meanwhile. `now_ms` is the time of the clock in milliseconds since the
    /// Unix epoch.
    ///
    /// # Errors
    /// The disk is full, or reading or writing fails; the next round goes on.
    pub fn maintain(&self, now_ms: i64) -> Result<Maintained, MaintainError> {
        match self.shared.maintain(now_ms) {
            Err(StorageError::Closed) => Ok(Maintained::default()),
            done => Ok(done?),
        }
    }

    /// Returns what the store tells of itself.
    pub fn statistics(&self) -> SampleStatistics {
        self.shared.statistics()
    }

    /// Returns which metrics and labels have most series, at most `limit` of each.
    pub fn cardinality(&self, limit: usize) -> Cardinality {
        locks::read(&self.shared.index).cardinality(limit)
    }

    /// Refuses further samples, lets running maintenance stop, and brings the file up to date.
    ///
    /// Reading goes on until the last clone is gone. Dropping the store without this loses nothing.
    ///
    /// # Errors
    /// The file cannot be written; nothing that was acknowledged is lost.
    pub fn close(&self) -> Result<(), MaintainError> {
        let shared = &*self.shared;
        shared.closed.store(true, Ordering::Release);
        shared.readers.close_idle();
        let writer = locks::lock(&shared.writer);
        let done = |_: &rusqlite::Row<'_>| Ok(());
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        writer.connection.query_row(checkpoint, [], done).map_err(StorageError::from)?;
        Ok(())
    }
}

impl fmt::Debug for SampleStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SampleStore").finish_non_exhaustive()
    }
}

impl Shared {
    /// Returns the beginning of the window that a time lies in.
    fn window_of(&self, timestamp_ms: i64) -> i64 {
        timestamp_ms.div_euclid(self.window_ms).saturating_mul(self.window_ms)
    }

    /// Returns the time that samples are late by: the newest one's, or the clock's if that is ahead.
    fn reference_ms(&self, now_ms: i64) -> i64 {
        let newest_ms = self.newest_ms.load(Ordering::Acquire);
        let ahead = newest_ms > now_ms.saturating_add(CLOCK_STEP_MAX_MS);
        if ahead { now_ms } else { newest_ms.max(now_ms) }
    }

    /// Returns the time before which no sample is taken any more.
    fn oldest_ms(&self, now_ms: i64) -> i64 {
        self.reference_ms(now_ms).saturating_sub(milliseconds(self.options.late_window))
    }

    /// Returns an error once the store is being closed.
    fn check_open(&self) -> Result<(), StorageError> {
        if self.closed.load(Ordering::Acquire) { Err(StorageError::Closed) } else { Ok(()) }
    }

    /// Changes the file in one transaction; nobody else writes meanwhile.
    fn write<T>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut writer = locks::lock(&self.writer);
        self.write_with(&mut writer, change)
    }

    /// Changes the file for maintenance, which may take more space than appending may, because it
    /// is what makes space.
    fn write_with<T>(
        &self,
        writer: &mut append::Writer,
        change: impl FnOnce(&Connection) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let (append_max, maintain_max) = self.options.file_limits();
        database::limit_bytes(&writer.connection, maintain_max)?;
        let changed = transaction(&mut writer.connection, change);
        database::limit_bytes(&writer.connection, append_max)?;
        changed
    }

    /// Notes that blocks are gone and another has come; the writer is held, so that who appends
    /// sees the same blocks as the file has.
    fn replace_blocks(&self, gone: &[i64], come: Option<Block>) {
        let mut blocks = locks::write(&self.blocks);
        blocks.retain(|block| !gone.contains(&block.id));
        blocks.extend(come);
        blocks.sort_by_key(|block| (block.min_ms, block.id));
    }

    fn statistics(&self) -> SampleStatistics {
        let mut statistics = locks::lock(&self.counters).clone();
        statistics.series = locks::read(&self.index).len();
        statistics.batches_pending = locks::lock(&self.queue).len();
        statistics.bytes_on_disk = self.files.bytes();
        let head = locks::read(&self.head);
        statistics.samples_head = head.samples();
        let of_head = head.generations.iter().filter_map(|generation| generation.read().range_ms);
        let blocks = locks::read(&self.blocks);
        statistics.blocks = blocks.len();
        statistics.samples_blocks = blocks.iter().map(|block| block.samples).sum();
        let of_blocks = blocks.iter().map(|block| (block.min_ms, block.max_ms));
        let ranges: Vec<(i64, i64)> = of_head.chain(of_blocks).collect();
        statistics.earliest_ms = ranges.iter().map(|range| range.0).min();
        statistics.latest_ms = ranges.iter().map(|range| range.1).max();
        statistics
    }
}

/// Does something in one transaction, which is undone if it fails.
fn transaction<T>(
    connection: &mut Connection,
    change: impl FnOnce(&Connection) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = change(&transaction)?;
    transaction.commit()?;
    Ok(changed)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
