//! Clauses over analyzed text: the `match` family and `multi_match`.

use serde_json::Value;

use super::options::{self, Common};
use super::{Fuzziness, MinimumShouldMatch};
use crate::Exception;
use crate::mapping::Analyzer;

/// Whether all words have to match or any.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Operator {
    /// Any.
    #[default]
    Or,
    /// All.
    And,
}

/// What a text finds of which the analyzer leaves nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ZeroTerms {
    /// No document.
    #[default]
    None,
    /// Every document.
    All,
}

/// `match` and `match_bool_prefix`.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Where the text stands.
    pub field: String,
    /// A scalar, so that numbers stay numbers.
    pub query: Value,
    /// Whether all words have to match or any.
    pub operator: Operator,
    /// How many words have to match when any may.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// How many edits a word may be away; `None` for none.
    pub fuzziness: Option<Fuzziness>,
    /// Characters at the start of a fuzzy word that have to be the same.
    pub prefix_length: u32,
    /// Most terms for a fuzzy word or a prefix.
    pub max_expansions: u32,
    /// Whether changing two neighbours round is one edit instead of two.
    pub transpositions: bool,
    /// Cuts the text; `None`: as the field says.
    pub analyzer: Option<Analyzer>,
    /// Whether a text that is no value of the field finds nothing instead of being refused.
    pub lenient: bool,
    /// What a text without words finds.
    pub zero_terms: ZeroTerms,
}

/// `match_phrase` and `match_phrase_prefix`.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchPhrase {
    /// Where the text stands.
    pub field: String,
    /// A scalar.
    pub query: Value,
    /// By how many places words may be moved in all.
    pub slop: u32,
    /// Most terms for the prefix.
    pub max_expansions: u32,
    /// Cuts the text; `None`: as the field says.
    pub analyzer: Option<Analyzer>,
    /// What a text without words finds.
    pub zero_terms: ZeroTerms,
}

/// A field, perhaps with `*`, and what its score is multiplied with, as in `message^2`.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedField {
    /// Name or pattern.
    pub field: String,
    /// From 0.
    pub boost: f32,
}

/// How `multi_match` and `query_string` put fields together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MultiMatchType {
    /// The best field scores.
    #[default]
    BestFields,
    /// All fields score.
    MostFields,
    /// Fields are taken for one: each word may stand in another.
    CrossFields,
    /// `match_phrase` in the best field.
    Phrase,
    /// `match_phrase_prefix` in the best field.
    PhrasePrefix,
    /// `match_bool_prefix` in all fields.
    BoolPrefix,
}

/// `multi_match`.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiMatch {
    /// Where; empty for all fields.
    pub fields: Vec<WeightedField>,
    /// How fields are put together.
    pub kind: MultiMatchType,
    /// Which part of the scores of other fields is added; `None`: as the type says.
    pub tie_breaker: Option<f32>,
    /// What is looked for; its field is empty.
    pub text: Match,
    /// By how many places words of a phrase may be moved in all.
    pub slop: u32,
}

impl Match {
    /// Asks for a text with every option at its default.
    pub fn new(field: impl Into<String>, query: impl Into<Value>) -> Self {
        Self {
            field: field.into(),
            query: query.into(),
            operator: Operator::Or,
            minimum_should_match: None,
            fuzziness: None,
            prefix_length: 0,
            max_expansions: 50,
            transpositions: true,
            analyzer: None,
            lenient: false,
            zero_terms: ZeroTerms::None,
        }
    }

    /// Takes an option that a match has wherever it stands.
    fn take(
        &mut self,
        clause: &str,
        key: &str,
        value: &Value,
        common: &mut Common,
    ) -> Result<(), Exception> {
        match key {
            "query" => self.query = options::scalar(clause, key, value)?,
            "operator" => self.operator = Operator::from_json(clause, key, value)?,
            "minimum_should_match" if value.is_null() => {}
            "minimum_should_match" => {
                self.minimum_should_match = Some(MinimumShouldMatch::from_json(clause, value)?);
            }
            "fuzziness" if value.is_null() => {}
            "fuzziness" => self.fuzziness = Some(Fuzziness::from_json(clause, value)?),
            "prefix_length" => self.prefix_length = options::count(clause, key, value)?,
            "max_expansions" => self.max_expansions = expansions(clause, key, value)?,
            "fuzzy_transpositions" => {
                self.transpositions = options::boolean(clause, key, value)?;
            }
            "analyzer" => self.analyzer = analyzer(clause, key, value)?,
            "lenient" => self.lenient = options::boolean(clause, key, value)?,
            "zero_terms_query" => self.zero_terms = ZeroTerms::from_json(clause, key, value)?,
            // Both change scores or graphs of synonyms alone, which no analyzer here makes.
            "fuzzy_rewrite" | "rewrite" => {
                options::optional_text(clause, key, value)?;
            }
            "auto_generate_synonyms_phrase_query" => {
                options::boolean(clause, key, value)?;
            }
            _ => common.take(clause, key, value)?,
        }
        Ok(())
    }
}

impl MatchPhrase {
    /// Asks for a phrase with every option at its default.
    pub fn new(field: impl Into<String>, query: impl Into<Value>) -> Self {
        Self {
            field: field.into(),
            query: query.into(),
            slop: 0,
            max_expansions: 50,
            analyzer: None,
            zero_terms: ZeroTerms::None,
        }
    }
}

impl Operator {
    pub(super) fn from_json(clause: &str, key: &str, value: &Value) -> Result<Self, Exception> {
        let text = options::text(clause, key, value)?;
        match text.to_ascii_lowercase().as_str() {
            "or" => Ok(Self::Or),
            "and" => Ok(Self::And),
            _ => Err(Exception::illegal_argument(format!(
                "operator needs to be either [OR] or [AND], but was [{text}]"
            ))),
        }
    }

    /// Reads `AND` or `OR` in any case, as in the parameter `default_operator`.
    ///
    /// # Errors
    /// It is neither.
    pub fn read(text: &str) -> Result<Self, Exception> {
        Self::from_json("query_string", "default_operator", &Value::from(text))
    }
}

impl ZeroTerms {
    fn from_json(clause: &str, key: &str, value: &Value) -> Result<Self, Exception> {
        let text = options::text(clause, key, value)?;
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "all" => Ok(Self::All),
            _ => Err(Exception::parsing(format!("Unsupported zero_terms_query value [{text}]"))),
        }
    }
}

impl MultiMatchType {
    pub(super) fn from_json(clause: &str, key: &str, value: &Value) -> Result<Self, Exception> {
        let text = options::text(clause, key, value)?;
        match text.as_str() {
            "best_fields" => Ok(Self::BestFields),
            "most_fields" => Ok(Self::MostFields),
            "cross_fields" => Ok(Self::CrossFields),
            "phrase" => Ok(Self::Phrase),
            "phrase_prefix" => Ok(Self::PhrasePrefix),
            "bool_prefix" => Ok(Self::BoolPrefix),
            _ => Err(Exception::parsing(format!(
                "failed to parse [{clause}] query type [{text}]. unknown type."
            ))),
        }
    }

    /// Returns which part of the scores of other fields is added when nothing is said.
    pub fn tie_breaker(self) -> f32 {
        match self {
            Self::MostFields | Self::BoolPrefix => 1.0,
            Self::BestFields | Self::CrossFields | Self::Phrase | Self::PhrasePrefix => 0.0,
        }
    }
}

impl WeightedField {
    /// Reads `message` or `message^2`.
    ///
    /// # Errors
    /// What stands behind `^` is no number from 0.
    pub fn read(text: &str) -> Result<Self, Exception> {
        let Some((field, boost)) = text.split_once('^') else {
            return Ok(Self { field: text.to_owned(), boost: 1.0 });
        };
        let boost = boost.parse().ok().filter(|boost: &f32| boost.is_finite() && *boost >= 0.0);
        let boost = boost.ok_or_else(|| {
            Exception::illegal_argument(format!("the boost of [{text}] is no number from 0"))
        })?;
        Ok(Self { field: field.to_owned(), boost })
    }

    pub(super) fn list(clause: &str, key: &str, value: &Value) -> Result<Vec<Self>, Exception> {
        let read = |value: &Value| Self::read(&options::text(clause, key, value)?);
        match value {
            Value::Array(values) => values.iter().map(read).collect(),
            Value::String(_) => Ok(vec![read(value)?]),
            Value::Null => {
                Err(Exception::parsing(format!("[{clause}] query does not support [{key}]")))
            }
            _ => Err(options::wrong_type(clause, key, "a list of fields", value)),
        }
    }
}

pub(super) fn analyzer(
    clause: &str,
    key: &str,
    value: &Value,
) -> Result<Option<Analyzer>, Exception> {
    let Some(name) = options::optional_text(clause, key, value)? else {
        return Ok(None);
    };
    let known = Analyzer::from_name(&name);
    known.map(Some).ok_or_else(|| {
        Exception::illegal_argument(format!("[{clause}] analyzer [{name}] not found"))
    })
}

pub(super) fn expansions(clause: &str, key: &str, value: &Value) -> Result<u32, Exception> {
    match options::count(clause, key, value)? {
        0 => Err(Exception::illegal_argument(format!(
            "[{clause}] requires maxExpansions to be positive."
        ))),
        expansions => Ok(expansions),
    }
}

fn no_text(clause: &str) -> Exception {
    Exception::parsing(format!("[{clause}] requires query value"))
}

pub(super) fn read_match(
    clause: &str,
    body: &Value,
    common: &mut Common,
) -> Result<Match, Exception> {
    let (field, body) = options::one_field(clause, body, common)?;
    let mut read = Match::new(field, Value::Null);
    match body {
        Value::Object(entries) => {
            for (key, value) in entries {
                read.take(clause, key, value, common)?;
            }
        }
        scalar => read.query = options::scalar(clause, "query", scalar)?,
    }
    if read.query.is_null() { Err(no_text(clause)) } else { Ok(read) }
}

pub(super) fn read_phrase(
    clause: &str,
    body: &Value,
    common: &mut Common,
) -> Result<MatchPhrase, Exception> {
    let (field, body) = options::one_field(clause, body, common)?;
    let mut read = MatchPhrase::new(field, Value::Null);
    match body {
        Value::Object(entries) => {
            for (key, value) in entries {
                match key.as_str() {
                    "query" => read.query = options::scalar(clause, key, value)?,
                    "slop" => read.slop = options::count(clause, key, value)?,
                    "max_expansions" if clause == "match_phrase_prefix" => {
                        read.max_expansions = expansions(clause, key, value)?;
                    }
                    "analyzer" => read.analyzer = analyzer(clause, key, value)?,
                    "zero_terms_query" => {
                        read.zero_terms = ZeroTerms::from_json(clause, key, value)?;
                    }
                    _ => common.take(clause, key, value)?,
                }
            }
        }
        scalar => read.query = options::scalar(clause, "query", scalar)?,
    }
    if read.query.is_null() { Err(no_text(clause)) } else { Ok(read) }
}

pub(super) fn read_multi_match(body: &Value, common: &mut Common) -> Result<MultiMatch, Exception> {
    const CLAUSE: &str = "multi_match";
    let mut read = MultiMatch {
        fields: Vec::new(),
        kind: MultiMatchType::BestFields,
        tie_breaker: None,
        text: Match::new("", Value::Null),
        slop: 0,
    };
    for (key, value) in options::object(CLAUSE, body)? {
        match key.as_str() {
            "fields" => read.fields = WeightedField::list(CLAUSE, key, value)?,
            "type" => read.kind = MultiMatchType::from_json(CLAUSE, key, value)?,
            "tie_breaker" if value.is_null() => {}
            "tie_breaker" => read.tie_breaker = Some(options::float(CLAUSE, key, value)?),
            "slop" => read.slop = options::count(CLAUSE, key, value)?,
            _ => read.text.take(CLAUSE, key, value, common)?,
        }
    }
    if read.text.query.is_null() {
        return Err(Exception::parsing("No text specified for multi_match query"));
    }
    let words_of_one = matches!(
        read.kind,
        MultiMatchType::CrossFields | MultiMatchType::Phrase | MultiMatchType::PhrasePrefix
    );
    if words_of_one && read.text.fuzziness.is_some() {
        return Err(Exception::parsing(format!(
            "Fuzziness not allowed for type [{}]",
            match read.kind {
                MultiMatchType::CrossFields => "cross_fields",
                MultiMatchType::Phrase => "phrase",
                _ => "phrase_prefix",
            }
        )));
    }
    Ok(read)
}
