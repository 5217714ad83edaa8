//! Reads a query word by word before the grammar does, to bound what the grammar is given.
//!
//! The grammar recurses, compiles regular expressions without a limit, panics on durations that
//! no clock can hold and knows no places, so all of that is settled here.

use std::ops::Range;

use pampero_series::{MatchOperator, Matcher};
use promql_parser::util::unquote_string;

use crate::duration::parse_duration;
use crate::error::{Position, QueryError};
use crate::options::Limits;

/// A word of a query.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    Number,
    Duration,
    String,
    /// Anything else.
    Symbol,
}

impl Token {
    pub(super) fn text<'t>(&self, query: &'t str) -> &'t str {
        &query[self.span.clone()]
    }
}

/// Reads the words of a query and checks what the grammar must not be given.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<Vec<Token>, QueryError> {
    if text.len() > limits.query_length_max {
        return Err(QueryError::TooLong { length: text.len(), max: limits.query_length_max });
    }
    let mut scanner = Scanner { text, at: 0, tokens: Vec::new() };
    while scanner.next()? {}
    let tokens = scanner.tokens;
    check_depth(text, &tokens, limits.depth_max)?;
    check_durations(text, &tokens)?;
    check_regexes(text, &tokens, limits.regexes_max)?;
    Ok(tokens)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    /// Reads one word; false at the end.
    fn next(&mut self) -> Result<bool, QueryError> {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return Ok(false) };
        let length_while = |wanted: fn(char) -> bool| {
            rest.char_indices().find(|(_, c)| !wanted(*c)).map_or(rest.len(), |(at, _)| at)
        };
        match first {
            _ if first.is_ascii_whitespace() => self.at += first.len_utf8(),
            '#' => self.at += length_while(|c| c != '\n' && c != '\r'),
            '"' | '\'' | '`' => {
                let length = self.string_length(rest, first)?;
                self.push(Kind::String, length);
            }
            _ if is_name(first) => {
                let length = length_while(|c| is_name(c) || c.is_ascii_digit());
                self.push(Kind::Word, length);
            }
            _ if first.is_ascii_digit() || first == '.' => {
                let length = number_length(rest);
                let is_plain = rest[..length].parse::<f64>().is_ok() || rest.starts_with("0x");
                self.push(if is_plain { Kind::Number } else { Kind::Duration }, length);
            }
            _ => {
                let is_pair =
                    ["==", "!=", "=~", "!~", "<=", ">="].iter().any(|s| rest.starts_with(s));
                self.push(Kind::Symbol, if is_pair { 2 } else { first.len_utf8() });
            }
        }
        Ok(true)
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = self.at..self.at + length;
        self.at = span.end;
        self.tokens.push(Token { kind, span });
    }

    fn string_length(&self, rest: &str, quote: char) -> Result<usize, QueryError> {
        let mut is_escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' if quote != '`' => is_escaped = true,
                '\n' if quote != '`' => break,
                _ if c == quote => return Ok(at + 1),
                _ => {}
            }
        }
        let position = Position::of(self.text, self.at);
        Err(QueryError::Parse { position, message: "unterminated quoted string".to_owned() })
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':'
}

/// Returns how far a number or a duration goes, with the sign of an exponent.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
    let mut length = 1;
    while let Some(byte) = bytes.get(length) {
        let is_sign_of_exponent = matches!(byte, b'+' | b'-')
            && !is_hex
            && matches!(bytes[length - 1], b'e' | b'E')
            && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        if !(byte.is_ascii_alphanumeric() || *byte == b'.' || is_sign_of_exponent) {
            break;
        }
        length += 1;
    }
    length
}

/// How deep the tree between two brackets can be at most.
#[derive(Default)]
struct Level {
    /// Of the deepest operand so far.
    operand_depth: usize,
    /// Each operator can put one more node above an operand.
    operators: usize,
    /// Of the deepest argument before the last comma.
    argument_depth: usize,
}

impl Level {
    fn depth(&self) -> usize {
        self.argument_depth.max(self.operand_depth + self.operators)
    }
}

fn check_depth(text: &str, tokens: &[Token], max: usize) -> Result<(), QueryError> {
    let mut enclosing: Vec<Level> = Vec::new();
    let mut level = Level::default();
    let mut is_in_braces = false;
    for token in tokens {
        let word = token.text(text);
        match (token.kind, word) {
            (Kind::Symbol, "{") => is_in_braces = true,
            (Kind::Symbol, "}") => is_in_braces = false,
            _ if is_in_braces => {}
            (Kind::Symbol, "(") => enclosing.push(std::mem::take(&mut level)),
            (Kind::Symbol, ")") => {
                // A bracket too many is for the grammar to complain about.
                if let Some(outer) = enclosing.pop() {
                    let depth = 1 + std::mem::replace(&mut level, outer).depth();
                    level.operand_depth = level.operand_depth.max(depth);
                }
            }
            (Kind::Symbol, ",") => {
                level = Level { argument_depth: level.depth(), ..Level::default() };
            }
            (Kind::Symbol, "]" | ":") => {}
            (Kind::Symbol, _) => level.operators += 1,
            (Kind::Word, _) if is_operator_word(word) => level.operators += 1,
            _ => {}
        }
        if enclosing.len() + level.depth() > max {
            let position = Position::of(text, token.span.start);
            return Err(QueryError::TooDeep { position, max });
        }
    }
    Ok(())
}

pub(super) fn is_operator_word(word: &str) -> bool {
    ["and", "or", "unless", "atan2"].iter().any(|operator| word.eq_ignore_ascii_case(operator))
}

fn check_durations(text: &str, tokens: &[Token]) -> Result<(), QueryError> {
    let mut is_in_brackets = false;
    for (index, token) in tokens.iter().enumerate() {
        let word = token.text(text);
        let position = || Position::of(text, token.span.start);
        let error = |message| Err(QueryError::Parse { position: position(), message });
        match (token.kind, word) {
            (Kind::Symbol, "[") => is_in_brackets = true,
            (Kind::Symbol, "]") => is_in_brackets = false,
            (Kind::Duration, _) => match parse_duration(word) {
                Ok(duration) if duration.is_zero() => {
                    return error("duration must be greater than 0".to_owned());
                }
                Ok(_) => {}
                Err(cause) => return error(cause.to_string()),
            },
            (Kind::Number, _) if is_in_brackets || follows_offset(text, &tokens[..index]) => {
                let seconds = promql_parser::util::parse_str_radix(word).unwrap_or(f64::NAN);
                // The longest duration that Prometheus can hold, 292 years.
                let is_now = seconds == 0.0 && !is_in_brackets;
                if !is_now && !(0.001..9.2e9).contains(&seconds) {
                    return error(format!("{word} is not a valid duration in seconds"));
                }
            }
            (Kind::Word, _) if follows_offset(text, &tokens[..index]) => {
                return error(format!("unexpected {word:?} in offset, expected duration"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns whether what comes next is the duration of an `offset`.
fn follows_offset(text: &str, before: &[Token]) -> bool {
    let unsigned = match before.split_last() {
        Some((last, rest)) if matches!(last.text(text), "+" | "-") => rest,
        _ => before,
    };
    // After an operand only: `offset` may be the name of a metric as well.
    let Some(([.., operand], keyword)) = unsigned.split_last().map(|(last, rest)| (rest, last))
    else {
        return false;
    };
    let ends_operand =
        operand.kind != Kind::Symbol || matches!(operand.text(text), ")" | "]" | "}");
    let is_operator = operand.kind == Kind::Word && is_operator_word(operand.text(text));
    keyword.text(text).eq_ignore_ascii_case("offset") && ends_operand && !is_operator
}

fn check_regexes(text: &str, tokens: &[Token], max: usize) -> Result<(), QueryError> {
    let mut count = 0;
    for pair in tokens.windows(2) {
        let [operator, value] = pair else { continue };
        if !matches!(operator.text(text), "=~" | "!~") || value.kind != Kind::String {
            continue;
        }
        let position = Position::of(text, value.span.start);
        count += 1;
        if count > max {
            return Err(QueryError::TooManyRegexes { position, max });
        }
        // A string that cannot be read is for the grammar to complain about.
        if let Ok(pattern) = unquote_string(value.text(text)) {
            Matcher::new("label", MatchOperator::Regex, &pattern)
                .map_err(|source| QueryError::Regex { position, source })?;
        }
    }
    Ok(())
}
