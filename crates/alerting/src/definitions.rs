//! Monitors and channels as files: taken over when they change, written back by the API.
//!
//! A folder for each kind, and what comes with the program. Start reading at [`Definitions`]; how a folder
//! is kept lies in `shelf`.

mod channels;
mod disk;
mod error;
mod ledger;
mod locate;
mod monitors;
mod shelf;

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_notifications::{Channel, ChannelBook, Guard, Vault};
use pampero_resilience::Clock;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::monitor::{Monitor, StoredFacts};
use channels::ChannelFiles;
use ledger::Ledger;
use monitors::Monitors;
use shelf::{Intent, Shelf};

pub(crate) use disk::{fingerprint, write as write_file};
pub use error::DefinitionError;

/// Where definitions lie, and how many there may be.
#[derive(Clone, Debug)]
pub struct DefinitionsOptions {
    /// The folder of the monitors.
    pub monitors: PathBuf,
    /// The folder of the channels.
    pub channels: PathBuf,
    /// The folder in which versions are kept; nobody writes there by hand.
    pub ledger: PathBuf,
    /// From one look at the folders to the next.
    pub poll: Duration,
    /// Most monitors.
    pub monitors_max: usize,
    /// Most channels.
    pub channels_max: usize,
}

/// A definition and what is known of it.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// Its id.
    pub id: String,
    /// What it says.
    pub item: T,
    /// How often it was written, from 1, over restarts.
    pub version: u64,
    /// The number of its last write among those of its kind, from 0.
    pub seq_no: u64,
    /// When it was seen first.
    pub created: Timestamp,
    /// When it was seen changed last.
    pub updated: Timestamp,
    /// Since when it is switched on; `None` when it is off.
    pub enabled: Option<Timestamp>,
    /// Whether it comes with the program and no file is in its place.
    pub is_shipped: bool,
}

impl<T> Entry<T> {
    /// The primary term of everything: there is one machine.
    pub const PRIMARY_TERM: u64 = 1;
}

/// A monitor and what is known of it.
pub type MonitorEntry = Entry<Arc<Monitor>>;

impl MonitorEntry {
    /// Returns what the server knows of the monitor besides its definition.
    pub fn facts(&self) -> StoredFacts {
        StoredFacts {
            id: self.id.clone(),
            version: self.version,
            seq_no: self.seq_no,
            enabled_time: self.enabled,
            last_update_time: Some(self.updated),
        }
    }

    /// Returns it in OpenSearch's form, with what the server adds.
    pub fn to_json(&self) -> Value {
        self.item.to_stored_json(&self.facts())
    }
}

/// A channel and what is known of it.
pub type ChannelEntry = Entry<Arc<Channel>>;

/// What a definition must be for a change to be made: `if_seq_no` and `if_primary_term`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct VersionCheck {
    /// The number of its last write.
    pub seq_no: u64,
    /// The term, which is always 1.
    pub primary_term: u64,
}

/// A definition that was removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deleted {
    /// The version of the removal.
    pub version: u64,
    /// The number of the removal.
    pub seq_no: u64,
}

/// A file that is not taken.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Problem {
    /// The file, without the folders above its own, as `monitors/error_logs.json`.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// Since when.
    pub since: Timestamp,
}

/// The definitions of monitors and channels.
#[derive(Debug)]
pub struct Definitions {
    monitors: Shelf<Monitors>,
    channels: Shelf<ChannelFiles>,
    clock: Arc<dyn Clock>,
    poll: Duration,
    changed: watch::Sender<u64>,
}

impl Definitions {
    /// Reads the folders; one that is not there is empty. `shipped_monitors` are ids with the texts of
    /// monitors. Secrets of channels are kept in the `vault`, and the `guard` judges their addresses. Blocks.
    ///
    /// # Errors
    /// A folder cannot be read, or the versions cannot be written. A broken file is no error but a problem.
    pub fn open(
        options: &DefinitionsOptions,
        shipped_monitors: &[(&str, &str)],
        vault: Arc<dyn Vault>,
        guard: Guard,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DefinitionError> {
        let now = clock.now();
        let monitors = Shelf::open(
            Monitors,
            options.monitors.clone(),
            Ledger::new(&options.ledger, "monitors"),
            options.monitors_max,
            shipped_monitors,
            now,
        )?;
        let channels = Shelf::open(
            ChannelFiles { vault, guard },
            options.channels.clone(),
            Ledger::new(&options.ledger, "channels"),
            options.channels_max,
            &[],
            now,
        )?;
        let changed = watch::Sender::new(0);
        let definitions = Self { monitors, channels, clock, poll: options.poll, changed };
        definitions.announce();
        Ok(definitions)
    }

    /// Returns all monitors, by their ids.
    pub fn monitors(&self) -> Vec<Arc<MonitorEntry>> {
        self.monitors.entries()
    }

    /// Returns a monitor.
    pub fn monitor(&self, id: &str) -> Option<Arc<MonitorEntry>> {
        self.monitors.entry(id)
    }

    /// Makes a monitor, with a file for it. Without an id one is made of its name. Blocks.
    ///
    /// # Errors
    /// It is no monitor, the id is taken, there are too many, or the file cannot be written.
    pub fn create_monitor(
        &self,
        id: Option<&str>,
        document: &Value,
    ) -> Result<Arc<MonitorEntry>, DefinitionError> {
        // What is no monitor is told before anything is said of its id.
        let monitor = Monitor::from_json(document).map_err(DefinitionError::Monitor)?;
        let id = match id {
            Some(id) => id.to_owned(),
            None => monitors::free_id(monitor.name(), |id| self.monitors.is_taken(id)),
        };
        let entry = self.monitors.put(&id, document, Intent::Create, None, self.clock.now())?;
        self.announce();
        Ok(entry)
    }

    /// Puts a monitor in the place of another, whole. Blocks.
    ///
    /// # Errors
    /// It is no monitor, there is none of that id, it was changed meanwhile, or the file cannot be written.
    pub fn replace_monitor(
        &self,
        id: &str,
        document: &Value,
        check: Option<VersionCheck>,
    ) -> Result<Arc<MonitorEntry>, DefinitionError> {
        let entry = self.monitors.put(id, document, Intent::Replace, check, self.clock.now())?;
        self.announce();
        Ok(entry)
    }

    /// Removes a monitor and its file. Blocks.
    ///
    /// # Errors
    /// There is none of that id, it was changed meanwhile, it comes with the program, or the file cannot be
    /// removed.
    pub fn delete_monitor(
        &self,
        id: &str,
        check: Option<VersionCheck>,
    ) -> Result<Deleted, DefinitionError> {
        let deleted = self.monitors.delete(id, check, self.clock.now())?;
        self.announce();
        Ok(deleted)
    }

    /// Returns all channels, accounts and groups, by their ids.
    pub fn channels(&self) -> Vec<Arc<ChannelEntry>> {
        self.channels.entries()
    }

    /// Returns a channel, an account or a group.
    pub fn channel(&self, id: &str) -> Option<Arc<ChannelEntry>> {
        self.channels.entry(id)
    }

    /// Makes a channel, with a file for it. Without an id one is made up. Blocks.
    ///
    /// # Errors
    /// It is no channel, the id is taken, there are too many, or the file cannot be written.
    pub fn create_channel(
        &self,
        id: Option<&str>,
        document: &Value,
    ) -> Result<Arc<ChannelEntry>, DefinitionError> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => {
                let name = document.pointer("/config/name").and_then(Value::as_str);
                let name = name.unwrap_or("channel");
                monitors::free_id(name, |id| self.channels.is_taken(id))
            }
        };
        self.put_channel(&id, document, Intent::Create)
    }

    /// Puts a channel in the place of another, whole; `"[redacted]"` keeps a secret. Blocks.
    ///
    /// # Errors
    /// It is no channel or one of another type, there is none of that id, or the file cannot be written.
    pub fn replace_channel(
        &self,
        id: &str,
        document: &Value,
    ) -> Result<Arc<ChannelEntry>, DefinitionError> {
        self.put_channel(id, document, Intent::Replace)
    }

    fn put_channel(
        &self,
        id: &str,
        document: &Value,
        intent: Intent,
    ) -> Result<Arc<ChannelEntry>, DefinitionError> {
        let entry = self.channels.put(id, document, intent, None, self.clock.now())?;
        self.announce();
        Ok(entry)
    }

    /// Removes a channel with its file and its secrets. Blocks.
    ///
    /// # Errors
    /// There is none of that id, or the file cannot be removed.
    pub fn delete_channel(&self, id: &str) -> Result<Deleted, DefinitionError> {
        let deleted = self.channels.delete(id, None, self.clock.now())?;
        self.announce();
        Ok(deleted)
    }

    /// Returns the files that are not taken, by their names.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.channels.problems();
        problems.extend(self.monitors.problems());
        problems
    }

    /// Returns what tells that something was changed: a number that grows.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Looks at the folders and takes over what was changed. Blocks.
    ///
    /// # Errors
    /// A folder cannot be read, or versions cannot be written; everything stays as it was.
    pub fn look(&self) -> Result<(), DefinitionError> {
        let now = self.clock.now();
        // One folder that cannot be read keeps nothing of the other one away.
        let monitors = self.monitors.poll(now);
        let channels = self.channels.poll(now);
        self.announce();
        monitors.and(channels)
    }

    fn announce(&self) {
        let revision = self.monitors.revision() + self.channels.revision();
        self.changed.send_if_modified(|known| std::mem::replace(known, revision) != revision);
    }

    /// Looks at the folders again and again until it is cancelled.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        let mut was_fine = true;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(self.poll) => {}
            }
            let definitions = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || definitions.look()).await;
            let trouble = match looked {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(chain(&error)),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = trouble.as_ref().filter(|_| was_fine) {
                warn!(error, "the folders of definitions cannot be looked at");
            }
            was_fine = trouble.is_none();
        }
    }
}

impl ChannelBook for Definitions {
    fn channel(&self, id: &str) -> Option<Arc<Channel>> {
        Self::channel(self, id).map(|entry| Arc::clone(&entry.item))
    }
}

/// Returns an error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
