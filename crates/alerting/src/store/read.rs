//! What is read from the file: everything at the start, and what people ask for.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{Store, StoreError, kind_of, parsed, source_of, state_name};
use crate::alert::{Alert, AlertState};
use crate::book::{Live, SavedSource};
use crate::history::HistoryEntry;
use crate::mute::Mute;
use crate::observation::{SourceId, SourceKind};
use crate::outbox::{MessageState, OutboxRow};

/// Most entries of one page: a thousand, and one by which it is seen that there are more.
const PAGE_MAX: usize = 1_001;

/// What the file held.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) live: Vec<Live>,
    pub(crate) sources: Vec<(SourceId, SavedSource)>,
    /// Messages on their way, in their order.
    pub(crate) messages: Vec<OutboxRow>,
    pub(crate) mutes: Vec<Mute>,
    /// The largest id of a message that ever was.
    pub(crate) message_id_max: i64,
}

/// Which entries of the history are wanted; the newest come first.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Of which kind of definition; `None` for both.
    pub kind: Option<SourceKind>,
    /// Of which definition; `None` for all.
    pub definition: Option<String>,
    /// Of which trigger; `None` for all.
    pub trigger: Option<String>,
    /// Only those before this id, for the next page; `None` for the first page.
    pub before: Option<i64>,
    /// Only those at this time or later; `None` for all.
    pub from: Option<Timestamp>,
    /// Only those before this time; `None` for all.
    pub to: Option<Timestamp>,
    /// How many at most: 1 to 1,001.
    pub limit: usize,
}

/// Which messages are wanted; the newest come first.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// In which state; `None` for all.
    pub state: Option<MessageState>,
    /// Of which channel; `None` for all.
    pub channel: Option<String>,
    /// With which key; `None` for all.
    pub key: Option<String>,
    /// How many are left out.
    pub offset: usize,
    /// How many at most: 1 to 1,001.
    pub limit: usize,
}

/// Which alerts are wanted.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Of which kind of definition; `None` for both.
    pub kind: Option<SourceKind>,
    /// Of which definition; `None` for all.
    pub definition: Option<String>,
    /// Of which trigger; `None` for all.
    pub trigger: Option<String>,
    /// In one of these states; empty for all.
    pub states: Vec<AlertState>,
    /// Of this severity; `None` for all.
    pub severity: Option<u8>,
    /// With this in the name of the definition or the trigger, or in a value of what tells it from others of
    /// its source, small and capital letters alike; empty for all.
    pub text: String,
    /// Their order.
    pub sort: AlertSort,
    /// Whether the order is turned round.
    pub is_descending: bool,
    /// How many are left out.
    pub offset: usize,
    /// How many at most.
    pub limit: usize,
}

/// The order of alerts; those that are equal are ordered by their ids.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AlertSort {
    /// By the name of the definition.
    #[default]
    Definition,
    /// By the name of the trigger or rule.
    Name,
    /// By the start, or by when it was noticed.
    Start,
    /// By the end; those that are not over come last.
    End,
    /// By the time of the last message.
    Told,
    /// By severity.
    Severity,
    /// By state.
    State,
}

pub(super) fn load(connection: &Connection) -> Result<Loaded, rusqlite::Error> {
    let body = |row: &Row<'_>| row.get::<_, String>(0);
    let bodies = |sql: &str| -> Result<Vec<String>, rusqlite::Error> {
        connection.prepare(sql)?.query_map([], body)?.collect()
    };
    let mut loaded = Loaded::default();
    for text in bodies("SELECT body FROM alerts WHERE is_over = 0")? {
        loaded.live.push(parsed(0, &text)?);
    }
    let mut statement = connection.prepare("SELECT source, body FROM sources")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let source = source_of(0, &row.get::<_, String>(0)?)?;
        loaded.sources.push((source, parsed(1, &row.get::<_, String>(1)?)?));
    }
    let sql = "SELECT body FROM outbox WHERE state IN ('waiting', 'sending') ORDER BY id";
    for text in bodies(sql)? {
        loaded.messages.push(parsed(0, &text)?);
    }
    for text in bodies("SELECT body FROM mutes ORDER BY id")? {
        loaded.mutes.push(parsed(0, &text)?);
    }
    let sql = "SELECT coalesce(max(id), 0) FROM outbox";
    loaded.message_id_max = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(loaded)
}

impl Store {
    /// Returns alerts that are over, the newest end first, and no more than so many.
    pub(crate) fn finished(
        &self,
        filter: &AlertFilter,
        max: usize,
    ) -> Result<Vec<Alert>, StoreError> {
        let sql = "SELECT body FROM alerts
                   WHERE is_over = 1 AND (?1 IS NULL OR kind = ?1)
                     AND (?2 IS NULL OR definition = ?2)
                   ORDER BY ended DESC, id LIMIT ?3";
        let kind = filter.kind.map(kind_of);
        self.ask(sql, rusqlite::params![kind, filter.definition, max as i64], |row| {
            parsed(0, &row.get::<_, String>(0)?)
        })
    }

    /// Returns an alert that is over; `None` when there is none of this id.
    pub(crate) fn finished_by_id(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        let sql = "SELECT body FROM alerts WHERE is_over = 1 AND id = ?";
        let found = self.ask(sql, [id], |row| parsed(0, &row.get::<_, String>(0)?))?;
        Ok(found.into_iter().next())
    }

    /// Returns entries of the history, the newest first.
    pub(crate) fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, StoreError> {
        let sql = "SELECT id, body, answer FROM history
                   WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR definition = ?2)
                     AND (?3 IS NULL OR trigger = ?3) AND (?4 IS NULL OR id < ?4)
                     AND (?5 IS NULL OR at >= ?5) AND (?6 IS NULL OR at < ?6)
                   ORDER BY id DESC LIMIT ?7";
        let values = rusqlite::params![
            filter.kind.map(kind_of),
            filter.definition,
            filter.trigger,
            filter.before,
            filter.from.map(Timestamp::as_millisecond),
            filter.to.map(Timestamp::as_millisecond),
            filter.limit.clamp(1, PAGE_MAX) as i64,
        ];
        self.ask(sql, values, |row| {
            let mut entry: HistoryEntry = parsed(1, &row.get::<_, String>(1)?)?;
            entry.id = row.get(0)?;
            entry.answer = row.get(2)?;
            Ok(entry)
        })
    }

    /// Returns messages, the newest first.
    pub(crate) fn messages(&self, filter: &MessageFilter) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = "SELECT body FROM outbox
                   WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR channel = ?2)
                     AND (?3 IS NULL OR key = ?3)
                   ORDER BY id DESC LIMIT ?4 OFFSET ?5";
        let values = rusqlite::params![
            filter.state.map(state_name),
            filter.channel,
            filter.key,
            filter.limit.clamp(1, PAGE_MAX) as i64,
            i64::try_from(filter.offset).unwrap_or(i64::MAX),
        ];
        self.ask(sql, values, |row| parsed(0, &row.get::<_, String>(0)?))
    }

    /// Returns a message; `None` when there is none of this id.
    pub(crate) fn message(&self, id: i64) -> Result<Option<OutboxRow>, StoreError> {
        let sql = "SELECT body FROM outbox WHERE id = ?";
        let found = self.ask(sql, [id], |row| parsed(0, &row.get::<_, String>(0)?))?;
        Ok(found.into_iter().next())
    }

    fn ask<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let found = || -> Result<Vec<T>, rusqlite::Error> {
            self.connection.prepare_cached(sql)?.query_map(values, read)?.collect()
        };
        found().map_err(|error| StoreError::at(&self.file, error))
    }
}
