//! Messages by mail.

mod connection;
mod letter;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Quit, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailParameter};
use pampero_resilience::FailureClass;

use super::shown::Redaction;
use super::{Courier, Delivered, DeliveryError};
use crate::channel::{Channel, Email, SmtpAccount};
use crate::message::Message;

/// What users and passwords are sent with, the better first.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// How long a server may take to take its leave.
const FAREWELL: Duration = Duration::from_secs(1);

impl Courier {
    pub(super) async fn deliver_mail(
        &self,
        channel: &Channel,
        email: &Email,
        message: &Message,
    ) -> Result<Delivered, DeliveryError> {
        let book = self.options.channels.as_ref();
        let redaction = Redaction::of(channel, book);
        let mail =
            channel.mail(email, book).map_err(|error| DeliveryError::refused(error.reason))?;
        let letter = letter::write(&mail.account, &mail.recipients, message, self.clock.now())?;
        // Set when the text is on its way: from then on nobody knows, until there is an answer.
        let is_written = AtomicBool::new(false);
        let exchange = async {
            let mut connection = self.connect_mail(&mail.account, &redaction).await?;
            let said =
                hand_over(&mut connection, &mail.account, &mail.recipients, &letter, &is_written)
                    .await
                    .map_err(|error| fault(&error, &redaction, &is_written))?;
            Ok((said, connection))
        };
        match tokio::time::timeout(self.options.timeout, exchange).await {
            Ok(Ok((said, mut connection))) => {
                // The letter is there; nothing depends on the farewell.
                let _ = tokio::time::timeout(FAREWELL, connection.command(Quit)).await;
                Ok(said.delivered(&redaction, mail.recipients.len()))
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(DeliveryError::transient(
                "the mail server did not answer within the time allowed",
                is_written.load(Ordering::Relaxed),
            )),
        }
    }
}

/// What a server said to a letter.
struct Said {
    code: u16,
    text: String,
    /// Whom it took the letter for not, with why.
    refused: Vec<String>,
}

impl Said {
    fn delivered(self, redaction: &Redaction, recipient_count: usize) -> Delivered {
        let mut text = redaction.show(&self.text);
        if !self.refused.is_empty() {
            let refused = redaction.show(&self.refused.join("; "));
            let count = self.refused.len();
            text =
                format!("{text} ({count} of {recipient_count} recipients were refused: {refused})");
        }
        Delivered { status: self.code, text }
    }
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    account: &SmtpAccount,
    recipients: &[Address],
    letter: &[u8],
    is_written: &AtomicBool,
) -> Result<Said, SmtpError> {
    if let Some((username, password)) = &account.credentials {
        let (username, password) = (username.reveal().to_owned(), password.reveal().to_owned());
        connection.auth(&MECHANISMS, &Credentials::new(username, password)).await?;
    }
    let options = match connection.server_info().supports_feature(Extension::SmtpUtfEight) {
        true if !recipients.iter().all(|address| address.to_string().is_ascii()) => {
            vec![MailParameter::SmtpUtfEight]
        }
        _ => Vec::new(),
    };
    connection.command(MailFrom::new(Some(account.from.clone()), options)).await?;
    let refused = name_recipients(connection, recipients).await?;
    connection.command(Data).await?;
    is_written.store(true, Ordering::Relaxed);
    let response = connection.message(letter).await;
    // An answer, be it a refusal, settles what became of it.
    if response.as_ref().map_or_else(|error| error.status().is_some(), |_| true) {
        is_written.store(false, Ordering::Relaxed);
    }
    let response = response?;
    let text = response.message().collect::<Vec<_>>().join(" ");
    Ok(Said { code: u16::from(response.code()), text, refused })
}

/// Names the recipients, and returns those that are refused. One wrong address must not keep a message
/// from everybody else; that all are wrong is an error.
async fn name_recipients(
    connection: &mut AsyncSmtpConnection,
    recipients: &[Address],
) -> Result<Vec<String>, SmtpError> {
    let mut refused = Vec::new();
    let mut last = None;
    for recipient in recipients {
        match connection.command(Rcpt::new(recipient.clone(), Vec::new())).await {
            Ok(_) => {}
            Err(error) if error.status().is_some() => {
                refused.push(format!("{recipient}: {error}"));
                // A refusal for now is worth another try, so it decides when nobody is left.
                if last.as_ref().is_none_or(|last: &SmtpError| !last.is_transient()) {
                    last = Some(error);
                }
            }
            Err(error) => return Err(error),
        }
    }
    match last {
        Some(error) if refused.len() == recipients.len() => Err(error),
        _ => Ok(refused),
    }
}

/// Tells what a fault means. Source: RFC 5321, section 4.2, and RFC 4954 for 53x.
fn fault(error: &SmtpError, redaction: &Redaction, is_written: &AtomicBool) -> DeliveryError {
    let reason = format!("the mail server: {}", redaction.chain(error));
    let Some(code) = error.status().map(u16::from) else {
        if error.is_client() {
            return DeliveryError::refused(reason);
        }
        return DeliveryError::transient(reason, is_written.load(Ordering::Relaxed));
    };
    let class = match code {
        530 | 534 | 535 | 538 => FailureClass::Auth,
        400..=499 => FailureClass::Transient,
        _ => FailureClass::BadRequest,
    };
    DeliveryError { class, status: Some(code), reason, retry_after: None, may_have_arrived: false }
}
