//! Pipelines: what is worked out from other aggregations.

use super::options::Options;
use super::{AggregationKind, Aggregations, Order, OrderKey, bucket, single};
use crate::Exception;
use serde_json::Value;

/// An aggregation over the answers of others.
#[derive(Clone, Debug, PartialEq)]
pub enum Pipeline {
    /// The difference to the bucket before.
    Derivative {
        /// What is looked at in each bucket.
        path: String,
        /// What an empty bucket counts as.
        gap_policy: GapPolicy,
        /// `unit` in milliseconds, by which `normalized_value` is divided.
        unit_ms: Option<i64>,
    },
    /// The sum over the buckets so far.
    CumulativeSum {
        /// What is looked at in each bucket.
        path: String,
    },
    /// Sorts and cuts the buckets of its parent.
    BucketSort(BucketSort),
    /// One number over all buckets of a sibling.
    Bucket {
        /// Which one.
        metric: BucketMetric,
        /// The sibling and what is looked at in each of its buckets.
        path: String,
        /// What an empty bucket counts as.
        gap_policy: GapPolicy,
    },
}

/// Sorts and cuts buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketSort {
    /// Paths within each bucket; the order is kept as it is when empty.
    pub sort: Vec<Order>,
    /// Buckets that are left out at the start.
    pub from: usize,
    /// Buckets that are given back; all when `None`.
    pub size: Option<usize>,
    /// What an empty bucket counts as.
    pub gap_policy: GapPolicy,
}

/// Which number over the buckets of a sibling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BucketMetric {
    /// The mean.
    Avg,
    /// The greatest, with its keys.
    Max,
    /// The least, with its keys.
    Min,
    /// The sum.
    Sum,
    /// Count, extremes, mean and sum.
    Stats,
}

/// What a bucket without a value counts as.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum GapPolicy {
    /// It is left out.
    #[default]
    Skip,
    /// It counts as 0.
    InsertZeros,
    /// Its value counts if it has one, even when the bucket has no documents.
    KeepValues,
}

impl Pipeline {
    /// Returns the type on the wire.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Derivative { .. } => "derivative",
            Self::CumulativeSum { .. } => "cumulative_sum",
            Self::BucketSort(_) => "bucket_sort",
            Self::Bucket { metric, .. } => metric.as_str(),
        }
    }

    /// Tells whether it works inside each bucket of its parent, and not on a sibling.
    pub const fn is_parent(&self) -> bool {
        !matches!(self, Self::Bucket { .. })
    }

    /// Checks that the sibling it reads is there.
    pub(super) fn check(&self, name: &str, siblings: &Aggregations) -> Result<(), Exception> {
        let Self::Bucket { path, .. } = self else { return Ok(()) };
        let first = path.split('>').next().unwrap_or(path);
        match siblings.get(first).map(|sibling| &sibling.kind) {
            None => Err(Exception::illegal_argument(format!(
                "Validation Failed: 1: buckets_path aggregation does not exist for aggregation \
                 [{name}]: {path};"
            ))),
            Some(kind) if !bucket::has_many_buckets(kind) => {
                Err(Exception::illegal_argument(format!(
                    "Validation Failed: 1: The first aggregation in buckets_path must be a \
                     multi-bucket aggregation for aggregation [{name}]: {path};"
                )))
            }
            Some(AggregationKind::Pipeline(_)) => unreachable!("a pipeline has no buckets"),
            Some(_) => Ok(()),
        }
    }
}

impl BucketMetric {
    /// Returns the type on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avg => "avg_bucket",
            Self::Max => "max_bucket",
            Self::Min => "min_bucket",
            Self::Sum => "sum_bucket",
            Self::Stats => "stats_bucket",
        }
    }
}

pub(super) fn read(options: &Options<'_>) -> Result<Pipeline, Exception> {
    match options.kind {
        "derivative" => {
            options.allow(&["buckets_path", "gap_policy", "format", "unit"])?;
            refuse_format(options)?;
            Ok(Pipeline::Derivative {
                path: read_path(options)?,
                gap_policy: read_gap_policy(options)?,
                unit_ms: options.text("unit")?.map(read_unit).transpose()?,
            })
        }
        "cumulative_sum" => {
            options.allow(&["buckets_path", "format"])?;
            refuse_format(options)?;
            Ok(Pipeline::CumulativeSum { path: read_path(options)? })
        }
        "bucket_sort" => read_bucket_sort(options).map(Pipeline::BucketSort),
        kind => {
            options.allow(&["buckets_path", "gap_policy", "format"])?;
            refuse_format(options)?;
            let metric = match kind {
                "avg_bucket" => BucketMetric::Avg,
                "max_bucket" => BucketMetric::Max,
                "min_bucket" => BucketMetric::Min,
                "sum_bucket" => BucketMetric::Sum,
                _ => BucketMetric::Stats,
            };
            let gap_policy = read_gap_policy(options)?;
            Ok(Pipeline::Bucket { metric, path: read_path(options)?, gap_policy })
        }
    }
}

fn refuse_format(options: &Options<'_>) -> Result<(), Exception> {
    match options.get("format") {
        Some(_) => {
            Err(Exception::unsupported(format_args!("[format] in aggregation [{}]", options.kind)))
        }
        None => Ok(()),
    }
}

fn read_unit(text: &str) -> Result<i64, Exception> {
    match super::Interval::legacy(text)? {
        super::Interval::Fixed(ms) => Ok(ms),
        super::Interval::Calendar(unit) => Ok(match unit {
            super::CalendarUnit::Second => 1_000,
            super::CalendarUnit::Minute => 60_000,
            super::CalendarUnit::Hour => 3_600_000,
            super::CalendarUnit::Day => 86_400_000,
            super::CalendarUnit::Week => 604_800_000,
            // The lengths that OpenSearch takes for units without one.
            super::CalendarUnit::Month => 2_592_000_000,
            super::CalendarUnit::Quarter => 7_776_000_000,
            super::CalendarUnit::Year => 31_536_000_000,
        }),
    }
}

fn read_path(options: &Options<'_>) -> Result<String, Exception> {
    let path = match options.get("buckets_path") {
        Some(Value::String(path)) => Some(path),
        Some(Value::Array(paths)) => match paths.as_slice() {
            [Value::String(path)] => Some(path),
            _ => None,
        },
        _ => None,
    };
    path.cloned().ok_or_else(|| {
        Exception::parsing(format!(
            "Missing required field [buckets_path] for {} aggregation [{}]",
            options.kind, options.name
        ))
    })
}

fn read_gap_policy(options: &Options<'_>) -> Result<GapPolicy, Exception> {
    match options.text("gap_policy")? {
        None | Some("skip") => Ok(GapPolicy::Skip),
        Some("insert_zeros") => Ok(GapPolicy::InsertZeros),
        Some("keep_values") => Ok(GapPolicy::KeepValues),
        Some(other) => Err(Exception::parsing(format!(
            "Invalid gap policy: [{other}], accepted values: [insert_zeros, skip, keep_values]"
        ))),
    }
}

fn read_bucket_sort(options: &Options<'_>) -> Result<BucketSort, Exception> {
    options.allow(&["sort", "from", "size", "gap_policy"])?;
    let one = |key: &Value| match key {
        Value::String(path) => Ok(Order { key: OrderKey::from_name(path), descending: false }),
        Value::Object(object) => {
            let Some((path, order)) = single(object) else {
                return Err(options.wrong("sort", "a path with its order", key));
            };
            let order = match order {
                Value::Object(inner) => inner.get("order").unwrap_or(order),
                order => order,
            };
            let descending = bucket::read_direction(order)?;
            Ok(Order { key: OrderKey::from_name(path), descending })
        }
        other => Err(options.wrong("sort", "a path", other)),
    };
    let sort = match options.get("sort") {
        None => Vec::new(),
        Some(Value::Array(keys)) => keys.iter().map(one).collect::<Result<_, _>>()?,
        Some(key) => vec![one(key)?],
    };
    let size = options.count("size", 1)?;
    let from = options.count("from", 0)?.unwrap_or(0);
    if sort.is_empty() && size.is_none() && from == 0 {
        return Err(Exception::illegal_argument(format!(
            "[{}] is configured to perform nothing. Please set either of [sort, size, from] to use \
             bucket_sort",
            options.name
        )));
    }
    Ok(BucketSort { sort, from, size, gap_policy: read_gap_policy(options)? })
}
