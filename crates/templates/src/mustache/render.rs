//! Writes a template over data.

use std::borrow::Cow;

use serde_json::Value;

use super::Escape;
use super::data::{self, Contexts};
use super::escape::{escaped, url_encoded};
use super::syntax::{Node, Path};
use crate::RenderError;
use crate::budget::Budget;

/// Writes `nodes` over `data`.
pub(super) fn render(
    nodes: &[Node],
    data: &Value,
    escape: Escape,
    bytes_max: usize,
) -> Result<String, RenderError> {
    let budget = Budget::new(bytes_max);
    let mut run = Run { contexts: vec![Cow::Borrowed(data)], escape, budget };
    let mut out = String::new();
    run.nodes(nodes, &mut out)?;
    Ok(out)
}

struct Run<'d> {
    contexts: Contexts<'d>,
    escape: Escape,
    budget: Budget,
}

impl<'d> Run<'d> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) -> Result<(), RenderError> {
        nodes.iter().try_for_each(|node| self.node(node, out))
    }

    fn node(&mut self, node: &Node, out: &mut String) -> Result<(), RenderError> {
        match node {
            Node::Text(text) => self.budget.push(out, text),
            Node::Value { path, is_raw } => self.value(path, *is_raw, out),
            Node::Section { path, body } => self.section(path, body, out),
            Node::Inverted { path, body } => {
                let value = self.find(path)?;
                if value.is_some_and(|value| data::is_there(&value)) {
                    return Ok(());
                }
                self.nodes(body, out)
            }
            // What is no list and no object is written as it is, without quotes.
            // Source: OpenSearch, `CustomMustacheFactory.ToJsonCode`.
            Node::ToJson(path) => self.value(path, true, out),
            Node::Join { path, delimiter } => self.join(path, delimiter, out),
            Node::Url(body) => {
                let mut inner = String::new();
                self.nodes(body, &mut inner)?;
                self.budget.push(out, &url_encoded(&inner))
            }
        }
    }

    fn find(&mut self, path: &Path) -> Result<Option<Cow<'d, Value>>, RenderError> {
        data::look_up(&self.contexts, &path.0, &mut self.budget)
    }

    fn value(&mut self, path: &Path, is_raw: bool, out: &mut String) -> Result<(), RenderError> {
        let Some(value) = self.find(path)? else { return Ok(()) };
        let text = data::text_of(&value, &mut self.budget)?;
        if is_raw || self.escape == Escape::None {
            return self.budget.push(out, &text);
        }
        self.budget.push(out, &escaped(&text, self.escape))
    }

    fn join(&mut self, path: &Path, delimiter: &str, out: &mut String) -> Result<(), RenderError> {
        let Some(value) = self.find(path)? else { return Ok(()) };
        let items = match &*value {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.budget.push(out, delimiter)?;
            }
            let text = data::text_of(item, &mut self.budget)?;
            self.budget.push(out, &text)?;
        }
        Ok(())
    }

    fn section(&mut self, path: &Path, body: &[Node], out: &mut String) -> Result<(), RenderError> {
        let Some(value) = self.find(path)? else { return Ok(()) };
        if !data::is_there(&value) {
            return Ok(());
        }
        if let Cow::Borrowed(Value::Array(items)) = value {
            return items.iter().try_for_each(|item| self.within(Cow::Borrowed(item), body, out));
        }
        self.within(value, body, out)
    }

    /// Writes a body with `context` as the innermost context.
    fn within(
        &mut self,
        context: Cow<'d, Value>,
        body: &[Node],
        out: &mut String,
    ) -> Result<(), RenderError> {
        self.budget.step(1)?;
        self.contexts.push(context);
        let written = self.nodes(body, out);
        self.contexts.pop();
        written
    }
}
