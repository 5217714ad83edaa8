//! What a receiver said, in a form that may be shown.

use std::error::Error;

use crate::channel::{Channel, ChannelBook, ChannelKind};
use crate::secret::REDACTED;

/// Most characters that are shown of an answer.
const SHOWN_CHARS_MAX: usize = 300;
/// Shorter parts of an address may be ordinary words.
const PART_BYTES_MIN: usize = 8;

/// The secrets of a channel, to be taken out of texts.
pub(super) struct Redaction(Vec<String>);

impl Redaction {
    /// Takes the secrets of a channel and of the account that it refers to.
    pub(super) fn of(channel: &Channel, book: &dyn ChannelBook) -> Self {
        let mut needles = Vec::new();
        add(&mut needles, channel);
        if let ChannelKind::Email(email) = &channel.kind
            && let Some(account) = book.channel(&email.account_id)
        {
            add(&mut needles, &account);
        }
        // The longest first, so that no rest of one stays behind.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        Self(needles)
    }

    /// Returns the start of a text on one line, without secrets.
    pub(super) fn show(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for needle in &self.0 {
            clean = clean.replace(needle.as_str(), REDACTED);
        }
        let words = clean.split(|c: char| c.is_whitespace() || c.is_control());
        let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SHOWN_CHARS_MAX) {
            None => line,
            Some((end, _)) => format!("{}…", &line[..end]),
        }
    }

    /// Returns an error with all its causes, without secrets.
    pub(super) fn chain(&self, error: &dyn Error) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let own = error.to_string();
            if !text.contains(&own) {
                text.push_str(": ");
                text.push_str(&own);
            }
            cause = error.source();
        }
        self.show(&text)
    }
}

/// Adds each secret, and of one that is an address its path and the longer parts of that.
fn add(needles: &mut Vec<String>, channel: &Channel) {
    for (member, secret) in channel.secrets() {
        let secret = secret.reveal();
        needles.push(secret.to_owned());
        if member == "url"
            && let Ok(url) = url::Url::parse(secret)
        {
            needles.push(url.as_str().to_owned());
            let path = url.path().split('/');
            let query = url.query().unwrap_or_default().split(['&', '=']);
            let parts = path.chain(query).filter(|part| PART_BYTES_MIN <= part.len());
            needles.extend(parts.map(str::to_owned));
        } else if let Some((_, token)) = secret.split_once(' ') {
            // As in `Bearer …`.
            needles.push(token.to_owned());
        }
    }
    needles.retain(|needle| !needle.is_empty());
}
