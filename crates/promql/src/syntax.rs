//! The tree of a query as it is evaluated: checked, with its matchers compiled and its times in
//! milliseconds. Made by [`parse`](crate::parse) only.

use std::fmt;

use pampero_series::Matcher;

use crate::functions::Function;

/// The type of an expression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// A string.
    String,
    /// One number per series.
    Vector,
    /// A stretch of samples per series.
    Matrix,
}

impl ValueType {
    /// Returns the name that the documentation of Prometheus uses.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.description())
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Number(f64),
    String(String),
    Selector(Selector),
    Range(RangeSelector),
    Subquery(Box<Subquery>),
    Call {
        function: Function,
        args: Vec<Expr>,
    },
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Negate(Box<Expr>),
    /// Does not depend on the step: it is evaluated once and stands for all steps.
    Fixed(Box<Expr>),
}

/// Selects one sample per series and step.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
}

/// Selects a stretch of samples per series and step.
#[derive(Clone, Debug)]
pub(crate) struct RangeSelector {
    pub(crate) selector: Selector,
    pub(crate) range_ms: i64,
}

/// Evaluates an expression at the steps of a stretch of time.
#[derive(Clone, Debug)]
pub(crate) struct Subquery {
    pub(crate) expr: Expr,
    pub(crate) range_ms: i64,
    /// `None` means the evaluation interval of the engine.
    pub(crate) step_ms: Option<i64>,
    pub(crate) shift: Shift,
}

/// Moves the time of a selector.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shift {
    /// How much earlier, in milliseconds; negative means later.
    pub(crate) offset_ms: i64,
    pub(crate) at: Option<At>,
}

/// The fixed time of a selector.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Milliseconds since the Unix epoch.
    Time(i64),
    /// The first step of the query.
    Start,
    /// The last time of the query.
    End,
}

/// Combines series into groups.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) operator: AggregateOperator,
    pub(crate) param: Option<Expr>,
    pub(crate) expr: Expr,
    pub(crate) grouping: Grouping,
}

/// What is done with the series of a group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AggregateOperator {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
}

/// Which labels make a group.
#[derive(Clone, Debug)]
pub(crate) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

/// Combines two expressions.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) operator: BinaryOperator,
    /// A comparison answers 0 or 1 in place of filtering.
    pub(crate) returns_bool: bool,
    pub(crate) lhs: Expr,
    pub(crate) rhs: Expr,
    pub(crate) matching: Matching,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BinaryOperator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Unless,
}

impl BinaryOperator {
    pub(crate) const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
        )
    }
}

/// Which series of two vectors belong together.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    /// Whether `labels` are those that have to be equal, or those that need not.
    pub(crate) on: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) cardinality: Cardinality,
}

/// How many series of each side may match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Cardinality {
    OneToOne,
    /// `group_left`, with the labels taken over from the one side.
    ManyToOne(Vec<String>),
    /// `group_right`, with the labels taken over from the one side.
    OneToMany(Vec<String>),
}

impl Expr {
    /// Returns the type of what it evaluates to.
    pub(crate) fn value_type(&self) -> ValueType {
        match self {
            Self::Number(_) => ValueType::Scalar,
            Self::String(_) => ValueType::String,
            Self::Selector(_) | Self::Aggregate(_) => ValueType::Vector,
            Self::Range(_) | Self::Subquery(_) => ValueType::Matrix,
            Self::Call { function, .. } => function.returns(),
            Self::Negate(expr) | Self::Fixed(expr) => expr.value_type(),
            Self::Binary(binary) => {
                let is_scalar = |expr: &Self| expr.value_type() == ValueType::Scalar;
                if is_scalar(&binary.lhs) && is_scalar(&binary.rhs) {
                    ValueType::Scalar
                } else {
                    ValueType::Vector
                }
            }
        }
    }

    /// Returns the expression without the mark that it is the same for all steps.
    pub(crate) fn unfixed(&self) -> &Self {
        match self {
            Self::Fixed(expr) => expr.unfixed(),
            other => other,
        }
    }

    /// Shows every selector in it to `visit`, from left to right.
    pub(crate) fn each_selector<'e>(&'e self, visit: &mut dyn FnMut(&'e Selector)) {
        match self {
            Self::Number(_) | Self::String(_) => {}
            Self::Selector(selector) => visit(selector),
            Self::Range(range) => visit(&range.selector),
            Self::Subquery(subquery) => subquery.expr.each_selector(visit),
            Self::Call { args, .. } => args.iter().for_each(|arg| arg.each_selector(visit)),
            Self::Aggregate(aggregate) => {
                if let Some(param) = &aggregate.param {
                    param.each_selector(visit);
                }
                aggregate.expr.each_selector(visit);
            }
            Self::Binary(binary) => {
                binary.lhs.each_selector(visit);
                binary.rhs.each_selector(visit);
            }
            Self::Negate(expr) | Self::Fixed(expr) => expr.each_selector(visit),
        }
    }
}
