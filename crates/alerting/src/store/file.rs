//! The file: its tables, the lock on it, and what becomes of it when it is damaged.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

/// Says that a file is one of alerts: `pama` in ASCII.
const APPLICATION_ID: i64 = 0x7061_6d61;
/// The version of the tables.
const VERSION: i64 = 1;

/// Bodies are JSON; columns beside them are what is searched by.
const SCHEMA: &str = "
    CREATE TABLE alerts (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        definition TEXT NOT NULL,
        trigger TEXT NOT NULL,
        is_over INTEGER NOT NULL,
        ended INTEGER,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX alerts_ended ON alerts (is_over, ended);
    CREATE TABLE sources (source TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE history (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        definition TEXT NOT NULL,
        trigger TEXT NOT NULL,
        body TEXT NOT NULL,
        answer TEXT
    );
    CREATE INDEX history_source ON history (kind, definition, trigger, id);
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        channel TEXT NOT NULL,
        key TEXT NOT NULL,
        state TEXT NOT NULL,
        at INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX outbox_state ON outbox (state, at);
    CREATE INDEX outbox_key ON outbox (key);
    CREATE TABLE mutes (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
";

/// Why alerts cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses the folder.
    #[error("the alerts in {} are in use by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The file was written by a newer version of the program.
    #[error("{} has version {found} of its tables, and this program knows {known}", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The file is not what it should be.
    #[error("the alerts in {} are damaged: {reason}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("the alerts in {} cannot be read or written", path.display())]
    Failed {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Says what an error of SQLite means.
    pub(super) fn at(file: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let is_damage = matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            || matches!(
                error,
                rusqlite::Error::FromSqlConversionFailure(..)
                    | rusqlite::Error::InvalidColumnType(..)
            )
            || error.to_string().contains("no such table");
        let file = file.to_owned();
        if is_damage {
            return Self::Damaged { file, reason: error.to_string() };
        }
        Self::Failed { path: file, source: error.into() }
    }
}

/// The folder, taken for this process.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        let failed = |source: std::io::Error| StoreError::Failed {
            path: folder.to_owned(),
            source: source.into(),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = folder.join("alerts.lock");
        let lock = File::options().create(true).append(true).open(file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl Drop for Lock {
    /// Unlocks by word: closing the file is not enough while a child that was just forked holds a copy.
    fn drop(&mut self) {
        // A failure leaves the lock to the end of the process.
        let _ = self.0.unlock();
    }
}

/// Opens the file, and makes the tables in a new one.
pub(super) fn open_connection(file: &Path) -> Result<Connection, StoreError> {
    let failed = |error| StoreError::at(file, error);
    let connection = Connection::open(file).map_err(failed)?;
    connection
        .execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA cache_size = -2048;
             PRAGMA journal_size_limit = 4194304;
             PRAGMA busy_timeout = 100;",
        )
        .map_err(failed)?;
    let read = |name: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
    };
    match (read("application_id")?, read("user_version")?) {
        (0, 0) => {
            let begin = format!(
                "BEGIN IMMEDIATE; {SCHEMA}
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
            );
            connection.execute_batch(&begin).map_err(failed)?;
        }
        (APPLICATION_ID, found) if found > VERSION => {
            return Err(StoreError::Newer { file: file.to_owned(), found, known: VERSION });
        }
        (APPLICATION_ID, _) => {}
        (other, _) => {
            let reason = format!("its application id is {other:#x}, not {APPLICATION_ID:#x}");
            return Err(StoreError::Damaged { file: file.to_owned(), reason });
        }
    }
    Ok(connection)
}

/// Renames a damaged file and what belongs to it, and returns its new name.
pub(super) fn put_aside(file: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let with = |base: &Path, suffix: &str| {
        let mut name = base.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = with(file, &format!(".damaged-{}", now.as_millisecond()));
    for suffix in ["", "-wal", "-shm"] {
        match std::fs::rename(with(file, suffix), with(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(StoreError::Failed { path: file.to_owned(), source: error.into() });
            }
        }
    }
    Ok(aside)
}
