//! What can go wrong with the store.

use std::error::Error;
use std::path::PathBuf;

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
