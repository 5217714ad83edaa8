//! Values as text: `print`, `println` and `printf`.
//!
//! What does not fit is written into the text, as `%!d(float64=1)`, and fails nothing.
//!
//! Source: Go 1.19, `fmt`, `print.go` and `format.go`.

mod printer;

use std::borrow::Cow;

use self::printer::{Printer, Spec};
use super::value::Value;
use crate::RenderError;
use crate::budget::Budget;

/// Widths and precisions above are not taken.
const NUMBER_MAX: usize = 1_000_000;

/// Writes values one after the other, with space between two of which none is a text.
pub(super) fn print(values: &[Value<'_>], budget: &mut Budget) -> Result<String, RenderError> {
    let mut printer = Printer::new(budget);
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            printer.push(" ")?;
        }
        printer.value(value, 'v', &Spec::default())?;
    }
    Ok(printer.finish())
}

/// Writes values as an action does, with words for nil.
pub(super) fn shown(
    mut values: Vec<Value<'_>>,
    budget: &mut Budget,
) -> Result<String, RenderError> {
    for value in &mut values {
        if matches!(value, Value::Nil) {
            *value = Value::Text(Cow::Borrowed("<no value>"));
        }
    }
    print(&values, budget)
}

/// Writes values with space between them and a line end behind.
pub(super) fn println(values: &[Value<'_>], budget: &mut Budget) -> Result<String, RenderError> {
    let mut printer = Printer::new(budget);
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.push(" ")?;
        }
        printer.value(value, 'v', &Spec::default())?;
    }
    printer.push("\n")?;
    Ok(printer.finish())
}

/// Writes values into a format.
///
/// # Errors
/// The format uses the flag `#`, or the text becomes too long.
pub(super) fn printf(
    format: &str,
    values: &[Value<'_>],
    budget: &mut Budget,
) -> Result<String, RenderError> {
    let printer = Printer::new(budget);
    let mut formatter = Formatter {
        printer,
        rest: format,
        values,
        next: 0,
        is_reordered: false,
        is_good_index: true,
    };
    while let Some(at) = formatter.rest.find('%') {
        let (text, rest) = formatter.rest.split_at(at);
        formatter.printer.push(text)?;
        formatter.rest = &rest[1..];
        formatter.verb()?;
    }
    formatter.printer.push(formatter.rest)?;
    formatter.extra()?;
    Ok(formatter.printer.finish())
}

struct Formatter<'f, 'b> {
    printer: Printer<'b>,
    /// What of the format is not read.
    rest: &'f str,
    values: &'f [Value<'f>],
    /// The value that is written next.
    next: usize,
    /// Whether the format names values by their numbers.
    is_reordered: bool,
    /// Whether the number of the value in this verb can be one.
    is_good_index: bool,
}

impl Formatter<'_, '_> {
    /// Writes what stands behind a `%`.
    fn verb(&mut self) -> Result<(), RenderError> {
        let mut spec = self.flags()?;
        self.is_good_index = true;
        let mut has_index = self.index();
        if self.take('*') {
            match self.star() {
                Some(width) => {
                    if width < 0 {
                        (spec.is_left, spec.is_zero) = (true, false);
                    }
                    spec.width = Some(width.unsigned_abs() as usize);
                }
                None => self.printer.push("%!(BADWIDTH)")?,
            }
            has_index = false;
        } else {
            spec.width = self.number();
            self.is_good_index &= !(has_index && spec.width.is_some());
        }
        if self.take('.') {
            self.is_good_index &= !has_index;
            has_index = self.index();
            if self.take('*') {
                spec.precision = match self.star() {
                    Some(precision) => usize::try_from(precision).ok(),
                    None => None,
                };
                if spec.precision.is_none() {
                    self.printer.push("%!(BADPREC)")?;
                }
                has_index = false;
            } else {
                spec.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !has_index {
            self.index();
        }
        let Some(verb) = self.rest.chars().next() else {
            return self.printer.push("%!(NOVERB)");
        };
        self.rest = &self.rest[verb.len_utf8()..];
        if verb == 'v' {
            spec.has_names = std::mem::take(&mut spec.is_plus);
        }
        match self.values.get(self.next) {
            _ if verb == '%' => self.printer.push("%"),
            _ if !self.is_good_index => self.printer.push(&format!("%!{verb}(BADINDEX)")),
            None => self.printer.push(&format!("%!{verb}(MISSING)")),
            Some(value) => {
                self.next += 1;
                self.printer.value(value, verb, &spec)
            }
        }
    }

    fn flags(&mut self) -> Result<Spec, RenderError> {
        let mut spec = Spec::default();
        while let Some(flag) = self.rest.chars().next() {
            match flag {
                '0' => spec.is_zero = !spec.is_left,
                '+' => spec.is_plus = true,
                '-' => (spec.is_left, spec.is_zero) = (true, false),
                ' ' => spec.is_space = true,
                '#' => {
                    let message = "the flag # of a format is not supported".to_owned();
                    return Err(RenderError::Failed(message));
                }
                _ => break,
            }
            self.rest = &self.rest[1..];
        }
        Ok(spec)
    }

    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads a number; `None` if there is none, or it is too large.
    fn number(&mut self) -> Option<usize> {
        let end = self.rest.find(|digit: char| !digit.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        digits.parse().ok().filter(|&number| number <= NUMBER_MAX)
    }

    /// Reads the number of a value in brackets, and returns whether there was one.
    fn index(&mut self) -> bool {
        let Some(inside) = self.rest.strip_prefix('[') else { return false };
        self.is_reordered = true;
        let Some((number, rest)) = inside.split_once(']') else {
            self.is_good_index = false;
            self.rest = inside;
            return false;
        };
        self.rest = rest;
        match number.parse::<usize>() {
            Ok(number) if (1..=self.values.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.is_good_index = false;
                true
            }
        }
    }

    /// Takes a value as a width or a precision.
    fn star(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value {
            Value::Int(number) if number.unsigned_abs() <= NUMBER_MAX as u64 => Some(*number),
            _ => None,
        }
    }

    /// Writes the values that the format does not use.
    fn extra(&mut self) -> Result<(), RenderError> {
        let unused = self.values.get(self.next..).unwrap_or_default();
        if self.is_reordered || unused.is_empty() {
            return Ok(());
        }
        self.printer.push("%!(EXTRA ")?;
        for (index, value) in unused.iter().enumerate() {
            if index > 0 {
                self.printer.push(", ")?;
            }
            self.printer.with_type(value, &Spec::default())?;
        }
        self.printer.push(")")
    }
}
