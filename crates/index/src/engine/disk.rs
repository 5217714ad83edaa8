//! What the disk is asked for: files that are replaced whole, folders that are synced, and what its
//! refusals mean to a client.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use pampero_opensearch::{Exception, ExceptionKind};
use tantivy::TantivyError;
use tantivy::directory::error::{OpenReadError, OpenWriteError};

/// Replaces a file so that after a crash the old or the new content is there, whole.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_folder(folder)
}

/// Makes what was created, renamed and deleted in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Windows keeps the entries of a folder itself, and opens none as a file.
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder)?.sync_all()
}

/// Returns the bytes of all files of a folder and of those inside it; what cannot be read counts none.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Tells why nothing could be written to an index.
pub(crate) fn write_failed(index: &str, uuid: &str, error: &io::Error) -> Exception {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded].contains(&error.kind());
    let exception = if full {
        flood_stage(index)
    } else {
        Exception::new(ExceptionKind::Io, format!("index [{index}] cannot be written: {error}"))
    };
    exception.in_index(index, uuid)
}

/// Refuses a write as OpenSearch does when a disk is all but full: with 429, to be tried again.
pub(crate) fn flood_stage(index: &str) -> Exception {
    let block = "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, \
                 index has read-only-allow-delete block";
    Exception::new(ExceptionKind::FloodStage, format!("index [{index}] blocked by: [{block}];"))
}

/// Tells what tantivy could not do. Paths stay in the log of the program.
pub(crate) fn tantivy_failed(index: &str, uuid: &str, error: &TantivyError) -> Exception {
    match cause_of(error) {
        Some(cause) => write_failed(index, uuid, &cause),
        None if is_damage(error) => {
            let reason = format!("index [{index}] is damaged: {error}");
            Exception::new(ExceptionKind::Corrupt, reason).in_index(index, uuid)
        }
        None => {
            let reason = format!("index [{index}] failed: {error}");
            Exception::new(ExceptionKind::Io, reason).in_index(index, uuid)
        }
    }
}

fn cause_of(error: &TantivyError) -> Option<Arc<io::Error>> {
    match error {
        TantivyError::IoError(cause)
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: cause, .. }) => {
            Some(Arc::clone(cause))
        }
        TantivyError::LockFailure(..) => {
            Some(Arc::new(io::Error::new(io::ErrorKind::WouldBlock, "its lock file is in use")))
        }
        _ => None,
    }
}

fn is_damage(error: &TantivyError) -> bool {
    matches!(
        error,
        TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::DeserializeError(_)
            | TantivyError::OpenReadError(
                OpenReadError::IoError { .. } | OpenReadError::FileDoesNotExist(_)
            )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_the_flood_stage_and_others_as_they_are() {
        check(io::ErrorKind::StorageFull, "cluster_block_exception", 429);
        check(io::ErrorKind::QuotaExceeded, "cluster_block_exception", 429);
        check(io::ErrorKind::ReadOnlyFilesystem, "i_o_exception", 500);
        check(io::ErrorKind::PermissionDenied, "i_o_exception", 500);
    }

    #[track_caller]
    fn check(kind: io::ErrorKind, name: &str, status: u16) {
        let exception = write_failed("weather_logs", "u", &kind.into());
        assert_eq!((exception.kind().as_str(), exception.status()), (name, status));
        assert!(exception.reason().starts_with("index [weather_logs]"));
    }
}
