//! Each kind of write as a value that can wait in the queue.

mod events;
mod places;
mod quota;
mod record;

use sqlx::SqliteConnection;

pub(super) use events::AppendEvents;
pub(super) use places::{PutPlace, RemovePlace};
pub(super) use quota::SaveQuota;
pub(super) use record::RecordBatch;

use super::failure::Failure;
use crate::StoreError;
use crate::stats::Counters;
use pampero_weather::place::PlaceId;

/// One write.
pub(super) trait Write: Send + Sync + 'static {
    /// What whoever asked gets back.
    type Answer: Send + 'static;

    /// What is written, for the error.
    const WHAT: &'static str;

    /// Writes inside the transaction that is open; may be called again after a rollback.
    fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Counts what was written, after the commit.
    fn count(_answer: &Self::Answer, _counters: &Counters) {}
}

/// Why a write was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// SQLite failed.
    Engine(Failure),
    /// The write itself is at fault, or a row it needs cannot be read.
    Refused(StoreError),
}

impl Fault {
    pub(super) fn unknown_place(place: &PlaceId) -> Self {
        Self::Refused(StoreError::UnknownPlace(place.clone()))
    }

    pub(super) fn into_store_error(self, what: &'static str) -> StoreError {
        match self {
            Self::Engine(failure) => failure.into_write_error(what),
            Self::Refused(error) => error,
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Engine(error.into())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Numbers of rows in one statement, largest first; few sizes, so that few statements are prepared.
const ROWS_PER_STATEMENT: [usize; 3] = [64, 8, 1];

/// Cuts rows into pieces of the sizes in [`ROWS_PER_STATEMENT`].
fn in_statements<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = ROWS_PER_STATEMENT.into_iter().find(|size| *size <= rows.len())?;
        let (piece, rest) = rows.split_at(size);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_sizes_without_losing_any() {
        check(0, &[]);
        check(1, &[1]);
        check(17, &[8, 8, 1]);
        check(137, &[64, 64, 8, 1]);
    }

    #[track_caller]
    fn check(row_count: usize, sizes: &[usize]) {
        let rows: Vec<usize> = (0..row_count).collect();
        let pieces: Vec<&[usize]> = in_statements(&rows).collect();
        assert_eq!(pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(), sizes);
        assert_eq!(pieces.concat(), rows);
    }
}
