//! The role every store plays.

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_resilience::QuotaLedger;
use pampero_weather::event::Event;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;

use crate::{
    Batch, EventFilter, KeptAnswer, ObservationFilter, ProviderSample, Recorded, Selection,
    StoreError, StoreStats, StoredEvent, StoredPlace, StoredRevision,
};

/// Keeps everything that must outlive the process.
///
/// Every write is durable when it returns: a kill or a power cut after that loses nothing.
/// Instants are kept to the millisecond, cut and not rounded; a reading that is no finite number
/// is left out.
#[async_trait]
pub trait Store: QuotaLedger + Send + Sync {
    /// Returns every place that was not removed, in the order in which they were first added.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn places(&self) -> Result<Vec<StoredPlace>, StoreError>;

    /// Adds a place, or replaces the one of the same id; a removed one comes back with its history.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn put_place(&self, place: StoredPlace) -> Result<(), StoreError>;

    /// Removes a place; its observations stay. Returns whether there was one.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn remove_place(&self, place: &PlaceId) -> Result<bool, StoreError>;

    /// Writes one batch whole or not at all; the results are in the order of its observations.
    ///
    /// An answer that was under way while its place was removed is still taken into the history.
    ///
    /// # Errors
    /// The store cannot be written, a place of the batch was never added, or a selection names an
    /// observation that is not there.
    async fn record(&self, batch: Batch) -> Result<Vec<Recorded>, StoreError>;

    /// Returns the observation that each place is served from, with its selection, in the order of the places.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn served(&self) -> Result<Vec<(Selection, Observation)>, StoreError>;

    /// Returns observations of a place, newest revisions only.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn observations(
        &self,
        place: &PlaceId,
        filter: &ObservationFilter,
    ) -> Result<Vec<Observation>, StoreError>;

    /// Returns the replaced answers for one observation, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn revisions(
        &self,
        place: &PlaceId,
        provider: ProviderId,
        observed_at: Timestamp,
    ) -> Result<Vec<StoredRevision>, StoreError>;

    /// Returns the values of one quantity of a place in `[from, to)`; rows without a value are left out.
    ///
    /// They come by time, then by the spelling of the provider.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn samples(
        &self,
        place: &PlaceId,
        quantity: Quantity,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ProviderSample>, StoreError>;

    /// Returns every kept answer of places that were not removed.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn kept_answers(&self) -> Result<Vec<KeptAnswer>, StoreError>;

    /// Appends events, in order, and drops the oldest beyond the limit of the store.
    ///
    /// # Errors
    /// The store cannot be written.
    async fn append_events(&self, events: Vec<Event>) -> Result<(), StoreError>;

    /// Returns events.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns what the store did since it was opened.
    fn stats(&self) -> StoreStats;

    /// Tells whether the store answers.
    ///
    /// # Errors
    /// It does not.
    async fn ping(&self) -> Result<(), StoreError>;
}
