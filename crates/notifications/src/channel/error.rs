//! Why something is no channel, in the words of OpenSearch Notifications where it has some.

use crate::guard::GuardError;
use crate::vault::VaultError;

/// Why something is no channel. Shows no secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{reason}")]
pub struct ChannelError {
    /// What sort of mistake it is.
    pub kind: ChannelErrorKind,
    /// What is wrong, and what to do about it.
    pub reason: String,
}

/// What sort of mistake it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChannelErrorKind {
    /// Something that is referred to is not there: 404.
    NotFound,
    /// It is there already, or was of another type: 409.
    Conflict,
    /// The body is wrong: 400.
    Invalid,
    /// What is referred to is of the wrong kind: 406.
    NotAcceptable,
    /// A secret could not be kept: 500.
    Vault,
}

impl ChannelErrorKind {
    /// Returns the status of the answer to a request with this mistake.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Invalid => 400,
            Self::NotAcceptable => 406,
            Self::Vault => 500,
        }
    }
}

impl ChannelError {
    /// A body that is wrong.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self { kind: ChannelErrorKind::Invalid, reason: reason.into() }
    }

    /// A channel that is not there, as a request for it is answered.
    pub fn not_found(id: &str) -> Self {
        let reason = format!("NotificationConfig {id} not found");
        Self { kind: ChannelErrorKind::NotFound, reason }
    }

    /// A channel that is there already.
    pub fn exists(id: &str) -> Self {
        let reason = format!("NotificationConfig {id} exists already");
        Self { kind: ChannelErrorKind::Conflict, reason }
    }

    pub(crate) fn of_member(member: &str, error: &GuardError) -> Self {
        Self::invalid(format!("Invalid {member}: {error}"))
    }
}

impl From<VaultError> for ChannelError {
    fn from(error: VaultError) -> Self {
        let kind = match error {
            VaultError::Write { .. } => ChannelErrorKind::Vault,
            VaultError::Refused { .. } | VaultError::Missing { .. } => ChannelErrorKind::Invalid,
        };
        Self { kind, reason: error.to_string() }
    }
}
