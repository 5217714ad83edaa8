//! Writing the answer: which buckets are shown, in which order, and what stands in them.

use std::cell::Cell;
use std::cmp::Ordering;

use pampero_opensearch::aggregation::{
    AggregationKind, Composite, FilterSet, Order, OrderKey, Percentiles, TermsSelection,
};
use pampero_opensearch::{Exception, ExceptionKind};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};

use super::Part;
use super::auto_interval;
use super::composite::{compare_composite, composite_key};
use super::format::{KeyFormat, decimal};
use super::keys::{Key, KeyType, Shape};
use super::metric_render;
use super::order::{self, compare_numbers};
use super::pipeline;
use super::plan::{Plan, PlannedPipeline, PlannedRange, Work};
use super::source::Source;
use super::state::{Buckets, Data, State};
use super::steps::Steps;
use super::top_hits;

/// Writes answers.
pub(super) struct Renderer<'a> {
    /// The indices, for the sources of first documents.
    pub(super) parts: &'a [Part<'a>],
    /// Whether names carry their types.
    pub(super) typed_keys: bool,
    /// Most buckets of an answer.
    pub(super) buckets_max: u32,
    /// Buckets that were written.
    pub(super) buckets: Cell<u32>,
}

/// A bucket that is written: its key, its number, its documents.
#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    /// `None` for a bucket that nothing was collected in.
    bucket: Option<u32>,
    count: u64,
}

impl Renderer<'_> {
    /// Writes the aggregations of one level inside a bucket; `None` is one that nothing was collected in.
    pub(super) fn level(
        &self,
        plans: &[Plan<'_>],
        pipelines: &[PlannedPipeline<'_>],
        states: &[State],
        parent: Option<u32>,
    ) -> Result<Map<String, Value>, Exception> {
        let mut level = Map::new();
        for (plan, state) in plans.iter().zip(states) {
            let (kind, mut answer) = self.one(plan, state, parent)?;
            if let (Some(meta), Value::Object(object)) = (&plan.request.meta, &mut answer) {
                object.insert("meta".to_owned(), meta.clone());
            }
            level.insert(self.name(kind, plan.name), answer);
        }
        for planned in pipelines.iter().filter(|it| !it.pipeline.is_parent()) {
            let (kind, answer) = pipeline::over_sibling(planned, &level)?;
            level.insert(self.name(kind, planned.name), answer);
        }
        Ok(level)
    }

    fn name(&self, kind: &str, name: &str) -> String {
        if self.typed_keys { format!("{kind}#{name}") } else { name.to_owned() }
    }

    /// Counts buckets, and refuses too many of them before they are made.
    fn count_buckets(&self, buckets: u64) -> Result<(), Exception> {
        let total = u64::from(self.buckets.get()).saturating_add(buckets);
        if total > u64::from(self.buckets_max) {
            let limit = self.buckets_max;
            let found = u64::from(limit) + 1;
            return Err(Exception::new(
                ExceptionKind::TooManyBuckets,
                format!(
                    "Trying to create too many buckets. Must be less than or equal to: [{limit}] \
                     but was [{found}]. This limit can be set by changing the [search.max_buckets] \
                     cluster level setting."
                ),
            )
            .with("max_buckets", limit));
        }
        self.buckets.set(total as u32);
        Ok(())
    }

    /// Writes one aggregation, with its type.
    fn one(
        &self,
        plan: &Plan<'_>,
        state: &State,
        parent: Option<u32>,
    ) -> Result<(&'static str, Value), Exception> {
        let kind = type_name(plan);
        let answer = match (&plan.work, &state.data) {
            (Work::Keyed { .. }, Data::Keyed(buckets)) => {
                self.keyed(plan, state, buckets, parent)?
            }
            (Work::Ranges { source, ranges }, Data::Slots { counts, .. }) => {
                self.ranges(plan, state, (source, ranges), counts, parent)?
            }
            (Work::Filters { .. }, Data::Slots { counts, .. }) => match &plan.request.kind {
                AggregationKind::Filters(set) => self.filters(plan, state, set, counts, parent)?,
                _ => self.single(plan, state, counts, parent)?,
            },
            (Work::Missing { .. } | Work::Global, Data::Slots { counts, .. }) => {
                self.single(plan, state, counts, parent)?
            }
            (Work::TopHits { sources, .. }, Data::TopHits(lists, _)) => {
                let formats: Vec<Option<KeyFormat>> =
                    sources.iter().map(|it| it.as_ref().map(|it| it.format.clone())).collect();
                let AggregationKind::TopHits(request) = &plan.request.kind else {
                    unreachable!("first documents are collected for top hits only")
                };
                top_hits::render(of(lists, parent), request, &formats, self.parts)?
            }
            (work, data) => metric_render::metric(plan, work, data, parent),
        };
        Ok((kind, answer))
    }

    fn keyed(
        &self,
        plan: &Plan<'_>,
        state: &State,
        buckets: &Buckets,
        parent: Option<u32>,
    ) -> Result<Value, Exception> {
        let Work::Keyed { sources, filter, .. } = &plan.work else {
            unreachable!("buckets by key are collected for such aggregations only")
        };
        match &plan.request.kind {
            AggregationKind::Terms(terms) => {
                let mut entries = entries(buckets, parent);
                if terms.selection.min_doc_count == 0 {
                    add_known(&mut entries, &buckets.known);
                }
                if let Some(filter) = filter {
                    entries.retain(|entry| filter.keeps(&entry.key));
                }
                self.terms(plan, state, entries, (&terms.selection, &terms.order, terms.show_error))
            }
            AggregationKind::MultiTerms(terms) => {
                let entries = entries(buckets, parent);
                self.terms(plan, state, entries, (&terms.selection, &terms.order, terms.show_error))
            }
            AggregationKind::Composite(composite) => {
                self.composite(plan, state, composite, entries(buckets, parent))
            }
            AggregationKind::AutoDateHistogram(request) => {
                let mut entries = entries(buckets, parent);
                let mut interval = auto_interval::choose(None, request, &jiff::tz::TimeZone::UTC).1;
                if let Shape::Stretches(starts) = &sources[0].shape {
                    let known: Vec<Key> = starts.iter().map(|it| Key::Integer(*it)).collect();
                    add_known(&mut entries, &known);
                    let zone = super::plan::zone(request.time_zone.as_deref())?;
                    let extent = plan.extent;
                    interval = auto_interval::choose(extent, request, &zone).1;
                }
                entries.sort_by(|one, other| one.key.cmp(&other.key));
                let mut answer = self.histogram(plan, state, entries, false)?;
                answer["interval"] = Value::String(interval);
                Ok(answer)
            }
            AggregationKind::Histogram(request) => {
                let minimum = request.min_doc_count;
                let mut entries = self.filled(plan, entries(buckets, parent), minimum)?;
                order_histogram(&mut entries, &request.order, plan, state);
                self.histogram(plan, state, entries, request.keyed)
            }
            AggregationKind::DateHistogram(request) => {
                let minimum = request.min_doc_count;
                let mut entries = self.filled(plan, entries(buckets, parent), minimum)?;
                order_histogram(&mut entries, &request.order, plan, state);
                self.histogram(plan, state, entries, request.keyed)
            }
            _ => unreachable!("buckets by key are collected for such aggregations only"),
        }
    }

    /// Writes a bucket: what is given, its documents, and the aggregations inside it.
    fn bucket(
        &self,
        plan: &Plan<'_>,
        state: &State,
        mut shown: Map<String, Value>,
        (count, bucket): (u64, Option<u32>),
    ) -> Result<Map<String, Value>, Exception> {
        shown.insert("doc_count".to_owned(), count.into());
        shown.extend(self.level(&plan.inner, &plan.pipelines, &state.inner, bucket)?);
        Ok(shown)
    }

    fn terms(
        &self,
        plan: &Plan<'_>,
        state: &State,
        mut entries: Vec<Entry>,
        (selection, order, show_error): (&TermsSelection, &[Order], bool),
    ) -> Result<Value, Exception> {
        let Work::Keyed { sources, .. } = &plan.work else {
            unreachable!("terms are buckets by key")
        };
        entries.retain(|entry| entry.count >= selection.min_doc_count);
        let total: u64 = entries.iter().map(|entry| entry.count).sum();
        sort_entries(&mut entries, order, plan, state);
        entries.truncate(selection.size);
        self.count_buckets(entries.len() as u64)?;
        let shown: u64 = entries.iter().map(|entry| entry.count).sum();
        let mut written = Vec::with_capacity(entries.len());
        for entry in &entries {
            let mut bucket = Map::new();
            match &entry.key {
                Key::Tuple(keys) => {
                    let keys = keys.iter().zip(sources);
                    let (json, texts): (Vec<Value>, Vec<String>) = keys
                        .map(|(key, source)| (multi_key(source, key), source.format.text(key)))
                        .unzip();
                    bucket.insert("key".to_owned(), Value::Array(json));
                    bucket.insert("key_as_string".to_owned(), Value::String(texts.join("|")));
                }
                key => {
                    bucket.insert("key".to_owned(), sources[0].format.json(key));
                    if let Some(spelling) = sources[0].format.spelling(key) {
                        bucket.insert("key_as_string".to_owned(), Value::String(spelling));
                    }
                }
            }
            if show_error {
                bucket.insert("doc_count_error_upper_bound".to_owned(), json!(0));
            }
            written.push(self.bucket(plan, state, bucket, (entry.count, entry.bucket))?);
        }
        pipeline::inside(&plan.pipelines, &mut written, self.typed_keys)?;
        Ok(json!({
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": total - shown,
            "buckets": written,
        }))
    }

    fn histogram(
        &self,
        plan: &Plan<'_>,
        state: &State,
        entries: Vec<Entry>,
        keyed: bool,
    ) -> Result<Value, Exception> {
        let Work::Keyed { sources, .. } = &plan.work else {
            unreachable!("histograms are buckets by key")
        };
        self.count_buckets(entries.len() as u64)?;
        let format = &sources[0].format;
        let mut written = Vec::with_capacity(entries.len());
        for entry in &entries {
            let mut bucket = Map::new();
            bucket.insert("key".to_owned(), format.json(&entry.key));
            if let Some(spelling) = format.spelling(&entry.key) {
                bucket.insert("key_as_string".to_owned(), Value::String(spelling));
            }
            written.push(self.bucket(plan, state, bucket, (entry.count, entry.bucket))?);
        }
        pipeline::inside(&plan.pipelines, &mut written, self.typed_keys)?;
        if !keyed {
            return Ok(json!({ "buckets": written }));
        }
        let names = written.iter().map(|bucket| match bucket.get("key_as_string") {
            Some(Value::String(name)) => name.clone(),
            _ => bucket.get("key").and_then(Value::as_f64).map_or_else(String::new, decimal),
        });
        let names: Vec<String> = names.collect();
        let buckets: Map<String, Value> =
            names.into_iter().zip(written.into_iter().map(Value::Object)).collect();
        Ok(json!({ "buckets": buckets }))
    }

    /// Takes away what bounds or a least number of documents forbid, and puts empty buckets between.
    fn filled(
        &self,
        plan: &Plan<'_>,
        mut entries: Vec<Entry>,
        min_doc_count: u64,
    ) -> Result<Vec<Entry>, Exception> {
        let Work::Keyed { sources, extended, hard, .. } = &plan.work else {
            unreachable!("histograms are buckets by key")
        };
        let is_date = matches!(sources[0].shape, Shape::Time(_));
        entries.retain(|entry| {
            let key = entry.key.as_f64().unwrap_or(f64::NAN);
            let below_end = |max: f64| if is_date { key < max } else { key <= max };
            hard.min.is_none_or(|min| key >= min) && hard.max.is_none_or(below_end)
        });
        entries.sort_by(|one, other| one.key.cmp(&other.key));
        if min_doc_count > 0 {
            entries.retain(|entry| entry.count >= min_doc_count);
            return Ok(entries);
        }
        let steps = Steps::new(&sources[0].shape);
        let ends = (entries.first().map(|it| &it.key), entries.last().map(|it| &it.key));
        let (mut first, mut last) = match ends {
            (Some(first), Some(last)) => (steps.number(first), steps.number(last)),
            _ => match (extended.min, extended.max) {
                (Some(min), Some(max)) => (steps.round(min), steps.round(max)),
                _ => return Ok(entries),
            },
        };
        first = extended.min.map_or(first, |min| first.min(steps.round(min)));
        last = extended.max.map_or(last, |max| last.max(steps.round(max)));
        // No more steps are walked than there may be buckets, so a huge stretch is refused at once.
        let most = u64::from(self.buckets_max.saturating_sub(self.buckets.get()));
        let mut filled = Vec::with_capacity(entries.len());
        let mut given = entries.into_iter().peekable();
        let mut at = first;
        loop {
            let key = steps.key(at);
            let known = given.next_if(|entry| steps.number(&entry.key) == at);
            filled.push(known.unwrap_or(Entry { key, bucket: None, count: 0 }));
            if filled.len() as u64 > most {
                self.count_buckets(filled.len() as u64)?;
            }
            if at >= last {
                return Ok(filled);
            }
            at = steps.next(at);
        }
    }

    fn ranges(
        &self,
        plan: &Plan<'_>,
        state: &State,
        (source, ranges): (&Source, &[PlannedRange]),
        counts: &[u64],
        parent: Option<u32>,
    ) -> Result<Value, Exception> {
        self.count_buckets(ranges.len() as u64)?;
        let keyed = match &plan.request.kind {
            AggregationKind::Range(set) => set.keyed,
            AggregationKind::DateRange(set) => set.keyed,
            _ => false,
        };
        let mut written = Vec::with_capacity(ranges.len());
        for (slot, range) in ranges.iter().enumerate() {
            let mut bucket = Map::new();
            if !keyed {
                bucket.insert("key".to_owned(), Value::String(range.key.clone()));
            }
            for (name, end) in [("from", range.from), ("to", range.to)] {
                if end.is_infinite() {
                    continue;
                }
                bucket.insert(name.to_owned(), end.into());
                if let Some(spelling) = source.format.number_spelling(end) {
                    bucket.insert(format!("{name}_as_string"), Value::String(spelling));
                }
            }
            let found = slot_of(counts, parent, ranges.len(), slot);
            written.push(self.bucket(plan, state, bucket, found)?);
        }
        if keyed {
            let names = ranges.iter().map(|range| range.key.clone());
            let buckets: Map<String, Value> =
                names.zip(written.into_iter().map(Value::Object)).collect();
            return Ok(json!({ "buckets": buckets }));
        }
        pipeline::inside(&plan.pipelines, &mut written, self.typed_keys)?;
        Ok(json!({ "buckets": written }))
    }

    fn filters(
        &self,
        plan: &Plan<'_>,
        state: &State,
        set: &FilterSet,
        counts: &[u64],
        parent: Option<u32>,
    ) -> Result<Value, Exception> {
        let slots = set.filters.len() + usize::from(set.other.is_some());
        self.count_buckets(slots as u64)?;
        let mut written = Vec::with_capacity(slots);
        for slot in 0..slots {
            let found = slot_of(counts, parent, slots, slot);
            written.push(self.bucket(plan, state, Map::new(), found)?);
        }
        if !set.named {
            pipeline::inside(&plan.pipelines, &mut written, self.typed_keys)?;
            return Ok(json!({ "buckets": written }));
        }
        let names = set.filters.iter().map(|(name, _)| name).chain(&set.other).cloned();
        let buckets: Map<String, Value> =
            names.zip(written.into_iter().map(Value::Object)).collect();
        Ok(json!({ "buckets": buckets }))
    }

    fn single(
        &self,
        plan: &Plan<'_>,
        state: &State,
        counts: &[u64],
        parent: Option<u32>,
    ) -> Result<Value, Exception> {
        let found = slot_of(counts, parent, 1, 0);
        self.bucket(plan, state, Map::new(), found).map(Value::Object)
    }

    fn composite(
        &self,
        plan: &Plan<'_>,
        state: &State,
        composite: &Composite,
        mut entries: Vec<Entry>,
    ) -> Result<Value, Exception> {
        let Work::Keyed { sources, .. } = &plan.work else {
            unreachable!("composite buckets are buckets by key")
        };
        let parts = |key: &Key| match key {
            Key::Tuple(keys) => keys.to_vec(),
            key => vec![key.clone()],
        };
        let compare = |one: &[Key], other: &[Key]| {
            let pairs = composite.sources.iter().zip(one.iter().zip(other));
            pairs.fold(Ordering::Equal, |order, (source, (one, other))| {
                order.then_with(|| compare_composite(source, one, other))
            })
        };
        if let Some(after) = &composite.after {
            let after = after.iter().zip(sources).map(|(value, source)| source.key(value));
            let after = after.collect::<Result<Vec<_>, _>>()?;
            entries.retain(|entry| compare(&parts(&entry.key), &after).is_gt());
        }
        entries.sort_by(|one, other| compare(&parts(&one.key), &parts(&other.key)));
        entries.truncate(composite.size);
        self.count_buckets(entries.len() as u64)?;
        let mut written = Vec::with_capacity(entries.len());
        for entry in &entries {
            let keys = parts(&entry.key);
            let key: Map<String, Value> = composite
                .sources
                .iter()
                .zip(sources.iter().zip(&keys))
                .map(|(request, (source, key))| {
                    (request.name.clone(), composite_key(request, source, key))
                })
                .collect();
            let bucket = Map::from_iter([("key".to_owned(), Value::Object(key))]);
            written.push(self.bucket(plan, state, bucket, (entry.count, entry.bucket))?);
        }
        let after = written.last().and_then(|bucket| bucket.get("key")).cloned();
        pipeline::inside(&plan.pipelines, &mut written, self.typed_keys)?;
        Ok(match after {
            Some(after) => json!({ "after_key": after, "buckets": written }),
            None => json!({ "buckets": written }),
        })
    }
}

/// Returns the entry of a parent, or `None` when nothing was collected in it.
pub(super) fn of<T>(list: &[T], parent: Option<u32>) -> Option<&T> {
    list.get(parent? as usize)
}

/// Returns the documents and the number of a bucket by its slot.
pub(super) fn slot_of(
    counts: &[u64],
    parent: Option<u32>,
    slots: usize,
    slot: usize,
) -> (u64, Option<u32>) {
    let bucket = parent.map(|parent| parent * slots as u32 + slot as u32);
    (of(counts, bucket).copied().unwrap_or(0), bucket)
}

fn entries(buckets: &Buckets, parent: Option<u32>) -> Vec<Entry> {
    let entry = |bucket: &u32| Entry {
        key: buckets.keys[*bucket as usize].clone(),
        bucket: Some(*bucket),
        count: buckets.counts[*bucket as usize],
    };
    buckets.of(parent).iter().map(entry).collect()
}

/// Adds buckets without documents for keys that have none.
fn add_known(entries: &mut Vec<Entry>, known: &[Key]) {
    let there: FxHashSet<&Key> = entries.iter().map(|entry| &entry.key).collect();
    let missing = known.iter().filter(|key| !there.contains(key));
    let missing: Vec<Entry> =
        missing.map(|key| Entry { key: key.clone(), bucket: None, count: 0 }).collect();
    entries.extend(missing);
}

fn sort_entries(entries: &mut Vec<Entry>, orders: &[Order], plan: &Plan<'_>, state: &State) {
    let mut keyed: Vec<(Vec<f64>, Entry)> = std::mem::take(entries)
        .into_iter()
        .map(|entry| {
            let numbers = orders.iter().map(|order| match &order.key {
                OrderKey::Path(path) => order::value(plan, state, path, entry.bucket),
                _ => 0.0,
            });
            (numbers.collect(), entry)
        })
        .collect();
    keyed.sort_by(|(ones, one), (others, other)| {
        let mut result = Ordering::Equal;
        for (at, order) in orders.iter().enumerate() {
            let next = match &order.key {
                OrderKey::Count => directed(one.count.cmp(&other.count), order.descending),
                OrderKey::Key => directed(one.key.cmp(&other.key), order.descending),
                OrderKey::Path(_) => compare_numbers(ones[at], others[at], order.descending),
            };
            result = result.then(next);
        }
        result.then_with(|| one.key.cmp(&other.key))
    });
    entries.extend(keyed.into_iter().map(|(_, entry)| entry));
}

fn order_histogram(entries: &mut Vec<Entry>, orders: &[Order], plan: &Plan<'_>, state: &State) {
    // They lie in the order of their keys already.
    if !matches!(orders, [Order { key: OrderKey::Key, descending: false }]) {
        sort_entries(entries, orders, plan, state);
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

/// Returns what stands for one key of several: dates and booleans are texts.
fn multi_key(source: &Source, key: &Key) -> Value {
    match source.format.spelling(key) {
        Some(spelling) => Value::String(spelling),
        None => source.format.json(key),
    }
}

/// Returns the type that stands before the name with `typed_keys`.
fn type_name(plan: &Plan<'_>) -> &'static str {
    match &plan.request.kind {
        AggregationKind::Terms(_) => match &plan.work {
            Work::Keyed { sources, .. } if sources[0].unmapped => "umterms",
            Work::Keyed { sources, .. } => match sources[0].key_type {
                KeyType::Text => "sterms",
                KeyType::Integer => "lterms",
                KeyType::Unsigned => "ulterms",
                KeyType::Float => "dterms",
            },
            _ => "sterms",
        },
        AggregationKind::MultiTerms(_) => "multi_terms",
        AggregationKind::Histogram(_) => "histogram",
        AggregationKind::DateHistogram(_) => "date_histogram",
        AggregationKind::AutoDateHistogram(_) => "auto_date_histogram",
        AggregationKind::Range(_) => "range",
        AggregationKind::DateRange(_) => "date_range",
        AggregationKind::Filter(_) => "filter",
        AggregationKind::Filters(_) => "filters",
        AggregationKind::Missing(_) => "missing",
        AggregationKind::Global => "global",
        AggregationKind::Composite(_) => "composite",
        AggregationKind::Metric(metric) => metric.kind.as_str(),
        AggregationKind::Cardinality(_) => "cardinality",
        AggregationKind::Percentiles(Percentiles::Values { .. }) => "tdigest_percentiles",
        AggregationKind::Percentiles(Percentiles::Ranks { .. }) => "tdigest_percentile_ranks",
        AggregationKind::WeightedAvg(_) => "weighted_avg",
        AggregationKind::TopHits(_) => "top_hits",
        AggregationKind::Pipeline(pipeline) => pipeline.as_str(),
    }
}
