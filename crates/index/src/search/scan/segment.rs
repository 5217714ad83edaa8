//! The hits of one segment: counted, offered in blocks or with their scores, or left out by stretches.

use std::ops::Range;
use std::sync::atomic::Ordering;

use pampero_opensearch::Exception;
use tantivy::query::Weight;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, SegmentReader, TERMINATED};

use super::{GROUPS_MAX, Shared, Task, too_many_groups};
use crate::search::column::NumberKey;
use crate::search::failed;
use crate::search::top::Top;

/// Blocks of documents between two looks at the clock.
const BLOCKS_PER_LOOK: u32 = 64;

impl Shared<'_> {
    /// Counts without looking at any column.
    pub(super) fn count_segment(
        &self,
        task: &Task<'_>,
        weight: &dyn Weight,
    ) -> Result<(), Exception> {
        if self.wanted.total_max == Some(u64::MAX) {
            let count = weight.count(task.reader).map_err(failed)?;
            self.counted.fetch_add(u64::from(count), Ordering::Relaxed);
            self.look_at_clock();
            return Ok(());
        }
        let mut scorer = weight.scorer(task.reader, 1.0).map_err(failed)?;
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut pace = Pace::default();
        loop {
            let filled = scorer.fill_buffer(&mut buffer);
            let alive = keep_alive(task.reader, &mut buffer, filled);
            self.counted.fetch_add(alive as u64, Ordering::Relaxed);
            if filled < buffer.len() || self.is_counted() {
                return Ok(());
            }
            if pace.is_due() && self.look_at_clock() {
                return Ok(());
            }
        }
    }

    pub(super) fn scan_blocks(
        &self,
        task: &Task<'_>,
        weight: &dyn Weight,
        stretch: Range<DocId>,
        top: &mut Top<'_>,
    ) -> Result<(), Exception> {
        let mut scorer = weight.scorer(task.reader, 1.0).map_err(failed)?;
        self.seek_start(task, scorer.as_mut());
        if scorer.doc() < stretch.start {
            scorer.seek(stretch.start);
        }
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut ranks = Vec::with_capacity(buffer.len());
        let mut pace = Pace::default();
        loop {
            let mut filled = scorer.fill_buffer(&mut buffer);
            while filled > 0 && buffer[filled - 1] >= stretch.end {
                filled -= 1;
            }
            let mut alive = keep_alive(task.reader, &mut buffer, filled);
            let ends = self.count_looked_at(task, &mut alive);
            self.counted.fetch_add(alive as u64, Ordering::Relaxed);
            top.offer_block(&buffer[..alive], &mut ranks);
            check_groups(top)?;
            if filled < buffer.len() || ends || self.is_done(top) {
                return Ok(());
            }
            if pace.is_due() && self.look_at_clock() {
                return Ok(());
            }
        }
    }

    /// Tells whether stretches of a segment may be left out once enough hits are counted.
    pub(super) fn may_skip_stretches(&self, task: &Task<'_>) -> bool {
        self.wanted.group.is_none()
            && self.wanted.terminate_after.is_none()
            && self.wanted.total_max != Some(u64::MAX)
            && task.reader.max_doc() > 2 * self.wanted.stretch
    }

    /// Goes through a segment by stretches, the most promising first, as documents mostly lie in the
    /// order of time. Once enough hits are counted, only documents are looked at whose column says that
    /// they can be among the first.
    pub(super) fn scan_stretches(
        &self,
        task: &Task<'_>,
        weight: &dyn Weight,
        key: &NumberKey,
        top: &mut Top<'_>,
    ) -> Result<(), Exception> {
        let documents = task.reader.max_doc();
        let mut stretches: Vec<Range<DocId>> = (0..documents)
            .step_by(self.wanted.stretch as usize)
            .map(|start| start..documents.min(start.saturating_add(self.wanted.stretch)))
            .collect();
        stretches.sort_by_key(|stretch| {
            let middle = u32::midpoint(stretch.start, stretch.end);
            [stretch.start, middle, stretch.end - 1]
                .map(|document| key.rank(document))
                .into_iter()
                .min()
        });
        for stretch in stretches {
            let first_ranks =
                if self.is_counted() { key.within(stretch.clone(), top.bound()) } else { None };
            match first_ranks {
                Some(candidates) => self.scan_candidates(task, weight, &candidates, top)?,
                None => self.scan_blocks(task, weight, stretch, top)?,
            }
            if self.look_at_clock() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks at those of some documents that are hits.
    fn scan_candidates(
        &self,
        task: &Task<'_>,
        weight: &dyn Weight,
        candidates: &[DocId],
        top: &mut Top<'_>,
    ) -> Result<(), Exception> {
        if candidates.is_empty() {
            return Ok(());
        }
        let mut scorer = weight.scorer(task.reader, 1.0).map_err(failed)?;
        for candidate in candidates {
            if task.reader.alive_bitset().is_some_and(|alive| !alive.is_alive(*candidate)) {
                continue;
            }
            if scorer.doc() < *candidate {
                scorer.seek(*candidate);
            }
            if scorer.doc() == *candidate {
                top.offer(*candidate, 0.0);
            }
        }
        Ok(())
    }

    /// Every hit is scored: tantivy keeps no bounds of scores for fields without norms, as JSON fields
    /// are, and passing over blocks by them would lose hits.
    pub(super) fn scan_scored(
        &self,
        task: &Task<'_>,
        weight: &dyn Weight,
        top: &mut Top<'_>,
    ) -> Result<(), Exception> {
        let mut scorer = weight.scorer(task.reader, 1.0).map_err(failed)?;
        self.seek_start(task, scorer.as_mut());
        let mut pace = Pace::default();
        let mut document = scorer.doc();
        let mut in_block = 0;
        while document != TERMINATED {
            if task.reader.alive_bitset().is_none_or(|alive| alive.is_alive(document)) {
                let mut one = 1;
                if self.count_looked_at(task, &mut one) && one == 0 {
                    return Ok(());
                }
                self.counted.fetch_add(1, Ordering::Relaxed);
                top.offer(document, scorer.score());
            }
            in_block += 1;
            if in_block == COLLECT_BLOCK_BUFFER_LEN {
                in_block = 0;
                check_groups(top)?;
                if self.is_done(top) || (pace.is_due() && self.look_at_clock()) {
                    return Ok(());
                }
            }
            document = scorer.advance();
        }
        Ok(())
    }

    /// In the order of documents, goes straight to where the last page ended.
    fn seek_start(&self, task: &Task<'_>, scorer: &mut dyn DocSet) {
        let in_turn = self.wanted.constant_scores || self.wanted.order.is_by_document();
        if !in_turn || !self.is_counted() {
            return;
        }
        let Some(after) = self.wanted.after.and_then(|after| after.address) else {
            return;
        };
        let index = self.shards[task.shard].index;
        let target = after.document.saturating_add(1);
        if (index, task.segment) == (after.index, after.segment) && scorer.doc() < target {
            scorer.seek(target);
        }
    }

    /// Tells whether nothing of this segment matters any more.
    fn is_done(&self, top: &Top<'_>) -> bool {
        let in_turn = self.wanted.constant_scores || self.wanted.order.is_by_document();
        in_turn && self.wanted.group.is_none() && top.is_full() && self.is_counted()
    }

    /// Counts towards `terminate_after`, cuts what is beyond it, and tells whether it is reached.
    fn count_looked_at(&self, task: &Task<'_>, documents: &mut usize) -> bool {
        let Some(limit) = self.wanted.terminate_after else {
            return false;
        };
        let before = self.looked_at[task.shard].fetch_add(*documents as u64, Ordering::Relaxed);
        let left = usize::try_from(limit.saturating_sub(before)).unwrap_or(usize::MAX);
        if left < *documents {
            *documents = left;
            self.lock().terminated_early = true;
            return true;
        }
        false
    }
}

fn check_groups(top: &Top<'_>) -> Result<(), Exception> {
    if top.group_count() > GROUPS_MAX { Err(too_many_groups()) } else { Ok(()) }
}

/// Moves the documents that are not deleted to the front of a block, and returns how many there are.
fn keep_alive(reader: &SegmentReader, block: &mut [DocId], filled: usize) -> usize {
    let Some(alive) = reader.alive_bitset() else {
        return filled;
    };
    let mut kept = 0;
    for at in 0..filled {
        if alive.is_alive(block[at]) {
            block[kept] = block[at];
            kept += 1;
        }
    }
    kept
}

/// Looking at the clock costs more than looking at a block of documents.
#[derive(Default)]
struct Pace {
    blocks: u32,
}

impl Pace {
    fn is_due(&mut self) -> bool {
        self.blocks += 1;
        self.blocks.is_multiple_of(BLOCKS_PER_LOOK)
    }
}
