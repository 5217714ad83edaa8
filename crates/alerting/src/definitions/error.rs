//! Why a definition is not taken, or not found.

use std::io;

use crate::monitor::{MonitorError, MonitorErrorKind};

/// Why a definition is not taken, not found, or not written.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// It is no monitor.
    #[error("{0}")]
    Monitor(MonitorError),
    /// It is no channel.
    #[error("{reason}")]
    Channel {
        /// A plain sentence, as OpenSearch Notifications gives it.
        reason: String,
        /// The HTTP status that goes with it.
        status: u16,
    },
    /// The id may not stand in the name of a file.
    #[error("[{id}] is no id: write 1 to 128 letters, digits, - or _")]
    BadId {
        /// The id.
        id: String,
    },
    /// There is no monitor of that id.
    #[error("Monitor not found.")]
    MonitorNotFound {
        /// The id.
        id: String,
    },
    /// There is no channel of that id.
    #[error("NotificationConfig {id} not found")]
    ChannelNotFound {
        /// The id.
        id: String,
    },
    /// There is one of that id already.
    #[error("[{id}] exists already")]
    Exists {
        /// The id.
        id: String,
    },
    /// It was changed meanwhile.
    #[error(
        "[{id}]: version conflict, required seqNo [{required}], primary term [{required_term}]. \
         current document has seqNo [{found}] and primary term [1]"
    )]
    Conflict {
        /// The id.
        id: String,
        /// The number that was required.
        required: u64,
        /// The term that was required.
        required_term: u64,
        /// The number that it has.
        found: u64,
    },
    /// It comes with the program.
    #[error(
        "[{id}] comes with the program and cannot be deleted; disable it with \"{switch}\": false"
    )]
    Shipped {
        /// The id.
        id: String,
        /// The member that disables it.
        switch: &'static str,
    },
    /// There are as many as may be.
    #[error("This request would create more than the allowed {what} [{count_max}].")]
    TooMany {
        /// Monitors or channels.
        what: &'static str,
        /// The most.
        count_max: usize,
    },
    /// The folder cannot be read or written.
    #[error("cannot {what} {file}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file, without the folders above its own.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DefinitionError {
    /// Returns the HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            Self::Monitor(error) => error.status(),
            Self::Channel { status, .. } => *status,
            Self::BadId { .. } | Self::Shipped { .. } | Self::TooMany { .. } => 400,
            Self::MonitorNotFound { .. } | Self::ChannelNotFound { .. } => 404,
            Self::Exists { .. } | Self::Conflict { .. } => 409,
            Self::Io { .. } => 500,
        }
    }

    /// Returns the kind of refusal, as OpenSearch Alerting tells it.
    pub fn kind(&self) -> MonitorErrorKind {
        match (self, self.status()) {
            (Self::Monitor(error), _) => error.kind,
            (_, 404) => MonitorErrorKind::NotFound,
            (_, 409) => MonitorErrorKind::Conflict,
            (_, 500) => MonitorErrorKind::Internal,
            _ => MonitorErrorKind::IllegalArgument,
        }
    }
}
