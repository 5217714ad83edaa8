//! The write-ahead log of an index: what was acknowledged and is not yet in a commit of tantivy.
//!
//! Files are numbered and begin with a head that tells the first sequence number inside. A commit
//! makes those before it superfluous; they are removed then, and the next operation begins a new one.
//! A file that failed is never written again: the next one says from where on it counts instead.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::disk;
use super::live::Location;
use super::record::{self, Record};

/// What a file begins with, before the first sequence number and the checksum of both.
const MAGIC: &[u8; 8] = b"pamplog1";
/// Bytes of the head of a file.
pub(crate) const HEAD: usize = 20;

/// The log of one index.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    current: Option<LogFile>,
    next_number: u64,
    /// Bytes in all files.
    bytes: u64,
    /// Whether the current file holds what is not on disk for good.
    unsynced: bool,
    /// Whether a file that failed holds such a thing: only a commit makes that last.
    in_doubt: bool,
}

#[derive(Debug)]
struct LogFile {
    number: u64,
    file: File,
    length: u64,
}

impl Log {
    /// Takes hold of the log in a folder; `files` are those that are there, by number.
    pub(crate) fn new(folder: PathBuf, files: &[u64]) -> Self {
        let lengths = files.iter().map(|number| {
            fs::metadata(path_of(&folder, *number)).map_or(0, |metadata| metadata.len())
        });
        let bytes = lengths.sum();
        let next_number = files.last().map_or(1, |last| last + 1);
        Self { folder, current: None, next_number, bytes, unsynced: false, in_doubt: false }
    }

    /// Returns the bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns where the next record will lie, in a file made now if there is none.
    pub(crate) fn position(&mut self, next_seq_no: u64) -> io::Result<Location> {
        if self.current.is_none() {
            self.current = Some(self.begin_file(next_seq_no)?);
        }
        let current = self.current.as_ref().expect("it was just made");
        Ok(Location { file: current.number, offset: current.length, length: 0 })
    }

    fn begin_file(&mut self, first_seq_no: u64) -> io::Result<LogFile> {
        let number = self.next_number;
        // Counted up first: a half-made file is left alone.
        self.next_number += 1;
        let path = path_of(&self.folder, number);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let started = file
            .write_all(&head(first_seq_no))
            .and_then(|()| file.sync_all())
            .and_then(|()| disk::sync_folder(&self.folder));
        if let Err(error) = started {
            // An empty file says nothing, so it does not matter if it stays.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.bytes += HEAD as u64;
        Ok(LogFile { number, file, length: HEAD as u64 })
    }

    /// Appends frames behind `position`, on disk for good when `synced`.
    ///
    /// # Errors
    /// Nothing of them is in the log then.
    pub(crate) fn append(&mut self, frames: &[u8], synced: bool) -> io::Result<()> {
        let current = self.current.as_mut().expect("the position was asked for");
        let written = current.file.write_all(frames).and_then(|()| match synced {
            true => current.file.sync_data(),
            false => Ok(()),
        });
        match written {
            Ok(()) => {
                current.length += frames.len() as u64;
                self.bytes += frames.len() as u64;
                self.unsynced = !synced;
                Ok(())
            }
            Err(error) => {
                // After a failed write or sync nobody knows what the file holds past its length.
                // Cutting it may fail as well; the head of the next file outdates what stays.
                let _ = current.file.set_len(current.length);
                self.give_up_file();
                Err(error)
            }
        }
    }

    /// Returns whether all that was appended is on disk for good.
    pub(crate) fn is_synced(&self) -> bool {
        !self.unsynced && !self.in_doubt
    }

    /// Makes all that was appended last.
    ///
    /// # Errors
    /// A file failed, now or before. Syncing it again would prove nothing, as the system may have
    /// thrown away what it could not write: only a commit helps.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if let (true, Some(current)) = (self.unsynced, &self.current) {
            if let Err(error) = current.file.sync_data() {
                self.give_up_file();
                return Err(error);
            }
            self.unsynced = false;
        }
        if self.in_doubt {
            return Err(io::Error::other("a file of the write-ahead log failed before"));
        }
        Ok(())
    }

    /// Leaves a file alone that failed.
    fn give_up_file(&mut self) {
        self.in_doubt |= std::mem::take(&mut self.unsynced);
        self.current = None;
    }

    /// Removes all files: a commit holds what is in them.
    pub(crate) fn clear(&mut self) {
        self.current = None;
        self.bytes = 0;
        self.unsynced = false;
        self.in_doubt = false;
        for number in files_in(&self.folder).unwrap_or_default() {
            if let Err(error) = fs::remove_file(path_of(&self.folder, number)) {
                // What stays is skipped when it is read, since the commit is newer.
                tracing::warn!(error = %error, "a file of a write-ahead log cannot be removed");
            }
        }
    }
}

/// Reads the record at a place; `None` when its file is gone, since a commit holds it.
pub(crate) fn read_at(folder: &Path, location: Location) -> io::Result<Option<Record>> {
    let mut file = match File::open(path_of(folder, location.file)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    file.seek(SeekFrom::Start(location.offset))?;
    let mut frame = vec![0; location.length];
    file.read_exact(&mut frame)?;
    let (record, _) = record::frame_at(&Bytes::from(frame)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "a record of the write-ahead log is damaged")
    })?;
    Ok(Some(record))
}

/// Returns the numbers of the files in a folder, in order.
pub(crate) fn files_in(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Returns the path of a file.
pub(crate) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.log"))
}

fn head(first_seq_no: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&first_seq_no.to_le_bytes());
    let checksum = crc32fast::hash(&head[..16]);
    head[16..].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// Returns the first sequence number of a file that begins with a whole head.
pub(crate) fn first_seq_no(bytes: &[u8]) -> Option<u64> {
    let found: &[u8; HEAD] = bytes.first_chunk()?;
    let number = u64::from_le_bytes(found[8..16].try_into().ok()?);
    (*found == head(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// Lets the next write to the current file fail.
    fn break_file(log: &mut Log) {
        let current = log.current.as_mut().unwrap();
        current.file = File::open(path_of(&log.folder, current.number)).unwrap();
    }

    #[test]
    fn what_a_failed_file_holds_unsynced_is_in_doubt_until_a_commit() {
        let folder = TempDir::new().unwrap();
        let mut log = Log::new(folder.path().to_owned(), &[]);
        log.position(0).unwrap();
        log.append(b"relaxed", false).unwrap();
        break_file(&mut log);
        log.append(b"refused", true).unwrap_err();
        log.position(1).unwrap();
        log.append(b"synced", true).unwrap();
        assert!(!log.is_synced());
        log.sync().unwrap_err();
        log.clear();
        assert!(log.is_synced());
        log.sync().unwrap();
    }

    #[test]
    fn a_failed_file_that_was_synced_leaves_no_doubt() {
        let folder = TempDir::new().unwrap();
        let mut log = Log::new(folder.path().to_owned(), &[]);
        log.position(0).unwrap();
        log.append(b"relaxed", false).unwrap();
        assert!(!log.is_synced());
        log.sync().unwrap();
        break_file(&mut log);
        log.append(b"refused", false).unwrap_err();
        assert!(log.is_synced());
        log.sync().unwrap();
    }
}
