//! The words of metrics: labels, samples, matchers, and the stale marker.
//!
//! No I/O, no clock, no wire format, no storage. Whoever keeps samples implements
//! [`SeriesSource`]; whoever evaluates queries reads from it. Start reading at [`Labels`].

mod labels;
mod matcher;
mod source;
mod stale;

pub use labels::{Labels, LabelsBuilder, METRIC_NAME};
pub use matcher::{MatchOperator, Matcher, MatcherError};
pub use source::{Columns, SelectError, Selection, SeriesSource};
pub use stale::{STALE_MARKER, is_stale};
