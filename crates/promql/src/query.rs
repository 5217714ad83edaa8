//! A query that has been read and checked.

use std::fmt;

use pampero_series::Matcher;

use crate::syntax::{Expr, ValueType};

/// A query that has been read and checked; [`Engine::parse`](crate::Engine::parse) makes it.
#[derive(Clone, Debug)]
pub struct Query {
    /// As it was written, white space at the ends aside.
    pub(crate) text: String,
    /// With line breaks and indentation.
    pub(crate) pretty: String,
    pub(crate) expr: Expr,
}

impl Query {
    /// Returns the query in the usual form, on several lines when it is long.
    pub fn format(&self) -> String {
        self.pretty.clone()
    }

    /// Returns the type of what it evaluates to.
    pub fn value_type(&self) -> ValueType {
        self.expr.value_type()
    }

    /// Returns the conditions of each selector in it, from left to right.
    pub fn selectors(&self) -> Vec<Vec<Matcher>> {
        let mut selectors = Vec::new();
        self.expr.each_selector(&mut |selector| selectors.push(selector.matchers.clone()));
        selectors
    }
}

impl fmt::Display for Query {
    /// Writes the query as it was written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
