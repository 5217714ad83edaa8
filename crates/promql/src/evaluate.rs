//! stub
use crate::answer::Answer;
use crate::cancel::Cancel;
use crate::error::QueryError;
use crate::options::Options;
use crate::syntax::Expr;
use pampero_series::SeriesSource;
/// The times at which an expression is evaluated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) start_ms: i64,
    pub(crate) step_ms: i64,
    pub(crate) count: usize,
}
pub(crate) fn instant(
    _: &Options,
    _: &dyn SeriesSource,
    _: &Expr,
    _: i64,
    _: &Cancel,
) -> Result<Answer, QueryError> {
    Err(QueryError::Canceled)
}
pub(crate) fn range(
    _: &Options,
    _: &dyn SeriesSource,
    _: &Expr,
    _: Grid,
    _: i64,
    _: &Cancel,
) -> Result<Answer, QueryError> {
    Err(QueryError::Canceled)
}
