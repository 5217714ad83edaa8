//! The data folder: made when it is missing, and held by one program at a time.

use std::fs::{File, OpenOptions, TryLockError, create_dir_all};
use std::io;
use std::path::{Path, PathBuf};

/// A data folder that this program holds; letting go of it frees the folder.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    // The lock ends with the process, also when it is killed.
    lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFolderError {
    /// The folder cannot be made or written.
    #[error(
        "the data folder {path} cannot be written; choose another one with --data or store.path"
    )]
    NotWritable {
        /// The folder as it was given.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another Pampero uses the folder.
    #[error(
        "another Pampero runs on the data folder {path}; stop it, or choose another folder with --data or store.path"
    )]
    InUse {
        /// The folder as it was given.
        path: String,
    },
}

impl DataFolder {
    const LOCK_FILE: &str = "pampero.lock";
    const STORE_FILE: &str = "pampero.sqlite";
    const HISTORY_FOLDER: &str = "metrics";
    const LOGS_FOLDER: &str = "logs";
    const LOGS_BUFFER_FOLDER: &str = "logs-buffer";
    const ALERTS_FOLDER: &str = "alerts";
    const DEFINITIONS_FOLDER: &str = "alerting";

    /// Makes the folder if it is missing and takes hold of it.
    ///
    /// # Errors
    /// The folder cannot be written, or another program holds it.
    pub(crate) fn hold(path: &Path) -> Result<Self, DataFolderError> {
        let given = path.display().to_string();
        let not_writable = |source| DataFolderError::NotWritable { path: given.clone(), source };
        create_dir_all(path).map_err(not_writable)?;
        let mut options = OpenOptions::new();
        let lock_file = options.create(true).truncate(false).write(true);
        let lock = lock_file.open(path.join(Self::LOCK_FILE)).map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { path: given }),
            Err(TryLockError::Error(source)) => Err(not_writable(source)),
        }
    }

    /// Returns the path of the store's file.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.path.join(Self::STORE_FILE)
    }

    /// Returns the path of the folder with the history of metrics.
    pub(crate) fn history(&self) -> PathBuf {
        self.path.join(Self::HISTORY_FOLDER)
    }

    /// Returns the path of the folder with the indices of the log.
    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join(Self::LOGS_FOLDER)
    }

    /// Returns the path of the folder with alerts, their history and the messages that wait.
    pub(crate) fn alerts(&self) -> PathBuf {
        self.path.join(Self::ALERTS_FOLDER)
    }

    /// Returns the path of the folder with the files of monitors and channels, where none is chosen.
    pub(crate) fn definitions(&self) -> PathBuf {
        self.path.join(Self::DEFINITIONS_FOLDER)
    }

    /// Returns the path of the folder with what waits to be shipped.
    pub(crate) fn logs_buffer(&self) -> PathBuf {
        self.path.join(Self::LOGS_BUFFER_FOLDER)
    }
}

impl Drop for DataFolder {
    /// Unlocks the folder by word: closing the file is not enough while a child process that was
    /// just forked still holds a copy of it.
    fn drop(&mut self) {
        // A failure leaves the lock to the end of the process.
        let _ = self.lock.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep").join("data");
        let held = DataFolder::hold(&path).unwrap();
        let second = DataFolder::hold(&path).unwrap_err();
        assert!(matches!(second, DataFolderError::InUse { .. }), "{second}");
        drop(held);
        DataFolder::hold(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = DataFolder::hold(&file.join("data")).unwrap_err();
        assert!(matches!(error, DataFolderError::NotWritable { .. }), "{error}");
        assert!(error.to_string().contains("file"), "{error}");
    }
}
