//! What a query string says of a search: the twins of options of the body.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{FieldSelector, SearchRequest, SourceFilter, sort};
use crate::query::Query;
use crate::{Exception, ExceptionKind};

/// The parameters that [`SearchRequest::apply_parameters`] reads; it passes over all others.
pub const PARAMETERS: [&str; 21] = [
    "q",
    "df",
    "analyzer",
    "analyze_wildcard",
    "default_operator",
    "lenient",
    "from",
    "size",
    "sort",
    "_source",
    "_source_includes",
    "_source_excludes",
    "stored_fields",
    "docvalue_fields",
    "track_total_hits",
    "track_scores",
    "timeout",
    "terminate_after",
    "version",
    "seq_no_primary_term",
    "explain",
];

impl SearchRequest {
    /// Merges what the query string says; it wins over the body.
    ///
    /// # Errors
    /// `illegal_argument_exception` and its kin, as for the body.
    pub fn apply_parameters<'a>(
        &mut self,
        parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<(), Exception> {
        if let Some(query) = query_from_parameters(parameters.clone())? {
            self.query = Some(query);
        }
        let find = |name: &str| parameters.clone().find(|(key, _)| *key == name).map(|(_, it)| it);
        if let Some(source) = SourceFilter::from_parameters(
            find("_source"),
            find("_source_includes"),
            find("_source_excludes"),
        ) {
            self.source = Some(source);
        }
        parameters.into_iter().try_for_each(|(key, value)| self.apply_parameter(key, value))
    }

    fn apply_parameter(&mut self, key: &str, value: &str) -> Result<(), Exception> {
        match key {
            "from" => self.from = super::read_from(super::read_whole(key, value)?)?,
            "size" => self.size = super::read_size(super::read_whole(key, value)?)?,
            "sort" => self.sort = sort::from_parameter(value)?,
            "stored_fields" => self.stored_fields = Some(super::read_stored(list(value))?),
            "docvalue_fields" => {
                let selector = |pattern| FieldSelector { pattern, format: None };
                self.docvalue_fields.extend(list(value).into_iter().map(selector));
            }
            "track_total_hits" => {
                self.track_total_hits = Some(super::read_total_hits_text(value)?);
            }
            "track_scores" => self.track_scores = flag(key, value)?,
            "timeout" => self.timeout = super::read_timeout(value)?,
            "terminate_after" => {
                self.terminate_after = super::read_terminate(super::read_whole(key, value)?)?;
            }
            "version" => self.version = flag(key, value)?,
            "seq_no_primary_term" => self.seq_no_primary_term = flag(key, value)?,
            "explain" if flag(key, value)? => {
                return Err(Exception::unsupported("[explain]"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns the query that `q` and what goes with it ask, or `None` without `q`.
///
/// # Errors
/// The query text cannot be read.
pub fn query_from_parameters<'a>(
    parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Option<Query>, Exception> {
    let Some((_, text)) = parameters.clone().find(|(key, _)| *key == "q") else {
        return Ok(None);
    };
    let mut options = Map::new();
    options.insert("query".to_owned(), json!(text));
    for (key, value) in parameters {
        match key {
            "df" => options.insert("default_field".to_owned(), json!(value)),
            "analyzer" | "default_operator" => options.insert(key.to_owned(), json!(value)),
            "analyze_wildcard" | "lenient" => {
                options.insert(key.to_owned(), Value::Bool(flag(key, value)?))
            }
            _ => None,
        };
    }
    Query::from_json(&json!({ "query_string": options })).map(Some)
}

/// A parameter without a value is true.
fn flag(key: &str, value: &str) -> Result<bool, Exception> {
    if value.is_empty() { Ok(true) } else { super::read_bool(key, value) }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Reads a time value such as `30s`: a whole number with one of `nanos micros ms s m h d`.
///
/// # Errors
/// `illegal_argument_exception`; `name` is the setting in its words.
pub fn read_duration(name: &str, text: &str) -> Result<Duration, Exception> {
    let digits = text.len() - text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let nanos_per_unit: u64 = match unit {
        "nanos" => 1,
        "micros" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        // Zero is the only one that needs no unit.
        "" if number == "0" => 1,
        _ => {
            let reason = format!(
                "failed to parse setting [{name}] with value [{text}] as a time value: unit is missing or unrecognized"
            );
            return Err(Exception::illegal_argument(reason));
        }
    };
    let nanos = number.parse::<u64>().ok().and_then(|it| it.checked_mul(nanos_per_unit));
    nanos.map(Duration::from_nanos).ok_or_else(|| {
        let cause =
            Exception::new(ExceptionKind::NumberFormat, format!("For input string: \"{number}\""));
        Exception::illegal_argument(format!("failed to parse [{text}]")).caused_by(cause)
    })
}
