//! Where samples are read from.

use std::error::Error;
use std::ops::ControlFlow;

use crate::labels::Labels;
use crate::matcher::Matcher;

/// Which samples of which series are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'s> {
    /// All of them have to hold; at least one refuses the empty value.
    pub matchers: &'s [Matcher],
    /// The earliest sample wanted, in milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// The latest sample wanted, itself included, in milliseconds since the Unix epoch.
    pub end_ms: i64,
}

/// The samples of one series: two columns of the same length, the times strictly ascending.
///
/// Stale markers are among the values.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'c> {
    /// Milliseconds since the Unix epoch.
    pub timestamps_ms: &'c [i64],
    /// The values, one for each time.
    pub values: &'c [f64],
}

/// Why samples could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// More series match than the source hands out for one selection.
    #[error("more than {max} series match; narrow the selection by more labels")]
    TooManySeries {
        /// The most that are handed out.
        max: usize,
    },
    /// What is kept cannot be read.
    #[error("the kept samples cannot be read")]
    Unreadable(#[source] Box<dyn Error + Send + Sync>),
}

/// Keeps samples and hands them out one series at a time.
///
/// No more than one series has to be in memory at once, so a visitor that needs a column for longer
/// copies it.
pub trait SeriesSource: Send + Sync {
    /// Shows `visit` each series that matches and has samples in the range, in ascending order of
    /// their labels, until it breaks.
    ///
    /// # Errors
    /// Too many series match, or they cannot be read.
    fn select(
        &self,
        selection: Selection<'_>,
        visit: &mut dyn FnMut(&Labels, Columns<'_>) -> ControlFlow<()>,
    ) -> Result<(), SelectError>;
}
