//! What the delivery does to the outbox, and what people do to single messages.

use pampero_notifications::{Delivered, DeliveryError, Message, MessageKind};

use super::{Alerting, Inner};
use crate::book::id;
use crate::outbox::{MessageState, Next, OutboxRow, Writes};
use crate::store::{Batch, MessageFilter, StoreError};

/// Why a channel could not be tested.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is none of this id.
    #[error("there is no channel {0}")]
    Unknown(String),
    /// It is not enabled.
    #[error("channel {0} is not enabled")]
    Disabled(String),
    /// The message did not arrive.
    #[error("the test message did not arrive")]
    Failed(#[source] DeliveryError),
}

impl Alerting {
    /// Sends a message to a channel at once and once, past the outbox.
    ///
    /// # Errors
    /// There is no such channel, it is not enabled, or the message did not arrive.
    pub async fn test_channel(&self, channel: &str) -> Result<Delivered, TestError> {
        let inner = &*self.0;
        let receiver = inner.deliver.receiver(channel);
        let receiver = receiver.ok_or_else(|| TestError::Unknown(channel.to_owned()))?;
        if !receiver.is_enabled {
            return Err(TestError::Disabled(channel.to_owned()));
        }
        let now = inner.clock.now();
        let key = id::of(&("test", channel, now));
        let message = Message {
            incident: key.clone(),
            key,
            kind: MessageKind::Test,
            subject: format!("Test Message Title-{channel}"),
            text: format!("Test message content body for config id {channel}\n"),
            severity: 5,
            source: receiver.name,
            link: inner.words.page.clone(),
            at: now,
            is_repeat: false,
            alerts: Vec::new(),
        };
        inner.deliver.deliver(channel, &message).await.map_err(TestError::Failed)
    }

    /// Returns messages on their way and at their end, the newest first. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn messages(&self, filter: &MessageFilter) -> Result<Vec<OutboxRow>, StoreError> {
        self.0.lock().store.messages(filter)
    }

    /// Returns messages that were given up, the newest first. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn dead_letters(&self, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let state = Some(MessageState::Dead);
        self.messages(&MessageFilter { state, limit, ..MessageFilter::default() })
    }

    /// Puts a message that was given up into the outbox again; `false` when there is none of this id.
    /// Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn resend(&self, id: i64) -> Result<bool, StoreError> {
        let inner = &*self.0;
        let mut core = inner.lock();
        let core = &mut *core;
        let Some(row) = core.store.message(id)?.filter(|row| row.state == MessageState::Dead)
        else {
            return Ok(false);
        };
        let writes = core.outbox.push_again(row, inner.clock.now(), &inner.words);
        let mut batch = Batch::default();
        add_writes(&mut batch, writes);
        inner.keep(core, batch);
        inner.wake.notify_one();
        Ok(true)
    }

    /// Removes a message that was given up; `false` when there is none of this id. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn remove_dead_letter(&self, id: i64) -> Result<bool, StoreError> {
        let inner = &*self.0;
        let mut core = inner.lock();
        let found = core.store.message(id)?.filter(|row| row.state == MessageState::Dead);
        if found.is_some() {
            let messages_removed = vec![id];
            inner.keep(&mut core, Batch { messages_removed, ..Batch::default() });
        }
        Ok(found.is_some())
    }
}

impl Inner {
    pub(crate) fn waiting_channels(&self) -> Vec<String> {
        self.lock().outbox.channels()
    }

    /// Takes the next message of a channel; that it is being sent is on disk when this returns.
    pub(crate) fn next_message(&self, channel: &str) -> Next {
        let now = self.clock.now();
        let mut core = self.lock();
        let core = &mut *core;
        let (next, writes) = core.outbox.next(channel, now, &self.words);
        core.statistics.folded += writes.folded;
        if let Next::GivenUp(rows) = &next {
            core.statistics.channel(channel).dead += rows.len() as u64;
            tracing::error!(
                channel.id = channel,
                count = rows.len(),
                "messages are too old and are given up"
            );
        }
        let mut batch = Batch::default();
        add_writes(&mut batch, writes);
        self.keep(core, batch);
        next
    }

    /// Notes that a message arrived, or why it is given up.
    pub(crate) fn settle_message(&self, channel: &str, id: i64, outcome: Result<(), String>) {
        let now = self.clock.now();
        let mut core = self.lock();
        let core = &mut *core;
        let statistics = core.statistics.channel(channel);
        match &outcome {
            Ok(()) => statistics.delivered += 1,
            Err(reason) => {
                statistics.dead += 1;
                tracing::error!(channel.id = channel, reason, "a message is given up");
            }
        }
        if let Some(row) = core.outbox.settle(channel, id, outcome, now) {
            self.keep(core, Batch { messages: vec![row], ..Batch::default() });
        }
    }

    /// Notes that a message did not arrive and waits again.
    pub(crate) fn put_message_back(
        &self,
        channel: &str,
        id: i64,
        reason: String,
        may_have_arrived: bool,
    ) {
        let mut core = self.lock();
        let core = &mut *core;
        if let Some(row) = core.outbox.put_back(channel, id, reason, may_have_arrived) {
            self.keep(core, Batch { messages: vec![row], ..Batch::default() });
        }
    }

    pub(crate) fn count_failure(&self, channel: &str) {
        self.lock().statistics.channel(channel).failed += 1;
    }
}

pub(super) fn add_writes(batch: &mut Batch, writes: Writes) {
    let Writes { put, removed, .. } = writes;
    batch.messages.retain(|row| !removed.contains(&row.id));
    for row in put {
        batch.messages.retain(|old| old.id != row.id);
        batch.messages.push(row);
    }
    batch.messages_removed.extend(removed);
}
