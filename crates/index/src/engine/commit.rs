//! Commits and refreshes: the log becomes segments, and those become searchable.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::indexer::UserOperation;
use tantivy::{TantivyError, Term};

use super::document::{FieldGroups, IndexedDocument};
use super::index::{Index, NEVER, instant};
use super::record::{Record, RecordKind};
use super::shard::ShardOperation;
use super::state::{Life, WriteState};
use super::{disk, locks, replay};

/// An operation is committed after so long at the latest, so that a restart has little to read.
const COMMIT_AFTER_MS: i64 = 60_000;
/// An operation that was not synced at once is synced after so long: within the 5 s that are promised,
/// with room for the ticks of other indices.
const SYNC_AFTER_MS: i64 = 3_000;
/// A writer that had nothing to do for so long is closed.
const WRITER_IDLE_MS: i64 = 30_000;
/// What failed is tried again after so long.
const RETRY_AFTER_MS: i64 = 5_000;
/// Time beyond the interval after which a waiter refreshes by itself.
const WAIT_MARGIN: Duration = Duration::from_secs(2);
/// How often a merge that is asked for is tried.
const MERGE_TRIES: usize = 10;
/// Operations that are handed to tantivy together when a log is read back.
const REPLAY_BATCH: usize = 1_000;

impl Index {
    /// Makes everything that was written searchable.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn refresh(&self) -> Result<(), Exception> {
        let mut state = locks::lock(&self.write);
        self.commit(&mut state, true)
    }

    /// Makes everything that was written searchable; where all of it is, nothing is done, and no file is opened
    /// anew as [`Index::refresh`] does.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn refresh_pending(&self) -> Result<(), Exception> {
        match instant(&self.times.pending) {
            Some(_) => self.refresh(),
            None => Ok(()),
        }
    }

    /// Returns how often the index was refreshed since it was opened; what was written before is
    /// searchable once the count has grown.
    pub fn refresh_count(&self) -> u64 {
        *locks::lock(&self.refreshed.count)
    }

    /// Waits until what was written before this call is searchable by the regular refresh. Where there
    /// is none, since nobody searches or the interval is -1, it is made here.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn wait_for_refresh(&self) -> Result<(), Exception> {
        let count = locks::lock(&self.refreshed.count);
        let before = *count;
        if instant(&self.times.pending).is_none() {
            return Ok(());
        }
        let shape = self.shape.load_full();
        let searched = instant(&self.times.searched);
        let written = instant(&self.times.written).unwrap_or_default();
        let regular = shape.refresh.interval.filter(|interval| {
            let due_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
            shape.refresh.is_due(written.saturating_add(due_ms), written, searched)
        });
        if let Some(interval) = regular {
            let waited = self.refreshed.changed.wait_timeout_while(
                count,
                interval.saturating_add(WAIT_MARGIN),
                |count| *count == before,
            );
            let (_count, timeout) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
            if !timeout.timed_out() {
                return Ok(());
            }
        } else {
            drop(count);
        }
        self.refresh()
    }

    /// Merges segments down to a number of them; operations go on meanwhile.
    ///
    /// # Errors
    /// The index is damaged, or the disk failed.
    pub fn force_merge(&self, segments_max: usize) -> Result<(), Exception> {
        let mut merged = Ok(None);
        for _ in 0..MERGE_TRIES {
            let merge = {
                let mut state = locks::lock(&self.write);
                self.commit(&mut state, true)?;
                self.catch_up(&mut state)?;
                let Some(shard) = &mut state.shard else { return Err(self.corrupt()) };
                shard.begin_merge(segments_max).map_err(|error| self.tantivy_failed(&error))?
            };
            // A merge that begins by itself may take segments away under one that is asked for.
            merged = merge.map_or(Ok(None), |merge| merge.wait());
            if merged.is_ok() {
                break;
            }
        }
        merged.map_err(|error| self.tantivy_failed(&error))?;
        self.refresh()
    }

    /// Returns whether commits may be searched as they come.
    pub(crate) fn publishes_itself(&self) -> bool {
        self.shape.load().refresh.interval.is_some()
    }

    /// Commits what is logged, and lets it be searched when `publish`.
    pub(crate) fn commit(&self, state: &mut WriteState, publish: bool) -> Result<(), Exception> {
        self.check_life(state)?;
        if state.uncommitted() > 0 {
            self.catch_up(state)?;
            let next_seq_no = state.next_seq_no;
            let Some(shard) = &mut state.shard else { return Err(self.corrupt()) };
            shard.commit(next_seq_no).map_err(|error| self.tantivy_failed(&error))?;
            // The commit lasts only when the folder says so, and the log must stay until then.
            disk::sync_folder(&self.folder).map_err(|error| self.write_failed(&error))?;
            state.committed = next_seq_no;
        }
        // Also where the commit before could be made and not be shown.
        let is_log_superfluous = state.log.bytes() > 0;
        if is_log_superfluous || publish {
            self.show(publish)?;
        }
        if is_log_superfluous {
            let written = self.times.written.load(Ordering::Acquire);
            locks::write(&self.live).forget(state.committed, written);
            state.log.clear();
            self.times.uncommitted.store(NEVER, Ordering::Release);
            self.times.unsynced.store(NEVER, Ordering::Release);
            self.counts.uncommitted.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Loads the newest commit for readers by id, and for searches when `publish`.
    fn show(&self, publish: bool) -> Result<(), Exception> {
        let Some(reader) = &self.reader else { return Err(self.corrupt()) };
        reader.reload().map_err(|error| self.tantivy_failed(&error))?;
        if publish {
            self.searchable.store(Some(Arc::new(reader.searcher())));
            self.times.pending.store(NEVER, Ordering::Release);
            *locks::lock(&self.refreshed.count) += 1;
            self.refreshed.changed.notify_all();
        }
        Ok(())
    }

    /// Opens tantivy's writer where none is open, and gives it what the log has and it has not.
    pub(crate) fn catch_up(&self, state: &mut WriteState) -> Result<(), Exception> {
        self.check_life(state)?;
        let Some(shard) = &mut state.shard else { return Err(self.corrupt()) };
        if !shard.is_open() {
            self.slots.make_room(&self.uuid, &self.this);
            // The last commit may be one whose end was not noted here.
            state.committed = shard
                .open_writer(&self.options)
                .and_then(|()| shard.next_seq_no())
                .map_err(|error| self.tantivy_failed(&error))?;
            state.handed = state.committed;
        }
        if state.handed < state.next_seq_no
            && let Err(refusal) = self.replay_log(state)
        {
            // Nobody knows how much of it the writer got; the next one begins at the last commit.
            if let Some(shard) = &mut state.shard {
                shard.end_writer();
            }
            return Err(refusal);
        }
        state.handed = state.next_seq_no;
        Ok(())
    }

    pub(crate) fn check_life(&self, state: &WriteState) -> Result<(), Exception> {
        match state.life {
            Life::Open => Ok(()),
            Life::Deleted => Err(Exception::index_not_found(&self.name)),
            Life::Closed => {
                let reason = format!("index [{}] is closed, since the program ends", self.name);
                Err(Exception::new(ExceptionKind::RejectedExecution, reason)
                    .in_index(&self.name, &self.uuid))
            }
        }
    }

    fn replay_log(&self, state: &mut WriteState) -> Result<(), Exception> {
        let Some(shard) = &mut state.shard else { return Err(self.corrupt()) };
        let mapping = self.mapping();
        let in_flight = Arc::clone(&shard.in_flight);
        let mut operations = Vec::new();
        let mut failed = Ok(());
        let end = state.next_seq_no;
        let replayed = replay::replay(&self.log_folder(), state.handed, &mut |record, _| {
            // What is behind the end was refused, though its file could not be cut.
            if failed.is_err() || record.seq_no >= end {
                return;
            }
            let fields = self.fields_of(&mapping, &record);
            let mut replayed = operations_of(self, record, fields);
            for operation in &mut replayed {
                if let UserOperation::Add(document) = operation {
                    document.ticket = Some(in_flight.enter(document.source.len()));
                }
            }
            operations.append(&mut replayed);
            if operations.len() >= REPLAY_BATCH {
                failed = shard.run(std::mem::take(&mut operations));
            }
        });
        let mut replayed = replayed.map_err(|error| self.write_failed(&error))?;
        replayed.skip_to(end);
        self.tell_lost(&replayed);
        failed.and_then(|()| shard.run(operations)).map_err(|error| self.tantivy_failed(&error))
    }

    fn fields_of(&self, mapping: &pampero_opensearch::Mapping, record: &Record) -> FieldGroups {
        if record.kind == RecordKind::Delete {
            return FieldGroups::default();
        }
        match mapping.parse_document(&record.id, &record.source) {
            Ok(parsed) => FieldGroups::new(&self.layout, parsed),
            Err(refusal) => {
                // It was parsed once, so this is a fault of the program; the document is kept.
                tracing::error!(index = %self.name, error = %refusal, "a logged document is refused");
                FieldGroups::default()
            }
        }
    }

    /// Does what is due; what failed is tried again a while later.
    pub(crate) fn tick(&self, now: Timestamp) -> Result<(), Exception> {
        let now_ms = now.as_millisecond();
        if instant(&self.times.retry).is_some_and(|retry| now_ms < retry) {
            return Ok(());
        }
        let done = self.do_what_is_due(now_ms);
        if done.is_err() {
            self.times.retry.store(now_ms.saturating_add(RETRY_AFTER_MS), Ordering::Release);
        }
        done
    }

    fn do_what_is_due(&self, now_ms: i64) -> Result<(), Exception> {
        let is_over = |since: Option<i64>, limit_ms| {
            since.is_some_and(|since| now_ms.saturating_sub(since) >= limit_ms)
        };
        let rule = self.shape.load().refresh;
        let searched = instant(&self.times.searched);
        let refresh = instant(&self.times.pending)
            .is_some_and(|pending| rule.is_due(now_ms, pending, searched));
        let commit = is_over(instant(&self.times.uncommitted), COMMIT_AFTER_MS);
        let sync = is_over(instant(&self.times.unsynced), SYNC_AFTER_MS);
        let idle = is_over(instant(&self.times.written), WRITER_IDLE_MS);
        if !(refresh || commit || sync || idle) {
            return Ok(());
        }
        let mut state = locks::lock(&self.write);
        if state.life != Life::Open || state.shard.is_none() {
            return Ok(());
        }
        // First, since a commit may fail where the log does not.
        let is_lasting = !sync || self.sync_log(&mut state);
        if refresh || commit || !is_lasting || state.log.bytes() > self.options.log_bytes_max {
            self.commit(&mut state, refresh || self.publishes_itself())?;
        }
        if idle {
            self.close_writer(&mut state)?;
            // Nothing more is due until the next operation.
            self.times.written.store(NEVER, Ordering::Release);
        }
        Ok(())
    }

    /// Syncs the log, and returns whether all that is in it lasts.
    fn sync_log(&self, state: &mut WriteState) -> bool {
        if let Err(error) = state.log.sync() {
            tracing::warn!(index = %self.name, %error, "a write-ahead log cannot be synced");
            return false;
        }
        self.times.unsynced.store(NEVER, Ordering::Release);
        true
    }

    /// Commits and closes tantivy's writer.
    pub(crate) fn close_writer(&self, state: &mut WriteState) -> Result<(), Exception> {
        self.commit(state, self.publishes_itself())?;
        if let Some(shard) = &mut state.shard {
            shard.close_writer();
        }
        self.slots.give_back(&self.uuid);
        Ok(())
    }

    pub(crate) fn tantivy_failed(&self, error: &TantivyError) -> Exception {
        tracing::warn!(index = %self.name, %error, "tantivy failed");
        disk::tantivy_failed(&self.name, &self.uuid, error)
    }
}

/// Returns what a record means to tantivy.
fn operations_of(index: &Index, record: Record, fields: FieldGroups) -> Vec<ShardOperation> {
    let Record { kind, seq_no, version, id, routing, source } = record;
    let mut operations = Vec::with_capacity(2);
    if kind != RecordKind::Add {
        operations.push(UserOperation::Delete(Term::from_field_text(index.layout.id, &id)));
    }
    if kind != RecordKind::Delete {
        operations.push(UserOperation::Add(IndexedDocument {
            layout: Arc::clone(&index.layout),
            id,
            routing,
            version,
            seq_no,
            // A copy, so that the file that was read does not stay in memory with it.
            source: Bytes::copy_from_slice(&source),
            fields,
            ticket: None,
        }));
    }
    operations
}
