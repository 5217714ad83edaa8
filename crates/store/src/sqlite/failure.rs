//! What went wrong in SQLite, sorted by what can be done about it.
//!
//! Source: SQLite, Result and Error Codes.

use std::path::Path;
use std::sync::Arc;

use crate::StoreError;

/// A failure of the engine; clones share the cause, since one failed commit fails many writes.
#[derive(Clone, Debug)]
pub(super) struct Failure(Arc<sqlx::Error>);

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FailureKind {
    /// No room on the disk, or the size limit is reached.
    DiskFull,
    /// Another program holds the file.
    Locked,
    /// The file or its folder may not be written.
    ReadOnly,
    /// The file is no database, or a damaged one.
    Damaged,
    /// A row breaks a rule of the schema: the fault of the one write alone.
    Constraint,
    /// The connections were closed.
    Closed,
    /// Anything else.
    Other,
}

/// Why a file cannot be used as a store.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the folder {0} does not exist: create it, or choose another one")]
    NoFolder(String),
    #[error(
        "it is no database or a damaged one: restore it from a backup, or move it away to begin anew"
    )]
    Damaged(#[source] Failure),
    #[error("it belongs to another program: choose another file")]
    Foreign,
    #[error(
        "it was written by a newer Pampero (its form {0} is unknown here): \
         use that version, or restore a backup made before it"
    )]
    Newer(i64),
    #[error("form {0} of its tables is not the one that was released: restore it from a backup")]
    Altered(i64),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl Failure {
    pub(super) fn kind(&self) -> FailureKind {
        match self.0.as_ref() {
            sqlx::Error::Database(error) => {
                let code = error.code().and_then(|code| code.parse().ok());
                code.map_or(FailureKind::Other, kind_of_code)
            }
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => FailureKind::Closed,
            _ => FailureKind::Other,
        }
    }

    /// Turns the failure of a write into what the caller sees; `what` names what was being written.
    pub(super) fn into_write_error(self, what: &'static str) -> StoreError {
        self.into_known_error()
            .unwrap_or_else(|failure| StoreError::Write { what, source: Box::new(failure) })
    }

    /// Turns the failure of a read into what the caller sees; `what` names what was being read.
    pub(super) fn into_read_error(self, what: &'static str) -> StoreError {
        self.into_known_error()
            .unwrap_or_else(|failure| StoreError::Read { what, source: Box::new(failure) })
    }

    /// Turns a failure to open the file at `path` into what the caller sees.
    pub(super) fn into_open_error(self, path: &Path) -> StoreError {
        match self.kind() {
            FailureKind::DiskFull => StoreError::DiskFull,
            FailureKind::Locked => StoreError::Locked,
            FailureKind::Damaged => open_error(path, Unusable::Damaged(self)),
            _ => open_error(path, self),
        }
    }

    /// Returns the error for a kind that needs no further words, otherwise the failure itself.
    fn into_known_error(self) -> Result<StoreError, Self> {
        match self.kind() {
            FailureKind::DiskFull => Ok(StoreError::DiskFull),
            FailureKind::Locked => Ok(StoreError::Locked),
            FailureKind::ReadOnly => Ok(StoreError::ReadOnly),
            FailureKind::Closed => Ok(StoreError::Closed),
            FailureKind::Damaged => {
                let what = "a damaged page".to_owned();
                Ok(StoreError::Corrupt { what, source: Box::new(Unusable::Damaged(self)) })
            }
            FailureKind::Constraint | FailureKind::Other => Err(self),
        }
    }
}

/// Says that the file at `path` cannot be opened, and why.
pub(super) fn open_error(
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> StoreError {
    StoreError::Open { location: path.display().to_string(), source: Box::new(source) }
}

/// The file was moved or deleted while it was open: no matter of permissions.
const READONLY_DBMOVED: i32 = 1032;

fn kind_of_code(code: i32) -> FailureKind {
    const PRIMARY_CODE: i32 = 0xff;
    match code & PRIMARY_CODE {
        _ if code == READONLY_DBMOVED => FailureKind::Other,
        13 => FailureKind::DiskFull,
        5 | 6 => FailureKind::Locked,
        3 | 8 | 14 => FailureKind::ReadOnly,
        11 | 26 => FailureKind::Damaged,
        19 => FailureKind::Constraint,
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        check(13, FailureKind::DiskFull); // SQLITE_FULL
        check(5, FailureKind::Locked); // SQLITE_BUSY
        check(261, FailureKind::Locked); // SQLITE_BUSY_RECOVERY
        check(6, FailureKind::Locked); // SQLITE_LOCKED
        check(8, FailureKind::ReadOnly); // SQLITE_READONLY
        check(1544, FailureKind::ReadOnly); // SQLITE_READONLY_DIRECTORY
        check(1032, FailureKind::Other); // SQLITE_READONLY_DBMOVED
        check(14, FailureKind::ReadOnly); // SQLITE_CANTOPEN
        check(3, FailureKind::ReadOnly); // SQLITE_PERM
        check(11, FailureKind::Damaged); // SQLITE_CORRUPT
        check(26, FailureKind::Damaged); // SQLITE_NOTADB
        check(787, FailureKind::Constraint); // SQLITE_CONSTRAINT_FOREIGNKEY
        check(778, FailureKind::Other); // SQLITE_IOERR_WRITE
        check(1, FailureKind::Other); // SQLITE_ERROR
    }

    #[track_caller]
    fn check(code: i32, kind: FailureKind) {
        assert_eq!(kind_of_code(code), kind, "code {code}");
    }
}
