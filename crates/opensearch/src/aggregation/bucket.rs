//! Aggregations that put documents into buckets.

use serde_json::Value;

use super::interval::read_offset;
use super::options::Options;
use super::{AggregationKind, Aggregations, Interval, ValuesSource, single};
use crate::query::Query;
use crate::{Exception, ExceptionKind};

/// One bucket for each value.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The values.
    pub source: ValuesSource,
    /// How many buckets are given back, and which.
    pub selection: TermsSelection,
    /// The order, first key first.
    pub order: Vec<Order>,
    /// Which values count.
    pub filter: TermFilter,
    /// Whether each bucket tells how far its count may be off, which here is never.
    pub show_error: bool,
}

/// One bucket for each combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiTerms {
    /// The values, at least two sources.
    pub sources: Vec<ValuesSource>,
    /// How many buckets are given back, and which.
    pub selection: TermsSelection,
    /// The order, first key first.
    pub order: Vec<Order>,
    /// Whether each bucket tells how far its count may be off, which here is never.
    pub show_error: bool,
}

/// How many buckets are given back, and which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TermsSelection {
    /// Most buckets; 10 by default.
    pub size: usize,
    /// Least documents of a bucket; 1 by default.
    pub min_doc_count: u64,
}

/// Which values of a field count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TermFilter {
    /// Those that match this regular expression as a whole.
    pub include_pattern: Option<String>,
    /// But not those that match this one.
    pub exclude_pattern: Option<String>,
    /// Those in this list.
    pub include_values: Option<Vec<Value>>,
    /// But not those in this one.
    pub exclude_values: Option<Vec<Value>>,
    /// Those in one of several parts: its number from 0, and how many there are.
    pub partition: Option<(u64, u64)>,
}

/// One key of the order of buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// What is compared.
    pub key: OrderKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What buckets are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderKey {
    /// The number of documents.
    Count,
    /// The key.
    Key,
    /// A metric inside, as in `temperature` or `errors>s.max`.
    Path(String),
}

/// Buckets of equal width along the numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The values.
    pub source: ValuesSource,
    /// The width, above zero.
    pub interval: f64,
    /// Where a bucket begins, from 0 up to the width.
    pub offset: f64,
    /// Least documents of a bucket; 0 shows empty ones between.
    pub min_doc_count: u64,
    /// Between these, empty buckets are shown.
    pub extended_bounds: Option<Bounds<f64>>,
    /// Outside of these, no bucket is shown.
    pub hard_bounds: Option<Bounds<f64>>,
    /// Whether the answer is an object.
    pub keyed: bool,
    /// The order.
    pub order: Vec<Order>,
}

/// Buckets along time.
#[derive(Clone, Debug, PartialEq)]
pub struct DateHistogram {
    /// The values.
    pub source: ValuesSource,
    /// The width.
    pub interval: Interval,
    /// `time_zone` as it was given; UTC when `None`.
    pub time_zone: Option<String>,
    /// By how many milliseconds the beginnings are moved.
    pub offset_ms: i64,
    /// Least documents of a bucket; 0 shows empty ones between.
    pub min_doc_count: u64,
    /// Between these, empty buckets are shown.
    pub extended_bounds: Option<Bounds<DateBound>>,
    /// Outside of these, no bucket is shown.
    pub hard_bounds: Option<Bounds<DateBound>>,
    /// Whether the answer is an object.
    pub keyed: bool,
    /// The order.
    pub order: Vec<Order>,
}

/// Buckets along time, as wide as a wanted number of them asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoDateHistogram {
    /// The values.
    pub source: ValuesSource,
    /// Most buckets; 10 by default.
    pub buckets: usize,
    /// `time_zone` as it was given; UTC when `None`.
    pub time_zone: Option<String>,
    /// The narrowest unit that is used.
    pub minimum: Option<super::CalendarUnit>,
}

/// The ends of a stretch; an open one is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds<T> {
    /// The least.
    pub min: Option<T>,
    /// The greatest.
    pub max: Option<T>,
}

/// An instant in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum DateBound {
    /// As a number, which the format of the field reads.
    Number(f64),
    /// As a text, which may hold date math.
    Text(String),
}

/// Stated ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSet<T> {
    /// The values.
    pub source: ValuesSource,
    /// The ranges, at least one.
    pub ranges: Vec<Range<T>>,
    /// Whether the answer is an object.
    pub keyed: bool,
    /// `time_zone` as it was given, for dates; UTC when `None`.
    pub time_zone: Option<String>,
}

/// One range.
#[derive(Clone, Debug, PartialEq)]
pub struct Range<T> {
    /// Its name; made from its ends when `None`.
    pub key: Option<String>,
    /// The first value that belongs to it; open when `None`.
    pub from: Option<T>,
    /// The first value that does not any more; open when `None`.
    pub to: Option<T>,
}

/// A bucket for each of several queries.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterSet {
    /// The queries; their names are empty when they are not named.
    pub filters: Vec<(String, Query)>,
    /// Whether they are named, so that the answer is an object.
    pub named: bool,
    /// The name of the bucket of what none of them finds; `None` leaves it out.
    pub other: Option<String>,
}

/// All combinations of several sources, page by page.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    /// The sources in their order, which is also the order of the keys.
    pub sources: Vec<CompositeSource>,
    /// Most buckets; 10 by default.
    pub size: usize,
    /// The key of the last bucket of the page before, one value for each source.
    pub after: Option<Vec<Value>>,
}

/// One source of a composite aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct CompositeSource {
    /// Its name.
    pub name: String,
    /// The values.
    pub source: ValuesSource,
    /// How they become keys.
    pub kind: CompositeSourceKind,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// Whether a document without a value has the key `null`.
    pub missing_bucket: bool,
    /// Where `null` stands in the order.
    pub missing_order: MissingOrder,
}

/// How the values of a composite source become keys.
#[derive(Clone, Debug, PartialEq)]
pub enum CompositeSourceKind {
    /// As they are.
    Terms,
    /// The beginnings of buckets of this width.
    Histogram {
        /// The width, above zero.
        interval: f64,
    },
    /// The beginnings of buckets along time.
    DateHistogram {
        /// The width.
        interval: Interval,
        /// `time_zone` as it was given; UTC when `None`.
        time_zone: Option<String>,
        /// By how many milliseconds the beginnings are moved.
        offset_ms: i64,
    },
}

/// Where a missing value stands in the order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MissingOrder {
    /// Before all others when ascending, after them when descending.
    #[default]
    Default,
    /// Before all others.
    First,
    /// After all others.
    Last,
}

impl AutoDateHistogram {
    /// Most buckets that can be asked for: the most of an answer over the widest multiple of a unit.
    pub const BUCKETS_MAX: usize = 65_535 / 30;
}

impl OrderKey {
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "_count" => Self::Count,
            // The last two are how older clients spell it.
            "_key" | "_term" | "_time" => Self::Key,
            path => Self::Path(path.to_owned()),
        }
    }
}

/// Tells whether an aggregation gives back a list of buckets.
pub(super) fn has_many_buckets(kind: &AggregationKind) -> bool {
    matches!(
        kind,
        AggregationKind::Terms(_)
            | AggregationKind::MultiTerms(_)
            | AggregationKind::Histogram(_)
            | AggregationKind::DateHistogram(_)
            | AggregationKind::AutoDateHistogram(_)
            | AggregationKind::Range(_)
            | AggregationKind::DateRange(_)
            | AggregationKind::Filters(_)
            | AggregationKind::Composite(_)
    )
}

/// Checks that what buckets are ordered by is one number in each of them.
pub(super) fn check_order(order: &[Order], inner: &Aggregations) -> Result<(), Exception> {
    for order in order {
        let OrderKey::Path(path) = &order.key else { continue };
        let mut level = inner;
        let mut steps = path.split('>').peekable();
        while let Some(step) = steps.next() {
            let name = step_name(step, level);
            let found = level.get(name).map(|it| (&it.kind, &it.inner));
            let wrong = |why: &str| {
                Err(Exception::illegal_argument(format!(
                    "Invalid aggregation order path [{path}]. {why}"
                )))
            };
            let property = step[name.len()..].trim_matches(['.', '[', ']']);
            match found {
                None | Some((AggregationKind::Pipeline(_), _)) => {
                    return wrong(&format!(
                        "The provided aggregation [{name}] either does not exist, or is a pipeline \
                         aggregation and cannot be used to sort the buckets."
                    ));
                }
                Some((kind, next)) if is_single_bucket(kind) => match steps.peek() {
                    None if property.is_empty()
                        || property == "doc_count"
                        || property == "_count" => {}
                    None => return wrong(&format!("[{name}] has no property [{property}]")),
                    Some(&"_count") => {
                        steps.next();
                    }
                    Some(_) => level = next,
                },
                Some((kind, _)) if has_many_buckets(kind) => {
                    return wrong(
                        "Buckets can only be sorted on a sub-aggregator path that is built out of \
                         zero or more single-bucket aggregations within the path and a final \
                         single-bucket or a metrics aggregation at the path end.",
                    );
                }
                Some(_) if steps.peek().is_some() => {
                    return wrong(&format!("[{name}] is a metric and has nothing inside"));
                }
                Some((kind, _)) => {
                    check_property(kind, name, property).or_else(|why| wrong(&why))?
                }
            }
        }
    }
    Ok(())
}

/// Returns the name in one step of a path, without the property after it.
///
/// A name may have dots itself, so the longest one that is there counts.
fn step_name<'a>(step: &'a str, level: &Aggregations) -> &'a str {
    let step_end = step.find('[').unwrap_or(step.len());
    let mut name = &step[..step_end];
    loop {
        if level.get(name).is_some() {
            return name;
        }
        match name.rfind('.') {
            Some(dot) => name = &name[..dot],
            None => return &step[..step.find(['.', '[']).unwrap_or(step.len())],
        }
    }
}

fn is_single_bucket(kind: &AggregationKind) -> bool {
    matches!(
        kind,
        AggregationKind::Filter(_) | AggregationKind::Missing(_) | AggregationKind::Global
    )
}

fn check_property(kind: &AggregationKind, name: &str, property: &str) -> Result<(), String> {
    use super::{MetricKind, Percentiles};
    const STATS: [&str; 5] = ["count", "min", "max", "avg", "sum"];
    const EXTENDED: [&str; 10] = [
        "sum_of_squares",
        "variance",
        "variance_population",
        "variance_sampling",
        "std_deviation",
        "std_deviation_population",
        "std_deviation_sampling",
        "std_upper",
        "std_lower",
        "std_deviation_bounds",
    ];
    let known = match kind {
        AggregationKind::Metric(metric) => match metric.kind {
            MetricKind::Stats => STATS.contains(&property),
            MetricKind::ExtendedStats => {
                STATS.contains(&property) || EXTENDED[..9].contains(&property)
            }
            _ => property.is_empty() || property == "value",
        },
        AggregationKind::Percentiles(Percentiles::Values { percents, .. }) => {
            property.parse().is_ok_and(|wanted: f64| percents.contains(&wanted))
        }
        AggregationKind::Percentiles(Percentiles::Ranks { values, .. }) => {
            property.parse().is_ok_and(|wanted: f64| values.contains(&wanted))
        }
        AggregationKind::TopHits(_) => false,
        _ => property.is_empty() || property == "value",
    };
    match known {
        true => Ok(()),
        false if property.is_empty() => Err(format!(
            "When ordering on a multi-value metrics aggregation a metric name must be specified: \
             [{name}]"
        )),
        false => Err(format!("Unknown value key [{property}] for aggregation [{name}]")),
    }
}

pub(super) fn read_direction(value: &Value) -> Result<bool, Exception> {
    match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        _ => Err(Exception::parsing(format!("Unknown order direction [{}]", plain(value)))),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read_order(options: &Options<'_>, default: &[Order]) -> Result<Vec<Order>, Exception> {
    let one = |value: &Value| match value.as_object().and_then(single) {
        Some((key, direction)) => {
            Ok(Order { key: OrderKey::from_name(key), descending: read_direction(direction)? })
        }
        None => Err(Exception::parsing(
            "Must specify at least one field for [order], as in {\"_count\": \"desc\"}",
        )),
    };
    match options.get("order") {
        None => Ok(default.to_vec()),
        Some(Value::Array(orders)) => orders.iter().map(one).collect(),
        Some(order) => Ok(vec![one(order)?]),
    }
}

const MOST_DOCUMENTS: [Order; 1] = [Order { key: OrderKey::Count, descending: true }];
const LEAST_KEY: [Order; 1] = [Order { key: OrderKey::Key, descending: false }];

fn read_selection(options: &Options<'_>) -> Result<TermsSelection, Exception> {
    // Shards are not real here, so what they would give back besides changes nothing.
    options.count("shard_size", 1)?;
    options.count("shard_min_doc_count", 0)?;
    Ok(TermsSelection {
        size: options.count("size", 1)?.unwrap_or(10),
        min_doc_count: options.count("min_doc_count", 0)?.unwrap_or(1) as u64,
    })
}

pub(super) fn read_terms(options: &Options<'_>) -> Result<Terms, Exception> {
    options.allow(&[
        "field",
        "missing",
        "format",
        "size",
        "shard_size",
        "min_doc_count",
        "shard_min_doc_count",
        "order",
        "include",
        "exclude",
        "show_term_doc_count_error",
        "execution_hint",
        "collect_mode",
    ])?;
    Ok(Terms {
        source: options.source()?,
        selection: read_selection(options)?,
        order: read_order(options, &MOST_DOCUMENTS)?,
        filter: read_term_filter(options)?,
        show_error: options.boolean("show_term_doc_count_error")?.unwrap_or(false),
    })
}

fn read_term_filter(options: &Options<'_>) -> Result<TermFilter, Exception> {
    let mut filter = TermFilter::default();
    match options.get("include") {
        None => {}
        Some(Value::String(pattern)) => filter.include_pattern = Some(pattern.clone()),
        Some(Value::Array(values)) => filter.include_values = Some(values.clone()),
        Some(Value::Object(object)) => {
            let inner = Options::new(options.name, "include", object);
            inner.allow(&["partition", "num_partitions"])?;
            let (Some(part), Some(parts)) =
                (inner.count("partition", 0)?, inner.count("num_partitions", 1)?)
            else {
                return Err(Exception::illegal_argument(
                    "Missing [partition] or [num_partitions] parameter for partition-based include",
                ));
            };
            if part >= parts {
                return Err(Exception::illegal_argument(format!(
                    "[partition] must be less than [num_partitions], found [{part}] of [{parts}]"
                )));
            }
            filter.partition = Some((part as u64, parts as u64));
        }
        Some(other) => return Err(options.wrong("include", "a string or an array", other)),
    }
    match options.get("exclude") {
        None => {}
        Some(_) if filter.partition.is_some() => {
            return Err(Exception::illegal_argument(
                "Cannot specify both [exclude] and a partition-based include",
            ));
        }
        Some(Value::String(pattern)) => filter.exclude_pattern = Some(pattern.clone()),
        Some(Value::Array(values)) => filter.exclude_values = Some(values.clone()),
        Some(other) => return Err(options.wrong("exclude", "a string or an array", other)),
    }
    Ok(filter)
}

pub(super) fn read_multi_terms(options: &Options<'_>) -> Result<MultiTerms, Exception> {
    options.allow(&[
        "terms",
        "size",
        "shard_size",
        "min_doc_count",
        "shard_min_doc_count",
        "order",
        "show_term_doc_count_error",
        "collect_mode",
    ])?;
    let given = options.array("terms")?.map_or(&[][..], Vec::as_slice);
    let sources = given
        .iter()
        .map(|each| match each {
            Value::Object(values) => {
                let inner = Options::new(options.name, "multi_terms", values);
                inner.allow(&["field", "missing", "format"])?;
                inner.source()
            }
            other => Err(options.wrong("terms", "an array of objects", other)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if sources.len() < 2 {
        return Err(Exception::illegal_argument(format!(
            "multi term aggregation must has at least 2 terms. Found [{}] in [{}] Use terms \
             aggregation for single term aggregation",
            sources.len(),
            options.name
        )));
    }
    if sources.len() > 16 {
        return Err(Exception::illegal_argument(format!(
            "[terms] of [{}] may have at most 16 sources, found [{}]",
            options.name,
            sources.len()
        )));
    }
    Ok(MultiTerms {
        sources,
        selection: read_selection(options)?,
        order: read_order(options, &MOST_DOCUMENTS)?,
        show_error: options.boolean("show_term_doc_count_error")?.unwrap_or(false),
    })
}

pub(super) fn read_missing(options: &Options<'_>) -> Result<ValuesSource, Exception> {
    options.allow(&["field", "missing"])?;
    options.source()
}

fn read_interval(options: &Options<'_>) -> Result<f64, Exception> {
    match options.number("interval")? {
        Some(interval) if interval > 0.0 && interval.is_finite() => Ok(interval),
        Some(interval) => Err(Exception::illegal_argument(format!(
            "[interval] must be >0 for histogram aggregation [{}], found [{interval:?}]",
            options.name
        ))),
        None => Err(Exception::illegal_argument(format!(
            "Required [interval] is missing for histogram aggregation [{}]",
            options.name
        ))),
    }
}

pub(super) fn read_histogram(options: &Options<'_>) -> Result<Histogram, Exception> {
    options.allow(&[
        "field",
        "missing",
        "format",
        "interval",
        "offset",
        "min_doc_count",
        "extended_bounds",
        "hard_bounds",
        "keyed",
        "order",
    ])?;
    let interval = read_interval(options)?;
    let offset = options.number("offset")?.unwrap_or(0.0);
    Ok(Histogram {
        source: options.source()?,
        interval,
        offset: offset - (offset / interval).floor() * interval,
        min_doc_count: options.count("min_doc_count", 0)?.unwrap_or(0) as u64,
        extended_bounds: read_bounds(options, "extended_bounds")?,
        hard_bounds: read_bounds(options, "hard_bounds")?,
        keyed: options.boolean("keyed")?.unwrap_or(false),
        order: read_order(options, &LEAST_KEY)?,
    })
}

fn read_bounds(options: &Options<'_>, key: &str) -> Result<Option<Bounds<f64>>, Exception> {
    let Some(values) = options.object(key)? else { return Ok(None) };
    let inner = Options::new(options.name, options.kind, values);
    inner.allow(&["min", "max"])?;
    let bounds = Bounds { min: inner.number("min")?, max: inner.number("max")? };
    if let (Some(min), Some(max)) = (bounds.min, bounds.max)
        && max < min
    {
        return Err(Exception::illegal_argument(format!(
            "[{key}.min]: {min:?} should be less than [{key}.max]: {max:?} for aggregation [{}]",
            options.name
        )));
    }
    Ok(Some(bounds))
}

pub(super) fn read_date_histogram(options: &Options<'_>) -> Result<DateHistogram, Exception> {
    options.allow(&[
        "field",
        "missing",
        "format",
        "interval",
        "calendar_interval",
        "fixed_interval",
        "time_zone",
        "offset",
        "min_doc_count",
        "extended_bounds",
        "hard_bounds",
        "keyed",
        "order",
    ])?;
    Ok(DateHistogram {
        source: options.source()?,
        interval: read_date_interval(options)?,
        time_zone: options.text("time_zone")?.map(str::to_owned),
        offset_ms: read_date_offset(options)?,
        min_doc_count: options.count("min_doc_count", 0)?.unwrap_or(0) as u64,
        extended_bounds: read_date_bounds(options, "extended_bounds")?,
        hard_bounds: read_date_bounds(options, "hard_bounds")?,
        keyed: options.boolean("keyed")?.unwrap_or(false),
        order: read_order(options, &LEAST_KEY)?,
    })
}

fn read_date_interval(options: &Options<'_>) -> Result<Interval, Exception> {
    let legacy = options.spelling("interval")?;
    let calendar = options.text("calendar_interval")?;
    let fixed = options.text("fixed_interval")?;
    match (legacy, calendar, fixed) {
        (Some(text), None, None) => Interval::legacy(&text),
        (None, Some(text), None) => Interval::calendar(text),
        (None, None, Some(text)) => Interval::fixed(text),
        (None, None, None) => Err(Exception::illegal_argument(
            "Invalid interval specified, must be non-null and non-empty",
        )),
        (Some(_), ..) => Err(Exception::illegal_argument(
            "Cannot use [interval] with [fixed_interval] or [calendar_interval] configuration \
             options.",
        )),
        (None, Some(_), Some(_)) => Err(Exception::illegal_argument(
            "Cannot use [fixed_interval] with [calendar_interval] configuration option.",
        )),
    }
}

fn read_date_offset(options: &Options<'_>) -> Result<i64, Exception> {
    match options.get("offset") {
        None => Ok(0),
        Some(Value::String(text)) => read_offset(text),
        Some(value) => {
            value.as_i64().ok_or_else(|| options.wrong("offset", "a length of time", value))
        }
    }
}

fn read_date_bounds(
    options: &Options<'_>,
    key: &str,
) -> Result<Option<Bounds<DateBound>>, Exception> {
    let Some(values) = options.object(key)? else { return Ok(None) };
    let inner = Options::new(options.name, options.kind, values);
    inner.allow(&["min", "max"])?;
    Ok(Some(Bounds { min: read_date(&inner, "min")?, max: read_date(&inner, "max")? }))
}

fn read_date(options: &Options<'_>, key: &str) -> Result<Option<DateBound>, Exception> {
    match options.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(DateBound::Text(text.clone()))),
        Some(value) => match value.as_f64() {
            Some(number) => Ok(Some(DateBound::Number(number))),
            None => Err(options.wrong(key, "a date", value)),
        },
    }
}

pub(super) fn read_auto_date_histogram(
    options: &Options<'_>,
) -> Result<AutoDateHistogram, Exception> {
    options.allow(&["field", "missing", "format", "buckets", "time_zone", "minimum_interval"])?;
    let minimum = match options.text("minimum_interval")? {
        None => None,
        Some(name @ ("second" | "minute" | "hour" | "day" | "month" | "year")) => {
            super::CalendarUnit::from_name(name)
        }
        Some(other) => {
            return Err(Exception::illegal_argument(format!(
                "minimum_interval must be one of [year, month, day, hour, minute, second], found \
                 [{other}]"
            )));
        }
    };
    let buckets = options.count("buckets", 1)?.unwrap_or(10);
    if buckets > AutoDateHistogram::BUCKETS_MAX {
        return Err(Exception::illegal_argument(format!(
            "buckets must be less than {}",
            AutoDateHistogram::BUCKETS_MAX + 1
        )));
    }
    Ok(AutoDateHistogram {
        source: options.source()?,
        buckets,
        time_zone: options.text("time_zone")?.map(str::to_owned),
        minimum,
    })
}

fn read_ranges<T>(
    options: &Options<'_>,
    end: impl Fn(&Options<'_>, &str) -> Result<Option<T>, Exception>,
) -> Result<Vec<Range<T>>, Exception> {
    let given = options.array("ranges")?.map_or(&[][..], Vec::as_slice);
    if given.is_empty() {
        return Err(Exception::illegal_argument(format!(
            "No [ranges] specified for the [{}] aggregation",
            options.name
        )));
    }
    let one = |range: &Value| {
        let Value::Object(values) = range else {
            return Err(options.wrong("ranges", "an array of objects", range));
        };
        let inner = Options::new(options.name, options.kind, values);
        inner.allow(&["key", "from", "to"])?;
        Ok(Range {
            key: inner.spelling("key")?,
            from: end(&inner, "from")?,
            to: end(&inner, "to")?,
        })
    };
    given.iter().map(one).collect()
}

pub(super) fn read_range(options: &Options<'_>) -> Result<RangeSet<f64>, Exception> {
    options.allow(&["field", "missing", "format", "ranges", "keyed"])?;
    Ok(RangeSet {
        source: options.source()?,
        ranges: read_ranges(options, |range, key| range.number(key))?,
        keyed: options.boolean("keyed")?.unwrap_or(false),
        time_zone: None,
    })
}

pub(super) fn read_date_range(options: &Options<'_>) -> Result<RangeSet<DateBound>, Exception> {
    options.allow(&["field", "missing", "format", "ranges", "keyed", "time_zone"])?;
    Ok(RangeSet {
        source: options.source()?,
        ranges: read_ranges(options, read_date)?,
        keyed: options.boolean("keyed")?.unwrap_or(false),
        time_zone: options.text("time_zone")?.map(str::to_owned),
    })
}

pub(super) fn read_filters(options: &Options<'_>) -> Result<FilterSet, Exception> {
    options.allow(&["filters", "other_bucket", "other_bucket_key"])?;
    let (filters, named) = match options.get("filters") {
        Some(Value::Object(filters)) => {
            let read =
                |(name, query): (&String, &Value)| Ok((name.clone(), Query::from_json(query)?));
            (filters.iter().map(read).collect::<Result<Vec<_>, Exception>>()?, true)
        }
        Some(Value::Array(filters)) => {
            let read = |query| Ok((String::new(), Query::from_json(query)?));
            (filters.iter().map(read).collect::<Result<Vec<_>, Exception>>()?, false)
        }
        Some(other) => return Err(options.wrong("filters", "an object or an array", other)),
        None => (Vec::new(), false),
    };
    if filters.is_empty() {
        return Err(Exception::illegal_argument("[filters] cannot be empty"));
    }
    let other_key = options.text("other_bucket_key")?;
    let wanted = options.boolean("other_bucket")?.unwrap_or(other_key.is_some());
    let other = wanted.then(|| other_key.unwrap_or("_other_").to_owned());
    Ok(FilterSet { filters, named, other })
}

pub(super) fn read_composite(options: &Options<'_>) -> Result<Composite, Exception> {
    options.allow(&["sources", "size", "after"])?;
    let given = options.array("sources")?.map_or(&[][..], Vec::as_slice);
    let mut sources: Vec<CompositeSource> = Vec::with_capacity(given.len().min(16));
    for each in given {
        let source = read_composite_source(options, each)?;
        if sources.iter().any(|other| other.name == source.name) {
            return Err(Exception::illegal_argument(format!(
                "Composite source names must be unique, found duplicates: [{}]",
                source.name
            )));
        }
        sources.push(source);
    }
    if sources.is_empty() {
        return Err(Exception::illegal_argument("Composite [sources] cannot be null or empty"));
    }
    if sources.len() > 16 {
        return Err(Exception::illegal_argument(format!(
            "Composite [sources] may be at most 16, found [{}]",
            sources.len()
        )));
    }
    let after = options.object("after")?.map(|after| {
        if after.len() != sources.len() {
            return Err(Exception::illegal_argument(format!(
                "[after] has {} value(s) but [sources] has {}",
                after.len(),
                sources.len()
            )));
        }
        let value = |source: &CompositeSource| {
            after.get(&source.name).cloned().ok_or_else(|| {
                Exception::illegal_argument(format!("Missing value for [after.{}]", source.name))
            })
        };
        sources.iter().map(value).collect::<Result<Vec<_>, _>>()
    });
    let size = options.count("size", 1)?.unwrap_or(10);
    Ok(Composite { after: after.transpose()?, sources, size })
}

fn read_composite_source(
    options: &Options<'_>,
    given: &Value,
) -> Result<CompositeSource, Exception> {
    let unread = || options.wrong("sources", "an array of objects with one name each", given);
    let (name, definition) = given.as_object().and_then(single).ok_or_else(unread)?;
    let (kind, values) = definition.as_object().and_then(single).ok_or_else(unread)?;
    let values = values.as_object().ok_or_else(unread)?;
    let inner = Options::new(name, kind, values);
    const SHARED: [&str; 6] =
        ["field", "order", "missing_bucket", "missing_order", "format", "missing"];
    let allow = |more: &[&str]| inner.allow(&[&SHARED[..], more].concat());
    let kind = match kind {
        "terms" => allow(&[]).map(|()| CompositeSourceKind::Terms)?,
        "histogram" => {
            allow(&["interval"])?;
            CompositeSourceKind::Histogram { interval: read_interval(&inner)? }
        }
        "date_histogram" => {
            allow(&["interval", "calendar_interval", "fixed_interval", "time_zone", "offset"])?;
            CompositeSourceKind::DateHistogram {
                interval: read_date_interval(&inner)?,
                time_zone: inner.text("time_zone")?.map(str::to_owned),
                offset_ms: read_date_offset(&inner)?,
            }
        }
        "geotile_grid" => {
            return Err(Exception::unsupported("composite source [geotile_grid]"));
        }
        other => {
            return Err(Exception::new(
                ExceptionKind::XContentParse,
                format!("[composite] invalid source type: {other}"),
            ));
        }
    };
    if inner.get("missing").is_some() {
        return Err(Exception::illegal_argument(
            "[composite] unknown field [missing] did you mean [missing_bucket]?",
        ));
    }
    let missing_bucket = inner.boolean("missing_bucket")?.unwrap_or(false);
    let missing_order = match inner.text("missing_order")? {
        None | Some("default") => MissingOrder::Default,
        Some("first") => MissingOrder::First,
        Some("last") => MissingOrder::Last,
        Some(other) => {
            return Err(Exception::illegal_argument(format!(
                "Unknown missing order [{other}], use [first], [last] or [default]"
            )));
        }
    };
    if missing_order != MissingOrder::Default && !missing_bucket {
        return Err(Exception::illegal_argument(
            "missingOrder can only be set if missingBucket is true",
        ));
    }
    let descending = inner.get("order").map_or(Ok(false), read_direction)?;
    let source = inner.source()?;
    Ok(CompositeSource {
        name: name.to_owned(),
        source,
        kind,
        descending,
        missing_bucket,
        missing_order,
    })
}
