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
    fn skip_to(&mut self, seq_no: u64) {
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
