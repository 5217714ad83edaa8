//! Keeps what happens on disk, and in memory while the disk fails.

use super::{Core, Inner};
use crate::book::Rows;
use crate::outbox::MessageState;
use crate::store::{Batch, StoreError};

/// Most entries of the history, alerts that are over, and settled messages that wait for the disk; further
/// ones are lost.
const WAITING_MAX: usize = 1_000;

/// What the store missed and what is in no other memory.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Ends of alerts, entries of the history, settled messages.
    missed: Batch,
    /// How many of them found no room.
    lost: u64,
}

impl Backlog {
    /// Takes over what is in no other memory: the rest is written anew as it is then.
    fn take(&mut self, batch: Batch) {
        let mut room = |length: usize| {
            let is_room = length < WAITING_MAX;
            self.lost += u64::from(!is_room);
            is_room
        };
        for rows in batch.rows {
            let over = rows.over.into_iter().filter(|_| room(self.missed.rows.len()));
            let over: Vec<_> = over.collect();
            if !over.is_empty() {
                self.missed.rows.push(Rows { over, ..Rows::default() });
            }
        }
        for entry in batch.history {
            if room(self.missed.history.len()) {
                self.missed.history.push(entry);
            }
        }
        for row in batch.messages {
            let is_settled = matches!(row.state, MessageState::Delivered | MessageState::Dead);
            if is_settled && room(self.missed.messages.len()) {
                self.missed.messages.push(row);
            }
        }
        self.missed.messages_removed.extend(batch.messages_removed);
        self.missed.messages_removed.truncate(WAITING_MAX);
    }
}

impl Inner {
    /// Writes a batch; if that fails, everything goes on in memory.
    pub(super) fn keep(&self, core: &mut Core, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        if let Some(backlog) = &mut core.backlog {
            backlog.take(batch);
            self.save_what_was_missed(core);
            return;
        }
        if let Err(error) = core.store.apply(&batch) {
            self.note_failure(core, &error);
            let mut backlog = Backlog::default();
            backlog.take(batch);
            core.backlog = Some(backlog);
            if matches!(error, StoreError::Damaged { .. }) {
                self.begin_anew(core);
            }
        }
    }

    /// Brings the store up to date again, if it is not.
    pub(super) fn save_what_was_missed(&self, core: &mut Core) {
        let Some(backlog) = core.backlog.take() else { return };
        let Backlog { missed, lost } = backlog;
        let mut everything = Batch {
            rows: core.book.everything(),
            messages: core.outbox.everything(),
            mutes: core.mutes.all().to_vec(),
            ..Batch::default()
        };
        let (rows, messages) = (everything.rows.len(), everything.messages.len());
        everything.rows.extend(missed.rows);
        everything.history = missed.history;
        // Before the others, so that none of these is taken for one of those.
        everything.messages.splice(0..0, missed.messages);
        everything.messages_removed = missed.messages_removed;
        let settled = everything.messages.len() - messages;
        match core.store.replace(&everything) {
            Ok(()) => {
                if lost > 0 {
                    tracing::error!(lost, "a part of the history of alerts could not be kept");
                }
                tracing::info!("alerts are kept on disk again");
            }
            Err(error) => {
                core.statistics.store_failures += 1;
                let is_damage = matches!(error, StoreError::Damaged { .. });
                let mut messages = everything.messages;
                messages.truncate(settled);
                let missed = Batch {
                    rows: everything.rows.split_off(rows),
                    history: everything.history,
                    messages,
                    messages_removed: everything.messages_removed,
                    ..Batch::default()
                };
                core.backlog = Some(Backlog { missed, lost });
                if is_damage {
                    self.begin_anew(core);
                }
            }
        }
    }

    /// Brings the store up to date before the program ends.
    pub(crate) fn save_unsaved(&self) {
        self.save_what_was_missed(&mut self.lock());
    }

    /// Begins a new file in the place of a damaged one, with everything that is in memory.
    fn begin_anew(&self, core: &mut Core) {
        match core.store.begin_anew(self.clock.now()) {
            Ok(aside) => {
                tracing::error!(file = aside, "the damaged file of alerts was put aside");
                // Not through the whole again: a new file that is damaged too waits for the next tick.
                let backlog = core.backlog.take().unwrap_or_default();
                let mut everything = Batch {
                    rows: core.book.everything(),
                    messages: core.outbox.everything(),
                    mutes: core.mutes.all().to_vec(),
                    ..Batch::default()
                };
                everything.rows.extend(backlog.missed.rows.iter().cloned());
                if let Err(error) = core.store.replace(&everything) {
                    self.note_failure(core, &error);
                    core.backlog = Some(backlog);
                }
            }
            Err(error) => self.note_failure(core, &error),
        }
    }

    fn note_failure(&self, core: &mut Core, error: &StoreError) {
        core.statistics.store_failures += 1;
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "alerts cannot be kept on disk, and go on in memory");
    }
}
