//! One operation as it stands in the write-ahead log.
//!
//! A frame is the length of the body and its CRC-32, four bytes each, and the body: sequence number
//! and version in eight bytes, what is done in one, the lengths of id and routing in two each, then
//! id, routing and source. Numbers are little-endian.

use std::sync::Arc;

use bytes::Bytes;

/// Bytes before the body.
pub(crate) const FRAME_HEAD: usize = 8;
/// Bytes of the body before the id.
const BODY_HEAD: usize = 21;
/// Stands for a routing that is not there.
const NO_ROUTING: u16 = u16::MAX;
/// No body is longer; it bounds what a damaged length can ask for.
pub(crate) const BODY_MAX: usize = 1 << 30;

/// What an operation does to the index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecordKind {
    /// Adds a document whose id no other one has.
    Add,
    /// Puts a document in the place of one with the same id.
    Replace,
    /// Deletes a document, or notes that there was none.
    Delete,
}

/// One operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    pub(crate) seq_no: u64,
    pub(crate) version: u64,
    pub(crate) id: Arc<str>,
    pub(crate) routing: Option<Arc<str>>,
    /// Empty for a deletion.
    pub(crate) source: Bytes,
}

impl Record {
    /// Appends the frame, and returns its length.
    pub(crate) fn encode(&self, into: &mut Vec<u8>) -> usize {
        let start = into.len();
        into.extend_from_slice(&[0; FRAME_HEAD]);
        into.extend_from_slice(&self.seq_no.to_le_bytes());
        into.extend_from_slice(&self.version.to_le_bytes());
        into.push(match self.kind {
            RecordKind::Add => 0,
            RecordKind::Replace => 1,
            RecordKind::Delete => 2,
        });
        into.extend_from_slice(&short_length(self.id.len()).to_le_bytes());
        let routing = self.routing.as_deref();
        let routing_length = routing.map_or(NO_ROUTING, |routing| short_length(routing.len()));
        into.extend_from_slice(&routing_length.to_le_bytes());
        into.extend_from_slice(self.id.as_bytes());
        into.extend_from_slice(routing.unwrap_or_default().as_bytes());
        into.extend_from_slice(&self.source);
        let body = &into[start + FRAME_HEAD..];
        let length = u32::try_from(body.len()).expect("a body is shorter than a gibibyte");
        let checksum = crc32fast::hash(body);
        into[start..start + 4].copy_from_slice(&length.to_le_bytes());
        into[start + 4..start + 8].copy_from_slice(&checksum.to_le_bytes());
        into.len() - start
    }

    /// Reads a body whose checksum was right; `None` when it is none after all.
    pub(crate) fn decode(body: Bytes) -> Option<Self> {
        let head = body.get(..BODY_HEAD)?;
        let kind = match head[16] {
            0 => RecordKind::Add,
            1 => RecordKind::Replace,
            2 => RecordKind::Delete,
            _ => return None,
        };
        let id_length = usize::from(u16::from_le_bytes([head[17], head[18]]));
        let routing_length = u16::from_le_bytes([head[19], head[20]]);
        let id_end = BODY_HEAD + id_length;
        let routing_end = match routing_length {
            NO_ROUTING => id_end,
            length => id_end + usize::from(length),
        };
        let text = |range| std::str::from_utf8(body.get::<std::ops::Range<usize>>(range)?).ok();
        let routing = text(id_end..routing_end)?;
        Some(Self {
            kind,
            seq_no: u64::from_le_bytes(head[..8].try_into().ok()?),
            version: u64::from_le_bytes(head[8..16].try_into().ok()?),
            id: text(BODY_HEAD..id_end)?.into(),
            routing: (routing_length != NO_ROUTING).then(|| routing.into()),
            source: body.slice(routing_end..),
        })
    }
}

/// Returns the length and the checksum that a frame begins with.
pub(crate) fn frame_head(head: [u8; FRAME_HEAD]) -> (usize, u32) {
    let [a, b, c, d, checksum @ ..] = head;
    (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes(checksum))
}

/// Returns the record of a whole frame at the start of `bytes` and the frame's length.
pub(crate) fn frame_at(bytes: &Bytes) -> Option<(Record, usize)> {
    let head: [u8; FRAME_HEAD] = bytes.get(..FRAME_HEAD)?.try_into().ok()?;
    let (length, checksum) = frame_head(head);
    let end = FRAME_HEAD.checked_add(length).filter(|_| (BODY_HEAD..BODY_MAX).contains(&length))?;
    let body = bytes.get(FRAME_HEAD..end)?;
    if crc32fast::hash(body) != checksum {
        return None;
    }
    Some((Record::decode(bytes.slice(FRAME_HEAD..end))?, end))
}

/// Tells cheaply what cannot be a frame with a sequence number of at least `next_seq_no`, before its
/// checksum is worked out.
pub(crate) fn looks_like_frame(bytes: &[u8], next_seq_no: u64) -> bool {
    let Some(head) = bytes.first_chunk::<{ FRAME_HEAD + BODY_HEAD }>() else { return false };
    let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let (id_length, routing_length) = (short(25), short(27));
    let routing_length = if routing_length == NO_ROUTING { 0 } else { routing_length };
    length <= bytes.len() - FRAME_HEAD
        && (next_seq_no..next_seq_no + (1 << 32)).contains(&number(8))
        && (1..1 << 40).contains(&number(16))
        && head[24] <= 2
        && BODY_HEAD + usize::from(id_length) + usize::from(routing_length) <= length
}

fn short_length(length: usize) -> u16 {
    u16::try_from(length).expect("ids and routings are bounded before they are logged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: RecordKind, id: &str, routing: Option<&str>, source: &'static str) -> Record {
        let routing = routing.map(Arc::from);
        Record { kind, seq_no: 7, version: 3, id: id.into(), routing, source: source.into() }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        check(record(RecordKind::Add, "a", None, "{}"));
        check(record(RecordKind::Replace, "ñandú", Some("r"), r#"{"a":1}"#));
        check(record(RecordKind::Replace, "x", Some(""), "{}"));
        check(record(RecordKind::Delete, "", None, ""));
    }

    #[track_caller]
    fn check(record: Record) {
        let mut bytes = Vec::new();
        let length = record.encode(&mut bytes);
        bytes.extend_from_slice(b"what follows");
        assert_eq!(frame_at(&bytes.into()), Some((record, length)));
    }

    #[test]
    fn a_frame_with_any_bit_flipped_or_any_tail_cut_is_none() {
        let mut bytes = Vec::new();
        record(RecordKind::Add, "id", Some("routing"), r#"{"level":"ERROR"}"#).encode(&mut bytes);
        for at in 0..bytes.len() {
            assert_eq!(frame_at(&Bytes::copy_from_slice(&bytes[..at])), None, "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            assert_eq!(frame_at(&flipped.into()), None, "flipped at {at}");
        }
    }
}
