//! The store of samples.

use std::ops::ControlFlow;
use std::path::Path;

use pampero_series::{Columns, Labels, Matcher, SelectError, Selection, SeriesSource};

use crate::error::{AppendError, MaintainError, OpenError};
use crate::options::SampleOptions;
use crate::sample::{Appended, Maintained, Sample, SeriesId};
use crate::statistics::{Cardinality, SampleStatistics};

/// Keeps samples in one folder; clones share it.
///
/// It may be used from many threads at once. The folder is free again when the last clone is gone.
#[derive(Clone, Debug)]
pub struct SampleStore {}

impl SampleStore {
    /// Opens the samples in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// The folder is in use, cannot be read or written, or holds something else or damaged.
    pub fn open(folder: &Path, options: SampleOptions) -> Result<Self, OpenError> {
        let _ = options;
        Err(OpenError::InUse { folder: folder.to_owned() })
    }

    /// Returns the series with these labels, and registers it if it is new.
    ///
    /// # Errors
    /// The series is new, and as many are known as may be.
    pub fn resolve(&self, labels: &Labels) -> Result<SeriesId, AppendError> {
        let _ = labels;
        Err(AppendError::Closed)
    }

    /// Returns the labels of a series; `None` when it has been forgotten.
    pub fn labels(&self, series: SeriesId) -> Option<Labels> {
        let _ = series;
        None
    }

    /// Keeps a batch, as a whole or not at all; what is counted as stored is then on disk.
    ///
    /// # Errors
    /// A series is unknown, the disk is full, the store is closed, or writing fails.
    pub fn append(&self, batch: &[Sample], now_ms: i64) -> Result<Appended, AppendError> {
        let _ = (batch, now_ms);
        Err(AppendError::Closed)
    }

    /// Does a bounded piece of the work in the background: folds, merges, drops, forgets.
    ///
    /// # Errors
    /// The disk is full, or reading or writing fails; the next round goes on.
    pub fn maintain(&self, now_ms: i64) -> Result<Maintained, MaintainError> {
        let _ = now_ms;
        Ok(Maintained::default())
    }

    /// Returns the labels of the series that match one of the sets of matchers and have samples
    /// about the range, in ascending order, at most `limit`; without any set, of all series.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn series(
        &self,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<Labels>, SelectError> {
        let _ = (sets, start_ms, end_ms, limit);
        Ok(Vec::new())
    }

    /// Returns the names of the labels of such series, in ascending order, at most `limit`.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn label_names(
        &self,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, SelectError> {
        let _ = (sets, start_ms, end_ms, limit);
        Ok(Vec::new())
    }

    /// Returns the values of a label of such series, in ascending order, at most `limit`.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn label_values(
        &self,
        name: &str,
        sets: &[&[Matcher]],
        start_ms: i64,
        end_ms: i64,
        limit: usize,
    ) -> Result<Vec<String>, SelectError> {
        let _ = (name, sets, start_ms, end_ms, limit);
        Ok(Vec::new())
    }

    /// Returns what the store tells of itself.
    pub fn statistics(&self) -> SampleStatistics {
        SampleStatistics::default()
    }

    /// Returns which metrics and labels have most series, at most `limit` of each.
    pub fn cardinality(&self, limit: usize) -> Cardinality {
        let _ = limit;
        Cardinality::default()
    }

    /// Refuses further samples, lets running maintenance stop, and brings the file up to date.
    ///
    /// # Errors
    /// The file cannot be written; nothing that was acknowledged is lost.
    pub fn close(&self) -> Result<(), MaintainError> {
        Ok(())
    }
}

impl SeriesSource for SampleStore {
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError> {
        let _ = (selection, visit);
        Ok(())
    }
}
