//! The body of a search: paging, sorting, source filtering, fields, highlighting.
//!
//! Start reading at [`SearchRequest`]; what stands in the query string is merged in by
//! [`SearchRequest::apply_parameters`].

pub mod highlight;
mod parameters;
pub mod sort;
mod source;

use std::time::Duration;

use serde_json::{Map, Value};

use crate::aggregation::Aggregations;
use crate::date::DateFormat;
use crate::query::Query;
use crate::{Exception, ExceptionKind};

pub use highlight::{Highlight, HighlightOptions};
pub use parameters::{PARAMETERS, query_from_parameters, read_duration};
pub use sort::{FieldSort, MissingValue, NumericType, SortKey, SortMode, SortTarget};
pub use source::SourceFilter;

/// Hits that are given back unless the request says otherwise.
pub const SIZE_DEFAULT: usize = 10;

/// A search as it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// Which documents; all when absent.
    pub query: Option<Query>,
    /// Hits that are left out at the start.
    pub from: usize,
    /// Hits that are given back.
    pub size: usize,
    /// The order of the hits; empty when it is that of the scores.
    pub sort: Vec<SortKey>,
    /// The sort values behind which the hits begin, one for each key; `None` begins at the start.
    pub search_after: Option<Vec<Value>>,
    /// How far hits are counted; `None` when the request does not say.
    pub track_total_hits: Option<TotalHits>,
    /// Whether scores are given though the order does not need them.
    pub track_scores: bool,
    /// Hits that score less are left out.
    pub min_score: Option<f32>,
    /// Most time of the search; what was found until then is given back.
    pub timeout: Option<Duration>,
    /// Most documents that are looked at in each index; `None` is all.
    pub terminate_after: Option<u64>,
    /// What of the source is shown; `None` when the request does not say.
    pub source: Option<SourceFilter>,
    /// Which of the stored fields are shown; `None` when the request does not say.
    pub stored_fields: Option<StoredFields>,
    /// Fields that are read from the source.
    pub fields: Vec<FieldSelector>,
    /// Fields that are read from columns.
    pub docvalue_fields: Vec<FieldSelector>,
    /// What is worked out over all hits.
    pub aggregations: Aggregations,
    /// What is marked in the hits.
    pub highlight: Option<Highlight>,
    /// Filters the hits and not the aggregations.
    pub post_filter: Option<Query>,
    /// The field of whose values each gives one hit.
    pub collapse: Option<String>,
    /// Whether hits carry `_version`.
    pub version: bool,
    /// Whether hits carry `_seq_no` and `_primary_term`.
    pub seq_no_primary_term: bool,
    /// Patterns of index names and what multiplies the scores there; the first that matches counts.
    pub indices_boost: Vec<(String, f32)>,
    /// The point in time that is searched in place of indices.
    pub pit: Option<PointInTime>,
}

/// How far hits are counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TotalHits {
    /// All of them.
    Exact,
    /// Up to this many; beyond, the total is a lower bound.
    UpTo(u64),
    /// Not at all: the answer has no total.
    Untracked,
}

/// Which of the stored fields are shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoredFields {
    /// `_none_`: neither `_id` nor `_source`.
    None,
    /// These; only `_source` is stored.
    Names(Vec<String>),
}

/// A field or a pattern of fields that hits show.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSelector {
    /// The dotted path, in which `*` stands for any run of characters.
    pub pattern: String,
    /// How dates are written; `None` is as the mapping says.
    pub format: Option<DateFormat>,
}

/// A point in time and how long it is kept from now on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PointInTime {
    /// What opening it returned.
    pub id: String,
    /// `None` leaves its end as it is.
    pub keep_alive: Option<Duration>,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            query: None,
            from: 0,
            size: SIZE_DEFAULT,
            sort: Vec::new(),
            search_after: None,
            track_total_hits: None,
            track_scores: false,
            min_score: None,
            timeout: None,
            terminate_after: None,
            source: None,
            stored_fields: None,
            fields: Vec::new(),
            docvalue_fields: Vec::new(),
            aggregations: Aggregations::default(),
            highlight: None,
            post_filter: None,
            collapse: None,
            version: false,
            seq_no_primary_term: false,
            indices_boost: Vec::new(),
            pit: None,
        }
    }
}

impl SearchRequest {
    /// Reads the body of a search; an empty object asks for ten hits of everything.
    ///
    /// # Errors
    /// `parsing_exception`, `illegal_argument_exception` and their kin.
    pub fn from_json(body: &Value) -> Result<Self, Exception> {
        let mut request = Self::default();
        let object = match body {
            Value::Null => return Ok(request),
            Value::Object(object) => object,
            other => {
                let reason = format!("Expected [START_OBJECT] but found [{}]", token(other));
                return Err(Exception::parsing(reason));
            }
        };
        for (key, value) in object {
            request.read_key(key, value)?;
        }
        Ok(request)
    }

    fn read_key(&mut self, key: &str, value: &Value) -> Result<(), Exception> {
        match key {
            "query" => self.query = Some(read_query(key, value)?),
            "post_filter" => self.post_filter = Some(read_query(key, value)?),
            "from" => self.from = read_from(as_whole(key, value)?)?,
            "size" => self.size = read_size(as_whole(key, value)?)?,
            "sort" => self.sort = sort::from_json(value)?,
            "search_after" => self.search_after = Some(read_search_after(value)?),
            "track_total_hits" => self.track_total_hits = Some(read_total_hits(value)?),
            "track_scores" => self.track_scores = as_bool(key, value)?,
            "min_score" => self.min_score = Some(as_float(key, value)?),
            "timeout" => self.timeout = read_timeout(as_text(key, value)?)?,
            "terminate_after" => self.terminate_after = read_terminate(as_whole(key, value)?)?,
            "_source" => self.source = Some(SourceFilter::from_json(value)?),
            "stored_fields" => self.stored_fields = Some(read_stored(as_texts(key, value)?)?),
            "fields" => self.fields = read_selectors(key, value)?,
            "docvalue_fields" => self.docvalue_fields = read_selectors(key, value)?,
            "aggs" | "aggregations" => self.aggregations = Aggregations::from_json(value)?,
            "highlight" => self.highlight = Some(Highlight::from_json(value)?),
            "collapse" => self.collapse = Some(read_collapse(value)?),
            "version" => self.version = as_bool(key, value)?,
            "seq_no_primary_term" => self.seq_no_primary_term = as_bool(key, value)?,
            "indices_boost" => self.indices_boost = read_indices_boost(value)?,
            "pit" => self.pit = Some(read_pit(value)?),
            "explain" | "profile" => refuse_true(key, value)?,
            "ext" | "script_fields" | "suggest" | "rescore" | "slice" | "derived" => {
                refuse_content(key, value)?;
            }
            _ => return Err(unknown_key(key, value)),
        }
        Ok(())
    }
}

/// Returns the name that a parser of OpenSearch gives to the beginning of a value.
pub(crate) fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// Refuses a key that is not known, or not with such a value.
pub(crate) fn unknown_key(key: &str, value: &Value) -> Exception {
    Exception::parsing(format!("Unknown key for a {} in [{key}].", token(value)))
}

pub(crate) fn as_bool(key: &str, value: &Value) -> Result<bool, Exception> {
    match value {
        Value::Bool(it) => Ok(*it),
        Value::String(text) => read_bool(key, text),
        other => Err(unknown_key(key, other)),
    }
}

pub(crate) fn read_bool(key: &str, text: &str) -> Result<bool, Exception> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Exception::illegal_argument(format!(
            "Failed to parse value [{text}] of [{key}] as only [true] or [false] are allowed."
        ))),
    }
}

/// Reads a whole number, also one that is spelled as text.
pub(crate) fn as_whole(key: &str, value: &Value) -> Result<i64, Exception> {
    match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().filter(|it| it.fract() == 0.0).and_then(whole))
            .ok_or_else(|| {
                let reason = format!("[{key}] must be a whole number of 64 bits, found [{number}]");
                Exception::illegal_argument(reason)
            }),
        Value::String(text) => read_whole(key, text),
        other => Err(unknown_key(key, other)),
    }
}

fn whole(number: f64) -> Option<i64> {
    format!("{number:.0}").parse().ok()
}

pub(crate) fn read_whole(key: &str, text: &str) -> Result<i64, Exception> {
    text.parse().map_err(|_| {
        let cause =
            Exception::new(ExceptionKind::NumberFormat, format!("For input string: \"{text}\""));
        let reason = format!("Failed to parse int parameter [{key}] with value [{text}]");
        Exception::illegal_argument(reason).caused_by(cause)
    })
}

fn as_float(key: &str, value: &Value) -> Result<f32, Exception> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        other => return Err(unknown_key(key, other)),
    };
    #[expect(clippy::cast_possible_truncation, reason = "scores are 32 bits wide")]
    let number = number.map(|it: f64| it as f32).filter(|it| it.is_finite());
    number.ok_or_else(|| {
        Exception::illegal_argument(format!("[{key}] must be a number, found [{value}]"))
    })
}

pub(crate) fn as_text<'a>(key: &str, value: &'a Value) -> Result<&'a str, Exception> {
    value.as_str().ok_or_else(|| unknown_key(key, value))
}

/// Reads a text or a list of texts.
pub(crate) fn as_texts(key: &str, value: &Value) -> Result<Vec<String>, Exception> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(values) => {
            values.iter().map(|value| as_text(key, value).map(str::to_owned)).collect()
        }
        other => Err(unknown_key(key, other)),
    }
}

fn read_query(key: &str, value: &Value) -> Result<Query, Exception> {
    match value {
        Value::Object(_) => Query::from_json(value),
        other => Err(unknown_key(key, other)),
    }
}

/// -1 is the spelling of "not said" in some clients.
fn read_from(from: i64) -> Result<usize, Exception> {
    match from {
        -1 => Ok(0),
        _ => read_count("from", from),
    }
}

fn read_size(size: i64) -> Result<usize, Exception> {
    read_count("size", size)
}

fn read_count(key: &str, count: i64) -> Result<usize, Exception> {
    usize::try_from(count).map_err(|_| {
        let reason = format!("[{key}] parameter cannot be negative, found [{count}]");
        Exception::illegal_argument(reason)
    })
}

fn read_terminate(count: i64) -> Result<Option<u64>, Exception> {
    match u64::try_from(count) {
        Ok(0) => Ok(None),
        Ok(count) => Ok(Some(count)),
        Err(_) => Err(Exception::illegal_argument("terminateAfter must be > 0")),
    }
}

fn read_timeout(text: &str) -> Result<Option<Duration>, Exception> {
    match text {
        "-1" => Ok(None),
        _ => read_duration("timeout", text).map(Some),
    }
}

fn read_total_hits(value: &Value) -> Result<TotalHits, Exception> {
    match value {
        Value::Bool(true) => Ok(TotalHits::Exact),
        Value::Bool(false) => Ok(TotalHits::Untracked),
        Value::String(text) => read_total_hits_text(text),
        other => total_hits_up_to(as_whole("track_total_hits", other)?),
    }
}

fn read_total_hits_text(text: &str) -> Result<TotalHits, Exception> {
    match text {
        "true" | "" => Ok(TotalHits::Exact),
        "false" => Ok(TotalHits::Untracked),
        _ => total_hits_up_to(read_whole("track_total_hits", text)?),
    }
}

fn total_hits_up_to(count: i64) -> Result<TotalHits, Exception> {
    match u64::try_from(count) {
        Ok(count) => Ok(TotalHits::UpTo(count)),
        Err(_) if count == -1 => Ok(TotalHits::Exact),
        Err(_) => Err(Exception::illegal_argument(format!(
            "[track_total_hits] parameter must be positive or equals to -1, got {count}"
        ))),
    }
}

fn read_search_after(value: &Value) -> Result<Vec<Value>, Exception> {
    let Value::Array(values) = value else {
        return Err(unknown_key("search_after", value));
    };
    if values.is_empty() {
        return Err(Exception::illegal_argument("Values must contains at least one value."));
    }
    match values.iter().find(|value| value.is_array() || value.is_object()) {
        Some(wrong) => {
            let token = token(wrong);
            let reason = format!(
                "Expected [VALUE_STRING] or [VALUE_NUMBER] or [VALUE_BOOLEAN] or [VALUE_NULL] but found [{token}] inside search_after."
            );
            Err(Exception::parsing(reason))
        }
        None => Ok(values.clone()),
    }
}

fn read_stored(names: Vec<String>) -> Result<StoredFields, Exception> {
    if names.iter().any(|name| name == "_none_") {
        if names.len() > 1 {
            let reason = "cannot combine _none_ with other fields";
            return Err(Exception::illegal_argument(reason));
        }
        return Ok(StoredFields::None);
    }
    Ok(StoredFields::Names(names))
}

fn read_selectors(key: &str, value: &Value) -> Result<Vec<FieldSelector>, Exception> {
    let Value::Array(entries) = value else {
        return Err(unknown_key(key, value));
    };
    entries.iter().map(|entry| read_selector(key, entry)).collect()
}

fn read_selector(key: &str, entry: &Value) -> Result<FieldSelector, Exception> {
    let object = match entry {
        Value::String(pattern) => {
            return Ok(FieldSelector { pattern: pattern.clone(), format: None });
        }
        Value::Object(object) => object,
        other => return Err(unknown_key(key, other)),
    };
    let mut pattern = None;
    let mut format = None;
    for (name, value) in object {
        match (name.as_str(), value) {
            ("field", Value::String(text)) => pattern = Some(text.clone()),
            // The former spelling of "as the mapping says".
            ("format", Value::String(text)) if text == "use_field_mapping" => {}
            ("format", Value::String(text)) => format = Some(DateFormat::new(text)?),
            ("include_unmapped", value) => refuse_true("fields.include_unmapped", value)?,
            _ => {
                let reason = format!("[1:1] [fields] unknown field [{name}]");
                return Err(Exception::new(ExceptionKind::XContentParse, reason));
            }
        }
    }
    let pattern = pattern.ok_or_else(|| Exception::illegal_argument("Required [field]"))?;
    Ok(FieldSelector { pattern, format })
}

fn read_collapse(value: &Value) -> Result<String, Exception> {
    let Value::Object(object) = value else {
        return Err(unknown_key("collapse", value));
    };
    if let Some(key) = object.keys().find(|key| *key != "field") {
        return match key.as_str() {
            "inner_hits" | "max_concurrent_group_searches" => {
                Err(Exception::unsupported(format_args!("collapse option [{key}]")))
            }
            _ => {
                let reason = format!("[1:1] [collapse] unknown field [{key}]");
                Err(Exception::new(ExceptionKind::XContentParse, reason))
            }
        };
    }
    match object.get("field") {
        Some(Value::String(field)) => Ok(field.clone()),
        _ => Err(Exception::illegal_argument("Required [field]")),
    }
}

/// Reads the list of objects, or the one object of former versions.
fn read_indices_boost(value: &Value) -> Result<Vec<(String, f32)>, Exception> {
    let objects: Vec<&Map<String, Value>> = match value {
        Value::Object(object) => vec![object],
        Value::Array(entries) => entries
            .iter()
            .map(|entry| entry.as_object().ok_or_else(|| unknown_key("indices_boost", entry)))
            .collect::<Result<_, _>>()?,
        other => return Err(unknown_key("indices_boost", other)),
    };
    let mut boosts = Vec::new();
    for (name, boost) in objects.into_iter().flatten() {
        boosts.push((name.clone(), as_float(name, boost)?));
    }
    match boosts.iter().find(|(_, boost)| *boost < 0.0) {
        Some((name, boost)) => Err(Exception::illegal_argument(format!(
            "negative [boost] are not allowed for [{name}]: [{boost}]"
        ))),
        None => Ok(boosts),
    }
}

fn read_pit(value: &Value) -> Result<PointInTime, Exception> {
    let Value::Object(object) = value else {
        return Err(unknown_key("pit", value));
    };
    let mut id = None;
    let mut keep_alive = None;
    for (key, value) in object {
        match key.as_str() {
            "id" => id = Some(as_text(key, value)?.to_owned()),
            "keep_alive" => keep_alive = Some(read_duration(key, as_text(key, value)?)?),
            _ => {
                let reason = format!("[1:1] [pit] unknown field [{key}]");
                return Err(Exception::new(ExceptionKind::XContentParse, reason));
            }
        }
    }
    let id = id.ok_or_else(|| Exception::illegal_argument("Required [id]"))?;
    Ok(PointInTime { id, keep_alive })
}

/// Refuses an option that may only be off.
fn refuse_true(key: &str, value: &Value) -> Result<(), Exception> {
    if as_bool(key, value)? {
        return Err(Exception::unsupported(format_args!("[{key}]")));
    }
    Ok(())
}

/// Refuses a part that is not there unless it is empty, as some clients send it.
fn refuse_content(key: &str, value: &Value) -> Result<(), Exception> {
    match value {
        Value::Object(object) if object.is_empty() => Ok(()),
        Value::Array(array) if array.is_empty() => Ok(()),
        Value::Object(_) | Value::Array(_) => {
            Err(Exception::unsupported(format_args!("[{key}] in a search")))
        }
        other => Err(unknown_key(key, other)),
    }
}

#[cfg(test)]
mod tests;
