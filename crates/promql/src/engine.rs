//! The entrance: text in, answers out.

use std::sync::Arc;

use pampero_series::SeriesSource;

use crate::answer::{Answer, Steps};
use crate::cancel::Cancel;
use crate::error::QueryError;
use crate::evaluate::{self, Grid};
use crate::options::Options;
use crate::parse;
use crate::query::Query;
use crate::syntax::ValueType;

/// Parses and evaluates queries; clones share their options.
#[derive(Clone, Debug)]
pub struct Engine {
    options: Arc<Options>,
}

impl Engine {
    /// Makes an engine.
    pub fn new(options: Options) -> Self {
        Self { options: Arc::new(options) }
    }

    /// Returns how it evaluates.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Reads and checks a query.
    ///
    /// # Errors
    /// The text is no query, or passes a limit; the error says where.
    pub fn parse(&self, text: &str) -> Result<Query, QueryError> {
        parse::parse(text, &self.options.limits)
    }

    /// Evaluates a query at one time, in milliseconds since the Unix epoch.
    ///
    /// This may take as long as the limit on time, so it belongs on a thread that may block.
    ///
    /// # Errors
    /// The query cannot be evaluated over these series, passes a limit, or is cancelled.
    pub fn instant(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        at_ms: i64,
        cancel: &Cancel,
    ) -> Result<Answer, QueryError> {
        evaluate::instant(&self.options, source, &query.expr, at_ms, cancel)
    }

    /// Evaluates a query at each step of a range.
    ///
    /// This may take as long as the limit on time, so it belongs on a thread that may block.
    ///
    /// # Errors
    /// The range is wrong, the query is neither a scalar nor an instant vector, cannot be
    /// evaluated over these series, passes a limit, or is cancelled.
    pub fn range(
        &self,
        source: &dyn SeriesSource,
        query: &Query,
        range: Steps,
        cancel: &Cancel,
    ) -> Result<Answer, QueryError> {
        let found = query.value_type();
        if !matches!(found, ValueType::Scalar | ValueType::Vector) {
            return Err(QueryError::NotForRange { found });
        }
        let grid = self.grid(range)?;
        evaluate::range(&self.options, source, &query.expr, grid, range.end_ms, cancel)
    }

    fn grid(&self, range: Steps) -> Result<Grid, QueryError> {
        if range.step_ms <= 0 {
            return Err(QueryError::Step);
        }
        let length_ms = range.end_ms.saturating_sub(range.start_ms);
        if length_ms < 0 {
            return Err(QueryError::EndBeforeStart);
        }
        let max = self.options.limits.points_max;
        let count = usize::try_from(length_ms / range.step_ms).unwrap_or(usize::MAX);
        if count > max {
            return Err(QueryError::TooManyPoints { max });
        }
        Ok(Grid { start_ms: range.start_ms, step_ms: range.step_ms, count: count + 1 })
    }
}
