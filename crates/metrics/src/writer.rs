//! The one way by which samples get into the store, and what is counted on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use pampero_resilience::Clock;
use pampero_samples::{AppendError, Appended, Sample, SampleStore, SeriesId};
use pampero_series::Labels;

/// From one log line about too many series to the next, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1000;

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
    /// When it was logged last that there are too many series, in milliseconds since the Unix
    /// epoch; 0 when it never was.
    limit_told_ms: AtomicI64,
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
        self.note(batch.len(), &result);
        result
    }

    fn note(&self, samples: usize, result: &Result<Appended, AppendError>) {
        match result {
            Ok(_) => {
                if self.shared.is_full.swap(false, Ordering::Relaxed) {
                    tracing::info!("metric history is kept again");
                }
            }
            Err(error @ AppendError::Full { .. }) => {
                count(&self.shared.lost_to_room, samples);
                if !self.shared.is_full.swap(true, Ordering::Relaxed) {
                    let error = chain(error);
                    tracing::error!(error, "metric history is not kept until there is room");
                }
            }
            Err(AppendError::UnknownSeries) => {}
            Err(_) => count(&self.shared.lost_to_failure, samples),
        }
    }

    /// Counts samples whose series would have been one too many; that is logged once an hour.
    pub(crate) fn count_over_series_limit(&self, samples: usize) {
        count(&self.shared.lost_to_series_limit, samples);
        let now_ms = self.clock.now().as_millisecond();
        let told_ms = self.shared.limit_told_ms.load(Ordering::Relaxed);
        let is_due = told_ms == 0 || HOUR_MS < now_ms.saturating_sub(told_ms);
        let exchange = |told_ms| {
            let told = &self.shared.limit_told_ms;
            told.compare_exchange(told_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if is_due && exchange(told_ms) {
            let series = self.store.statistics().series;
            tracing::error!(
                series,
                "metric history has as many series as may be, new ones are lost"
            );
        }
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use pampero_resilience::VirtualClock;
    use pampero_samples::SampleOptions;

    use super::*;
    use crate::testkit;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }

        fn listen(&self) -> tracing::subscriber::DefaultGuard {
            let log = self.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_writer(move || log.clone())
                .with_ansi(false)
                .without_time()
                .finish();
            tracing::subscriber::set_default(subscriber)
        }
    }

    fn writer(folder: &tempfile::TempDir) -> Writer {
        let store = SampleStore::open(folder.path(), SampleOptions::default()).unwrap();
        Writer::new(store, Arc::new(VirtualClock::starting_at(testkit::noon())))
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_disk_is_told_once_and_its_end_too() {
        let log = Log::default();
        let _guard = log.listen();
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let full = || Err(AppendError::Full { source: "no space left on the device".into() });
        let check = |result, told: &[&str]| {
            writer.note(10, &result);
            let log = log.take();
            assert_eq!(log.lines().count(), told.len(), "{log}");
            assert!(told.iter().all(|part| log.contains(part)), "{log}");
        };
        check(Ok(Appended::default()), &[]);
        check(full(), &["ERROR"]);
        check(full(), &[]);
        check(Ok(Appended::default()), &["INFO"]);
        check(Ok(Appended::default()), &[]);
        check(full(), &["the history is as large as it may be: no space left on the device"]);
        assert_eq!(writer.lost(), Lost { full: 30, ..Lost::default() });
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_series_are_told_once_an_hour() {
        let log = Log::default();
        let _guard = log.listen();
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder);
        let times = || log.take().matches("as many series as may be").count();
        writer.count_over_series_limit(1);
        writer.count_over_series_limit(1);
        assert_eq!(times(), 1);
        tokio::time::advance(std::time::Duration::from_secs(3601)).await;
        writer.count_over_series_limit(1);
        assert_eq!(times(), 1);
        assert_eq!(writer.lost().series_limit, 3);
    }
}
