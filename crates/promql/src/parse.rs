//! From text to a checked tree: `scan` bounds what the grammar is given, `promql-parser` knows the
//! grammar, `convert` checks its tree and turns it into ours.

mod convert;
mod diagnose;
mod pretty;
mod scan;

use crate::error::QueryError;
use crate::options::Limits;
use crate::query::Query;

/// Reads and checks a query.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Query, QueryError> {
    let tokens = scan::scan(text, limits)?;
    convert::allow_holt_winters();
    let tree = promql_parser::parser::parse(text)
        .map_err(|message| diagnose::explain(text, &tokens, message))?;
    let expr = convert::convert(text, &tokens, &tree)?;
    Ok(Query { text: text.trim().to_owned(), pretty: pretty::pretty(&tree), expr })
}
