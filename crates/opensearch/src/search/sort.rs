//! The order of hits: `sort` in its many spellings.

use serde_json::{Map, Value};

use crate::date::DateFormat;
use crate::{Exception, ExceptionKind};

/// Most keys of one order.
const KEYS_MAX: usize = 32;

/// One key of the order of hits.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is compared.
    pub target: SortTarget,
    /// Whether the highest comes first.
    pub descending: bool,
}

/// What a sort key compares.
#[derive(Clone, Debug, PartialEq)]
pub enum SortTarget {
    /// `_score`.
    Score,
    /// `_doc`: the order in which the documents lie in the index.
    Document,
    /// `_shard_doc`: the same, inside a point in time only.
    ShardDocument,
    /// The values of a field, or `_id`.
    Field(FieldSort),
}

/// How the values of a field are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSort {
    /// The dotted path.
    pub path: String,
    /// Where documents without a value go.
    pub missing: MissingValue,
    /// The type to be taken where the field is not mapped; `None` refuses such an index.
    pub unmapped_type: Option<String>,
    /// Which of several values counts; `None` is the lowest ascending and the highest descending.
    pub mode: Option<SortMode>,
    /// How dates are written in the answer; `None` as numbers.
    pub format: Option<DateFormat>,
    /// The type that values of several indices are brought to.
    pub numeric_type: Option<NumericType>,
}

/// Where documents without a value go.
#[derive(Clone, Debug, PartialEq)]
pub enum MissingValue {
    /// Behind all others, in both directions.
    Last,
    /// Before all others, in both directions.
    First,
    /// As if they had this value.
    Value(Value),
}

/// Which of several values counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SortMode {
    /// The lowest.
    Min,
    /// The highest.
    Max,
    /// The mean.
    Avg,
    /// The sum.
    Sum,
    /// The median; the mean of the middle two when there is no middle one.
    Median,
}

/// The type that values of several indices are brought to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NumericType {
    /// 64-bit integers.
    Long,
    /// 64-bit decimals.
    Double,
    /// Milliseconds since 1970.
    Date,
    /// Nanoseconds since 1970.
    DateNanos,
}

/// Reads the value of `sort`; empty when the order is that of the scores alone.
///
/// # Errors
/// `illegal_argument_exception`, `x_content_parse_exception`, `parsing_exception`.
pub fn from_json(sort: &Value) -> Result<Vec<SortKey>, Exception> {
    let keys = match sort {
        Value::Array(entries) => {
            let keys: Result<Vec<_>, _> = entries.iter().map(read_entry).collect();
            keys?.concat()
        }
        entry => read_entry(entry)?,
    };
    if keys.len() > KEYS_MAX {
        let reason =
            format!("Too many sort keys: [{}] but at most [{KEYS_MAX}] may be given", keys.len());
        return Err(Exception::illegal_argument(reason));
    }
    Ok(without_plain_score(keys))
}

/// Reads `a:desc,b` of a query string.
///
/// # Errors
/// `illegal_argument_exception` for an order that is none.
pub fn from_parameter(sort: &str) -> Result<Vec<SortKey>, Exception> {
    let mut keys = Vec::new();
    for entry in sort.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, order) = match entry.rsplit_once(':') {
            Some((name, order)) => (name, Some(order)),
            None => (entry, None),
        };
        let mut key = named(name);
        if let Some(order) = order {
            key.descending = read_order(order)?;
        }
        keys.push(key);
    }
    Ok(without_plain_score(keys))
}

/// The order by scores alone is the one without any key: its hits carry no `sort`.
fn without_plain_score(keys: Vec<SortKey>) -> Vec<SortKey> {
    match keys.as_slice() {
        [SortKey { target: SortTarget::Score, descending: true }] => Vec::new(),
        _ => keys,
    }
}

fn read_entry(entry: &Value) -> Result<Vec<SortKey>, Exception> {
    match entry {
        Value::String(name) => Ok(vec![named(name)]),
        // The order of the keys of an object is not kept, so several of them would have no order.
        Value::Object(object) if object.len() > 1 => {
            let what = "sort object with several keys, which belong into an array of objects,";
            Err(Exception::unsupported(what))
        }
        Value::Object(object) => {
            object.iter().map(|(name, options)| read_named(name, options)).collect()
        }
        other => {
            let reason = format!(
                "malformed sort format, either start with array, object, or an actual string, found [{}]",
                super::token(other)
            );
            Err(Exception::illegal_argument(reason))
        }
    }
}

/// Returns the key of a bare name with the direction that it has by itself.
fn named(name: &str) -> SortKey {
    match name {
        "_score" => SortKey { target: SortTarget::Score, descending: true },
        "_doc" => SortKey { target: SortTarget::Document, descending: false },
        "_shard_doc" => SortKey { target: SortTarget::ShardDocument, descending: false },
        path => {
            let field = FieldSort {
                path: path.to_owned(),
                missing: MissingValue::Last,
                unmapped_type: None,
                mode: None,
                format: None,
                numeric_type: None,
            };
            SortKey { target: SortTarget::Field(field), descending: false }
        }
    }
}

fn read_named(name: &str, options: &Value) -> Result<SortKey, Exception> {
    if matches!(name, "_script" | "_geo_distance") {
        return Err(Exception::unsupported(format_args!("sort [{name}]")));
    }
    let mut key = named(name);
    match options {
        Value::String(order) => key.descending = read_order(order)?,
        Value::Object(options) => read_options(&mut key, options)?,
        other => {
            let reason = format!(
                "malformed sort format of [{name}], expected an order or an object, found [{}]",
                super::token(other)
            );
            return Err(Exception::illegal_argument(reason));
        }
    }
    Ok(key)
}

fn read_options(key: &mut SortKey, options: &Map<String, Value>) -> Result<(), Exception> {
    for (name, value) in options {
        if name == "order" {
            key.descending = read_order(text(name, value)?)?;
            continue;
        }
        let SortTarget::Field(field) = &mut key.target else {
            return Err(unknown_option(name));
        };
        match name.as_str() {
            "missing" => field.missing = read_missing(value)?,
            "unmapped_type" => field.unmapped_type = Some(text(name, value)?.to_owned()),
            "mode" => field.mode = Some(read_mode(text(name, value)?)?),
            "format" => field.format = Some(DateFormat::new(text(name, value)?)?),
            "numeric_type" => field.numeric_type = Some(read_numeric_type(text(name, value)?)?),
            "nested" | "nested_path" | "nested_filter" => {
                return Err(Exception::unsupported(format_args!("sort option [{name}]")));
            }
            _ => return Err(unknown_option(name)),
        }
    }
    Ok(())
}

fn unknown_option(name: &str) -> Exception {
    Exception::new(
        ExceptionKind::XContentParse,
        format!("[1:1] [field_sort] unknown field [{name}]"),
    )
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, Exception> {
    value.as_str().ok_or_else(|| {
        let token = super::token(value);
        let reason = format!("[1:1] [field_sort] {name} doesn't support values of type: {token}");
        Exception::new(ExceptionKind::XContentParse, reason)
    })
}

fn read_order(order: &str) -> Result<bool, Exception> {
    match order.to_ascii_lowercase().as_str() {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(Exception::illegal_argument(format!(
            "Unknown sort order [{order}], must be one of [asc, desc]"
        ))),
    }
}

fn read_missing(missing: &Value) -> Result<MissingValue, Exception> {
    match missing {
        Value::String(text) if text == "_last" => Ok(MissingValue::Last),
        Value::String(text) if text == "_first" => Ok(MissingValue::First),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            Ok(MissingValue::Value(missing.clone()))
        }
        other => {
            let token = super::token(other);
            let reason =
                format!("[1:1] [field_sort] missing doesn't support values of type: {token}");
            Err(Exception::new(ExceptionKind::XContentParse, reason))
        }
    }
}

fn read_mode(mode: &str) -> Result<SortMode, Exception> {
    match mode.to_ascii_lowercase().as_str() {
        "min" => Ok(SortMode::Min),
        "max" => Ok(SortMode::Max),
        "avg" => Ok(SortMode::Avg),
        "sum" => Ok(SortMode::Sum),
        "median" => Ok(SortMode::Median),
        _ => Err(Exception::illegal_argument(format!("Unknown SortMode [{mode}]"))),
    }
}

fn read_numeric_type(name: &str) -> Result<NumericType, Exception> {
    match name {
        "long" => Ok(NumericType::Long),
        "double" => Ok(NumericType::Double),
        "date" => Ok(NumericType::Date),
        "date_nanos" => Ok(NumericType::DateNanos),
        _ => {
            let reason = format!(
                "invalid value for [numeric_type], must be [LONG, DOUBLE, DATE, DATE_NANOS], got {name}"
            );
            Err(Exception::illegal_argument(reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Spells a key back, short enough for a table.
    fn spell(key: &SortKey) -> String {
        let name = match &key.target {
            SortTarget::Score => "_score".to_owned(),
            SortTarget::Document => "_doc".to_owned(),
            SortTarget::ShardDocument => "_shard_doc".to_owned(),
            SortTarget::Field(field) => {
                format!("{} {:?} {:?}", field.path, field.missing, field.mode)
            }
        };
        format!("{name} {}", if key.descending { "desc" } else { "asc" })
    }

    #[track_caller]
    fn check(sort: Value, keys: &[&str]) {
        let read = from_json(&sort).unwrap();
        assert_eq!(read.iter().map(spell).collect::<Vec<_>>(), keys, "{sort}");
    }

    #[test]
    fn every_spelling_is_read() {
        check(json!("a"), &["a Last None asc"]);
        check(json!({ "a": "desc" }), &["a Last None desc"]);
        check(json!({ "a": { "order": "DESC" } }), &["a Last None desc"]);
        check(json!(["_score", "_doc"]), &["_score desc", "_doc asc"]);
        check(json!("_score"), &[]);
        check(json!({ "_score": "asc" }), &["_score asc"]);
        check(
            json!([{ "a": { "missing": "_first", "mode": "avg" } }, { "b": { "missing": 3 } }]),
            &["a First Some(Avg) asc", "b Value(Number(3)) None asc"],
        );
        check(json!([]), &[]);
    }

    #[test]
    fn parameter_is_read() {
        let keys = from_parameter("a:desc,b,_doc").unwrap();
        let keys: Vec<String> = keys.iter().map(spell).collect();
        assert_eq!(keys, ["a Last None desc", "b Last None asc", "_doc asc"]);
        from_parameter("a:up").unwrap_err();
    }

    #[track_caller]
    fn refuse(sort: Value, reason: &str) {
        let refused = from_json(&sort).unwrap_err();
        assert!(refused.reason().contains(reason), "{sort}: {refused}");
    }

    #[test]
    fn wrong_options_are_refused_by_name() {
        refuse(json!(1), "malformed sort format");
        refuse(json!({ "a": "asc", "b": "asc" }), "sort object with several keys");
        refuse(json!({ "a": 1 }), "malformed sort format of [a]");
        refuse(json!({ "a": { "ordre": "asc" } }), "unknown field [ordre]");
        refuse(json!({ "a": { "order": "up" } }), "Unknown sort order [up]");
        refuse(json!({ "a": { "mode": "mean" } }), "Unknown SortMode [mean]");
        refuse(json!({ "a": { "numeric_type": "text" } }), "got text");
        refuse(json!({ "a": { "nested": {} } }), "sort option [nested] is not supported");
        refuse(json!({ "a": { "missing": [] } }), "missing doesn't support");
        refuse(json!({ "_score": { "mode": "min" } }), "unknown field [mode]");
        refuse(json!({ "_script": {} }), "sort [_script] is not supported");
        refuse(json!(vec!["a"; 33]), "Too many sort keys");
    }
}
