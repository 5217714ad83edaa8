//! The errors of the API, and the one place where each chooses its status.

use http::StatusCode;

/// What kind of error an answer tells of, by Prometheus's own names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FailureKind {
    /// A parameter is missing or wrong.
    BadData,
    /// The body is larger than it may be.
    TooLarge,
    /// The query cannot be evaluated over what is kept.
    Execution,
    /// The query ran out of time, in the queue or while it was evaluated.
    Timeout,
    /// The query was given up.
    Canceled,
    /// Too much is asked at once.
    Unavailable,
    /// The fault is here.
    Internal,
}

impl FailureKind {
    /// Returns the spelling in `errorType`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::BadData | Self::TooLarge => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// Returns the status that goes with it.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::BadData => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Timeout | Self::Canceled | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why there is no answer, as the client is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) message: String,
}

impl Failure {
    /// Tells of a request that is wrong.
    pub(super) fn bad_data(message: impl Into<String>) -> Self {
        Self::new(FailureKind::BadData, message)
    }

    /// Tells of a parameter that is wrong.
    pub(super) fn parameter(name: &str, message: impl AsRef<str>) -> Self {
        Self::bad_data(format!("invalid parameter \"{name}\": {}", message.as_ref()))
    }

    pub(super) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
