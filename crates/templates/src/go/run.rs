//! Executes a template.
//!
//! Source: Go, `text/template`, `exec.go`.

use std::borrow::Cow;

use super::Data;
use super::format;
use super::functions::{self, Function};
use super::syntax::{Call, Command, Node, Operand, Pipe, Term};
use super::value::Value;
use crate::RenderError;
use crate::budget::Budget;
use crate::place::place;

/// So many variables are looked through in one step.
const VARIABLES_PER_STEP: usize = 8;

/// Writes `nodes` over `data`.
pub(super) fn run(
    source: &str,
    nodes: &[Node],
    data: &Data<'_>,
    bytes_max: usize,
) -> Result<String, RenderError> {
    let variables = vec![
        ("$", Value::Data(*data)),
        ("$labels", Value::Labels(data.labels)),
        ("$externalLabels", Value::Labels(data.external_labels)),
        ("$externalURL", Value::Text(Cow::Borrowed(data.external_url))),
        ("$value", Value::Float(data.value)),
    ];
    let budget = Budget::new(bytes_max);
    let mut run = Run { source, data: *data, variables, budget, out: String::new() };
    run.nodes(nodes, &Value::Data(*data))?;
    Ok(run.out)
}

struct Run<'r> {
    source: &'r str,
    data: Data<'r>,
    variables: Vec<(&'r str, Value<'r>)>,
    budget: Budget,
    out: String,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'r> Run<'r> {
    fn failed(&self, at: usize, message: &str) -> RenderError {
        let (line, column) = place(self.source, at);
        RenderError::Failed(format!("line {line}, column {column}: {message}"))
    }

    fn nodes(&mut self, nodes: &'r [Node], dot: &Value<'r>) -> Result<Flow, RenderError> {
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs one part; variables that are declared inside of a control structure are forgotten behind it.
    fn node(&mut self, node: &'r Node, dot: &Value<'r>) -> Result<Flow, RenderError> {
        self.budget.step(1)?;
        let declared = self.variables.len();
        let flow = match node {
            Node::Text(text) => {
                self.budget.push(&mut self.out, text)?;
                return Ok(Flow::Next);
            }
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    let text = format::shown(vec![value], &mut self.budget)?;
                    self.budget.push(&mut self.out, &text)?;
                }
                // What it declares stays to the end of the list.
                return Ok(Flow::Next);
            }
            Node::If { arms, otherwise } => self.branches(arms, otherwise, dot)?,
            Node::With { pipe, body, otherwise } => {
                let value = self.pipe(pipe, dot)?;
                if value.is_true() {
                    self.nodes(body, &value)?
                } else {
                    self.nodes(otherwise, dot)?
                }
            }
            Node::Range { pipe, body, otherwise } => self.range(pipe, body, otherwise, dot)?,
            Node::Break => Flow::Break,
            Node::Continue => Flow::Continue,
        };
        self.variables.truncate(declared);
        Ok(flow)
    }

    fn branches(
        &mut self,
        arms: &'r [(Pipe, Vec<Node>)],
        otherwise: &'r [Node],
        dot: &Value<'r>,
    ) -> Result<Flow, RenderError> {
        for (pipe, body) in arms {
            if self.pipe(pipe, dot)?.is_true() {
                return self.nodes(body, dot);
            }
        }
        self.nodes(otherwise, dot)
    }

    fn range(
        &mut self,
        pipe: &'r Pipe,
        body: &'r [Node],
        otherwise: &'r [Node],
        dot: &Value<'r>,
    ) -> Result<Flow, RenderError> {
        let labels = match self.commands(pipe, dot)? {
            Value::Labels(labels) => labels,
            other => {
                let message = format!("range cannot go over a {}", other.type_name());
                return Err(self.failed(pipe.at, &message));
            }
        };
        if labels.is_empty() {
            return self.nodes(otherwise, dot);
        }
        let declared = self.variables.len();
        for &(name, value) in labels {
            self.budget.step(1)?;
            let value = Value::Text(Cow::Borrowed(value));
            match pipe.variables.as_slice() {
                [] => {}
                [only] => self.variables.push((only, value.clone())),
                [first, second, ..] => {
                    self.variables.push((first, Value::Text(Cow::Borrowed(name))));
                    self.variables.push((second, value.clone()));
                }
            }
            let flow = self.nodes(body, &value)?;
            self.variables.truncate(declared);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// Returns the value of a pipeline, having set its variables.
    fn pipe(&mut self, pipe: &'r Pipe, dot: &Value<'r>) -> Result<Value<'r>, RenderError> {
        let value = self.commands(pipe, dot)?;
        for name in &pipe.variables {
            let value = self.copy(&value)?;
            self.budget.step(self.variables.len() / VARIABLES_PER_STEP)?;
            let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
            match known {
                Some((_, place)) if pipe.is_assignment => *place = value,
                _ => self.variables.push((name, value)),
            }
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &'r Pipe, dot: &Value<'r>) -> Result<Value<'r>, RenderError> {
        let mut last = None;
        for command in &pipe.commands {
            self.budget.step(1)?;
            last = Some(match command {
                Command::Value(operand) => self.operand(operand, dot)?,
                Command::Call(call) => self.call(call, last, dot)?,
            });
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    /// Copies a value, paying for a text that was made.
    fn copy(&mut self, value: &Value<'r>) -> Result<Value<'r>, RenderError> {
        if let Value::Text(Cow::Owned(text)) = value {
            self.budget.text(text.len())?;
        }
        Ok(value.clone())
    }

    fn operand(&mut self, operand: &'r Operand, dot: &Value<'r>) -> Result<Value<'r>, RenderError> {
        self.budget.step(1)?;
        let mut value = match &operand.term {
            Term::Dot => self.copy(dot)?,
            Term::Nil => Value::Nil,
            Term::Bool(is_true) => Value::Bool(*is_true),
            Term::Int(number) => Value::Int(*number),
            Term::Float(number) => Value::Float(*number),
            Term::Text(text) => Value::Text(Cow::Borrowed(text)),
            Term::Variable(name) => {
                self.budget.step(self.variables.len() / VARIABLES_PER_STEP)?;
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = known.map_or(Value::Nil, |(_, value)| value.clone());
                self.copy(&value)?
            }
            Term::Pipe(pipe) => self.pipe(pipe, dot)?,
            Term::Call(call) => self.call(call, None, dot)?,
        };
        for field in &operand.fields {
            if let Value::Labels(labels) = &value {
                self.budget.step(labels.len())?;
            }
            value = value.field(field).map_err(|message| self.failed(operand.at, &message))?;
        }
        Ok(value)
    }

    fn call(
        &mut self,
        call: &'r Call,
        piped: Option<Value<'r>>,
        dot: &Value<'r>,
    ) -> Result<Value<'r>, RenderError> {
        let is_choice = matches!(call.function, Function::And | Function::Or);
        let mut values = Vec::with_capacity(call.arguments.len() + 1);
        for argument in &call.arguments {
            let value = self.operand(argument, dot)?;
            // The first that decides is the answer, and the others are not looked at.
            if is_choice && value.is_true() == (call.function == Function::Or) {
                return Ok(value);
            }
            values.push(value);
        }
        values.extend(piped);
        let answer = functions::call(
            call.function,
            values,
            call.pattern.as_deref(),
            &self.data,
            &mut self.budget,
        );
        answer.map_err(|error| match error {
            RenderError::Failed(message) => {
                self.failed(call.at, &format!("{}: {message}", call.function.name()))
            }
            other => other,
        })
    }
}
