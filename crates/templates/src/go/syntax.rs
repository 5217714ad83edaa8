//! The parts of a parsed template.

use std::sync::Arc;

use super::functions::Function;
use super::pattern::Pattern;

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Text as it is.
    Text(String),
    /// The value of a pipeline is written, unless it sets a variable.
    Action(Pipe),
    /// The body of the first arm whose pipeline is true, or else the last list.
    If { arms: Vec<(Pipe, Vec<Node>)>, otherwise: Vec<Node> },
    /// The body, with the value of the pipeline as the dot, if it is true.
    With { pipe: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    /// The body for each label, with its value as the dot.
    Range { pipe: Pipe, body: Vec<Node>, otherwise: Vec<Node> },
    /// Ends the innermost range.
    Break,
    /// Goes on with the next label of the innermost range.
    Continue,
}

/// Commands, each of which gets the value of the one before as its last argument.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    /// The variables that are set, with their `$`; two only in a range.
    pub(super) variables: Vec<String>,
    /// Whether they are there already (`=`) and not new (`:=`).
    pub(super) is_assignment: bool,
    pub(super) commands: Vec<Command>,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

/// One command of a pipeline.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// A value.
    Value(Operand),
    /// A function with what stands behind it.
    Call(Call),
}

/// A function with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    pub(super) arguments: Vec<Operand>,
    /// The first argument as a regular expression, where the function takes one and it stands there.
    pub(super) pattern: Option<Arc<Pattern>>,
    /// Where it stands, in bytes.
    pub(super) at: usize,
}

/// A value with the fields that are asked of it.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) fields: Vec<String>,
    /// Where it stands, in bytes.
    pub(super) at: usize,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// What the control structure around is about.
    Dot,
    /// Go's `nil`.
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A variable with its `$`.
    Variable(String),
    /// A pipeline in parentheses.
    Pipe(Box<Pipe>),
    /// A function without arguments, as an argument itself.
    Call(Box<Call>),
}
