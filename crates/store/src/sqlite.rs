//! The store in one SQLite file: one writer behind a bounded queue, a few readers beside it.
//!
//! Writes that wait together share a transaction and are acknowledged after its commit
//! ([`writer`]); each kind of write has its own file under [`writes`]. Reads see the last commit.

mod failure;
mod open;
mod options;
mod reads;
mod rows;
mod writer;
mod writes;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_resilience::{LedgerError, QuotaLedger, QuotaUsage};
use pampero_weather::event::Event;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use sqlx::sqlite::SqlitePool;

pub use options::SqliteOptions;

use crate::plan::kept_form;
use crate::stats::{Counters, StoreStats};
use crate::{
    Batch, EventFilter, KeptAnswer, ObservationFilter, ProviderSample, Recorded, Selection, Store,
    StoreError, StoredEvent, StoredPlace, StoredRevision,
};
use writer::Writer;

/// Keeps everything in one SQLite file with a write-ahead log.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    counters: Arc<Counters>,
    events_max: u32,
}

impl SqliteStore {
    /// Opens the store at `path`, or makes a new one there; the folder must exist.
    ///
    /// Must be called inside a tokio runtime, on which the writer then runs.
    ///
    /// # Errors
    /// The folder is missing, the file may not be written, is locked by another program for longer
    /// than [`SqliteOptions::lock_wait`], is damaged, belongs to another program, or was written by
    /// a newer Pampero.
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let counters = Arc::new(Counters::default());
        let connection = open::writing_connection(path, &options).await?;
        let readers = open::reading_pool(path, &options);
        let writer = Writer::start(connection, &options, Arc::clone(&counters));
        Ok(Self { readers, writer, counters, events_max: options.events_max })
    }

    /// Writes what waits, brings the write-ahead log into the file and closes it.
    ///
    /// Everything asked of the store from now on is answered with [`StoreError::Closed`].
    ///
    /// # Errors
    /// The log could not be brought into the file; nothing is lost, the next start does it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let connection = self.writer.stop().await;
        self.readers.close().await;
        match connection {
            Some(connection) => open::close_last(connection).await,
            None => Ok(()),
        }
    }

    /// Waits for the answer to a question and counts it.
    async fn counted<T>(
        &self,
        asking: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let answer = asking.await;
        self.counters.count_read(begun.elapsed(), answer.is_ok());
        answer
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn places(&self) -> Result<Vec<StoredPlace>, StoreError> {
        self.counted(reads::places(&self.readers)).await
    }

    async fn put_place(&self, place: StoredPlace) -> Result<(), StoreError> {
        self.writer.write(writes::PutPlace(place)).await
    }

    async fn remove_place(&self, place: &PlaceId) -> Result<bool, StoreError> {
        self.writer.write(writes::RemovePlace(place.clone())).await
    }

    async fn record(&self, batch: Batch) -> Result<Vec<Recorded>, StoreError> {
        let observations = batch.observations.into_iter().map(kept_form).collect();
        self.writer.write(writes::RecordBatch(Batch { observations, ..batch })).await
    }

    async fn served(&self) -> Result<Vec<(Selection, Observation)>, StoreError> {
        self.counted(reads::served(&self.readers)).await
    }

    async fn observations(
        &self,
        place: &PlaceId,
        filter: &ObservationFilter,
    ) -> Result<Vec<Observation>, StoreError> {
        self.counted(reads::observations(&self.readers, place, filter)).await
    }

    async fn revisions(
        &self,
        place: &PlaceId,
        provider: ProviderId,
        observed_at: Timestamp,
    ) -> Result<Vec<StoredRevision>, StoreError> {
        self.counted(reads::revisions(&self.readers, place, provider, observed_at)).await
    }

    async fn samples(
        &self,
        place: &PlaceId,
        quantity: Quantity,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<ProviderSample>, StoreError> {
        self.counted(reads::samples(&self.readers, place, quantity, from, to)).await
    }

    async fn kept_answers(&self) -> Result<Vec<KeptAnswer>, StoreError> {
        self.counted(reads::kept_answers(&self.readers)).await
    }

    async fn append_events(&self, events: Vec<Event>) -> Result<(), StoreError> {
        let events_max = self.events_max;
        self.writer.write(writes::AppendEvents { events, events_max }).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        self.counted(reads::events(&self.readers, filter)).await
    }

    fn stats(&self) -> StoreStats {
        self.counters.snapshot(self.writer.queue_depth())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.writer.is_stopped() {
            return Err(StoreError::Closed);
        }
        reads::ping(&self.readers).await
    }
}

#[async_trait]
impl QuotaLedger for SqliteStore {
    async fn load(&self, service: &str) -> Result<Vec<QuotaUsage>, LedgerError> {
        let usage = reads::quota_usage(&self.readers, service).await;
        usage.map_err(|error| LedgerError(Box::new(error)))
    }

    async fn save(&self, service: &str, usage: &[QuotaUsage]) -> Result<(), LedgerError> {
        let save = writes::SaveQuota { service: service.to_owned(), usage: usage.to_vec() };
        self.writer.write(save).await.map_err(|error| LedgerError(Box::new(error)))
    }
}
