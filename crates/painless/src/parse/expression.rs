//! The rules of operators; what they stand between is in `operand`.

use crate::ScriptError;
use crate::number::Arithmetic;
use crate::scan::Token;
use crate::script::Script;
use crate::syntax::{Comparison, Expression, ExpressionKind, Literal, Pattern};

use super::Parser;
use super::literal::read_number;

/// An operator between two expressions.
#[derive(Clone, Copy)]
enum Operator {
    Elvis,
    Or,
    And,
    Compare(Comparison),
    InstanceOf,
    Match { whole: bool },
    Arithmetic(Arithmetic),
}

/// The operators of assignments.
const ASSIGNMENTS: [(&str, Option<Arithmetic>); 6] = [
    ("=", None),
    ("+=", Some(Arithmetic::Add)),
    ("-=", Some(Arithmetic::Subtract)),
    ("*=", Some(Arithmetic::Multiply)),
    ("/=", Some(Arithmetic::Divide)),
    ("%=", Some(Arithmetic::Remainder)),
];

impl Parser<'_> {
    /// Reads an expression, assignments included.
    pub(super) fn expression(&mut self) -> Result<Expression, ScriptError> {
        self.nested(|parser| {
            let start = parser.start();
            let left = parser.binary(1)?;
            if parser.accept("?") {
                return parser.choice(start, left);
            }
            let assignment =
                ASSIGNMENTS.iter().find(|(symbol, _)| parser.is_symbol(0, symbol)).copied();
            match assignment {
                Some((_, operator)) => parser.assignment(start, &left, operator),
                None => Ok(left),
            }
        })
    }

    fn choice(&mut self, start: usize, condition: Expression) -> Result<Expression, ScriptError> {
        let then = self.expression()?;
        self.expect(":", "of the choice with ?")?;
        let otherwise = self.expression()?;
        let deepest = condition.depth.max(then.depth).max(otherwise.depth);
        let kind = ExpressionKind::Choose {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        };
        self.node(start, kind, deepest)
    }

    fn assignment(
        &mut self,
        start: usize,
        left: &Expression,
        operator: Option<Arithmetic>,
    ) -> Result<Expression, ScriptError> {
        let slot = self.assigned(left)?;
        self.advance();
        let value = self.expression()?;
        if operator.is_none() {
            self.check_literal(self.scope.type_of(slot), &value)?;
        }
        let deepest = value.depth;
        self.node(start, ExpressionKind::Assign { slot, operator, value: Box::new(value) }, deepest)
    }

    /// Returns the variable that an assignment goes to, which is never one that the script was given.
    pub(super) fn assigned(&self, target: &Expression) -> Result<usize, ScriptError> {
        let message = match &target.kind {
            ExpressionKind::Slot(slot) => return Ok(*slot),
            ExpressionKind::Root(root) => format!("{} cannot be assigned to", Script::ROOTS[*root]),
            ExpressionKind::Member { .. } | ExpressionKind::Index { .. } => {
                let written = &self.source[target.span.start..target.span.end];
                format!(
                    "{written} cannot be assigned to: a condition changes its own variables alone"
                )
            }
            _ => "only a variable can be assigned to".to_owned(),
        };
        Err(self.error_at(target.span.start, message))
    }

    /// Reads operators that bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Result<Expression, ScriptError> {
        let start = self.start();
        let mut left = self.unary()?;
        while let Some((operator, binding)) = self.operator_ahead() {
            if binding < least {
                break;
            }
            self.advance();
            left = match operator {
                Operator::InstanceOf => self.instance_of(start, left)?,
                Operator::Match { whole } => {
                    let pattern = self.pattern(whole)?;
                    let depth = left.depth;
                    let kind =
                        ExpressionKind::Matches { text: Box::new(left), pattern, safe: false };
                    self.node(start, kind, depth)?
                }
                _ => {
                    // `?:` groups from the right, everything else from the left.
                    let next = binding + u8::from(!matches!(operator, Operator::Elvis));
                    let right = self.nested(|parser| parser.binary(next))?;
                    self.join(start, operator, left, right)?
                }
            };
        }
        Ok(left)
    }

    fn operator_ahead(&self) -> Option<(Operator, u8)> {
        let symbol = match self.token() {
            Token::Symbol(symbol) => *symbol,
            Token::Word("instanceof") => return Some((Operator::InstanceOf, 5)),
            _ => return None,
        };
        Some(match symbol {
            "?:" => (Operator::Elvis, 1),
            "||" => (Operator::Or, 2),
            "&&" => (Operator::And, 3),
            "==" => (Operator::Compare(Comparison::Equal), 4),
            "!=" => (Operator::Compare(Comparison::Unequal), 4),
            "<" => (Operator::Compare(Comparison::Less), 6),
            "<=" => (Operator::Compare(Comparison::LessOrEqual), 6),
            ">" => (Operator::Compare(Comparison::Greater), 6),
            ">=" => (Operator::Compare(Comparison::GreaterOrEqual), 6),
            "=~" => (Operator::Match { whole: false }, 7),
            "==~" => (Operator::Match { whole: true }, 7),
            "+" => (Operator::Arithmetic(Arithmetic::Add), 8),
            "-" => (Operator::Arithmetic(Arithmetic::Subtract), 8),
            "*" => (Operator::Arithmetic(Arithmetic::Multiply), 9),
            "/" => (Operator::Arithmetic(Arithmetic::Divide), 9),
            "%" => (Operator::Arithmetic(Arithmetic::Remainder), 9),
            _ => return None,
        })
    }

    fn join(
        &mut self,
        start: usize,
        operator: Operator,
        left: Expression,
        right: Expression,
    ) -> Result<Expression, ScriptError> {
        let deepest = left.depth.max(right.depth);
        let kind = match operator {
            Operator::And | Operator::Or => return self.chain(start, operator, left, right),
            Operator::Compare(comparison) => {
                ExpressionKind::Compare { comparison, left: Box::new(left), right: Box::new(right) }
            }
            Operator::Arithmetic(operator) => ExpressionKind::Arithmetic {
                operator,
                left: Box::new(left),
                right: Box::new(right),
            },
            Operator::Elvis | Operator::InstanceOf | Operator::Match { .. } => {
                ExpressionKind::Elvis { value: Box::new(left), otherwise: Box::new(right) }
            }
        };
        self.node(start, kind, deepest)
    }

    /// Joins with `&&` or `||`, and makes one flat chain of a chain that goes on.
    fn chain(
        &mut self,
        start: usize,
        operator: Operator,
        left: Expression,
        right: Expression,
    ) -> Result<Expression, ScriptError> {
        let is_and = matches!(operator, Operator::And);
        let left_deepest = left.depth;
        let (mut parts, left_deepest) = match left.kind {
            // What stands in parentheses has a span that begins later.
            ExpressionKind::All(parts) if is_and => (parts, left_deepest - 1),
            ExpressionKind::Any(parts) if !is_and => (parts, left_deepest - 1),
            _ => (vec![left], left_deepest),
        };
        let deepest = left_deepest.max(right.depth);
        parts.push(right);
        let kind = if is_and { ExpressionKind::All(parts) } else { ExpressionKind::Any(parts) };
        self.node(start, kind, deepest)
    }

    fn instance_of(&mut self, start: usize, value: Expression) -> Result<Expression, ScriptError> {
        let Some((of, length)) = self.type_ahead(0) else {
            return Err(match self.word_ahead(0) {
                Some(word) => self.error(format!("the type {word} is not understood")),
                None => self.unexpected("a type behind instanceof"),
            });
        };
        (0..length).for_each(|_| self.advance());
        let deepest = value.depth;
        self.node(start, ExpressionKind::InstanceOf { value: Box::new(value), of }, deepest)
    }

    /// Reads the pattern that comes next and compiles it.
    pub(super) fn pattern(&mut self, whole: bool) -> Result<Pattern, ScriptError> {
        let Token::Pattern { body, flags } = *self.token() else {
            return Err(self.unexpected("a pattern between slashes, like /timeout/"));
        };
        let compiled = self.compile(body, flags, whole)?;
        self.advance();
        Ok(compiled)
    }

    fn unary(&mut self) -> Result<Expression, ScriptError> {
        let start = self.start();
        let Token::Symbol(symbol) = *self.token() else {
            return self.postfix();
        };
        match symbol {
            "!" | "+" => {
                self.advance();
                let operand = self.nested(Self::unary)?;
                let deepest = operand.depth;
                let kind = match symbol {
                    "!" => ExpressionKind::Not(Box::new(operand)),
                    _ => ExpressionKind::Plus(Box::new(operand)),
                };
                self.node(start, kind, deepest)
            }
            "-" => self.negation(start),
            "++" | "--" => {
                self.advance();
                let target = self.nested(Self::unary)?;
                let slot = self.assigned(&target)?;
                let kind = ExpressionKind::Step { slot, up: symbol == "++", before: false };
                self.node(start, kind, 0)
            }
            "(" => match self.type_ahead(1) {
                Some((to, length)) if self.is_symbol(length + 1, ")") => {
                    (0..length + 2).for_each(|_| self.advance());
                    let value = self.nested(Self::unary)?;
                    let deepest = value.depth;
                    self.node(start, ExpressionKind::Cast { to, value: Box::new(value) }, deepest)
                }
                _ => self.postfix(),
            },
            _ => self.postfix(),
        }
    }

    fn negation(&mut self, start: usize) -> Result<Expression, ScriptError> {
        self.advance();
        if let Token::Number(written) = *self.token() {
            // The smallest int has no positive counterpart, so the sign belongs to the number.
            let number = read_number(written, true).map_err(|message| self.error(message))?;
            self.advance();
            return self.node(start, ExpressionKind::Literal(Literal::Number(number)), 0);
        }
        let operand = self.nested(Self::unary)?;
        let deepest = operand.depth;
        self.node(start, ExpressionKind::Negate(Box::new(operand)), deepest)
    }

    /// Makes an expression of what was read since `start`, unless it lies too deep.
    pub(super) fn node(
        &self,
        start: usize,
        kind: ExpressionKind,
        deepest: usize,
    ) -> Result<Expression, ScriptError> {
        if deepest >= Script::NESTING_MAX {
            return Err(self.too_deep(start));
        }
        Ok(Expression { kind, span: self.span_from(start), depth: deepest + 1 })
    }
}
