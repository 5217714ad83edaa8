//! Runs a script: statements here, what they are made of in the rooms below.
//!
//! Everything costs steps, whatever is made costs bytes; both are counted in `budget`.

mod budget;
mod call;
mod expression;
mod function;
mod operate;
mod text;
mod walk;

use serde_json::Value as Json;

use crate::RunError;
use crate::script::{Limits, Script};
use crate::syntax::{Expression, Program, Span, Statement, StatementKind};
use crate::value::{Misfit, Value};

use budget::Budget;

/// Most characters of the source, or of a value, that an error shows.
const SHOWN_MAX: usize = 120;

/// Runs a script whose answer must be a boolean.
pub(crate) fn condition(
    source: &str,
    program: &Program,
    variables: &[(&str, &Json)],
    limits: &Limits,
) -> Result<bool, RunError> {
    let mut run = Run::new(source, program, variables, limits);
    match run.block(&program.statements)? {
        Flow::Return(Value::Boolean(answer), _) => Ok(answer),
        Flow::Return(Value::Null, span) => Err(run.null(span)),
        Flow::Return(other, _) => Err(RunError::NotBoolean { found: describe(&other) }),
        Flow::Next | Flow::Break | Flow::Continue => Ok(false),
    }
}

/// Runs a script for whatever its answer is.
pub(crate) fn value(
    source: &str,
    program: &Program,
    variables: &[(&str, &Json)],
    limits: &Limits,
) -> Result<Json, RunError> {
    let mut run = Run::new(source, program, variables, limits);
    match run.block(&program.statements)? {
        Flow::Return(answer, _) => walk::into_json(&answer, &mut run.budget),
        Flow::Next | Flow::Break | Flow::Continue => Ok(Json::Null),
    }
}

/// One run.
struct Run<'a> {
    source: &'a str,
    program: &'a Program,
    /// What stands for each of [`Script::ROOTS`]; `None` was not given.
    roots: [Option<&'a Json>; Script::ROOTS.len()],
    slots: Vec<Value<'a>>,
    budget: Budget,
}

/// How a statement ended.
enum Flow<'a> {
    Next,
    Break,
    Continue,
    /// With the answer and the expression that it is the value of.
    Return(Value<'a>, Span),
}

impl<'a> Run<'a> {
    fn new(
        source: &'a str,
        program: &'a Program,
        variables: &[(&str, &'a Json)],
        limits: &Limits,
    ) -> Self {
        let given = |root: &str| variables.iter().find(|(name, _)| *name == root);
        Self {
            source,
            program,
            roots: Script::ROOTS.map(|root| given(root).map(|(_, value)| *value)),
            slots: vec![Value::Null; program.slots.len()],
            budget: Budget::new(limits),
        }
    }

    fn block(&mut self, statements: &'a [Statement]) -> Result<Flow<'a>, RunError> {
        for statement in statements {
            match self.statement(statement)? {
                Flow::Next => {}
                left => return Ok(left),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &'a Statement) -> Result<Flow<'a>, RunError> {
        self.budget.spend(1)?;
        match &statement.kind {
            StatementKind::Declare { slot, value } => self.declare(*slot, value.as_ref())?,
            StatementKind::Evaluate(expression) => {
                self.evaluate(expression)?;
            }
            StatementKind::Return(expression) => {
                return Ok(Flow::Return(self.evaluate(expression)?, expression.span));
            }
            StatementKind::If { branches, otherwise } => {
                for (condition, block) in branches {
                    if self.truth(condition)? {
                        return self.block(block);
                    }
                }
                return self.block(otherwise.as_deref().unwrap_or_default());
            }
            StatementKind::While { condition, body } => {
                return self.repeat(Some(condition), None, body);
            }
            StatementKind::DoWhile { body, condition } => {
                if let Some(left) = self.turn(body)? {
                    return Ok(left);
                }
                return self.repeat(Some(condition), None, body);
            }
            StatementKind::For { initial, condition, step, body } => {
                self.block(initial)?;
                return self.repeat(condition.as_ref(), step.as_ref(), body);
            }
            StatementKind::ForEach { slot, values, body } => {
                return self.for_each(*slot, values, body);
            }
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn declare(&mut self, slot: usize, value: Option<&'a Expression>) -> Result<(), RunError> {
        let kind = self.program.slots[slot];
        self.slots[slot] = match value {
            Some(expression) => {
                let value = self.evaluate(expression)?;
                self.fit(value, slot, expression.span)?
            }
            None => Value::initial(kind),
        };
        Ok(())
    }

    /// Returns the value as one of the type that the variable was declared with.
    fn fit(&self, value: Value<'a>, slot: usize, span: Span) -> Result<Value<'a>, RunError> {
        let to = self.program.slots[slot];
        let name = value.noun();
        value.converted(to, false).map_err(|misfit| match misfit {
            Misfit::Null => self.null(span),
            Misfit::Type => self.failed(
                span,
                &format!("{name} does not fit into a variable of type {}", to.name()),
            ),
        })
    }

    fn repeat(
        &mut self,
        condition: Option<&'a Expression>,
        step: Option<&'a Expression>,
        body: &'a [Statement],
    ) -> Result<Flow<'a>, RunError> {
        loop {
            if let Some(condition) = condition
                && !self.truth(condition)?
            {
                return Ok(Flow::Next);
            }
            if let Some(left) = self.turn(body)? {
                return Ok(left);
            }
            if let Some(step) = step {
                self.evaluate(step)?;
            }
        }
    }

    fn for_each(
        &mut self,
        slot: usize,
        values: &'a Expression,
        body: &'a [Statement],
    ) -> Result<Flow<'a>, RunError> {
        let items = self.evaluate(values)?;
        let count = match (&items, items.item_count()) {
            (_, Some(count)) => count,
            (Value::Null, _) => return Err(self.null(values.span)),
            (Value::Object(_) | Value::Map(_), _) => {
                return Err(
                    self.failed(values.span, "a Map has no order to loop over: write .entrySet()")
                );
            }
            (other, _) => {
                let message = format!("{} cannot be looped over", other.noun());
                return Err(self.failed(values.span, &message));
            }
        };
        for index in 0..count {
            let item = items.item(index).unwrap_or(Value::Null);
            self.slots[slot] = self.fit(item, slot, values.span)?;
            if let Some(left) = self.turn(body)? {
                return Ok(left);
            }
        }
        Ok(Flow::Next)
    }

    /// Runs the body of a loop once; `None` means that the loop goes on.
    fn turn(&mut self, body: &'a [Statement]) -> Result<Option<Flow<'a>>, RunError> {
        self.budget.spend(1)?;
        Ok(match self.block(body)? {
            Flow::Next | Flow::Continue => None,
            Flow::Break => Some(Flow::Next),
            left @ Flow::Return(..) => Some(left),
        })
    }

    /// Evaluates what must be true or false.
    fn truth(&mut self, expression: &'a Expression) -> Result<bool, RunError> {
        match self.evaluate(expression)? {
            Value::Boolean(truth) => Ok(truth),
            Value::Null => Err(self.null(expression.span)),
            other => {
                let message = format!("must be true or false, and is {}", describe(&other));
                Err(self.failed(expression.span, &message))
            }
        }
    }

    /// Returns what was written there, shortened.
    fn written(&self, span: Span) -> String {
        shorten(self.source.get(span.start..span.end).unwrap_or_default())
    }

    fn null(&self, span: Span) -> RunError {
        RunError::Null { what: self.written(span) }
    }

    fn failed(&self, span: Span, message: &str) -> RunError {
        RunError::Failed(format!("{}: {message}", self.written(span)))
    }
}

/// Says what a value is, in a message.
fn describe(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(boolean) => format!("the boolean {boolean}"),
        Value::Number(number) => format!("the {} {number}", number.type_name()),
        Value::Text(text) => format!("the String \"{}\"", shorten(text)),
        other => other.noun(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
