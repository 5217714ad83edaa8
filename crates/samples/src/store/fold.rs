//! Folding: a generation of the head becomes a block of columns.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::params;

use super::Shared;
use crate::block::BlockBuilder;
use crate::error::StorageError;
use crate::head::Generation;
use crate::locks;
use crate::parts::Parts;

/// Bytes that are written in one transaction, so that appending waits for milliseconds only.
const PIECE_BYTES: usize = 1 << 20;

const EVERYTHING_MS: (i64, i64) = (i64::MIN, i64::MAX);

impl Shared {
    /// Folds the generations to which nothing can be added any more; returns how many samples.
    pub(super) fn fold_complete(&self, now_ms: i64) -> Result<u64, StorageError> {
        let oldest_ms = self.oldest_ms(now_ms);
        let _folding = locks::lock(&self.folding);
        let mut folded = 0;
        for generation in self.generations_by_age() {
            let complete = generation.start_ms.saturating_add(self.window_ms) <= oldest_ms;
            // One that is closed was begun and not finished.
            if complete || !generation.open.load(Ordering::Acquire) {
                folded += self.fold(&generation)?;
            }
        }
        Ok(folded)
    }

    /// Folds the oldest generations of a head that has `most` samples or more, until it is half as
    /// large as it may be.
    pub(super) fn fold_early(&self, most: u64) -> Result<u64, StorageError> {
        let _folding = locks::lock(&self.folding);
        let mut folded = 0;
        // Several may have waited for the one who folded.
        if self.head_samples.load(Ordering::Acquire) < most {
            return Ok(folded);
        }
        for generation in self.generations_by_age() {
            if self.head_samples.load(Ordering::Acquire) <= self.head_half() {
                break;
            }
            folded += self.fold(&generation)?;
        }
        Ok(folded)
    }

    /// Returns half of the samples that the head may have.
    pub(super) fn head_half(&self) -> u64 {
        self.options.head_samples_max as u64 / 2
    }

    fn generations_by_age(&self) -> Vec<Arc<Generation>> {
        let mut generations = locks::read(&self.head).generations.clone();
        generations.sort_by_key(|generation| generation.start_ms);
        generations
    }

    /// Makes a block of a generation; readers find its samples in one of them or in both.
    fn fold(&self, generation: &Arc<Generation>) -> Result<u64, StorageError> {
        {
            // No commit goes on while the writer is held, so nothing is added from here on.
            let _writer = locks::lock(&self.writer);
            generation.open.store(false, Ordering::Release);
        }
        let mut builder = self.write(|connection| Ok(BlockBuilder::begin(connection)?))?;
        let built = self.build(generation, &mut builder);
        let published = built.and_then(|()| self.publish_block(generation, &builder));
        if published.is_err() {
            self.abandon(&builder);
        }
        published
    }

    fn build(
        &self,
        generation: &Generation,
        builder: &mut BlockBuilder,
    ) -> Result<(), StorageError> {
        let slots = generation.read().slots();
        let index = locks::read(&self.index);
        let series = |slot: u32| index.in_slot(slot as usize);
        let mut series: Vec<_> = slots.into_iter().filter_map(series).collect();
        drop(index);
        series.sort_unstable_by_key(|series| series.number);
        let mut parts = Parts::default();
        for series in series {
            self.check_open()?;
            parts.clear();
            generation.read_into(series.slot, u32::MAX, EVERYTHING_MS, &mut parts);
            builder.add(series.number, &parts.times_ms, &parts.values)?;
            self.write_piece(builder)?;
        }
        Ok(())
    }

    /// Writes what the builder has, once it is enough.
    pub(super) fn write_piece(&self, builder: &mut BlockBuilder) -> Result<(), StorageError> {
        if builder.waiting_bytes() >= PIECE_BYTES {
            self.write(|connection| Ok(builder.write(connection)?))?;
            builder.written();
        }
        Ok(())
    }

    /// Makes the block live and the journal shorter in one transaction, then the head.
    fn publish_block(
        &self,
        generation: &Arc<Generation>,
        builder: &BlockBuilder,
    ) -> Result<u64, StorageError> {
        let (rows, samples) = {
            let columns = generation.read();
            (columns.rows.clone(), columns.samples)
        };
        let mut writer = locks::lock(&self.writer);
        let block = self.write_with(&mut writer, |connection| {
            let block = builder.finish(connection)?;
            let delete = "DELETE FROM journal WHERE id BETWEEN ?1 AND ?2";
            for (first, last) in rows {
                connection.prepare_cached(delete)?.execute(params![first, last])?;
            }
            Ok(block)
        })?;
        self.replace_blocks(&[], block);
        locks::write(&self.head).generations.retain(|other| !Arc::ptr_eq(other, generation));
        self.head_samples.fetch_sub(samples, Ordering::AcqRel);
        Ok(samples)
    }

    /// Leaves a block that was not finished to be swept away.
    pub(super) fn abandon(&self, builder: &BlockBuilder) {
        locks::lock(&self.abandoned).push(builder.id());
    }
}
