//! Mustache as OpenSearch's alerting renders it.
//!
//! Variables, sections, inverted sections, comments, and OpenSearch's functions `toJson`, `join` and `url`;
//! lines with nothing but a section tag or a comment leave no empty line behind. Partials, changes of the
//! delimiters, inheritance and the helpers of Handlebars are refused when a template is parsed.
//!
//! Objects and lists are written as compact JSON, where the original writes Java's `{a=1}`.
//!
//! Source: the Mustache manual and specification 1.4; OpenSearch, `lang-mustache`.

mod data;
mod escape;
mod parse;
mod render;
mod syntax;

use serde_json::Value;

use self::syntax::Node;
use crate::{RenderError, TemplateError};

/// How values are written into the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escape {
    /// `{{x}}` is escaped as inside a JSON string, as OpenSearch does it; `{{{x}}}` is raw.
    Json,
    /// Everything is raw.
    None,
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
    /// A tag is not closed, or asks for what this Mustache does not have, as partials.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let nodes = parse::parse(source)?;
        Ok(Self { source: source.to_owned(), nodes })
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns every name that the template uses, with its dots, each once and in the order of the text.
    ///
    /// A name inside a section may belong to what the section is about; see
    /// [`root_names`](Self::root_names).
    pub fn names(&self) -> Vec<String> {
        syntax::names(&self.nodes, true)
    }

    /// Returns the names outside of any section, which only the data itself can have, each once.
    ///
    /// The name of an outermost section is among them.
    pub fn root_names(&self) -> Vec<String> {
        syntax::names(&self.nodes, false)
    }

    /// Renders the template over `data`. Missing names and nulls are empty text.
    ///
    /// # Errors
    /// The text would be longer than `bytes_max`, or takes too many steps.
    pub fn render(
        &self,
        data: &Value,
        escape: Escape,
        bytes_max: usize,
    ) -> Result<String, RenderError> {
        render::render(&self.nodes, data, escape, bytes_max)
    }
}
