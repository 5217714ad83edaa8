//! What Pampero keeps: places, observations with their revisions, events, quota counts, kept answers.
//!
//! The only crate that knows SQL. A write is acknowledged when it is on disk; writes that arrive
//! together share a transaction. Start reading at [`Store`]; [`SqliteStore`] is the one in a file.

#[cfg(feature = "testkit")]
pub mod behaviour;
mod description;
mod error;
#[cfg(feature = "testkit")]
pub mod memory;
mod plan;
mod records;
mod sqlite;
mod stats;
mod store;

pub use error::StoreError;
pub use records::{
    Batch, EventFilter, EventId, KeptAnswer, ObservationFilter, Order, PlaceOrigin, PlaceState,
    ProviderSample, Recorded, Selection, StoredEvent, StoredPlace, StoredRevision,
};
pub use sqlite::{SqliteOptions, SqliteStore};
pub use stats::StoreStats;
pub use store::Store;
