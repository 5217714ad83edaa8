//! The series that are known, in memory, and which of them match.
//!
//! Names and values of labels are kept once each as symbols; a series is a list of pairs of
//! symbols. For each pair there is the list of its series, so that a selector looks at few.

mod cardinality;
mod symbols;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as MemoryOrdering};

use pampero_series::{Labels, MatchOperator, Matcher};

use crate::sample::SeriesId;
use symbols::{Symbol, Symbols};

/// The name and the value of a label.
type Pair = (Symbol, Symbol);

/// All series.
#[derive(Default)]
pub(crate) struct Index {
    symbols: Symbols,
    /// `None` where a series was forgotten.
    slots: Vec<Option<Entry>>,
    /// Slots that can be used again.
    free: Vec<u32>,
    by_pairs: HashMap<Arc<[Pair]>, u32>,
    /// The slots of the series with each value of each label, ascending.
    postings: HashMap<Symbol, HashMap<Symbol, Vec<u32>>>,
    /// The number of the next new series; numbers start at one.
    last_number: u32,
}

struct Entry {
    number: u32,
    pairs: Arc<[Pair]>,
    /// Whether it is on disk; it goes there with its first sample.
    saved: bool,
    /// The era in which it was resolved most recently.
    touched: AtomicU64,
}

impl Index {
    /// Returns how many series are known.
    pub(crate) fn len(&self) -> usize {
        self.by_pairs.len()
    }

    /// Returns the end of the range of slots.
    pub(crate) fn slot_end(&self) -> usize {
        self.slots.len()
    }

    /// Returns the series with these labels, and notes that somebody holds it.
    pub(crate) fn resolve(&self, labels: &Labels, era: u64) -> Option<SeriesId> {
        let pair = |(name, value)| Some((self.symbols.get(name)?, self.symbols.get(value)?));
        let pairs: Option<Vec<Pair>> = labels.iter().map(pair).collect();
        let slot = *self.by_pairs.get(&*pairs?)?;
        let entry = self.slots[slot as usize].as_ref()?;
        entry.touched.store(era, MemoryOrdering::Relaxed);
        Some(SeriesId { slot, number: entry.number })
    }

    /// Adds a series that is not there yet; `None` when there are no numbers left.
    pub(crate) fn add(&mut self, labels: &Labels, era: u64) -> Option<SeriesId> {
        let number = self.last_number.checked_add(1)?;
        Some(self.insert(labels, number, era, false))
    }

    /// Adds a series as it is on disk.
    pub(crate) fn restore(&mut self, labels: &Labels, number: u32) -> SeriesId {
        self.insert(labels, number, 0, true)
    }

    fn insert(&mut self, labels: &Labels, number: u32, era: u64, saved: bool) -> SeriesId {
        let pairs: Arc<[Pair]> = labels
            .iter()
            .map(|(name, value)| (self.symbols.intern(name), self.symbols.intern(value)))
            .collect();
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        for &(name, value) in &*pairs {
            let list = self.postings.entry(name).or_default().entry(value).or_default();
            if let Err(place) = list.binary_search(&slot) {
                list.insert(place, slot);
            }
        }
        self.by_pairs.insert(Arc::clone(&pairs), slot);
        let entry = Entry { number, pairs, saved, touched: AtomicU64::new(era) };
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        self.last_number = self.last_number.max(number);
        SeriesId { slot, number }
    }

    /// Forgets a series, and gives its slot free.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(entry) = self.slots[slot as usize].take() else { return };
        self.by_pairs.remove(&entry.pairs);
        for &(name, value) in &*entry.pairs {
            let Some(values) = self.postings.get_mut(&name) else { continue };
            if let Some(list) = values.get_mut(&value) {
                if let Ok(place) = list.binary_search(&slot) {
                    list.remove(place);
                }
                if list.is_empty() {
                    values.remove(&value);
                }
            }
            if values.is_empty() {
                self.postings.remove(&name);
            }
            self.symbols.release(name);
            self.symbols.release(value);
        }
        self.free.push(slot);
    }

    /// Returns whether the series is on disk; `None` when it is not known.
    pub(crate) fn is_saved(&self, series: SeriesId) -> Option<bool> {
        self.entry(series).map(|entry| entry.saved)
    }

    /// Notes that the series is on disk.
    pub(crate) fn set_saved(&mut self, series: SeriesId) {
        if let Some(Some(entry)) = self.slots.get_mut(series.slot as usize) {
            entry.saved |= entry.number == series.number;
        }
    }

    /// Returns the series in a slot; `None` when it is free.
    pub(crate) fn in_slot(&self, slot: usize) -> Option<SeriesId> {
        let entry = self.slots.get(slot)?.as_ref()?;
        Some(SeriesId { slot: slot as u32, number: entry.number })
    }

    /// Returns the slots of series that nobody has resolved since `era`.
    pub(crate) fn untouched_since(&self, era: u64) -> Vec<SeriesId> {
        let old = |slot: usize| {
            let touched = self.slots[slot].as_ref()?.touched.load(MemoryOrdering::Relaxed);
            if touched < era { self.in_slot(slot) } else { None }
        };
        (0..self.slots.len()).filter_map(old).collect()
    }

    /// Returns the labels of a series; `None` when it is not known.
    pub(crate) fn labels(&self, series: SeriesId) -> Option<Labels> {
        let entry = self.entry(series)?;
        let text = |&(name, value): &Pair| (self.symbols.text(name), self.symbols.text(value));
        Some(entry.pairs.iter().map(text).collect())
    }

    /// Returns the value of a label of a series; `None` when it is not there.
    pub(crate) fn value(&self, series: SeriesId, name: &str) -> Option<&str> {
        let value = self.value_in_slot(series.slot, self.symbols.get(name)?)?;
        Some(self.symbols.text(value))
    }

    /// Returns the names of the labels of a series.
    pub(crate) fn names(&self, series: SeriesId) -> impl Iterator<Item = &str> {
        let pairs = self.entry(series).map(|entry| &*entry.pairs).unwrap_or_default();
        pairs.iter().map(|(name, _)| self.symbols.text(*name))
    }

    fn entry(&self, series: SeriesId) -> Option<&Entry> {
        let entry = self.slots.get(series.slot as usize)?.as_ref()?;
        (entry.number == series.number).then_some(entry)
    }

    fn value_in_slot(&self, slot: u32, name: Symbol) -> Option<Symbol> {
        let entry = self.slots[slot as usize].as_ref()?;
        entry.pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// Returns the series that match one of the sets, or all without any set, in ascending order of
    /// their labels.
    pub(crate) fn matching(&self, sets: &[&[Matcher]]) -> Vec<SeriesId> {
        let mut slots = match sets {
            [] => self.matching_set(&[]),
            [set] => self.matching_set(set),
            sets => sets.iter().flat_map(|set| self.matching_set(set)).collect(),
        };
        if sets.len() > 1 {
            slots.sort_unstable();
            slots.dedup();
        }
        slots.sort_unstable_by(|left, right| self.compare(*left, *right));
        slots.into_iter().filter_map(|slot| self.in_slot(slot as usize)).collect()
    }

    fn matching_set(&self, matchers: &[Matcher]) -> Vec<u32> {
        let selective = |matcher: &&Matcher| !matcher.matches("");
        // An equality gives its list at once; anything else has to look at all values of a label.
        let (equal, other): (Vec<&Matcher>, Vec<&Matcher>) = matchers
            .iter()
            .filter(selective)
            .partition(|matcher| matcher.operator() == MatchOperator::Equal);
        let shortest = equal.iter().map(|matcher| self.series_with(matcher)).min_by_key(Vec::len);
        let mut slots = match (shortest, other.first()) {
            (Some(slots), _) => slots,
            (None, Some(first)) => self.series_with(first),
            (None, None) => self.by_pairs.values().copied().collect(),
        };
        for matcher in matchers {
            if slots.is_empty() {
                break;
            }
            self.keep_matching(&mut slots, matcher);
        }
        slots
    }

    /// Returns the slots of the series that have the label with a value that matches.
    fn series_with(&self, matcher: &Matcher) -> Vec<u32> {
        let values = self.symbols.get(matcher.name()).and_then(|name| self.postings.get(&name));
        let Some(values) = values else { return Vec::new() };
        if matcher.operator() == MatchOperator::Equal {
            let list = self.symbols.get(matcher.value()).and_then(|value| values.get(&value));
            return list.cloned().unwrap_or_default();
        }
        let matching =
            values.iter().filter(|(value, _)| matcher.matches(self.symbols.text(**value)));
        matching.flat_map(|(_, list)| list.iter().copied()).collect()
    }

    /// Asks the matcher once for each different value.
    fn keep_matching(&self, slots: &mut Vec<u32>, matcher: &Matcher) {
        let Some(name) = self.symbols.get(matcher.name()) else {
            if !matcher.matches("") {
                slots.clear();
            }
            return;
        };
        let mut known: HashMap<Option<Symbol>, bool> = HashMap::new();
        slots.retain(|slot| {
            let value = self.value_in_slot(*slot, name);
            *known.entry(value).or_insert_with(|| {
                matcher.matches(value.map_or("", |value| self.symbols.text(value)))
            })
        });
    }

    /// Compares series as their labels compare.
    fn compare(&self, left: u32, right: u32) -> Ordering {
        let pairs = |slot: u32| self.slots[slot as usize].iter().flat_map(|entry| &*entry.pairs);
        let text = |symbol: Symbol| self.symbols.text(symbol);
        let differ = pairs(left).zip(pairs(right)).find(|(left, right)| left != right);
        match differ {
            Some((left, right)) => {
                text(left.0).cmp(text(right.0)).then_with(|| text(left.1).cmp(text(right.1)))
            }
            None => pairs(left).count().cmp(&pairs(right).count()),
        }
    }
}

#[cfg(test)]
mod tests;
