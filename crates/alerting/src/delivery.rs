//! The way of messages from the outbox to their receivers.
//!
//! One line for each channel sends in order, one message at a time. A message is marked as being sent on
//! disk before the try, and settled after it; what was cut off in between is sent again as a repeat. Each
//! channel has its stack: deadline, repeats with backoff, breaker, pause when the receiver asks for it, and
//! one message per second where the receiver wants that. Start reading at [`run`], then `line`.

mod line;
mod post;

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use pampero_notifications::{Delivered, DeliveryError, Message};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use self::line::Line;
pub use self::post::{Channels, Post};
use crate::engine::Inner;

/// Knows the channels, and sends one message once.
#[async_trait]
pub trait Deliver: Debug + Send + Sync {
    /// Returns what is to be known of a channel; `None` when there is none of this id.
    fn receiver(&self, channel: &str) -> Option<Receiver>;

    /// Returns the channels whose receivers take what is not repeated for over.
    fn forgetful(&self) -> HashSet<String>;

    /// Sends a message through a channel, once. Dropping the future gives the try up.
    ///
    /// # Errors
    /// The receiver refused it, could not be reached, or must not be reached.
    async fn deliver(&self, channel: &str, message: &Message) -> Result<Delivered, DeliveryError>;
}

/// What is to be known of a channel before something is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receiver {
    /// What people call it.
    pub name: String,
    /// Whether messages are sent.
    pub is_enabled: bool,
    /// How it wants to be treated.
    pub manner: Manner,
    /// When it was changed last: a changed channel starts with a clean slate.
    pub changed: Timestamp,
}

/// How a receiver wants to be treated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// In no particular way.
    Plain,
    /// It takes one message per second, as Slack does.
    OnePerSecond,
    /// It takes what is not repeated for over, as the Alertmanager does after five minutes.
    Forgetful,
}

/// Delivers, and lets time pass for the book, until it is cancelled.
///
/// Then the messages that are being sent get so long to arrive as the options say.
pub(crate) async fn run(inner: &Arc<Inner>, cancel: &CancellationToken) {
    let every = inner.options.tick;
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lines: HashMap<String, Arc<Line>> = HashMap::new();
    let mut running: HashSet<String> = HashSet::new();
    let mut sending = FuturesUnordered::new();
    loop {
        for channel in inner.blocking(Inner::waiting_channels).await {
            if running.insert(channel.clone()) {
                let line =
                    lines.entry(channel.clone()).or_insert_with(|| Line::new(inner, &channel));
                let line = Arc::clone(line);
                sending.push(async move {
                    line.serve(cancel).await;
                    channel
                });
            }
        }
        tokio::select! {
            () = cancel.cancelled() => break,
            () = inner.wake.notified() => {}
            Some(channel) = sending.next() => {
                if inner.deliver.receiver(&channel).is_none() {
                    lines.remove(&channel);
                }
                running.remove(&channel);
            }
            _ = ticks.tick() => inner.blocking(Inner::tick).await,
        }
    }
    let drained = async { while sending.next().await.is_some() {} };
    if timeout(inner.options.grace, drained).await.is_err() {
        tracing::warn!(count = sending.len(), "messages are cut off and will be sent again");
    }
    inner.blocking(Inner::save_unsaved).await;
}
