//! Calls of methods, by what they are called on.

use crate::RunError;
use crate::catalog::Method;
use crate::number::Number;
use crate::syntax::{Expression, Span};
use crate::value::{ListKind, Value};

use super::{Run, walk};

impl<'a> Run<'a> {
    /// Calls a method of a value.
    pub(super) fn call(
        &mut self,
        span: Span,
        target: &'a Expression,
        method: Method,
        arguments: &'a [Expression],
        safe: bool,
    ) -> Result<Value<'a>, RunError> {
        let value = self.evaluate(target)?;
        if matches!(value, Value::Null) {
            return if safe { Ok(Value::Null) } else { Err(self.null(target.span)) };
        }
        let given: Vec<_> =
            arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<_, _>>()?;
        let call = Call { span, method, arguments, given: &given };
        if let Some(answer) = self.call_any(&call, &value)? {
            return Ok(answer);
        }
        let answer = match &value {
            Value::Number(number) => number_method(method, *number),
            Value::Text(text) => self.text_method(&call, text)?,
            Value::Array(_) | Value::List(_) => self.list_method(&call, &value)?,
            Value::Object(_) | Value::Map(_) => self.map_method(&call, &value)?,
            Value::Entry(entry) => match method {
                Method::GetKey => Some(entry.0.clone()),
                Method::GetValue => Some(entry.1.clone()),
                _ => None,
            },
            Value::Null | Value::Boolean(_) => None,
        };
        answer.ok_or_else(|| {
            let hint = match (method, value.is_list()) {
                (Method::Length, true) => ": write .length without parentheses",
                _ => "",
            };
            let message = format!("{} has no method {}{hint}", value.noun(), method.name());
            self.failed(target.span, &message)
        })
    }

    /// Calls what every value has.
    fn call_any(
        &mut self,
        call: &Call<'a, '_>,
        value: &Value<'a>,
    ) -> Result<Option<Value<'a>>, RunError> {
        Ok(match (call.method, call.given) {
            (Method::Equals, [other]) => {
                Some(Value::Boolean(walk::equals(value, other, &mut self.budget)?))
            }
            (Method::ToString, _) => {
                let mut text = String::new();
                walk::write(value, &mut text, &mut self.budget)?;
                Some(Value::text(text))
            }
            _ => None,
        })
    }

    fn list_method(
        &mut self,
        call: &Call<'a, '_>,
        list: &Value<'a>,
    ) -> Result<Option<Value<'a>>, RunError> {
        let count = list.item_count().unwrap_or(0);
        Ok(match (call.method, call.given) {
            (Method::Size, _) => Some(Value::int(count)),
            (Method::IsEmpty, _) => Some(Value::Boolean(count == 0)),
            (Method::Contains, [wanted]) => {
                Some(Value::Boolean(walk::position(list, wanted, &mut self.budget)?.is_some()))
            }
            (Method::GetLength, _) if list.is_list() => Some(Value::int(count)),
            (Method::Get, _) if list.is_list() => {
                let place = self.int_argument(call, 0)?;
                Some(self.item(list, i64::from(place), call.span)?)
            }
            (Method::IndexOf, [wanted]) if list.is_list() => {
                Some(match walk::position(list, wanted, &mut self.budget)? {
                    Some(place) => Value::int(place),
                    None => Value::Number(Number::Int(-1)),
                })
            }
            _ => None,
        })
    }

    fn map_method(
        &mut self,
        call: &Call<'a, '_>,
        map: &Value<'a>,
    ) -> Result<Option<Value<'a>>, RunError> {
        let count = walk::entry_count(map).unwrap_or(0);
        let budget = &mut self.budget;
        let made = match (call.method, call.given) {
            (Method::Size, _) => Value::int(count),
            (Method::IsEmpty, _) => Value::Boolean(count == 0),
            (Method::Get, [key]) => walk::lookup(map, key, budget)?.unwrap_or(Value::Null),
            (Method::GetOrDefault, [key, default]) => {
                walk::lookup(map, key, budget)?.unwrap_or_else(|| default.clone())
            }
            (Method::ContainsKey, [key]) => {
                Value::Boolean(walk::lookup(map, key, budget)?.is_some())
            }
            (Method::ContainsValue, [wanted]) => {
                let mut found = false;
                for (_, value) in walk::entries(map, budget)? {
                    found = found || walk::equals(&value, wanted, budget)?;
                }
                Value::Boolean(found)
            }
            (Method::KeySet, _) => {
                let keys = walk::entries(map, budget)?.into_iter().map(|(key, _)| key);
                Value::list(ListKind::Set, keys.collect())
            }
            (Method::Values, _) => {
                let values = walk::entries(map, budget)?.into_iter().map(|(_, value)| value);
                Value::list(ListKind::Collection, values.collect())
            }
            (Method::EntrySet, _) => {
                let entries = walk::entries(map, budget)?.into_iter();
                let entries = entries.map(|entry| Value::Entry(entry.into()));
                Value::list(ListKind::Set, entries.collect())
            }
            _ => return Ok(None),
        };
        self.made(made).map(Some)
    }

    /// Returns an argument that must be an int.
    pub(super) fn int_argument(&self, call: &Call<'a, '_>, index: usize) -> Result<i32, RunError> {
        match &call.given[index] {
            Value::Number(Number::Int(int)) => Ok(*int),
            other => Err(self.wrong_argument(call, index, other, "an int")),
        }
    }

    /// Returns an argument that must be a text.
    pub(super) fn text_argument<'c>(
        &self,
        call: &'c Call<'a, '_>,
        index: usize,
    ) -> Result<&'c str, RunError> {
        match &call.given[index] {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong_argument(call, index, other, "a String")),
        }
    }

    fn wrong_argument(
        &self,
        call: &Call<'a, '_>,
        index: usize,
        found: &Value<'_>,
        wanted: &str,
    ) -> RunError {
        let span = call.arguments[index].span;
        if matches!(found, Value::Null) {
            return self.null(span);
        }
        let message =
            format!("{} takes {wanted}, and this is {}", call.method.name(), found.noun());
        self.failed(span, &message)
    }
}

/// A call of a method, with what its arguments are.
pub(super) struct Call<'a, 'c> {
    pub(super) span: Span,
    pub(super) method: Method,
    pub(super) arguments: &'a [Expression],
    pub(super) given: &'c [Value<'a>],
}

fn number_method<'a>(method: Method, number: Number) -> Option<Value<'a>> {
    Some(Value::Number(match method {
        Method::IntValue => Number::Int(number.to_int()),
        Method::LongValue => Number::Long(number.to_long()),
        Method::FloatValue => Number::Float(number.to_float()),
        Method::DoubleValue => Number::Double(number.to_double()),
        _ => return None,
    }))
}
