//! Why a query has no answer.

use std::time::Duration;

use pampero_series::{Labels, MatcherError, SelectError};

use crate::syntax::ValueType;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is longer than [`query_length_max`](crate::Limits::query_length_max).
    #[error("the query has {length} bytes, more than the {max} that are allowed; shorten it")]
    TooLong {
        /// Bytes of the text.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// The text nests deeper than [`depth_max`](crate::Limits::depth_max).
    #[error(
        "{position}: parse error: the query nests deeper than the {max} levels that are \
         allowed; split it"
    )]
    TooDeep {
        /// Where the limit is passed.
        position: Position,
        /// The limit.
        max: usize,
    },
    /// There are more regular expressions than [`regexes_max`](crate::Limits::regexes_max).
    #[error("{position}: parse error: more than {max} regular expressions in one query")]
    TooManyRegexes {
        /// The first one too many.
        position: Position,
        /// The limit.
        max: usize,
    },
    /// The text is no query.
    #[error("{position}: parse error: {message}")]
    Parse {
        /// Where in the text.
        position: Position,
        /// What is wrong there.
        message: String,
    },
    /// A regular expression of a selector is wrong or too large.
    #[error("{position}: parse error: error parsing regexp in a matcher")]
    Regex {
        /// Where in the text.
        position: Position,
        /// What is wrong with it.
        #[source]
        source: MatcherError,
    },
    /// A duration is not written as Prometheus writes one.
    #[error("not a valid duration string: {text:?}; write for instance 5m or 1h30m")]
    Duration {
        /// As it was written.
        text: String,
    },
    /// A range query needs a value for each step.
    #[error(
        "invalid expression type \"{}\" for range query, must be Scalar or instant Vector",
        .found.description()
    )]
    NotForRange {
        /// What the expression is.
        found: ValueType,
    },
    /// The step of a range query is not positive.
    #[error(
        "zero or negative query resolution step widths are not accepted. Try a positive integer"
    )]
    Step,
    /// A range query ends before it starts.
    #[error("end timestamp must not be before start time")]
    EndBeforeStart,
    /// A range query has more steps than [`points_max`](crate::Limits::points_max).
    #[error(
        "exceeded maximum resolution of {max} points per timeseries. Try decreasing the query \
         resolution (?step=XX)"
    )]
    TooManyPoints {
        /// The limit.
        max: usize,
    },
    /// More series than [`series_max`](crate::Limits::series_max) are read or result.
    #[error("query processing would load or create more than {max} series; narrow the selection")]
    TooManySeries {
        /// The limit.
        max: usize,
    },
    /// More samples than [`samples_max`](crate::Limits::samples_max) are read.
    #[error(
        "query processing would load too many samples: more than {max}; ask for a shorter time or fewer series"
    )]
    TooManySamples {
        /// The limit.
        max: usize,
    },
    /// More points than [`held_max`](crate::Limits::held_max) would be held at once.
    #[error(
        "query processing would load too many samples into memory: more than {max} points; take a longer step or aggregate"
    )]
    TooManyHeld {
        /// The limit.
        max: usize,
    },
    /// An operator matches more pairs than [`matches_max`](crate::Limits::matches_max).
    #[error("an operator would match more than {max} pairs of series; narrow its operands")]
    TooManyMatches {
        /// The limit.
        max: usize,
    },
    /// Two results have the same labels at one time.
    #[error("vector cannot contain metrics with the same labelset")]
    SameLabels,
    /// Two series on the side that must have one match at one time.
    #[error(
        "found duplicate series for the match group {group} on the {side} hand-side of the \
         operation: [{first}, {second}];many-to-many matching not allowed: matching labels must \
         be unique on one side"
    )]
    ManyToMany {
        /// The labels that match.
        group: Labels,
        /// `left` or `right`.
        side: &'static str,
        /// One of the two.
        first: Labels,
        /// The other one.
        second: Labels,
    },
    /// Several series match one, and the query does not say that this is meant.
    #[error(
        "multiple matches for labels: many-to-one matching must be explicit \
         (group_left/group_right)"
    )]
    ManyToOne,
    /// The results of a many-to-one match have the same labels.
    #[error("multiple matches for labels: grouping labels must ensure unique matches")]
    NotUnique,
    /// A parameter of a function has a value that it must not have.
    #[error("{message}")]
    Parameter {
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The evaluation took longer than [`time`](crate::Limits::time).
    #[error("query timed out in expression evaluation after {limit:?}")]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// Nobody waits for the answer any more.
    #[error("query was canceled in expression evaluation")]
    Canceled,
    /// The samples cannot be read.
    #[error("the samples of the query cannot be read")]
    Source(#[source] SelectError),
}

/// What kind of failure it is, from which the HTTP API chooses its status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// The query or its parameters are wrong.
    BadData,
    /// The query is well formed and cannot be evaluated over these series.
    Execution,
    /// It took too long.
    Timeout,
    /// The caller went away.
    Canceled,
    /// The store failed.
    Internal,
}

impl QueryError {
    /// Returns what kind of failure it is.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLong { .. }
            | Self::TooDeep { .. }
            | Self::TooManyRegexes { .. }
            | Self::Parse { .. }
            | Self::Regex { .. }
            | Self::Duration { .. }
            | Self::NotForRange { .. }
            | Self::Step
            | Self::EndBeforeStart
            | Self::TooManyPoints { .. } => ErrorKind::BadData,
            Self::TooManySeries { .. }
            | Self::TooManySamples { .. }
            | Self::TooManyHeld { .. }
            | Self::TooManyMatches { .. }
            | Self::SameLabels
            | Self::ManyToMany { .. }
            | Self::ManyToOne
            | Self::NotUnique
            | Self::Parameter { .. }
            | Self::Source(SelectError::TooManySeries { .. }) => ErrorKind::Execution,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Canceled => ErrorKind::Canceled,
            Self::Source(SelectError::Unreadable(_)) => ErrorKind::Internal,
        }
    }
}

/// A place in the text of a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// Counted from 1.
    pub line: usize,
    /// Bytes from the start of the line, counted from 1.
    pub column: usize,
}

impl Position {
    /// Returns the place that is `offset` bytes into `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self { line, column: 1 + before.len() - line_start }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}
