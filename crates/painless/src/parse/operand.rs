//! The rules of operands: values, names, calls, and what is asked of them.

use std::ops::RangeInclusive;

use crate::ScriptError;
use crate::catalog::{Function, Method, constant, is_class};
use crate::scan::Token;
use crate::script::Script;
use crate::syntax::{Expression, ExpressionKind, Literal, Type};

use super::literal::read_number;
use super::{KEYWORDS, Parser};

impl<'s> Parser<'s> {
    /// Reads a value, what is asked of it, and a step behind it.
    pub(super) fn postfix(&mut self) -> Result<Expression, ScriptError> {
        let start = self.start();
        let mut value = self.primary()?;
        loop {
            value = if self.is_symbol(0, ".") || self.is_symbol(0, "?.") {
                self.member(start, value)?
            } else if self.accept("[") {
                let index = self.expression()?;
                self.expect("]", "behind the index")?;
                let deepest = value.depth.max(index.depth);
                let kind =
                    ExpressionKind::Index { target: Box::new(value), index: Box::new(index) };
                self.node(start, kind, deepest)?
            } else {
                break;
            };
        }
        for (symbol, up) in [("++", true), ("--", false)] {
            if self.is_symbol(0, symbol) {
                let slot = self.assigned(&value)?;
                self.advance();
                return self.node(start, ExpressionKind::Step { slot, up, before: true }, 0);
            }
        }
        Ok(value)
    }

    fn member(&mut self, start: usize, target: Expression) -> Result<Expression, ScriptError> {
        let safe = self.is_symbol(0, "?.");
        self.advance();
        let place = self.start();
        let name = match *self.token() {
            Token::Word(name) | Token::Number(name) => name,
            _ => return Err(self.unexpected("the name of a member behind the dot")),
        };
        self.advance();
        if !self.is_symbol(0, "(") {
            let deepest = target.depth;
            let kind =
                ExpressionKind::Member { target: Box::new(target), name: name.to_owned(), safe };
            return self.node(start, kind, deepest);
        }
        if name == "matches" {
            return self.matches(start, target, safe);
        }
        let Some((method, counts)) = Method::named(name) else {
            return Err(self.error_at(place, format!("the method {name} is not understood")));
        };
        let arguments = self.arguments()?;
        if !counts.contains(&arguments.len()) {
            return Err(self.error_at(place, wrong_count(name, &counts, arguments.len())));
        }
        let deepest = deepest(&arguments).max(target.depth);
        let kind = ExpressionKind::Call { target: Box::new(target), method, arguments, safe };
        self.node(start, kind, deepest)
    }

    /// Reads the pattern of `matches`, which must be written out, so that it is checked with the script.
    fn matches(
        &mut self,
        start: usize,
        target: Expression,
        safe: bool,
    ) -> Result<Expression, ScriptError> {
        self.advance();
        let Token::Text(body) = self.token().clone() else {
            return Err(self.unexpected("a pattern in quotes in matches(…)"));
        };
        let pattern = self.compile(&body, "", true)?;
        self.advance();
        self.expect(")", "behind the pattern of matches")?;
        let deepest = target.depth;
        let kind = ExpressionKind::Matches { text: Box::new(target), pattern, safe };
        self.node(start, kind, deepest)
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, ScriptError> {
        self.expect("(", "before the arguments")?;
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect(")", "behind the arguments")?;
        Ok(arguments)
    }

    fn primary(&mut self) -> Result<Expression, ScriptError> {
        let start = self.start();
        let literal = match self.token().clone() {
            Token::Number(written) => {
                let number = read_number(written, false).map_err(|message| self.error(message))?;
                Literal::Number(number)
            }
            Token::Text(text) => Literal::Text(text),
            Token::Word("true") => Literal::Boolean(true),
            Token::Word("false") => Literal::Boolean(false),
            Token::Word("null") => Literal::Null,
            Token::Word(word) => return self.name(start, word),
            Token::Symbol("(") => {
                self.advance();
                let mut inner = self.expression()?;
                self.expect(")", "behind the expression")?;
                // With its parentheses, as it was written.
                inner.span = self.span_from(start);
                return Ok(inner);
            }
            Token::Symbol("[") => return self.collection(start),
            Token::Pattern { .. } => return self.matcher(start),
            _ => return Err(self.unexpected("an expression")),
        };
        self.advance();
        self.node(start, ExpressionKind::Literal(literal), 0)
    }

    /// Reads `/pattern/.matcher(text).find()` or `.matches()`.
    fn matcher(&mut self, start: usize) -> Result<Expression, ScriptError> {
        let at = self.at;
        self.advance();
        if !(self.accept(".") && self.accept_word("matcher")) {
            self.at = at;
            let message = "a pattern may stand behind =~ or ==~, or before .matcher(…), alone";
            return Err(self.error(message));
        }
        self.expect("(", "behind matcher")?;
        let text = self.expression()?;
        self.expect(")", "behind the text of matcher")?;
        self.expect(".", "behind matcher(…)")?;
        let whole = match self.word_ahead(0) {
            Some("find") => false,
            Some("matches") => true,
            _ => return Err(self.unexpected("find() or matches() of a matcher")),
        };
        self.advance();
        self.expect("(", "behind the method of a matcher")?;
        self.expect(")", "behind the method of a matcher")?;
        let end = std::mem::replace(&mut self.at, at);
        let pattern = self.pattern(whole)?;
        self.at = end;
        let deepest = text.depth;
        let kind = ExpressionKind::Matches { text: Box::new(text), pattern, safe: false };
        self.node(start, kind, deepest)
    }

    /// Reads what begins with a name: a variable, or a function or constant of a class.
    fn name(&mut self, start: usize, word: &'s str) -> Result<Expression, ScriptError> {
        if let Some(slot) = self.scope.find(word) {
            self.advance();
            return self.node(start, ExpressionKind::Slot(slot), 0);
        }
        if let Some(root) = Script::ROOTS.iter().position(|known| *known == word) {
            self.advance();
            return self.node(start, ExpressionKind::Root(root), 0);
        }
        if is_class(word) && self.is_symbol(1, ".") {
            return self.of_class(start, word);
        }
        let capital = word.starts_with(|first: char| first.is_ascii_uppercase());
        let message = match word {
            "new" => "making objects (new) is not understood".to_owned(),
            "this" => "this is not understood".to_owned(),
            _ if KEYWORDS.contains(&word) || Type::named(word).is_some() && !capital => {
                return Err(self.unexpected("an expression"));
            }
            _ if self.is_symbol(1, "(") => format!("the function {word} is not understood"),
            _ if capital => format!("the class {word} is not understood"),
            _ => format!(
                "the variable {word} is not known here: there are {} and what the script declares",
                Script::ROOTS.join(", ")
            ),
        };
        Err(self.error(message))
    }

    fn of_class(&mut self, start: usize, class: &str) -> Result<Expression, ScriptError> {
        self.advance();
        self.advance();
        let Some(name) = self.word_ahead(0) else {
            return Err(self.unexpected(&format!("a name behind {class}.")));
        };
        let place = self.start();
        if self.is_symbol(1, "(") {
            let Some((function, count)) = Function::named(class, name) else {
                return Err(self.error(format!("the function {class}.{name} is not understood")));
            };
            self.advance();
            let arguments = self.arguments()?;
            if arguments.len() != count {
                let message = wrong_count(name, &(count..=count), arguments.len());
                return Err(self.error_at(place, message));
            }
            let deepest = deepest(&arguments);
            return self.node(start, ExpressionKind::Static { function, arguments }, deepest);
        }
        let Some(number) = constant(class, name) else {
            return Err(self.error(format!("the constant {class}.{name} is not understood")));
        };
        self.advance();
        self.node(start, ExpressionKind::Literal(Literal::Number(number)), 0)
    }

    /// Reads a list `[1, 2]` or a map `['a': 1]`.
    fn collection(&mut self, start: usize) -> Result<Expression, ScriptError> {
        self.advance();
        if self.accept("]") {
            return self.node(start, ExpressionKind::List(Vec::new()), 0);
        }
        if self.accept(":") {
            self.expect("]", "of an empty map")?;
            return self.node(start, ExpressionKind::Map(Vec::new()), 0);
        }
        let first = self.expression()?;
        if self.is_symbol(0, ":") {
            return self.map(start, first);
        }
        let mut items = vec![first];
        while self.accept(",") {
            items.push(self.expression()?);
        }
        self.expect("]", "behind the list")?;
        let deepest = deepest(&items);
        self.node(start, ExpressionKind::List(items), deepest)
    }

    fn map(&mut self, start: usize, first: Expression) -> Result<Expression, ScriptError> {
        let mut entries = Vec::new();
        let mut key = first;
        let mut deepest = 0;
        loop {
            self.expect(":", "behind the key of a map")?;
            let value = self.expression()?;
            deepest = deepest.max(key.depth).max(value.depth);
            entries.push((key, value));
            if !self.accept(",") {
                break;
            }
            key = self.expression()?;
        }
        self.expect("]", "behind the map")?;
        self.node(start, ExpressionKind::Map(entries), deepest)
    }
}

fn deepest(expressions: &[Expression]) -> usize {
    expressions.iter().map(|expression| expression.depth).max().unwrap_or(0)
}

fn wrong_count(name: &str, counts: &RangeInclusive<usize>, found: usize) -> String {
    let arguments = |count: usize| match count {
        0 => "no argument".to_owned(),
        1 => "1 argument".to_owned(),
        _ => format!("{count} arguments"),
    };
    let wanted = match (*counts.start(), *counts.end()) {
        (least, most) if least == most => arguments(most),
        (least, most) => format!("{least} or {most} arguments"),
    };
    format!("{name} takes {wanted}, and has {found}")
}
