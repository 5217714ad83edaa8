//! Plans: what a request means for the fields of the indices it is asked of.
//!
//! A [`Plan`] is made once for a request, a [`Bound`] for each index with the fields and queries of that
//! index.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use pampero_opensearch::aggregation::{
    Aggregation, AggregationKind, Aggregations, AutoDateHistogram, Bounds, CompositeSource,
    CompositeSourceKind, DateBound, MetricKind, Percentiles, Pipeline, Range, RangeSet, TopHits,
    ValuesSource,
};
use pampero_opensearch::date::{DateContext, DateFormat, Rounding as DateRounding, read_zone};
use pampero_opensearch::query::Query;
use pampero_opensearch::{Exception, Field};
use serde_json::Value;
use tantivy::query::{EnableScoring, Weight};

use super::Part;
use super::auto_interval;
use super::column::failed;
use super::format::{KeyFormat, decimal};
use super::keys::{Key, Shape};
use super::rounding::Rounding;
use super::source::{Source, Wanted};
use super::state::{Buckets, Data, State};
use super::term_filter::KeyFilter;
use super::top_hits::HitOrder;
use crate::query::{QueryContext, build};

/// One aggregation, ready to be collected and written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// As it was asked.
    pub(super) request: &'a Aggregation,
    /// What is collected.
    pub(super) work: Work,
    /// Those inside it that are collected.
    pub(super) inner: Vec<Plan<'a>>,
    /// Those inside it that are worked out in the end.
    pub(super) pipelines: Vec<PlannedPipeline<'a>>,
    /// The least and the greatest value, for an automatic date histogram that has values.
    pub(super) extent: Option<(i64, i64)>,
}

/// A pipeline with its name and its `meta`.
#[derive(Debug)]
pub(super) struct PlannedPipeline<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// What it does.
    pub(super) pipeline: &'a Pipeline,
    /// What is given back as it is.
    pub(super) meta: Option<&'a Value>,
}

/// What is collected.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a request has a handful of them")]
pub(super) enum Work {
    /// Buckets by key, of one source or of combinations of several.
    Keyed {
        /// The sources.
        sources: Vec<Source>,
        /// Whether keys without documents are asked for too, and how many at most.
        known: Option<usize>,
        /// The outermost beginnings of empty buckets that are shown.
        extended: Bounds<f64>,
        /// Outside of these no bucket is shown.
        hard: Bounds<f64>,
        /// Which keys are shown; `None` shows all.
        filter: Option<KeyFilter>,
    },
    /// Stated ranges.
    Ranges {
        /// The values.
        source: Source,
        /// The ranges in the order of their ends.
        ranges: Vec<PlannedRange>,
    },
    /// Queries.
    Filters {
        /// The name of the bucket of what none of them finds.
        other: Option<String>,
    },
    /// Documents without a value.
    Missing {
        /// The values.
        source: Source,
    },
    /// All documents.
    Global,
    /// Stats.
    Metric {
        /// The values.
        source: Source,
        /// Which of them are shown.
        metric: StatsKind,
    },
    /// A mean with weights.
    Weighted {
        /// The values.
        value: Source,
        /// The weights.
        weight: Source,
    },
    /// Distinct values.
    Cardinality {
        /// The values.
        source: Source,
        /// Up to so many they are counted exactly.
        exact_max: usize,
    },
    /// Percentiles and their ranks.
    Percentiles {
        /// The values.
        source: Source,
    },
    /// First documents.
    TopHits {
        /// What is sorted by; `None` is the score.
        sources: Vec<Option<Source>>,
        /// The order.
        order: HitOrder,
    },
}

/// Which stats are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatsKind(pub(super) MetricKind);

impl StatsKind {
    /// Tells whether values are only counted, so that they need not be numbers.
    pub(super) fn counts_only(self) -> bool {
        self.0 == MetricKind::ValueCount
    }
}

/// One range, half-open.
#[derive(Debug)]
pub(super) struct PlannedRange {
    /// Its name.
    pub(super) key: String,
    /// The first value in it; infinite when open.
    pub(super) from: f64,
    /// The first value beyond it; infinite when open.
    pub(super) to: f64,
}

impl Plan<'_> {
    /// Returns the state of a search without any index.
    pub(super) fn empty_state(&self) -> State {
        let data = match &self.work {
            Work::Keyed { .. } => Data::Keyed(Buckets::default()),
            Work::Ranges { ranges, .. } => Data::Slots { slots: ranges.len(), counts: Vec::new() },
            Work::Filters { .. } | Work::Missing { .. } | Work::Global => {
                Data::Slots { slots: 1, counts: Vec::new() }
            }
            Work::Metric { .. } => Data::Stats(Vec::new()),
            Work::Weighted { .. } => Data::Weighted(Vec::new()),
            Work::Cardinality { exact_max, .. } => Data::Distinct(Vec::new(), *exact_max),
            Work::Percentiles { .. } => Data::Percentiles(Vec::new()),
            Work::TopHits { order, .. } => Data::TopHits(Vec::new(), order.clone()),
        };
        State { data, inner: self.inner.iter().map(Self::empty_state).collect() }
    }
}

/// The fields and queries of one index for one aggregation.
pub(super) struct Bound {
    /// The field of each source; `None` when the index does not have it.
    pub(super) fields: Vec<Option<Field>>,
    /// The queries of filters.
    pub(super) weights: Vec<Box<dyn Weight>>,
    /// Those of the aggregations inside.
    pub(super) inner: Vec<Bound>,
}

/// Makes plans for some indices at some moment.
pub(super) struct Planner<'a> {
    /// The indices.
    pub(super) parts: &'a [Part<'a>],
    /// What `now` means.
    pub(super) now: Timestamp,
    /// Most buckets of an answer.
    pub(super) buckets_max: u32,
}

/// The least and greatest value of the field of an automatic date histogram, by name.
pub(super) type Extents<'a> = Vec<(&'a str, Option<(i64, i64)>)>;

impl Planner<'_> {
    /// Plans one level; pipelines among its aggregations are given back apart.
    pub(super) fn level<'a>(
        &self,
        aggregations: &'a Aggregations,
        extents: &Extents<'a>,
    ) -> Result<(Vec<Plan<'a>>, Vec<PlannedPipeline<'a>>), Exception> {
        let (mut plans, mut pipelines) = (Vec::new(), Vec::new());
        for (name, request) in aggregations.iter() {
            match &request.kind {
                AggregationKind::Pipeline(pipeline) => {
                    let meta = request.meta.as_ref();
                    pipelines.push(PlannedPipeline { name, pipeline, meta });
                }
                _ => {
                    let work = self.work(name, request, extents)?;
                    let (inner, pipelines) = self.level(&request.inner, &Vec::new())?;
                    check_parents(&request.kind, &pipelines)?;
                    let extent = extents.iter().find(|(other, _)| *other == name);
                    let extent = extent.and_then(|(_, extent)| *extent);
                    plans.push(Plan { name, request, work, inner, pipelines, extent });
                }
            }
        }
        Ok((plans, pipelines))
    }

    fn work(
        &self,
        name: &str,
        request: &Aggregation,
        extents: &Extents<'_>,
    ) -> Result<Work, Exception> {
        let none = Bounds { min: None, max: None };
        let keyed = |sources| Work::Keyed {
            sources,
            known: None,
            extended: none,
            hard: none,
            filter: None,
        };
        Ok(match &request.kind {
            AggregationKind::Terms(terms) => {
                let source = self.source(&terms.source, "terms", Wanted::Any)?;
                // One more than may be shown, so that too many are noticed.
                let most = self.buckets_max as usize + 1;
                Work::Keyed {
                    filter: KeyFilter::new(&terms.filter, &source)?,
                    sources: vec![source],
                    known: (terms.selection.min_doc_count == 0).then_some(most),
                    extended: none,
                    hard: none,
                }
            }
            AggregationKind::MultiTerms(terms) => {
                let sources = terms.sources.iter();
                let sources = sources.map(|it| self.source(it, "multi_terms", Wanted::Any));
                keyed(sources.collect::<Result<_, _>>()?)
            }
            AggregationKind::Histogram(histogram) => {
                let mut source = self.source(&histogram.source, "histogram", Wanted::Number)?;
                source.set_histogram(histogram.interval, histogram.offset);
                Work::Keyed {
                    sources: vec![source],
                    known: None,
                    extended: histogram.extended_bounds.unwrap_or(none),
                    hard: histogram.hard_bounds.unwrap_or(none),
                    filter: None,
                }
            }
            AggregationKind::DateHistogram(histogram) => {
                let zone = zone(histogram.time_zone.as_deref())?;
                let rounding = Rounding::new(histogram.interval, zone.clone(), histogram.offset_ms);
                let mut source = self.source(&histogram.source, "date_histogram", Wanted::Date)?;
                source.set_rounding(rounding);
                let bounds = |bounds: &Option<Bounds<DateBound>>| match bounds {
                    Some(bounds) => self.date_bounds(bounds, &source, &zone),
                    None => Ok(none),
                };
                Work::Keyed {
                    known: None,
                    extended: bounds(&histogram.extended_bounds)?,
                    hard: bounds(&histogram.hard_bounds)?,
                    filter: None,
                    sources: vec![source],
                }
            }
            AggregationKind::AutoDateHistogram(histogram) => {
                keyed(vec![self.auto_date_source(name, histogram, extents)?])
            }
            AggregationKind::Range(set) => {
                let source = self.source(&set.source, "range", Wanted::Number)?;
                Work::Ranges { ranges: number_ranges(set), source }
            }
            AggregationKind::DateRange(set) => {
                let source = self.source(&set.source, "date_range", Wanted::Date)?;
                self.date_ranges(set, source)?
            }
            AggregationKind::Filter(_) => Work::Filters { other: None },
            AggregationKind::Filters(filters) => Work::Filters { other: filters.other.clone() },
            AggregationKind::Missing(source) => {
                Work::Missing { source: self.source(source, "missing", Wanted::Any)? }
            }
            AggregationKind::Global => Work::Global,
            AggregationKind::Composite(composite) => {
                let sources = composite.sources.iter().map(|it| self.composite_source(it));
                keyed(sources.collect::<Result<_, _>>()?)
            }
            AggregationKind::Metric(metric) => {
                let kind = StatsKind(metric.kind);
                let wanted = if kind.counts_only() { Wanted::Any } else { Wanted::Number };
                let source = self.source(&metric.source, metric.kind.as_str(), wanted)?;
                Work::Metric { source, metric: kind }
            }
            AggregationKind::Cardinality(cardinality) => Work::Cardinality {
                source: self.source(&cardinality.source, "cardinality", Wanted::Any)?,
                exact_max: cardinality.precision_threshold,
            },
            AggregationKind::Percentiles(percentiles) => {
                let (source, kind) = match percentiles {
                    Percentiles::Values { source, .. } => (source, "percentiles"),
                    Percentiles::Ranks { source, .. } => (source, "percentile_ranks"),
                };
                Work::Percentiles { source: self.source(source, kind, Wanted::Number)? }
            }
            AggregationKind::WeightedAvg(average) => Work::Weighted {
                value: self.source(&average.value, "weighted_avg", Wanted::Number)?,
                weight: self.source(&average.weight, "weighted_avg", Wanted::Number)?,
            },
            AggregationKind::TopHits(top_hits) => self.top_hits(top_hits)?,
            AggregationKind::Pipeline(_) => unreachable!("pipelines are planned apart"),
        })
    }

    fn top_hits(&self, request: &TopHits) -> Result<Work, Exception> {
        let mut sources = Vec::new();
        let mut keys = Vec::new();
        for key in &request.sort {
            // The order of documents is what decides ties anyway.
            if key.field == "_doc" {
                continue;
            }
            keys.push((key.descending, key.missing_first));
            sources.push(match key.field.as_str() {
                "_score" => None,
                field => {
                    let source =
                        ValuesSource { field: field.to_owned(), missing: None, format: None };
                    Some(self.source(&source, "top_hits", Wanted::Any)?)
                }
            });
        }
        if request.sort.is_empty() {
            sources.push(None);
            keys.push((true, false));
        }
        let order = HitOrder { keys: keys.into(), size: request.from + request.size };
        Ok(Work::TopHits { sources, order })
    }

    fn composite_source(&self, request: &CompositeSource) -> Result<Source, Exception> {
        let wanted = match &request.kind {
            CompositeSourceKind::Terms => Wanted::Any,
            CompositeSourceKind::Histogram { .. } => Wanted::Number,
            CompositeSourceKind::DateHistogram { .. } => Wanted::Date,
        };
        let mut source = self.source(&request.source, "composite", wanted)?;
        match &request.kind {
            CompositeSourceKind::Terms => {}
            CompositeSourceKind::Histogram { interval } => source.set_histogram(*interval, 0.0),
            CompositeSourceKind::DateHistogram { interval, time_zone, offset_ms } => {
                let zone = zone(time_zone.as_deref())?;
                source.set_rounding(Rounding::new(*interval, zone, *offset_ms));
            }
        }
        source.missing = request.missing_bucket.then_some(Key::Null);
        Ok(source)
    }

    fn auto_date_source(
        &self,
        name: &str,
        request: &AutoDateHistogram,
        extents: &Extents<'_>,
    ) -> Result<Source, Exception> {
        let Some((_, extent)) = extents.iter().find(|(other, _)| *other == name) else {
            return Err(Exception::unsupported(
                "aggregation [auto_date_histogram] inside another aggregation",
            ));
        };
        let mut source = self.source(&request.source, "auto_date_histogram", Wanted::Date)?;
        let zone = zone(request.time_zone.as_deref())?;
        if let KeyFormat::Date { zone: written, .. } = &mut source.format {
            *written = zone.clone();
        }
        let (starts, _) = auto_interval::choose(*extent, request, &zone);
        if !starts.is_empty() {
            source.shape = Shape::Stretches(starts.into());
        }
        Ok(source)
    }

    fn date_ranges(&self, set: &RangeSet<DateBound>, source: Source) -> Result<Work, Exception> {
        let zone = zone(set.time_zone.as_deref())?;
        let mut source = source;
        if let KeyFormat::Date { zone: written, .. } = &mut source.format {
            *written = zone.clone();
        }
        let end = |bound: &Option<DateBound>, open: f64| match bound {
            None => Ok(open),
            Some(bound) => self.date(bound, &source, &zone).map(|ms| ms as f64),
        };
        let mut ranges = Vec::with_capacity(set.ranges.len());
        for range in &set.ranges {
            let from = end(&range.from, f64::NEG_INFINITY)?;
            let to = end(&range.to, f64::INFINITY)?;
            let text = |value: f64| source.format.number_spelling(value).unwrap_or_default();
            ranges.push(named_range(range.key.as_deref(), from, to, text));
        }
        ranges.sort_by(|one, other| one.order(other));
        Ok(Work::Ranges { source, ranges })
    }

    fn date_bounds(
        &self,
        bounds: &Bounds<DateBound>,
        source: &Source,
        zone: &TimeZone,
    ) -> Result<Bounds<f64>, Exception> {
        let end = |bound: &Option<DateBound>| match bound {
            None => Ok(None),
            Some(bound) => self.date(bound, source, zone).map(|ms| Some(ms as f64)),
        };
        let (min, max) = (end(&bounds.min)?, end(&bounds.max)?);
        match (min, max) {
            (Some(least), Some(greatest)) if greatest < least => {
                Err(Exception::illegal_argument(format!(
                    "[extended_bounds.min][{least}] cannot be greater than \
                     [extended_bounds.max][{greatest}]"
                )))
            }
            _ => Ok(Bounds { min, max }),
        }
    }

    /// Reads an instant of a request, in ms since 1970.
    fn date(&self, bound: &DateBound, source: &Source, zone: &TimeZone) -> Result<i64, Exception> {
        let default = DateFormat::default_date();
        let format = source.date_format.as_ref().unwrap_or(&default);
        match bound {
            DateBound::Number(number) => {
                let seconds = format.as_str().split("||").next() == Some("epoch_second");
                Ok(if seconds { *number * 1_000.0 } else { *number } as i64)
            }
            DateBound::Text(text) => {
                let context = DateContext { now: self.now, zone: zone.clone() };
                let instant = format.evaluate(text, DateRounding::Down, &context)?;
                Ok(instant.as_millisecond())
            }
        }
    }

    /// Finds the fields and queries of one index.
    pub(super) fn bind(&self, plan: &Plan<'_>, part: &Part<'_>) -> Result<Bound, Exception> {
        let field = |source: &Source| part.snapshot.mapping.field(&source.field).cloned();
        let fields = match &plan.work {
            Work::Keyed { sources, .. } => sources.iter().map(field).collect(),
            Work::Ranges { source, .. }
            | Work::Missing { source }
            | Work::Metric { source, .. }
            | Work::Cardinality { source, .. }
            | Work::Percentiles { source } => vec![field(source)],
            Work::Weighted { value, weight } => vec![field(value), field(weight)],
            Work::TopHits { sources, .. } => {
                sources.iter().map(|source| source.as_ref().and_then(field)).collect()
            }
            Work::Filters { .. } | Work::Global => Vec::new(),
        };
        let weight = |query: &Query| {
            let context = QueryContext {
                index: &part.snapshot.name,
                mapping: &part.snapshot.mapping,
                layout: &part.snapshot.layout,
                now: self.now,
            };
            let scoring = EnableScoring::disabled_from_searcher(&part.snapshot.searcher);
            build(query, context)?.weight(scoring).map_err(failed)
        };
        let weights = match &plan.request.kind {
            AggregationKind::Filter(query) => vec![weight(query)?],
            AggregationKind::Filters(set) => {
                let weights = set.filters.iter().map(|(_, query)| weight(query));
                weights.collect::<Result<_, _>>()?
            }
            _ => Vec::new(),
        };
        let inner = plan.inner.iter().map(|inner| self.bind(inner, part));
        Ok(Bound { fields, weights, inner: inner.collect::<Result<_, _>>()? })
    }
}

/// Checks that pipelines which go along the buckets of their parent have such a parent.
fn check_parents(
    parent: &AggregationKind,
    pipelines: &[PlannedPipeline<'_>],
) -> Result<(), Exception> {
    let is_histogram = matches!(
        parent,
        AggregationKind::Histogram(_)
            | AggregationKind::DateHistogram(_)
            | AggregationKind::AutoDateHistogram(_)
    );
    let many = is_histogram
        || matches!(
            parent,
            AggregationKind::Terms(_)
                | AggregationKind::MultiTerms(_)
                | AggregationKind::Composite(_)
                | AggregationKind::Range(_)
                | AggregationKind::DateRange(_)
                | AggregationKind::Filters(_)
        );
    for PlannedPipeline { name, pipeline, .. } in pipelines {
        let kind = pipeline.as_str();
        let allowed = match pipeline {
            Pipeline::Derivative { .. } | Pipeline::CumulativeSum { .. } => is_histogram,
            Pipeline::BucketSort(_) => many,
            Pipeline::Bucket { .. } => true,
        };
        if !allowed {
            return Err(Exception::new(
                pampero_opensearch::ExceptionKind::ActionRequestValidation,
                format!(
                    "Validation Failed: 1: {kind} aggregation [{name}] must have a histogram, \
                     date_histogram or auto_date_histogram as parent;"
                ),
            ));
        }
    }
    Ok(())
}

/// Reads a zone; UTC when there is none.
pub(super) fn zone(text: Option<&str>) -> Result<TimeZone, Exception> {
    text.map_or(Ok(TimeZone::UTC), read_zone)
}

impl PlannedRange {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.from.total_cmp(&other.from).then(self.to.total_cmp(&other.to))
    }
}

fn number_ranges(set: &RangeSet<f64>) -> Vec<PlannedRange> {
    let mut ranges: Vec<PlannedRange> = set
        .ranges
        .iter()
        .map(|Range { key, from, to }| {
            let from = from.unwrap_or(f64::NEG_INFINITY);
            named_range(key.as_deref(), from, to.unwrap_or(f64::INFINITY), decimal)
        })
        .collect();
    ranges.sort_by(PlannedRange::order);
    ranges
}

fn named_range(
    key: Option<&str>,
    from: f64,
    to: f64,
    text: impl Fn(f64) -> String,
) -> PlannedRange {
    let end = |value: f64| if value.is_infinite() { "*".to_owned() } else { text(value) };
    let key = key.map_or_else(|| format!("{}-{}", end(from), end(to)), str::to_owned);
    PlannedRange { key, from, to }
}
