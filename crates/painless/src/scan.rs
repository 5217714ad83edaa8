//! Splits a script into its tokens.
//!
//! Source: OpenSearch, `PainlessLexer.g4`. Whether a slash begins a pattern or divides is decided by the
//! token before it, and what follows a dot is a name or a number without fraction.

use crate::ScriptError;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'s> {
    /// A name or a keyword.
    Word(&'s str),
    /// A number as it was written.
    Number(&'s str),
    /// A text without its quotes and escapes.
    Text(String),
    /// A pattern between slashes, and the flags behind it.
    Pattern {
        body: &'s str,
        flags: &'s str,
    },
    Symbol(&'static str),
    End,
}

/// A token and the bytes where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Lexeme<'s> {
    pub(crate) token: Token<'s>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The symbols, longest first where one begins another.
const SYMBOLS: [&str; 34] = [
    "==~", "==", "!=", "<=", ">=", "&&", "||", "?.", "?:", "=~", "++", "--", "+=", "-=", "*=",
    "/=", "%=", "{", "}", "[", "]", "(", ")", ".", ",", ";", "!", "*", "/", "%", "+", "-", "<",
    ">",
];

/// The symbols that one may not be the beginning of another of.
const SINGLE: [&str; 3] = ["=", "?", ":"];

/// What Painless has and the subset has not, with what to write instead.
const REFUSED: [(&str, &str); 19] = [
    ("->", "a lambda (->) is not understood: write a loop"),
    ("::", "a reference to a method (::) is not understood: write a loop"),
    ("===", "the operator === is not understood: write =="),
    ("!==", "the operator !== is not understood: write !="),
    (">>>=", "the operator >>>= is not understood"),
    (">>>", "the operator >>> is not understood"),
    ("<<=", "the operator <<= is not understood"),
    (">>=", "the operator >>= is not understood"),
    ("<<", "the operator << is not understood"),
    (">>", "the operator >> is not understood"),
    ("&=", "the operator &= is not understood"),
    ("|=", "the operator |= is not understood"),
    ("^=", "the operator ^= is not understood"),
    ("^", "the operator ^ is not understood"),
    ("~", "the operator ~ is not understood"),
    ("@", "the character @ cannot stand in a name: write ['@timestamp']"),
    ("#", "the character # is not understood: a comment begins with //"),
    ("`", "the character ` is not understood: a text stands in ' or \""),
    ("\\", "the character \\ is not understood outside a text"),
];

/// Splits a script into tokens, the last of which is the end.
///
/// # Errors
/// A character or an operator is not understood, or a text, comment or pattern does not end.
pub(crate) fn scan(source: &str) -> Result<Vec<Lexeme<'_>>, ScriptError> {
    let mut scanner = Scanner { source, at: 0, lexemes: Vec::new() };
    while scanner.next()? {}
    Ok(scanner.lexemes)
}

struct Scanner<'s> {
    source: &'s str,
    at: usize,
    lexemes: Vec<Lexeme<'s>>,
}

impl<'s> Scanner<'s> {
    /// Reads one token, and returns whether there are more.
    fn next(&mut self) -> Result<bool, ScriptError> {
        self.skip()?;
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            self.push(Token::End, start);
            return Ok(false);
        };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => Token::Word(self.take(is_word)),
            '0'..='9' => Token::Number(self.number()),
            '"' | '\'' => Token::Text(self.text(first)?),
            '/' if self.pattern_may_begin() => self.pattern()?,
            _ => self.symbol()?,
        };
        self.push(token, start);
        Ok(true)
    }

    fn push(&mut self, token: Token<'s>, start: usize) {
        self.lexemes.push(Lexeme { token, start, end: self.at });
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|character| !accept(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Skips white space and comments.
    fn skip(&mut self) -> Result<(), ScriptError> {
        loop {
            self.take(|character| matches!(character, ' ' | '\t' | '\n' | '\r'));
            if self.rest().starts_with("//") {
                self.take(|character| !matches!(character, '\n' | '\r'));
            } else if self.rest().starts_with("/*") {
                let length = self
                    .rest()
                    .find("*/")
                    .ok_or_else(|| self.error("the comment /* does not end"))?;
                self.at += length + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn number(&mut self) -> &'s str {
        let start = self.at;
        let digit = |character: char| character.is_ascii_digit();
        self.take(digit);
        let after_dot = matches!(self.last(), Some(Token::Symbol("." | "?.")));
        if !after_dot {
            let mut rest = self.rest().chars();
            if rest.next() == Some('.') && rest.next().is_some_and(digit) {
                self.at += 1;
                self.take(digit);
            }
            let exponent = self.rest().strip_prefix(['e', 'E']);
            let signed = exponent.map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
            if signed.is_some_and(|rest| rest.starts_with(digit)) {
                self.at += self.rest().len() - signed.unwrap_or_default().len();
                self.take(digit);
            }
            // Suffixes, hexadecimal digits, and what is wrong, so that an error can show all of it.
            self.take(is_word);
        }
        &self.source[start..self.at]
    }

    fn text(&mut self, quote: char) -> Result<String, ScriptError> {
        let open = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            if character == quote {
                self.at = open + offset + 1;
                return Ok(text);
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            match characters.next() {
                Some((_, escaped)) if escaped == '\\' || escaped == quote => text.push(escaped),
                _ => {
                    self.at = open + offset;
                    let message =
                        format!("in a text only \\\\ and \\{quote} may follow a backslash");
                    return Err(self.error(message));
                }
            }
        }
        Err(self.error("the text does not end"))
    }

    fn last(&self) -> Option<&Token<'s>> {
        self.lexemes.last().map(|lexeme| &lexeme.token)
    }

    fn pattern_may_begin(&self) -> bool {
        !matches!(
            self.last(),
            Some(Token::Symbol("]" | ")") | Token::Number(_) | Token::Word(_) | Token::Text(_))
        ) || self.last() == Some(&Token::Word("return"))
    }

    fn pattern(&mut self) -> Result<Token<'s>, ScriptError> {
        let body_start = self.at + 1;
        let mut escaped = false;
        for (offset, character) in self.source[body_start..].char_indices() {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '/' => {
                    let body = &self.source[body_start..body_start + offset];
                    self.at = body_start + offset + 1;
                    let flags = self.take(|character| character.is_ascii_alphabetic());
                    return Ok(Token::Pattern { body, flags });
                }
                _ => {}
            }
        }
        Err(self.error("the pattern / does not end on its line"))
    }

    fn symbol(&mut self) -> Result<Token<'s>, ScriptError> {
        let rest = self.rest();
        if let Some((_, message)) = REFUSED.iter().find(|(refused, _)| rest.starts_with(refused)) {
            return Err(self.error(*message));
        }
        let mut symbols = SYMBOLS.iter().chain(&SINGLE);
        if let Some(symbol) = symbols.find(|symbol| rest.starts_with(**symbol)) {
            self.at += symbol.len();
            return Ok(Token::Symbol(symbol));
        }
        let message = match rest.chars().next() {
            Some('&') => "the operator & is not understood: write && for and".to_owned(),
            Some('|') => "the operator | is not understood: write || for or".to_owned(),
            other => {
                format!("the character {} is not understood", other.unwrap_or(' ').escape_debug())
            }
        };
        Err(self.error(message))
    }

    fn error(&self, message: impl Into<String>) -> ScriptError {
        ScriptError::at(self.source, self.at, message)
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
