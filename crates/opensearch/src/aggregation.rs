//! Aggregations: their requests as types, and how they are read.
//!
//! What OpenSearch knows and this server does not is refused by its name; what nobody knows is refused
//! in OpenSearch's words. Start reading at [`Aggregations::from_json`]; the options of single types are
//! read in the modules below.

mod bucket;
mod interval;
mod metric;
mod options;
mod pipeline;

use serde_json::{Map, Value};

pub use bucket::{
    AutoDateHistogram, Bounds, Composite, CompositeSource, CompositeSourceKind, DateBound,
    DateHistogram, FilterSet, Histogram, MissingOrder, MultiTerms, Order, OrderKey, Range,
    RangeSet, TermFilter, Terms, TermsSelection,
};
pub use interval::{CalendarUnit, Interval};
pub use metric::{
    Cardinality, Metric, MetricKind, Percentiles, SourceFilter, TopHits, TopHitsSort, WeightedAvg,
};
pub use pipeline::{BucketMetric, BucketSort, GapPolicy, Pipeline};

use crate::Exception;
use crate::query::Query;
use options::{Options, nearest, token};

/// Most levels of aggregations inside one another.
pub const DEPTH_MAX: usize = 30;

/// Named aggregations of one level.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregations {
    entries: Vec<(String, Aggregation)>,
}

/// One aggregation with those inside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    /// What is worked out.
    pub kind: AggregationKind,
    /// The aggregations inside each of its buckets.
    pub inner: Aggregations,
    /// `meta`, which is given back as it is.
    pub meta: Option<Value>,
}

/// A field whose values are aggregated.
#[derive(Clone, Debug, PartialEq)]
pub struct ValuesSource {
    /// The path of the field.
    pub field: String,
    /// What a document without a value counts as; `None` leaves it out.
    pub missing: Option<Value>,
    /// How values are written: a date format, or a pattern for numbers.
    pub format: Option<String>,
}

/// What an aggregation works out.
#[derive(Clone, Debug, PartialEq)]
pub enum AggregationKind {
    /// One bucket for each value.
    Terms(Terms),
    /// One bucket for each combination of values.
    MultiTerms(MultiTerms),
    /// Buckets of equal width along the numbers.
    Histogram(Histogram),
    /// Buckets along time.
    DateHistogram(DateHistogram),
    /// Buckets along time, as wide as a wanted number of them asks for.
    AutoDateHistogram(AutoDateHistogram),
    /// Stated ranges of numbers.
    Range(RangeSet<f64>),
    /// Stated ranges of time.
    DateRange(RangeSet<DateBound>),
    /// The documents that a query finds.
    Filter(Box<Query>),
    /// A bucket for each of several queries.
    Filters(FilterSet),
    /// The documents without a value.
    Missing(ValuesSource),
    /// All documents, whatever the search asks.
    Global,
    /// All combinations of several sources, page by page.
    Composite(Composite),
    /// A number, or a few of them, from the values of a field.
    Metric(Metric),
    /// How many distinct values there are.
    Cardinality(Cardinality),
    /// The values below which given parts lie, or the parts below given values.
    Percentiles(Percentiles),
    /// A mean with weights.
    WeightedAvg(WeightedAvg),
    /// The first documents of each bucket.
    TopHits(Box<TopHits>),
    /// Worked out from other aggregations.
    Pipeline(Pipeline),
}

/// The types that are read; `Unknown aggregation type` looks for a near one here.
const KNOWN: [&str; 31] = [
    "terms",
    "multi_terms",
    "histogram",
    "date_histogram",
    "auto_date_histogram",
    "range",
    "date_range",
    "filter",
    "filters",
    "missing",
    "global",
    "composite",
    "min",
    "max",
    "avg",
    "sum",
    "value_count",
    "stats",
    "extended_stats",
    "cardinality",
    "percentiles",
    "percentile_ranks",
    "weighted_avg",
    "top_hits",
    "derivative",
    "cumulative_sum",
    "bucket_sort",
    "avg_bucket",
    "max_bucket",
    "min_bucket",
    "sum_bucket",
];

/// The types that OpenSearch has besides those of [`KNOWN`] and of `stats_bucket`.
const REFUSED: [&str; 32] = [
    "adjacency_matrix",
    "bucket_script",
    "bucket_selector",
    "children",
    "diversified_sampler",
    "extended_stats_bucket",
    "geo_bounds",
    "geo_centroid",
    "geo_distance",
    "geohash_grid",
    "geohex_grid",
    "geotile_grid",
    "ip_range",
    "matrix_stats",
    "median_absolute_deviation",
    "moving_avg",
    "moving_fn",
    "nested",
    "parent",
    "percentiles_bucket",
    "rare_terms",
    "reverse_nested",
    "sampler",
    "scripted_metric",
    "serial_diff",
    "significant_terms",
    "significant_text",
    "string_stats",
    "t_test",
    "top_metrics",
    "variable_width_histogram",
    "weighted_sum",
];

impl Aggregations {
    /// Reads the value of `aggs`.
    ///
    /// # Errors
    /// `parsing_exception` and its kin.
    pub fn from_json(aggregations: &Value) -> Result<Self, Exception> {
        Self::read(aggregations, 1)
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the aggregations with their names, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Aggregation)> {
        self.entries.iter().map(|(name, aggregation)| (name.as_str(), aggregation))
    }

    /// Returns the aggregation of this name.
    pub fn get(&self, name: &str) -> Option<&Aggregation> {
        self.iter().find(|(other, _)| *other == name).map(|(_, aggregation)| aggregation)
    }

    fn read(aggregations: &Value, depth: usize) -> Result<Self, Exception> {
        if depth > DEPTH_MAX {
            return Err(Exception::illegal_argument(format!(
                "aggregations are nested more than [{DEPTH_MAX}] levels deep"
            )));
        }
        let Value::Object(entries) = aggregations else {
            return Err(Exception::parsing(format!(
                "Expected [START_OBJECT] in [aggs], but got [{}]",
                token(aggregations)
            )));
        };
        let entries = entries
            .iter()
            .map(|(name, body)| Ok((name.clone(), Aggregation::read(name, body, depth)?)))
            .collect::<Result<_, Exception>>()?;
        let aggregations = Self { entries };
        aggregations.iter().try_for_each(|(name, each)| each.check(name, depth, &aggregations))?;
        Ok(aggregations)
    }
}

impl Aggregation {
    fn read(name: &str, body: &Value, depth: usize) -> Result<Self, Exception> {
        if name.is_empty() || name.contains(['[', ']', '>']) {
            return Err(Exception::parsing(format!(
                "Invalid aggregation name [{name}]. Aggregation names can contain any character \
                 except '[', ']', and '>'"
            )));
        }
        let Value::Object(body) = body else {
            return Err(Exception::parsing(format!(
                "Aggregation definition for [{name} starts with a [{}], expected a \
                 [START_OBJECT].",
                token(body)
            )));
        };
        let mut definition: Option<(&str, &Value)> = None;
        let mut inner: Option<Aggregations> = None;
        let mut meta = None;
        for (key, value) in body {
            match key.as_str() {
                "meta" => meta = Some(read_meta(name, value)?),
                "aggs" | "aggregations" if inner.is_some() => {
                    return Err(Exception::parsing(format!(
                        "Found two sub aggregation definitions under [{name}]"
                    )));
                }
                "aggs" | "aggregations" => inner = Some(Aggregations::read(value, depth + 1)?),
                _ => {
                    if let Some((first, _)) = definition {
                        return Err(Exception::parsing(format!(
                            "Found two aggregation type definitions in [{name}]: [{first}] and \
                             [{key}]"
                        )));
                    }
                    definition = Some((key, value));
                }
            }
        }
        let Some((kind, options)) = definition else {
            return Err(Exception::parsing(format!("Missing definition for aggregation [{name}]")));
        };
        let kind = AggregationKind::read(name, kind, options)?;
        Ok(Self { kind, inner: inner.unwrap_or_default(), meta })
    }

    /// Checks what cannot be seen from one aggregation alone.
    fn check(&self, name: &str, depth: usize, siblings: &Aggregations) -> Result<(), Exception> {
        match &self.kind {
            AggregationKind::Global if depth > 1 => Err(Exception::parsing(format!(
                "Aggregator [{name}] of type [global] cannot be used as a sub aggregation"
            ))),
            AggregationKind::Pipeline(pipeline) => {
                pipeline.check(name, siblings)?;
                self.refuse_inner(name, pipeline.as_str())
            }
            AggregationKind::Metric(metric) => self.refuse_inner(name, metric.kind.as_str()),
            AggregationKind::Cardinality(_) => self.refuse_inner(name, "cardinality"),
            AggregationKind::Percentiles(Percentiles::Values { .. }) => {
                self.refuse_inner(name, "percentiles")
            }
            AggregationKind::Percentiles(Percentiles::Ranks { .. }) => {
                self.refuse_inner(name, "percentile_ranks")
            }
            AggregationKind::WeightedAvg(_) => self.refuse_inner(name, "weighted_avg"),
            AggregationKind::TopHits(_) => self.refuse_inner(name, "top_hits"),
            AggregationKind::Terms(terms) => bucket::check_order(&terms.order, &self.inner),
            AggregationKind::MultiTerms(terms) => bucket::check_order(&terms.order, &self.inner),
            AggregationKind::Histogram(histogram) => {
                bucket::check_order(&histogram.order, &self.inner)
            }
            AggregationKind::DateHistogram(histogram) => {
                bucket::check_order(&histogram.order, &self.inner)
            }
            _ => Ok(()),
        }
    }

    fn refuse_inner(&self, name: &str, kind: &str) -> Result<(), Exception> {
        if self.inner.is_empty() {
            return Ok(());
        }
        Err(Exception::illegal_argument(format!(
            "Aggregator [{name}] of type [{kind}] cannot accept sub-aggregations"
        )))
    }
}

impl AggregationKind {
    fn read(name: &str, kind: &str, value: &Value) -> Result<Self, Exception> {
        if REFUSED.contains(&kind) {
            return Err(Exception::unsupported(format_args!("aggregation [{kind}]")));
        }
        if !KNOWN.contains(&kind) && kind != "stats_bucket" {
            let hint = nearest(kind, KNOWN.into_iter().chain(["stats_bucket"]));
            return Err(Exception::parsing(format!("Unknown aggregation type [{kind}]{hint}")));
        }
        if kind == "filter" {
            return Ok(Self::Filter(Box::new(Query::from_json(value)?)));
        }
        let Value::Object(values) = value else {
            return Err(Exception::parsing(format!(
                "Expected [START_OBJECT] under [{kind}], but got a [{}] in [{name}]",
                token(value)
            )));
        };
        let options = Options::new(name, kind, values);
        match kind {
            "global" => options.allow(&[]).map(|()| Self::Global),
            "missing" => bucket::read_missing(&options).map(Self::Missing),
            "terms" => bucket::read_terms(&options).map(Self::Terms),
            "multi_terms" => bucket::read_multi_terms(&options).map(Self::MultiTerms),
            "histogram" => bucket::read_histogram(&options).map(Self::Histogram),
            "date_histogram" => bucket::read_date_histogram(&options).map(Self::DateHistogram),
            "auto_date_histogram" => {
                bucket::read_auto_date_histogram(&options).map(Self::AutoDateHistogram)
            }
            "range" => bucket::read_range(&options).map(Self::Range),
            "date_range" => bucket::read_date_range(&options).map(Self::DateRange),
            "filters" => bucket::read_filters(&options).map(Self::Filters),
            "composite" => bucket::read_composite(&options).map(Self::Composite),
            "cardinality" => metric::read_cardinality(&options).map(Self::Cardinality),
            "percentiles" => metric::read_percentiles(&options).map(Self::Percentiles),
            "percentile_ranks" => metric::read_percentile_ranks(&options).map(Self::Percentiles),
            "weighted_avg" => metric::read_weighted_avg(&options).map(Self::WeightedAvg),
            "top_hits" => metric::read_top_hits(&options).map(|it| Self::TopHits(Box::new(it))),
            _ => match MetricKind::from_name(kind) {
                Some(metric) => metric::read_metric(metric, &options).map(Self::Metric),
                None => pipeline::read(&options).map(Self::Pipeline),
            },
        }
    }
}

fn read_meta(name: &str, value: &Value) -> Result<Value, Exception> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        other => Err(Exception::parsing(format!(
            "Expected [START_OBJECT] under [meta], but got a [{}] in [{name}]",
            token(other)
        ))),
    }
}

/// Tells whether an object has exactly one entry, and returns it.
fn single(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((key, value)), None) => Some((key, value)),
        _ => None,
    }
}
