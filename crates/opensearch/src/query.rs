//! The query DSL: clauses as types, and how they are read.
//!
//! [`Query::from_json`] is the way in; what each clause may say lies in the module after its family.
//! The grammars of `query_string` and `simple_query_string` are read here as well, into a tree without
//! any knowledge of fields; which fields there are is known where a query is built for an index.

pub mod fuzziness;
pub mod minimum_should_match;
pub mod query_text;
pub mod simple_text;

mod compound;
mod full_text;
mod language;
mod options;
mod term_level;

use serde_json::Value;

pub use compound::{Bool, Boosting, DisMax, Nested};
pub use full_text::{
    Match, MatchPhrase, MultiMatch, MultiMatchType, Operator, WeightedField, ZeroTerms,
};
pub use fuzziness::Fuzziness;
pub use language::{QueryString, SimpleQueryString};
pub use minimum_should_match::MinimumShouldMatch;
pub use term_level::{Fuzzy, Pattern, Range, Term, Terms};

use crate::{Exception, ExceptionKind};
use options::{Common, one_key};

/// Most levels of queries inside queries.
pub const DEPTH_MAX: usize = 30;

/// Most clauses of one query, and most words that one text is cut into.
///
/// Source: OpenSearch, `indices.query.bool.max_clause_count`.
pub const CLAUSES_MAX: usize = 1024;

/// A query of the DSL: one clause with its boost and name.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is asked.
    pub clause: Clause,
    /// Multiplies the score; 1 unless said otherwise, never negative.
    pub boost: f32,
    /// `_name`, by which hits tell which clauses they match.
    pub name: Option<String>,
}

/// What a query asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Clause {
    /// Every document.
    MatchAll,
    /// No document.
    MatchNone,
    /// `match`: the words of a text, or a value.
    Match(Match),
    /// `match_bool_prefix`: the words of a text, the last as a prefix.
    MatchBoolPrefix(Match),
    /// `match_phrase`: the words of a text in their order.
    MatchPhrase(MatchPhrase),
    /// `match_phrase_prefix`: the same, the last word as a prefix.
    MatchPhrasePrefix(MatchPhrase),
    /// `multi_match`: a text in several fields.
    MultiMatch(MultiMatch),
    /// `term`: one whole term.
    Term(Term),
    /// `terms`: any of several whole terms.
    Terms(Terms),
    /// `range`: values between bounds.
    Range(Range),
    /// `exists`: any value at all in this field or object.
    Exists(String),
    /// `prefix`: terms that begin with a text.
    Prefix(Pattern),
    /// `wildcard`: terms that match a pattern with `*` and `?`.
    Wildcard(Pattern),
    /// `regexp`: terms that match a regular expression of Lucene as a whole.
    Regexp(Pattern),
    /// `fuzzy`: terms within some edits of a text.
    Fuzzy(Fuzzy),
    /// `ids`: documents by their ids.
    Ids(Vec<String>),
    /// `bool`: clauses that must, should or must not match.
    Bool(Bool),
    /// `constant_score`: a filter whose hits all score its boost.
    ConstantScore(Box<Query>),
    /// `dis_max`: the best of several queries.
    DisMax(DisMax),
    /// `boosting`: a query whose hits are worth less when another one matches.
    Boosting(Boosting),
    /// `nested`: objects of a list, each for itself.
    Nested(Nested),
    /// `query_string`: Lucene's query language.
    QueryString(QueryString),
    /// `simple_query_string`: a forgiving query language.
    SimpleQueryString(SimpleQueryString),
}

/// The clauses that this server reads, for suggestions.
const KNOWN: [&str; 23] = [
    "bool",
    "boosting",
    "constant_score",
    "dis_max",
    "exists",
    "fuzzy",
    "ids",
    "match",
    "match_all",
    "match_bool_prefix",
    "match_none",
    "match_phrase",
    "match_phrase_prefix",
    "multi_match",
    "nested",
    "prefix",
    "query_string",
    "range",
    "regexp",
    "simple_query_string",
    "term",
    "terms",
    "wildcard",
];

/// The clauses that OpenSearch has besides.
const UNSUPPORTED: [&str; 29] = [
    "combined_fields",
    "distance_feature",
    "function_score",
    "geo_bounding_box",
    "geo_distance",
    "geo_polygon",
    "geo_shape",
    "has_child",
    "has_parent",
    "hybrid",
    "intervals",
    "knn",
    "more_like_this",
    "neural",
    "parent_id",
    "percolate",
    "pinned",
    "rank_feature",
    "script",
    "script_score",
    "span_containing",
    "span_first",
    "span_multi",
    "span_near",
    "span_not",
    "span_or",
    "span_term",
    "terms_set",
    "wrapper",
];

impl Query {
    /// Returns the query that finds every document.
    pub fn match_all() -> Self {
        Self::from(Clause::MatchAll)
    }

    /// Reads the value of `query`.
    ///
    /// # Errors
    /// `parsing_exception` and its kin: the clause or one of its options is not known or of the wrong
    /// type, queries are nested too deeply, or there are too many of them.
    pub fn from_json(query: &Value) -> Result<Self, Exception> {
        Reader::default().read(query)
    }

    /// Returns every query with a `_name`, itself included, outer ones first.
    ///
    /// Each can be built for itself to tell whether a hit matches it.
    pub fn named(&self) -> Vec<(&str, &Self)> {
        let mut found = Vec::new();
        self.collect_named(&mut found);
        found
    }

    fn collect_named<'a>(&'a self, found: &mut Vec<(&'a str, &'a Self)>) {
        if let Some(name) = &self.name {
            found.push((name, self));
        }
        for query in self.clause.inner() {
            query.collect_named(found);
        }
    }
}

impl From<Clause> for Query {
    fn from(clause: Clause) -> Self {
        Self { clause, boost: 1.0, name: None }
    }
}

impl Clause {
    /// Returns the queries that stand inside this clause, in the order in which they were read; not
    /// that of `nested`, which is about other objects.
    pub fn inner(&self) -> Vec<&Query> {
        match self {
            Self::Bool(clause) => [&clause.must, &clause.filter, &clause.should, &clause.must_not]
                .into_iter()
                .flatten()
                .collect(),
            Self::ConstantScore(filter) => vec![filter],
            Self::DisMax(clause) => clause.queries.iter().collect(),
            Self::Boosting(clause) => vec![&clause.positive, &clause.negative],
            _ => Vec::new(),
        }
    }
}

/// Reads queries and counts how deep they lie and how many there are.
#[derive(Debug, Default)]
struct Reader {
    depth: usize,
    clauses: usize,
}

impl Reader {
    fn read(&mut self, query: &Value) -> Result<Query, Exception> {
        self.clauses += 1;
        if self.clauses > CLAUSES_MAX {
            return Err(too_many_clauses());
        }
        if self.depth >= DEPTH_MAX {
            return Err(Exception::illegal_argument(format!(
                "the nested depth of the query exceeds the maximum of [{DEPTH_MAX}] levels"
            )));
        }
        self.depth += 1;
        let read = self.read_clause(query);
        self.depth -= 1;
        read
    }

    fn read_clause(&mut self, query: &Value) -> Result<Query, Exception> {
        let (name, body) = one_key(query)?;
        let mut common = Common::default();
        let clause = match name {
            "match_all" => options::nothing_else(name, body, &mut common, Clause::MatchAll)?,
            "match_none" => options::nothing_else(name, body, &mut common, Clause::MatchNone)?,
            "match" => Clause::Match(full_text::read_match("match", body, &mut common)?),
            "match_bool_prefix" => Clause::MatchBoolPrefix(full_text::read_match(
                "match_bool_prefix",
                body,
                &mut common,
            )?),
            "match_phrase" => {
                Clause::MatchPhrase(full_text::read_phrase("match_phrase", body, &mut common)?)
            }
            "match_phrase_prefix" => Clause::MatchPhrasePrefix(full_text::read_phrase(
                "match_phrase_prefix",
                body,
                &mut common,
            )?),
            "multi_match" => Clause::MultiMatch(full_text::read_multi_match(body, &mut common)?),
            "query_string" => Clause::QueryString(language::read_query_string(body, &mut common)?),
            "simple_query_string" => {
                Clause::SimpleQueryString(language::read_simple_query_string(body, &mut common)?)
            }
            "term" => Clause::Term(term_level::read_term(body, &mut common)?),
            "terms" => Clause::Terms(term_level::read_terms(body, &mut common)?),
            "range" => Clause::Range(term_level::read_range(body, &mut common)?),
            "exists" => Clause::Exists(term_level::read_exists(body, &mut common)?),
            "prefix" => Clause::Prefix(term_level::read_pattern("prefix", body, &mut common)?),
            "wildcard" => {
                Clause::Wildcard(term_level::read_pattern("wildcard", body, &mut common)?)
            }
            "regexp" => Clause::Regexp(term_level::read_pattern("regexp", body, &mut common)?),
            "fuzzy" => Clause::Fuzzy(term_level::read_fuzzy(body, &mut common)?),
            "ids" => Clause::Ids(term_level::read_ids(body, &mut common)?),
            "bool" => Clause::Bool(self.read_bool(body, &mut common)?),
            "constant_score" => Clause::ConstantScore(self.read_constant_score(body, &mut common)?),
            "dis_max" => Clause::DisMax(self.read_dis_max(body, &mut common)?),
            "boosting" => Clause::Boosting(self.read_boosting(body, &mut common)?),
            "nested" => Clause::Nested(self.read_nested(body, &mut common)?),
            other => return Err(unknown_clause(other)),
        };
        Ok(Query { clause, boost: common.boost, name: common.name })
    }
}

/// Says that a query has more clauses than may be.
pub fn too_many_clauses() -> Exception {
    Exception::new(
        ExceptionKind::TooManyClauses,
        format!("too_many_clauses: maxClauseCount is set to {CLAUSES_MAX}"),
    )
}

fn unknown_clause(name: &str) -> Exception {
    if UNSUPPORTED.contains(&name) {
        return Exception::unsupported(format!("query [{name}]"));
    }
    let near = KNOWN
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    let hint = near.map(|(_, known)| format!(" did you mean [{known}]?")).unwrap_or_default();
    Exception::parsing(format!("unknown query [{name}]{hint}"))
}

#[cfg(test)]
mod tests;
