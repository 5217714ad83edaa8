//! Why a script is refused, and why a run of one ended without an answer.

/// Why a text is no script of the subset.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there, naming what is not understood.
    pub message: String,
}

impl ScriptError {
    /// Returns the error for the byte `offset` of `source`.
    pub(crate) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

/// Why a run gave no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Something was asked of `null`: a missing member, or a metric of no documents.
    #[error("{what} is null")]
    Null {
        /// The expression that is null, as it was written.
        what: String,
    },
    /// It ran for longer than it may.
    #[error("the script took more than {steps} steps")]
    TooLong {
        /// The most steps.
        steps: u64,
    },
    /// The answer is no boolean.
    #[error("the condition must be true or false, and is {found}")]
    NotBoolean {
        /// What it is.
        found: String,
    },
    /// Anything else: a value of the wrong type, an index out of bounds, a division by zero.
    #[error("{0}")]
    Failed(String),
}
