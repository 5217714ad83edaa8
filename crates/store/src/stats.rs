//! Cheap counters of what a store did, for the operator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pampero_resilience::{Distribution, DistributionSnapshot};

use crate::Recorded;

/// What a store did since it was opened; `queue_depth` is how things are now.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// How long transactions took, in seconds, those that failed included.
    pub transaction_durations: DistributionSnapshot,
    /// How long questions took, in seconds, those that failed included.
    pub read_durations: DistributionSnapshot,
    /// Questions that were not answered.
    pub reads_failed: u64,
}

/// Upper bounds for the time of a question, in seconds.
const READ_BOUNDS_S: [f64; 11] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// Upper bounds for the time of a transaction, in seconds; most of it is the disk's.
const TRANSACTION_BOUNDS_S: [f64; 11] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

/// The counters behind [`StoreStats`].
#[derive(Debug)]
pub(crate) struct Counters {
    writes: AtomicU64,
    writes_failed: AtomicU64,
    transactions: AtomicU64,
    rows_inserted: AtomicU64,
    rows_unchanged: AtomicU64,
    rows_revised: AtomicU64,
    transaction_durations: Distribution,
    read_durations: Distribution,
    reads_failed: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            writes: AtomicU64::default(),
            writes_failed: AtomicU64::default(),
            transactions: AtomicU64::default(),
            rows_inserted: AtomicU64::default(),
            rows_unchanged: AtomicU64::default(),
            rows_revised: AtomicU64::default(),
            transaction_durations: Distribution::new(&TRANSACTION_BOUNDS_S),
            read_durations: Distribution::new(&READ_BOUNDS_S),
            reads_failed: AtomicU64::default(),
        }
    }
}

impl Counters {
    pub(crate) fn count_write(&self, acknowledged: bool) {
        let counter = if acknowledged { &self.writes } else { &self.writes_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_transaction(&self, elapsed: Duration, committed: bool) {
        self.transaction_durations.record_duration(elapsed);
        self.transactions.fetch_add(u64::from(committed), Ordering::Relaxed);
    }

    pub(crate) fn count_read(&self, elapsed: Duration, answered: bool) {
        self.read_durations.record_duration(elapsed);
        self.reads_failed.fetch_add(u64::from(!answered), Ordering::Relaxed);
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
            transaction_durations: self.transaction_durations.snapshot(),
            read_durations: self.read_durations.snapshot(),
            reads_failed: read(&self.reads_failed),
        }
    }
}
