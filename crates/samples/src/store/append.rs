//! Appending: batches that come at the same time share one commit.
//!
//! Whoever gets the writer commits all batches that wait, so that the others find theirs done.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use pampero_series::Labels;
use rusqlite::{Connection, params};

use super::{Shared, milliseconds, transaction};
use crate::block::ColumnReader;
use crate::error::{AppendError, SharedError, StorageError};
use crate::head::{self, Generation, Put};
use crate::journal;
use crate::labels;
use crate::locks;
use crate::parts::Parts;
use crate::sample::{Appended, Sample, SeriesId};

/// The connection that writes, and what only it needs.
pub(super) struct Writer {
    pub(super) connection: Connection,
    /// For each slot a time that none of its samples is newer than: one that is newer is new.
    pub(super) last_ms: Vec<i64>,
}

/// A batch that waits for its commit.
pub(super) struct Job {
    batch: Vec<Sample>,
    now_ms: i64,
    outcome: Mutex<Option<Result<Appended, AppendError>>>,
}

/// What a commit adds to one generation.
struct Addition {
    generation: Arc<Generation>,
    slots: Vec<u32>,
    entries: Vec<journal::Entry>,
}

/// A series that goes to disk with its first sample.
type Unsaved = (SeriesId, Labels);

impl Shared {
    pub(super) fn append(&self, batch: &[Sample], now_ms: i64) -> Result<Appended, AppendError> {
        self.check_open().map_err(SharedError::from)?;
        let head_max = self.options.head_samples_max as u64;
        if self.head_samples.load(Ordering::Acquire) >= head_max {
            // Memory is bounded even if maintenance falls behind, by making who appends wait.
            self.fold_early(head_max).map_err(SharedError::from)?;
        }
        let job = Arc::new(Job { batch: batch.to_vec(), now_ms, outcome: Mutex::default() });
        locks::lock(&self.queue).push(Arc::clone(&job));
        let mut writer = locks::lock(&self.writer);
        if locks::lock(&job.outcome).is_none() {
            let jobs = std::mem::take(&mut *locks::lock(&self.queue));
            self.commit_jobs(&mut writer, jobs);
        }
        drop(writer);
        let outcome = locks::lock(&job.outcome).take();
        // Without an outcome whoever committed it panicked.
        outcome.unwrap_or(Err(AppendError::Closed))
    }

    fn commit_jobs(&self, writer: &mut Writer, jobs: Vec<Arc<Job>>) {
        let (jobs, unsaved) = self.known_jobs(jobs);
        let begun = Instant::now();
        let mut additions = Vec::new();
        let admit = |job: &Arc<Job>| self.admit(writer, job, &mut additions);
        let admitted: Result<Vec<Appended>, StorageError> = jobs.iter().map(admit).collect();
        additions.retain(|addition| !addition.entries.is_empty());
        let committed =
            admitted.and_then(|counts| Ok((counts, self.commit(writer, &additions, &unsaved)?)));
        match committed {
            Ok((counts, rows)) => {
                self.publish(&additions, &rows, &unsaved);
                self.count(&counts, &additions, begun);
                for (job, appended) in jobs.iter().zip(counts) {
                    *locks::lock(&job.outcome) = Some(Ok(appended));
                }
            }
            Err(error) => {
                withdraw(&additions);
                let error = SharedError::from(error);
                locks::lock(&self.counters).failed_batches_total += jobs.len() as u64;
                for job in jobs {
                    *locks::lock(&job.outcome) = Some(Err(error.clone().into()));
                }
            }
        }
    }

    /// Refuses the batches that name a series that is not known, and returns the others with the
    /// series that are not on disk yet.
    fn known_jobs(&self, jobs: Vec<Arc<Job>>) -> (Vec<Arc<Job>>, Vec<Unsaved>) {
        let index = locks::read(&self.index);
        let mut unsaved = Vec::new();
        let is_known = |job: &Arc<Job>| {
            for sample in &job.batch {
                match index.is_saved(sample.series) {
                    Some(true) => {}
                    Some(false) => unsaved.push(sample.series),
                    None => return false,
                }
            }
            true
        };
        let (jobs, unknown): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_known);
        for job in &unknown {
            *locks::lock(&job.outcome) = Some(Err(AppendError::UnknownSeries));
        }
        locks::lock(&self.counters).failed_batches_total += unknown.len() as u64;
        unsaved.sort_unstable_by_key(|series| series.number);
        unsaved.dedup();
        let labels = |series| Some((series, index.labels(series)?));
        (jobs, unsaved.into_iter().filter_map(labels).collect())
    }

    /// Puts the samples of a batch into the head, where readers do not see them yet.
    fn admit(
        &self,
        writer: &mut Writer,
        job: &Job,
        additions: &mut Vec<Addition>,
    ) -> Result<Appended, StorageError> {
        let mut appended = Appended::default();
        let newest_ms = job.now_ms.saturating_add(milliseconds(self.options.future_window));
        let oldest_ms = self.oldest_ms(job.now_ms);
        let mut late = Late::default();
        let mut rest = &*job.batch;
        while let Some(first) = rest.first() {
            if first.timestamp_ms < oldest_ms {
                appended.too_old += 1;
                rest = &rest[1..];
                continue;
            }
            if first.timestamp_ms > newest_ms {
                appended.too_new += 1;
                rest = &rest[1..];
                continue;
            }
            let start_ms = self.window_of(first.timestamp_ms);
            let last_ms = start_ms.saturating_add(self.window_ms - 1).min(newest_ms);
            let range_ms = start_ms.max(oldest_ms)..=last_ms;
            let inside = |sample: &&Sample| range_ms.contains(&sample.timestamp_ms);
            let (run, next) = rest.split_at(rest.iter().take_while(inside).count());
            let addition = self.addition(additions, start_ms);
            self.admit_run(writer, run, addition, &mut appended, &mut late)?;
            rest = next;
        }
        Ok(appended)
    }

    /// Returns what the commit adds to the generation of a window.
    fn addition<'a>(&self, additions: &'a mut Vec<Addition>, start_ms: i64) -> &'a mut Addition {
        let of_window = |addition: &Addition| addition.generation.start_ms == start_ms;
        let place = additions.iter().position(of_window).unwrap_or_else(|| {
            let generation = locks::write(&self.head).open_generation(start_ms);
            additions.push(Addition { generation, slots: Vec::new(), entries: Vec::new() });
            additions.len() - 1
        });
        &mut additions[place]
    }

    /// Puts samples of one window into its generation.
    fn admit_run(
        &self,
        writer: &mut Writer,
        run: &[Sample],
        addition: &mut Addition,
        appended: &mut Appended,
        late: &mut Late,
    ) -> Result<(), StorageError> {
        let generation = &addition.generation;
        let sequence = generation.next_sequence();
        let mut columns = generation.write();
        for sample in run {
            let Sample { series, timestamp_ms, value } = *sample;
            let kept = if writer.is_new(series, timestamp_ms) {
                None
            } else {
                self.find_elsewhere(writer, late, generation, sample)?
            };
            let offset_ms = (timestamp_ms - generation.start_ms) as i32;
            let put = match kept {
                Some(kept) => head::compare(kept, value),
                None => columns.put(series.slot, offset_ms, sequence, value),
            };
            match put {
                Put::Duplicate => appended.duplicates += 1,
                Put::Conflicting => appended.conflicting += 1,
                Put::Stored => {
                    appended.stored += 1;
                    columns.widen(timestamp_ms);
                    addition.slots.push(series.slot);
                    let number = series.number;
                    addition.entries.push(journal::Entry { number, timestamp_ms, value });
                }
            }
        }
        Ok(())
    }

    /// Returns the value that a late sample meets outside the generation that it would go into: in
    /// one that is being folded, or in a block.
    fn find_elsewhere(
        &self,
        writer: &Writer,
        late: &mut Late,
        generation: &Arc<Generation>,
        sample: &Sample,
    ) -> Result<Option<f64>, StorageError> {
        let time_ms = sample.timestamp_ms;
        let folding = locks::read(&self.head)
            .generations
            .iter()
            .filter(|other| other.start_ms == generation.start_ms)
            .filter(|other| !Arc::ptr_eq(other, generation))
            .find_map(|other| other.value_at(sample.series.slot, time_ms));
        if folding.is_some() {
            return Ok(folding);
        }
        let blocks = locks::read(&self.blocks);
        for block in blocks.iter().filter(|block| block.overlaps((time_ms, time_ms))) {
            let number = sample.series.number;
            if late.position != Some((block.id, number)) {
                late.position = None;
                late.parts.clear();
                let everything = (i64::MIN, i64::MAX);
                let (columns, parts) = (&mut late.columns, &mut late.parts);
                columns.read_into(&writer.connection, block, number, everything, parts)?;
                late.position = Some((block.id, number));
            }
            if let Ok(found) = late.parts.times_ms.binary_search(&time_ms) {
                return Ok(Some(late.parts.values[found]));
            }
        }
        Ok(None)
    }

    /// Writes the new series and one row for each generation, and returns the numbers of the rows.
    fn commit(
        &self,
        writer: &mut Writer,
        additions: &[Addition],
        unsaved: &[Unsaved],
    ) -> Result<Vec<i64>, StorageError> {
        if additions.is_empty() {
            return Ok(Vec::new());
        }
        transaction(&mut writer.connection, |connection| {
            let insert = "INSERT OR IGNORE INTO series (number, labels) VALUES (?1, ?2)";
            for (series, labels) in unsaved {
                let row = params![series.number, labels::encode(labels)];
                connection.prepare_cached(insert)?.execute(row)?;
            }
            additions.iter().map(|addition| insert_row(connection, &addition.entries)).collect()
        })
    }

    /// Shows readers what has been committed.
    fn publish(&self, additions: &[Addition], rows: &[i64], unsaved: &[Unsaved]) {
        if additions.is_empty() {
            return;
        }
        if !unsaved.is_empty() {
            let mut index = locks::write(&self.index);
            for (series, _) in unsaved {
                index.set_saved(*series);
            }
        }
        let head = locks::write(&self.head);
        for (addition, row) in additions.iter().zip(rows) {
            addition.generation.publish(addition.entries.len() as u64, *row);
        }
        drop(head);
        let entries = additions.iter().flat_map(|addition| &addition.entries);
        let newest_ms = entries.map(|entry| entry.timestamp_ms).max();
        self.newest_ms.fetch_max(newest_ms.unwrap_or(i64::MIN), Ordering::AcqRel);
        let stored = additions.iter().map(|addition| addition.entries.len() as u64).sum();
        self.head_samples.fetch_add(stored, Ordering::AcqRel);
    }

    fn count(&self, counts: &[Appended], additions: &[Addition], begun: Instant) {
        let took = begun.elapsed();
        let mut counters = locks::lock(&self.counters);
        for appended in counts {
            counters.appended_total += appended.stored as u64;
            counters.duplicates_total += appended.duplicates as u64;
            counters.conflicting_total += appended.conflicting as u64;
            counters.too_old_total += appended.too_old as u64;
            counters.too_new_total += appended.too_new as u64;
        }
        if !additions.is_empty() {
            counters.commits_total += 1;
            counters.commit_duration_total += took;
            counters.commit_duration_max = counters.commit_duration_max.max(took);
        }
    }
}

impl Writer {
    /// Returns whether a sample is newer than all of its series, and notes its time if it is.
    fn is_new(&mut self, series: SeriesId, timestamp_ms: i64) -> bool {
        let slot = series.slot as usize;
        if self.last_ms.len() <= slot {
            self.last_ms.resize(slot + 1, i64::MIN);
        }
        let new = timestamp_ms > self.last_ms[slot];
        if new {
            self.last_ms[slot] = timestamp_ms;
        }
        new
    }
}

/// The column that the late sample before was looked for in: the next one is mostly in it too.
#[derive(Default)]
struct Late {
    columns: ColumnReader,
    position: Option<(i64, u32)>,
    parts: Parts,
}

/// Takes samples out of the head whose commit failed.
fn withdraw(additions: &[Addition]) {
    for addition in additions {
        addition.generation.withdraw(addition.slots.iter().copied());
    }
}

/// Writes samples into the journal, and returns the number of the row.
pub(super) fn insert_row(
    connection: &Connection,
    entries: &[journal::Entry],
) -> Result<i64, StorageError> {
    let mut statement = connection.prepare_cached("INSERT INTO journal (samples) VALUES (?1)")?;
    Ok(statement.insert([journal::encode(entries)])?)
}
