//! What can go wrong with the store.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use crate::column::ColumnError;

/// A cause that callers print and do not look into.
type Cause = Box<dyn Error + Send + Sync>;

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An option is outside its range.
    #[error("{option} cannot be {value}; {advice}")]
    Option {
        /// Its name.
        option: &'static str,
        /// As it was given.
        value: String,
        /// What it may be.
        advice: &'static str,
    },
    /// Somebody else has the folder open.
    #[error("the samples in {} are in use by another process; stop it, or choose another folder", folder.display())]
    InUse {
        /// Where the samples are.
        folder: PathBuf,
    },
    /// A newer program wrote the file.
    #[error("{} has version {found}, and this program reads up to {known}; use a newer program", file.display())]
    Newer {
        /// The file of samples.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is understood.
        known: i64,
    },
    /// The file is not one of samples, or is damaged.
    #[error("{} is damaged or holds no samples; move it away to start with an empty history, or restore a copy of it", file.display())]
    Damaged {
        /// The file of samples.
        file: PathBuf,
        /// How it was noticed.
        #[source]
        source: Cause,
    },
    /// The folder or the file cannot be read or written.
    #[error("the samples in {} cannot be opened", folder.display())]
    Failed {
        /// Where the samples are.
        folder: PathBuf,
        /// What happened.
        #[source]
        source: Cause,
    },
}

/// Why samples were not kept; nothing of the batch is then.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// As many series are known as may be.
    #[error("no further series can be kept: there are {max}, the most that may be")]
    SeriesLimit {
        /// The most series that may be known.
        max: usize,
    },
    /// The series has been forgotten since it was resolved; resolve it again.
    #[error("a series of the batch is not known any more; resolve its labels again")]
    UnknownSeries,
    /// The disk is full, or the store as large as it may be.
    #[error("no sample can be kept: the disk is full, or the history is as large as it may be")]
    Full {
        /// What happened.
        #[source]
        source: Cause,
    },
    /// The store has been closed.
    #[error("the history is closed")]
    Closed,
    /// Writing failed.
    #[error("samples cannot be written")]
    Failed {
        /// What happened.
        #[source]
        source: Cause,
    },
}

/// Why maintenance did not get through; it goes on with the next round.
#[derive(Debug, thiserror::Error)]
pub enum MaintainError {
    /// The disk is full, or the store as large as it may be.
    #[error("the history cannot be tidied up: the disk is full")]
    Full {
        /// What happened.
        #[source]
        source: Cause,
    },
    /// Reading or writing failed, or what is kept is damaged.
    #[error("the history cannot be tidied up")]
    Failed {
        /// What happened.
        #[source]
        source: Cause,
    },
}

/// Why what is kept cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// SQLite says so.
    #[error("the file of samples cannot be used")]
    Sqlite(#[from] rusqlite::Error),
    /// The operating system says so.
    #[error("the file of samples cannot be read")]
    Io(#[source] std::io::Error),
    /// A column makes no sense.
    #[error("block {block} is damaged at series {number}")]
    Column {
        /// The block.
        block: i64,
        /// The number of the series, or of its times.
        number: u32,
        /// What is wrong with it.
        #[source]
        source: ColumnError,
    },
    /// A column speaks of times that are not there.
    #[error("block {block} lacks the times of series {number}")]
    NoTimes {
        /// The block.
        block: i64,
        /// The number of the series.
        number: u32,
    },
    /// A row of the journal makes no sense.
    #[error("row {row} of the journal is damaged")]
    Journal {
        /// Its number.
        row: i64,
        /// What is wrong with it.
        #[source]
        source: ColumnError,
    },
    /// The journal speaks of a series that is not there.
    #[error("row {row} of the journal names the unknown series {number}")]
    UnknownSeries {
        /// The row.
        row: i64,
        /// The number of the series.
        number: u32,
    },
    /// The labels of a series make no sense.
    #[error("the labels of series {number} are damaged")]
    Labels {
        /// The number of the series.
        number: u32,
    },
    /// A column cannot be written.
    #[error("a column cannot be packed")]
    Pack(#[source] ColumnError),
    /// The store is being closed.
    #[error("the history is closed")]
    Closed,
}

impl StorageError {
    /// Returns whether there is no space.
    pub(crate) fn is_full(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
    }

    /// Returns whether the file is not what it should be, so that trying again does not help.
    pub(crate) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            Self::Closed | Self::Pack(_) | Self::Io(_) => false,
            Self::Column { .. }
            | Self::NoTimes { .. }
            | Self::Journal { .. }
            | Self::UnknownSeries { .. }
            | Self::Labels { .. } => true,
        }
    }
}

impl From<StorageError> for MaintainError {
    fn from(error: StorageError) -> Self {
        match error.is_full() {
            true => Self::Full { source: error.into() },
            false => Self::Failed { source: error.into() },
        }
    }
}

/// One failure that several batches share, because they were committed together.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct SharedError(Arc<StorageError>);

impl From<StorageError> for SharedError {
    fn from(error: StorageError) -> Self {
        Self(Arc::new(error))
    }
}

impl From<SharedError> for AppendError {
    fn from(error: SharedError) -> Self {
        match &*error.0 {
            StorageError::Closed => Self::Closed,
            full if full.is_full() => Self::Full { source: error.into() },
            _ => Self::Failed { source: error.into() },
        }
    }
}
