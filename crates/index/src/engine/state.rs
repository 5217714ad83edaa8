//! What writers of an index share under its lock.

use super::log::Log;
use super::shard::Shard;

/// Held for as long as operations are put in order, logged and handed to tantivy.
#[derive(Debug)]
pub(crate) struct WriteState {
    /// `None` when tantivy's index cannot be opened, or the index was deleted.
    pub(crate) shard: Option<Shard>,
    pub(crate) log: Log,
    /// The number of the next operation.
    pub(crate) next_seq_no: u64,
    /// The first number that the last commit does not hold.
    pub(crate) committed: u64,
    /// The first number that tantivy's writer was not given; not below `committed`.
    pub(crate) handed: u64,
    pub(crate) life: Life,
}

/// Whether an index takes operations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Life {
    Open,
    /// The program ends.
    Closed,
    Deleted,
}

impl WriteState {
    /// Returns how many operations are in the log and in no commit.
    pub(crate) fn uncommitted(&self) -> u64 {
        self.next_seq_no.saturating_sub(self.committed)
    }
}
