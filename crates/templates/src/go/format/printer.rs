//! One value by one verb.

use std::fmt::Write;

use super::super::float;
use super::super::quote;
use super::super::value::{DATA_FIELDS, Value};
use crate::RenderError;
use crate::budget::Budget;

/// The flags, the width and the precision of a verb.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    /// `-`: padded on the right.
    pub(super) is_left: bool,
    /// `0`: padded with zeros.
    pub(super) is_zero: bool,
    /// `+`: always with a sign.
    pub(super) is_plus: bool,
    /// `+` of the verb `v`: with the names of fields.
    pub(super) has_names: bool,
    /// ` `: with a space where a plus would be.
    pub(super) is_space: bool,
    /// The least characters.
    pub(super) width: Option<usize>,
    /// Decimals, significant digits, least digits or most characters, as the verb says.
    pub(super) precision: Option<usize>,
}

/// Writes values within a budget.
pub(super) struct Printer<'b> {
    out: String,
    budget: &'b mut Budget,
}

impl<'b> Printer<'b> {
    pub(super) fn new(budget: &'b mut Budget) -> Self {
        Self { out: String::new(), budget }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), RenderError> {
        self.budget.push(&mut self.out, text)
    }

    /// Writes a value by a verb.
    pub(super) fn value(
        &mut self,
        value: &Value<'_>,
        verb: char,
        spec: &Spec,
    ) -> Result<(), RenderError> {
        // What is wider or more precise than any text may be would be made before it is refused.
        self.budget.fits(spec.precision.unwrap_or(0))?;
        self.budget.fits(spec.width.unwrap_or(0))?;
        if verb == 'T' && !matches!(value, Value::Nil) {
            return self.text(value.type_name(), 's', spec);
        }
        match value {
            Value::Nil if matches!(verb, 'v' | 'T') => self.pad("<nil>", spec),
            Value::Bool(is_true) if matches!(verb, 't' | 'v') => {
                self.pad(if *is_true { "true" } else { "false" }, spec)
            }
            Value::Nil | Value::Bool(_) => self.bad(value, verb, spec),
            Value::Int(number) => match integer(*number, verb, spec) {
                Some(text) => {
                    let is_zero = spec.is_zero && matches!(verb, 'c' | 'q' | 'U');
                    self.pad(&text, &Spec { is_zero, ..spec.clone() })
                }
                None => self.bad(value, verb, spec),
            },
            Value::Float(number) => self.float(*number, verb, spec),
            Value::Text(text) => self.text(text, verb, spec),
            Value::Labels(labels) => self.labels(labels, verb, spec),
            Value::Data(data) => {
                let fields = [
                    Value::Labels(data.labels),
                    Value::Labels(data.external_labels),
                    Value::Text(data.external_url.into()),
                    Value::Float(data.value),
                ];
                self.fields(&fields, verb, spec)
            }
        }
    }

    /// Writes a value behind the name of its type.
    pub(super) fn with_type(&mut self, value: &Value<'_>, spec: &Spec) -> Result<(), RenderError> {
        if matches!(value, Value::Nil) {
            return self.push("<nil>");
        }
        self.push(value.type_name())?;
        self.push("=")?;
        self.value(value, 'v', spec)
    }

    /// Writes that a verb does not fit a value.
    fn bad(&mut self, value: &Value<'_>, verb: char, spec: &Spec) -> Result<(), RenderError> {
        self.push(&format!("%!{verb}("))?;
        self.with_type(value, spec)?;
        self.push(")")
    }

    /// Writes a text in the width that is asked for.
    fn pad(&mut self, text: &str, spec: &Spec) -> Result<(), RenderError> {
        let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
        let padding = (if spec.is_zero { "0" } else { " " }).repeat(missing);
        if spec.is_left {
            self.push(text)?;
            return self.push(&padding);
        }
        self.push(&padding)?;
        self.push(text)
    }

    fn float(&mut self, number: f64, verb: char, spec: &Spec) -> Result<(), RenderError> {
        let decimals = spec.precision.unwrap_or(6);
        let written = match verb {
            'v' | 'g' | 'G' => float::general(number, spec.precision),
            'e' | 'E' => float::exponential(number, decimals),
            'f' | 'F' => float::fixed(number, decimals),
            'b' | 'x' | 'X' => {
                let message = format!("%{verb} of a float64 is not supported");
                return Err(RenderError::Failed(message));
            }
            _ => return self.bad(&Value::Float(number), verb, spec),
        };
        let written = if verb.is_ascii_uppercase() && number.is_finite() {
            written.replace('e', "E")
        } else {
            written
        };
        let magnitude = written.trim_start_matches(['+', '-']);
        let sign = if written.starts_with('-') {
            "-"
        } else if spec.is_plus {
            "+"
        } else if spec.is_space {
            " "
        } else if number.is_infinite() {
            "+"
        } else {
            ""
        };
        let missing = spec.width.unwrap_or(0).saturating_sub(sign.len() + magnitude.len());
        if spec.is_zero && number.is_finite() && missing > 0 {
            let zeros = "0".repeat(missing);
            return self.push(&format!("{sign}{zeros}{magnitude}"));
        }
        let is_zero = spec.is_zero && number.is_finite();
        self.pad(&format!("{sign}{magnitude}"), &Spec { is_zero, ..spec.clone() })
    }

    fn text(&mut self, text: &str, verb: char, spec: &Spec) -> Result<(), RenderError> {
        let shown = match spec.precision {
            Some(most) => text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]),
            None => text,
        };
        match verb {
            's' | 'v' => self.pad(shown, spec),
            'q' => {
                self.budget.text(shown.len())?;
                self.pad(&quote::quote(shown, '"', spec.is_plus), spec)
            }
            'x' | 'X' => {
                self.budget.text(text.len())?;
                let bytes = text.as_bytes();
                let bytes = &bytes[..spec.precision.unwrap_or(bytes.len()).min(bytes.len())];
                self.pad(&hexadecimal(bytes, verb == 'X', spec.is_space), spec)
            }
            _ => self.bad(&Value::Text(text.into()), verb, spec),
        }
    }

    fn labels(
        &mut self,
        labels: &[(&str, &str)],
        verb: char,
        spec: &Spec,
    ) -> Result<(), RenderError> {
        self.push("map[")?;
        for (index, (name, value)) in labels.iter().enumerate() {
            if index > 0 {
                self.push(" ")?;
            }
            self.text(name, verb, spec)?;
            self.push(":")?;
            self.text(value, verb, spec)?;
        }
        self.push("]")
    }

    fn fields(&mut self, fields: &[Value<'_>], verb: char, spec: &Spec) -> Result<(), RenderError> {
        self.push("{")?;
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.push(" ")?;
            }
            if spec.has_names {
                self.push(DATA_FIELDS[index].0)?;
                self.push(":")?;
            }
            self.value(field, verb, spec)?;
        }
        self.push("}")
    }
}

/// Returns a whole number by a verb, padded with zeros where those are digits; `None` if the verb has
/// none.
fn integer(number: i64, verb: char, spec: &Spec) -> Option<String> {
    let magnitude = number.unsigned_abs();
    let character = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
    let digits = match verb {
        'v' | 'd' => magnitude.to_string(),
        'b' => format!("{magnitude:b}"),
        'o' | 'O' => format!("{magnitude:o}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'c' => return Some(character.to_string()),
        'q' => return Some(quote::quote(&character.to_string(), '\'', spec.is_plus)),
        'U' => {
            let digits_min = spec.precision.unwrap_or(4).max(4);
            let zeros = "0".repeat(digits_min.saturating_sub(format!("{number:X}").len()));
            return Some(format!("U+{zeros}{number:X}"));
        }
        _ => return None,
    };
    if spec.precision == Some(0) && number == 0 {
        return Some(String::new());
    }
    let sign = match number {
        ..0 => "-",
        _ if spec.is_plus => "+",
        _ if spec.is_space => " ",
        _ => "",
    };
    // Zeros of the padding stand behind the sign; with a precision there are none.
    let least = match (spec.precision, spec.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if spec.is_zero => width - width.min(sign.len()),
        _ => 0,
    };
    let mut text = String::from(sign);
    text.push_str(if verb == 'O' { "0o" } else { "" });
    text.extend(std::iter::repeat_n('0', least.saturating_sub(digits.len())));
    text.push_str(&digits);
    Some(text)
}

fn hexadecimal(bytes: &[u8], is_upper: bool, is_apart: bool) -> String {
    let mut out = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        if is_apart && index > 0 {
            out.push(' ');
        }
        // Writing into a text cannot fail.
        let _ = if is_upper { write!(out, "{byte:02X}") } else { write!(out, "{byte:02x}") };
    }
    out
}
