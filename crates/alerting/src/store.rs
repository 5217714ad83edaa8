//! What has to survive: alerts, their history, messages on their way, mutes. One SQLite file.
//!
//! Everything that one evaluation brought about is one transaction, its messages included, so that a kill
//! at any instant leaves either all of it or nothing. A file that is damaged is put aside, and a new one
//! begins. Start reading at [`Store::open`] and [`Store::apply`].

mod file;
mod read;
mod tidy;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::file::StoreError;
use self::file::{Lock, open_connection, put_aside};
pub(crate) use self::read::Loaded;
pub use self::read::{AlertFilter, AlertSort, HistoryFilter, MessageFilter};
pub(crate) use self::tidy::Retention;
use crate::alert::Alert;
use crate::book::{Live, Rows};
use crate::history::HistoryEntry;
use crate::mute::Mute;
use crate::observation::{SourceId, SourceKind};
use crate::outbox::{MessageState, OutboxRow};

/// What has to survive.
pub(crate) struct Store {
    connection: Connection,
    file: PathBuf,
    _lock: Lock,
}

/// What one transaction writes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// What the book changed.
    pub(crate) rows: Vec<Rows>,
    /// What the history gets.
    pub(crate) history: Vec<HistoryEntry>,
    /// Messages that are new or became different.
    pub(crate) messages: Vec<OutboxRow>,
    /// Ids of messages that are gone.
    pub(crate) messages_removed: Vec<i64>,
    /// Mutes that are new.
    pub(crate) mutes: Vec<Mute>,
    /// Ids of mutes that are gone.
    pub(crate) mutes_removed: Vec<String>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
            && self.history.is_empty()
            && self.messages.is_empty()
            && self.messages_removed.is_empty()
            && self.mutes.is_empty()
            && self.mutes_removed.is_empty()
    }
}

impl Store {
    /// Opens the file in a folder, which no other process may use meanwhile, and reads what it holds.
    ///
    /// A file that is damaged is renamed, and a new one begins; the third part then says so.
    ///
    /// # Errors
    /// The folder is in use or cannot be written, or the file is of a newer version of the program.
    pub(crate) fn open(
        folder: &Path,
        now: Timestamp,
    ) -> Result<(Self, Loaded, Option<String>), StoreError> {
        let lock = Lock::take(folder)?;
        let file = folder.join("alerts.db");
        let opened = open_connection(&file).and_then(|connection| {
            let loaded = read::load(&connection).map_err(|error| StoreError::at(&file, error))?;
            Ok((connection, loaded))
        });
        match opened {
            Ok((connection, loaded)) => Ok((Self { connection, file, _lock: lock }, loaded, None)),
            Err(StoreError::Damaged { reason, .. }) => {
                let aside = put_aside(&file, now)?;
                let word = format!("{reason}; it was put aside as {}", name_of(&aside));
                let connection = open_connection(&file)?;
                let store = Self { connection, file, _lock: lock };
                Ok((store, Loaded::default(), Some(word)))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a batch whole or not at all, and returns when it is on disk.
    pub(crate) fn apply(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.write(|transaction| write_batch(transaction, batch))
    }

    /// Writes everything that is not over anew, for a file that missed something.
    pub(crate) fn replace(&mut self, everything: &Batch) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute_batch(
                "DELETE FROM alerts WHERE is_over = 0; DELETE FROM sources; DELETE FROM mutes;
                 DELETE FROM outbox WHERE state IN ('waiting', 'sending');",
            )?;
            write_batch(transaction, everything)
        })
    }

    /// Puts a damaged file aside and begins a new one; returns the name under which the old one lies.
    pub(crate) fn begin_anew(&mut self, now: Timestamp) -> Result<String, StoreError> {
        let failed = |error| StoreError::at(&self.file, error);
        // Closes the old one first, so that its journal is not written into the new one.
        self.connection = Connection::open_in_memory().map_err(failed)?;
        let aside = put_aside(&self.file, now)?;
        self.connection = open_connection(&self.file)?;
        Ok(name_of(&aside))
    }

    fn write(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> Result<(), rusqlite::Error>,
    ) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let done = || {
            let immediate = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(immediate)?;
            write(&transaction)?;
            transaction.commit()
        };
        done().map_err(|error| StoreError::at(&self.file, error))
    }
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn write_batch(to: &Transaction<'_>, batch: &Batch) -> Result<(), rusqlite::Error> {
    for rows in &batch.rows {
        for live in &rows.live {
            write_alert(to, &live.alert, Some(live))?;
        }
        for alert in &rows.over {
            write_alert(to, alert, None)?;
        }
        for id in &rows.dropped {
            to.prepare_cached("DELETE FROM alerts WHERE id = ?")?.execute([id])?;
        }
        match &rows.source {
            None => {}
            Some((source, None)) => {
                let sql = "DELETE FROM sources WHERE source = ?";
                to.prepare_cached(sql)?.execute([text(source)])?;
            }
            Some((source, Some(saved))) => {
                let sql = "INSERT OR REPLACE INTO sources (source, body) VALUES (?, ?)";
                to.prepare_cached(sql)?.execute([text(source), text(saved)])?;
            }
        }
    }
    for entry in &batch.history {
        let sql = "INSERT INTO history (at, kind, definition, trigger, body, answer)
                   VALUES (?, ?, ?, ?, ?, ?)";
        let (kind, source) = (kind_of(entry.source.kind), &entry.source);
        to.prepare_cached(sql)?.execute(params![
            entry.at.as_millisecond(),
            kind,
            source.definition,
            source.trigger,
            text(entry),
            entry.answer.as_deref(),
        ])?;
    }
    for id in &batch.messages_removed {
        to.prepare_cached("DELETE FROM outbox WHERE id = ?")?.execute([id])?;
    }
    for row in &batch.messages {
        write_message(to, row)?;
    }
    for id in &batch.mutes_removed {
        to.prepare_cached("DELETE FROM mutes WHERE id = ?")?.execute([id])?;
    }
    for mute in &batch.mutes {
        let sql = "INSERT OR REPLACE INTO mutes (id, body) VALUES (?, ?)";
        to.prepare_cached(sql)?.execute([mute.id.clone(), text(mute)])?;
    }
    Ok(())
}

fn write_alert(
    to: &Transaction<'_>,
    alert: &Alert,
    live: Option<&Live>,
) -> Result<(), rusqlite::Error> {
    let sql = "INSERT OR REPLACE INTO alerts
                   (id, kind, definition, trigger, is_over, ended, body)
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let body = live.map_or_else(|| text(alert), text);
    to.prepare_cached(sql)?.execute(params![
        alert.id,
        kind_of(alert.source.kind),
        alert.source.definition,
        alert.source.trigger,
        live.is_none(),
        alert.ended.map(Timestamp::as_millisecond),
        body,
    ])?;
    Ok(())
}

fn write_message(to: &Transaction<'_>, row: &OutboxRow) -> Result<(), rusqlite::Error> {
    let sql = "INSERT OR REPLACE INTO outbox (id, channel, key, state, at, body)
               VALUES (?, ?, ?, ?, ?, ?)";
    to.prepare_cached(sql)?.execute(params![
        row.id,
        row.channel,
        row.message.key,
        state_name(row.state),
        row.settled.unwrap_or(row.made).as_millisecond(),
        text(row),
    ])?;
    Ok(())
}

/// Returns something as JSON.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept has texts as keys only")
}

/// Reads JSON that was written here; a failure is damage.
fn parsed<T: DeserializeOwned>(column: usize, text: &str) -> Result<T, rusqlite::Error> {
    serde_json::from_str(text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}

fn kind_of(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Monitor => "monitor",
        SourceKind::Rule => "rule",
    }
}

fn state_name(state: MessageState) -> &'static str {
    match state {
        MessageState::Waiting => "waiting",
        MessageState::Sending => "sending",
        MessageState::Delivered => "delivered",
        MessageState::Dead => "dead",
    }
}

/// Returns the key of a source in the table of sources.
fn source_of(column: usize, text: &str) -> Result<SourceId, rusqlite::Error> {
    parsed(column, text)
}

#[cfg(test)]
mod tests;
