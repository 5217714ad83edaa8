//! Why something is no monitor, in the words of OpenSearch Alerting where it has any.

/// Why a monitor is refused.
///
/// `Display` is the reason alone.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct MonitorError {
    /// A plain sentence, as OpenSearch gives it in `reason`.
    pub reason: String,
    /// What kind of refusal it is, which decides the status.
    pub kind: MonitorErrorKind,
    /// Where in the document, as a JSON pointer; empty for the whole of it.
    pub pointer: String,
}

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MonitorErrorKind {
    /// A value that may not stand there.
    IllegalArgument,
    /// A document whose form is not that of a monitor.
    Parsing,
    /// Something that OpenSearch meets with a fault of its own, as an unknown member of an action.
    IllegalState,
    /// Something that OpenSearch can and this server cannot.
    Unsupported,
    /// There is no such thing.
    NotFound,
    /// It was changed meanwhile.
    Conflict,
    /// The disk failed.
    Internal,
}

impl MonitorErrorKind {
    /// Returns the HTTP status.
    ///
    /// Source: OpenSearch Alerting, `AlertingException.wrap`.
    pub const fn status(self) -> u16 {
        match self {
            Self::IllegalArgument | Self::Parsing | Self::Unsupported => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::IllegalState | Self::Internal => 500,
        }
    }

    /// Returns the name of the class that OpenSearch writes before the message in `caused_by`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::IllegalArgument => "java.lang.IllegalArgumentException",
            Self::Parsing => "org.opensearch.core.common.ParsingException",
            Self::IllegalState => "java.lang.IllegalStateException",
            Self::Unsupported => "java.lang.UnsupportedOperationException",
            Self::NotFound => "org.opensearch.OpenSearchStatusException",
            Self::Conflict => "org.opensearch.index.engine.VersionConflictEngineException",
            Self::Internal => "java.io.IOException",
        }
    }
}

impl MonitorError {
    /// Refuses a value, without saying where it stands.
    pub fn new(kind: MonitorErrorKind, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), kind, pointer: String::new() }
    }

    /// Refuses the value at a place.
    pub(crate) fn at(pointer: &str, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            kind: MonitorErrorKind::IllegalArgument,
            pointer: pointer.to_owned(),
        }
    }

    /// Makes it one of another kind.
    #[must_use]
    pub(crate) fn of(mut self, kind: MonitorErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }
}
