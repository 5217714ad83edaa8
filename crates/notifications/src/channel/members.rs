//! The members of one object of a channel, asked for by name.

use serde_json::{Map, Value};

use super::{Channel, ChannelError};
use crate::guard::Guard;
use crate::secret::{REDACTED, Reference, Secret};
use crate::vault::Vault;

/// Most bytes of a text that is no secret.
const TEXT_BYTES_MAX: usize = 10_000;
/// Most bytes of a secret, which may be a whole address.
const SECRET_BYTES_MAX: usize = 16_384;

/// What is needed to read secrets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) config_id: &'a str,
    pub(super) old: Option<&'a Channel>,
    pub(super) vault: &'a dyn Vault,
    pub(super) guard: &'a Guard,
}

/// The members of one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Members<'a> {
    /// What the object is called in errors, as `slack`.
    pub(super) of: &'a str,
    pub(super) map: &'a Map<String, Value>,
    pub(super) source: Source<'a>,
}

impl<'a> Members<'a> {
    /// Refuses members that nobody would read: a misspelled one would silently do nothing.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ChannelError> {
        match self.map.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let known = known.join(", ");
                let reason = format!("{}.{unknown} is not known; there is {known}", self.of);
                Err(ChannelError::invalid(reason))
            }
        }
    }

    /// Returns a member; `None` when it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, ChannelError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.wrong(name, "must be a text"))?;
        if TEXT_BYTES_MAX < text.len() {
            return Err(self.wrong(name, &format!("is longer than {TEXT_BYTES_MAX} bytes")));
        }
        Ok(Some(text))
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&'a str, ChannelError> {
        let text = self.text(name)?.ok_or_else(|| self.absent(name))?;
        if text.trim().is_empty() { Err(self.wrong(name, "is empty")) } else { Ok(text) }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ChannelError> {
        self.get(name)
            .map(|value| value.as_bool().ok_or_else(|| self.wrong(name, "must be true or false")))
            .transpose()
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], ChannelError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.wrong(name, "must be a list")),
        }
    }

    pub(super) fn object(
        &self,
        name: &str,
    ) -> Result<Option<&'a Map<String, Value>>, ChannelError> {
        self.get(name)
            .map(|value| value.as_object().ok_or_else(|| self.wrong(name, "must be an object")))
            .transpose()
    }

    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret>, ChannelError> {
        self.get(name).map(|value| self.secret_of(name, value)).transpose()
    }

    pub(super) fn required_secret(&self, name: &str) -> Result<Secret, ChannelError> {
        self.secret(name)?.ok_or_else(|| self.absent(name))
    }

    /// Reads a secret: as it is, as a reference, or as the word for the one that was there.
    pub(super) fn secret_of(&self, name: &str, value: &Value) -> Result<Secret, ChannelError> {
        let text = value.as_str().ok_or_else(|| self.wrong(name, "must be a text"))?;
        if text == REDACTED {
            return self.old_secret(name);
        }
        if text.trim().is_empty() {
            return Err(self.wrong(name, "is empty"));
        }
        if SECRET_BYTES_MAX < text.len() {
            return Err(self.wrong(name, &format!("is longer than {SECRET_BYTES_MAX} bytes")));
        }
        match text.parse::<Reference>() {
            Err(_) => Ok(Secret::literal(text)),
            Ok(reference) => {
                let value = self.source.vault.resolve(self.source.config_id, &reference)?;
                Ok(Secret::kept(value, reference))
            }
        }
    }

    fn old_secret(&self, name: &str) -> Result<Secret, ChannelError> {
        let kept = self.source.old.into_iter().flat_map(Channel::secrets);
        let mut same = kept.filter(|(member, _)| member.eq_ignore_ascii_case(name));
        same.next().map(|(_, secret)| secret.clone()).ok_or_else(|| {
            self.wrong(
                name,
                "is [redacted], and there is none to keep: give it, or a reference to it",
            )
        })
    }

    pub(super) fn absent(&self, name: &str) -> ChannelError {
        ChannelError::invalid(format!("{} field absent in {}", name, self.of))
    }

    pub(super) fn wrong(&self, name: &str, what: &str) -> ChannelError {
        ChannelError::invalid(format!("{}.{name} {what}", self.of))
    }
}
