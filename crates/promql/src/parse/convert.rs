//! From the tree of `promql-parser` to ours, refusing what Prometheus refuses.

use std::sync::Once;
use std::time::{Duration, SystemTime};

use pampero_series::{METRIC_NAME, MatchOperator, Matcher};
use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::token;
use promql_parser::parser::value::ValueType as TreeType;
use promql_parser::parser::{self as tree, LabelModifier, VectorMatchCardinality};

use super::diagnose::at_word;
use super::scan::Token;
use crate::error::{Position, QueryError};
use crate::functions::{Function, Optional};
use crate::syntax::{
    Aggregate, AggregateOperator, At, Binary, BinaryOperator, Cardinality, Expr, Grouping,
    Matching, RangeSelector, Selector, Shift, Subquery,
};

/// Teaches the grammar the one function that only Prometheus 2 has.
pub(super) fn allow_holt_winters() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let params = vec![TreeType::Matrix, TreeType::Scalar, TreeType::Scalar];
        let function = tree::Function::new("holt_winters", params, 0, TreeType::Vector, false);
        // Only a clash with a built-in function is refused, and this is none.
        let _ = tree::register_extra_functions(vec![function]);
    });
}

/// Checks a tree and turns it into ours.
pub(super) fn convert(text: &str, tokens: &[Token], tree: &tree::Expr) -> Result<Expr, QueryError> {
    let expr = Converter { text, tokens }.expr(tree)?;
    let (expr, is_fixed) = fix(expr);
    Ok(if is_fixed { mark(expr) } else { expr })
}

struct Converter<'t> {
    text: &'t str,
    tokens: &'t [Token],
}

impl Converter<'_> {
    fn error(&self, word: &str, message: String) -> QueryError {
        at_word(self.text, self.tokens, word, message)
    }

    fn expr(&self, expr: &tree::Expr) -> Result<Expr, QueryError> {
        match expr {
            tree::Expr::NumberLiteral(number) => Ok(Expr::Number(number.val)),
            tree::Expr::StringLiteral(string) => Ok(Expr::String(string.val.clone())),
            tree::Expr::Paren(paren) => self.expr(&paren.expr),
            tree::Expr::Unary(unary) => Ok(Expr::Negate(Box::new(self.expr(&unary.expr)?))),
            tree::Expr::VectorSelector(selector) => Ok(Expr::Selector(self.selector(selector)?)),
            tree::Expr::MatrixSelector(range) => Ok(Expr::Range(RangeSelector {
                selector: self.selector(&range.vs)?,
                range_ms: milliseconds(range.range),
            })),
            tree::Expr::Subquery(subquery) => Ok(Expr::Subquery(Box::new(Subquery {
                expr: self.expr(&subquery.expr)?,
                range_ms: milliseconds(subquery.range),
                step_ms: subquery.step.map(milliseconds),
                shift: shift(subquery.offset.as_ref(), subquery.at.as_ref()),
            }))),
            tree::Expr::Call(call) => self.call(call),
            tree::Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            tree::Expr::Binary(binary) => self.binary(binary),
            // The grammar makes none.
            tree::Expr::Extension(_) => Err(self.error("", "unknown expression".to_owned())),
        }
    }

    fn selector(&self, selector: &tree::VectorSelector) -> Result<Selector, QueryError> {
        if !selector.matchers.or_matchers.is_empty() {
            let message = "\"or\" between matchers is not part of PromQL; use a regular \
                           expression or the operator or";
            return Err(self.error("or", message.to_owned()));
        }
        let mut matchers = self.matchers(&selector.matchers)?;
        if let Some(name) = &selector.name {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        let shift = shift(selector.offset.as_ref(), selector.at.as_ref());
        Ok(Selector { matchers, shift })
    }

    fn matchers(&self, matchers: &Matchers) -> Result<Vec<Matcher>, QueryError> {
        let matcher = |matcher: &promql_parser::label::Matcher| {
            let operator = match matcher.op {
                MatchOp::Equal => MatchOperator::Equal,
                MatchOp::NotEqual => MatchOperator::NotEqual,
                MatchOp::Re(_) => MatchOperator::Regex,
                MatchOp::NotRe(_) => MatchOperator::NotRegex,
            };
            Matcher::new(&matcher.name, operator, &matcher.value).map_err(|source| {
                QueryError::Regex { position: Position::of(self.text, 0), source }
            })
        };
        matchers.matchers.iter().map(matcher).collect()
    }

    fn call(&self, call: &tree::Call) -> Result<Expr, QueryError> {
        let name = call.func.name;
        let function = Function::find(name).ok_or_else(|| {
            let message =
                format!("function {name:?} is experimental in Prometheus and not supported");
            self.error(name, message)
        })?;
        let args: Vec<Expr> =
            call.args.args.iter().map(|arg| self.expr(arg)).collect::<Result<_, _>>()?;
        self.check_args(function, &args)?;
        Ok(Expr::Call { function, args })
    }

    fn check_args(&self, function: Function, args: &[Expr]) -> Result<(), QueryError> {
        let (name, params) = (function.name(), function.params());
        let (least, most) = match function.optional() {
            Optional::Last(count) => (params.len() - count, params.len()),
            Optional::Repeated => (params.len() - 1, usize::MAX),
        };
        let wrong = if least == most && args.len() != least {
            Some(format!("expected {least} argument(s)"))
        } else if args.len() < least {
            Some(format!("expected at least {least} argument(s)"))
        } else if args.len() > most {
            Some(format!("expected at most {most} argument(s)"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let message = format!("{wrong} in call to {name:?}, got {}", args.len());
            return Err(self.error(name, message));
        }
        for (index, arg) in args.iter().enumerate() {
            let wanted = params[index.min(params.len() - 1)];
            let found = arg.value_type();
            if wanted != found {
                let message =
                    format!("expected type {wanted} in call to function {name:?}, got {found}");
                return Err(self.error(name, message));
            }
        }
        Ok(())
    }

    fn aggregate(&self, aggregate: &tree::AggregateExpr) -> Result<Expr, QueryError> {
        let operator = match aggregate.op.id() {
            token::T_SUM => AggregateOperator::Sum,
            token::T_AVG => AggregateOperator::Avg,
            token::T_COUNT => AggregateOperator::Count,
            token::T_MIN => AggregateOperator::Min,
            token::T_MAX => AggregateOperator::Max,
            token::T_GROUP => AggregateOperator::Group,
            token::T_STDDEV => AggregateOperator::Stddev,
            token::T_STDVAR => AggregateOperator::Stdvar,
            token::T_TOPK => AggregateOperator::Topk,
            token::T_BOTTOMK => AggregateOperator::Bottomk,
            token::T_COUNT_VALUES => AggregateOperator::CountValues,
            token::T_QUANTILE => AggregateOperator::Quantile,
            _ => {
                let name = aggregate.op.to_string();
                let message =
                    format!("aggregation {name:?} is experimental in Prometheus and not supported");
                return Err(self.error(&name, message));
            }
        };
        let grouping = match &aggregate.modifier {
            Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
            Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
            None => Grouping::By(Vec::new()),
        };
        let param = aggregate.param.as_ref().map(|param| self.expr(param)).transpose()?;
        let expr = self.expr(&aggregate.expr)?;
        Ok(Expr::Aggregate(Box::new(Aggregate { operator, param, expr, grouping })))
    }

    fn binary(&self, binary: &tree::BinaryExpr) -> Result<Expr, QueryError> {
        let operator = binary_operator(binary.op.id())
            .ok_or_else(|| self.error("", format!("unknown operator {}", binary.op)))?;
        let modifier = binary.modifier.clone().unwrap_or_default();
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            let message = "fill modifiers are experimental in Prometheus and not supported";
            return Err(self.error("fill", message.to_owned()));
        }
        let (on, labels) = match modifier.matching {
            Some(LabelModifier::Include(labels)) => (true, labels.labels),
            Some(LabelModifier::Exclude(labels)) => (false, labels.labels),
            None => (false, Vec::new()),
        };
        let cardinality = match modifier.card {
            VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => {
                Cardinality::OneToOne
            }
            VectorMatchCardinality::ManyToOne(include) => Cardinality::ManyToOne(include.labels),
            VectorMatchCardinality::OneToMany(include) => Cardinality::OneToMany(include.labels),
        };
        Ok(Expr::Binary(Box::new(Binary {
            operator,
            returns_bool: modifier.return_bool,
            lhs: self.expr(&binary.lhs)?,
            rhs: self.expr(&binary.rhs)?,
            matching: Matching { on, labels, cardinality },
        })))
    }
}

fn binary_operator(id: token::TokenId) -> Option<BinaryOperator> {
    Some(match id {
        token::T_ADD => BinaryOperator::Add,
        token::T_SUB => BinaryOperator::Sub,
        token::T_MUL => BinaryOperator::Mul,
        token::T_DIV => BinaryOperator::Div,
        token::T_MOD => BinaryOperator::Mod,
        token::T_POW => BinaryOperator::Pow,
        token::T_ATAN2 => BinaryOperator::Atan2,
        token::T_EQLC => BinaryOperator::Equal,
        token::T_NEQ => BinaryOperator::NotEqual,
        token::T_LSS => BinaryOperator::Less,
        token::T_LTE => BinaryOperator::LessOrEqual,
        token::T_GTR => BinaryOperator::Greater,
        token::T_GTE => BinaryOperator::GreaterOrEqual,
        token::T_LAND => BinaryOperator::And,
        token::T_LOR => BinaryOperator::Or,
        token::T_LUNLESS => BinaryOperator::Unless,
        _ => return None,
    })
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn shift(offset: Option<&tree::Offset>, at: Option<&tree::AtModifier>) -> Shift {
    let offset_ms = match offset {
        None => 0,
        Some(tree::Offset::Pos(duration)) => milliseconds(*duration),
        Some(tree::Offset::Neg(duration)) => -milliseconds(*duration),
    };
    let at = at.map(|at| match at {
        tree::AtModifier::Start => At::Start,
        tree::AtModifier::End => At::End,
        tree::AtModifier::At(time) => At::Time(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => milliseconds(since),
            Err(before) => -milliseconds(before.duration()),
        }),
    });
    Shift { offset_ms, at }
}

/// Marks the parts that are the same for all steps, and says whether the whole is.
fn fix(expr: Expr) -> (Expr, bool) {
    match expr {
        Expr::Number(_) | Expr::String(_) | Expr::Fixed(_) => (expr, true),
        Expr::Selector(ref selector) => {
            let is_fixed = selector.shift.at.is_some();
            (expr, is_fixed)
        }
        Expr::Range(ref range) => {
            let is_fixed = range.selector.shift.at.is_some();
            (expr, is_fixed)
        }
        Expr::Subquery(mut subquery) => {
            let is_fixed = subquery.shift.at.is_some();
            subquery.expr = mark_if_fixed(subquery.expr);
            (Expr::Subquery(subquery), is_fixed)
        }
        Expr::Call { function, args } => {
            let (args, are_fixed) = fix_all(args, !function.depends_on_step());
            (Expr::Call { function, args }, are_fixed)
        }
        Expr::Aggregate(mut aggregate) => {
            let parts = aggregate.param.take().into_iter().chain([aggregate.expr]).collect();
            let (mut parts, are_fixed) = fix_all(parts, true);
            // The operand was put in last, and the parameter, if any, first.
            aggregate.expr = parts.pop().unwrap_or(Expr::Number(f64::NAN));
            aggregate.param = parts.pop();
            (Expr::Aggregate(aggregate), are_fixed)
        }
        Expr::Binary(mut binary) => {
            let (lhs, lhs_is_fixed) = fix(binary.lhs);
            let (rhs, rhs_is_fixed) = fix(binary.rhs);
            let is_fixed = lhs_is_fixed && rhs_is_fixed;
            binary.lhs = if lhs_is_fixed && !is_fixed { mark(lhs) } else { lhs };
            binary.rhs = if rhs_is_fixed && !is_fixed { mark(rhs) } else { rhs };
            (Expr::Binary(binary), is_fixed)
        }
        Expr::Negate(inner) => {
            let (inner, is_fixed) = fix(*inner);
            (Expr::Negate(Box::new(inner)), is_fixed)
        }
    }
}

/// Marks those of `parts` that are fixed, unless all are and their owner may be.
fn fix_all(parts: Vec<Expr>, owner_may_be: bool) -> (Vec<Expr>, bool) {
    let parts: Vec<(Expr, bool)> = parts.into_iter().map(fix).collect();
    let are_fixed = owner_may_be && parts.iter().all(|(_, is_fixed)| *is_fixed);
    let marked = parts
        .into_iter()
        .map(|(part, is_fixed)| if is_fixed && !are_fixed { mark(part) } else { part })
        .collect();
    (marked, are_fixed)
}

fn mark_if_fixed(expr: Expr) -> Expr {
    let (expr, is_fixed) = fix(expr);
    if is_fixed { mark(expr) } else { expr }
}

fn mark(expr: Expr) -> Expr {
    match expr {
        Expr::Number(_) | Expr::String(_) | Expr::Fixed(_) => expr,
        other => Expr::Fixed(Box::new(other)),
    }
}
