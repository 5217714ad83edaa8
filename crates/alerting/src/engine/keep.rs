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
        if let Err(StoreError::Damaged { .. }) = self.save_everything(core) {
            self.begin_anew(core);
        }
    }

    /// Writes everything that the store missed, together with what is in other memories.
    fn save_everything(&self, core: &mut Core) -> Result<(), StoreError> {
        let Some(Backlog { missed, lost }) = core.backlog.take() else { return Ok(()) };
        let mut everything =
            Batch { rows: core.book.everything(), mutes: core.mutes.all().to_vec(), ..missed };
        everything.rows.extend(missed.rows);
        let settled = everything.messages.len();
        everything.messages.extend(core.outbox.everything());
        let written = core.store.replace(&everything);
        match &written {
            Ok(()) => {
                if lost > 0 {
                    tracing::error!(lost, "a part of the history of alerts could not be kept");
                }
                tracing::info!("alerts are kept on disk again");
            }
            Err(_) => {
                core.statistics.store_failures += 1;
                everything.messages.truncate(settled);
                everything.rows.retain(|rows| rows.source.is_none());
                everything.mutes.clear();
                core.backlog = Some(Backlog { missed: everything, lost });
            }
        }
        written
    }

    /// Begins a new file in the place of a damaged one, with everything that is in memory.
    fn begin_anew(&self, core: &mut Core) {
        let begun = core.store.begin_anew(self.clock.now());
        match &begun {
            Ok(aside) => {
                tracing::error!(file = aside, "the damaged file of alerts was put aside");
            }
            Err(error) => return self.note_failure(core, error),
        }
        // A new file that cannot be written either waits for the next tick.
        if let Err(error) = self.save_everything(core) {
            self.note_failure(core, &error);
        }
    }

    /// Brings the store up to date before the program ends.
    pub(crate) fn save_unsaved(&self) {
        self.save_what_was_missed(&mut self.lock());
    }

    fn note_failure(&self, core: &mut Core, error: &StoreError) {
        core.statistics.store_failures += 1;
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(error = %error, cause, "alerts cannot be kept on disk, and go on in memory");
    }
}
