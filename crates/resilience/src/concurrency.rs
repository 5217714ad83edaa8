//! A bounded number of attempts at the same time, and a bounded queue for the rest.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Places for attempts, given to those who wait in the order of their coming.
#[derive(Debug)]
pub(crate) struct Concurrency {
    places: Semaphore,
    places_max: u32,
    waiting: AtomicU32,
    waiting_max: u32,
}

impl Concurrency {
    pub(crate) fn new(places: NonZeroU32, waiting_max: u32) -> Self {
        let places_max = places.get();
        let places = Semaphore::new((places_max as usize).min(Semaphore::MAX_PERMITS));
        Self { places, places_max, waiting: AtomicU32::new(0), waiting_max }
    }

    /// Waits for a place; if too many wait already, returns how many.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, u32> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(self)?;
        Ok(self.places.acquire().await.expect("the places are never closed"))
    }

    pub(crate) fn in_flight(&self) -> u32 {
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        self.places_max.saturating_sub(free)
    }

    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Relaxed)
    }
}

/// One caller in the queue, until it is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn begin(concurrency: &'a Concurrency) -> Result<Self, u32> {
        let room = |waiting| (waiting < concurrency.waiting_max).then_some(waiting + 1);
        concurrency.waiting.fetch_update(Relaxed, Relaxed, room)?;
        Ok(Self(&concurrency.waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}
