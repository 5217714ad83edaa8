//! Going through the hits of all segments: counting them, and keeping those that come first.
//!
//! Segments are worked on by two threads when there is much to do. Where the first key is a number,
//! segments that can hold the first hits come first, and once enough hits are known and counted, those
//! that cannot hold an earlier one are passed over.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::query::{EnableScoring, Query, Weight};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, SegmentReader, TERMINATED};

use super::column::{NumberKey, SegmentKey};
use super::failed;
use super::order::{Address, After, Key, Order, Position};
use super::top::{Entry, Top};
use crate::engine::Snapshot;

/// Blocks of documents between two looks at the clock.
const BLOCKS_PER_LOOK: u32 = 64;

/// Documents from which on a second thread helps.
const DOCUMENTS_PER_THREAD: u64 = 500_000;

/// Documents of a segment that are looked at, or left out, together.
pub(super) const STRETCH: u32 = 65_536;

/// Most groups of a collapsed search, over all segments.
const GROUPS_MAX: usize = 1_000_000;

/// One index that is searched.
pub(super) struct Shard<'a> {
    /// Its place in the search.
    pub(super) index: u32,
    /// The index at one moment.
    pub(super) snapshot: &'a Snapshot,
    /// What is aggregated.
    pub(super) query: Box<dyn Query>,
    /// What is shown and counted.
    pub(super) hits: Box<dyn Query>,
}

/// What is wanted of the hits.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// Their order.
    pub(super) order: &'a Order,
    /// How many of the first ones.
    pub(super) count: usize,
    /// Up to where they are counted; `None` does not count.
    pub(super) total_max: Option<u64>,
    /// From where on they are kept.
    pub(super) after: Option<&'a After>,
    /// The values of which each is kept once.
    pub(super) group: Option<&'a Key>,
    /// Most documents that are looked at in each index.
    pub(super) terminate_after: Option<u64>,
    /// Whether scores are worked out.
    pub(super) scores: bool,
    /// Whether all scores are the same, so that the order is that of the documents.
    pub(super) constant_scores: bool,
    /// Documents of a segment that are looked at, or left out, together.
    pub(super) stretch: u32,
    /// When it is given up.
    pub(super) deadline: Instant,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The first hits in their order.
    pub(super) positions: Vec<Position>,
    /// How many hits there are; may stop short once above `total_max`.
    pub(super) total: u64,
    /// The highest score of all that were looked at.
    pub(super) score_max: Option<f32>,
    /// Time ran out.
    pub(super) timed_out: bool,
    /// An index had more than `terminate_after` documents.
    pub(super) terminated_early: bool,
    /// Indices that failed.
    pub(super) failures: Vec<(u32, Exception)>,
}

/// A segment that has to be looked at.
struct Task<'a> {
    shard: usize,
    segment: u32,
    reader: &'a SegmentReader,
    best: u64,
}

/// What the threads share.
struct Shared<'a> {
    wanted: &'a Wanted<'a>,
    shards: &'a [Shard<'a>],
    weights: Vec<Option<Box<dyn Weight>>>,
    tasks: Vec<Task<'a>>,
    next: AtomicUsize,
    counted: AtomicU64,
    looked_at: Vec<AtomicU64>,
    bound: AtomicU64,
    stopped: AtomicBool,
    found: Mutex<Found>,
}

/// Goes through the hits.
pub(super) fn scan(shards: &[Shard<'_>], wanted: &Wanted<'_>) -> Found {
    let mut found = Found::default();
    let weights = shards.iter().map(|shard| weigh(shard, wanted.scores, &mut found)).collect();
    let tasks = order_tasks(shards, wanted, &mut found);
    let documents: u64 = tasks.iter().map(|task| u64::from(task.reader.max_doc())).sum();
    let shared = Shared {
        wanted,
        shards,
        weights,
        tasks,
        next: AtomicUsize::new(0),
        counted: AtomicU64::new(0),
        looked_at: shards.iter().map(|_| AtomicU64::new(0)).collect(),
        bound: AtomicU64::new(u64::MAX),
        stopped: AtomicBool::new(false),
        found: Mutex::new(found),
    };
    // In the order of documents an earlier segment makes the later ones needless.
    let in_turn = wanted.constant_scores || wanted.order.is_by_document();
    if documents > DOCUMENTS_PER_THREAD && shared.tasks.len() > 1 && !in_turn {
        std::thread::scope(|scope| {
            scope.spawn(|| shared.work());
            shared.work();
        });
    } else {
        shared.work();
    }
    shared.finish()
}

fn weigh(shard: &Shard<'_>, scores: bool, found: &mut Found) -> Option<Box<dyn Weight>> {
    let searcher = &shard.snapshot.searcher;
    let scoring = if scores {
        EnableScoring::enabled_from_searcher(searcher)
    } else {
        EnableScoring::disabled_from_searcher(searcher)
    };
    match shard.hits.weight(scoring) {
        Ok(weight) => Some(weight),
        Err(error) => {
            found.failures.push((shard.index, failed(error)));
            None
        }
    }
}

fn order_tasks<'a>(
    shards: &'a [Shard<'a>],
    wanted: &Wanted<'_>,
    found: &mut Found,
) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for (at, shard) in shards.iter().enumerate() {
        for (segment, reader) in (0..).zip(shard.snapshot.searcher.segment_readers()) {
            let best = match wanted.order.keys.first() {
                Some(key) if wanted.order.has_global_rank() && wanted.count > 0 => {
                    open_key(key, shard, segment, reader).map(|key| key.best())
                }
                _ => Ok(u64::MIN),
            };
            match best {
                Ok(best) => tasks.push(Task { shard: at, segment, reader, best }),
                Err(failure) => found.failures.push((shard.index, failure)),
            }
        }
    }
    tasks.sort_by_key(|task| task.best);
    tasks
}

fn open_key(
    key: &Key,
    shard: &Shard<'_>,
    segment: u32,
    reader: &SegmentReader,
) -> Result<SegmentKey, Exception> {
    let first = Address { index: shard.index, segment, document: 0 };
    SegmentKey::open(key, &shard.snapshot.mapping, &shard.snapshot.layout, reader, first)
}

impl<'a> Shared<'a> {
    /// Takes one segment after the other until none is left.
    fn work(&self) {
        while let Some(task) = self.tasks.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.stopped.load(Ordering::Relaxed) || self.is_needless(task) {
                continue;
            }
            let Some(weight) = &self.weights[task.shard] else {
                continue;
            };
            if let Err(failure) = self.scan_segment(task, weight.as_ref()) {
                let index = self.shards[task.shard].index;
                self.lock().failures.push((index, failure));
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Tells whether counting has come as far as it has to.
    fn is_counted(&self) -> bool {
        match self.wanted.total_max {
            Some(most) => self.counted.load(Ordering::Relaxed) > most,
            None => true,
        }
    }

    fn is_needless(&self, task: &Task<'_>) -> bool {
        if !self.is_counted() {
            return false;
        }
        let in_turn = self.wanted.constant_scores || self.wanted.order.is_by_document();
        if self.wanted.count == 0 {
            return true;
        }
        if self.wanted.group.is_some() {
            return false;
        }
        if let Some(after) = self.wanted.after.and_then(|after| after.address)
            && in_turn
        {
            let index = self.shards[task.shard].index;
            if (index, task.segment) < (after.index, after.segment) {
                return true;
            }
        }
        if in_turn {
            return self.lock().positions.len() >= self.wanted.count;
        }
        task.best > self.bound.load(Ordering::Relaxed)
    }

    fn scan_segment(&self, task: &Task<'_>, weight: &dyn Weight) -> Result<(), Exception> {
        let shard = &self.shards[task.shard];
        if self.wanted.count == 0 && self.wanted.terminate_after.is_none() {
            return self.count_segment(task, weight);
        }
        let keys = self.open_keys(task)?;
        let group = match self.wanted.group {
            Some(key) => Some(open_key(key, shard, task.segment, task.reader)?),
            None => None,
        };
        let first = Address { index: shard.index, segment: task.segment, document: 0 };
        let mut top = Top::new(&keys, group.as_ref(), self.wanted.count);
        if let Some(after) = self.wanted.after {
            top.start_after(after, self.wanted.order, first)?;
        }
        if self.wanted.order.has_global_rank() && self.wanted.group.is_none() {
            top.share_bound(&self.bound);
        }
        let whole = 0..task.reader.max_doc();
        match &keys[0] {
            _ if self.wanted.scores => self.scan_scored(task, weight, &mut top)?,
            SegmentKey::Number(key) if self.may_skip_stretches(task) => {
                self.scan_stretches(task, weight, key, &mut top)?;
            }
            _ => self.scan_blocks(task, weight, whole, &mut top)?,
        }
        let score_max = top.score_max();
        let entries = top.into_entries();
        let positions = self.globalize(entries, &keys, group.as_ref(), first)?;
        self.keep(positions, score_max)
    }

    fn open_keys(&self, task: &Task<'_>) -> Result<Vec<SegmentKey>, Exception> {
        if self.wanted.order.keys.is_empty() {
            return Ok(vec![SegmentKey::Score { ascending: false }]);
        }
        let shard = &self.shards[task.shard];
        let open = |key| open_key(key, shard, task.segment, task.reader);
        self.wanted.order.keys.iter().map(open).collect()
    }

    /// Counts without looking at any column.
    fn count_segment(&self, task: &Task<'_>, weight: &dyn Weight) -> Result<(), Exception> {
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

    fn scan_blocks(
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
    fn may_skip_stretches(&self, task: &Task<'_>) -> bool {
        self.wanted.group.is_none()
            && self.wanted.terminate_after.is_none()
            && self.wanted.total_max != Some(u64::MAX)
            && task.reader.max_doc() > 2 * self.wanted.stretch
    }

    /// Goes through a segment by stretches, the most promising first, as documents mostly lie in the
    /// order of time. Once enough hits are counted, only documents are looked at whose column says that
    /// they can be among the first.
    fn scan_stretches(
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
    fn scan_scored(
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

    /// Tells whether time ran out.
    fn look_at_clock(&self) -> bool {
        if Instant::now() >= self.wanted.deadline {
            self.stopped.store(true, Ordering::Relaxed);
            self.lock().timed_out = true;
        }
        self.stopped.load(Ordering::Relaxed)
    }

    fn globalize(
        &self,
        entries: Vec<Entry>,
        keys: &[SegmentKey],
        group: Option<&SegmentKey>,
        first: Address,
    ) -> Result<Vec<Position>, Exception> {
        let globalize = |entry: Entry| {
            let ranks = entry.ranks().zip(keys).map(|(rank, key)| key.globalize(rank));
            let group = match group {
                Some(key) => Some(key.globalize(entry.group)?),
                None => None,
            };
            Ok(Position {
                ranks: ranks.collect::<Result<_, Exception>>()?,
                score: entry.score,
                address: Address { document: entry.document, ..first },
                group,
            })
        };
        entries.into_iter().map(globalize).collect()
    }

    /// Adds the first hits of a segment to those of all.
    fn keep(&self, positions: Vec<Position>, score_max: Option<f32>) -> Result<(), Exception> {
        let mut found = self.lock();
        found.positions.extend(positions);
        if let Some(score) = score_max {
            found.score_max = Some(found.score_max.map_or(score, |it| it.max(score)));
        }
        if self.wanted.group.is_some() {
            if found.positions.len() > GROUPS_MAX {
                return Err(too_many_groups());
            }
        } else if found.positions.len() > self.wanted.count.saturating_mul(2) {
            found.positions.sort_unstable_by(|one, other| self.wanted.order.compare(one, other));
            found.positions.truncate(self.wanted.count);
        }
        Ok(())
    }

    fn finish(self) -> Found {
        let mut found = self.found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let order = self.wanted.order;
        found.positions.sort_unstable_by(|one, other| order.compare(one, other));
        if self.wanted.group.is_some() {
            let mut seen = std::collections::HashSet::new();
            found.positions.retain(|position| seen.insert(position.group.clone()));
        }
        found.positions.truncate(self.wanted.count);
        found.total = self.counted.into_inner();
        found
    }
}

fn check_groups(top: &Top<'_>) -> Result<(), Exception> {
    if top.group_count() > GROUPS_MAX { Err(too_many_groups()) } else { Ok(()) }
}

fn too_many_groups() -> Exception {
    let reason = format!("collapsing would keep more than [{GROUPS_MAX}] groups in memory");
    Exception::new(ExceptionKind::CircuitBreaking, reason)
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

#[cfg(test)]
mod tests;
