//! The first hits of one segment.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

use pampero_opensearch::Exception;
use tantivy::DocId;

use super::column::SegmentKey;
use super::order::{Address, After, Order};

/// Keeps the first hits of one segment.
///
/// Hits are gathered up to twice as many as wanted, then cut down to the first ones, so that most hits
/// cost one comparison.
pub(super) struct Top<'a> {
    keys: &'a [SegmentKey],
    wanted: usize,
    entries: Vec<Entry>,
    /// The last of the first ones, once there are enough.
    last: Option<Entry>,
    /// First ranks above it cannot be among the first hits of all segments.
    bound: Option<&'a AtomicU64>,
    after: Option<Start>,
    group: Option<&'a SegmentKey>,
    groups: HashMap<u64, Entry>,
    score_max: Option<f32>,
}

/// From where on hits are kept.
struct Start {
    ranks: Vec<u64>,
    /// Documents with equal ranks count from here on; `None` leaves all of them out.
    document: Option<DocId>,
}

/// A hit with its ranks in its segment.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    first: u64,
    rest: Box<[u64]>,
    /// The document.
    pub(super) document: DocId,
    /// Its score.
    pub(super) score: f32,
    /// The rank of its group; 0 without groups.
    pub(super) group: u64,
}

impl Entry {
    /// Returns the ranks, one for each key.
    pub(super) fn ranks(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    fn compare(&self, other: &Self) -> Ordering {
        (self.first, &self.rest, self.document).cmp(&(other.first, &other.rest, other.document))
    }
}

impl<'a> Top<'a> {
    /// Makes an empty one; nothing is set aside for what is wanted.
    pub(super) fn new(
        keys: &'a [SegmentKey],
        group: Option<&'a SegmentKey>,
        wanted: usize,
    ) -> Self {
        Self {
            keys,
            wanted,
            entries: Vec::new(),
            last: None,
            bound: None,
            after: None,
            group,
            groups: HashMap::new(),
            score_max: None,
        }
    }

    /// Leaves out what comes before a position or is it.
    ///
    /// # Errors
    /// A dictionary cannot be read.
    pub(super) fn start_after(
        &mut self,
        after: &After,
        order: &Order,
        first: Address,
    ) -> Result<(), Exception> {
        let descending = |at: usize| order.keys.get(at).is_some_and(|key| key.descending);
        let ranks: Result<_, _> = self
            .keys
            .iter()
            .zip(&after.ranks)
            .enumerate()
            .map(|(at, (key, rank))| key.localize(rank, descending(at)))
            .collect();
        let document = after.address.and_then(|address| {
            match (first.index, first.segment).cmp(&(address.index, address.segment)) {
                Ordering::Less => None,
                Ordering::Equal => address.document.checked_add(1),
                Ordering::Greater => Some(0),
            }
        });
        self.after = Some(Start { ranks: ranks?, document });
        Ok(())
    }

    /// Takes part in the bound that all segments share.
    pub(super) fn share_bound(&mut self, bound: &'a AtomicU64) {
        self.bound = Some(bound);
    }

    /// Tells whether there are as many hits as are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.wanted
    }

    /// Returns how many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Returns the highest score that was offered.
    pub(super) fn score_max(&self) -> Option<f32> {
        self.score_max
    }

    /// Cuts down to the first hits, and returns the first rank that a further hit may have at most.
    pub(super) fn bound(&mut self) -> u64 {
        self.cut();
        let own = self.last.as_ref().map_or(u64::MAX, |last| last.first);
        self.bound.map_or(own, |bound| own.min(bound.load(Memory::Relaxed)))
    }

    /// Looks at documents without scores; `ranks` is room to work in.
    pub(super) fn offer_block(&mut self, documents: &[DocId], ranks: &mut Vec<u64>) {
        if self.wanted == 0 {
            return;
        }
        self.keys[0].ranks(documents, ranks);
        for (document, rank) in documents.iter().zip(ranks) {
            self.offer_ranked(*document, 0.0, *rank);
        }
    }

    /// Looks at a document with its score.
    pub(super) fn offer(&mut self, document: DocId, score: f32) {
        self.score_max = Some(self.score_max.map_or(score, |it| it.max(score)));
        if self.wanted > 0 {
            self.offer_ranked(document, score, self.keys[0].rank(document, score));
        }
    }

    #[inline]
    fn offer_ranked(&mut self, document: DocId, score: f32, first: u64) {
        if self.last.as_ref().is_some_and(|last| first > last.first) {
            return;
        }
        self.consider(document, score, first);
    }

    fn consider(&mut self, document: DocId, score: f32, first: u64) {
        if self.bound.is_some_and(|bound| first > bound.load(Memory::Relaxed)) {
            return;
        }
        let rest = self.keys[1..].iter().map(|key| key.rank(document, score)).collect();
        let mut entry = Entry { first, rest, document, score, group: 0 };
        if self.after.as_ref().is_some_and(|after| !after.is_before(&entry)) {
            return;
        }
        if let Some(group) = self.group {
            entry.group = group.rank(document, score);
            self.consider_group(entry);
            return;
        }
        if self.last.as_ref().is_some_and(|last| entry.compare(last).is_ge()) {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() >= self.wanted.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn consider_group(&mut self, entry: Entry) {
        match self.groups.get_mut(&entry.group) {
            Some(kept) if entry.compare(kept).is_lt() => *kept = entry,
            Some(_) => {}
            None => {
                self.groups.insert(entry.group, entry);
            }
        }
    }

    fn cut(&mut self) {
        if self.entries.len() < self.wanted || self.wanted == 0 {
            return;
        }
        self.entries.select_nth_unstable_by(self.wanted - 1, Entry::compare);
        self.entries.truncate(self.wanted);
        let last = &self.entries[self.wanted - 1];
        if let Some(bound) = self.bound {
            bound.fetch_min(last.first, Memory::Relaxed);
        }
        self.last = Some(last.clone());
    }

    /// Returns the first hits, in no order.
    pub(super) fn into_entries(mut self) -> Vec<Entry> {
        if self.group.is_some() {
            return self.groups.into_values().collect();
        }
        self.cut();
        self.entries
    }
}

impl Start {
    /// Tells whether a hit comes after the start.
    fn is_before(&self, entry: &Entry) -> bool {
        for (own, rank) in self.ranks.iter().zip(entry.ranks()) {
            match own.cmp(&rank) {
                Ordering::Less => return true,
                Ordering::Greater => return false,
                Ordering::Equal => {}
            }
        }
        self.document.is_some_and(|document| entry.document >= document)
    }
}
