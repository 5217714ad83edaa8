//! The SQLite file: its tables, how it is opened, and who may read it.
//!
//! There is one connection that writes, and a bounded number that read. The file is in WAL mode,
//! so that nobody who reads holds up who writes.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};

use rusqlite::{Connection, OpenFlags};

use crate::error::{OpenError, StorageError};
use crate::locks;
use crate::options::{SampleOptions, Synchronous};

/// Says that a file is one of samples: `pams` in ASCII.
const APPLICATION_ID: i64 = 0x7061_6d73;
/// The version of the tables and of the columns in them.
const VERSION: i64 = 1;
const PAGE_BYTES: u64 = 4096;
/// Source: SQLite, Database File Format, 1.3.1.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// A block that is not live is being built, or waits to be swept away.
pub(crate) const BUILDING: i64 = 0;
pub(crate) const LIVE: i64 = 1;
pub(crate) const DEAD: i64 = 2;

/// The keys of times and columns hold the block in their upper half, and in the lower one a number:
/// so a block is a range of keys, and a column is found by one look into one tree.
const SCHEMA: &str = "
    CREATE TABLE series (number INTEGER PRIMARY KEY, labels BLOB NOT NULL);
    CREATE TABLE journal (id INTEGER PRIMARY KEY, samples BLOB NOT NULL);
    CREATE TABLE blocks (
        id INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        min_ms INTEGER NOT NULL,
        max_ms INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        members BLOB NOT NULL
    );
    CREATE TABLE times (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
    CREATE TABLE columns (key INTEGER PRIMARY KEY, data BLOB NOT NULL);
";

/// Where the files are, and the lock on them.
pub(crate) struct Files {
    pub(crate) database: PathBuf,
    /// Held for as long as the store is open; the system lets go of it when the process ends.
    lock: File,
}

impl Files {
    /// Makes the folder if it is not there, and takes it for this process.
    pub(crate) fn lock(folder: &Path) -> Result<Self, OpenError> {
        let failed = |source: std::io::Error| OpenError::Failed {
            folder: folder.to_owned(),
            source: source.into(),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = folder.join("samples.lock");
        let lock = File::options().create(true).append(true).open(file).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { database: folder.join("samples.db"), lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Returns the bytes of all files of the store.
    pub(crate) fn bytes(&self) -> u64 {
        let size = |suffix: &str| {
            let mut name = self.database.as_os_str().to_owned();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |file| file.len())
        };
        ["", "-wal", "-shm"].into_iter().map(size).sum()
    }
}

impl Drop for Files {
    /// Unlocks the folder by word: closing the file is not enough while a child process that was
    /// just forked still holds a copy of it.
    fn drop(&mut self) {
        // A failure leaves the lock to the end of the process.
        let _ = self.lock.unlock();
    }
}

/// Opens the connection that writes, and makes the tables in a new file.
pub(crate) fn open_writer(file: &Path, options: &SampleOptions) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| open_error(file, error.into());
    check_beginning(file)?;
    let connection = Connection::open(file).map_err(failed)?;
    let synchronous = match options.synchronous {
        Synchronous::Full => "FULL",
        Synchronous::Normal => "NORMAL",
    };
    // The first two only count in a new file.
    let settings = format!(
        "PRAGMA page_size = {PAGE_BYTES};
         PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = {synchronous};
         PRAGMA cache_size = -2048;
         PRAGMA journal_size_limit = 4194304;"
    );
    connection.execute_batch(&settings).map_err(failed)?;
    let read = |name: &str| -> Result<i64, OpenError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failed)
    };
    match (read("application_id")?, read("user_version")?) {
        (0, 0) => create_tables(&connection).map_err(failed)?,
        (APPLICATION_ID, found) if found > VERSION => {
            return Err(OpenError::Newer { file: file.to_owned(), found, known: VERSION });
        }
        (APPLICATION_ID, _) => {}
        (other, _) => {
            let cause = format!("its application id is {other:#x}, not {APPLICATION_ID:#x}");
            return Err(OpenError::Damaged { file: file.to_owned(), source: cause.into() });
        }
    }
    Ok(connection)
}

/// Refuses a file that SQLite would take for an empty one and write over.
fn check_beginning(file: &Path) -> Result<(), OpenError> {
    let mut beginning = Vec::new();
    match File::open(file) {
        Ok(opened) => {
            let read = opened.take(MAGIC.len() as u64).read_to_end(&mut beginning);
            read.map_err(|error| open_error(file, StorageError::Io(error)))?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(open_error(file, StorageError::Io(error))),
    }
    if beginning.is_empty() || beginning == MAGIC {
        return Ok(());
    }
    let cause = "it does not begin as a file of SQLite does".into();
    Err(OpenError::Damaged { file: file.to_owned(), source: cause })
}

/// Makes the tables as a whole or not at all; fails when there are others.
fn create_tables(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {SCHEMA}
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    ))
}

/// Says why the store cannot be opened.
pub(crate) fn open_error(file: &Path, source: StorageError) -> OpenError {
    if source.is_damage() {
        return OpenError::Damaged { file: file.to_owned(), source: source.into() };
    }
    let folder = file.parent().unwrap_or(file).to_owned();
    OpenError::Failed { folder, source: source.into() }
}

/// Sets how large the file may become.
pub(crate) fn limit_bytes(connection: &Connection, bytes_max: u64) -> Result<(), rusqlite::Error> {
    let pages = (bytes_max / PAGE_BYTES).clamp(1, u64::from(u32::MAX - 1));
    connection.pragma_update_and_check(None, "max_page_count", pages as i64, |_| Ok(()))
}

/// Returns the bytes that are in use, and those that could be given back.
pub(crate) fn used_bytes(connection: &Connection) -> Result<(u64, u64), rusqlite::Error> {
    let read = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (pages, free) = (read("page_count")? as u64, read("freelist_count")? as u64);
    Ok((pages.saturating_sub(free) * PAGE_BYTES, free * PAGE_BYTES))
}

/// Gives so many bytes at most back to the file system.
pub(crate) fn give_back(connection: &Connection, bytes: u64) -> Result<(), rusqlite::Error> {
    let pages = (bytes / PAGE_BYTES) as i64;
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    // Each step gives one page back.
    while rows.next()?.is_some() {}
    Ok(())
}

/// The connections that read.
pub(crate) struct Readers {
    file: PathBuf,
    max: usize,
    state: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    taken: usize,
}

impl Readers {
    pub(crate) fn new(file: PathBuf, max: usize) -> Self {
        Self { file, max, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Waits for a connection, and returns it.
    pub(crate) fn take(&self) -> Result<Reader<'_>, StorageError> {
        let mut pool = locks::lock(&self.state);
        while pool.taken >= self.max {
            pool = self.returned.wait(pool).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        pool.taken += 1;
        let idle = pool.idle.pop();
        drop(pool);
        // Counted from here on, so that the place is given back if opening fails.
        let mut reader = Reader { readers: self, connection: idle };
        if reader.connection.is_none() {
            reader.connection = Some(open_reader(&self.file)?);
        }
        Ok(reader)
    }

    /// Closes the connections that nobody uses.
    pub(crate) fn close_idle(&self) {
        locks::lock(&self.state).idle.clear();
    }
}

fn open_reader(file: &Path) -> Result<Connection, StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch("PRAGMA cache_size = -512;")?;
    Ok(connection)
}

/// A connection that goes back when it is dropped.
pub(crate) struct Reader<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Reader<'_> {
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it is there until the reader is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut pool = locks::lock(&self.readers.state);
        pool.taken -= 1;
        // One that is still in a transaction would go on seeing the past, so it is closed.
        pool.idle.extend(self.connection.take().filter(Connection::is_autocommit));
        self.readers.returned.notify_one();
    }
}
