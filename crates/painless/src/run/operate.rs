//! Arithmetic and comparisons of values.

use std::cmp::Ordering;

use crate::RunError;
use crate::number::{Arithmetic, Number};
use crate::syntax::{Comparison, Expression, Span};
use crate::value::Value;

use super::{Run, walk};

impl<'a> Run<'a> {
    /// Returns the number that an expression must be.
    pub(super) fn number(&mut self, expression: &'a Expression) -> Result<Number, RunError> {
        match self.evaluate(expression)? {
            Value::Number(number) => Ok(number),
            Value::Null => Err(self.null(expression.span)),
            other => {
                let message = format!("must be a number, and is {}", other.noun());
                Err(self.failed(expression.span, &message))
            }
        }
    }

    /// Calculates with two values; with a text on either side, `+` joins.
    pub(super) fn calculate(
        &mut self,
        span: Span,
        operator: Arithmetic,
        left: Value<'a>,
        right: Value<'a>,
        (left_span, right_span): (Span, Span),
    ) -> Result<Value<'a>, RunError> {
        match (&left, &right) {
            (Value::Number(left), Value::Number(right)) => match left.calculate(operator, *right) {
                Some(number) => Ok(Value::Number(number)),
                None => Err(self.failed(span, "an integer cannot be divided by zero")),
            },
            (Value::Text(_), _) | (_, Value::Text(_)) if operator == Arithmetic::Add => {
                let mut joined = String::new();
                walk::write(&left, &mut joined, &mut self.budget)?;
                walk::write(&right, &mut joined, &mut self.budget)?;
                Ok(Value::text(joined))
            }
            (Value::Null, _) => Err(self.null(left_span)),
            (_, Value::Null) => Err(self.null(right_span)),
            (left, right) => Err(self.unfit(span, operator.symbol(), left, right)),
        }
    }

    /// Compares two expressions.
    pub(super) fn compare(
        &mut self,
        span: Span,
        comparison: Comparison,
        left: &'a Expression,
        right: &'a Expression,
    ) -> Result<Value<'a>, RunError> {
        let left_value = self.evaluate(left)?;
        let right_value = self.evaluate(right)?;
        let holds = match comparison {
            Comparison::Equal => self.same(&left_value, &right_value)?,
            Comparison::Unequal => !self.same(&left_value, &right_value)?,
            _ => match (&left_value, &right_value) {
                (Value::Number(left), Value::Number(right)) => {
                    left.compare(*right).is_some_and(|order| fulfils(order, comparison))
                }
                (Value::Null, _) => return Err(self.null(left.span)),
                (_, Value::Null) => return Err(self.null(right.span)),
                (left, right) => return Err(self.unfit(span, comparison.symbol(), left, right)),
            },
        };
        Ok(Value::Boolean(holds))
    }

    /// Returns what `==` says: numbers are compared by value, everything else as `equals` does.
    fn same(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, RunError> {
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                Ok(left.compare(*right) == Some(Ordering::Equal))
            }
            _ => walk::equals(left, right, &mut self.budget),
        }
    }

    fn unfit(&self, span: Span, symbol: &str, left: &Value<'_>, right: &Value<'_>) -> RunError {
        let (left, right) = (left.type_name(), right.type_name());
        self.failed(span, &format!("the operator {symbol} does not go with {left} and {right}"))
    }
}

fn fulfils(order: Ordering, comparison: Comparison) -> bool {
    match comparison {
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
        Comparison::Equal => order == Ordering::Equal,
        Comparison::Unequal => order != Ordering::Equal,
    }
}
