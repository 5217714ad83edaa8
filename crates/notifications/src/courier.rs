//! Sends one message through one channel, once.

mod answer;
mod http;
mod mail;
mod retry_after;
mod shown;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::{Clock, FailureClass};

use crate::channel::{Channel, ChannelBook, ChannelKind, NoChannels};
use crate::guard::Guard;
use crate::message::Message;

/// How messages are sent.
#[derive(Clone, Debug)]
pub struct CourierOptions {
    /// Longest time of one try.
    pub timeout: Duration,
    /// Longest time until a connection stands, within [`timeout`](Self::timeout).
    pub connect_timeout: Duration,
    /// Most bytes that are read of an answer.
    pub answer_bytes_max: usize,
    /// Where messages may go.
    pub guard: Guard,
    /// Where the accounts and groups of e-mail channels are found.
    pub channels: Arc<dyn ChannelBook>,
    /// Certificates of authorities that are trusted besides those of the machine, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// What the program calls itself.
    pub user_agent: String,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(5),
            answer_bytes_max: 64 * 1024,
            guard: Guard::public_only(),
            channels: Arc::new(NoChannels),
            authorities: Vec::new(),
            user_agent: concat!("Pampero/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Sends messages. Clones share connections and are cheap.
#[derive(Clone)]
pub struct Courier {
    options: Arc<CourierOptions>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    tls: tls::Tls,
}

impl fmt::Debug for Courier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Courier").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Why there is no courier.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The client cannot be built.
    #[error("the HTTP client for messages cannot be built")]
    Client(#[source] reqwest::Error),
}

/// A message that arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivered {
    /// The status of the answer; 250 for mail.
    pub status: u16,
    /// The start of the answer, without secrets.
    pub text: String,
}

/// Why a message did not arrive, as far as one can know.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct DeliveryError {
    /// What a repeat could do about it.
    pub class: FailureClass,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// What went wrong, without secrets.
    pub reason: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the message may have arrived nevertheless.
    pub may_have_arrived: bool,
}

impl Courier {
    /// Makes a courier.
    ///
    /// # Errors
    /// TLS cannot be set up, or the user agent cannot stand in a header.
    pub fn new(options: CourierOptions, clock: Arc<dyn Clock>) -> Result<Self, CourierError> {
        let tls = tls::Tls::new(&options.authorities).map_err(CourierError::Tls)?;
        let http = http::client(&options, &tls).map_err(CourierError::Client)?;
        Ok(Self { options: Arc::new(options), clock, http, tls })
    }

    /// Sends a message once. Dropping the future gives the try up.
    ///
    /// # Errors
    /// The receiver refused it, could not be reached, or must not be reached.
    pub async fn deliver(
        &self,
        channel: &Channel,
        message: &Message,
    ) -> Result<Delivered, DeliveryError> {
        let outcome = if !channel.is_enabled {
            Err(DeliveryError::refused("The channel is muted"))
        } else if let ChannelKind::Email(email) = &channel.kind {
            self.deliver_mail(channel, email, message).await
        } else {
            self.deliver_http(channel, message).await
        };
        let status = match &outcome {
            Ok(delivered) => Some(delivered.status),
            Err(error) => error.status,
        };
        tracing::debug!(
            channel.id = channel.id,
            channel.kind = channel.config_type(),
            message.key = message.key,
            arrived = outcome.is_ok(),
            status,
            "message sent"
        );
        outcome
    }
}

impl DeliveryError {
    /// Nothing was sent, and another try cannot help.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self {
            class: FailureClass::BadRequest,
            status: None,
            reason: reason.into(),
            retry_after: None,
            may_have_arrived: false,
        }
    }

    /// Something on the way failed, and another try may help.
    pub(crate) fn transient(reason: impl Into<String>, may_have_arrived: bool) -> Self {
        Self {
            class: FailureClass::Transient,
            status: None,
            reason: reason.into(),
            retry_after: None,
            may_have_arrived,
        }
    }
}
