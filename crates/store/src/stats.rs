//! Cheap counters of what a store did, for the operator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Recorded;

/// What a store did since it was opened; `queue_depth` is how things are now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StoreStats {
    /// Writes acknowledged.
    pub writes: u64,
    /// Writes refused or failed, for whatever reason.
    pub writes_failed: u64,
    /// Transactions committed; writes that arrive together share one.
    pub transactions: u64,
    /// Observations that were new.
    pub rows_inserted: u64,
    /// Observations that were kept already.
    pub rows_unchanged: u64,
    /// Observations that corrected a kept one.
    pub rows_revised: u64,
    /// Writes that wait for the writer now.
    pub queue_depth: u64,
    /// Time spent in transactions, in seconds.
    pub write_seconds_total: f64,
}

/// The counters behind [`StoreStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    writes: AtomicU64,
    writes_failed: AtomicU64,
    transactions: AtomicU64,
    rows_inserted: AtomicU64,
    rows_unchanged: AtomicU64,
    rows_revised: AtomicU64,
    write_micros: AtomicU64,
}

impl Counters {
    pub(crate) fn count_write(&self, acknowledged: bool) {
        let counter = if acknowledged { &self.writes } else { &self.writes_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_transaction(&self, elapsed: Duration, committed: bool) {
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.write_micros.fetch_add(micros, Ordering::Relaxed);
        self.transactions.fetch_add(u64::from(committed), Ordering::Relaxed);
    }

    pub(crate) fn count_recorded(&self, recorded: &[Recorded]) {
        for one in recorded {
            let counter = match one {
                Recorded::Inserted => &self.rows_inserted,
                Recorded::Unchanged { .. } => &self.rows_unchanged,
                Recorded::Revised { .. } => &self.rows_revised,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn snapshot(&self, queue_depth: usize) -> StoreStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StoreStats {
            writes: read(&self.writes),
            writes_failed: read(&self.writes_failed),
            transactions: read(&self.transactions),
            rows_inserted: read(&self.rows_inserted),
            rows_unchanged: read(&self.rows_unchanged),
            rows_revised: read(&self.rows_revised),
            queue_depth: u64::try_from(queue_depth).unwrap_or(u64::MAX),
            write_seconds_total: Duration::from_micros(read(&self.write_micros)).as_secs_f64(),
        }
    }
}
