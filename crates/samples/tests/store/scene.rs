//! A store in a folder of its own, and short ways to fill it and to read it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use pampero_samples::{Appended, Sample, SampleOptions, SampleStore, Synchronous};
use pampero_series::{Labels, Matcher, Selection, SeriesSource};
use tempfile::TempDir;

pub(crate) const SECOND_MS: i64 = 1000;
pub(crate) const HOUR_MS: i64 = 60 * 60 * SECOND_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// A midnight in UTC.
pub(crate) const START_MS: i64 = 19_700 * DAY_MS;

/// Samples of series by their labels: times and the bits of values.
pub(crate) type Kept = BTreeMap<Labels, Vec<(i64, u64)>>;

/// A store and its folder.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) options: SampleOptions,
    store: Option<SampleStore>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: SampleOptions) -> Self {
        let folder = TempDir::new().unwrap();
        let store = SampleStore::open(folder.path(), options.clone()).unwrap();
        Self { folder, options, store: Some(store) }
    }

    pub(crate) fn store(&self) -> &SampleStore {
        self.store.as_ref().unwrap()
    }

    pub(crate) fn reopen(&mut self) {
        self.store = None;
        self.store = Some(SampleStore::open(self.folder.path(), self.options.clone()).unwrap());
    }

    /// Closes the store, and leaves its folder.
    pub(crate) fn into_folder(self) -> TempDir {
        drop(self.store);
        self.folder
    }

    /// Appends samples of one series.
    #[track_caller]
    pub(crate) fn append(&self, selector: &str, samples: &[(i64, f64)], now_ms: i64) -> Appended {
        let series = self.store().resolve(&labels(selector)).unwrap();
        let sample = |&(timestamp_ms, value): &(i64, f64)| Sample { series, timestamp_ms, value };
        let batch: Vec<Sample> = samples.iter().map(sample).collect();
        self.store().append(&batch, now_ms).unwrap()
    }

    /// Appends a sample every `step_ms` from `start_ms` until before `end_ms`, each at its time.
    pub(crate) fn fill(&self, selector: &str, start_ms: i64, end_ms: i64, step_ms: i64) {
        let mut time_ms = start_ms;
        while time_ms < end_ms {
            self.append(selector, &[(time_ms, value_at(time_ms))], time_ms);
            time_ms += step_ms;
        }
    }

    /// Maintains until there is nothing more to do at once.
    pub(crate) fn maintain(&self, now_ms: i64) {
        for _ in 0..1000 {
            if !self.store().maintain(now_ms).unwrap().more {
                return;
            }
        }
        panic!("maintenance never ends");
    }

    pub(crate) fn everything(&self) -> Kept {
        everything(self.store())
    }
}

/// The value that [`Scene::fill`] gives a time.
pub(crate) fn value_at(time_ms: i64) -> f64 {
    (time_ms / SECOND_MS % 977) as f64 / 10.0
}

/// Options that do not wait for the device, because the process is killed at most.
pub(crate) fn options() -> SampleOptions {
    SampleOptions { synchronous: Synchronous::Normal, ..SampleOptions::default() }
}

pub(crate) fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Reads `name a=1 b=2`.
pub(crate) fn labels(selector: &str) -> Labels {
    let pair = |word: &str| match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => ("__name__".to_owned(), word.to_owned()),
    };
    selector.split(' ').map(pair).collect()
}

pub(crate) fn select(
    store: &SampleStore,
    matchers: &[Matcher],
    start_ms: i64,
    end_ms: i64,
) -> Vec<(Labels, Vec<(i64, u64)>)> {
    let mut found = Vec::new();
    let selection = Selection { matchers, start_ms, end_ms };
    store
        .select(selection, &mut |labels, columns| {
            let times = columns.timestamps_ms.iter().copied();
            let bits = columns.values.iter().map(|value| value.to_bits());
            found.push((labels.clone(), times.zip(bits).collect()));
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

pub(crate) fn everything(store: &SampleStore) -> Kept {
    select(store, &[], i64::MIN, i64::MAX).into_iter().collect()
}
