//! The rules of statements.

use crate::ScriptError;
use crate::scan::Token;
use crate::syntax::{Expression, ExpressionKind, Literal, Statement, StatementKind, Type};

use super::{KEYWORDS, Parser, flow};

impl<'s> Parser<'s> {
    /// Reads a statement; a declaration of several variables gives several.
    pub(super) fn statement(&mut self, into: &mut Vec<Statement>) -> Result<(), ScriptError> {
        self.nested(|parser| parser.statement_here(into))
    }

    fn statement_here(&mut self, into: &mut Vec<Statement>) -> Result<(), ScriptError> {
        let start = self.start();
        let kind = match self.word_ahead(0) {
            Some("if") => self.if_statement()?,
            Some("while") => self.while_loop()?,
            Some("for") => self.for_loop()?,
            _ => return self.simple_statement(into),
        };
        into.push(Statement { kind, span: self.span_from(start) });
        Ok(())
    }

    /// Reads a statement that ends with a semicolon, which may be missing before `}` and at the end.
    fn simple_statement(&mut self, into: &mut Vec<Statement>) -> Result<(), ScriptError> {
        if self.is_symbol(0, ";") {
            return Err(self.error("an empty statement (;) is not understood"));
        }
        if self.is_symbol(0, "{") {
            return Err(
                self.error("a block ({) may stand behind if, else, for, while and do alone")
            );
        }
        let start = self.start();
        let word = self.word_ahead(0).unwrap_or_default();
        self.refuse_word(word)?;
        let kind = match word {
            "return" => {
                self.advance();
                if self.is_symbol(0, ";") || self.is_symbol(0, "}") || *self.token() == Token::End {
                    return Err(self.error_at(start, "return needs a value: true or false"));
                }
                StatementKind::Return(self.expression()?)
            }
            "break" | "continue" => {
                if self.loops == 0 {
                    return Err(self.error(format!("{word} stands outside of a loop")));
                }
                self.advance();
                if word == "break" { StatementKind::Break } else { StatementKind::Continue }
            }
            "do" => self.do_while()?,
            _ if self.declaration_ahead()? => {
                self.declaration(into)?;
                return self.end_statement();
            }
            _ => StatementKind::Evaluate(self.expression()?),
        };
        into.push(Statement { kind, span: self.span_from(start) });
        self.end_statement()
    }

    fn end_statement(&mut self) -> Result<(), ScriptError> {
        if self.accept(";") || self.is_symbol(0, "}") || *self.token() == Token::End {
            return Ok(());
        }
        Err(self.unexpected("; behind the statement"))
    }

    fn refuse_word(&self, word: &str) -> Result<(), ScriptError> {
        let refused = match word {
            "import" | "package" => "importing classes is not understood",
            "class" | "interface" | "enum" => "defining classes is not understood",
            "function" | "static" => "defining functions is not understood",
            "try" | "catch" | "throw" => "exceptions (try, catch, throw) are not understood",
            "switch" | "case" => "switch is not understood: write if and else if",
            "final" => "final is not understood: leave it out",
            "else" => return Err(self.error("this else has no if before it")),
            _ => return Ok(()),
        };
        Err(self.error(refused))
    }

    /// Returns whether a declaration comes next, and refuses types that are not understood.
    fn declaration_ahead(&self) -> Result<bool, ScriptError> {
        let Some(word) = self.word_ahead(0) else {
            return Ok(false);
        };
        let (known, length) =
            self.type_ahead(0).map_or((None, 1), |(kind, length)| (Some(kind), length));
        if known.is_some() && self.is_symbol(length, "<") {
            return Err(
                self.error(format!("type parameters (<…>) are not understood: write {word} alone"))
            );
        }
        if self.is_symbol(length, "[") && self.is_symbol(length + 1, "]") {
            return Err(
                self.error(format!("arrays ({word}[]) are not understood: write List or def"))
            );
        }
        let Some(name) = self.word_ahead(length) else {
            return Ok(false);
        };
        if KEYWORDS.contains(&word) || KEYWORDS.contains(&name) {
            return Ok(false);
        }
        if self.is_symbol(length + 1, "(") {
            let place = self.lexemes[self.at + length].start;
            let message = format!("defining functions ({name}) is not understood");
            return Err(self.error_at(place, message));
        }
        if known.is_none() {
            return Err(self.error(format!("the type {word} is not understood")));
        }
        Ok(true)
    }

    /// Reads a type and the variables that are declared with it, without the semicolon.
    fn declaration(&mut self, into: &mut Vec<Statement>) -> Result<(), ScriptError> {
        let (kind, length) = self.type_ahead(0).unwrap_or((Type::Def, 1));
        (0..length).for_each(|_| self.advance());
        loop {
            let start = self.start();
            let name = self.new_name()?;
            let value = match self.accept("=") {
                true => Some(self.expression()?),
                false => None,
            };
            if let Some(value) = &value {
                self.check_literal(kind, value)?;
            }
            // Only now, since a variable is not known in its own value.
            let slot = self.scope.declare(name, kind);
            let span = self.span_from(start);
            into.push(Statement { kind: StatementKind::Declare { slot, value }, span });
            if !self.accept(",") {
                return Ok(());
            }
        }
    }

    /// Refuses a literal that does not fit a declared type, which the engine refuses as well.
    pub(super) fn check_literal(&self, to: Type, value: &Expression) -> Result<(), ScriptError> {
        let ExpressionKind::Literal(literal) = &value.kind else {
            return Ok(());
        };
        let fits = match literal {
            Literal::Null => !to.is_primitive(),
            Literal::Boolean(_) => {
                matches!(to, Type::Def | Type::Object | Type::Boolean | Type::BoxedBoolean)
            }
            Literal::Text(_) => matches!(to, Type::Def | Type::Object | Type::Text),
            Literal::Number(number) => crate::value::number_fits(*number, to),
        };
        if fits {
            return Ok(());
        }
        let written = &self.source[value.span.start..value.span.end];
        let message = format!("{written} does not fit into a variable of type {}", to.name());
        Err(self.error_at(value.span.start, message))
    }

    fn if_statement(&mut self) -> Result<StatementKind, ScriptError> {
        let mut branches = Vec::new();
        loop {
            self.advance();
            let condition = self.condition("if")?;
            branches.push((condition, self.block()?));
            if !self.accept_word("else") {
                return Ok(StatementKind::If { branches, otherwise: None });
            }
            if self.word_ahead(0) != Some("if") {
                let otherwise = Some(self.block()?);
                return Ok(StatementKind::If { branches, otherwise });
            }
        }
    }

    fn condition(&mut self, of: &str) -> Result<Expression, ScriptError> {
        self.expect("(", &format!("behind {of}"))?;
        let condition = self.expression()?;
        self.expect(")", &format!("behind the condition of {of}"))?;
        Ok(condition)
    }

    fn while_loop(&mut self) -> Result<StatementKind, ScriptError> {
        self.advance();
        let condition = self.condition("while")?;
        Ok(StatementKind::While { condition, body: self.loop_body()? })
    }

    fn do_while(&mut self) -> Result<StatementKind, ScriptError> {
        self.advance();
        if !self.is_symbol(0, "{") {
            return Err(self.unexpected("{ behind do"));
        }
        let body = self.loop_body()?;
        if !self.accept_word("while") {
            return Err(self.unexpected("while behind the block of do"));
        }
        Ok(StatementKind::DoWhile { body, condition: self.condition("while")? })
    }

    fn for_loop(&mut self) -> Result<StatementKind, ScriptError> {
        self.advance();
        self.expect("(", "behind for")?;
        let mark = self.scope.enter();
        let untyped = self.word_ahead(0).is_some() && self.word_ahead(1) == Some("in");
        let typed = self.type_ahead(0).filter(|(_, length)| {
            self.word_ahead(*length).is_some() && self.is_symbol(length + 1, ":")
        });
        let kind = match typed {
            Some((kind, length)) => {
                (0..length).for_each(|_| self.advance());
                self.for_each(kind)?
            }
            None if untyped => self.for_each(Type::Def)?,
            None => self.counting_loop()?,
        };
        self.scope.leave(mark);
        Ok(kind)
    }

    fn for_each(&mut self, kind: Type) -> Result<StatementKind, ScriptError> {
        let name = self.new_name()?;
        // The colon or the `in` that was seen ahead.
        self.advance();
        let values = self.expression()?;
        self.expect(")", "behind the values of for")?;
        let slot = self.scope.declare(name, kind);
        Ok(StatementKind::ForEach { slot, values, body: self.loop_body()? })
    }

    fn counting_loop(&mut self) -> Result<StatementKind, ScriptError> {
        let mut initial = Vec::new();
        if !self.is_symbol(0, ";") {
            if self.declaration_ahead()? {
                self.declaration(&mut initial)?;
            } else {
                let expression = self.expression()?;
                flow::check_effect(self.source, &expression)?;
                let span = expression.span;
                initial.push(Statement { kind: StatementKind::Evaluate(expression), span });
            }
        }
        self.expect(";", "behind the beginning of for")?;
        let condition = if self.is_symbol(0, ";") { None } else { Some(self.expression()?) };
        self.expect(";", "behind the condition of for")?;
        let step = if self.is_symbol(0, ")") { None } else { Some(self.expression()?) };
        if let Some(step) = &step {
            flow::check_effect(self.source, step)?;
        }
        self.expect(")", "behind the step of for")?;
        Ok(StatementKind::For { initial, condition, step, body: self.loop_body()? })
    }

    /// Reads the body of a loop, which may be empty.
    fn loop_body(&mut self) -> Result<Vec<Statement>, ScriptError> {
        if self.accept(";") {
            return Ok(Vec::new());
        }
        self.loops += 1;
        let body = self.block();
        self.loops -= 1;
        body
    }

    /// Reads a block in braces, or a single statement.
    fn block(&mut self) -> Result<Vec<Statement>, ScriptError> {
        let mark = self.scope.enter();
        let mut statements = Vec::new();
        let open = self.start();
        if !self.accept("{") {
            self.statement(&mut statements)?;
        } else {
            while !self.accept("}") {
                if *self.token() == Token::End {
                    return Err(self.error_at(open, "the block { does not end"));
                }
                self.statement(&mut statements)?;
            }
        }
        self.scope.leave(mark);
        Ok(statements)
    }
}
