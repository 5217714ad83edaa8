//! A provider with everything that stands round it: its stack, its limits, how it has been lately.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use pampero_providers::{Profile, WeatherProvider};
use pampero_resilience::{Distribution, DistributionSnapshot, FailureClass, Stack};
use pampero_weather::provider::ProviderId;

use crate::Role;

/// A provider that is asked through its stack.
pub struct Source {
    /// The provider.
    pub provider: Arc<dyn WeatherProvider>,
    /// What stands between us and the provider.
    pub stack: Stack,
    /// Older observations of this provider are stale.
    pub stale_after: Duration,
    status: Mutex<SourceStatus>,
    served_as_primary: AtomicU64,
    served_as_fallback: AtomicU64,
    batch_sizes: Distribution,
    answer_ages: Distribution,
}

/// Upper bounds for the places of one call.
const BATCH_BOUNDS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0];

/// Upper bounds for the age of an observation when it arrives, in seconds.
const AGE_BOUNDS_S: [f64; 10] =
    [60.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 10_800.0, 21_600.0, 86_400.0];

/// What a provider was good for since the program started.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceStats {
    /// Places that a round served from it as the first of the chain.
    pub served_as_primary: u64,
    /// Places that a round served from it because the earlier ones gave no answer.
    pub served_as_fallback: u64,
    /// Places that were asked for in one call.
    pub batch_sizes: DistributionSnapshot,
    /// Age of the observations when a round served them, in seconds.
    pub answer_ages: DistributionSnapshot,
}

/// How a provider has been since the program started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceStatus {
    /// When the last good answer came; `None` before the first.
    pub last_success_at: Option<Timestamp>,
    /// The last failed call; `None` before the first.
    pub last_failure: Option<LastFailure>,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq)]
pub struct LastFailure {
    /// When it ended.
    pub at: Timestamp,
    /// What it means.
    pub class: FailureClass,
    /// The whole chain of causes in words.
    pub message: String,
}

impl Source {
    /// Puts a provider behind its stack.
    pub fn new(provider: Arc<dyn WeatherProvider>, stack: Stack, stale_after: Duration) -> Self {
        Self {
            provider,
            stack,
            stale_after,
            status: Mutex::default(),
            served_as_primary: AtomicU64::new(0),
            served_as_fallback: AtomicU64::new(0),
            batch_sizes: Distribution::new(&BATCH_BOUNDS),
            answer_ages: Distribution::new(&AGE_BOUNDS_S),
        }
    }

    /// Returns which provider it is.
    pub fn id(&self) -> ProviderId {
        self.profile().id
    }

    /// Returns what is fixed about the provider.
    pub fn profile(&self) -> &Profile {
        self.provider.profile()
    }

    /// Returns how the provider has been.
    pub fn status(&self) -> SourceStatus {
        self.status.lock().expect("no code panics while it holds the status").clone()
    }

    /// Returns what the provider was good for.
    pub fn stats(&self) -> SourceStats {
        SourceStats {
            served_as_primary: self.served_as_primary.load(Ordering::Relaxed),
            served_as_fallback: self.served_as_fallback.load(Ordering::Relaxed),
            batch_sizes: self.batch_sizes.snapshot(),
            answer_ages: self.answer_ages.snapshot(),
        }
    }

    pub(crate) fn note_batch(&self, place_count: usize) {
        self.batch_sizes.record(place_count as f64);
    }

    pub(crate) fn note_served(&self, role: &Role, age: Duration) {
        let served = match role {
            Role::Primary => &self.served_as_primary,
            Role::Fallback { .. } => &self.served_as_fallback,
        };
        served.fetch_add(1, Ordering::Relaxed);
        self.answer_ages.record_duration(age);
    }

    pub(crate) fn note_success(&self, at: Timestamp) {
        let mut status = self.status.lock().expect("no code panics while it holds the status");
        status.last_success_at = Some(at);
    }

    pub(crate) fn note_failure(&self, at: Timestamp, class: FailureClass, message: impl Display) {
        let mut status = self.status.lock().expect("no code panics while it holds the status");
        status.last_failure = Some(LastFailure { at, class, message: message.to_string() });
    }
}

/// The providers in use, in the order of the chain.
#[derive(Clone)]
pub struct Sources(Arc<Vec<Arc<Source>>>);

impl Sources {
    /// Takes the providers in the order in which they are asked.
    pub fn new(chain: Vec<Source>) -> Self {
        Self(Arc::new(chain.into_iter().map(Arc::new).collect()))
    }

    /// Returns the providers in the order in which they are asked.
    pub fn chain(&self) -> &[Arc<Source>] {
        &self.0
    }

    /// Returns the source of a provider; `None` when it is not in the chain.
    pub fn get(&self, provider: ProviderId) -> Option<&Arc<Source>> {
        self.0.iter().find(|source| source.id() == provider)
    }
}
