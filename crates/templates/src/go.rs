//! The part of Go's templates that labels and annotations of Prometheus's alerting rules use.
//!
//! Text, pipelines, variables, `if`, `with` and `range` (over labels), Go's own functions and those of
//! Prometheus that work on values and texts. Refused by name when a template is parsed: `query` and what
//! works on its answer, templates within templates, `toTime`, and calls that can only fail. `index` of a
//! text gives an `int` where Go gives a `uint8`, and `safeHtml` a text like any other. In `printf`, the flag `#`
//! and the binary and hexadecimal forms of a `float64` fail.
//!
//! Source: Go 1.19, `text/template` and `fmt`; Prometheus 2.42, template reference and `template.go`.

mod compare;
mod convert;
mod float;
mod format;
mod functions;
mod host;
mod humanize;
mod lex;
mod parse;
mod pattern;
mod quote;
mod run;
mod syntax;
mod value;

use self::syntax::Node;
use crate::{RenderError, TemplateError};

/// What a template is rendered over.
#[derive(Clone, Copy, Debug)]
pub struct Data<'d> {
    /// `$labels`: name and value, in the order of the names; with the name of the metric (`__name__`) if
    /// the sample that the rule found has one.
    pub labels: &'d [(&'d str, &'d str)],
    /// `$value`.
    pub value: f64,
    /// `$externalLabels`, in the order of the names.
    pub external_labels: &'d [(&'d str, &'d str)],
    /// `$externalURL`.
    pub external_url: &'d str,
}

/// A template that was parsed.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    nodes: Vec<Node>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// An action is not closed, or uses a function or a field that is not understood.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let nodes = parse::parse(source)?;
        Ok(Self { source: source.to_owned(), nodes })
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders the template. A label that is not there is empty text.
    ///
    /// # Errors
    /// The text would be longer than `bytes_max`, takes too many steps, or a function failed.
    pub fn render(&self, data: Data<'_>, bytes_max: usize) -> Result<String, RenderError> {
        run::run(&self.source, &self.nodes, &data, bytes_max)
    }
}
