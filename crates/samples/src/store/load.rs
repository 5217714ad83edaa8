//! Opening: the series and the journal are read, the columns are not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Mutex, RwLock};

use rusqlite::{Connection, params};

use super::append::{Writer, insert_row};
use super::{Shared, milliseconds, transaction};
use crate::block::{self, Block};
use crate::database::{self, BUILDING, DEAD, Files, LIVE, Readers};
use crate::error::{OpenError, StorageError};
use crate::head::{Head, Put};
use crate::index::Index;
use crate::journal;
use crate::labels;
use crate::options::SampleOptions;
use crate::sample::SeriesId;

/// The first era; series that nobody has resolved since opening are of era zero.
const FIRST_ERA: u64 = 2;

/// Opens the file and puts together what clones share.
pub(super) fn open(files: Files, options: SampleOptions) -> Result<Shared, OpenError> {
    let mut connection = database::open_writer(&files.database, &options)?;
    let loaded = load(&mut connection, &options);
    let loaded = loaded.map_err(|error| database::open_error(&files.database, error))?;
    let Loaded { index, head, blocks, last_ms, newest_ms } = loaded;
    Ok(Shared {
        window_ms: milliseconds(options.block),
        readers: Readers::new(files.database.clone(), options.readers_max),
        tidy: Mutex::default(),
        folding: Mutex::default(),
        abandoned: Mutex::default(),
        writer: Mutex::new(Writer { connection, last_ms }),
        queue: Mutex::default(),
        head_samples: AtomicU64::new(head.samples()),
        index: RwLock::new(index),
        head: RwLock::new(head),
        blocks: RwLock::new(blocks),
        newest_ms: AtomicI64::new(newest_ms),
        era: AtomicU64::new(FIRST_ERA),
        counters: Mutex::default(),
        closed: AtomicBool::new(false),
        options,
        files,
    })
}

/// What is read from the file.
struct Loaded {
    index: Index,
    head: Head,
    blocks: Vec<Block>,
    last_ms: Vec<i64>,
    newest_ms: i64,
}

fn load(connection: &mut Connection, options: &SampleOptions) -> Result<Loaded, StorageError> {
    database::limit_bytes(connection, options.file_limits().0)?;
    // A block that was being built when the process ended is begun anew.
    let abandon = "UPDATE blocks SET state = ?2 WHERE state = ?1";
    connection.execute(abandon, params![BUILDING, DEAD])?;
    let (index, by_number) = load_series(connection)?;
    let blocks = block::load(connection, LIVE)?;
    let folded_ms = blocks.iter().map(|block| block.max_ms).max().unwrap_or(i64::MIN);
    let mut replay = Replay {
        window_ms: milliseconds(options.block),
        head: Head::default(),
        last_ms: vec![folded_ms; index.slot_end()],
        newest_ms: folded_ms,
        by_number,
    };
    replay.journal(connection)?;
    let Replay { head, last_ms, newest_ms, .. } = replay;
    Ok(Loaded { index, head, blocks, last_ms, newest_ms })
}

fn load_series(connection: &Connection) -> Result<(Index, HashMap<u32, SeriesId>), StorageError> {
    let mut index = Index::default();
    let mut by_number = HashMap::new();
    let mut statement = connection.prepare("SELECT number, labels FROM series ORDER BY number")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let number = row.get(0)?;
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let labels = labels::decode(bytes).map_err(|_| StorageError::Labels { number })?;
        by_number.insert(number, index.restore(&labels, number));
    }
    Ok((index, by_number))
}

/// Samples of one window.
type Windowed = (i64, Vec<journal::Entry>);

/// Puts the journal back into the head.
struct Replay {
    window_ms: i64,
    head: Head,
    last_ms: Vec<i64>,
    newest_ms: i64,
    by_number: HashMap<u32, SeriesId>,
}

impl Replay {
    fn journal(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        let mut spanning = Vec::new();
        {
            let mut statement =
                connection.prepare("SELECT id, samples FROM journal ORDER BY id")?;
            let mut rows = statement.query([])?;
            while let Some(found) = rows.next()? {
                let row: i64 = found.get(0)?;
                let bytes = found.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                let damaged = |source| StorageError::Journal { row, source };
                let windows = self.windows(journal::decode(bytes).map_err(damaged)?);
                match &*windows {
                    [] => {}
                    [window] => self.put_all(row, window)?,
                    _ => spanning.push((row, windows)),
                }
            }
        }
        spanning.into_iter().try_for_each(|(row, windows)| self.split(connection, row, &windows))
    }

    /// Sorts samples by the window they are in.
    fn windows(&self, entries: Vec<journal::Entry>) -> Vec<Windowed> {
        let mut windows: Vec<Windowed> = Vec::new();
        for entry in entries {
            let window = entry.timestamp_ms.div_euclid(self.window_ms);
            let start_ms = window.saturating_mul(self.window_ms);
            match windows.iter_mut().find(|window| window.0 == start_ms) {
                Some((_, entries)) => entries.push(entry),
                None => windows.push((start_ms, vec![entry])),
            }
        }
        windows
    }

    /// A row holds samples of one window, so that it can go when that is folded. One that was
    /// written under another length of the window is written anew.
    fn split(
        &mut self,
        connection: &mut Connection,
        row: i64,
        windows: &[Windowed],
    ) -> Result<(), StorageError> {
        let rows: Result<Vec<i64>, StorageError> = transaction(connection, |connection| {
            let rows = windows.iter().map(|(_, entries)| insert_row(connection, entries)).collect();
            connection.execute("DELETE FROM journal WHERE id = ?1", [row])?;
            rows
        });
        rows?.into_iter().zip(windows).try_for_each(|(row, window)| self.put_all(row, window))
    }

    fn put_all(&mut self, row: i64, window: &Windowed) -> Result<(), StorageError> {
        let (start_ms, entries) = window;
        let generation = self.head.open_generation(*start_ms);
        let sequence = generation.next_sequence();
        let mut columns = generation.write();
        let mut stored = 0;
        for &journal::Entry { number, timestamp_ms, value } in entries {
            let series = self.by_number.get(&number);
            let slot = series.ok_or(StorageError::UnknownSeries { row, number })?.slot;
            let offset_ms = (timestamp_ms - start_ms) as i32;
            if columns.put(slot, offset_ms, sequence, value) == Put::Stored {
                stored += 1;
                columns.widen(timestamp_ms);
            }
            let last_ms = &mut self.last_ms[slot as usize];
            *last_ms = timestamp_ms.max(*last_ms);
            self.newest_ms = self.newest_ms.max(timestamp_ms);
        }
        drop(columns);
        generation.publish(stored, row);
        Ok(())
    }
}
