//! Where the secrets of channels are kept.

mod folder;

use std::fmt::Debug;

use secrecy::SecretString;

use crate::secret::Reference;

pub use folder::FolderVault;

/// Finds the secrets that references name, and keeps those that are given.
pub trait Vault: Debug + Send + Sync {
    /// Returns the secret that a reference of a channel names.
    ///
    /// # Errors
    /// There is none, or channels must not have it.
    fn resolve(&self, config_id: &str, reference: &Reference) -> Result<SecretString, VaultError>;

    /// Keeps a secret of a channel for good, and returns how to find it again. One that was kept for the
    /// same member is replaced.
    ///
    /// # Errors
    /// It could not be written.
    fn store(
        &self,
        config_id: &str,
        member: &str,
        secret: &SecretString,
    ) -> Result<Reference, VaultError>;

    /// Forgets all that was kept of a channel. It is no error when there is nothing.
    ///
    /// # Errors
    /// Something could not be removed.
    fn forget(&self, config_id: &str) -> Result<(), VaultError>;
}

/// Why a secret cannot be had. Names references, never what they lead to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VaultError {
    /// Channels must not have it.
    #[error("{reference} is refused: {reason}")]
    Refused {
        /// The reference.
        reference: String,
        /// Why, with what to do instead.
        reason: &'static str,
    },
    /// There is nothing, or it cannot be read.
    #[error("{reference} cannot be read: {reason}")]
    Missing {
        /// The reference.
        reference: String,
        /// What is wrong.
        reason: String,
    },
    /// It could not be kept or removed.
    #[error("the secrets of {config_id} cannot be written: {reason}")]
    Write {
        /// The channel.
        config_id: String,
        /// What is wrong.
        reason: String,
    },
}
