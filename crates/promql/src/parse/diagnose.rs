//! Says where a query is wrong, in Prometheus's words as far as they are known.

use super::scan::{Kind, Token, is_operator_word};
use crate::error::{Position, QueryError};

/// What the grammar says when it has nothing to say.
const UNSPECIFIC: &str = "invalid promql query";

/// Turns the complaint of the grammar into one with a place.
pub(super) fn explain(text: &str, tokens: &[Token], message: String) -> QueryError {
    if message == UNSPECIFIC {
        return unexpected(text, tokens);
    }
    let named = message.split('\'').nth(1).unwrap_or_default();
    let message = if message.contains("type") || message.contains("subquery is only") {
        let full_name = |word: &str| match word {
            "vector" | "vector," => word.replace("vector", "instant vector"),
            "matrix" | "matrix," => word.replace("matrix", "range vector"),
            _ => word.to_owned(),
        };
        message.split(' ').map(full_name).collect::<Vec<_>>().join(" ")
    } else {
        message.clone()
    };
    let message = message.replace('\'', "\"");
    if tokens.is_empty() {
        return error(text, 0, "no expression found in input".to_owned());
    }
    at_word(text, tokens, named, message)
}

/// Makes an error at the first place where `word` stands, or at the start.
pub(super) fn at_word(text: &str, tokens: &[Token], word: &str, message: String) -> QueryError {
    let token = tokens.iter().find(|token| token.text(text) == word);
    error(text, token.map_or(0, |token| token.span.start), message)
}

fn error(text: &str, offset: usize, message: String) -> QueryError {
    QueryError::Parse { position: Position::of(text, offset), message }
}

/// What may come next.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Expected {
    Operand,
    /// An operator or the end, after an operand.
    Operator,
}

/// Finds the first word that cannot stand where it stands.
fn unexpected(text: &str, tokens: &[Token]) -> QueryError {
    let mut expected = Expected::Operand;
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let word = token.text(text);
        let next = match expected {
            Expected::Operand => after_operand(text, tokens, index),
            Expected::Operator => after_operator(text, tokens, index),
        };
        let Some((after, now)) = next else {
            let what = describe(token, word);
            return error(text, token.span.start, format!("unexpected {what}"));
        };
        (index, expected) = (after, now);
    }
    let message = if expected == Expected::Operand {
        "unexpected end of input"
    } else {
        "the expression does not follow the grammar of PromQL"
    };
    error(text, text.trim_end().len(), message.to_owned())
}

fn describe(token: &Token, word: &str) -> String {
    match token.kind {
        Kind::Word => format!("identifier {word:?}"),
        Kind::Number => format!("number {word:?}"),
        Kind::Duration => format!("duration {word:?}"),
        Kind::String => format!("string {word}"),
        Kind::Symbol if "+-*/%^<=>=!=".contains(word) => format!("<op:{word}>"),
        Kind::Symbol => format!("{word:?}"),
    }
}

/// Reads one operand, or its beginning; `None` when there is none.
fn after_operand(text: &str, tokens: &[Token], index: usize) -> Option<(usize, Expected)> {
    let token = &tokens[index];
    let word = token.text(text);
    let follows =
        |symbol: &str| tokens.get(index + 1).is_some_and(|next| next.text(text) == symbol);
    match token.kind {
        Kind::Word if follows("(") => match tokens.get(index + 2) {
            Some(next) if next.text(text) == ")" => Some((index + 3, Expected::Operator)),
            _ => Some((index + 2, Expected::Operand)),
        },
        Kind::Word => match tokens.get(index + 1).map(|next| next.text(text)) {
            Some("by" | "without") => {
                Some((after_list(text, tokens, index + 2)?, Expected::Operand))
            }
            Some("{") => Some((after_braces(text, tokens, index + 1)?, Expected::Operator)),
            _ => Some((index + 1, Expected::Operator)),
        },
        Kind::Symbol => match word {
            "(" | "+" | "-" => Some((index + 1, Expected::Operand)),
            "{" => Some((after_braces(text, tokens, index)?, Expected::Operator)),
            _ => None,
        },
        _ => Some((index + 1, Expected::Operator)),
    }
}

/// Reads what may follow an operand; `None` when it may not.
fn after_operator(text: &str, tokens: &[Token], index: usize) -> Option<(usize, Expected)> {
    let token = &tokens[index];
    let word = token.text(text);
    match word {
        ")" => Some((index + 1, Expected::Operator)),
        "," => Some((index + 1, Expected::Operand)),
        "[" => {
            let close = tokens[index..].iter().position(|token| token.text(text) == "]")?;
            Some((index + close + 1, Expected::Operator))
        }
        "@" => Some((index + 1, Expected::Operand)),
        "by" | "without" => Some((after_list(text, tokens, index + 1)?, Expected::Operator)),
        _ if token.kind == Kind::Word && word.eq_ignore_ascii_case("offset") => {
            Some((index + 1, Expected::Operand))
        }
        _ if is_operator_word(word) && token.kind == Kind::Word => {
            Some((after_modifiers(text, tokens, index + 1)?, Expected::Operand))
        }
        "+" | "-" | "*" | "/" | "%" | "^" | "==" | "!=" | "<" | "<=" | ">" | ">=" => {
            Some((after_modifiers(text, tokens, index + 1)?, Expected::Operand))
        }
        _ => None,
    }
}

fn after_modifiers(text: &str, tokens: &[Token], mut index: usize) -> Option<usize> {
    while let Some(token) = tokens.get(index) {
        match token.text(text) {
            "bool" => index += 1,
            "on" | "ignoring" => index = after_list(text, tokens, index + 1)?,
            "group_left" | "group_right" => {
                index = after_list(text, tokens, index + 1).unwrap_or(index + 1);
            }
            _ => break,
        }
    }
    Some(index)
}

fn after_list(text: &str, tokens: &[Token], open: usize) -> Option<usize> {
    after_bracket(text, tokens, open, "(", ")")
}

fn after_braces(text: &str, tokens: &[Token], open: usize) -> Option<usize> {
    after_bracket(text, tokens, open, "{", "}")
}

fn after_bracket(
    text: &str,
    tokens: &[Token],
    open: usize,
    opening: &str,
    closing: &str,
) -> Option<usize> {
    if tokens.get(open)?.text(text) != opening {
        return None;
    }
    let close = tokens[open..].iter().position(|token| token.text(text) == closing)?;
    Some(open + close + 1)
}
