//! Why a template is refused, and why one cannot be rendered.

/// Why a text is no template.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TemplateError {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there, naming what is not understood.
    pub message: String,
}

/// Why a template was not rendered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// The text would be longer than it may.
    #[error("the text is longer than {bytes_max} bytes")]
    TooLong {
        /// The most bytes.
        bytes_max: usize,
    },
    /// It takes more steps than it may.
    #[error("the template takes more than {steps_max} steps")]
    TooManySteps {
        /// The most steps.
        steps_max: usize,
    },
    /// A function of the template failed.
    #[error("{0}")]
    Failed(String),
}
