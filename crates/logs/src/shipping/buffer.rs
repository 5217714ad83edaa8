//! The buffer on disk in which documents wait for the cluster.
//!
//! Documents lie in segments, files that only grow; [`segment`] has their format. A segment is named
//! after the number of its first document, and documents are numbered on without end. The id of a
//! document is made of the header of its segment and its place in it. A buffer that is opened again
//! begins a new segment, so an id never stands for two documents, even where a crash of the machine
//! took the end of a segment away. All calls block.

mod segment;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use jiff::Timestamp;
use pampero_telemetry::logging::documents::LogDocument;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use segment::{Place, Segment};

/// How many segments a full buffer has: as much of it is dropped at once.
const SEGMENTS: u64 = 16;
/// Smallest segment that is worth a file, in bytes.
const SEGMENT_BYTES_MIN: u64 = 4 << 10;
const POSITION_FILE: &str = "position";
/// Highest position that is believed: the numbers go on behind it.
const POSITION_MAX: u64 = u64::MAX / 2;

/// A bounded buffer: documents go in at one end and are read, and let go of, at the other.
#[derive(Debug)]
pub(super) struct Buffer {
    folder: PathBuf,
    bytes_max: u64,
    inner: Mutex<Inner>,
    /// As of the last call that ended, so that nobody waits for a disk who only asks for them.
    stats: Mutex<BufferStats>,
}

#[derive(Debug)]
struct Inner {
    /// From the oldest to the newest; at least the active one where there is one.
    segments: VecDeque<Segment>,
    /// The newest segment, where this run has begun it.
    active: Option<File>,
    is_synced: bool,
    /// Number of the next document that goes in.
    next: u64,
    /// Number of the first document that is not let go of.
    position: u64,
    /// The first document that was not read yet.
    reading: Place,
    /// When the document at `position` was logged, where it is known.
    oldest_at: Option<Timestamp>,
    dropped: u64,
    damaged_bytes: u64,
    chance: StdRng,
}

/// A document that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Buffered {
    /// Its number.
    pub(super) number: u64,
    /// Its id in the cluster.
    pub(super) id: String,
    /// When it was logged.
    pub(super) at: Timestamp,
    /// The document.
    pub(super) body: Bytes,
}

/// What was lost to damage.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Loss {
    segment: PathBuf,
    documents: u64,
    bytes: u64,
}

/// What the buffer holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct BufferStats {
    /// Bytes on disk.
    pub(super) bytes: u64,
    /// Documents that are not let go of.
    pub(super) documents: u64,
    /// When the oldest of them was logged; `None` when there is none.
    pub(super) oldest_at: Option<Timestamp>,
    /// Documents that were dropped to make room.
    pub(super) dropped: u64,
    /// Bytes that could not be read and are lost.
    pub(super) damaged_bytes: u64,
}

impl Buffer {
    /// Opens the buffer in `folder`, which is made when it is missing.
    ///
    /// `seed` must be another one each time.
    pub(super) fn open(folder: &Path, bytes_max: u64, seed: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (segments, damaged_bytes) = open_segments(folder)?;
        let first = segments.front().map_or(0, |segment| segment.first);
        let kept = read_position(folder)?;
        // Where damage took documents that had been let go of, their numbers are not given again: they
        // would lie before the position.
        let next = segments.back().map_or(0, Segment::end).max(kept.unwrap_or(0));
        let position = kept.unwrap_or(first).max(first.min(next));
        let mut inner = Inner {
            segments,
            active: None,
            is_synced: true,
            next,
            position,
            reading: Place::start_of(position),
            oldest_at: None,
            dropped: 0,
            damaged_bytes,
            chance: StdRng::seed_from_u64(seed),
        };
        inner.let_go_of_segments()?;
        inner.look_for_position()?;
        let stats = Mutex::new(inner.stats());
        Ok(Self { folder: folder.to_owned(), bytes_max, inner: Mutex::new(inner), stats })
    }

    /// Puts documents in, and drops the oldest when there is no room.
    ///
    /// They are on disk after [`sync`](Self::sync). After an error none of them is in.
    pub(super) fn append(&self, documents: &[LogDocument], now: Timestamp) -> io::Result<()> {
        let mut frames = Vec::new();
        documents.iter().for_each(|document| segment::frame(document, &mut frames));
        if frames.is_empty() {
            return Ok(());
        }
        self.change(|inner| {
            inner.make_room(frames.len() as u64, self.bytes_max)?;
            let segment_bytes = (self.bytes_max / SEGMENTS).max(SEGMENT_BYTES_MIN);
            let is_full = inner.segments.back().is_some_and(|last| segment_bytes <= last.bytes);
            if is_full || inner.active.is_none() {
                inner.begin_segment(&self.folder, now)?;
            }
            let is_empty = inner.documents() == 0;
            inner.write(&frames, documents.len() as u64)?;
            if is_empty {
                inner.oldest_at = documents.first().map(|document| document.at);
            }
            Ok(())
        })
    }

    /// Brings everything that was put in onto the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.is_synced {
            return Ok(());
        }
        if let Some(active) = &inner.active {
            active.sync_data()?;
        }
        inner.is_synced = true;
        Ok(())
    }

    /// Reads on from where the last call ended: at least one document where there is one.
    ///
    /// A segment that turns out to be damaged ends at the damage from now on: what is behind it is
    /// lost, told and counted, and holds nothing up.
    pub(super) fn read(&self, documents_max: usize, bytes_max: usize) -> io::Result<Vec<Buffered>> {
        let (read, losses) = self.change(|inner| inner.read(documents_max, bytes_max))?;
        for Loss { segment, documents, bytes } in losses {
            let segment = segment.display();
            tracing::warn!(%segment, documents, bytes, "a part of the log buffer is damaged and lost");
        }
        Ok(read)
    }

    /// Reads again from the first document that was not let go of.
    pub(super) fn rewind(&self) -> io::Result<()> {
        self.change(|inner| {
            inner.reading = Place::start_of(inner.position);
            inner.look_for_position()
        })
    }

    /// Lets go of all documents before `number`, to which it was read.
    pub(super) fn let_go(&self, number: u64) -> io::Result<()> {
        self.change(|inner| {
            if number <= inner.position {
                return Ok(());
            }
            inner.position = number.min(inner.next);
            inner.look_at_position();
            // First, so that a full disk has room for the position again. Without it documents are
            // only sent again, under the same ids.
            inner.let_go_of_segments()?;
            write_position(&self.folder, inner.position)
        })
    }

    /// Returns what the buffer holds; never waits for the disk.
    pub(super) fn stats(&self) -> BufferStats {
        *self.stats.lock().expect("no code panics while it copies numbers")
    }

    /// Does something that changes what the buffer holds.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.inner();
        let changed = change(&mut inner);
        *self.stats.lock().expect("no code panics while it copies numbers") = inner.stats();
        changed
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code panics while it holds the buffer")
    }
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Counts the documents that are not let go of; damage may have left gaps in their numbers.
    fn documents(&self) -> u64 {
        let left =
            |segment: &Segment| segment.end().saturating_sub(segment.first.max(self.position));
        self.segments.iter().map(left).sum()
    }

    fn stats(&self) -> BufferStats {
        let documents = self.documents();
        BufferStats {
            bytes: self.bytes(),
            documents,
            oldest_at: self.oldest_at.filter(|_| 0 < documents),
            dropped: self.dropped,
            damaged_bytes: self.damaged_bytes,
        }
    }

    fn read(
        &mut self,
        documents_max: usize,
        bytes_max: usize,
    ) -> io::Result<(Vec<Buffered>, Vec<Loss>)> {
        let mut place = self.reading;
        let (mut read, mut losses, mut bytes) = (Vec::new(), Vec::new(), 0);
        for (index, segment) in self.segments.iter_mut().enumerate() {
            if segment.end() <= place.number {
                continue;
            }
            if place.number <= segment.first {
                place = Place::start_of(segment.first);
            }
            let room = documents_max.saturating_sub(read.len());
            if !segment.read(&mut place, room, bytes_max, &mut bytes, &mut read)? {
                losses.push((index, segment.cut_off(&place)));
            }
            if read.len() >= documents_max || bytes >= bytes_max {
                break;
            }
        }
        self.reading = place;
        // What is damaged does not grow.
        if losses.last().is_some_and(|(index, _)| index + 1 == self.segments.len()) {
            self.active = None;
        }
        let losses: Vec<Loss> = losses.into_iter().map(|(_, loss)| loss).collect();
        if !losses.is_empty() {
            self.damaged_bytes += losses.iter().map(|loss| loss.bytes).sum::<u64>();
            self.look_at_position();
        }
        Ok((read, losses))
    }

    /// Drops whole segments, the oldest first, until `wanted` more bytes fit.
    fn make_room(&mut self, wanted: u64, bytes_max: u64) -> io::Result<()> {
        while bytes_max < self.bytes() + wanted {
            let Some(oldest) = self.segments.pop_front() else { return Ok(()) };
            if self.segments.is_empty() {
                self.active = None;
            }
            // What was read and not let go of may be on its way, so it is not given up here.
            let lost_from = self.reading.number.max(self.position).max(oldest.first);
            self.dropped += oldest.end().saturating_sub(lost_from);
            self.position = self.position.max(oldest.end());
            if self.reading.number < oldest.end() {
                self.reading = Place::start_of(oldest.end());
            }
            self.look_at_position();
            oldest.remove()?;
        }
        Ok(())
    }

    fn begin_segment(&mut self, folder: &Path, now: Timestamp) -> io::Result<()> {
        self.sync_active()?;
        // One that was begun and never written to has the name of the next one.
        if let Some(vain) = self.segments.pop_back_if(|last| last.documents == 0) {
            vain.remove()?;
        }
        let (segment, file) = Segment::create(folder, self.next, now, self.chance.random())?;
        self.segments.push_back(segment);
        self.active = Some(file);
        Ok(())
    }

    fn sync_active(&mut self) -> io::Result<()> {
        self.active.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn write(&mut self, frames: &[u8], documents: u64) -> io::Result<()> {
        let (Some(active), Some(segment)) = (&mut self.active, self.segments.back_mut()) else {
            return Err(io::Error::other("the buffer has no segment"));
        };
        if let Err(error) = active.write_all(frames) {
            // Half a batch would be sent and then sent again. Where it cannot be cut off, the next
            // opening finds the torn frame, and the next batch goes into another segment.
            let _ = active.set_len(segment.bytes);
            self.active = None;
            return Err(error);
        }
        segment.bytes += frames.len() as u64;
        segment.documents += documents;
        self.next += documents;
        self.is_synced = false;
        Ok(())
    }

    /// Removes segments of which nothing is left; the active one stays.
    fn let_go_of_segments(&mut self) -> io::Result<()> {
        let kept = usize::from(self.active.is_some());
        while kept < self.segments.len() && self.segments[0].end() <= self.position {
            self.segments[0].remove()?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Finds the bytes at which the document at `position` begins, and when it was logged.
    fn look_for_position(&mut self) -> io::Result<()> {
        let position = self.position;
        let holds = |segment: &&Segment| segment.first <= position && position < segment.end();
        if let Some(segment) = self.segments.iter().find(holds) {
            self.reading = segment.place_of(position)?;
        }
        self.look_at_position();
        Ok(())
    }

    /// Finds out when the first document was logged that is not let go of, where it is known how far it
    /// was read; steps over a gap that damage has left in the numbers.
    fn look_at_position(&mut self) {
        let position = self.position;
        let Some(segment) = self.segments.iter().find(|segment| position < segment.end()) else {
            self.oldest_at = None;
            return;
        };
        let place = if position <= segment.first {
            self.position = segment.first;
            Place::start_of(segment.first)
        } else {
            self.reading
        };
        if self.reading.number <= place.number {
            self.reading = place;
        }
        // One that cannot be read is found to be damaged when its turn comes.
        let is_known = place.number == self.position;
        self.oldest_at = if is_known { segment.instant_at(&place).ok() } else { None };
    }
}

/// Opens the segments of a folder, and returns the bytes that could not be read.
fn open_segments(folder: &Path) -> io::Result<(VecDeque<Segment>, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(first) = segment::number_in_name(&path) {
            found.push((first, path));
        }
    }
    found.sort();
    let (mut segments, mut damaged_bytes) = (VecDeque::new(), 0);
    for (first, path) in found {
        let (segment, damaged) = Segment::open(path, first)?;
        damaged_bytes += damaged;
        segments.extend(segment);
    }
    Ok((segments, damaged_bytes))
}

/// Reads the number of the first document that was not let go of; `None` when nobody wrote it.
///
/// One that cannot be read is none: what was sent before is sent again under the same ids.
fn read_position(folder: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(folder.join(POSITION_FILE)) {
        Ok(text) => Ok(text.trim().parse().ok().filter(|position| *position <= POSITION_MAX)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps the position, without waiting for the disk: an older one costs a repetition, which the cluster
/// recognises.
fn write_position(folder: &Path, position: u64) -> io::Result<()> {
    let written = folder.join("position.new");
    fs::write(&written, format!("{position}\n"))?;
    fs::rename(written, folder.join(POSITION_FILE))
}

#[cfg(test)]
mod tests;
