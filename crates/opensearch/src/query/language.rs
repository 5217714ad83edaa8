//! The clauses of the two query languages: their options; the grammars lie in `query_text` and
//! `simple_text`.

use serde_json::Value;

use super::full_text::{MultiMatchType, Operator, WeightedField, analyzer, expansions};
use super::options::{self, Common};
use super::simple_text::Flags;
use super::{Fuzziness, MinimumShouldMatch};
use crate::Exception;
use crate::mapping::Analyzer;

/// `query_string`.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryString {
    /// The text in Lucene's language.
    pub query: String,
    /// `default_field`: where words without a field stand; `None`: as `fields` says.
    pub default_field: Option<String>,
    /// Where words without a field stand; empty for all fields.
    pub fields: Vec<WeightedField>,
    /// What holds between words without an operator.
    pub default_operator: Operator,
    /// Whether a pattern may begin with `*` or `?`.
    pub allow_leading_wildcard: bool,
    /// Whether words that are no value of a field find nothing there; `None`: only for all fields.
    pub lenient: Option<bool>,
    /// How many optional clauses have to match.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Slop of phrases that name none.
    pub phrase_slop: u32,
    /// Edits of `word~` without a number.
    pub fuzziness: Fuzziness,
    /// Characters at the start of a fuzzy word that have to be the same.
    pub fuzzy_prefix_length: u32,
    /// Most terms for a fuzzy word.
    pub fuzzy_max_expansions: u32,
    /// The zone of dates without one.
    pub time_zone: Option<String>,
    /// How fields are put together.
    pub kind: MultiMatchType,
    /// Which part of the scores of other fields is added.
    pub tie_breaker: f32,
    /// Cuts words; `None`: as the fields say.
    pub analyzer: Option<Analyzer>,
}

/// `simple_query_string`.
#[derive(Clone, Debug, PartialEq)]
pub struct SimpleQueryString {
    /// The text in the simple language.
    pub query: String,
    /// Where words stand; empty for all fields.
    pub fields: Vec<WeightedField>,
    /// What holds between words without an operator.
    pub default_operator: Operator,
    /// Which operators the text may use.
    pub flags: Flags,
    /// Whether words that are no value of a field find nothing there; `None`: only for all fields.
    pub lenient: Option<bool>,
    /// How many optional clauses have to match.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Characters at the start of a fuzzy word that have to be the same.
    pub fuzzy_prefix_length: u32,
    /// Most terms for a fuzzy word.
    pub fuzzy_max_expansions: u32,
    /// Cuts words; `None`: as the fields say.
    pub analyzer: Option<Analyzer>,
}

impl QueryString {
    /// Asks with every option at its default, as `?q=` does.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            default_field: None,
            fields: Vec::new(),
            default_operator: Operator::Or,
            allow_leading_wildcard: true,
            lenient: None,
            minimum_should_match: None,
            phrase_slop: 0,
            fuzziness: Fuzziness::AUTO,
            fuzzy_prefix_length: 0,
            fuzzy_max_expansions: 50,
            time_zone: None,
            kind: MultiMatchType::BestFields,
            tie_breaker: 0.0,
            analyzer: None,
        }
    }
}

pub(super) fn read_query_string(
    body: &Value,
    common: &mut Common,
) -> Result<QueryString, Exception> {
    const CLAUSE: &str = "query_string";
    let mut read = QueryString::new("");
    let mut given = false;
    for (key, value) in options::object(CLAUSE, body)? {
        match key.as_str() {
            "query" => {
                read.query = options::text(CLAUSE, key, value)?;
                given = true;
            }
            "default_field" => read.default_field = options::optional_text(CLAUSE, key, value)?,
            "fields" => read.fields = WeightedField::list(CLAUSE, key, value)?,
            "default_operator" => read.default_operator = Operator::from_json(CLAUSE, key, value)?,
            "allow_leading_wildcard" => {
                read.allow_leading_wildcard = options::boolean(CLAUSE, key, value)?;
            }
            "lenient" if value.is_null() => {}
            "lenient" => read.lenient = Some(options::boolean(CLAUSE, key, value)?),
            "minimum_should_match" if value.is_null() => {}
            "minimum_should_match" => {
                read.minimum_should_match = Some(MinimumShouldMatch::from_json(CLAUSE, value)?);
            }
            "phrase_slop" => read.phrase_slop = options::count(CLAUSE, key, value)?,
            "fuzziness" => read.fuzziness = Fuzziness::from_json(CLAUSE, value)?,
            "fuzzy_prefix_length" => {
                read.fuzzy_prefix_length = options::count(CLAUSE, key, value)?;
            }
            "fuzzy_max_expansions" => {
                read.fuzzy_max_expansions = expansions(CLAUSE, key, value)?;
            }
            "time_zone" => read.time_zone = options::optional_text(CLAUSE, key, value)?,
            "type" => read.kind = MultiMatchType::from_json(CLAUSE, key, value)?,
            "tie_breaker" => read.tie_breaker = options::float(CLAUSE, key, value)?,
            "analyzer" | "quote_analyzer" => read.analyzer = analyzer(CLAUSE, key, value)?,
            _ => take_ignored(CLAUSE, key, value, common)?,
        }
    }
    if !given {
        return Err(Exception::parsing("[query_string] must be provided with a [query]"));
    }
    if read.default_field.is_some() && !read.fields.is_empty() {
        return Err(Exception::illegal_argument(
            "addition of [field] to [query_string] fields not allowed when [default_field] is set",
        ));
    }
    Ok(read)
}

pub(super) fn read_simple_query_string(
    body: &Value,
    common: &mut Common,
) -> Result<SimpleQueryString, Exception> {
    const CLAUSE: &str = "simple_query_string";
    let mut query = None;
    let mut read = SimpleQueryString {
        query: String::new(),
        fields: Vec::new(),
        default_operator: Operator::Or,
        flags: Flags::ALL,
        lenient: None,
        minimum_should_match: None,
        fuzzy_prefix_length: 0,
        fuzzy_max_expansions: 50,
        analyzer: None,
    };
    for (key, value) in options::object(CLAUSE, body)? {
        match key.as_str() {
            "query" => query = Some(options::text(CLAUSE, key, value)?),
            "fields" => read.fields = WeightedField::list(CLAUSE, key, value)?,
            "default_operator" => read.default_operator = Operator::from_json(CLAUSE, key, value)?,
            "flags" => {
                read.flags = Flags::read(&options::text(CLAUSE, key, value)?)?;
            }
            "lenient" if value.is_null() => {}
            "lenient" => read.lenient = Some(options::boolean(CLAUSE, key, value)?),
            "minimum_should_match" if value.is_null() => {}
            "minimum_should_match" => {
                read.minimum_should_match = Some(MinimumShouldMatch::from_json(CLAUSE, value)?);
            }
            "fuzzy_prefix_length" => {
                read.fuzzy_prefix_length = options::count(CLAUSE, key, value)?;
            }
            "fuzzy_max_expansions" => {
                read.fuzzy_max_expansions = expansions(CLAUSE, key, value)?;
            }
            "analyzer" => read.analyzer = analyzer(CLAUSE, key, value)?,
            _ => take_ignored(CLAUSE, key, value, common)?,
        }
    }
    read.query =
        query.ok_or_else(|| Exception::parsing("[simple_query_string] query text missing"))?;
    Ok(read)
}

/// Takes the options of both languages that change nothing here: patterns are always brought into the
/// form of the field's terms, and scores of patterns are always constant.
fn take_ignored(
    clause: &str,
    key: &str,
    value: &Value,
    common: &mut Common,
) -> Result<(), Exception> {
    match key {
        "analyze_wildcard"
        | "auto_generate_synonyms_phrase_query"
        | "enable_position_increments"
        | "escape"
        | "fuzzy_transpositions" => {
            let on = options::boolean(clause, key, value)?;
            let changes = (key == "escape" && on) || (key == "fuzzy_transpositions" && !on);
            if changes {
                return Err(Exception::unsupported(format!("query [{clause}] with [{key}] {on}")));
            }
            Ok(())
        }
        "rewrite" | "fuzzy_rewrite" => options::optional_text(clause, key, value).map(|_| ()),
        "max_determinized_states" => options::count(clause, key, value).map(|_| ()),
        "quote_field_suffix" if value.is_null() => Ok(()),
        "quote_field_suffix" => {
            Err(Exception::unsupported(format!("query [{clause}] with [quote_field_suffix]")))
        }
        _ => common.take(clause, key, value),
    }
}
