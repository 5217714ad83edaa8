//! What Pampero keeps: places, observations with their revisions, events, quota counts, kept answers.
//!
//! The only crate that knows SQL. A write is acknowledged when it is on disk; writes that arrive
//! together share a transaction. Start reading at [`Store`].

mod error;
mod records;
mod store;

pub use error::StoreError;
pub use records::{
    Batch, EventFilter, EventId, KeptAnswer, ObservationFilter, Order, PlaceOrigin, PlaceState,
    ProviderSample, Recorded, Selection, StoredEvent, StoredPlace, StoredRevision,
};
pub use store::Store;
