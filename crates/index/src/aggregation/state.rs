//! What was collected: of one segment at first, of all of them in the end.
//!
//! Each aggregation has one [`State`] for all its buckets, whichever bucket above they lie in. A bucket
//! is its number in the state; the number of the bucket above it is its parent.

use rustc_hash::FxHashMap;

use super::digest::Digest;
use super::keys::Key;
use super::metrics::{Distinct, Stats, Weighted};
use super::top_hits::{HitOrder, TopList};

/// What one aggregation collected, with those inside it.
#[derive(Debug)]
pub(super) struct State {
    /// What it collected itself.
    pub(super) data: Data,
    /// Those inside it; their parents are its buckets.
    pub(super) inner: Vec<State>,
}

/// What an aggregation collected itself.
#[derive(Debug)]
pub(super) enum Data {
    /// Buckets by key.
    Keyed(Buckets),
    /// The same number of buckets in each parent: bucket `parent * slots + slot`.
    Slots {
        /// Buckets in each parent.
        slots: usize,
        /// Documents of each bucket.
        counts: Vec<u64>,
    },
    /// Stats, by parent.
    Stats(Vec<Stats>),
    /// Means with weights, by parent.
    Weighted(Vec<Weighted>),
    /// Distinct values, by parent, exact up to so many.
    Distinct(Vec<Distinct>, usize),
    /// Percentiles, by parent.
    Percentiles(Vec<Digest>),
    /// First documents, by parent.
    TopHits(Vec<TopList>, HitOrder),
}

/// Buckets by key.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    /// The parent of each bucket.
    pub(super) parents: Vec<u32>,
    /// The key of each bucket.
    pub(super) keys: Vec<Key>,
    /// The documents of each bucket.
    pub(super) counts: Vec<u64>,
    /// The buckets of each parent; filled by [`State::finish`].
    pub(super) by_parent: Vec<Vec<u32>>,
    /// Every key that is known, for buckets without documents.
    pub(super) known: Vec<Key>,
    index: FxHashMap<(u32, Key), u32>,
}

impl Buckets {
    /// Returns the number of the bucket of a key, making it when it is not there.
    fn bucket(&mut self, parent: u32, key: Key) -> u32 {
        let next = self.keys.len() as u32;
        let bucket = *self.index.entry((parent, key.clone())).or_insert(next);
        if bucket == next {
            self.parents.push(parent);
            self.keys.push(key);
            self.counts.push(0);
        }
        bucket
    }

    /// Returns the buckets of a parent, none for one that has no number.
    pub(super) fn of(&self, parent: Option<u32>) -> &[u32] {
        parent.and_then(|it| self.by_parent.get(it as usize)).map_or(&[], Vec::as_slice)
    }
}

impl State {
    /// Makes a state with nothing in it, of the same make as another one.
    fn empty_like(other: &Self) -> Self {
        let data = match &other.data {
            Data::Keyed(_) => Data::Keyed(Buckets::default()),
            Data::Slots { slots, .. } => Data::Slots { slots: *slots, counts: Vec::new() },
            Data::Stats(_) => Data::Stats(Vec::new()),
            Data::Weighted(_) => Data::Weighted(Vec::new()),
            Data::Distinct(_, exact_max) => Data::Distinct(Vec::new(), *exact_max),
            Data::Percentiles(_) => Data::Percentiles(Vec::new()),
            Data::TopHits(_, order) => Data::TopHits(Vec::new(), order.clone()),
        };
        Self { data, inner: other.inner.iter().map(Self::empty_like).collect() }
    }

    /// Adds the states of one level, whose only parent is the search itself.
    pub(super) fn merge_all(into: &mut Vec<Self>, from: Vec<Self>) {
        if into.is_empty() {
            *into = from.iter().map(Self::empty_like).collect();
        }
        into.iter_mut().zip(from).for_each(|(own, other)| own.merge(other, &[0]));
    }

    /// Adds what another state collected; `parents` tells the own number of each of its parents.
    fn merge(&mut self, other: Self, parents: &[u32]) {
        let buckets: Vec<u32> = match (&mut self.data, other.data) {
            (Data::Keyed(own), Data::Keyed(other)) => {
                own.known.extend(other.known);
                own.known.sort_unstable();
                own.known.dedup();
                let entries = other.parents.into_iter().zip(other.keys).zip(other.counts);
                let add = |((parent, key), count): ((u32, Key), u64)| {
                    let bucket = own.bucket(parents[parent as usize], key);
                    own.counts[bucket as usize] += count;
                    bucket
                };
                entries.map(add).collect()
            }
            (Data::Slots { slots, counts }, Data::Slots { counts: other, .. }) => {
                let add = |(bucket, count): (usize, u64)| {
                    let own = parents[bucket / *slots] as usize * *slots + bucket % *slots;
                    *at(counts, own) += count;
                    own as u32
                };
                other.into_iter().enumerate().map(add).collect()
            }
            (own, other) => {
                merge_metrics(own, other, parents);
                return;
            }
        };
        let inner = self.inner.iter_mut().zip(other.inner);
        inner.for_each(|(own, other)| own.merge(other, &buckets));
    }

    /// Makes the state ready to be read.
    pub(super) fn finish(&mut self) {
        match &mut self.data {
            Data::Keyed(buckets) => {
                for (bucket, parent) in buckets.parents.iter().enumerate() {
                    at(&mut buckets.by_parent, *parent as usize).push(bucket as u32);
                }
                buckets.index = FxHashMap::default();
            }
            Data::Percentiles(digests) => digests.iter_mut().for_each(Digest::sort),
            _ => {}
        }
        self.inner.iter_mut().for_each(Self::finish);
    }
}

fn merge_metrics(own: &mut Data, other: Data, parents: &[u32]) {
    match (own, other) {
        (Data::Stats(own), Data::Stats(other)) => {
            each(own, other, parents, |own, other| own.merge(&other));
        }
        (Data::Weighted(own), Data::Weighted(other)) => {
            each(own, other, parents, |own, other| {
                own.product.merge(&other.product);
                own.weight.merge(&other.weight);
            });
        }
        (Data::Distinct(own, exact_max), Data::Distinct(other, _)) => {
            each(own, other, parents, |own, other| own.merge(other, *exact_max));
        }
        (Data::Percentiles(own), Data::Percentiles(other)) => {
            each(own, other, parents, |own, other| own.merge(&other));
        }
        (Data::TopHits(own, order), Data::TopHits(other, _)) => {
            each(own, other, parents, |own, other| own.merge(other, order));
        }
        _ => unreachable!("states of one aggregation are of one make"),
    }
}

fn each<T: Default + Clone>(
    own: &mut Vec<T>,
    other: Vec<T>,
    parents: &[u32],
    mut add: impl FnMut(&mut T, T),
) {
    for (parent, value) in other.into_iter().enumerate() {
        add(at(own, parents[parent] as usize), value);
    }
}

/// Returns the entry at a place, growing the list up to it.
pub(super) fn at<T: Default + Clone>(list: &mut Vec<T>, place: usize) -> &mut T {
    if place >= list.len() {
        list.resize(place + 1, T::default());
    }
    &mut list[place]
}
