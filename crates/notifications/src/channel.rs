//! A channel: a receiver with its kind, its settings and its secrets.
//!
//! `read` makes one of JSON, `write` makes JSON of one. Start reading at [`Channel::from_json`].

mod book;
mod error;
mod kind;
mod members;
mod read;
mod write;

use jiff::Timestamp;
use serde_json::Value;

use crate::guard::Guard;
use crate::secret::Secret;
use crate::vault::Vault;

pub use book::{ChannelBook, NoChannels};
pub use error::{ChannelError, ChannelErrorKind};
pub use kind::{
    Alertmanager, Body, BodyTemplate, ChannelKind, Chat, Email, Encryption, Header, HeaderText,
    Method, Preset, SmtpAccount, Webhook,
};

/// Most bytes of an id.
const ID_BYTES_MAX: usize = 128;

/// Where messages go, or what such a channel refers to: an account for mail, a group of recipients.
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

impl Channel {
    /// Makes a channel of the body of a request, `{"config":{…}}`, as it is `now`.
    ///
    /// `old` is the channel that it replaces; `"[redacted]"` stands for a secret of that one. Secrets that are
    /// given as they are go to the vault, once everything else was found to be right.
    ///
    /// # Errors
    /// The body is not as OpenSearch Notifications has it, the address must not be reached, the type is another than
    /// before, or a secret cannot be had or kept.
    pub fn from_json(
        id: &str,
        json: &Value,
        old: Option<&Self>,
        vault: &dyn Vault,
        guard: &Guard,
        now: Timestamp,
    ) -> Result<Self, ChannelError> {
        let mut channel = read::channel(id, json, old, vault, guard)?;
        channel.created = old.map_or(now, |old| old.created);
        channel.updated = now;
        channel.keep_secrets(vault)?;
        Ok(channel)
    }

    /// Makes a channel of its file, which says itself when it was made and changed; `now` when it does not.
    ///
    /// A secret that stands in the file goes to the vault; what [`to_file_json`](Self::to_file_json) returns then
    /// differs from the file, which should be written anew.
    ///
    /// # Errors
    /// Like [`from_json`](Self::from_json).
    pub fn from_file(
        id: &str,
        json: &Value,
        vault: &dyn Vault,
        guard: &Guard,
        now: Timestamp,
    ) -> Result<Self, ChannelError> {
        let mut channel = read::channel(id, json, None, vault, guard)?;
        channel.created = read::time(json, "created_time_ms")?.unwrap_or(now);
        channel.updated = read::time(json, "last_updated_time_ms")?.unwrap_or(channel.created);
        channel.keep_secrets(vault)?;
        Ok(channel)
    }

    /// Returns the channel as the API shows it, with `"[redacted]"` in the place of each secret.
    pub fn to_json(&self) -> Value {
        write::channel(self, write::Secrets::Hidden)
    }

    /// Returns the channel as its file holds it, with references in the place of secrets.
    pub fn to_file_json(&self) -> Value {
        write::channel(self, write::Secrets::AsReferences)
    }

    /// Returns `config_type`, as in `slack`.
    pub fn config_type(&self) -> &'static str {
        self.kind.config_type()
    }

    /// Tells whether messages can be sent to it, which they cannot to accounts and groups.
    pub fn is_receiver(&self) -> bool {
        !matches!(self.kind, ChannelKind::SmtpAccount(_) | ChannelKind::EmailGroup(_))
    }

    /// Tells whether the receiver can see that a message is one that it has already.
    pub fn knows_repeats(&self) -> bool {
        match &self.kind {
            ChannelKind::Alertmanager(_) => true,
            ChannelKind::Webhook(webhook) => {
                !matches!(webhook.body, Body::Preset(Preset::Discord) | Body::Preset(Preset::Ntfy))
            }
            _ => false,
        }
    }

    /// Checks that what the channel refers to is there, and of the right kind.
    ///
    /// # Errors
    /// The account or a group of an e-mail channel is missing, or is something else.
    pub fn check_references(&self, book: &dyn ChannelBook) -> Result<(), ChannelError> {
        match &self.kind {
            ChannelKind::Email(email) => book::resolve(email, book).map(|_| ()),
            _ => Ok(()),
        }
    }

    pub(crate) fn mail(
        &self,
        email: &Email,
        book: &dyn ChannelBook,
    ) -> Result<book::Mail, ChannelError> {
        book::resolve(email, book)
    }

    /// Returns the secrets with the members that hold them.
    pub(crate) fn secrets(&self) -> Vec<(String, &Secret)> {
        self.kind.secrets()
    }

    fn keep_secrets(&mut self, vault: &dyn Vault) -> Result<(), ChannelError> {
        for (member, secret) in self.kind.secrets_mut() {
            if secret.reference().is_none() {
                let reference = vault.store(&self.id, &member, secret.value())?;
                secret.keep_at(reference);
            }
        }
        Ok(())
    }
}

/// Checks an id of a channel.
///
/// # Errors
/// It is empty, too long, or has other characters than letters, digits, `+`, `/`, `=`, `_` and `-`.
pub fn check_id(id: &str) -> Result<(), ChannelError> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if id.is_empty() || ID_BYTES_MAX < id.len() || !id.bytes().all(is_fine) {
        let reason = format!(
            "Invalid config_id: write 1 to {ID_BYTES_MAX} letters, digits, `+`, `/`, `=`, `_` or `-`"
        );
        return Err(ChannelError::invalid(reason));
    }
    Ok(())
}

/// Returns the name of a channel's file without its ending: its id, with `~` for each `/`.
pub fn file_stem(id: &str) -> String {
    id.replace('/', "~")
}

#[cfg(test)]
mod tests;
