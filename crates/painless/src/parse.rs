//! Reads a script into what it means, and refuses what is outside the subset.
//!
//! A parser that descends by the rules of the grammar; `statement`, `expression` and `operand` hold the rules,
//! `scope` which names are known, `pattern` the patterns, `literal` the numbers, `flow` what is checked
//! once a script is whole. Source: OpenSearch, `PainlessParser.g4`.

mod expression;
mod flow;
mod literal;
mod operand;
mod pattern;
mod scope;
mod statement;

use crate::ScriptError;
use crate::scan::{Lexeme, Token, scan};
use crate::script::Script;
use crate::syntax::{Pattern, Program, Span, Type};

use scope::Scope;

/// Words that are no names, and those of Java that people try.
const KEYWORDS: [&str; 28] = [
    "if",
    "in",
    "else",
    "while",
    "do",
    "for",
    "continue",
    "break",
    "return",
    "new",
    "try",
    "catch",
    "throw",
    "this",
    "instanceof",
    "true",
    "false",
    "null",
    "import",
    "class",
    "function",
    "interface",
    "package",
    "enum",
    "switch",
    "case",
    "final",
    "static",
];

/// Parses and checks a script.
pub(crate) fn parse(source: &str) -> Result<Program, ScriptError> {
    if source.len() > Script::SOURCE_BYTES_MAX {
        let message = format!(
            "the script has {} bytes, and may have {}",
            source.len(),
            Script::SOURCE_BYTES_MAX
        );
        return Err(ScriptError::at(source, 0, message));
    }
    let lexemes = scan(source)?;
    let mut parser = Parser {
        source,
        lexemes,
        at: 0,
        nesting: 0,
        loops: 0,
        patterns: 0,
        scope: Scope::default(),
    };
    let mut statements = Vec::new();
    while *parser.token() != Token::End {
        parser.statement(&mut statements)?;
    }
    flow::finish(source, &mut statements)?;
    Ok(Program { statements, slots: parser.scope.into_slots() })
}

/// Most patterns in a script, since each takes memory for as long as the script is there.
const PATTERNS_MAX: usize = 32;

struct Parser<'s> {
    source: &'s str,
    /// Never empty: the last one is the end.
    lexemes: Vec<Lexeme<'s>>,
    at: usize,
    /// How many rules lie in one another just now.
    nesting: usize,
    /// How many loops lie around this place.
    loops: usize,
    /// How many patterns were compiled.
    patterns: usize,
    scope: Scope<'s>,
}

impl<'s> Parser<'s> {
    fn token(&self) -> &Token<'s> {
        self.ahead(0)
    }

    fn ahead(&self, distance: usize) -> &Token<'s> {
        let last = self.lexemes.len() - 1;
        &self.lexemes[(self.at + distance).min(last)].token
    }

    fn word_ahead(&self, distance: usize) -> Option<&'s str> {
        match self.ahead(distance) {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Returns the byte where the next token begins.
    fn start(&self) -> usize {
        self.lexemes[self.at].start
    }

    /// Returns the span from `start` to the end of the last token.
    fn span_from(&self, start: usize) -> Span {
        Span { start, end: self.lexemes[self.at.saturating_sub(1)].end.max(start) }
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.lexemes.len() - 1);
    }

    fn is_symbol(&self, distance: usize, symbol: &str) -> bool {
        matches!(self.ahead(distance), Token::Symbol(found) if *found == symbol)
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        if found {
            self.advance();
        }
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.word_ahead(0) == Some(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str, place: &str) -> Result<(), ScriptError> {
        if self.accept(symbol) {
            return Ok(());
        }
        Err(self.unexpected(&format!("{symbol} {place}")))
    }

    /// Returns the error for a token that is not the one wanted.
    fn unexpected(&self, wanted: &str) -> ScriptError {
        let found = match self.token() {
            Token::Word(word) => format!("\"{word}\""),
            Token::Number(number) => format!("the number {number}"),
            Token::Text(_) => "a text".to_owned(),
            Token::Pattern { .. } => "a pattern".to_owned(),
            Token::Symbol(symbol) => format!("\"{symbol}\""),
            Token::End => "the end of the script".to_owned(),
        };
        self.error(format!("expected {wanted}, and found {found}"))
    }

    fn error(&self, message: impl Into<String>) -> ScriptError {
        self.error_at(self.start(), message)
    }

    fn error_at(&self, offset: usize, message: impl Into<String>) -> ScriptError {
        ScriptError::at(self.source, offset, message)
    }

    /// Goes one level deeper for as long as `rule` reads.
    fn nested<T>(
        &mut self,
        rule: impl FnOnce(&mut Self) -> Result<T, ScriptError>,
    ) -> Result<T, ScriptError> {
        if self.nesting >= Script::NESTING_MAX {
            return Err(self.too_deep(self.start()));
        }
        self.nesting += 1;
        let read = rule(self);
        self.nesting -= 1;
        read
    }

    /// Compiles the pattern that comes next.
    fn compile(&mut self, body: &str, flags: &str, whole: bool) -> Result<Pattern, ScriptError> {
        if self.patterns >= PATTERNS_MAX {
            let message =
                format!("a script may have {PATTERNS_MAX} patterns, and this is one more");
            return Err(self.error(message));
        }
        self.patterns += 1;
        pattern::compile(body, flags, whole).map_err(|message| self.error(message))
    }

    fn too_deep(&self, offset: usize) -> ScriptError {
        let message = format!("this lies more than {} levels deep", Script::NESTING_MAX);
        self.error_at(offset, message)
    }

    /// Returns the type whose name comes next, and of how many tokens the name consists.
    fn type_ahead(&self, distance: usize) -> Option<(Type, usize)> {
        let word = self.word_ahead(distance)?;
        if word == "Map"
            && self.is_symbol(distance + 1, ".")
            && self.word_ahead(distance + 2) == Some("Entry")
        {
            return Some((Type::Entry, 3));
        }
        Some((Type::named(word)?, 1))
    }

    /// Reads the name of a variable that is being declared.
    fn new_name(&mut self) -> Result<&'s str, ScriptError> {
        let Some(name) = self.word_ahead(0) else {
            return Err(self.unexpected("the name of a variable"));
        };
        if KEYWORDS.contains(&name) || Type::named(name).is_some() || crate::catalog::is_class(name)
        {
            return Err(self.error(format!("{name} cannot be the name of a variable")));
        }
        if Script::ROOTS.contains(&name) || self.scope.find(name).is_some() {
            return Err(self.error(format!("the variable {name} is declared already")));
        }
        self.advance();
        Ok(name)
    }
}
