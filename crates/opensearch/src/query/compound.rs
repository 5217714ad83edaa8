//! Clauses made of queries: `bool`, `constant_score`, `dis_max`, `boosting`, `nested`.

use serde_json::Value;

use super::options::{self, Common};
use super::{MinimumShouldMatch, Query, Reader};
use crate::Exception;

/// `bool`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bool {
    /// Have to match, and score.
    pub must: Vec<Query>,
    /// Have to match, and do not score.
    pub filter: Vec<Query>,
    /// May match, and score.
    pub should: Vec<Query>,
    /// Must not match.
    pub must_not: Vec<Query>,
    /// How many of `should` have to match; `None`: one when nothing must match, none otherwise.
    pub minimum_should_match: Option<MinimumShouldMatch>,
    /// Whether one with nothing but `must_not` finds all other documents instead of none.
    pub adjust_pure_negative: bool,
}

/// `dis_max`.
#[derive(Clone, Debug, PartialEq)]
pub struct DisMax {
    /// At least one has to match; the best one scores.
    pub queries: Vec<Query>,
    /// Which part of the other scores is added, 0 to 1.
    pub tie_breaker: f32,
}

/// `boosting`.
#[derive(Clone, Debug, PartialEq)]
pub struct Boosting {
    /// Has to match.
    pub positive: Box<Query>,
    /// Makes hits worth less.
    pub negative: Box<Query>,
    /// What the score is multiplied with then, from 0.
    pub negative_boost: f32,
}

/// `nested`; its hits all score the same, whatever `score_mode` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Nested {
    /// The field that holds the objects, as a whole path.
    pub path: String,
    /// What one of the objects has to match; its fields are whole paths as well.
    pub query: Box<Query>,
    /// Whether an index without that path has no hits instead of refusing.
    pub ignore_unmapped: bool,
}

impl Reader {
    pub(super) fn read_bool(
        &mut self,
        body: &Value,
        common: &mut Common,
    ) -> Result<Bool, Exception> {
        let mut read = Bool { adjust_pure_negative: true, ..Bool::default() };
        for (key, value) in options::object("bool", body)? {
            match key.as_str() {
                "must" => self.read_list(value, &mut read.must)?,
                "filter" => self.read_list(value, &mut read.filter)?,
                "should" => self.read_list(value, &mut read.should)?,
                "must_not" | "mustNot" => self.read_list(value, &mut read.must_not)?,
                "minimum_should_match" if value.is_null() => {}
                "minimum_should_match" => {
                    read.minimum_should_match = Some(MinimumShouldMatch::from_json("bool", value)?);
                }
                "adjust_pure_negative" => {
                    read.adjust_pure_negative = options::boolean("bool", key, value)?;
                }
                _ => common.take("bool", key, value)?,
            }
        }
        Ok(read)
    }

    pub(super) fn read_constant_score(
        &mut self,
        body: &Value,
        common: &mut Common,
    ) -> Result<Box<Query>, Exception> {
        let mut filter = None;
        for (key, value) in options::object("constant_score", body)? {
            match key.as_str() {
                "filter" => filter = Some(self.read(value)?),
                _ => common.take("constant_score", key, value)?,
            }
        }
        filter
            .map(Box::new)
            .ok_or_else(|| Exception::parsing("[constant_score] requires a 'filter' element"))
    }

    pub(super) fn read_dis_max(
        &mut self,
        body: &Value,
        common: &mut Common,
    ) -> Result<DisMax, Exception> {
        let mut read = DisMax { queries: Vec::new(), tie_breaker: 0.0 };
        for (key, value) in options::object("dis_max", body)? {
            match key.as_str() {
                "queries" => self.read_list(value, &mut read.queries)?,
                "tie_breaker" => read.tie_breaker = options::float("dis_max", key, value)?,
                _ => common.take("dis_max", key, value)?,
            }
        }
        if read.queries.is_empty() {
            return Err(Exception::parsing(
                "[dis_max] requires 'queries' field with at least one clause",
            ));
        }
        Ok(read)
    }

    pub(super) fn read_boosting(
        &mut self,
        body: &Value,
        common: &mut Common,
    ) -> Result<Boosting, Exception> {
        let (mut positive, mut negative, mut negative_boost) = (None, None, None);
        for (key, value) in options::object("boosting", body)? {
            match key.as_str() {
                "positive" => positive = Some(self.read(value)?),
                "negative" => negative = Some(self.read(value)?),
                "negative_boost" => {
                    negative_boost = Some(options::float("boosting", key, value)?);
                }
                _ => common.take("boosting", key, value)?,
            }
        }
        let missing =
            |key: &str| Exception::parsing(format!("[boosting] query requires '{key}' to be set"));
        let read = Boosting {
            positive: Box::new(positive.ok_or_else(|| missing("positive"))?),
            negative: Box::new(negative.ok_or_else(|| missing("negative"))?),
            negative_boost: negative_boost.ok_or_else(|| missing("negative_boost"))?,
        };
        if read.negative_boost < 0.0 {
            return Err(missing("negative_boost to a value from 0"));
        }
        Ok(read)
    }

    pub(super) fn read_nested(
        &mut self,
        body: &Value,
        common: &mut Common,
    ) -> Result<Nested, Exception> {
        let (mut path, mut query, mut ignore_unmapped) = (None, None, false);
        for (key, value) in options::object("nested", body)? {
            match key.as_str() {
                "path" => path = Some(options::text("nested", key, value)?),
                "query" => query = Some(Box::new(self.read(value)?)),
                "ignore_unmapped" => ignore_unmapped = options::boolean("nested", key, value)?,
                "score_mode" => check_score_mode(&options::text("nested", key, value)?)?,
                "inner_hits" => {
                    return Err(Exception::unsupported("query [nested] with [inner_hits]"));
                }
                _ => common.take("nested", key, value)?,
            }
        }
        let missing = |key| Exception::parsing(format!("[nested] requires '{key}' field"));
        Ok(Nested {
            path: path.ok_or_else(|| missing("path"))?,
            query: query.ok_or_else(|| missing("query"))?,
            ignore_unmapped,
        })
    }

    /// Reads one query or a list of them.
    fn read_list(&mut self, value: &Value, into: &mut Vec<Query>) -> Result<(), Exception> {
        match value {
            Value::Array(queries) => {
                for query in queries {
                    into.push(self.read(query)?);
                }
            }
            query => into.push(self.read(query)?),
        }
        Ok(())
    }
}

fn check_score_mode(mode: &str) -> Result<(), Exception> {
    match mode {
        "none" | "avg" | "max" | "min" | "sum" => Ok(()),
        _ => Err(Exception::illegal_argument(format!(
            "No score mode for child query [{mode}] found"
        ))),
    }
}
