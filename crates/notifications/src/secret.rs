//! A secret of a channel, and where it is kept.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

/// What is shown in the place of a secret, and what stands in a request for the secret that was there.
pub const REDACTED: &str = "[redacted]";

/// Where a secret is kept: what stands in the file of a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reference {
    /// A variable of the environment, written `$env:NAME`.
    Env(String),
    /// A file with nothing else in it, written `$file:PATH`; a relative path starts at the folder of secrets.
    File(String),
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(formatter, "$env:{name}"),
            Self::File(path) => write!(formatter, "$file:{path}"),
        }
    }
}

/// A text is the secret itself, not a reference to one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NotReference;

impl FromStr for Reference {
    type Err = NotReference;

    fn from_str(text: &str) -> Result<Self, NotReference> {
        let env = text.strip_prefix("$env:").map(|name| Self::Env(name.to_owned()));
        let file = text.strip_prefix("$file:").map(|path| Self::File(path.to_owned()));
        env.or(file).ok_or(NotReference)
    }
}

/// A secret of a channel. Nothing but [`reveal`](Self::reveal) shows it.
#[derive(Clone)]
pub struct Secret {
    value: SecretString,
    /// `None` until it is stored.
    reference: Option<Reference>,
}

impl Secret {
    pub(crate) fn literal(value: &str) -> Self {
        Self { value: value.into(), reference: None }
    }

    pub(crate) fn kept(value: SecretString, reference: Reference) -> Self {
        Self { value, reference: Some(reference) }
    }

    /// Returns the secret for the one place where it is used.
    pub fn reveal(&self) -> &str {
        self.value.expose_secret()
    }

    pub(crate) fn value(&self) -> &SecretString {
        &self.value
    }

    pub(crate) fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    pub(crate) fn keep_at(&mut self, reference: Reference) {
        self.reference = Some(reference);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}
