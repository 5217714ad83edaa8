//! A message as a letter.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::{Address, Message as Letter};

use super::super::DeliveryError;
use crate::channel::SmtpAccount;
use crate::message::Message;
use crate::wire::{REPEATED, one_line};

/// Largest letter in bytes. Source: OpenSearch Notifications, `email.size_limit`.
const LETTER_BYTES_MAX: usize = 10_000_000;
/// What a message larger than the receiver takes is answered with.
const TOO_LARGE: u16 = 413;
/// Longest subject in characters.
const SUBJECT_CHARS_MAX: usize = 500;

/// Writes the letter that tells `recipients` of a message.
///
/// Its id is made of the key of the message, so that servers that look for doubles find them, and letters of
/// one incident refer to the same one, so that they are shown together.
pub(super) fn write(
    account: &SmtpAccount,
    recipients: &[Address],
    message: &Message,
    now: Timestamp,
) -> Result<Vec<u8>, DeliveryError> {
    let subject: String = one_line(&message.subject).chars().take(SUBJECT_CHARS_MAX).collect();
    let domain = account.from.domain();
    let mut builder = Letter::builder()
        .from(Mailbox::new(Some("Pampero".to_owned()), account.from.clone()))
        .subject(subject)
        .date(wall(now))
        .message_id(Some(format!("<{}@{domain}>", id_part(&message.key))))
        .references(format!("<incident-{}@{domain}>", id_part(&message.incident)))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN);
    for recipient in recipients {
        builder = builder.to(Mailbox::new(None, recipient.clone()));
    }
    let letter = builder.body(text(message)).map_err(|error| {
        DeliveryError::refused(format!("the letter cannot be written: {error}"))
    })?;
    let letter = letter.formatted();
    if LETTER_BYTES_MAX < letter.len() {
        let reason = format!("the letter is longer than {LETTER_BYTES_MAX} bytes");
        return Err(DeliveryError { status: Some(TOO_LARGE), ..DeliveryError::refused(reason) });
    }
    Ok(letter)
}

/// Returns a time in whole seconds, as headers have it; before 1970 there were no letters of this kind.
fn wall(now: Timestamp) -> SystemTime {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn text(message: &Message) -> String {
    let mut text = message.text.clone();
    if message.is_repeat {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(REPEATED);
        text.push('\n');
    }
    text
}

/// Spells an identifier so that it can stand in a header: the same always gives the same.
fn id_part(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !id.is_empty() && id.len() <= 100 && id.bytes().all(is_plain) {
        return id.to_owned();
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
