//! A channel: a receiver with its kind, its settings and its secrets.

use jiff::Timestamp;

/// Where messages go.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id (`config_id`): letters, digits, `+`, `/`, `=`, `_`, `-`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Whether messages are sent; those of a channel that is not enabled are dropped with a word.
    pub is_enabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub updated: Timestamp,
    /// What kind of receiver it is.
    pub kind: ChannelKind,
}

/// The kind of a receiver, with what it needs.
#[derive(Clone, Debug)]
pub enum ChannelKind {}

/// Why something is no channel.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ChannelError(pub String);
