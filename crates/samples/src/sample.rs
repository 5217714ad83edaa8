//! What goes into the store, and what becomes of it.

/// Names a series that [`resolve`](crate::SampleStore::resolve) has registered.
///
/// It holds as long as the store is open and the series has samples or was resolved a short while
/// ago; it means nothing to another store.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SeriesId {
    /// Where the series is in memory; used again once it is forgotten.
    pub(crate) slot: u32,
    /// Its number on disk, never used again.
    pub(crate) number: u32,
}

/// One value of one series at one time.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Whose value it is.
    pub series: SeriesId,
    /// Milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The value; every bit of a NaN is kept, so that a stale marker stays one.
    pub value: f64,
}

/// What became of the samples of a batch; the five counts add up to its length.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Appended {
    /// Kept, and on disk.
    pub stored: usize,
    /// Already there with the same value, which is fine.
    pub duplicates: usize,
    /// Refused: another value is already there for that time.
    pub conflicting: usize,
    /// Refused: further back than the late window.
    pub too_old: usize,
    /// Refused: further ahead of the clock than the future window.
    pub too_new: usize,
}

/// What one round of maintenance did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Maintained {
    /// Samples that went from the head into blocks.
    pub folded_samples: u64,
    /// Blocks that were merged into larger ones.
    pub merged_blocks: usize,
    /// Blocks that were dropped for their age or for the size of the store.
    pub dropped_blocks: usize,
    /// Series that were forgotten, because no sample of theirs is left.
    pub forgotten_series: usize,
    /// There is more to do at once; a round does a bounded piece only.
    pub more: bool,
}
