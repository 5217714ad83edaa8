//! Buckets by key in one segment, of one source or of combinations of several.

use pampero_opensearch::Exception;
use rustc_hash::FxHashMap;

use super::collect::{Budget, Emitter};
use super::column::Pairs;
use super::keys::{Key, KeyReader};
use super::state::{Buckets, Data};

/// Buckets by key in one segment.
pub(super) struct KeyedNode {
    readers: Vec<KeyReader>,
    pairs: Vec<Pairs<u64>>,
    /// Combinations of keys, where there are several sources.
    tuples: Option<Tuples>,
    table: Table,
    parents: Vec<u32>,
    locals: Vec<u64>,
    counts: Vec<u64>,
    /// Whether all keys are asked for, those without documents too, and how many at most.
    known: Option<usize>,
}

#[derive(Default)]
struct Tuples {
    numbers: FxHashMap<Box<[u64]>, u64>,
    keys: Vec<Box<[u64]>>,
    combined: Pairs<u64>,
}

/// From the parent and the key to the number of the bucket.
enum Table {
    /// For few keys: one place for each key of each parent.
    Dense { width: usize, places: Vec<u32> },
    /// For many.
    Hash(FxHashMap<(u32, u64), u32>),
}

impl Table {
    const EMPTY: u32 = u32::MAX;
    /// Most places of a dense table.
    const PLACES_MAX: usize = 1 << 21;

    /// Returns the place of the bucket, [`Table::EMPTY`] in it when it is new.
    fn place(&mut self, parent: u32, local: u64) -> &mut u32 {
        if let Self::Dense { width, places } = self {
            let needed = (parent as usize + 1) * *width;
            if needed > Self::PLACES_MAX.max(*width) {
                self.spill();
            } else if needed > places.len() {
                places.resize(needed, Self::EMPTY);
            }
        }
        match self {
            Self::Dense { width, places } => &mut places[parent as usize * *width + local as usize],
            Self::Hash(places) => places.entry((parent, local)).or_insert(Self::EMPTY),
        }
    }

    /// Turns a dense table into a hashed one.
    fn spill(&mut self) {
        let Self::Dense { width, places } = self else { return };
        let filled = places.iter().enumerate().filter(|(_, bucket)| **bucket != Self::EMPTY);
        let hashed =
            filled.map(|(at, bucket)| (((at / *width) as u32, (at % *width) as u64), *bucket));
        *self = Self::Hash(hashed.collect());
    }
}

impl KeyedNode {
    /// Most combinations of the keys of one document.
    const COMBINATIONS_MAX: usize = 65_536;

    pub(super) fn new(readers: Vec<KeyReader>, known: Option<usize>) -> Self {
        let tuples = (readers.len() > 1).then(Tuples::default);
        let width = if tuples.is_none() { readers[0].width() } else { None };
        let table = match width {
            Some(width) => Table::Dense { width, places: Vec::new() },
            None => Table::Hash(FxHashMap::default()),
        };
        let pairs = readers.iter().map(|_| Pairs::default()).collect();
        let (parents, locals, counts) = (Vec::new(), Vec::new(), Vec::new());
        Self { readers, pairs, tuples, table, parents, locals, counts, known }
    }

    pub(super) fn collect(
        &mut self,
        out: &mut Emitter<'_>,
        budget: &Budget,
    ) -> Result<(), Exception> {
        for (reader, pairs) in self.readers.iter_mut().zip(&mut self.pairs) {
            reader.read(out.block.docs, pairs);
        }
        let keys = match &mut self.tuples {
            None => &self.pairs[0],
            Some(tuples) => {
                tuples.combine(&self.pairs, out.block.docs.len(), budget)?;
                &tuples.combined
            }
        };
        let before = self.counts.len();
        for (entry, local) in keys.iter() {
            let parent = out.block.buckets[entry];
            let place = self.table.place(parent, local);
            if *place == Table::EMPTY {
                *place = self.counts.len() as u32;
                self.parents.push(parent);
                self.locals.push(local);
                self.counts.push(0);
            }
            let bucket = *place;
            self.counts[bucket as usize] += 1;
            out.push(entry, bucket);
        }
        budget.take((self.counts.len() - before) as u64 * Budget::BUCKET_BYTES)
    }

    pub(super) fn finish(self) -> Result<Data, Exception> {
        let mut buckets = Buckets::default();
        (buckets.parents, buckets.counts) = (self.parents, self.counts);
        buckets.keys = match &self.tuples {
            None => self.readers[0].decode(&self.locals)?,
            Some(tuples) => tuples.decode(&self.readers, &self.locals)?,
        };
        if let Some(most) = self.known {
            buckets.known = self.readers[0].all(most)?;
        }
        Ok(Data::Keyed(buckets))
    }
}

impl Tuples {
    /// Combines the keys of each entry of a block.
    fn combine(
        &mut self,
        sources: &[Pairs<u64>],
        entries: usize,
        budget: &Budget,
    ) -> Result<(), Exception> {
        self.combined.at.clear();
        self.combined.values.clear();
        let before = self.keys.len();
        let mut from = vec![0; sources.len()];
        let mut tuple: Vec<u64> = Vec::with_capacity(sources.len());
        for entry in 0..entries as u32 {
            let runs: Vec<&[u64]> = sources
                .iter()
                .zip(&mut from)
                .map(|(source, from)| {
                    let length = source.at[*from..].iter().take_while(|at| **at == entry).count();
                    *from += length;
                    &source.values[*from - length..*from]
                })
                .collect();
            let combinations = runs.iter().map(|run| run.len()).try_fold(1, usize::checked_mul);
            let combinations = combinations.unwrap_or(usize::MAX);
            if combinations > KeyedNode::COMBINATIONS_MAX {
                return Err(Exception::illegal_argument(format!(
                    "a document has more than [{}] combinations of values",
                    KeyedNode::COMBINATIONS_MAX
                )));
            }
            for combination in 0..combinations {
                let mut rest = combination;
                tuple.clear();
                for run in &runs {
                    tuple.push(run[rest % run.len()]);
                    rest /= run.len();
                }
                let number = self.number(&tuple);
                self.combined.at.push(entry);
                self.combined.values.push(number);
            }
        }
        budget.take((self.keys.len() - before) as u64 * Budget::BUCKET_BYTES)
    }

    fn number(&mut self, tuple: &[u64]) -> u64 {
        if let Some(number) = self.numbers.get(tuple) {
            return *number;
        }
        let number = self.keys.len() as u64;
        self.keys.push(tuple.into());
        self.numbers.insert(tuple.into(), number);
        number
    }

    fn decode(&self, readers: &[KeyReader], locals: &[u64]) -> Result<Vec<Key>, Exception> {
        let mut columns = Vec::with_capacity(readers.len());
        for (source, reader) in readers.iter().enumerate() {
            let keys: Vec<u64> = self.keys.iter().map(|tuple| tuple[source]).collect();
            columns.push(reader.decode(&keys)?);
        }
        let tuple = |number: &u64| {
            Key::Tuple(columns.iter().map(|column| column[*number as usize].clone()).collect())
        };
        Ok(locals.iter().map(tuple).collect())
    }
}
