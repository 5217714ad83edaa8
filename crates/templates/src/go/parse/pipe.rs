//! Pipelines: variables, commands, operands.

use std::sync::Arc;

use super::super::functions::Function;
use super::super::lex::{Kind, Token};
use super::super::pattern::Pattern;
use super::super::syntax::{Call, Command, Operand, Pipe, Term};
use super::super::value::DATA_FIELDS;
use super::{Parser, Tokens};
use crate::TemplateError;

/// Most regular expressions of one template.
const PATTERNS_MAX: usize = 50;

impl<'s> Parser<'s> {
    /// Reads a pipeline up to the end of the action or a `)`, which it leaves there.
    pub(super) fn pipe(
        &mut self,
        tokens: &mut Tokens<'s>,
        is_range: bool,
    ) -> Result<Pipe, TemplateError> {
        let at = tokens.here();
        let (variables, is_assignment) = self.variables(tokens, is_range)?;
        let mut commands = vec![self.command(tokens, false)?];
        while tokens.take(&Kind::Pipe) {
            commands.push(self.command(tokens, true)?);
        }
        if !is_assignment {
            self.variables.extend(variables.iter().cloned());
        }
        Ok(Pipe { variables, is_assignment, commands, at })
    }

    /// Reads the variables that a pipeline sets, if it sets any, and whether they are there already.
    fn variables(
        &mut self,
        tokens: &mut Tokens<'s>,
        is_range: bool,
    ) -> Result<(Vec<String>, bool), TemplateError> {
        let (names, sign) = match tokens.kinds() {
            [Some(Kind::Variable(name)), Some(sign @ (Kind::Declare | Kind::Assign)), ..] => {
                (vec![*name], sign)
            }
            [
                Some(Kind::Variable(first)),
                Some(Kind::Comma),
                Some(Kind::Variable(second)),
                Some(sign @ (Kind::Declare | Kind::Assign)),
            ] => (vec![*first, *second], sign),
            _ => return Ok((Vec::new(), false)),
        };
        let is_assignment = *sign == Kind::Assign;
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let at = tokens.here();
        if is_range && is_assignment {
            return Err(self.error(at, "range declares its variables with :="));
        }
        if names.len() > 1 && !is_range {
            return Err(self.error(at, "only range sets two variables"));
        }
        if let Some(unknown) =
            names.iter().find(|name| is_assignment && !self.variables.contains(name))
        {
            return Err(self.error(at, format!("the variable {unknown} is not declared; := does")));
        }
        // Each name has a sign behind it: a comma, and what sets them.
        tokens.skip(names.len() * 2);
        Ok((names, is_assignment))
    }

    fn command(
        &mut self,
        tokens: &mut Tokens<'s>,
        is_piped: bool,
    ) -> Result<Command, TemplateError> {
        let at = tokens.here();
        let Some(token) = tokens.peek() else {
            let message = if is_piped { "nothing stands behind |" } else { "an action is empty" };
            return Err(self.error(at, message));
        };
        if let Kind::Word(name) = token.kind
            && !matches!(name, "true" | "false" | "nil")
        {
            tokens.next();
            return self.call(name, at, Some(tokens), is_piped).map(Command::Call);
        }
        let operand = self.operand(tokens)?;
        if is_piped {
            return Err(self.error(at, "only a function can stand behind |"));
        }
        if matches!(operand.term, Term::Nil) {
            return Err(self.error(at, "nil is no value of its own"));
        }
        match tokens.peek().map(|token| (&token.kind, token.at)) {
            None | Some((Kind::Pipe | Kind::Close, _)) => Ok(Command::Value(operand)),
            Some((Kind::Declare | Kind::Assign, at)) => {
                Err(self.error(at, "only a variable can be set"))
            }
            Some((_, at)) => Err(self.error(at, "only a function takes arguments")),
        }
    }

    /// Reads a function whose name was read; `tokens` are its arguments, `None` if it takes none here.
    fn call(
        &mut self,
        name: &str,
        at: usize,
        tokens: Option<&mut Tokens<'s>>,
        is_piped: bool,
    ) -> Result<Call, TemplateError> {
        let function = Function::named(name).map_err(|message| self.error(at, message))?;
        let mut arguments = Vec::new();
        if let Some(tokens) = tokens {
            while let Some(Token { kind, at, is_apart }) = tokens.peek() {
                if matches!(kind, Kind::Pipe | Kind::Close) {
                    break;
                }
                if !is_apart {
                    return Err(self.error(*at, "there must be space between arguments"));
                }
                arguments.push(self.operand(tokens)?);
            }
        }
        let count = arguments.len() + usize::from(is_piped);
        let (least, most) = function.arity();
        if count < least || most.is_some_and(|most| most < count) {
            let wanted = match most {
                Some(most) if most == least => least.to_string(),
                _ => format!("at least {least}"),
            };
            let message = format!("{name} takes {wanted} arguments, and has {count}");
            return Err(self.error(at, message));
        }
        let pattern = match arguments.first() {
            Some(Operand { term: Term::Text(text), at, .. }) if function.takes_pattern() => {
                Some(self.pattern(text, *at)?)
            }
            _ => None,
        };
        Ok(Call { function, arguments, pattern, at })
    }

    /// Compiles a regular expression that stands in the template.
    fn pattern(&mut self, written: &str, at: usize) -> Result<Arc<Pattern>, TemplateError> {
        self.patterns += 1;
        if PATTERNS_MAX < self.patterns {
            let message = format!("the template has more than {PATTERNS_MAX} regular expressions");
            return Err(self.error(at, message));
        }
        Pattern::compile(written).map(Arc::new).map_err(|message| self.error(at, message))
    }

    fn operand(&mut self, tokens: &mut Tokens<'s>) -> Result<Operand, TemplateError> {
        let Some(Token { kind, at, .. }) = tokens.next() else {
            return Err(self.error(tokens.at, "an action ends where a value must be"));
        };
        let mut fields = Vec::new();
        let (term, has_fields) = match kind {
            Kind::Word("true") => (Term::Bool(true), false),
            Kind::Word("false") => (Term::Bool(false), false),
            Kind::Word("nil") => (Term::Nil, false),
            Kind::Word(name) => (Term::Call(Box::new(self.call(name, at, None, false)?)), false),
            Kind::Text(text) => (Term::Text(text), false),
            Kind::Int(number) => (Term::Int(number), false),
            Kind::Float(number) => (Term::Float(number), false),
            Kind::Dot => (Term::Dot, false),
            Kind::Field(name) => {
                fields.push(name.to_owned());
                (Term::Dot, true)
            }
            Kind::Variable(name) => {
                if !self.variables.iter().any(|known| known == name) {
                    return Err(self.error(at, format!("the variable {name} is not known")));
                }
                (Term::Variable(name.to_owned()), true)
            }
            Kind::Open => (Term::Pipe(Box::new(self.parenthesized(tokens, at)?)), true),
            Kind::Pipe => return Err(self.error(at, "nothing stands before |")),
            Kind::Close => return Err(self.error(at, "a ) stands where a value must be")),
            Kind::Comma => return Err(self.error(at, "a , stands where a value must be")),
            Kind::Declare | Kind::Assign => {
                return Err(self.error(at, "only a variable can be set"));
            }
        };
        while let Some(Token { kind: Kind::Field(name), is_apart: false, at }) = tokens.peek() {
            if !has_fields {
                return Err(self.error(*at, format!("there is no field {name} of such a value")));
            }
            fields.push((*name).to_owned());
            tokens.next();
        }
        let is_data = match &term {
            Term::Dot => self.dot_is_data,
            Term::Variable(name) => name == "$",
            _ => false,
        };
        if is_data {
            self.check_fields(&fields, at)?;
        }
        Ok(Operand { term, fields, at })
    }

    fn parenthesized(&mut self, tokens: &mut Tokens<'s>, at: usize) -> Result<Pipe, TemplateError> {
        self.deeper(at)?;
        let pipe = self.pipe(tokens, false)?;
        self.depth -= 1;
        match tokens.next() {
            Some(Token { kind: Kind::Close, .. }) => Ok(pipe),
            _ => Err(self.error(at, "a ( is not closed")),
        }
    }

    /// Refuses fields that the data do not have.
    fn check_fields(&self, fields: &[String], at: usize) -> Result<(), TemplateError> {
        let Some((first, further)) = fields.split_first() else { return Ok(()) };
        let Some((_, further_max)) = DATA_FIELDS.iter().find(|(name, _)| name == first) else {
            let message = format!(
                "there is no field {first}: Labels, ExternalLabels, ExternalURL and Value are"
            );
            return Err(self.error(at, message));
        };
        if *further_max < further.len() {
            let message = format!(".{} has no field {}", first, further[*further_max]);
            return Err(self.error(at, message));
        }
        Ok(())
    }
}
