//! Merging: blocks become one, so that a read looks into few and columns compress better.

use rusqlite::params;

use super::Shared;
use crate::block::{self, Block, BlockBuilder, ColumnReader};
use crate::database::DEAD;
use crate::error::StorageError;
use crate::locks;
use crate::parts::Parts;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Samples that are merged in one round.
const ROUND_SAMPLES: usize = 5_000_000;
/// Blocks of a day that is complete from which on they are merged.
const DAY_BLOCKS: usize = 2;
/// Blocks of a window that is complete from which on they are merged before their day is.
const WINDOW_BLOCKS: usize = 4;
/// Blocks of a window from which on they are merged although more may come.
const OPEN_BLOCKS: usize = 16;

/// What merging remembers from round to round.
#[derive(Default)]
pub(super) struct Merging {
    going: Option<Merge>,
    /// Blocks that could not be read; they stay as they are, and stop no other merge.
    damaged: Vec<i64>,
}

/// A merge that goes on over several rounds; its sources do not change meanwhile.
struct Merge {
    sources: Vec<Block>,
    builder: BlockBuilder,
    /// The series of all sources, ascending, and how many of them are done.
    numbers: Vec<u32>,
    done: usize,
    columns: ColumnReader,
}

impl Merging {
    /// Returns whether a merge goes on.
    pub(super) fn is_going(&self) -> bool {
        self.going.is_some()
    }
}

impl Shared {
    /// Goes on with a merge, or begins one; returns how many blocks became one now.
    pub(super) fn merge(&self, merging: &mut Merging, now_ms: i64) -> Result<usize, StorageError> {
        let mut going = match merging.going.take() {
            Some(going) => going,
            None => {
                let mut blocks = locks::read(&self.blocks).clone();
                blocks.retain(|block| !merging.damaged.contains(&block.id));
                let sources = plan(&blocks, self.window_ms, self.oldest_ms(now_ms));
                if sources.is_empty() {
                    return Ok(0);
                }
                self.begin_merge(sources)?
            }
        };
        let merged = self.merge_some(&mut going).and_then(|all| match all {
            true => self.finish_merge(&going),
            false => Ok(0),
        });
        match merged {
            Ok(0) => merging.going = Some(going),
            Ok(_) => {}
            Err(ref error) => {
                self.abandon(&going.builder);
                if error.is_damage() {
                    merging.damaged.extend(going.sources.iter().map(|source| source.id));
                }
            }
        }
        merged
    }

    /// Gives up the merge that goes on, because one of its sources may be gone.
    pub(super) fn stop_merge(&self, merging: &mut Merging) {
        if let Some(going) = merging.going.take() {
            self.abandon(&going.builder);
        }
    }

    fn begin_merge(&self, sources: Vec<Block>) -> Result<Merge, StorageError> {
        let reader = self.readers.take()?;
        let mut numbers = Vec::new();
        for source in &sources {
            numbers.extend(block::members(reader.connection(), source.id)?);
            // Kept short on the way: the sources have mostly the same series.
            numbers.sort_unstable();
            numbers.dedup();
        }
        drop(reader);
        let builder = self.write(|connection| Ok(BlockBuilder::begin(connection)?))?;
        Ok(Merge { sources, builder, numbers, done: 0, columns: ColumnReader::default() })
    }

    /// Merges some series; returns whether all are done.
    fn merge_some(&self, merge: &mut Merge) -> Result<bool, StorageError> {
        let mut parts = Parts::default();
        let mut samples = 0;
        while let Some(&number) = merge.numbers.get(merge.done) {
            self.check_open()?;
            if samples > ROUND_SAMPLES {
                return Ok(false);
            }
            parts.clear();
            // Taken for each series, so that reads of others come in between.
            let reader = self.readers.take()?;
            let everything = (i64::MIN, i64::MAX);
            for source in &merge.sources {
                let connection = reader.connection();
                merge.columns.read_into(connection, source, number, everything, &mut parts)?;
            }
            drop(reader);
            parts.finish();
            samples += parts.values.len();
            merge.builder.add(number, &parts.times_ms, &parts.values)?;
            merge.done += 1;
            self.write_piece(&mut merge.builder)?;
        }
        Ok(true)
    }

    /// Puts the merged block into the place of its sources.
    fn finish_merge(&self, merge: &Merge) -> Result<usize, StorageError> {
        let mut writer = locks::lock(&self.writer);
        let merged = self.write_with(&mut writer, |connection| {
            for source in &merge.sources {
                let update = "UPDATE blocks SET state = ?2 WHERE id = ?1";
                connection.execute(update, params![source.id, DEAD])?;
            }
            Ok(merge.builder.finish(connection)?)
        })?;
        let sources: Vec<i64> = merge.sources.iter().map(|source| source.id).collect();
        self.replace_blocks(&sources, merged);
        Ok(sources.len())
    }
}

/// Chooses the blocks to merge next: those of a day that is complete, else those of a window.
fn plan(blocks: &[Block], window_ms: i64, oldest_ms: i64) -> Vec<Block> {
    let stretches = [(DAY_MS, DAY_BLOCKS, usize::MAX), (window_ms, WINDOW_BLOCKS, OPEN_BLOCKS)];
    for (length_ms, complete_min, open_min) in stretches {
        let stretch = |block: &Block| block.min_ms.div_euclid(length_ms);
        for group in blocks.chunk_by(|left, right| stretch(left) == stretch(right)) {
            let end_ms = stretch(&group[0]).saturating_add(1).saturating_mul(length_ms);
            let least = if end_ms <= oldest_ms { complete_min } else { open_min };
            if group.len() >= least {
                return group.to_vec();
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1000;

    #[track_caller]
    fn check(hours: &[i64], oldest_hour: i64, expected: &[i64]) {
        let block = |(id, hour): (usize, &i64)| {
            let min_ms = hour * HOUR_MS;
            Block { id: id as i64, min_ms, max_ms: min_ms, samples: 1, bytes: 1 }
        };
        let blocks: Vec<Block> = hours.iter().enumerate().map(block).collect();
        let planned = plan(&blocks, 2 * HOUR_MS, oldest_hour * HOUR_MS);
        let ids: Vec<i64> = planned.iter().map(|block| block.id).collect();
        assert_eq!(ids, expected);
    }

    #[test]
    fn whole_days_are_merged_before_parts_of_them() {
        check(&[], 100, &[]);
        check(&[0, 2, 4], 23, &[]);
        check(&[0, 2, 4], 24, &[0, 1, 2]);
        check(&[0, 24, 26], 47, &[]);
        check(&[0, 24, 26], 48, &[1, 2]);
        check(&[0, 2, 2, 3, 3, 4], 3, &[]);
        check(&[0, 2, 2, 3, 3, 4], 4, &[1, 2, 3, 4]);
        check(&[2; 15], 1, &[]);
        check(&[2; 16], 1, &(0..16).collect::<Vec<_>>());
    }
}
