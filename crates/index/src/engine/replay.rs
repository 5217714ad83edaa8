//! Reads a write-ahead log back: what came after the last commit, once and in order, and what is lost.
//!
//! A record that is cut at the very end was never acknowledged and is dropped. When whole records
//! follow a broken one, or sequence numbers are missing, something was lost, and it is told.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use bytes::Bytes;

use super::live::Location;
use super::log::{self, HEAD};
use super::record::{self, Record};

/// What a log held.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Replayed {
    /// The sequence number of the next operation.
    pub(crate) next_seq_no: u64,
    /// Operations that were given out.
    pub(crate) operations: u64,
    /// Sequence numbers of operations that are lost.
    pub(crate) lost: Vec<RangeInclusive<u64>>,
    /// Files in which something cannot be read.
    pub(crate) damaged: Vec<u64>,
}

/// Gives each operation from `first_seq_no` on to `each`.
///
/// # Errors
/// The files cannot be read at all.
pub(crate) fn replay(
    folder: &Path,
    first_seq_no: u64,
    each: &mut dyn FnMut(Record, Location),
) -> io::Result<Replayed> {
    let files = log::files_in(folder)?;
    let starts: Vec<Option<u64>> =
        files.iter().map(|number| read_start(folder, *number)).collect::<io::Result<_>>()?;
    let mut replayed = Replayed { next_seq_no: first_seq_no, ..Replayed::default() };
    for (at, number) in files.iter().enumerate() {
        let limit = starts[at + 1..].iter().flatten().min().copied().unwrap_or(u64::MAX);
        let bytes = Bytes::from(fs::read(log::path_of(folder, *number))?);
        if let Some(start) = starts[at] {
            replayed.skip_to(start);
        }
        let offset = starts[at].map_or(0, |_| HEAD);
        replay_file(&bytes, offset, *number, limit, &mut replayed, each);
    }
    Ok(replayed)
}

fn read_start(folder: &Path, number: u64) -> io::Result<Option<u64>> {
    let mut head = Vec::new();
    File::open(log::path_of(folder, number))?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(log::first_seq_no(&head))
}

impl Replayed {
    /// Notes that the next number is at least `seq_no`; those before it are lost.
    pub(crate) fn skip_to(&mut self, seq_no: u64) {
        if self.next_seq_no < seq_no {
            self.lost.push(self.next_seq_no..=seq_no - 1);
            self.next_seq_no = seq_no;
        }
    }
}

fn replay_file(
    bytes: &Bytes,
    mut offset: usize,
    file: u64,
    limit: u64,
    replayed: &mut Replayed,
    each: &mut dyn FnMut(Record, Location),
) {
    while offset < bytes.len() {
        let Some((record, length)) = record::frame_at(&bytes.slice(offset..)) else {
            let Some(next) = next_frame(bytes, offset + 1, replayed.next_seq_no) else { return };
            replayed.damaged.push(file);
            replayed.damaged.dedup();
            offset = next;
            continue;
        };
        // A later file begins before this record: the write of it had failed.
        if record.seq_no >= limit {
            return;
        }
        if record.seq_no >= replayed.next_seq_no {
            replayed.skip_to(record.seq_no);
            replayed.next_seq_no += 1;
            replayed.operations += 1;
            each(record, Location { file, offset: offset as u64, length });
        }
        offset += length;
    }
}

/// Looks for the next whole frame behind a broken one.
fn next_frame(bytes: &Bytes, from: usize, next_seq_no: u64) -> Option<usize> {
    (from..bytes.len()).find(|at| {
        record::looks_like_frame(&bytes[*at..], next_seq_no)
            && record::frame_at(&bytes.slice(*at..)).is_some()
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::engine::log::Log;
    use crate::engine::record::RecordKind;

    fn record(seq_no: u64) -> Record {
        let source = format!(r#"{{"n":{seq_no}}}"#);
        let id = format!("id{seq_no}").into();
        let kind = RecordKind::Add;
        Record { kind, seq_no, version: 1, id, routing: None, source: source.into() }
    }

    /// Appends records to a new file, and returns the offset of each.
    fn write(log: &mut Log, seq_nos: std::ops::Range<u64>) -> Vec<usize> {
        let mut offset = usize::try_from(log.position(seq_nos.start).unwrap().offset).unwrap();
        let mut offsets = Vec::new();
        for seq_no in seq_nos {
            let mut frame = Vec::new();
            offsets.push(offset);
            offset += record(seq_no).encode(&mut frame);
            log.append(&frame, true).unwrap();
        }
        offsets
    }

    /// Returns the sequence numbers that are read, and what is told of the rest.
    fn read(folder: &Path, first_seq_no: u64) -> (Vec<u64>, Replayed) {
        let mut seq_nos = Vec::new();
        let replayed = replay(folder, first_seq_no, &mut |read, location| {
            assert_eq!(read, record(read.seq_no));
            assert_eq!(log::read_at(folder, location).unwrap(), Some(read.clone()));
            seq_nos.push(read.seq_no);
        });
        (seq_nos, replayed.unwrap())
    }

    #[test]
    fn a_log_cut_at_any_byte_of_its_last_record_loses_only_that() {
        let folder = TempDir::new().unwrap();
        let offsets = write(&mut Log::new(folder.path().to_owned(), &[]), 0..3);
        let path = log::path_of(folder.path(), 1);
        let bytes = fs::read(&path).unwrap();
        for length in offsets[2]..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let (seq_nos, replayed) = read(folder.path(), 0);
            assert_eq!(seq_nos, [0, 1], "cut at {length}");
            let whole = Replayed { next_seq_no: 2, operations: 2, ..Replayed::default() };
            assert_eq!(replayed, whole, "cut at {length}");
        }
    }

    #[test]
    fn a_record_damaged_at_any_byte_is_told_and_those_behind_it_are_read() {
        let folder = TempDir::new().unwrap();
        let offsets = write(&mut Log::new(folder.path().to_owned(), &[]), 0..4);
        let path = log::path_of(folder.path(), 1);
        let bytes = fs::read(&path).unwrap();
        for at in offsets[1]..offsets[2] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            fs::write(&path, damaged).unwrap();
            let (seq_nos, replayed) = read(folder.path(), 0);
            assert_eq!(seq_nos, [0, 2, 3], "damaged at {at}");
            let told = (replayed.next_seq_no, replayed.lost, replayed.damaged);
            assert_eq!(told, (4, vec![1..=1], vec![1]), "damaged at {at}");
        }
    }

    #[test]
    fn files_follow_each_other() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().to_owned();
        write(&mut Log::new(path.clone(), &[]), 0..3);
        // The write of number 2 had failed, and was done again in a file of its own.
        write(&mut Log::new(path.clone(), &[1]), 2..4);
        let (seq_nos, replayed) = read(&path, 0);
        assert_eq!(seq_nos, [0, 1, 2, 3]);
        assert_eq!((replayed.lost, replayed.damaged), (vec![], vec![]));
        assert_eq!(read(&path, 3).0, [3]);
        assert_eq!(read(&path, 9).1, Replayed { next_seq_no: 9, ..Replayed::default() });
        fs::remove_file(log::path_of(&path, 1)).unwrap();
        let (seq_nos, replayed) = read(&path, 0);
        assert_eq!((seq_nos, replayed.lost), (vec![2, 3], vec![0..=1]));
    }
}
