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

/// A bounded buffer: documents go in at one end and are read, and let go of, at the other.
#[derive(Debug)]
pub(super) struct Buffer {
    folder: PathBuf,
    bytes_max: u64,
    inner: Mutex<Inner>,
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
    /// Bytes that could not be read when it was opened.
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
        let next = segments.back().map_or(0, Segment::end);
        let kept = read_position(folder)?;
        // Without any segment the numbers go on from where they were.
        let next = if segments.is_empty() { kept.unwrap_or(0) } else { next };
        let position = kept.unwrap_or(first).clamp(first.min(next), next);
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
        Ok(Self { folder: folder.to_owned(), bytes_max, inner: Mutex::new(inner) })
    }

    /// Puts documents in, and drops the oldest when there is no room.
    ///
    /// They are on disk after [`sync`](Self::sync). After an error none of them is in.
    pub(super) fn append(&self, documents: &[LogDocument], now: Timestamp) -> io::Result<()> {
        let mut inner = self.inner();
        let mut frames = Vec::new();
        documents.iter().for_each(|document| segment::frame(document, &mut frames));
        if frames.is_empty() {
            return Ok(());
        }
        inner.make_room(frames.len() as u64, self.bytes_max)?;
        let segment_bytes = (self.bytes_max / SEGMENTS).max(SEGMENT_BYTES_MIN);
        let is_full = inner.segments.back().is_some_and(|last| segment_bytes <= last.bytes);
        if is_full || inner.active.is_none() {
            inner.begin_segment(&self.folder, now)?;
        }
        inner.write(&frames, documents.len() as u64)?;
        if inner.oldest_at.is_none() {
            inner.oldest_at = documents.first().map(|document| document.at);
        }
        Ok(())
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
    pub(super) fn read(&self, documents_max: usize, bytes_max: usize) -> io::Result<Vec<Buffered>> {
        let mut inner = self.inner();
        let mut place = inner.reading;
        let mut read = Vec::new();
        let mut bytes = 0;
        for segment in &inner.segments {
            if segment.end() <= place.number {
                continue;
            }
            if place.number <= segment.first {
                place = Place::start_of(segment.first);
            }
            let room = documents_max.saturating_sub(read.len());
            segment.read(&mut place, room, bytes_max, &mut bytes, &mut read)?;
            if read.len() >= documents_max || bytes >= bytes_max {
                break;
            }
        }
        inner.reading = place;
        Ok(read)
    }

    /// Reads again from the first document that was not let go of.
    pub(super) fn rewind(&self) -> io::Result<()> {
        let mut inner = self.inner();
        inner.reading = Place::start_of(inner.position);
        inner.look_for_position()
    }

    /// Lets go of all documents before `number`, to which it was read.
    pub(super) fn let_go(&self, number: u64) -> io::Result<()> {
        let mut inner = self.inner();
        if number <= inner.position {
            return Ok(());
        }
        inner.position = number.min(inner.next);
        inner.oldest_at = None;
        write_position(&self.folder, inner.position)?;
        inner.let_go_of_segments()?;
        if inner.reading.number == inner.position {
            inner.look_at_position()?;
        }
        Ok(())
    }

    /// Returns what the buffer holds.
    pub(super) fn stats(&self) -> BufferStats {
        let inner = self.inner();
        BufferStats {
            bytes: inner.bytes(),
            documents: inner.next - inner.position,
            oldest_at: inner.oldest_at,
            dropped: inner.dropped,
            damaged_bytes: inner.damaged_bytes,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no code panics while it holds the buffer")
    }
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
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
            if self.position < oldest.end() {
                self.position = oldest.end();
                self.oldest_at = None;
            }
            if self.reading.number < oldest.end() {
                self.reading = Place::start_of(oldest.end());
            }
            fs::remove_file(&oldest.path)?;
            if self.oldest_at.is_none() && self.reading.number == self.position {
                self.look_at_position()?;
            }
        }
        Ok(())
    }

    fn begin_segment(&mut self, folder: &Path, now: Timestamp) -> io::Result<()> {
        self.sync_active()?;
        // One that was begun and never written to has the name of the next one.
        self.segments.pop_back_if(|last| last.documents == 0);
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
            fs::remove_file(&self.segments[0].path)?;
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
        self.look_at_position()
    }

    /// Finds out when the document at `position` was logged, to which it was read.
    fn look_at_position(&mut self) -> io::Result<()> {
        let position = self.position;
        let Some(segment) = self.segments.iter().find(|segment| position < segment.end()) else {
            self.oldest_at = None;
            return Ok(());
        };
        if position <= segment.first {
            // Damage may have left a gap in the numbers.
            self.position = segment.first;
            self.reading = Place::start_of(segment.first);
        }
        self.oldest_at = Some(segment.instant_at(&self.reading)?);
        Ok(())
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
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_position(folder: &Path, position: u64) -> io::Result<()> {
    let written = folder.join("position.new");
    fs::write(&written, format!("{position}\n"))?;
    fs::rename(written, folder.join(POSITION_FILE))
}

#[cfg(test)]
mod tests;
