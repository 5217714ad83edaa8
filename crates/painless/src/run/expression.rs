//! Evaluates expressions.

use crate::RunError;
use crate::number::{Arithmetic, Number};
use crate::script::Script;
use crate::syntax::{Expression, ExpressionKind, Literal, Span, Type};
use crate::value::{ListKind, Misfit, Text, Value};

use super::{Run, walk};

impl<'a> Run<'a> {
    /// Returns the value of an expression.
    pub(super) fn evaluate(&mut self, expression: &'a Expression) -> Result<Value<'a>, RunError> {
        self.budget.spend(1)?;
        match &expression.kind {
            ExpressionKind::Literal(literal) => Ok(literal_value(literal)),
            ExpressionKind::Root(root) => self.root(*root),
            ExpressionKind::Slot(slot) => Ok(self.slots[*slot].clone()),
            ExpressionKind::Member { target, name, safe } => self.member(target, name, *safe),
            ExpressionKind::Index { target, index } => self.index(target, index),
            ExpressionKind::Call { target, method, arguments, safe } => {
                self.call(expression.span, target, *method, arguments, *safe)
            }
            ExpressionKind::Static { function, arguments } => {
                self.call_function(expression.span, *function, arguments)
            }
            ExpressionKind::Matches { text, pattern, safe } => self.matches(text, pattern, *safe),
            ExpressionKind::Not(operand) => Ok(Value::Boolean(!self.truth(operand)?)),
            ExpressionKind::Negate(operand) => Ok(Value::Number(self.number(operand)?.negate())),
            ExpressionKind::Plus(operand) => Ok(Value::Number(self.number(operand)?)),
            ExpressionKind::Arithmetic { operator, left, right } => {
                let left_value = self.evaluate(left)?;
                let right_value = self.evaluate(right)?;
                let spans = (left.span, right.span);
                self.calculate(expression.span, *operator, left_value, right_value, spans)
            }
            ExpressionKind::Compare { comparison, left, right } => {
                self.compare(expression.span, *comparison, left, right)
            }
            ExpressionKind::All(parts) => self.all(parts, true),
            ExpressionKind::Any(parts) => self.all(parts, false),
            ExpressionKind::Choose { condition, then, otherwise } => {
                let chosen = if self.truth(condition)? { then } else { otherwise };
                self.evaluate(chosen)
            }
            ExpressionKind::Elvis { value, otherwise } => match self.evaluate(value)? {
                Value::Null => self.evaluate(otherwise),
                value => Ok(value),
            },
            ExpressionKind::Cast { to, value } => self.cast(*to, value),
            ExpressionKind::InstanceOf { value, of } => {
                Ok(Value::Boolean(self.evaluate(value)?.is_of(*of)))
            }
            ExpressionKind::Assign { slot, operator, value } => {
                self.assign(expression.span, *slot, *operator, value)
            }
            ExpressionKind::Step { slot, up, before } => {
                self.step(expression.span, *slot, *up, *before)
            }
            ExpressionKind::List(items) => self.list(items),
            ExpressionKind::Map(entries) => self.map(entries),
        }
    }

    fn root(&self, root: usize) -> Result<Value<'a>, RunError> {
        let name = Script::ROOTS[root];
        let given = self.roots[root];
        // Not null: that would be read as data that is missing.
        let missing = || RunError::Failed(format!("the variable {name} is not given here"));
        given.map(Value::of_json).ok_or_else(missing)
    }

    fn member(
        &mut self,
        target: &'a Expression,
        name: &'a str,
        safe: bool,
    ) -> Result<Value<'a>, RunError> {
        let value = self.evaluate(target)?;
        match &value {
            Value::Null if safe => Ok(Value::Null),
            Value::Null => Err(self.null(target.span)),
            Value::Object(_) | Value::Map(_) => {
                let key = Value::Text(Text::Given(name));
                Ok(walk::lookup(&value, &key, &mut self.budget)?.unwrap_or(Value::Null))
            }
            Value::Entry(entry) if name == "key" => Ok(entry.0.clone()),
            Value::Entry(entry) if name == "value" => Ok(entry.1.clone()),
            _ if value.is_list() && name == "length" => {
                Ok(Value::int(value.item_count().unwrap_or(0)))
            }
            _ if value.is_list() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                let place = name.parse().unwrap_or(i64::MAX);
                self.item(&value, place, target.span)
            }
            other => {
                let message = format!("{} has no member {name}", other.noun());
                Err(self.failed(target.span, &message))
            }
        }
    }

    fn index(
        &mut self,
        target: &'a Expression,
        index: &'a Expression,
    ) -> Result<Value<'a>, RunError> {
        let value = self.evaluate(target)?;
        if matches!(value, Value::Null) {
            return Err(self.null(target.span));
        }
        let key = self.evaluate(index)?;
        match (&value, &key) {
            (Value::Object(_) | Value::Map(_), _) => {
                Ok(walk::lookup(&value, &key, &mut self.budget)?.unwrap_or(Value::Null))
            }
            (_, Value::Null) if value.is_list() => Err(self.null(index.span)),
            (_, Value::Number(Number::Int(place))) if value.is_list() => {
                let count = value.item_count().unwrap_or(0) as i64;
                let place = i64::from(*place);
                // A negative index counts from the end, in brackets alone.
                self.item(&value, if place < 0 { place + count } else { place }, target.span)
            }
            (_, key) if value.is_list() => {
                let message = format!("an index must be an int, and is {}", key.noun());
                Err(self.failed(index.span, &message))
            }
            (other, _) => {
                let message = format!("{} has no places to index", other.noun());
                Err(self.failed(target.span, &message))
            }
        }
    }

    /// Returns the item of a list at a place, counted from 0.
    pub(super) fn item(
        &self,
        list: &Value<'a>,
        place: i64,
        span: Span,
    ) -> Result<Value<'a>, RunError> {
        let found = usize::try_from(place).ok().and_then(|place| list.item(place));
        found.ok_or_else(|| {
            let count = list.item_count().unwrap_or(0);
            self.failed(span, &format!("there is no item {place} in a list of {count}"))
        })
    }

    fn all(&mut self, parts: &'a [Expression], wanted: bool) -> Result<Value<'a>, RunError> {
        for part in parts {
            if self.truth(part)? != wanted {
                return Ok(Value::Boolean(!wanted));
            }
        }
        Ok(Value::Boolean(wanted))
    }

    fn cast(&mut self, to: Type, expression: &'a Expression) -> Result<Value<'a>, RunError> {
        let value = self.evaluate(expression)?;
        let name = value.noun();
        value.converted(to, true).map_err(|misfit| match misfit {
            Misfit::Null => self.null(expression.span),
            Misfit::Type => {
                let message = format!("{name} cannot be cast to {}", to.name());
                self.failed(expression.span, &message)
            }
        })
    }

    fn assign(
        &mut self,
        span: Span,
        slot: usize,
        operator: Option<Arithmetic>,
        expression: &'a Expression,
    ) -> Result<Value<'a>, RunError> {
        let value = match operator {
            None => {
                let value = self.evaluate(expression)?;
                self.fit(value, slot, expression.span)?
            }
            Some(operator) => {
                let before = self.slots[slot].clone();
                let right = self.evaluate(expression)?;
                let spans = (span, expression.span);
                let value = self.calculate(span, operator, before, right, spans)?;
                self.narrowed(value, slot, span)?
            }
        };
        self.slots[slot] = value.clone();
        Ok(value)
    }

    /// Returns the outcome of a compound assignment, which is cast to the type of the variable.
    fn narrowed(&self, value: Value<'a>, slot: usize, span: Span) -> Result<Value<'a>, RunError> {
        let to = self.program.slots[slot];
        match value {
            Value::Number(_) if to.is_primitive() && to != Type::Boolean => {
                value.converted(to, true).map_err(|_| self.failed(span, "cannot be narrowed"))
            }
            other => self.fit(other, slot, span),
        }
    }

    fn step(
        &mut self,
        span: Span,
        slot: usize,
        up: bool,
        before: bool,
    ) -> Result<Value<'a>, RunError> {
        let old = self.slots[slot].clone();
        let one = Value::Number(Number::Int(1));
        let operator = if up { Arithmetic::Add } else { Arithmetic::Subtract };
        if !matches!(old, Value::Number(_) | Value::Null) {
            let message = format!("{} cannot be counted up or down", old.noun());
            return Err(self.failed(span, &message));
        }
        let new = self.calculate(span, operator, old.clone(), one, (span, span))?;
        let new = self.narrowed(new, slot, span)?;
        self.slots[slot] = new.clone();
        Ok(if before { old } else { new })
    }

    fn list(&mut self, items: &'a [Expression]) -> Result<Value<'a>, RunError> {
        self.budget.make_values(items.len())?;
        let items: Vec<_> =
            items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?;
        self.made(Value::list(ListKind::List, items))
    }

    fn map(&mut self, entries: &'a [(Expression, Expression)]) -> Result<Value<'a>, RunError> {
        self.budget.make_values(entries.len().saturating_mul(2))?;
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.evaluate(key)?;
            let value = self.evaluate(value)?;
            let mut known = None;
            for (place, (other, _)) in made.iter().enumerate() {
                if walk::equals(other, &key, &mut self.budget)? {
                    known = Some(place);
                }
            }
            match known {
                Some(place) => made[place].1 = value,
                None => made.push((key, value)),
            }
        }
        self.made(Value::map(made))
    }

    /// Returns a list or map that was made, unless it lies too deep.
    pub(super) fn made(&self, value: Value<'a>) -> Result<Value<'a>, RunError> {
        self.budget.check_depth(value.depth())?;
        Ok(value)
    }
}

fn literal_value(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Boolean(boolean) => Value::Boolean(*boolean),
        Literal::Number(number) => Value::Number(*number),
        Literal::Text(text) => Value::Text(Text::Given(text)),
    }
}
