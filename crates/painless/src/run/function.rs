//! Calls of functions of classes.

use crate::RunError;
use crate::catalog::Function;
use crate::number::{self, Number};
use crate::syntax::{Expression, Span};
use crate::value::Value;

use super::{Run, describe, walk};

impl<'a> Run<'a> {
    /// Calls a function of a class.
    pub(super) fn call_function(
        &mut self,
        span: Span,
        function: Function,
        arguments: &'a [Expression],
    ) -> Result<Value<'a>, RunError> {
        let number = match function {
            Function::ValueOf => {
                let value = self.evaluate(&arguments[0])?;
                let mut text = String::new();
                walk::write(&value, &mut text, &mut self.budget)?;
                return Ok(Value::text(text));
            }
            Function::ParseDouble => Number::Double(self.parsed(
                span,
                &arguments[0],
                "a double",
                number::parse_double,
            )?),
            Function::ParseInt => {
                let read = |text: &str| number::parse_long(text)?.try_into().ok();
                Number::Int(self.parsed(span, &arguments[0], "an int", read)?)
            }
            Function::ParseLong => {
                Number::Long(self.parsed(span, &arguments[0], "a long", number::parse_long)?)
            }
            Function::Round => Number::Long(number::round(self.double(&arguments[0])?)),
            Function::Abs => Number::Double(self.double(&arguments[0])?.abs()),
            Function::Ceil => Number::Double(self.double(&arguments[0])?.ceil()),
            Function::Floor => Number::Double(self.double(&arguments[0])?.floor()),
            Function::Sqrt => Number::Double(self.double(&arguments[0])?.sqrt()),
            Function::Max => self.of_two(arguments, number::max)?,
            Function::Min => self.of_two(arguments, number::min)?,
            Function::Pow => self.of_two(arguments, number::pow)?,
        };
        Ok(Value::Number(number))
    }

    fn of_two(
        &mut self,
        arguments: &'a [Expression],
        function: fn(f64, f64) -> f64,
    ) -> Result<Number, RunError> {
        let left = self.double(&arguments[0])?;
        let right = self.double(&arguments[1])?;
        Ok(Number::Double(function(left, right)))
    }

    fn double(&mut self, argument: &'a Expression) -> Result<f64, RunError> {
        Ok(self.number(argument)?.to_double())
    }

    fn parsed<T>(
        &mut self,
        span: Span,
        argument: &'a Expression,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, RunError> {
        match self.evaluate(argument)? {
            Value::Text(text) => {
                self.budget.look_through(&text)?;
                read(&text).ok_or_else(|| {
                    let found = describe(&Value::Text(text.clone()));
                    self.failed(span, &format!("{found} is not {wanted}"))
                })
            }
            Value::Null => Err(self.null(argument.span)),
            other => {
                let message = format!("{} is no String to read from", describe(&other));
                Err(self.failed(argument.span, &message))
            }
        }
    }
}
