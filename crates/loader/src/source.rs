//! A provider with everything that stands round it: its stack, its limits, how it has been lately.

use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use pampero_providers::{Profile, WeatherProvider};
use pampero_resilience::{FailureClass, Stack};
use pampero_weather::provider::ProviderId;

/// A provider that is asked through its stack.
pub struct Source {
    /// The provider.
    pub provider: Arc<dyn WeatherProvider>,
    /// What stands between us and the provider.
    pub stack: Stack,
    /// Older observations of this provider are stale.
    pub stale_after: Duration,
    status: Mutex<SourceStatus>,
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
        Self { provider, stack, stale_after, status: Mutex::default() }
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
