//! Clauses over whole terms and values.

use serde_json::Value;

use super::Fuzziness;
use super::options::{self, Common};
use crate::Exception;

/// Most values of one `terms`.
///
/// Source: OpenSearch, `index.max_terms_count`.
const TERMS_MAX: usize = 65_536;

/// Most characters of a regular expression.
///
/// Source: OpenSearch, `index.max_regex_length`.
const REGEXP_CHARS_MAX: usize = 1000;

/// `term`.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Where it stands.
    pub field: String,
    /// A scalar.
    pub value: Value,
    /// Whether upper and lower case are the same.
    pub case_insensitive: bool,
}

/// `terms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Where they stand.
    pub field: String,
    /// Scalars.
    pub values: Vec<Value>,
}

/// `range`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Range {
    /// Where the values stand.
    pub field: String,
    /// The lower bound, a scalar, and whether it belongs to the range; `None` without one.
    pub lower: Option<(Value, bool)>,
    /// The upper bound.
    pub upper: Option<(Value, bool)>,
    /// How bounds are written when the field is a date; `None`: as in the field.
    pub format: Option<String>,
    /// The zone of bounds without one.
    pub time_zone: Option<String>,
}

/// `prefix`, `wildcard` or `regexp`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Where the terms stand.
    pub field: String,
    /// What they begin with or match.
    pub pattern: String,
    /// Whether upper and lower case are the same.
    pub case_insensitive: bool,
}

/// `fuzzy`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fuzzy {
    /// Where the terms stand.
    pub field: String,
    /// What they are like.
    pub value: String,
    /// How many edits they may be away.
    pub fuzziness: Fuzziness,
    /// Characters at the start that have to be the same.
    pub prefix_length: u32,
    /// Most terms that are looked for; the nearest ones count.
    pub max_expansions: u32,
    /// Whether changing two neighbours round is one edit instead of two.
    pub transpositions: bool,
}

pub(super) fn read_term(body: &Value, common: &mut Common) -> Result<Term, Exception> {
    const CLAUSE: &str = "term";
    let (field, body) = options::one_field(CLAUSE, body, common)?;
    let mut read = Term { field: field.to_owned(), value: Value::Null, case_insensitive: false };
    let Value::Object(entries) = body else {
        read.value = options::scalar(CLAUSE, "value", body)?;
        return Ok(read);
    };
    for (key, value) in entries {
        match key.as_str() {
            "value" | "term" => read.value = options::scalar(CLAUSE, key, value)?,
            "case_insensitive" => read.case_insensitive = options::boolean(CLAUSE, key, value)?,
            _ => common.take(CLAUSE, key, value)?,
        }
    }
    if read.value.is_null() {
        return Err(Exception::illegal_argument("value cannot be null"));
    }
    Ok(read)
}

pub(super) fn read_terms(body: &Value, common: &mut Common) -> Result<Terms, Exception> {
    const CLAUSE: &str = "terms";
    let mut read: Option<Terms> = None;
    for (key, value) in options::object(CLAUSE, body)? {
        let values = match value {
            Value::Array(values) => values,
            Value::Object(_) => return Err(Exception::unsupported("query [terms] with a lookup")),
            scalar => {
                common.take(CLAUSE, key, scalar)?;
                continue;
            }
        };
        if let Some(earlier) = &read {
            return Err(Exception::parsing(format!(
                "[terms] query doesn't support multiple fields, found [{}] and [{key}]",
                earlier.field
            )));
        }
        if values.len() > TERMS_MAX {
            return Err(Exception::illegal_argument(format!(
                "The number of terms [{}] used in the Terms Query request has exceeded the \
                 allowed maximum of [{TERMS_MAX}]. This maximum can be set by changing the \
                 [index.max_terms_count] index level setting.",
                values.len()
            )));
        }
        let scalars = values.iter().map(|value| match value {
            Value::Null => Err(Exception::parsing("No value specified for terms query")),
            other => options::scalar(CLAUSE, key, other),
        });
        read = Some(Terms { field: key.clone(), values: scalars.collect::<Result<_, _>>()? });
    }
    read.ok_or_else(|| {
        Exception::parsing(
            "[terms] query requires a field name, followed by array of terms or a document lookup \
             specification",
        )
    })
}

pub(super) fn read_range(body: &Value, common: &mut Common) -> Result<Range, Exception> {
    const CLAUSE: &str = "range";
    let (field, body) = options::one_field(CLAUSE, body, common)?;
    let Value::Object(entries) = body else {
        return Err(Exception::parsing(format!(
            "[range] query does not support [{field}]: its bounds stand in an object"
        )));
    };
    let mut read = Range { field: field.to_owned(), ..Range::default() };
    let (mut lower, mut upper): (Option<Value>, Option<Value>) = (None, None);
    let (mut include_lower, mut include_upper) = (true, true);
    for (key, value) in entries {
        match key.as_str() {
            "gt" | "gte" | "ge" | "from" => {
                lower = bound(key, value)?;
                if key != "from" {
                    include_lower = key != "gt";
                }
            }
            "lt" | "lte" | "le" | "to" => {
                upper = bound(key, value)?;
                if key != "to" {
                    include_upper = key != "lt";
                }
            }
            "include_lower" | "includeLower" => {
                include_lower = options::boolean(CLAUSE, key, value)?;
            }
            "include_upper" | "includeUpper" => {
                include_upper = options::boolean(CLAUSE, key, value)?;
            }
            "format" => read.format = options::optional_text(CLAUSE, key, value)?,
            "time_zone" | "timeZone" => {
                read.time_zone = options::optional_text(CLAUSE, key, value)?;
            }
            "relation" => check_relation(&options::text(CLAUSE, key, value)?)?,
            _ => common.take(CLAUSE, key, value)?,
        }
    }
    read.lower = lower.map(|value| (value, include_lower));
    read.upper = upper.map(|value| (value, include_upper));
    Ok(read)
}

/// Reads a bound; `null` leaves the range open.
fn bound(key: &str, value: &Value) -> Result<Option<Value>, Exception> {
    if value.is_null() { Ok(None) } else { options::scalar("range", key, value).map(Some) }
}

/// Fields hold points, for which every relation between ranges is the same.
fn check_relation(relation: &str) -> Result<(), Exception> {
    let known = ["intersects", "contains", "within", "disjoint"];
    if known.contains(&relation.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(Exception::illegal_argument(format!("{relation} is not a valid relation")))
}

pub(super) fn read_exists(body: &Value, common: &mut Common) -> Result<String, Exception> {
    let mut field = None;
    for (key, value) in options::object("exists", body)? {
        match key.as_str() {
            "field" => field = Some(options::text("exists", key, value)?),
            _ => common.take("exists", key, value)?,
        }
    }
    field
        .filter(|field| !field.is_empty())
        .ok_or_else(|| Exception::parsing("[exists] must be provided with a [field]"))
}

pub(super) fn read_pattern(
    clause: &str,
    body: &Value,
    common: &mut Common,
) -> Result<Pattern, Exception> {
    let (field, body) = options::one_field(clause, body, common)?;
    let mut pattern = None;
    let mut case_insensitive = false;
    match body {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (clause, key.as_str()) {
                    (_, "value") | ("wildcard", "wildcard") | ("prefix", "prefix") => {
                        pattern = Some(options::text(clause, key, value)?);
                    }
                    (_, "case_insensitive") => {
                        case_insensitive = options::boolean(clause, key, value)?;
                    }
                    // How terms are collected changes scores alone, and here they are always constant.
                    (_, "rewrite") => {
                        options::optional_text(clause, key, value)?;
                    }
                    ("regexp", "flags") => check_flags(&options::text(clause, key, value)?)?,
                    ("regexp", "flags_value" | "max_determinized_states") => {
                        options::count(clause, key, value)?;
                    }
                    _ => common.take(clause, key, value)?,
                }
            }
        }
        scalar => pattern = Some(options::text(clause, "value", scalar)?),
    }
    let pattern = pattern.ok_or_else(|| Exception::illegal_argument("value cannot be null"))?;
    if clause == "regexp" {
        check_regexp_length(&pattern)?;
    }
    Ok(Pattern { field: field.to_owned(), pattern, case_insensitive })
}

/// Refuses a regular expression that is too long.
///
/// # Errors
/// It has more than 1000 characters.
pub(crate) fn check_regexp_length(pattern: &str) -> Result<(), Exception> {
    let length = pattern.chars().count();
    if length <= REGEXP_CHARS_MAX {
        return Ok(());
    }
    Err(Exception::illegal_argument(format!(
        "The length of regex [{length}] used in the Regexp Query request has exceeded the allowed \
         maximum of [{REGEXP_CHARS_MAX}]. This maximum can be set by changing the \
         [index.max_regex_length] index level setting."
    )))
}

/// Optional operators are always on; switching single ones off would change what is found.
fn check_flags(flags: &str) -> Result<(), Exception> {
    match flags.to_ascii_uppercase().as_str() {
        "ALL" | "" => Ok(()),
        _ => Err(Exception::unsupported(format!("query [regexp] with [flags] {flags}"))),
    }
}

pub(super) fn read_fuzzy(body: &Value, common: &mut Common) -> Result<Fuzzy, Exception> {
    const CLAUSE: &str = "fuzzy";
    let (field, body) = options::one_field(CLAUSE, body, common)?;
    let mut read = Fuzzy {
        field: field.to_owned(),
        value: String::new(),
        fuzziness: Fuzziness::AUTO,
        prefix_length: 0,
        max_expansions: 50,
        transpositions: true,
    };
    let Value::Object(entries) = body else {
        read.value = options::text(CLAUSE, "value", body)?;
        return Ok(read);
    };
    let mut given = false;
    for (key, value) in entries {
        match key.as_str() {
            "value" | "term" => {
                read.value = options::text(CLAUSE, key, value)?;
                given = true;
            }
            "fuzziness" => read.fuzziness = Fuzziness::from_json(CLAUSE, value)?,
            "prefix_length" => read.prefix_length = options::count(CLAUSE, key, value)?,
            "max_expansions" => read.max_expansions = options::count(CLAUSE, key, value)?,
            "transpositions" => read.transpositions = options::boolean(CLAUSE, key, value)?,
            "rewrite" => {
                options::optional_text(CLAUSE, key, value)?;
            }
            _ => common.take(CLAUSE, key, value)?,
        }
    }
    if !given {
        return Err(Exception::illegal_argument("query value cannot be null"));
    }
    Ok(read)
}

pub(super) fn read_ids(body: &Value, common: &mut Common) -> Result<Vec<String>, Exception> {
    const CLAUSE: &str = "ids";
    let mut ids = Vec::new();
    for (key, value) in options::object(CLAUSE, body)? {
        match (key.as_str(), value) {
            ("values", Value::Array(values)) => {
                for id in values {
                    ids.push(options::text(CLAUSE, key, id)?);
                }
            }
            ("values", value) => ids.push(options::text(CLAUSE, key, value)?),
            _ => common.take(CLAUSE, key, value)?,
        }
    }
    Ok(ids)
}
