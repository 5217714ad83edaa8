//! The query DSL: clauses as types, and how they are read.

use serde_json::Value;

use crate::Exception;

/// A query of the DSL: one clause with its boost and name.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is asked.
    pub clause: Clause,
    /// Multiplies the score; 1 unless said otherwise.
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
}

impl Query {
    /// Returns the query that finds every document.
    pub fn match_all() -> Self {
        Self { clause: Clause::MatchAll, boost: 1.0, name: None }
    }

    /// Reads the value of `query`.
    ///
    /// # Errors
    /// `parsing_exception` and its kin.
    pub fn from_json(query: &Value) -> Result<Self, Exception> {
        let _ = query;
        Ok(Self::match_all())
    }
}
