//! Metrics: numbers from the values of a field, and the first documents of a bucket.

use serde_json::Value;

use super::options::{Options, read_number, token};
use super::{ValuesSource, single};
use crate::Exception;

/// A metric that is read off the count, the sum and the extremes of a field's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Which one.
    pub kind: MetricKind,
    /// The values.
    pub source: ValuesSource,
    /// `sigma` of `extended_stats`: how many deviations the bounds lie from the mean; 2 by default.
    pub sigma: f64,
}

/// Which metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MetricKind {
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The mean.
    Avg,
    /// The sum; 0 without values.
    Sum,
    /// How many values.
    ValueCount,
    /// All of these.
    Stats,
    /// All of these with the variance.
    ExtendedStats,
}

/// How many distinct values there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Cardinality {
    /// The values.
    pub source: ValuesSource,
    /// Up to so many distinct values the answer is exact; 3,000 by default, at most 40,000.
    pub precision_threshold: usize,
}

/// Parts of the values in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Percentiles {
    /// The values below which given parts lie.
    Values {
        /// The values.
        source: ValuesSource,
        /// The parts in percent, sorted.
        percents: Vec<f64>,
        /// Whether the answer is an object.
        keyed: bool,
    },
    /// The parts that lie below given values.
    Ranks {
        /// The values.
        source: ValuesSource,
        /// Where they are looked at, sorted.
        values: Vec<f64>,
        /// Whether the answer is an object.
        keyed: bool,
    },
}

/// A mean with weights.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedAvg {
    /// The values.
    pub value: ValuesSource,
    /// Their weights.
    pub weight: ValuesSource,
}

/// The first documents of each bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct TopHits {
    /// Documents that are left out at the start.
    pub from: usize,
    /// Documents that are given back; 3 by default.
    pub size: usize,
    /// The order; by score when empty.
    pub sort: Vec<TopHitsSort>,
    /// Which part of the source is shown.
    pub source: SourceFilter,
    /// Whether `_version` is shown.
    pub version: bool,
    /// Whether `_seq_no` and `_primary_term` are shown.
    pub seq_no_primary_term: bool,
}

/// One key of the order of top hits.
#[derive(Clone, Debug, PartialEq)]
pub struct TopHitsSort {
    /// A field, `_score` or `_doc`.
    pub field: String,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether documents without a value come first.
    pub missing_first: bool,
}

/// Which part of the source is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceFilter {
    /// Whether nothing is shown.
    pub hidden: bool,
    /// Patterns of what is shown; everything when empty.
    pub includes: Vec<String>,
    /// Patterns of what is left out.
    pub excludes: Vec<String>,
}

impl MetricKind {
    const ALL: [Self; 7] = [
        Self::Min,
        Self::Max,
        Self::Avg,
        Self::Sum,
        Self::ValueCount,
        Self::Stats,
        Self::ExtendedStats,
    ];

    /// Returns the type on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Sum => "sum",
            Self::ValueCount => "value_count",
            Self::Stats => "stats",
            Self::ExtendedStats => "extended_stats",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

pub(super) fn read_metric(kind: MetricKind, options: &Options<'_>) -> Result<Metric, Exception> {
    let sigma = match kind {
        MetricKind::ExtendedStats => {
            options.allow(&["field", "missing", "format", "sigma"])?;
            options.number("sigma")?.unwrap_or(2.0)
        }
        _ => {
            options.allow(&["field", "missing", "format"])?;
            2.0
        }
    };
    if sigma < 0.0 {
        return Err(Exception::illegal_argument(format!(
            "[sigma] must be greater than or equal to 0. Found [{sigma:?}] in [{}]",
            options.name
        )));
    }
    Ok(Metric { kind, source: options.source()?, sigma })
}

pub(super) fn read_cardinality(options: &Options<'_>) -> Result<Cardinality, Exception> {
    // The hint says how the values are gathered, which changes nothing in the answer.
    options.allow(&["field", "missing", "format", "precision_threshold", "execution_hint"])?;
    let precision_threshold = match options.integer("precision_threshold")? {
        None => 3_000,
        Some(number) if number < 0 => {
            return Err(Exception::illegal_argument(format!(
                "[precisionThreshold] must be greater than or equal to 0. Found [{number}] in [{}]",
                options.name
            )));
        }
        Some(number) => usize::try_from(number.min(40_000)).unwrap_or(40_000),
    };
    Ok(Cardinality { source: options.source()?, precision_threshold })
}

pub(super) fn read_percentiles(options: &Options<'_>) -> Result<Percentiles, Exception> {
    options.allow(&["field", "missing", "format", "percents", "keyed", "tdigest", "hdr"])?;
    refuse_hdr(options)?;
    let mut percents = match options.array("percents")? {
        None => vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0],
        Some(given) => read_numbers(options, "percents", given)?,
    };
    if percents.is_empty() {
        return Err(Exception::illegal_argument("[percents] must not be empty"));
    }
    if let Some(wrong) = percents.iter().find(|percent| !(0.0..=100.0).contains(*percent)) {
        return Err(Exception::illegal_argument(format!(
            "percent must be in [0,100], got [{wrong:?}]: [{}]",
            options.name
        )));
    }
    percents.sort_by(f64::total_cmp);
    let keyed = options.boolean("keyed")?.unwrap_or(true);
    Ok(Percentiles::Values { source: options.source()?, percents, keyed })
}

pub(super) fn read_percentile_ranks(options: &Options<'_>) -> Result<Percentiles, Exception> {
    options.allow(&["field", "missing", "format", "values", "keyed", "tdigest", "hdr"])?;
    refuse_hdr(options)?;
    let mut values = match options.array("values")? {
        Some(given) if !given.is_empty() => read_numbers(options, "values", given)?,
        _ => return Err(Exception::illegal_argument("[values] must not be an empty array")),
    };
    values.sort_by(f64::total_cmp);
    let keyed = options.boolean("keyed")?.unwrap_or(true);
    Ok(Percentiles::Ranks { source: options.source()?, values, keyed })
}

fn refuse_hdr(options: &Options<'_>) -> Result<(), Exception> {
    match options.get("hdr") {
        Some(_) => {
            Err(Exception::unsupported(format_args!("[hdr] in aggregation [{}]", options.kind)))
        }
        None => Ok(()),
    }
}

fn read_numbers(options: &Options<'_>, key: &str, given: &[Value]) -> Result<Vec<f64>, Exception> {
    let read = |value| read_number(value).ok_or_else(|| options.wrong(key, "a number", value));
    given.iter().map(read).collect()
}

pub(super) fn read_weighted_avg(options: &Options<'_>) -> Result<WeightedAvg, Exception> {
    options.allow(&["value", "weight", "format"])?;
    let side = |key: &str| {
        let Some(values) = options.object(key)? else {
            return Err(Exception::illegal_argument(format!(
                "Required [{key}] in aggregation [weighted_avg]"
            )));
        };
        let side = Options::new(options.name, options.kind, values);
        side.allow(&["field", "missing"])?;
        side.source()
    };
    let mut value = side("value")?;
    value.format = options.text("format")?.map(str::to_owned);
    Ok(WeightedAvg { value, weight: side("weight")? })
}

/// What `top_hits` of OpenSearch can besides.
const TOP_HITS_REFUSED: [&str; 7] = [
    "highlight",
    "explain",
    "script_fields",
    "docvalue_fields",
    "stored_fields",
    "fields",
    "track_scores",
];

pub(super) fn read_top_hits(options: &Options<'_>) -> Result<TopHits, Exception> {
    if let Some(key) = TOP_HITS_REFUSED.into_iter().find(|key| options.get(key).is_some()) {
        return Err(Exception::unsupported(format_args!("[{key}] in aggregation [top_hits]")));
    }
    options.allow(&["from", "size", "sort", "_source", "version", "seq_no_primary_term"])?;
    let from = options.count("from", 0)?.unwrap_or(0);
    let size = options.count("size", 0)?.unwrap_or(3);
    if from.saturating_add(size) > 100 {
        return Err(Exception::illegal_argument(format!(
            "Top hits result window is too large, the top hits aggregator [{}]'s from + size must \
             be less than or equal to: [100] but was [{}]. This limit can be set by changing the \
             [index.max_inner_result_window] index level setting.",
            options.name,
            from.saturating_add(size)
        )));
    }
    Ok(TopHits {
        from,
        size,
        sort: options.get("sort").map_or_else(|| Ok(Vec::new()), |it| read_sort(options, it))?,
        source: options
            .get("_source")
            .map_or_else(|| Ok(SourceFilter::default()), |it| read_source(options, it))?,
        version: options.boolean("version")?.unwrap_or(false),
        seq_no_primary_term: options.boolean("seq_no_primary_term")?.unwrap_or(false),
    })
}

fn read_sort(options: &Options<'_>, sort: &Value) -> Result<Vec<TopHitsSort>, Exception> {
    match sort {
        Value::Array(keys) => keys.iter().map(|key| read_sort_key(options, key)).collect(),
        key => Ok(vec![read_sort_key(options, key)?]),
    }
}

fn read_sort_key(options: &Options<'_>, key: &Value) -> Result<TopHitsSort, Exception> {
    let sort_key = |field: &str, descending: Option<bool>, missing_first| TopHitsSort {
        field: field.to_owned(),
        descending: descending.unwrap_or(field == "_score"),
        missing_first,
    };
    let direction = |text: &str| match text.to_ascii_lowercase().as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(Exception::illegal_argument(format!("Unknown SortOrder [{text}]"))),
    };
    match key {
        Value::String(field) => Ok(sort_key(field, None, false)),
        Value::Object(object) => match single(object) {
            Some((field, Value::String(order))) => {
                Ok(sort_key(field, Some(direction(order)?), false))
            }
            Some((field, Value::Object(values))) => {
                let inner = Options::new(options.name, "top_hits.sort", values);
                inner.allow(&["order", "missing", "unmapped_type"])?;
                let descending = inner.text("order")?.map(direction).transpose()?;
                let missing_first = match inner.text("missing")? {
                    None | Some("_last") => false,
                    Some("_first") => true,
                    Some(_) => {
                        return Err(Exception::unsupported(
                            "a value of [missing] in the sort of aggregation [top_hits]",
                        ));
                    }
                };
                Ok(sort_key(field, descending, missing_first))
            }
            _ => Err(options.wrong("sort", "a field with its order", key)),
        },
        other => Err(options.wrong("sort", "a field", other)),
    }
}

fn read_source(options: &Options<'_>, source: &Value) -> Result<SourceFilter, Exception> {
    let patterns = |value: &Value| match value {
        Value::String(pattern) => Ok(vec![pattern.clone()]),
        Value::Array(patterns) => patterns
            .iter()
            .map(|it| it.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| options.wrong("_source", "strings", value)),
        other => Err(options.wrong("_source", "a string or an array", other)),
    };
    match source {
        Value::Bool(shown) => Ok(SourceFilter { hidden: !shown, ..SourceFilter::default() }),
        Value::Object(object) => {
            let inner = Options::new(options.name, "_source", object);
            inner.allow(&["includes", "include", "excludes", "exclude"])?;
            let either = |one, other| {
                let value = inner.get(one).or_else(|| inner.get(other));
                value.map_or_else(|| Ok(Vec::new()), patterns)
            };
            Ok(SourceFilter {
                hidden: false,
                includes: either("includes", "include")?,
                excludes: either("excludes", "exclude")?,
            })
        }
        Value::String(_) | Value::Array(_) => {
            Ok(SourceFilter { includes: patterns(source)?, ..SourceFilter::default() })
        }
        other => Err(Exception::parsing(format!(
            "Expected one of [VALUE_BOOLEAN, START_OBJECT] but found [{}]",
            token(other)
        ))),
    }
}
