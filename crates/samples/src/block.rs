//! Blocks: columns of many series over a stretch of time, how they are built and read.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::column;
use crate::database::{BUILDING, LIVE};
use crate::error::StorageError;
use crate::parts::Parts;
use crate::varint;

/// Times that one reader keeps, so that the series of a block that share them decode them once.
const TIMES_KEPT_MAX: usize = 1 << 20;

/// What is known of a block without reading it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) id: i64,
    /// Time of its earliest sample.
    pub(crate) min_ms: i64,
    /// Time of its latest sample.
    pub(crate) max_ms: i64,
    pub(crate) samples: u64,
    pub(crate) bytes: u64,
}

impl Block {
    /// Returns whether it may have samples in a range, both ends included.
    pub(crate) fn overlaps(&self, range_ms: (i64, i64)) -> bool {
        self.min_ms <= range_ms.1 && self.max_ms >= range_ms.0
    }
}

/// Returns the first key of a block in the tables of times and columns.
pub(crate) fn first_key(block: i64) -> i64 {
    block << 32
}

/// Returns the key of a number in a block.
fn key(block: i64, number: u32) -> i64 {
    first_key(block) | i64::from(number)
}

/// Reads the blocks in one state, the earliest first.
pub(crate) fn load(connection: &Connection, state: i64) -> Result<Vec<Block>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, min_ms, max_ms, samples, bytes FROM blocks WHERE state = ?1 ORDER BY min_ms, id",
    )?;
    let block = |row: &Row<'_>| {
        Ok(Block {
            id: row.get(0)?,
            min_ms: row.get(1)?,
            max_ms: row.get(2)?,
            samples: row.get::<_, i64>(3)? as u64,
            bytes: row.get::<_, i64>(4)? as u64,
        })
    };
    statement.query_map([state], block)?.collect()
}

/// Reads the numbers of the series that have a column in a block, ascending.
pub(crate) fn members(connection: &Connection, block: i64) -> Result<Vec<u32>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT members FROM blocks WHERE id = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([block], |row| row.get(0)).optional()?;
    let damaged = |source| StorageError::Column { block, number: 0, source };
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let mut bytes = column::unseal(&bytes).map_err(damaged)?;
    let mut numbers = Vec::new();
    let mut number = 0_u64;
    while !bytes.is_empty() {
        let step = varint::take(&mut bytes).map_err(|error| damaged(error.into()))?;
        number = number.saturating_add(step);
        let fits = u32::try_from(number).map_err(|_| damaged(varint::Truncated.into()))?;
        numbers.push(fits);
    }
    Ok(numbers)
}

fn encode_members(numbers: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut previous = 0;
    for &number in numbers {
        varint::put(&mut bytes, u64::from(number - previous));
        previous = number;
    }
    column::seal(bytes)
}

/// Reads columns, and keeps the times that it has decoded.
#[derive(Default)]
pub(crate) struct ColumnReader {
    times: HashMap<i64, Arc<[i64]>>,
    kept: usize,
}

impl ColumnReader {
    /// Adds the samples of a series in a block to the parts, as far as they are in the range.
    pub(crate) fn read_into(
        &mut self,
        connection: &Connection,
        block: &Block,
        number: u32,
        range_ms: (i64, i64),
        parts: &mut Parts,
    ) -> Result<(), StorageError> {
        let mut statement = connection.prepare_cached("SELECT data FROM columns WHERE key = ?1")?;
        let mut rows = statement.query([key(block.id, number)])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        let mut data = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let damaged = |source| StorageError::Column { block: block.id, number, source };
        let times_number = varint::take(&mut data).map_err(|error| damaged(error.into()))?;
        let times_number = u32::try_from(times_number)
            .map_err(|_| StorageError::NoTimes { block: block.id, number })?;
        let times_ms = self.times(connection, block.id, times_number)?;
        let values = column::decode_values(data, times_ms.len()).map_err(damaged)?;
        parts.extend(&times_ms, &values, range_ms);
        Ok(())
    }

    fn times(
        &mut self,
        connection: &Connection,
        block: i64,
        number: u32,
    ) -> Result<Arc<[i64]>, StorageError> {
        if let Some(times_ms) = self.times.get(&key(block, number)) {
            return Ok(Arc::clone(times_ms));
        }
        let mut statement = connection.prepare_cached("SELECT data FROM times WHERE key = ?1")?;
        let mut rows = statement.query([key(block, number)])?;
        let Some(row) = rows.next()? else {
            return Err(StorageError::NoTimes { block, number });
        };
        let data = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let times_ms: Arc<[i64]> = column::decode_times(data)
            .map_err(|source| StorageError::Column { block, number, source })?
            .into();
        if self.kept + times_ms.len() > TIMES_KEPT_MAX {
            self.times.clear();
            self.kept = 0;
        }
        self.kept += times_ms.len();
        self.times.insert(key(block, number), Arc::clone(&times_ms));
        Ok(times_ms)
    }
}

/// A block that is being built, series after series, and written piece by piece.
///
/// Nobody reads it until it is live. One that is left unfinished is swept away.
pub(crate) struct BlockBuilder {
    id: i64,
    members: Vec<u32>,
    range_ms: Option<(i64, i64)>,
    samples: u64,
    bytes: u64,
    /// The times of the series before, which are mostly those of the next one too.
    last_times: (u32, Vec<i64>),
    /// The numbers of times by two independent hashes of them: equal ones are equal times.
    times: HashMap<(u64, u64), u32>,
    hashers: (RandomState, RandomState),
    pieces: Vec<Piece>,
    pieces_bytes: usize,
}

/// A row that waits to be written.
struct Piece {
    statement: &'static str,
    key: i64,
    data: Vec<u8>,
}

const INSERT_TIMES: &str = "INSERT INTO times (key, data) VALUES (?1, ?2)";
const INSERT_COLUMN: &str = "INSERT INTO columns (key, data) VALUES (?1, ?2)";

impl BlockBuilder {
    /// Begins a block.
    pub(crate) fn begin(connection: &Connection) -> Result<Self, rusqlite::Error> {
        connection.execute(
            "INSERT INTO blocks (state, min_ms, max_ms, samples, bytes, members)
             VALUES (?1, 0, 0, 0, 0, x'')",
            [BUILDING],
        )?;
        Ok(Self {
            id: connection.last_insert_rowid(),
            members: Vec::new(),
            range_ms: None,
            samples: 0,
            bytes: 0,
            last_times: (0, Vec::new()),
            times: HashMap::new(),
            hashers: Default::default(),
            pieces: Vec::new(),
            pieces_bytes: 0,
        })
    }

    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// Adds a series; the numbers ascend, so that the file is written from front to back.
    pub(crate) fn add(
        &mut self,
        number: u32,
        times_ms: &[i64],
        values: &[f64],
    ) -> Result<(), StorageError> {
        let (Some(&first), Some(&last)) = (times_ms.first(), times_ms.last()) else {
            return Ok(());
        };
        let times_number = self.times_number(times_ms)?;
        let mut data = Vec::new();
        varint::put(&mut data, u64::from(times_number));
        data.extend(column::encode_values(values).map_err(StorageError::Pack)?);
        self.push(INSERT_COLUMN, number, data);
        self.members.push(number);
        self.samples += values.len() as u64;
        let (min_ms, max_ms) = self.range_ms.unwrap_or((first, last));
        self.range_ms = Some((min_ms.min(first), max_ms.max(last)));
        Ok(())
    }

    fn times_number(&mut self, times_ms: &[i64]) -> Result<u32, StorageError> {
        if self.last_times.1 == times_ms {
            return Ok(self.last_times.0);
        }
        let hash = (self.hashers.0.hash_one(times_ms), self.hashers.1.hash_one(times_ms));
        let next = self.times.len() as u32;
        let number = *self.times.entry(hash).or_insert(next);
        if number == next {
            let data = column::encode_times(times_ms).map_err(StorageError::Pack)?;
            self.push(INSERT_TIMES, number, data);
        }
        self.last_times = (number, times_ms.to_vec());
        Ok(number)
    }

    fn push(&mut self, statement: &'static str, number: u32, data: Vec<u8>) {
        self.bytes += data.len() as u64 + ROW_BYTES;
        self.pieces_bytes += data.len() + ROW_BYTES as usize;
        self.pieces.push(Piece { statement, key: key(self.id, number), data });
    }

    /// Returns the bytes that wait to be written.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.pieces_bytes
    }

    /// Writes what waits; it goes on waiting until [`BlockBuilder::written`] is called.
    pub(crate) fn write(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        for piece in &self.pieces {
            let mut statement = connection.prepare_cached(piece.statement)?;
            statement.execute(params![piece.key, piece.data])?;
        }
        Ok(())
    }

    /// Notes that what waited has been committed.
    pub(crate) fn written(&mut self) {
        self.pieces.clear();
        self.pieces_bytes = 0;
    }

    /// Makes the block live, and returns what is known of it; `None` when it is empty.
    pub(crate) fn finish(&self, connection: &Connection) -> Result<Option<Block>, rusqlite::Error> {
        self.write(connection)?;
        let Some((min_ms, max_ms)) = self.range_ms else {
            connection.execute("DELETE FROM blocks WHERE id = ?1", [self.id])?;
            return Ok(None);
        };
        let members = encode_members(&self.members);
        let bytes = self.bytes + members.len() as u64;
        let block = Block { id: self.id, min_ms, max_ms, samples: self.samples, bytes };
        connection.execute(
            "UPDATE blocks SET state = ?2, min_ms = ?3, max_ms = ?4, samples = ?5, bytes = ?6,
             members = ?7 WHERE id = ?1",
            params![block.id, LIVE, min_ms, max_ms, self.samples as i64, bytes as i64, members],
        )?;
        Ok(Some(block))
    }
}

/// About what SQLite adds to each row.
const ROW_BYTES: u64 = 12;
