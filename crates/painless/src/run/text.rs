//! Methods of texts, whose places count UTF-16 units as in Java, and patterns.

use crate::RunError;
use crate::catalog::Method;
use crate::number::Number;
use crate::syntax::{Expression, Pattern};
use crate::value::Value;

use super::Run;
use super::call::Call;

impl<'a> Run<'a> {
    /// Calls a method of a text; `None` if a text has no such method.
    pub(super) fn text_method(
        &mut self,
        call: &Call<'a, '_>,
        text: &str,
    ) -> Result<Option<Value<'a>>, RunError> {
        self.budget.look_through(text)?;
        Ok(Some(match call.method {
            Method::Length => Value::int(utf16_length(text)),
            Method::IsEmpty => Value::Boolean(text.is_empty()),
            Method::Contains => Value::Boolean(text.contains(self.text_argument(call, 0)?)),
            Method::StartsWith => Value::Boolean(text.starts_with(self.text_argument(call, 0)?)),
            Method::EndsWith => Value::Boolean(text.ends_with(self.text_argument(call, 0)?)),
            Method::EqualsIgnoreCase => match &call.given[0] {
                Value::Text(other) => {
                    self.budget.look_through(other)?;
                    Value::Boolean(equals_ignoring_case(text, other))
                }
                _ => Value::Boolean(false),
            },
            Method::ToLowerCase => self.text_made(text.to_lowercase())?,
            Method::ToUpperCase => self.text_made(text.to_uppercase())?,
            Method::Trim => {
                let trimmed = text.trim_matches(|character| character <= ' ');
                self.text_made(trimmed.to_owned())?
            }
            Method::IndexOf => {
                let from = if call.given.len() > 1 { self.int_argument(call, 1)? } else { 0 };
                Value::Number(Number::Int(index_of(text, self.text_argument(call, 0)?, from)))
            }
            Method::Substring => self.substring(call, text)?,
            Method::ToEpochMilli => match text.parse::<jiff::Timestamp>() {
                Ok(instant) => Value::Number(Number::Long(instant.as_millisecond())),
                Err(_) => return Err(self.failed(call.span, "the text is no instant")),
            },
            _ => return Ok(None),
        }))
    }

    fn text_made(&mut self, text: String) -> Result<Value<'a>, RunError> {
        self.budget.make(text.len())?;
        Ok(Value::text(text))
    }

    fn substring(&mut self, call: &Call<'a, '_>, text: &str) -> Result<Value<'a>, RunError> {
        let length = utf16_length(text);
        let begin = self.int_argument(call, 0)?;
        let end = match call.given.len() {
            1 => i32::try_from(length).unwrap_or(i32::MAX),
            _ => self.int_argument(call, 1)?,
        };
        let bytes = (begin <= end).then(|| {
            let byte = |place: i32| byte_of(text, usize::try_from(place).ok()?);
            Some((byte(begin)?, byte(end)?))
        });
        match bytes.flatten() {
            Some((begin, end)) => self.text_made(text[begin..end].to_owned()),
            None => {
                let message = format!("a text of {length} has no part from {begin} to {end}");
                Err(self.failed(call.span, &message))
            }
        }
    }

    /// Returns whether a pattern is in a text.
    pub(super) fn matches(
        &mut self,
        text: &'a Expression,
        pattern: &Pattern,
        safe: bool,
    ) -> Result<Value<'a>, RunError> {
        match self.evaluate(text)? {
            Value::Text(found) => {
                self.budget.spend(found.len().saturating_mul(pattern.steps_per_byte))?;
                Ok(Value::Boolean(pattern.regex.is_match(&found)))
            }
            Value::Null if safe => Ok(Value::Null),
            Value::Null => Err(self.null(text.span)),
            other => {
                let message =
                    format!("a pattern is looked for in a String, and this is {}", other.noun());
                Err(self.failed(text.span, &message))
            }
        }
    }
}

fn utf16_length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Returns the byte at a place in UTF-16 units; `None` is past the end or within a character.
fn byte_of(text: &str, place: usize) -> Option<usize> {
    if text.is_ascii() {
        return (place <= text.len()).then_some(place);
    }
    let mut units = 0;
    for (byte, character) in text.char_indices() {
        if units >= place {
            return (units == place).then_some(byte);
        }
        units += character.len_utf16();
    }
    (units == place).then_some(text.len())
}

/// Returns where `wanted` is in `text` at or behind `from`, or -1.
fn index_of(text: &str, wanted: &str, from: i32) -> i32 {
    let length = utf16_length(text);
    let mut from = usize::try_from(from).unwrap_or(0);
    if from > length {
        if !wanted.is_empty() {
            return -1;
        }
        from = length;
    }
    // A place within a character: nothing can begin there.
    let start = byte_of(text, from).or_else(|| byte_of(text, from + 1)).unwrap_or(text.len());
    match text[start..].find(wanted) {
        Some(byte) => i32::try_from(utf16_length(&text[..start + byte])).unwrap_or(i32::MAX),
        None => -1,
    }
}

/// Compares letter by letter, in upper and in lower case, as Java does.
fn equals_ignoring_case(left: &str, right: &str) -> bool {
    let fold = |text: &str| -> Vec<char> {
        let upper = text.chars().map(|letter| single(letter, letter.to_uppercase()));
        upper.map(|letter| single(letter, letter.to_lowercase())).collect()
    };
    fold(left) == fold(right)
}

/// Returns the other case of a letter if that is a single letter, else the letter.
fn single(letter: char, mut other: impl Iterator<Item = char>) -> char {
    match (other.next(), other.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_utf16_units() {
        assert_eq!(utf16_length("a😀b"), 4);
        for (place, byte) in
            [(0, Some(0)), (1, Some(1)), (2, None), (3, Some(5)), (4, Some(6)), (5, None)]
        {
            assert_eq!(byte_of("a😀b", place), byte, "{place}");
        }
    }

    #[test]
    fn texts_are_found_as_in_java() {
        for (text, wanted, from, found) in [
            ("a😀b", "b", 0, 3),
            ("a😀b", "b", 2, 3),
            ("abab", "ab", 1, 2),
            ("abab", "ab", -5, 0),
            ("abab", "ab", 9, -1),
            ("abab", "", 9, 4),
            ("", "", 0, 0),
            ("", "a", 0, -1),
        ] {
            assert_eq!(index_of(text, wanted, from), found, "{wanted:?} in {text:?} from {from}");
        }
    }

    #[test]
    fn case_is_ignored_letter_by_letter() {
        assert!(equals_ignoring_case("Ñandú", "ñANDÚ"));
        assert!(!equals_ignoring_case("straße", "STRASSE"));
        assert!(!equals_ignoring_case("a", "ab"));
    }
}
