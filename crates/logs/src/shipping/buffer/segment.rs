//! One file of the buffer.
//!
//! ```text
//! header   magic (8 bytes), instant of its making in ms (u64), chance (u64)
//! frame    length of the body (u32), CRC-32 of instant and body (u32), instant in ms (i64), body
//! ```
//!
//! All numbers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pampero_telemetry::logging::documents::LogDocument;

use super::{Buffered, Loss};

const MAGIC: [u8; 8] = *b"pampbuf1";
const HEADER_BYTES: u64 = 24;
const FRAME_BYTES: usize = 16;
/// Longest body that a frame may have, in bytes; a longer one is damage.
const BODY_BYTES_MAX: u32 = 16 << 20;
const ENDING: &str = "segment";

/// A segment, as it is on disk.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// Number of its first document.
    pub(super) first: u64,
    pub(super) documents: u64,
    pub(super) bytes: u64,
    made_ms: u64,
    chance: u64,
}

/// Where a document begins: its number, and the bytes before it in its segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) number: u64,
    offset: u64,
}

impl Place {
    /// Returns the place of the first document of a segment.
    pub(super) const fn start_of(number: u64) -> Self {
        Self { number, offset: HEADER_BYTES }
    }
}

struct Frame {
    at: Timestamp,
    body: Vec<u8>,
}

impl Frame {
    fn bytes(&self) -> u64 {
        (FRAME_BYTES + self.body.len()) as u64
    }
}

/// Writes the frame of a document.
pub(super) fn frame(document: &LogDocument, out: &mut Vec<u8>) {
    let at_ms = document.at.as_millisecond().to_le_bytes();
    out.extend_from_slice(&(document.body.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(&at_ms, &document.body).to_le_bytes());
    out.extend_from_slice(&at_ms);
    out.extend_from_slice(&document.body);
}

fn checksum(at_ms: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(at_ms);
    hasher.update(body);
    hasher.finalize()
}

/// Reads the number of the first document in the name of a segment; `None` for other files.
pub(super) fn number_in_name(path: &Path) -> Option<u64> {
    let is_segment = path.extension().is_some_and(|ending| ending == ENDING);
    if is_segment { path.file_stem()?.to_str()?.parse().ok() } else { None }
}

impl Segment {
    /// Makes an empty segment.
    pub(super) fn create(
        folder: &Path,
        first: u64,
        now: Timestamp,
        chance: u64,
    ) -> io::Result<(Self, File)> {
        let path = folder.join(format!("{first:020}.{ENDING}"));
        let made_ms = now.as_millisecond().unsigned_abs();
        // One of the same name holds nothing that can be read, or its number would be taken.
        let mut file = File::create(&path)?;
        let mut header = Vec::from(MAGIC);
        header.extend_from_slice(&made_ms.to_le_bytes());
        header.extend_from_slice(&chance.to_le_bytes());
        file.write_all(&header)?;
        File::open(folder)?.sync_all()?;
        Ok((Self { path, first, documents: 0, bytes: HEADER_BYTES, made_ms, chance }, file))
    }

    /// Opens a segment, checks it, and cuts off what cannot be read; returns the bytes cut off.
    ///
    /// A segment without anything to read is removed.
    pub(super) fn open(path: PathBuf, first: u64) -> io::Result<(Option<Self>, u64)> {
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(&file);
        let mut header = [0; HEADER_BYTES as usize];
        let is_header = reader.read_exact(&mut header).is_ok() && header[..8] == MAGIC;
        let mut segment = Self {
            path,
            first,
            documents: 0,
            bytes: HEADER_BYTES,
            made_ms: number(&header[8..16]),
            chance: number(&header[16..]),
        };
        while is_header && let Some(frame) = read_frame(&mut reader)? {
            segment.documents += 1;
            segment.bytes += frame.bytes();
        }
        if segment.documents == 0 {
            segment.remove()?;
            return Ok((None, length.saturating_sub(HEADER_BYTES)));
        }
        if segment.bytes < length {
            file.set_len(segment.bytes)?;
            file.sync_all()?;
        }
        let damaged = length - segment.bytes;
        Ok((Some(segment), damaged))
    }

    /// Returns the number after that of its last document.
    pub(super) fn end(&self) -> u64 {
        self.first + self.documents
    }

    /// Returns the id of a document: the same each time, and never that of another one.
    fn id(&self, number: u64) -> String {
        format!("{:011x}{:016x}-{:x}", self.made_ms, self.chance, number - self.first)
    }

    /// Reads documents from `place` on and moves it on: at least one, unless `documents_max` is zero.
    ///
    /// Returns whether all that was read is whole; if not, the damage is at `place`.
    pub(super) fn read(
        &self,
        place: &mut Place,
        documents_max: usize,
        bytes_max: usize,
        bytes: &mut usize,
        read: &mut Vec<Buffered>,
    ) -> io::Result<bool> {
        let mut reader = match self.reader(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            reader => reader?,
        };
        let mut room = documents_max;
        while place.number < self.end() && 0 < room && *bytes < bytes_max {
            let Some(frame) = read_frame(&mut reader)? else { return Ok(false) };
            *bytes += frame.body.len();
            room -= 1;
            let (number, id) = (place.number, self.id(place.number));
            *place = Place { number: number + 1, offset: place.offset + frame.bytes() };
            read.push(Buffered { number, id, at: frame.at, body: frame.body.into() });
        }
        Ok(true)
    }

    /// Ends the segment at `place`, behind which it is damaged; returns what is lost.
    pub(super) fn cut_off(&mut self, place: &Place) -> Loss {
        let loss = Loss {
            segment: self.path.clone(),
            documents: self.end() - place.number,
            bytes: self.bytes - place.offset,
        };
        // Where it cannot be cut off on disk, the next opening does it.
        if let Ok(file) = OpenOptions::new().write(true).open(&self.path) {
            let _ = file.set_len(place.offset);
        }
        self.documents = place.number - self.first;
        self.bytes = place.offset;
        loss
    }

    /// Removes the file, which may be gone already.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Finds where a document begins that is in the segment.
    pub(super) fn place_of(&self, number: u64) -> io::Result<Place> {
        let mut place = Place::start_of(self.first);
        let mut reader = self.reader(&place)?;
        while place.number < number
            && let Some(frame) = read_frame(&mut reader)?
        {
            place = Place { number: place.number + 1, offset: place.offset + frame.bytes() };
        }
        Ok(place)
    }

    /// Returns when the document at `place` was logged.
    pub(super) fn instant_at(&self, place: &Place) -> io::Result<Timestamp> {
        let mut head = [0; FRAME_BYTES];
        self.reader(place)?.read_exact(&mut head)?;
        Ok(instant(&head[8..]))
    }

    fn reader(&self, place: &Place) -> io::Result<BufReader<File>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(place.offset))?;
        Ok(BufReader::new(file))
    }
}

/// Reads a frame; `None` at the end, and where it is torn or damaged.
fn read_frame(reader: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; FRAME_BYTES];
    if !read_whole(reader, &mut head)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    if BODY_BYTES_MAX < length {
        return Ok(None);
    }
    let mut body = vec![0; length as usize];
    if !read_whole(reader, &mut body)? {
        return Ok(None);
    }
    let expected = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let is_whole = checksum(&head[8..], &body) == expected;
    Ok(is_whole.then(|| Frame { at: instant(&head[8..]), body }))
}

fn read_whole(reader: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes are eight bytes"))
}

fn instant(bytes: &[u8]) -> Timestamp {
    let ms = number(bytes).cast_signed();
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
