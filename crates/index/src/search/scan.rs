//! Going through the hits of all segments: counting them, and keeping those that come first.
//!
//! Segments are worked on by two threads when there is much to do. Where the first key is a number,
//! segments that can hold the first hits come first, and once enough hits are known and counted, those
//! that cannot hold an earlier one are passed over. How the hits of one segment are gone through lies in
//! `segment`.

mod segment;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::SegmentReader;
use tantivy::query::{EnableScoring, Query, Weight};

use super::column::SegmentKey;
use super::failed;
use super::order::{Address, After, Key, Order, Position};
use super::top::{Entry, Top};
use crate::engine::Snapshot;

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

fn too_many_groups() -> Exception {
    let reason = format!("collapsing would keep more than [{GROUPS_MAX}] groups in memory");
    Exception::new(ExceptionKind::CircuitBreaking, reason)
}

#[cfg(test)]
mod tests;
