//! Collecting one segment: documents come in blocks, each with the number of the bucket it is in.
//!
//! An aggregation turns a block into a block for those inside it, in which a document stands once for
//! each of its buckets. So a column is read block by block, whatever the depth.

use std::sync::atomic::{AtomicU64, Ordering};

use pampero_opensearch::{Exception, ExceptionKind};
use rustc_hash::FxHashSet;
use tantivy::query::{Scorer, Weight};
use tantivy::{DocAddress, DocId, DocSet, SegmentReader, TERMINATED};

use super::column::{FieldColumn, Pairs, Scratch, failed};
use super::digest::Digest;
use super::keyed::KeyedNode;
use super::keys::{Key, KeyReader};
use super::metrics::{Distinct, Stats, Weighted};
use super::plan::{Bound, Plan, Work};
use super::source::Source;
use super::state::{Data, State, at};
use super::top_hits::{Hit, HitOrder, TopList};

/// The memory that one request may take.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicU64,
    bytes_max: u64,
}

impl Budget {
    /// What a bucket takes, with its place in the tables.
    pub(super) const BUCKET_BYTES: u64 = 96;

    pub(super) fn new(bytes_max: u64) -> Self {
        Self { used: AtomicU64::new(0), bytes_max }
    }

    /// Takes memory, and refuses what is too much.
    pub(super) fn take(&self, bytes: u64) -> Result<(), Exception> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used <= self.bytes_max {
            return Ok(());
        }
        Err(Exception::new(
            ExceptionKind::CircuitBreaking,
            format!(
                "[request] Data too large, data for [<agg>] would be [{used}b], which is larger than \
                 the limit of [{}b]",
                self.bytes_max
            ),
        )
        .with("bytes_wanted", used)
        .with("bytes_limit", self.bytes_max))
    }
}

/// Documents with the buckets that they are in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    /// The documents, never falling.
    pub(super) docs: &'a [DocId],
    /// The bucket of each.
    pub(super) buckets: &'a [u32],
    /// The score of each; empty when nobody asks for scores.
    pub(super) scores: &'a [f32],
}

/// What collects one aggregation in one segment.
pub(super) struct Node<'a> {
    work: NodeWork,
    inner: Vec<Node<'a>>,
    out: OutBlock,
    budget: &'a Budget,
}

/// The block for the aggregations inside.
#[derive(Default)]
struct OutBlock {
    docs: Vec<DocId>,
    buckets: Vec<u32>,
    scores: Vec<f32>,
}

enum NodeWork {
    Keyed(KeyedNode),
    Ranges { column: Numbers, ranges: Vec<(f64, f64)>, counts: Vec<u64> },
    Filters { matchers: Vec<Matcher>, other: bool, counts: Vec<u64> },
    Missing { column: FieldColumn, never: bool, counts: Vec<u64> },
    All { counts: Vec<u64> },
    Stats { column: Numbers, states: Vec<Stats> },
    Count { keys: KeyReader, pairs: Pairs<u64>, states: Vec<Stats> },
    Weighted { value: Numbers, weight: Numbers, states: Vec<Weighted> },
    Distinct { keys: KeyReader, pairs: Pairs<u64>, sets: Vec<FxHashSet<u64>>, exact_max: usize },
    Percentiles { column: Numbers, states: Vec<Digest> },
    TopHits(TopHitsNode),
}

impl<'a> Node<'a> {
    /// Prepares an aggregation for a segment.
    pub(super) fn new(
        plan: &Plan,
        bound: &Bound,
        reader: &SegmentReader,
        budget: &'a Budget,
    ) -> Result<Self, Exception> {
        let column = |at: usize| match &bound.fields[at] {
            Some(field) => FieldColumn::open(reader, field),
            None => Ok(FieldColumn::Empty),
        };
        let key_reader = |at: usize, source: &Source| {
            Ok::<_, Exception>(KeyReader::new(
                column(at)?,
                source.shape.clone(),
                source.key_type,
                source.missing.clone(),
            ))
        };
        let numbers = |at: usize, source: &Source| {
            Ok::<_, Exception>(Numbers::new(column(at)?, source.missing_number()))
        };
        let work = match &plan.work {
            Work::Keyed { sources, known, .. } => {
                let readers = sources.iter().enumerate().map(|(at, it)| key_reader(at, it));
                let readers = readers.collect::<Result<Vec<_>, _>>()?;
                NodeWork::Keyed(KeyedNode::new(readers, *known))
            }
            Work::Ranges { source, ranges, .. } => NodeWork::Ranges {
                column: numbers(0, source)?,
                ranges: ranges.iter().map(|range| (range.from, range.to)).collect(),
                counts: Vec::new(),
            },
            Work::Filters { other, .. } => {
                let weights = bound.weights.iter();
                let matchers = weights.map(|weight| Matcher::new(weight.as_ref(), reader));
                let matchers = matchers.collect::<Result<Vec<_>, _>>()?;
                NodeWork::Filters { matchers, other: other.is_some(), counts: Vec::new() }
            }
            Work::Missing { source } => NodeWork::Missing {
                column: column(0)?,
                never: source.missing.is_some(),
                counts: Vec::new(),
            },
            Work::Global => NodeWork::All { counts: Vec::new() },
            Work::Metric { source, metric } => match metric.counts_only() {
                true => NodeWork::Count {
                    keys: key_reader(0, source)?,
                    pairs: Pairs::default(),
                    states: Vec::new(),
                },
                false => NodeWork::Stats { column: numbers(0, source)?, states: Vec::new() },
            },
            Work::Weighted { value, weight } => NodeWork::Weighted {
                value: numbers(0, value)?,
                weight: numbers(1, weight)?,
                states: Vec::new(),
            },
            Work::Cardinality { source, exact_max } => NodeWork::Distinct {
                keys: key_reader(0, source)?,
                pairs: Pairs::default(),
                sets: Vec::new(),
                exact_max: *exact_max,
            },
            Work::Percentiles { source, .. } => {
                NodeWork::Percentiles { column: numbers(0, source)?, states: Vec::new() }
            }
            Work::TopHits { sources, order, .. } => {
                let columns = sources.iter().enumerate().map(|(at, source)| match source {
                    Some(source) => {
                        key_reader(at, source).map(|it| SortColumn::Field(Box::new(it)))
                    }
                    None => Ok(SortColumn::Score),
                });
                NodeWork::TopHits(TopHitsNode {
                    columns: columns.collect::<Result<Vec<_>, _>>()?,
                    order: order.clone(),
                    lists: Vec::new(),
                    pairs: Pairs::default(),
                })
            }
        };
        let inner = plan.inner.iter().zip(&bound.inner);
        let inner = inner.map(|(plan, bound)| Self::new(plan, bound, reader, budget));
        Ok(Self { work, inner: inner.collect::<Result<_, _>>()?, out: OutBlock::default(), budget })
    }

    /// Collects a block.
    pub(super) fn collect(&mut self, block: Block<'_>) -> Result<(), Exception> {
        if block.docs.is_empty() {
            return Ok(());
        }
        let mut out =
            Emitter { block, out: if self.inner.is_empty() { None } else { Some(&mut self.out) } };
        out.clear();
        match &mut self.work {
            NodeWork::Keyed(node) => node.collect(&mut out, self.budget)?,
            NodeWork::Ranges { column, ranges, counts } => {
                collect_ranges(column, ranges, counts, &mut out);
            }
            NodeWork::Filters { matchers, other, counts } => {
                collect_filters(matchers, *other, counts, &mut out);
            }
            NodeWork::Missing { column, never, counts } => {
                for (entry, doc) in block.docs.iter().enumerate() {
                    if !*never && !column.has_value(*doc) {
                        out.count(entry, block.buckets[entry], counts);
                    }
                }
            }
            NodeWork::All { counts } => {
                for (entry, bucket) in block.buckets.iter().enumerate() {
                    out.count(entry, *bucket, counts);
                }
            }
            NodeWork::TopHits(node) => node.collect(block, self.budget)?,
            metric => return collect_metric(metric, block, self.budget),
        }
        let Self { inner, out, .. } = self;
        let block = Block { docs: &out.docs, buckets: &out.buckets, scores: &out.scores };
        inner.iter_mut().try_for_each(|node| node.collect(block))
    }

    /// Turns what was collected into what means the same in every segment.
    pub(super) fn finish(self, part: u32, segment: u32) -> Result<State, Exception> {
        let data = match self.work {
            NodeWork::Keyed(node) => node.finish()?,
            NodeWork::Ranges { ranges, counts, .. } => Data::Slots { slots: ranges.len(), counts },
            NodeWork::Filters { matchers, other, counts } => {
                Data::Slots { slots: matchers.len() + usize::from(other), counts }
            }
            NodeWork::Missing { counts, .. } | NodeWork::All { counts } => {
                Data::Slots { slots: 1, counts }
            }
            NodeWork::Stats { states, .. } | NodeWork::Count { states, .. } => Data::Stats(states),
            NodeWork::Weighted { states, .. } => Data::Weighted(states),
            NodeWork::Distinct { keys, sets, exact_max, .. } => {
                let distinct = sets.into_iter().map(|set| distinct_of(&keys, set, exact_max));
                Data::Distinct(distinct.collect::<Result<_, _>>()?, exact_max)
            }
            NodeWork::Percentiles { states, .. } => Data::Percentiles(states),
            NodeWork::TopHits(node) => node.finish(part, segment)?,
        };
        let inner = self.inner.into_iter().map(|node| node.finish(part, segment));
        Ok(State { data, inner: inner.collect::<Result<_, _>>()? })
    }
}

/// Writes the block for the aggregations inside.
pub(super) struct Emitter<'a> {
    /// The block that is read.
    pub(super) block: Block<'a>,
    /// `None` when there are none inside.
    out: Option<&'a mut OutBlock>,
}

impl Emitter<'_> {
    fn clear(&mut self) {
        if let Some(out) = &mut self.out {
            out.docs.clear();
            out.buckets.clear();
            out.scores.clear();
        }
    }

    /// Puts an entry of the block into a bucket.
    pub(super) fn push(&mut self, entry: usize, bucket: u32) {
        if let Some(out) = &mut self.out {
            out.docs.push(self.block.docs[entry]);
            out.buckets.push(bucket);
            if let Some(score) = self.block.scores.get(entry) {
                out.scores.push(*score);
            }
        }
    }

    /// Counts an entry of the block in a bucket, and puts it there.
    fn count(&mut self, entry: usize, bucket: u32, counts: &mut Vec<u64>) {
        *at(counts, bucket as usize) += 1;
        self.push(entry, bucket);
    }
}

fn collect_ranges(
    column: &mut Numbers,
    ranges: &[(f64, f64)],
    counts: &mut Vec<u64>,
    out: &mut Emitter<'_>,
) {
    let slots = ranges.len();
    let mut seen: Vec<usize> = Vec::new();
    let mut seen_entry = usize::MAX;
    column.read(out.block.docs);
    for (entry, value) in column.pairs.iter() {
        if entry != seen_entry {
            seen.clear();
            seen_entry = entry;
        }
        for (slot, (from, to)) in ranges.iter().enumerate() {
            if *from <= value && value < *to && !seen.contains(&slot) {
                seen.push(slot);
                out.count(entry, out.block.buckets[entry] * slots as u32 + slot as u32, counts);
            }
        }
    }
}

fn collect_filters(
    matchers: &mut [Matcher],
    other: bool,
    counts: &mut Vec<u64>,
    out: &mut Emitter<'_>,
) {
    let slots = (matchers.len() + usize::from(other)) as u32;
    for (entry, doc) in out.block.docs.iter().enumerate() {
        let first = out.block.buckets[entry] * slots;
        let mut found = false;
        for (slot, matcher) in matchers.iter_mut().enumerate() {
            if matcher.matches(*doc) {
                found = true;
                out.count(entry, first + slot as u32, counts);
            }
        }
        if other && !found {
            out.count(entry, first + slots - 1, counts);
        }
    }
}

fn collect_metric(work: &mut NodeWork, block: Block<'_>, budget: &Budget) -> Result<(), Exception> {
    match work {
        NodeWork::Stats { column, states } => {
            column.read(block.docs);
            grow(states, block, budget)?;
            for (entry, value) in column.pairs.iter() {
                states[block.buckets[entry] as usize].add(value);
            }
        }
        NodeWork::Count { keys, pairs, states } => {
            keys.read_all(block.docs, pairs);
            grow(states, block, budget)?;
            for (entry, _) in pairs.iter() {
                states[block.buckets[entry] as usize].count += 1;
            }
        }
        NodeWork::Weighted { value, weight, states } => {
            value.read(block.docs);
            weight.read(block.docs);
            grow(states, block, budget)?;
            collect_weighted(&value.pairs, &weight.pairs, block, states)?;
        }
        NodeWork::Distinct { keys, pairs, sets, .. } => {
            keys.read(block.docs, pairs);
            grow(sets, block, budget)?;
            let mut added = 0;
            for (entry, key) in pairs.iter() {
                added += u64::from(sets[block.buckets[entry] as usize].insert(key));
            }
            budget.take(added * 16)?;
        }
        NodeWork::Percentiles { column, states } => {
            column.read(block.docs);
            grow(states, block, budget)?;
            let mut added = 0;
            for (entry, value) in column.pairs.iter() {
                added += states[block.buckets[entry] as usize].add(value);
            }
            budget.take(added)?;
        }
        _ => unreachable!("buckets are collected before metrics"),
    }
    Ok(())
}

fn collect_weighted(
    values: &Pairs<f64>,
    weights: &Pairs<f64>,
    block: Block<'_>,
    states: &mut [Weighted],
) -> Result<(), Exception> {
    let mut weights = weights.iter().peekable();
    for (entry, value) in values.iter() {
        while weights.next_if(|(other, _)| *other < entry).is_some() {}
        let Some((_, weight)) = weights.peek().filter(|(other, _)| *other == entry).copied() else {
            continue;
        };
        let mut others = weights.clone();
        others.next();
        if others.peek().is_some_and(|(other, _)| *other == entry) {
            return Err(Exception::illegal_argument(
                "Encountered more than one weight for a single document. Use a script to combine \
                 multiple weights-per-doc into a single value.",
            ));
        }
        let state = &mut states[block.buckets[entry] as usize];
        state.product.add(value * weight);
        state.weight.add(weight);
    }
    Ok(())
}

/// Makes room for the buckets of a block.
fn grow<T: Default + Clone>(
    states: &mut Vec<T>,
    block: Block<'_>,
    budget: &Budget,
) -> Result<(), Exception> {
    let wanted = block.buckets.iter().max().map_or(0, |bucket| *bucket as usize + 1);
    if wanted > states.len() {
        budget.take(((wanted - states.len()) * size_of::<T>()) as u64)?;
        states.resize(wanted, T::default());
    }
    Ok(())
}

fn distinct_of(
    keys: &KeyReader,
    set: FxHashSet<u64>,
    exact_max: usize,
) -> Result<Distinct, Exception> {
    let locals: Vec<u64> = set.into_iter().collect();
    let mut distinct = Distinct::default();
    for key in keys.decode(&locals)? {
        distinct.add(Distinct::hash(&key), exact_max);
    }
    Ok(distinct)
}

/// Reads the values of a column as decimals.
#[derive(Debug)]
struct Numbers {
    column: FieldColumn,
    missing: Option<f64>,
    pairs: Pairs<f64>,
    scratch: Scratch,
}

impl Numbers {
    fn new(column: FieldColumn, missing: Option<f64>) -> Self {
        Self { column, missing, pairs: Pairs::default(), scratch: Scratch::default() }
    }

    fn read(&mut self, docs: &[DocId]) {
        self.column.numbers(docs, &mut self.scratch, &mut self.pairs);
        if let Some(missing) = self.missing {
            self.pairs.fill(docs.len(), missing);
        }
    }
}

/// Tells which documents a query finds; they are asked for in their order.
struct Matcher {
    scorer: Box<dyn Scorer>,
}

impl Matcher {
    fn new(weight: &dyn Weight, reader: &SegmentReader) -> Result<Self, Exception> {
        Ok(Self { scorer: weight.scorer(reader, 1.0).map_err(failed)? })
    }

    fn matches(&mut self, doc: DocId) -> bool {
        let mut current = self.scorer.doc();
        if current < doc && current != TERMINATED {
            current = self.scorer.seek(doc);
        }
        current == doc
    }
}

/// The first documents of each bucket in one segment.
struct TopHitsNode {
    columns: Vec<SortColumn>,
    order: HitOrder,
    lists: Vec<TopList>,
    pairs: Pairs<u64>,
}

enum SortColumn {
    Score,
    Field(Box<KeyReader>),
}

impl TopHitsNode {
    fn collect(&mut self, block: Block<'_>, budget: &Budget) -> Result<(), Exception> {
        grow(&mut self.lists, block, budget)?;
        let columns = self.columns.len();
        let mut keys = vec![Key::Null; block.docs.len() * columns];
        for (number, column) in self.columns.iter_mut().enumerate() {
            match column {
                SortColumn::Score => {
                    for (entry, score) in block.scores.iter().enumerate() {
                        keys[entry * columns + number] = Key::float(f64::from(*score));
                    }
                }
                SortColumn::Field(reader) => {
                    let descending = self.order.keys[number].0;
                    reader.read(block.docs, &mut self.pairs);
                    for (entry, local) in self.pairs.iter() {
                        let key = reader.sortable(local);
                        let place = &mut keys[entry * columns + number];
                        let better = if descending { key > *place } else { key < *place };
                        if *place == Key::Null || better {
                            *place = key;
                        }
                    }
                }
            }
        }
        let mut added = 0;
        for (entry, doc) in block.docs.iter().enumerate() {
            let list = &mut self.lists[block.buckets[entry] as usize];
            let score = block.scores.get(entry).copied();
            list.total += 1;
            list.score_max = match (list.score_max, score) {
                (Some(one), Some(other)) => Some(one.max(other)),
                (one, other) => one.or(other),
            };
            let before = list.hits.len();
            let hit = Hit {
                keys: keys[entry * columns..(entry + 1) * columns].to_vec(),
                score,
                part: 0,
                address: DocAddress::new(0, *doc),
            };
            list.add(hit, &self.order);
            added += list.hits.len() - before;
        }
        budget.take(added as u64 * (64 + 32 * columns as u64))
    }

    fn finish(self, part: u32, segment: u32) -> Result<Data, Exception> {
        let mut lists = self.lists;
        for hit in lists.iter_mut().flat_map(|list| &mut list.hits) {
            hit.part = part;
            hit.address.segment_ord = segment;
        }
        for (number, column) in self.columns.iter().enumerate() {
            let SortColumn::Field(reader) = column else { continue };
            let mut places: Vec<&mut Key> = lists
                .iter_mut()
                .flat_map(|list| &mut list.hits)
                .map(|hit| &mut hit.keys[number])
                .collect();
            reader.decode_sortable(&mut places)?;
        }
        Ok(Data::TopHits(lists, self.order))
    }
}
