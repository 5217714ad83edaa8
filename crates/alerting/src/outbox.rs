//! The outbox: messages that wait for their channel, in order, and folded when they come late.
//!
//! Lives in memory and says of every step what the store has to write, so that alerts are told even while
//! the disk is full. Start reading at [`Outbox::push`] and [`Outbox::next`].

mod fold;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use pampero_notifications::{Message, MessageKind};
use serde::{Deserialize, Serialize};

pub use self::fold::{SourceTally, Tally};
use crate::text::Words;

/// Where a message is on its way.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits.
    Waiting,
    /// It is being sent; after a kill in between it may have arrived.
    Sending,
    /// It arrived.
    Delivered,
    /// It did not arrive, and is not tried any more.
    Dead,
}

/// A message on its way, or at its end.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct OutboxRow {
    /// Counts up, and says the order.
    pub id: i64,
    /// The channel.
    pub channel: String,
    /// The action; empty in one that stands for several.
    pub action: String,
    /// The source, as `monitor/error_logs/count_error`; empty in one that stands for several sources.
    pub source: String,
    /// What is told.
    pub message: Message,
    /// When it was made; the oldest of those that it stands for.
    pub made: Timestamp,
    /// When the newest of those was made that it stands for.
    pub newest: Timestamp,
    /// Where it is.
    pub state: MessageState,
    /// How often it was tried.
    pub tries: u32,
    /// When it arrived or was given up; `None` before.
    pub settled: Option<Timestamp>,
    /// Why the last try failed, or why it was given up; `None` when nothing failed.
    pub reason: Option<String>,
    /// What it stands for; `None` for a single message.
    pub tally: Option<Tally>,
}

/// What is kept within limits.
#[derive(Clone, Debug)]
pub(crate) struct OutboxLimits {
    /// Most messages that wait for one channel; further ones are folded.
    pub(crate) messages_max: usize,
    /// Messages that are older when their turn comes are folded.
    pub(crate) fold_after: Duration,
    /// Messages that are older are given up.
    pub(crate) give_up_after: Duration,
}

/// Messages that wait.
#[derive(Debug)]
pub(crate) struct Outbox {
    limits: OutboxLimits,
    next_id: i64,
    channels: HashMap<String, VecDeque<OutboxRow>>,
}

/// What the store has to write after a step.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub(crate) put: Vec<OutboxRow>,
    pub(crate) removed: Vec<i64>,
    /// Messages that were put together with others.
    pub(crate) folded: u64,
}

/// What waits for one channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// The channel.
    pub channel: String,
    /// How many messages wait, the one that is being sent included.
    pub messages: usize,
    /// When the oldest of them was made.
    pub oldest: Timestamp,
}

/// What comes next on a channel.
#[derive(Debug)]
pub(crate) enum Next {
    /// This one, which is marked as being sent.
    Send(Box<OutboxRow>),
    /// These were too old and are given up; ask again.
    GivenUp(Vec<OutboxRow>),
    /// Nothing.
    Nothing,
}

/// A message that is to be put into the outbox.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) channel: String,
    pub(crate) action: String,
    pub(crate) source: String,
    pub(crate) message: Message,
    pub(crate) made: Timestamp,
}

impl Outbox {
    /// Takes up what was on its way. What was being sent when the program ended may have arrived.
    pub(crate) fn new(limits: OutboxLimits, kept: Vec<OutboxRow>, id_max: i64) -> Self {
        let mut channels: HashMap<String, VecDeque<OutboxRow>> = HashMap::new();
        for mut row in kept {
            if row.state == MessageState::Sending {
                row.state = MessageState::Waiting;
                row.message.is_repeat = true;
            }
            channels.entry(row.channel.clone()).or_default().push_back(row);
        }
        Self { limits, next_id: id_max.saturating_add(1), channels }
    }

    /// Puts a message at the end of its channel's queue.
    ///
    /// A reminder takes the place of older ones of the same action that still wait. What finds the queue
    /// full makes everything that waits one message.
    pub(crate) fn push(&mut self, posted: Posted, words: &Words) -> Writes {
        let mut writes = Writes::default();
        let id = self.take_id();
        let Posted { channel, action, source, message, made } = posted;
        let row = OutboxRow {
            id,
            channel,
            action,
            source,
            message,
            made,
            newest: made,
            state: MessageState::Waiting,
            tries: 0,
            settled: None,
            reason: None,
            tally: None,
        };
        self.push_row(row, words, &mut writes);
        writes
    }

    /// Puts a message that was given up at the end of its channel's queue again.
    pub(crate) fn push_again(
        &mut self,
        mut row: OutboxRow,
        now: Timestamp,
        words: &Words,
    ) -> Writes {
        let mut writes = Writes { removed: vec![row.id], ..Writes::default() };
        row.id = self.take_id();
        (row.made, row.newest, row.tries) = (now, now, 0);
        (row.state, row.settled, row.reason) = (MessageState::Waiting, None, None);
        self.push_row(row, words, &mut writes);
        writes
    }

    fn take_id(&mut self) -> i64 {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        id
    }

    fn push_row(&mut self, row: OutboxRow, words: &Words, writes: &mut Writes) {
        let queue = self.channels.entry(row.channel.clone()).or_default();
        if row.message.kind == MessageKind::Reminder {
            queue.retain(|old| {
                let is_stale = old.state == MessageState::Waiting
                    && old.message.kind == MessageKind::Reminder
                    && (&old.source, &old.action) == (&row.source, &row.action)
                    && old.newest < row.made;
                if is_stale {
                    writes.removed.push(old.id);
                    writes.folded += 1;
                }
                !is_stale
            });
        }
        if queue.len() >= self.limits.messages_max.max(2) {
            fold::fold_where(queue, |_| true, words, writes);
        }
        writes.put.push(row.clone());
        queue.push_back(row);
    }

    /// Takes what comes next on a channel, and marks it as being sent.
    ///
    /// One that is late takes everything with it that waits of the same source, as one message that says
    /// how it is now.
    pub(crate) fn next(&mut self, channel: &str, now: Timestamp, words: &Words) -> (Next, Writes) {
        let mut writes = Writes::default();
        let limits = self.limits.clone();
        let Some(queue) = self.channels.get_mut(channel) else { return (Next::Nothing, writes) };
        let mut given_up = Vec::new();
        while let Some(head) = queue.front()
            && head.state == MessageState::Waiting
            && age(head.newest, now) > limits.give_up_after
            && let Some(mut head) = queue.pop_front()
        {
            let hours = limits.give_up_after.as_secs() / 3_600;
            let last = head.reason.take().unwrap_or_else(|| "it was never its turn".to_owned());
            settle(&mut head, MessageState::Dead, now);
            head.reason = Some(format!("not delivered within {hours} hours: {last}"));
            writes.put.push(head.clone());
            given_up.push(head);
        }
        if !given_up.is_empty() {
            return (Next::GivenUp(given_up), writes);
        }
        let Some(head) = queue.front() else {
            self.channels.remove(channel);
            return (Next::Nothing, writes);
        };
        if head.state == MessageState::Sending {
            return (Next::Nothing, writes);
        }
        if age(head.made, now) > limits.fold_after {
            let source = head.source.clone();
            fold::fold_where(queue, |row| row.source == source, words, &mut writes);
        }
        let Some(head) = queue.front_mut() else { return (Next::Nothing, writes) };
        head.state = MessageState::Sending;
        head.tries = head.tries.saturating_add(1);
        let sent = head.clone();
        writes.put.retain(|row| row.id != sent.id);
        writes.put.push(sent.clone());
        (Next::Send(Box::new(sent)), writes)
    }

    /// Notes that the message that is being sent on a channel arrived or is given up; returns it as it is
    /// at its end.
    pub(crate) fn settle(
        &mut self,
        channel: &str,
        id: i64,
        outcome: Result<(), String>,
        now: Timestamp,
    ) -> Option<OutboxRow> {
        let mut row = self.take(channel, id)?;
        let state = if outcome.is_ok() { MessageState::Delivered } else { MessageState::Dead };
        settle(&mut row, state, now);
        row.reason = outcome.err();
        Some(row)
    }

    /// Notes that the message that is being sent on a channel did not arrive and waits again; returns it.
    pub(crate) fn put_back(
        &mut self,
        channel: &str,
        id: i64,
        reason: String,
        may_have_arrived: bool,
    ) -> Option<OutboxRow> {
        let row = self.channels.get_mut(channel)?.iter_mut().find(|row| row.id == id)?;
        row.state = MessageState::Waiting;
        row.reason = Some(reason);
        row.message.is_repeat |= may_have_arrived;
        Some(row.clone())
    }

    fn take(&mut self, channel: &str, id: i64) -> Option<OutboxRow> {
        let queue = self.channels.get_mut(channel)?;
        let index = queue.iter().position(|row| row.id == id)?;
        queue.remove(index)
    }

    /// Returns the channels for which something waits.
    pub(crate) fn channels(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .channels
            .iter()
            .filter(|(_, queue)| !queue.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        names.sort_unstable();
        names
    }

    /// Returns how much waits for each channel, in the order of their ids.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let mut all: Vec<Waiting> = self
            .channels
            .iter()
            .filter_map(|(channel, queue)| {
                let oldest = queue.iter().map(|row| row.made).min()?;
                Some(Waiting { channel: channel.clone(), messages: queue.len(), oldest })
            })
            .collect();
        all.sort_unstable_by(|a, b| a.channel.cmp(&b.channel));
        all
    }

    /// Returns everything that waits, for a store that starts anew.
    pub(crate) fn everything(&self) -> Vec<OutboxRow> {
        self.channels.values().flatten().cloned().collect()
    }

    /// Returns what waits for all channels, in the order in which it was made.
    pub(crate) fn rows(&self) -> Vec<OutboxRow> {
        let mut rows = self.everything();
        rows.sort_unstable_by_key(|row| row.id);
        rows
    }
}

/// Returns how old something is; nothing that seems to come from the future, because somebody put the clock
/// back, is old.
pub(crate) fn age(made: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(made)).unwrap_or_default()
}

fn settle(row: &mut OutboxRow, state: MessageState, now: Timestamp) {
    row.state = state;
    row.settled = Some(now);
}

#[cfg(test)]
mod tests;
