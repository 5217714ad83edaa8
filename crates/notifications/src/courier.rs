//! Sends one message through one channel, once.

use std::time::Duration;

use pampero_resilience::FailureClass;

use crate::{Channel, Message};

/// How messages are sent.
#[derive(Clone, Debug)]
pub struct CourierOptions {
    /// Longest time of one try.
    pub timeout: Duration,
}

/// Sends messages.
#[derive(Clone, Debug)]
pub struct Courier {}

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
    pub fn new(_options: CourierOptions) -> Self {
        Self {}
    }

    /// Sends a message once. Dropping the future gives the try up.
    ///
    /// # Errors
    /// The receiver refused it, could not be reached, or must not be reached.
    pub async fn deliver(
        &self,
        channel: &Channel,
        _message: &Message,
    ) -> Result<Delivered, DeliveryError> {
        match channel.kind {}
    }
}
