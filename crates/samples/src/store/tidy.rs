//! One round of maintenance: each step does a bounded piece, and what is left waits for the next.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use rusqlite::{Connection, OptionalExtension, params};

use super::merge::Merging;
use super::{Shared, milliseconds};
use crate::block::{self, Block};
use crate::database::{self, DEAD};
use crate::error::StorageError;
use crate::locks;
use crate::sample::{Maintained, SeriesId};

/// Rows that are swept away in one transaction.
const SWEEP_ROWS: i64 = 500;
/// Such transactions in one round.
const SWEEPS: usize = 40;
/// Bytes that are given back to the file system in one round.
const GIVE_BACK_BYTES: u64 = 8 << 20;
/// Free space that is kept for what comes next: so many bytes, and one part in so many.
const SPARE_BYTES: u64 = 1 << 20;
const SPARE_SHARE: u64 = 32;

/// What maintenance remembers from round to round.
#[derive(Default)]
pub(super) struct Tidy {
    merging: Merging,
    /// When the present era began.
    era_began_ms: Option<i64>,
}

impl Shared {
    pub(super) fn maintain(&self, now_ms: i64) -> Result<Maintained, StorageError> {
        let mut done = Maintained::default();
        self.check_open()?;
        // Somebody else is at it already.
        let Some(mut tidy) = locks::try_lock(&self.tidy) else { return Ok(done) };
        let new_era = self.advance_era(&mut tidy, now_ms);
        // First what makes space, so that the rest has some.
        done.dropped_blocks = self.drop_blocks(&mut tidy, now_ms)?;
        done.more |= self.sweep()?;
        done.folded_samples = self.fold_complete(now_ms)?;
        done.folded_samples += self.fold_early(self.head_half() + 1)?;
        done.merged_blocks = self.merge(&mut tidy.merging, now_ms)?;
        done.more |= done.merged_blocks > 0 || tidy.merging.is_going();
        if done.dropped_blocks > 0 || new_era {
            done.forgotten_series = self.forget()?;
        }
        done.more |= self.give_back()?;
        Ok(done)
    }

    /// Begins a new era once a window has passed since the last one began.
    fn advance_era(&self, tidy: &mut Tidy, now_ms: i64) -> bool {
        let began_ms = *tidy.era_began_ms.get_or_insert(now_ms);
        // Also when the clock was set back.
        let passed = now_ms.abs_diff(began_ms) >= self.window_ms as u64;
        if passed {
            tidy.era_began_ms = Some(now_ms);
            self.era.fetch_add(1, Ordering::Relaxed);
        }
        passed
    }

    /// Drops blocks that are too old, and the oldest ones while there is too much.
    fn drop_blocks(&self, tidy: &mut Tidy, now_ms: i64) -> Result<usize, StorageError> {
        let mut writer = locks::lock(&self.writer);
        let dead = block::load(&writer.connection, DEAD)?;
        let dead: u64 = dead.iter().map(|block| block.bytes).sum();
        let used = database::used_bytes(&writer.connection)?.0.saturating_sub(dead);
        let oldest_ms = now_ms.saturating_sub(milliseconds(self.options.retention));
        let size_max = self.options.size_max_bytes;
        let dropped = superfluous(&locks::read(&self.blocks), oldest_ms, used, size_max);
        if dropped.is_empty() {
            return Ok(0);
        }
        self.write_with(&mut writer, |connection| mark_dead(connection, &dropped))?;
        self.replace_blocks(&dropped, None);
        drop(writer);
        // It begins anew with what is left.
        self.stop_merge(&mut tidy.merging);
        Ok(dropped.len())
    }

    /// Sweeps away what belongs to no block any more; returns whether there is more.
    fn sweep(&self) -> Result<bool, StorageError> {
        let abandoned = locks::lock(&self.abandoned).clone();
        if !abandoned.is_empty() {
            self.write(|connection| mark_dead(connection, &abandoned))?;
            locks::lock(&self.abandoned).retain(|id| !abandoned.contains(id));
        }
        for _ in 0..SWEEPS {
            self.check_open()?;
            if !self.write(sweep_some)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets the series of which no sample is left and that nobody has resolved for a while.
    fn forget(&self) -> Result<usize, StorageError> {
        let era = self.era.load(Ordering::Relaxed).saturating_sub(1);
        let candidates = locks::read(&self.index).untouched_since(era);
        let mut numbers: HashSet<u32> = candidates.iter().map(|series| series.number).collect();
        if numbers.is_empty() {
            return Ok(0);
        }
        let reader = self.readers.take()?;
        // Under the writer no block comes or goes and no sample arrives.
        let mut writer = locks::lock(&self.writer);
        for block in &*locks::read(&self.blocks) {
            for number in block::members(reader.connection(), block.id)? {
                numbers.remove(&number);
            }
        }
        drop(reader);
        let mut index = locks::write(&self.index);
        let generations = locks::read(&self.head).generations.clone();
        let in_head: HashSet<u32> =
            generations.iter().flat_map(|generation| generation.read().slots()).collect();
        let gone =
            |series: &SeriesId| numbers.contains(&series.number) && !in_head.contains(&series.slot);
        // Asked again, because somebody may have resolved one meanwhile.
        let forgotten: Vec<SeriesId> =
            index.untouched_since(era).into_iter().filter(gone).collect();
        self.write_with(&mut writer, |connection| {
            let mut statement = connection.prepare("DELETE FROM series WHERE number = ?1")?;
            for series in &forgotten {
                statement.execute([series.number])?;
            }
            Ok(())
        })?;
        for series in &forgotten {
            index.remove(series.slot);
        }
        Ok(forgotten.len())
    }

    /// Gives free space back to the file system; returns whether there is more.
    fn give_back(&self) -> Result<bool, StorageError> {
        let writer = locks::lock(&self.writer);
        let (used, free) = database::used_bytes(&writer.connection)?;
        let surplus = free.saturating_sub(SPARE_BYTES + used / SPARE_SHARE);
        if surplus > 0 {
            database::give_back(&writer.connection, surplus.min(GIVE_BACK_BYTES))?;
        }
        Ok(surplus > GIVE_BACK_BYTES)
    }
}

/// Returns the blocks to drop: those all of whose samples are too old, and the oldest of the others
/// until what is left is small enough.
fn superfluous(blocks: &[Block], oldest_ms: i64, used: u64, used_max: u64) -> Vec<i64> {
    let mut by_age = blocks.to_vec();
    by_age.sort_by_key(|block| block.max_ms);
    let mut used = used;
    let is_superfluous = |block: &&Block| {
        let superfluous = block.max_ms < oldest_ms || used > used_max;
        used = used.saturating_sub(block.bytes);
        superfluous
    };
    by_age.iter().take_while(is_superfluous).map(|block| block.id).collect()
}

fn mark_dead(connection: &Connection, blocks: &[i64]) -> Result<(), StorageError> {
    for id in blocks {
        connection.execute("UPDATE blocks SET state = ?2 WHERE id = ?1", params![id, DEAD])?;
    }
    Ok(())
}

/// Deletes some rows of a dead block; returns whether there was one.
fn sweep_some(connection: &Connection) -> Result<bool, StorageError> {
    let find = "SELECT id FROM blocks WHERE state = ?1 LIMIT 1";
    let found: Option<i64> = connection.query_row(find, [DEAD], |row| row.get(0)).optional()?;
    let Some(id) = found else { return Ok(false) };
    let (first, end) = (block::first_key(id), block::first_key(id + 1));
    let mut deleted = 0;
    for table in ["columns", "times"] {
        let delete = format!(
            "DELETE FROM {table} WHERE key >= ?1 AND key <= (
                 SELECT max(key) FROM
                 (SELECT key FROM {table} WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3))"
        );
        deleted += connection.prepare_cached(&delete)?.execute(params![first, end, SWEEP_ROWS])?;
    }
    if deleted < SWEEP_ROWS as usize {
        connection.execute("DELETE FROM blocks WHERE id = ?1", [id])?;
    }
    Ok(true)
}
