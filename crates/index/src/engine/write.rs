//! Writing: what several callers want at once becomes one append to the log and one sync.
//!
//! A caller leaves its operations in a queue and waits for the lock. Whoever gets it does all that
//! are in the queue; the others find theirs done.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use pampero_opensearch::{Exception, ExceptionKind};

use super::batch::Batch;
use super::index::{Index, NEVER};
use super::prepare::Prepared;
use super::state::WriteState;
use super::{Action, Operation, Outcome, Written, disk, locks};

/// Most operations that are logged together for one caller.
const CHUNK_OPERATIONS_MAX: usize = 10_000;
/// Most bytes of sources that are logged together for one caller, the last one over it included.
const CHUNK_BYTES_MAX: usize = 8 << 20;

/// The operations of one caller and what came of them.
#[derive(Debug)]
pub(crate) struct Job {
    count: usize,
    prepared: Mutex<Vec<Prepared>>,
    synced: bool,
    now: Timestamp,
    outcome: Mutex<Option<Vec<Result<Written, Exception>>>>,
}

impl Index {
    /// Does operations in their order. What is returned as done is on disk.
    ///
    /// New fields are mapped on the way. Each operation has its own answer; a failing disk fails all
    /// that were not done.
    pub fn write(
        &self,
        operations: Vec<Operation>,
        now: Timestamp,
    ) -> Vec<Result<Written, Exception>> {
        self.write_in_chunks(operations, true, now)
    }

    /// As [`Index::write`], but what is returned as done is on disk for good only within 5 s, by
    /// [`Indices::tick`](super::Indices::tick). A crash of the program loses nothing of it; one of the
    /// machine may.
    pub fn write_relaxed(
        &self,
        operations: Vec<Operation>,
        now: Timestamp,
    ) -> Vec<Result<Written, Exception>> {
        self.write_in_chunks(operations, false, now)
    }

    fn write_in_chunks(
        &self,
        operations: Vec<Operation>,
        synced: bool,
        now: Timestamp,
    ) -> Vec<Result<Written, Exception>> {
        let mut written = Vec::with_capacity(operations.len());
        let mut chunk = Vec::new();
        let mut bytes = 0;
        for operation in operations {
            bytes += source_bytes(&operation);
            chunk.push(operation);
            if bytes >= CHUNK_BYTES_MAX || chunk.len() >= CHUNK_OPERATIONS_MAX {
                written.extend(self.write_chunk(std::mem::take(&mut chunk), synced, now));
                bytes = 0;
            }
        }
        if !chunk.is_empty() {
            written.extend(self.write_chunk(chunk, synced, now));
        }
        written
    }

    fn write_chunk(
        &self,
        operations: Vec<Operation>,
        synced: bool,
        now: Timestamp,
    ) -> Vec<Result<Written, Exception>> {
        let count = operations.len();
        let prepared = Mutex::new(self.prepare(operations, now));
        let job = Arc::new(Job { count, prepared, synced, now, outcome: Mutex::default() });
        locks::lock(&self.jobs).push(Arc::clone(&job));
        let mut state = locks::lock(&self.write);
        if let Some(outcome) = locks::lock(&job.outcome).take() {
            return outcome;
        }
        let jobs = std::mem::take(&mut *locks::lock(&self.jobs));
        self.do_jobs(&mut state, &jobs);
        let outcome = locks::lock(&job.outcome).take();
        outcome.unwrap_or_else(|| vec![Err(self.interrupted()); job.count])
    }

    /// Refuses what somebody else took from the queue and did not end, since it panicked.
    fn interrupted(&self) -> Exception {
        let reason = format!("a write to index [{}] was interrupted, try again", self.name);
        Exception::new(ExceptionKind::Io, reason).in_index(&self.name, &self.uuid)
    }

    fn do_jobs(&self, state: &mut WriteState, jobs: &[Arc<Job>]) {
        let done = self.try_jobs(state, jobs);
        let refusal = done.err();
        for job in jobs {
            let mut outcome = locks::lock(&job.outcome);
            match (&refusal, outcome.as_mut()) {
                (None, _) => {}
                (Some(refusal), Some(outcome)) => fail_effects(outcome, refusal),
                (Some(refusal), None) => {
                    let refused = |_| Err(refusal.clone());
                    *outcome = Some(locks::lock(&job.prepared).drain(..).map(refused).collect());
                }
            }
        }
    }

    fn try_jobs(&self, state: &mut WriteState, jobs: &[Arc<Job>]) -> Result<(), Exception> {
        self.check_life(state)?;
        let (Some(shard), Some(reader)) = (&state.shard, &self.reader) else {
            return Err(self.corrupt());
        };
        let in_flight = Arc::clone(&shard.in_flight);
        let next_seq_no = state.next_seq_no;
        let base = state.log.position(next_seq_no).map_err(|error| self.write_failed(&error))?;
        let mut batch = Batch::new(self, reader.searcher(), in_flight, base, next_seq_no);
        for job in jobs {
            batch.set_now(job.now.as_millisecond());
            let prepared = std::mem::take(&mut *locks::lock(&job.prepared));
            let outcome = prepared.into_iter().map(|prepared| batch.add(prepared)).collect();
            *locks::lock(&job.outcome) = Some(outcome);
        }
        if batch.frames.is_empty() {
            return Ok(());
        }
        let synced = jobs.iter().any(|job| job.synced);
        state.log.append(&batch.frames, synced).map_err(|error| self.write_failed(&error))?;
        // From here on all of it is done, whatever happens: the log has it.
        let newest = jobs.iter().map(|job| job.now.as_millisecond()).max();
        let oldest = jobs.iter().map(|job| job.now.as_millisecond()).min();
        let all_synced = state.log.is_synced();
        self.note_written(oldest.zip(newest), batch.next_seq_no - next_seq_no, all_synced);
        state.next_seq_no = batch.next_seq_no;
        locks::write(&self.live).extend(batch.entries);
        self.hand_over(state, next_seq_no, batch.operations);
        Ok(())
    }

    /// Brings operations from `first_seq_no` on to tantivy, or leaves a few in the log for now.
    fn hand_over(
        &self,
        state: &mut WriteState,
        first_seq_no: u64,
        operations: Vec<super::shard::ShardOperation>,
    ) {
        let Some(shard) = &mut state.shard else { return };
        let makes_segment = state.committed < state.handed && shard.is_open();
        let handed = if makes_segment && state.handed == first_seq_no {
            self.slots.touch(&self.uuid);
            shard.run(operations).map(|()| state.handed = state.next_seq_no)
        } else {
            Ok(())
        };
        if let Err(error) = handed {
            // The next one reads the log.
            tracing::warn!(index = %self.name, %error, "a writer of an index died and is replaced");
        }
        let waiting = state.handed < state.next_seq_no;
        let brought = if state.log.bytes() > self.options.log_bytes_max {
            self.commit(state, self.publishes_itself())
        } else if waiting && state.log.bytes() > self.options.log_only_bytes_max {
            self.catch_up(state)
        } else {
            Ok(())
        };
        if let Err(refusal) = brought {
            // All of it is in the log; the next write or tick tries again.
            tracing::warn!(index = %self.name, error = %refusal, "an index cannot be committed");
        }
    }

    fn note_written(&self, times: Option<(i64, i64)>, operations: u64, synced: bool) {
        let Some((oldest, newest)) = times else { return };
        let begin = |time: &std::sync::atomic::AtomicI64| {
            // An instant that is there already is the older one.
            let _ = time.compare_exchange(NEVER, oldest, Ordering::AcqRel, Ordering::Acquire);
        };
        begin(&self.times.pending);
        begin(&self.times.uncommitted);
        match synced {
            true => self.times.unsynced.store(NEVER, Ordering::Release),
            false => begin(&self.times.unsynced),
        }
        self.times.written.fetch_max(newest, Ordering::AcqRel);
        self.counts.indexed.fetch_add(operations, Ordering::Relaxed);
        self.counts.uncommitted.fetch_add(operations, Ordering::Relaxed);
    }

    pub(crate) fn write_failed(&self, error: &io::Error) -> Exception {
        tracing::warn!(index = %self.name, %error, "an index cannot be written");
        disk::write_failed(&self.name, &self.uuid, error)
    }
}

/// Makes failures of what would have changed something; what was refused before stays refused so.
fn fail_effects(outcome: &mut [Result<Written, Exception>], refusal: &Exception) {
    for result in outcome {
        if result.as_ref().is_ok_and(|written| written.outcome != Outcome::Noop) {
            *result = Err(refusal.clone());
        }
    }
}

fn source_bytes(operation: &Operation) -> usize {
    match &operation.action {
        Action::Index(source) | Action::Create(source) => source.len(),
        Action::Update(_) | Action::Delete => 0,
    }
}
