//! Why an attempt failed, by the classes of the provider reference.

use std::time::Duration;

use jiff::Timestamp;
use pampero_resilience::{Failure, FailureClass};

/// Why a service gave no answer. No variant carries a key or a URL.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The key or the User-Agent was refused.
    #[error("the service refused our identity: {message}")]
    Auth {
        /// What the service said.
        message: String,
    },
    /// The allowance is used up.
    #[error("the service says the allowance is used up: {message}")]
    Quota {
        /// What the service said.
        message: String,
        /// When it is renewed; `None` when neither the service nor its documentation says.
        resets_at: Option<Timestamp>,
        /// How long that is from now; `None` like `resets_at`.
        retry_after: Option<Duration>,
    },
    /// Too many calls in a short time.
    #[error("the service asks us to slow down: {message}")]
    RateLimited {
        /// What the service said.
        message: String,
        /// How long to wait; `None` when the service did not say.
        retry_after: Option<Duration>,
    },
    /// The service has nothing for the place.
    #[error("the service does not cover the place: {message}")]
    NotCovered {
        /// What the service said.
        message: String,
    },
    /// The service calls our request wrong.
    #[error("the service calls our request wrong: {message}")]
    BadRequest {
        /// What the service said.
        message: String,
    },
    /// The service answered with a server error.
    #[error("the service answered {status}: {message}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// What the service said.
        message: String,
        /// How long to wait; `None` when the service did not say.
        retry_after: Option<Duration>,
    },
    /// The connection failed, was reset, or ended before the answer did.
    #[error("the connection failed while {during}")]
    Connection {
        /// What we were doing.
        during: &'static str,
        /// The cause, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The answer cannot be read.
    #[error("the answer cannot be read: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is older, or newer, than an observation can be.
    #[error("the answer speaks of {observed_at}, which is {reason}")]
    Stale {
        /// The instant the answer speaks of.
        observed_at: Timestamp,
        /// What is wrong with that instant.
        reason: String,
    },
}

impl Failure for ProviderError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Auth { .. } => FailureClass::Auth,
            Self::Quota { .. } => FailureClass::Quota,
            Self::RateLimited { .. } => FailureClass::RateLimited,
            Self::NotCovered { .. } => FailureClass::NotCovered,
            Self::BadRequest { .. } => FailureClass::BadRequest,
            Self::Server { .. } | Self::Connection { .. } => FailureClass::Transient,
            Self::Malformed { .. } => FailureClass::Malformed,
            Self::Stale { .. } => FailureClass::Stale,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Quota { retry_after, .. }
            | Self::RateLimited { retry_after, .. }
            | Self::Server { retry_after, .. } => *retry_after,
            Self::Auth { .. }
            | Self::NotCovered { .. }
            | Self::BadRequest { .. }
            | Self::Connection { .. }
            | Self::Malformed { .. }
            | Self::Stale { .. } => None,
        }
    }
}
