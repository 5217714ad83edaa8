//! The history of metrics on disk: samples of series, in one SQLite file.
//!
//! Knows labels and samples, and nothing of scraping, queries, HTTP or clocks: time is passed in.
//! All calls block, and none of them starts a thread. Start reading at [`SampleStore`].

mod block;
mod column;
mod database;
mod error;
mod head;
mod index;
mod journal;
mod labels;
mod locks;
mod options;
mod parts;
mod sample;
mod statistics;
mod store;
mod varint;

pub use error::{AppendError, MaintainError, OpenError};
pub use options::{SampleOptions, Synchronous};
pub use sample::{Appended, Maintained, Sample, SeriesId};
pub use statistics::{Cardinality, SampleStatistics};
pub use store::SampleStore;
