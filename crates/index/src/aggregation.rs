//! Aggregations over the hits of one or more indices.
//!
//! A request becomes a *plan* (`plan`), which is *collected* segment by segment (`collect`, `keys`,
//! `column`), several segments at a time; what was collected is *merged* (`state`) and *written*
//! (`render`, `order`, `pipeline`, `top_hits`).
//!
//! # What is used of tantivy
//!
//! Its columns, its queries, its dictionaries, and with them the format on disk. Its own aggregation
//! collector is not, because its answers are not OpenSearch's: a document with several values counts
//! once for each value and not once for each bucket, `terms` cuts each segment before it merges them and
//! so is inexact, and there are no calendar intervals or zones outside of `composite`, no named
//! filters, no date ranges with date math, no weights and no pipelines. So there is one way, and a tree
//! may mix all types. `benches/aggregations.rs` compares both on the same columns in one run.

mod auto_interval;
mod collect;
mod column;
mod composite;
mod digest;
mod format;
mod keyed;
mod keys;
mod metric_render;
mod metrics;
mod order;
mod pipeline;
mod plan;
mod render;
mod rounding;
mod source;
mod state;
mod steps;
mod term_filter;
mod top_hits;

use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use pampero_opensearch::Exception;
use pampero_opensearch::aggregation::{AggregationKind, Aggregations};
use serde_json::{Map, Value};
use tantivy::query::{AllQuery, EnableScoring, Weight};
use tantivy::{DocId, SegmentReader};

use crate::engine::Snapshot;
use collect::{Block, Budget, Node};
use column::failed;
use plan::{Bound, Extents, Plan, Planner, Work};
use render::Renderer;
use source::Wanted;
use state::{Data, State};

/// One index and which of its documents are aggregated.
#[derive(Debug)]
pub struct Part<'a> {
    /// The index at one moment.
    pub snapshot: &'a Snapshot,
    /// Its documents that are hits.
    pub query: &'a dyn tantivy::query::Query,
}

/// What aggregations may cost.
#[derive(Clone, Debug)]
pub struct AggregationLimits {
    /// Most buckets of one answer (`search.max_buckets`).
    pub buckets_max: u32,
    /// Most bytes of memory while one request is worked out.
    pub bytes_max: u64,
}

impl Default for AggregationLimits {
    fn default() -> Self {
        Self { buckets_max: 65_535, bytes_max: 64 << 20 }
    }
}

/// Works the aggregations out and returns the value of `aggregations` in the answer.
///
/// `typed_keys` puts the type before each name, as in `sterms#by_level`.
///
/// # Errors
/// A field cannot be aggregated, or there are too many buckets.
pub fn aggregate(
    aggregations: &Aggregations,
    parts: &[Part<'_>],
    now: Timestamp,
    typed_keys: bool,
    limits: &AggregationLimits,
) -> Result<Map<String, Value>, Exception> {
    let planner = Planner { parts, now, buckets_max: limits.buckets_max };
    let extents = extents(aggregations, &planner, limits)?;
    let (plans, pipelines) = planner.level(aggregations, &extents)?;
    let (global, local): (Vec<Plan<'_>>, Vec<Plan<'_>>) =
        plans.into_iter().partition(|plan| matches!(plan.work, Work::Global));
    let mut states = collect_all(&local, &planner, limits, false)?;
    states.extend(collect_all(&global, &planner, limits, true)?);
    states.iter_mut().for_each(State::finish);
    let plans: Vec<Plan<'_>> = local.into_iter().chain(global).collect();
    let renderer =
        Renderer { parts, typed_keys, buckets_max: limits.buckets_max, buckets: Cell::new(0) };
    renderer.level(&plans, &pipelines, &states, Some(0))
}

/// Finds the least and the greatest value for each automatic date histogram.
fn extents<'a>(
    aggregations: &'a Aggregations,
    planner: &Planner<'_>,
    limits: &AggregationLimits,
) -> Result<Extents<'a>, Exception> {
    let mut extents = Vec::new();
    for (name, request) in aggregations.iter() {
        let AggregationKind::AutoDateHistogram(histogram) = &request.kind else { continue };
        let source = planner.source(&histogram.source, "auto_date_histogram", Wanted::Date)?;
        let metric = plan::StatsKind(pampero_opensearch::aggregation::MetricKind::Stats);
        let work = Work::Metric { source, metric };
        let (inner, pipelines) = (Vec::new(), Vec::new());
        let plan = Plan { name, request, work, inner, pipelines, extent: None };
        let states = collect_all(&[plan], planner, limits, false)?;
        let extent = match states.first().map(|state| &state.data) {
            Some(Data::Stats(stats)) => stats.first().filter(|stats| stats.count > 0),
            _ => None,
        };
        extents.push((name, extent.map(|stats| (stats.min as i64, stats.max as i64))));
    }
    Ok(extents)
}

/// One segment that is to be collected.
struct Job<'a> {
    part: usize,
    segment: usize,
    reader: &'a SegmentReader,
    weight: &'a dyn Weight,
    bounds: &'a [Bound],
}

/// Collects the plans over all segments of all indices.
fn collect_all(
    plans: &[Plan<'_>],
    planner: &Planner<'_>,
    limits: &AggregationLimits,
    all_documents: bool,
) -> Result<Vec<State>, Exception> {
    if plans.is_empty() {
        return Ok(Vec::new());
    }
    let scored = plans.iter().any(needs_scores);
    let mut weights = Vec::with_capacity(planner.parts.len());
    let mut bounds = Vec::with_capacity(planner.parts.len());
    for part in planner.parts {
        let searcher = &part.snapshot.searcher;
        let scoring = match scored {
            true => EnableScoring::enabled_from_searcher(searcher),
            false => EnableScoring::disabled_from_searcher(searcher),
        };
        let weight = match all_documents {
            true => tantivy::query::Query::weight(&AllQuery, scoring),
            false => part.query.weight(scoring),
        };
        weights.push(weight.map_err(failed)?);
        let bind = plans.iter().map(|plan| planner.bind(plan, part));
        bounds.push(bind.collect::<Result<Vec<_>, _>>()?);
    }
    let mut jobs = Vec::new();
    for (part, it) in planner.parts.iter().enumerate() {
        for (segment, reader) in it.snapshot.searcher.segment_readers().iter().enumerate() {
            let (weight, bounds) = (weights[part].as_ref(), bounds[part].as_slice());
            jobs.push(Job { part, segment, reader, weight, bounds });
        }
    }
    let budget = Budget::new(limits.bytes_max);
    let mut states = run(&jobs, plans, scored, &budget)?;
    if states.is_empty() {
        states = plans.iter().map(Plan::empty_state).collect();
    }
    Ok(states)
}

/// Documents below which a second thread costs more than it saves.
const DOCUMENTS_PER_THREAD: u64 = 100_000;
/// Most threads of one request.
const THREADS_MAX: usize = 4;

/// Collects segments, on several threads when there is much to do.
fn run(
    jobs: &[Job<'_>],
    plans: &[Plan<'_>],
    scored: bool,
    budget: &Budget,
) -> Result<Vec<State>, Exception> {
    let documents: u64 = jobs.iter().map(|job| u64::from(job.reader.max_doc())).sum();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let worthwhile = (documents / DOCUMENTS_PER_THREAD) as usize + 1;
    let threads = cores.min(THREADS_MAX).min(worthwhile).min(jobs.len()).max(1);
    // The largest first, so that no thread is left with a large one in the end.
    let mut order: Vec<&Job<'_>> = jobs.iter().collect();
    order.sort_by_key(|job| std::cmp::Reverse(job.reader.max_doc()));
    let next = AtomicUsize::new(0);
    let collected: Mutex<Vec<Result<Vec<State>, Exception>>> = Mutex::new(Vec::new());
    let work = || {
        let mut states = Vec::new();
        let result = loop {
            let Some(job) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break Ok(states);
            };
            match collect_segment(job, plans, scored, budget) {
                Ok(segment) => State::merge_all(&mut states, segment),
                Err(error) => break Err(error),
            }
        };
        collected.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(result);
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    let mut states = Vec::new();
    let collected = collected.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for each in collected {
        State::merge_all(&mut states, each?);
    }
    Ok(states)
}

/// Documents of one block: few enough that its buffers stay in the cache.
const BLOCK: usize = 1_024;

fn collect_segment(
    job: &Job<'_>,
    plans: &[Plan<'_>],
    scored: bool,
    budget: &Budget,
) -> Result<Vec<State>, Exception> {
    let nodes = plans.iter().zip(job.bounds);
    let nodes = nodes.map(|(plan, bound)| Node::new(plan, bound, job.reader, budget));
    let mut block = Buffer {
        nodes: nodes.collect::<Result<_, _>>()?,
        docs: Vec::with_capacity(BLOCK),
        scores: Vec::new(),
        buckets: vec![0; BLOCK],
        failure: None,
    };
    let alive = job.reader.alive_bitset();
    let is_alive = |doc: DocId| alive.is_none_or(|alive| alive.is_alive(doc));
    let visited = if scored {
        job.weight.for_each(job.reader, &mut |doc, score| {
            if is_alive(doc) {
                block.scores.push(score);
                block.push(doc);
            }
        })
    } else {
        job.weight.for_each_no_score(job.reader, &mut |docs| match alive {
            None => docs.iter().for_each(|doc| block.push(*doc)),
            Some(_) => docs.iter().filter(|doc| is_alive(**doc)).for_each(|doc| block.push(*doc)),
        })
    };
    visited.map_err(failed)?;
    block.flush();
    if let Some(failure) = block.failure {
        return Err(failure);
    }
    let (part, segment) = (job.part as u32, job.segment as u32);
    block.nodes.into_iter().map(|node| node.finish(part, segment)).collect()
}

/// Gathers documents into blocks.
struct Buffer<'a> {
    nodes: Vec<Node<'a>>,
    docs: Vec<DocId>,
    scores: Vec<f32>,
    /// The bucket of every document at the top: the search itself.
    buckets: Vec<u32>,
    /// What went wrong; nothing is collected any more then.
    failure: Option<Exception>,
}

impl Buffer<'_> {
    fn push(&mut self, doc: DocId) {
        self.docs.push(doc);
        if self.docs.len() == BLOCK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.failure.is_none() {
            let buckets = &self.buckets[..self.docs.len()];
            let block = Block { docs: &self.docs, buckets, scores: &self.scores };
            self.failure = self.nodes.iter_mut().try_for_each(|node| node.collect(block)).err();
        }
        self.docs.clear();
        self.scores.clear();
    }
}

/// Tells whether a plan asks for scores.
fn needs_scores(plan: &Plan<'_>) -> bool {
    let here =
        matches!(&plan.work, Work::TopHits { sources, .. } if sources.iter().any(Option::is_none));
    here || plan.inner.iter().any(needs_scores)
}
