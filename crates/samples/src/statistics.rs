//! What the store tells of itself.

use std::time::Duration;

/// The state of the store and what it has done since it was opened.
#[derive(Clone, Debug, Default)]
pub struct SampleStatistics {
    /// Series that are known.
    pub series: usize,
    /// Samples that are in memory and in the journal, not yet in blocks.
    pub samples_head: u64,
    /// Samples in blocks.
    pub samples_blocks: u64,
    /// Blocks on disk.
    pub blocks: usize,
    /// Bytes of all files of the store.
    pub bytes_on_disk: u64,
    /// Time of the earliest sample in milliseconds since the Unix epoch; `None` without samples.
    pub earliest_ms: Option<i64>,
    /// Time of the latest sample in milliseconds since the Unix epoch; `None` without samples.
    pub latest_ms: Option<i64>,
    /// Samples stored since the store was opened.
    pub appended_total: u64,
    /// Samples that were there already, since the store was opened.
    pub duplicates_total: u64,
    /// Samples refused for another value at the same time, since the store was opened.
    pub conflicting_total: u64,
    /// Samples refused for their age, since the store was opened.
    pub too_old_total: u64,
    /// Samples refused for being ahead of the clock, since the store was opened.
    pub too_new_total: u64,
    /// Batches that failed as a whole, since the store was opened.
    pub failed_batches_total: u64,
    /// Commits of batches since the store was opened; one may hold several batches.
    pub commits_total: u64,
    /// Time that these commits took.
    pub commit_duration_total: Duration,
    /// The longest of these commits.
    pub commit_duration_max: Duration,
    /// Batches that wait for a commit now.
    pub batches_pending: usize,
}

/// Which metrics and labels have most series, each list in descending order of its counts.
#[derive(Clone, Debug, Default)]
pub struct Cardinality {
    /// Series of each metric.
    pub series_by_metric: Vec<(String, u64)>,
    /// Different values of each label.
    pub values_by_label: Vec<(String, u64)>,
    /// Bytes of the different values of each label.
    pub bytes_by_label: Vec<(String, u64)>,
    /// Series with each pair, written `name=value`.
    pub series_by_pair: Vec<(String, u64)>,
    /// Different pairs of name and value.
    pub label_pairs: u64,
}
