//! Queries of the DSL as tantivy queries, for one index at one moment.
//!
//! [`build`] is the way in. Here are the clauses made of clauses; whole terms and values are built in
//! `term_level`, patterns in `pattern`, analyzed text in `full_text`, the two query languages in
//! `language`; which fields there are is found out in `field`. What tantivy has no query for lies in `columns` (values of columns), `automaton` (terms by patterns),
//! `expansion` (terms that are looked up first), `nested` (objects of a list) and `excluded` (what must
//! not match).

mod automaton;
mod columns;
mod excluded;
mod expansion;
mod field;
mod full_text;
mod language;
mod nested;
mod pattern;
pub(crate) mod regexp;
mod term_level;
mod value;

use jiff::Timestamp;
use pampero_opensearch::query::{self as dsl, Clause, Query};
use pampero_opensearch::{Exception, ExceptionKind, Mapping};
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, Occur,
};

use crate::layout::Layout;
use excluded::Excluded;

pub(crate) use nested::refusal;

/// A query of tantivy.
type Built = Box<dyn tantivy::query::Query>;

/// What a query needs to know of the index it is built for.
#[derive(Clone, Copy, Debug)]
pub struct QueryContext<'a> {
    /// Name of the index, which `_index` is compared with.
    pub index: &'a str,
    /// Its fields.
    pub mapping: &'a Mapping,
    /// Where they lie.
    pub layout: &'a Layout,
    /// What `now` means.
    pub now: Timestamp,
}

/// Builds the tantivy query.
///
/// # Errors
/// `query_shard_exception` and its kin: the query does not fit the fields of this index.
pub fn build(query: &Query, context: QueryContext<'_>) -> Result<Built, Exception> {
    Builder { context }.build(query)
}

/// Builds queries for one index.
#[derive(Clone, Copy)]
struct Builder<'a> {
    context: QueryContext<'a>,
}

impl Builder<'_> {
    fn build(&self, query: &Query) -> Result<Built, Exception> {
        Ok(boosted(self.clause(&query.clause)?, query.boost))
    }

    fn clause(&self, clause: &Clause) -> Result<Built, Exception> {
        match clause {
            Clause::MatchAll => Ok(all()),
            Clause::MatchNone => Ok(none()),
            Clause::Match(clause) => self.match_text(clause),
            Clause::MatchBoolPrefix(clause) => self.match_bool_prefix(clause),
            Clause::MatchPhrase(clause) => self.match_phrase(clause),
            Clause::MatchPhrasePrefix(clause) => self.match_phrase_prefix(clause),
            Clause::MultiMatch(clause) => self.multi_match(clause),
            Clause::Term(clause) => self.term(clause),
            Clause::Terms(clause) => self.terms(clause),
            Clause::Range(clause) => self.range(clause),
            Clause::Exists(field) => Ok(self.exists(field)),
            Clause::Prefix(clause) => self.prefix(clause),
            Clause::Wildcard(clause) => self.wildcard(clause),
            Clause::Regexp(clause) => self.regexp(clause),
            Clause::Fuzzy(clause) => self.fuzzy(clause),
            Clause::Ids(ids) => Ok(self.ids(ids.iter().map(String::as_str))),
            Clause::Bool(clause) => self.boolean(clause),
            Clause::ConstantScore(filter) => Ok(constant(self.build(filter)?, 1.0)),
            Clause::DisMax(clause) => {
                let queries = clause.queries.iter().map(|query| self.scored(query));
                Ok(best(queries.collect::<Result<_, _>>()?, clause.tie_breaker))
            }
            Clause::Boosting(clause) => self.boosting(clause),
            Clause::Nested(clause) => self.nested(clause),
            Clause::QueryString(clause) => self.query_string(clause),
            Clause::SimpleQueryString(clause) => self.simple_query_string(clause),
        }
    }

    /// Builds a query whose score counts among others.
    ///
    /// Tantivy leaves out of a boolean query what matches every document, and the score with it, while
    /// a constant score around it stays.
    fn scored(&self, query: &Query) -> Result<Built, Exception> {
        match query.clause {
            Clause::MatchAll => Ok(constant(all(), query.boost)),
            _ => self.build(query),
        }
    }

    fn boolean(&self, clause: &dsl::Bool) -> Result<Built, Exception> {
        let mut clauses: Vec<(Occur, Built)> = Vec::new();
        for query in &clause.must {
            clauses.push((Occur::Must, self.scored(query)?));
        }
        for query in &clause.filter {
            clauses.push((Occur::Must, constant(self.build(query)?, 0.0)));
        }
        let required = clauses.len();
        for query in &clause.should {
            clauses.push((Occur::Should, self.scored(query)?));
        }
        let optional = clauses.len() - required;
        for query in &clause.must_not {
            clauses.push((Occur::MustNot, constant(self.build(query)?, 0.0)));
        }
        if clauses.is_empty() {
            return Ok(all());
        }
        let least = match &clause.minimum_should_match {
            Some(rule) if optional > 0 => rule.required(optional),
            Some(_) => 0,
            None => usize::from(required == 0 && optional > 0),
        };
        if required == 0 && optional == 0 {
            if !clause.adjust_pure_negative {
                return Ok(none());
            }
            clauses.push((Occur::Must, constant(all(), 0.0)));
        }
        // Without anything that must match, Lucene wants one of the optional clauses all the same.
        let least = if required == 0 && optional > 0 { least.max(1) } else { least };
        Ok(boolean(clauses, least))
    }

    /// Takes the score of the positive query, and less of it where the negative one matches too.
    fn boosting(&self, clause: &dsl::Boosting) -> Result<Built, Exception> {
        let positive = self.scored(&clause.positive)?;
        let negative = self.build(&clause.negative)?;
        let both = boolean(
            vec![
                (Occur::Must, positive.box_clone()),
                (Occur::Must, constant(negative.box_clone(), 0.0)),
            ],
            0,
        );
        let alone = boolean(vec![(Occur::Must, positive), (Occur::MustNot, negative)], 0);
        Ok(best(vec![boosted(both, clause.negative_boost), alone], 0.0))
    }
}

fn all() -> Built {
    Box::new(AllQuery)
}

fn none() -> Built {
    Box::new(EmptyQuery)
}

fn boosted(query: Built, boost: f32) -> Built {
    if boost == 1.0 { query } else { Box::new(BoostQuery::new(query, boost)) }
}

fn constant(query: Built, score: f32) -> Built {
    Box::new(ConstScoreQuery::new(query, score))
}

/// Takes the best of several queries, and a part of the other scores.
fn best(mut queries: Vec<Built>, tie_breaker: f32) -> Built {
    match queries.len() {
        0 => none(),
        1 => queries.remove(0),
        _ => Box::new(DisjunctionMaxQuery::with_tie_breaker(queries, tie_breaker)),
    }
}

/// Puts clauses together; `least` is how many of the optional ones have to match.
fn boolean(clauses: Vec<(Occur, Built)>, least: usize) -> Built {
    let optional = clauses.iter().filter(|(occur, _)| *occur == Occur::Should).count();
    if least > optional {
        return none();
    }
    let clauses = clauses.into_iter().map(|(occur, query)| match occur {
        Occur::MustNot => (occur, Box::new(Excluded(query)) as Built),
        _ => (occur, query),
    });
    Box::new(BooleanQuery::with_minimum_required_clauses(clauses.collect(), least))
}

/// Says that no query can be made of a value.
fn failed_to_create(cause: Exception) -> Exception {
    Exception::new(ExceptionKind::QueryShard, format!("failed to create query: {}", cause.reason()))
        .caused_by(cause)
}
