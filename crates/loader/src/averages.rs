//! Means of what is kept, worked out when somebody asks and kept until something changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use pampero_resilience::Clock;
use pampero_store::{ProviderSample, Store, StoreError};
use pampero_weather::mean::{HOLD, Mean, Sample, Series, Window, time_weighted};
use pampero_weather::observation::Quantity;
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;

use crate::averages_job::MeansByPlace;
use crate::{Board, Sources};

/// The stretch of time a mean is taken over, ending now.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AveragePeriod {
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
}

impl AveragePeriod {
    /// Returns how long the period is.
    pub const fn length(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_hours(24),
            Self::Week => SignedDuration::from_hours(7 * 24),
        }
    }

    /// Returns the spelling: `day` or `week`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// The mean temperature of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceMean {
    /// The mean in °C, with its window and coverage; its value is `None` without data.
    pub mean: Mean,
    /// When the newest value that speaks for the window was observed; `None` without data.
    pub newest_observed_at: Option<Timestamp>,
    /// When it was worked out.
    pub computed_at: Timestamp,
    /// The providers whose values speak for the window, in the order of the chain.
    pub providers: Vec<ProviderId>,
}

/// Works out means from the store.
///
/// A mean is worked out anew when the place has a new value, and at the latest after
/// [`Averages::KEPT_FOR`], since its window moves.
pub struct Averages {
    store: Arc<dyn Store>,
    pub(crate) board: Arc<Board>,
    sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
    /// What the job keeps for those who only look.
    pub(crate) at_hand: ArcSwap<MeansByPlace>,
    kept: Mutex<HashMap<(PlaceId, AveragePeriod), Kept>>,
}

#[derive(Clone)]
struct Kept {
    board_version: u64,
    mean: Arc<PlaceMean>,
}

impl Averages {
    /// Longest time a mean is served before it is worked out anew.
    pub const KEPT_FOR: Duration = Duration::from_secs(30);
    /// Most means kept in memory.
    pub const KEPT_MAX: usize = 4_096;

    /// Takes values from `store`, preferring providers in the order of `sources`.
    pub fn new(
        store: Arc<dyn Store>,
        board: Arc<Board>,
        sources: Sources,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, board, sources, clock, at_hand: ArcSwap::default(), kept: Mutex::default() }
    }

    /// Returns the mean temperature of a place over the period that ends now.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn temperature(
        &self,
        place: &PlaceId,
        period: AveragePeriod,
    ) -> Result<Arc<PlaceMean>, StoreError> {
        let now = self.clock.now();
        let board_version = self.board.slot(place).map_or(0, |slot| slot.version());
        let key = (place.clone(), period);
        if let Some(mean) = self.still_good(&key, board_version, now) {
            return Ok(mean);
        }
        let window = Window::rolling(now, period.length());
        let from = window.from.saturating_sub(HOLD).unwrap_or(window.from);
        let samples = self.store.samples(place, Quantity::Temperature, from, window.to).await?;
        let mean = Arc::new(self.mean_of(samples, window, now));
        self.keep(key, Kept { board_version, mean: Arc::clone(&mean) });
        Ok(mean)
    }

    fn still_good(
        &self,
        key: &(PlaceId, AveragePeriod),
        board_version: u64,
        now: Timestamp,
    ) -> Option<Arc<PlaceMean>> {
        let kept = self.kept.lock().expect("no code panics while it holds the means");
        let kept = kept.get(key)?;
        let age = now.duration_since(kept.mean.computed_at);
        let young = !age.is_negative() && age.unsigned_abs() < Self::KEPT_FOR;
        (kept.board_version == board_version && young).then(|| Arc::clone(&kept.mean))
    }

    fn keep(&self, key: (PlaceId, AveragePeriod), mean: Kept) {
        let mut kept = self.kept.lock().expect("no code panics while it holds the means");
        if kept.len() >= Self::KEPT_MAX && !kept.contains_key(&key) {
            kept.clear();
        }
        kept.insert(key, mean);
    }

    fn mean_of(&self, samples: Vec<ProviderSample>, window: Window, now: Timestamp) -> PlaceMean {
        let newest_observed_at = samples.iter().map(|sample| sample.sample.at).max();
        let by_provider = in_chain_order(&self.sources, samples);
        let series: Vec<Series<'_>> =
            by_provider.iter().map(|(_, samples)| Series { samples }).collect();
        let mean = time_weighted(&series, window, HOLD);
        let providers = by_provider.iter().map(|(provider, _)| *provider).collect();
        PlaceMean { mean, newest_observed_at, computed_at: now, providers }
    }
}

/// Sorts values by provider: the chain first, then providers that are no longer in it.
fn in_chain_order(
    sources: &Sources,
    samples: Vec<ProviderSample>,
) -> Vec<(ProviderId, Vec<Sample>)> {
    let chain = sources.chain().iter().map(|source| source.id());
    let mut order: Vec<ProviderId> = chain.collect();
    order.extend(ProviderId::ALL.into_iter().filter(|id| sources.get(*id).is_none()));
    let mut sorted: Vec<(ProviderId, Vec<Sample>)> =
        order.into_iter().map(|provider| (provider, Vec::new())).collect();
    for ProviderSample { provider, sample } in samples {
        let row = sorted.iter_mut().find(|(known, _)| *known == provider);
        row.expect("every provider has a row").1.push(sample);
    }
    sorted.retain(|(_, samples)| !samples.is_empty());
    sorted
}
