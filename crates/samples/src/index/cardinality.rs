//! Which metrics and labels have most series.

use std::collections::HashMap;

use pampero_series::METRIC_NAME;

use super::Index;
use super::symbols::Symbol;
use crate::statistics::Cardinality;

impl Index {
    /// Returns the largest counts, at most `limit` of each.
    pub(crate) fn cardinality(&self, limit: usize) -> Cardinality {
        let text = |symbol: &Symbol| self.symbols.text(*symbol);
        let no_values = HashMap::new();
        let metrics = self.symbols.get(METRIC_NAME).and_then(|name| self.postings.get(&name));
        let series = |list: &Vec<u32>| list.len() as u64;
        let by_metric =
            metrics.unwrap_or(&no_values).iter().map(|(name, list)| (text(name), series(list)));
        let by_label = self.postings.iter().map(|(name, values)| (text(name), values.len() as u64));
        let bytes = self.postings.iter().map(|(name, values)| {
            (text(name), values.keys().map(|value| text(value).len() as u64).sum())
        });
        let pairs = self.postings.iter().flat_map(|(name, values)| {
            values.iter().map(move |(value, list)| ((text(name), text(value)), series(list)))
        });
        let written = |((name, value), count)| (format!("{name}={value}"), count);
        let owned = |(name, count): (&str, u64)| (name.to_owned(), count);
        Cardinality {
            series_by_metric: largest(by_metric, limit).into_iter().map(owned).collect(),
            values_by_label: largest(by_label, limit).into_iter().map(owned).collect(),
            bytes_by_label: largest(bytes, limit).into_iter().map(owned).collect(),
            series_by_pair: largest(pairs, limit).into_iter().map(written).collect(),
            label_pairs: self.postings.values().map(|values| values.len() as u64).sum(),
        }
    }
}

/// Returns the largest counts, the largest first, those of the same count by their names.
fn largest<N: Ord + Copy>(counts: impl Iterator<Item = (N, u64)>, limit: usize) -> Vec<(N, u64)> {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    counts.truncate(limit);
    counts
}
