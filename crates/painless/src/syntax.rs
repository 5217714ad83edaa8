//! What a script consists of once it is parsed: names are resolved, patterns compiled.

use regex::Regex;

use crate::catalog::{Function, Method};
use crate::number::{Arithmetic, Number};

/// A parsed script.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) statements: Vec<Statement>,
    /// The declared type of each variable; a variable is known by its place here.
    pub(crate) slots: Vec<Type>,
}

/// Bytes of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    pub(crate) span: Span,
}

/// What a statement does.
#[derive(Clone, Debug)]
pub(crate) enum StatementKind {
    Declare {
        slot: usize,
        value: Option<Expression>,
    },
    Evaluate(Expression),
    Return(Expression),
    /// `if`, and each `else if` behind it.
    If {
        branches: Vec<(Expression, Vec<Statement>)>,
        otherwise: Option<Vec<Statement>>,
    },
    While {
        condition: Expression,
        body: Vec<Statement>,
    },
    DoWhile {
        body: Vec<Statement>,
        condition: Expression,
    },
    For {
        initial: Vec<Statement>,
        condition: Option<Expression>,
        step: Option<Expression>,
        body: Vec<Statement>,
    },
    ForEach {
        slot: usize,
        values: Expression,
        body: Vec<Statement>,
    },
    Break,
    Continue,
}

/// One expression.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) kind: ExpressionKind,
    pub(crate) span: Span,
    /// How many expressions lie in one another here, this one included.
    pub(crate) depth: usize,
}

/// What an expression means.
#[derive(Clone, Debug)]
pub(crate) enum ExpressionKind {
    Literal(Literal),
    /// A variable that the script is given; its place in the roots.
    Root(usize),
    /// A variable that the script declares.
    Slot(usize),
    Member {
        target: Box<Expression>,
        name: String,
        /// Whether it was written `?.`.
        safe: bool,
    },
    Index {
        target: Box<Expression>,
        index: Box<Expression>,
    },
    Call {
        target: Box<Expression>,
        method: Method,
        arguments: Vec<Expression>,
        safe: bool,
    },
    Static {
        function: Function,
        arguments: Vec<Expression>,
    },
    /// Whether the pattern is in the text; a pattern for the whole text says so itself.
    Matches {
        text: Box<Expression>,
        pattern: Pattern,
        safe: bool,
    },
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Plus(Box<Expression>),
    Arithmetic {
        operator: Arithmetic,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    Compare {
        comparison: Comparison,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    /// A chain of `&&`, flat, so that a long one is not deep.
    All(Vec<Expression>),
    /// A chain of `||`.
    Any(Vec<Expression>),
    Choose {
        condition: Box<Expression>,
        then: Box<Expression>,
        otherwise: Box<Expression>,
    },
    Elvis {
        value: Box<Expression>,
        otherwise: Box<Expression>,
    },
    Cast {
        to: Type,
        value: Box<Expression>,
    },
    InstanceOf {
        value: Box<Expression>,
        of: Type,
    },
    Assign {
        slot: usize,
        /// The operator of a compound assignment.
        operator: Option<Arithmetic>,
        value: Box<Expression>,
    },
    Step {
        slot: usize,
        up: bool,
        /// Whether the answer is the value before the step.
        before: bool,
    },
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// Steps that each byte of a text costs, by the size of the compiled pattern.
    pub(crate) steps_per_byte: usize,
}

/// A value that is written out.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A type that a script may name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Type {
    Def,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    BoxedBoolean,
    BoxedInt,
    BoxedLong,
    BoxedFloat,
    BoxedDouble,
    Number,
    Object,
    Text,
    Collection,
    List,
    Set,
    Map,
    Entry,
}

impl Type {
    const ALL: [(&'static str, Self); 19] = [
        ("def", Self::Def),
        ("boolean", Self::Boolean),
        ("int", Self::Int),
        ("long", Self::Long),
        ("float", Self::Float),
        ("double", Self::Double),
        ("Boolean", Self::BoxedBoolean),
        ("Integer", Self::BoxedInt),
        ("Long", Self::BoxedLong),
        ("Float", Self::BoxedFloat),
        ("Double", Self::BoxedDouble),
        ("Number", Self::Number),
        ("Object", Self::Object),
        ("String", Self::Text),
        ("Collection", Self::Collection),
        ("List", Self::List),
        ("Set", Self::Set),
        ("Map", Self::Map),
        ("Map.Entry", Self::Entry),
    ];

    /// Returns the type of this name, or `None` if it is not understood.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, known)| *known == self).map_or("def", |(name, _)| name)
    }

    /// Returns whether `null` is none of its values.
    pub(crate) fn is_primitive(self) -> bool {
        matches!(self, Self::Boolean | Self::Int | Self::Long | Self::Float | Self::Double)
    }
}
