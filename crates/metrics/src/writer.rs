//! The one way by which samples get into the store, and what is counted on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pampero_resilience::Clock;
use pampero_samples::{AppendError, Appended, Sample, SampleStore, SeriesId};
use pampero_series::Labels;

/// Appends to the store; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    store: SampleStore,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Nothing could be kept at the last try, because there is no room.
    is_full: AtomicBool,
    lost_to_room: AtomicU64,
    lost_to_failure: AtomicU64,
    lost_to_series_limit: AtomicU64,
    malformed: AtomicU64,
}

/// Samples that were not kept and that the store knows nothing of.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Lost {
    /// The disk was full, or the history as large as it may be.
    pub(crate) full: u64,
    /// Writing failed.
    pub(crate) failed: u64,
    /// Their series would have been one too many.
    pub(crate) series_limit: u64,
    /// Their labels were wrong.
    pub(crate) malformed: u64,
}

impl Writer {
    pub(crate) fn new(store: SampleStore, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, shared: Arc::default() }
    }

    /// Returns the series with these labels, and registers it if it is new.
    pub(crate) fn resolve(&self, labels: &Labels) -> Result<SeriesId, AppendError> {
        self.store.resolve(labels)
    }

    /// Keeps a batch, as a whole or not at all. Blocks until it is on disk.
    ///
    /// That there is no room is logged once when it begins and once when it is over.
    pub(crate) fn append(&self, batch: &[Sample]) -> Result<Appended, AppendError> {
        let now_ms = self.clock.now().as_millisecond();
        let result = self.store.append(batch, now_ms);
        match &result {
            Ok(_) => {
                if self.shared.is_full.swap(false, Ordering::Relaxed) {
                    tracing::info!("metric history is kept again");
                }
            }
            Err(error @ AppendError::Full { .. }) => {
                count(&self.shared.lost_to_room, batch.len());
                if !self.shared.is_full.swap(true, Ordering::Relaxed) {
                    let error = chain(error);
                    tracing::error!(error, "metric history is not kept until there is room");
                }
            }
            Err(AppendError::UnknownSeries) => {}
            Err(_) => count(&self.shared.lost_to_failure, batch.len()),
        }
        result
    }

    /// Counts samples whose series would have been one too many.
    pub(crate) fn count_over_series_limit(&self, samples: usize) {
        count(&self.shared.lost_to_series_limit, samples);
    }

    /// Counts samples whose labels were wrong.
    pub(crate) fn count_malformed(&self, samples: usize) {
        count(&self.shared.malformed, samples);
    }

    pub(crate) fn lost(&self) -> Lost {
        let shared = &self.shared;
        Lost {
            full: shared.lost_to_room.load(Ordering::Relaxed),
            failed: shared.lost_to_failure.load(Ordering::Relaxed),
            series_limit: shared.lost_to_series_limit.load(Ordering::Relaxed),
            malformed: shared.malformed.load(Ordering::Relaxed),
        }
    }
}

fn count(counter: &AtomicU64, samples: usize) {
    counter.fetch_add(samples as u64, Ordering::Relaxed);
}

/// Writes an error with all of its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
