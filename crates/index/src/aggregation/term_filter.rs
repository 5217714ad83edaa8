//! Which values of a field a terms aggregation shows.

use pampero_opensearch::Exception;
use pampero_opensearch::aggregation::TermFilter;
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashSet;
use serde_json::Value;

use super::keys::{Key, KeyType};
use super::metrics::Distinct;
use super::source::Source;
use crate::query::regexp;

/// A filter of keys, ready to be asked.
#[derive(Debug)]
pub(super) struct KeyFilter {
    include: Option<Regex>,
    exclude: Option<Regex>,
    included: Option<FxHashSet<Key>>,
    excluded: Option<FxHashSet<Key>>,
    partition: Option<(u64, u64)>,
}

impl KeyFilter {
    /// Most memory of one regular expression, in bytes.
    const PATTERN_BYTES_MAX: usize = 1 << 20;

    /// Reads the filter of a request for a source; `None` lets everything through.
    pub(super) fn new(filter: &TermFilter, source: &Source) -> Result<Option<Self>, Exception> {
        if *filter == TermFilter::default() {
            return Ok(None);
        }
        let values = |values: &Option<Vec<Value>>| match values {
            None => Ok(None),
            Some(values) => {
                let keys = values.iter().map(|value| source.key(value));
                keys.collect::<Result<FxHashSet<Key>, _>>().map(Some)
            }
        };
        Ok(Some(Self {
            include: pattern(filter.include_pattern.as_deref(), source)?,
            exclude: pattern(filter.exclude_pattern.as_deref(), source)?,
            included: values(&filter.include_values)?,
            excluded: values(&filter.exclude_values)?,
            partition: filter.partition,
        }))
    }

    /// Tells whether a key is shown.
    pub(super) fn keeps(&self, key: &Key) -> bool {
        let matches = |regex: &Regex| match key {
            Key::Text(text) => regex.is_match(text),
            _ => false,
        };
        self.include.as_ref().is_none_or(matches)
            && !self.exclude.as_ref().is_some_and(matches)
            && self.included.as_ref().is_none_or(|keys| keys.contains(key))
            && !self.excluded.as_ref().is_some_and(|keys| keys.contains(key))
            && self.partition.is_none_or(|(part, parts)| Distinct::hash(key) % parts == part)
    }
}

/// Reads a regular expression of Lucene, which has to match the whole value.
fn pattern(pattern: Option<&str>, source: &Source) -> Result<Option<Regex>, Exception> {
    let Some(pattern) = pattern else { return Ok(None) };
    if source.key_type != KeyType::Text && !source.unmapped {
        return Err(Exception::illegal_argument(format!(
            "Aggregation [terms] cannot support regular expression style include/exclude settings as \
             they can only be applied to string fields. Use an array of values for include/exclude \
             clauses, field [{}]",
            source.field
        )));
    }
    let expression = regexp::from_lucene(pattern)?;
    let built = RegexBuilder::new(&format!(r"(?s)\A(?:{expression})\z"))
        .size_limit(KeyFilter::PATTERN_BYTES_MAX)
        .build();
    built.map(Some).map_err(|error| {
        Exception::illegal_argument(format!("invalid regular expression [{pattern}]: {error}"))
    })
}
