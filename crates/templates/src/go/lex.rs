//! Cuts a template into text and actions, and actions into tokens.
//!
//! Source: Go, `text/template/parse`, `lex.go`.

use super::quote;
use crate::TemplateError;
use crate::place::error_at;

/// A piece of the text of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece<'s> {
    /// Text outside of actions, trimmed where an action asks for it.
    Text(&'s str),
    /// What stands between `{{` and `}}`; `at` is where it begins, in bytes.
    Action { tokens: Vec<Token<'s>>, at: usize },
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind<'s>,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Whether there is space before it.
    pub(super) is_apart: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'s> {
    /// A keyword or a function.
    Word(&'s str),
    /// `.name`, without the dot.
    Field(&'s str),
    /// `$` or `$name`, with the sign.
    Variable(&'s str),
    Dot,
    Text(String),
    Int(i64),
    Float(f64),
    Pipe,
    Open,
    Close,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Comma,
}

/// Cuts the whole template.
pub(super) fn lex(source: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = source[at..].find("{{") {
        let open = at + found;
        let (inside, trims_left) = match trim_marker(&source[open + 2..]) {
            Some(length) => (open + 2 + length, true),
            None => (open + 2, false),
        };
        let text = &source[at..open];
        let text = if trims_left { text.trim_end_matches(is_blank) } else { text };
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let (end, trims_right) = if source[inside..].starts_with("/*") {
            comment_end(source, inside, open)?
        } else {
            let mut action = Action { source, at: inside, open, tokens: Vec::new() };
            let end = action.read()?;
            pieces.push(Piece::Action { tokens: action.tokens, at: open });
            end
        };
        let rest = &source[end..];
        let skipped =
            if trims_right { rest.len() - rest.trim_start_matches(is_blank).len() } else { 0 };
        at = end + skipped;
    }
    if at < source.len() {
        pieces.push(Piece::Text(&source[at..]));
    }
    Ok(pieces)
}

/// Returns whether Go counts a character as space, in actions and for trimming.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Returns the length of a `-` with one character of space behind it.
fn trim_marker(text: &str) -> Option<usize> {
    text.strip_prefix('-')?.starts_with(is_blank).then_some(2)
}

/// Returns the length of `}}` or ` -}}` at the start of `text`, and whether it trims.
fn closing(text: &str) -> Option<(usize, bool)> {
    if text.starts_with("}}") {
        return Some((2, false));
    }
    let rest = text.strip_prefix(is_blank)?;
    rest.starts_with("-}}").then_some((text.len() - rest.len() + 3, true))
}

/// Returns where the comment at `at` and its action end.
fn comment_end(source: &str, at: usize, open: usize) -> Result<(usize, bool), TemplateError> {
    let Some(length) = source[at..].find("*/") else {
        return Err(error_at(source, open, "a comment is not closed: there is no */"));
    };
    let end = at + length + 2;
    match closing(&source[end..]) {
        Some((length, trims)) => Ok((end + length, trims)),
        None => Err(error_at(source, end, "a comment must be all that its action has")),
    }
}

struct Action<'s> {
    source: &'s str,
    at: usize,
    /// Where the `{{` is.
    open: usize,
    tokens: Vec<Token<'s>>,
}

impl<'s> Action<'s> {
    /// Reads to the end of the action; returns where that is, and whether it trims.
    fn read(&mut self) -> Result<(usize, bool), TemplateError> {
        let mut is_apart = false;
        loop {
            let rest = &self.source[self.at..];
            if let Some((length, trims)) = closing(rest) {
                return Ok((self.at + length, trims));
            }
            let Some(first) = rest.chars().next() else {
                return Err(error_at(self.source, self.open, "an action is not closed"));
            };
            if is_blank(first) {
                self.at += first.len_utf8();
                is_apart = true;
                continue;
            }
            let (kind, length) = self.token(rest, first)?;
            self.tokens.push(Token { kind, at: self.at, is_apart });
            self.at += length;
            is_apart = false;
        }
    }

    fn error(&self, message: impl Into<String>) -> TemplateError {
        error_at(self.source, self.at, message)
    }

    fn token(&self, rest: &'s str, first: char) -> Result<(Kind<'s>, usize), TemplateError> {
        let behind = &rest[first.len_utf8()..];
        let digit_follows = behind.starts_with(|next: char| next.is_ascii_digit());
        Ok(match first {
            '|' => (Kind::Pipe, 1),
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            '=' => (Kind::Assign, 1),
            ':' if behind.starts_with('=') => (Kind::Declare, 2),
            '"' | '`' | '\'' => return self.quoted(rest, first),
            '$' => self.name(rest, behind, Kind::Variable)?,
            '.' if !digit_follows => match name_length(behind) {
                0 => (Kind::Dot, self.terminated(rest, 1)?),
                length => (Kind::Field(&behind[..length]), self.terminated(rest, 1 + length)?),
            },
            '.' | '+' | '-' | '0'..='9' => return self.number(rest),
            _ if is_name(first) => self.name(rest, rest, Kind::Word)?,
            _ => return Err(self.error(format!("{first:?} is not understood in an action"))),
        })
    }

    /// Reads a name: `rest` up to where the letters of `letters`, which is its end, stop.
    fn name(
        &self,
        rest: &'s str,
        letters: &'s str,
        kind: fn(&'s str) -> Kind<'s>,
    ) -> Result<(Kind<'s>, usize), TemplateError> {
        let length = rest.len() - letters.len() + name_length(letters);
        Ok((kind(&rest[..length]), self.terminated(rest, length)?))
    }

    /// Returns `length` if a word may end there.
    fn terminated(&self, rest: &str, length: usize) -> Result<usize, TemplateError> {
        let Some(next) = rest[length..].chars().next() else { return Ok(length) };
        if is_blank(next) || matches!(next, '.' | ',' | '|' | ':' | '=' | ')' | '(' | '}') {
            return Ok(length);
        }
        let word = &rest[..length];
        Err(error_at(
            self.source,
            self.at + length,
            format!("{next:?} cannot follow {word}: only letters, digits and _ make a name"),
        ))
    }

    fn quoted(&self, rest: &str, mark: char) -> Result<(Kind<'s>, usize), TemplateError> {
        let Some(length) = quote::length(rest, mark) else {
            return Err(self.error(format!("a text in {mark} is not closed")));
        };
        let inside = &rest[1..length - 1];
        let text = match mark {
            // Go takes carriage returns out of raw texts.
            '`' => Ok(inside.replace('\r', "")),
            _ => quote::unquote(inside, mark),
        };
        let text = text.map_err(|message| self.error(message))?;
        if mark != '\'' {
            return Ok((Kind::Text(text), length));
        }
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok((Kind::Int(i64::from(u32::from(character))), length)),
            _ => Err(self.error("a character in ' must be one; texts stand in \"")),
        }
    }

    fn number(&self, rest: &str) -> Result<(Kind<'s>, usize), TemplateError> {
        let mut previous = ' ';
        let length = rest
            .find(|character: char| {
                let sign = matches!(character, '+' | '-')
                    && matches!(previous, ' ' | 'e' | 'E')
                    && !rest.starts_with("0x");
                let is_part = sign || character == '.' || is_name(character);
                previous = character;
                !is_part
            })
            .unwrap_or(rest.len());
        let written = &rest[..length];
        let kind = number(written);
        let kind = kind.ok_or_else(|| {
            self.error(format!("{written} is no number of at most 64 bits that is understood"))
        })?;
        Ok((kind, length))
    }
}

/// Returns the length of the letters, digits and `_` at the start, in bytes.
fn name_length(text: &str) -> usize {
    text.find(|character| !is_name(character)).unwrap_or(text.len())
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Reads a number as Go writes one; `None` for what is none, and for complex ones.
fn number(written: &str) -> Option<Kind<'static>> {
    let (sign, magnitude) = match written.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", written.strip_prefix('+').unwrap_or(written)),
    };
    if magnitude.contains("__") || magnitude.ends_with('_') || magnitude.starts_with('_') {
        return None;
    }
    let digits = magnitude.to_ascii_lowercase().replace('_', "");
    let integer = |digits: &str, radix| i64::from_str_radix(&format!("{sign}{digits}"), radix);
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (prefix, radix) in prefixes {
        if let Some(digits) = digits.strip_prefix(prefix) {
            let is_plain = digits.starts_with(|first: char| first.is_ascii_hexdigit());
            return is_plain.then(|| integer(digits, radix).ok())?.map(Kind::Int);
        }
    }
    if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-')) {
        return None;
    }
    if digits.contains(['.', 'e']) {
        let value: f64 = digits.parse().ok().filter(|value: &f64| value.is_finite())?;
        return Some(Kind::Float(if sign.is_empty() { value } else { -value }));
    }
    let radix = if digits.len() > 1 && digits.starts_with('0') { 8 } else { 10 };
    integer(&digits, radix).ok().map(Kind::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        check("0", Some(Kind::Int(0)));
        check("-12", Some(Kind::Int(-12)));
        check("+7", Some(Kind::Int(7)));
        check("0x1F", Some(Kind::Int(31)));
        check("017", Some(Kind::Int(15)));
        check("0b101", Some(Kind::Int(5)));
        check("1_000", Some(Kind::Int(1000)));
        check("-9223372036854775808", Some(Kind::Int(i64::MIN)));
        check("1.0", Some(Kind::Float(1.0)));
        check(".5", Some(Kind::Float(0.5)));
        check("-1e-3", Some(Kind::Float(-0.001)));
        check("9223372036854775808", None);
        check("089", None);
        check("1e999", None);
        check("1__0", None);
        check("0x-1", None);
        check("2i", None);
        check("1.2.3", None);
    }

    #[track_caller]
    fn check(written: &str, expected: Option<Kind<'static>>) {
        assert_eq!(number(written), expected, "{written}");
    }

    #[test]
    fn trim_markers_take_the_space_beside_them() {
        check_text("a {{- 1 -}} b", &["a", "b"]);
        check_text("a {{1}} b", &["a ", " b"]);
        check_text("a\n\t{{- /* c */ -}}\n b", &["a", "b"]);
        check_text("a {{/* {{ */}} b", &["a ", " b"]);
        check_text("{{-1}}", &[]); // No space behind it: a number.
    }

    #[track_caller]
    fn check_text(source: &str, expected: &[&str]) {
        let pieces = lex(source).unwrap();
        let text = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(*text),
            Piece::Action { .. } => None,
        });
        assert_eq!(text.collect::<Vec<_>>(), expected, "{source}");
    }
}
