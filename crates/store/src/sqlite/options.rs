//! The limits of a SQLite store.

use std::time::Duration;

/// The limits of a SQLite store; every one has a default.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Most reads at the same time; each has a connection and a thread of its own. At least 1.
    pub readers: u32,
    /// Page cache of each reading connection, in KiB.
    pub reader_cache_kib: u32,
    /// Page cache of the writing connection, in KiB; a batch for many places touches a page of each.
    pub writer_cache_kib: u32,
    /// Most writes that wait for the writer. At least 1.
    pub queue_max: usize,
    /// How long a write waits for room in the queue before it is refused as overloaded.
    pub queue_wait: Duration,
    /// Most writes that share a transaction. At least 1.
    pub group_max: usize,
    /// How long to wait for another program that holds the file.
    pub lock_wait: Duration,
    /// Most events to keep; the oldest are dropped first, a hundredth part at a time. At least 1.
    pub events_max: u32,
    /// Largest size of the file in bytes, beyond which it behaves as on a full disk; `None` without limit.
    pub size_max_bytes: Option<u64>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 3,
            reader_cache_kib: 2048,
            writer_cache_kib: 8192,
            queue_max: 256,
            queue_wait: Duration::from_secs(5),
            group_max: 64,
            lock_wait: Duration::from_secs(5),
            events_max: 100_000,
            size_max_bytes: None,
        }
    }
}
