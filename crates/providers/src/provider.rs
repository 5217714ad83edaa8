//! The role every weather service plays.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use pampero_resilience::QuotaWindow;
use pampero_weather::observation::{Observation, SourceKind};
use pampero_weather::place::{Place, PlaceId};
use pampero_weather::provider::ProviderId;

use crate::ProviderError;

/// A weather service that can be asked for current conditions.
#[async_trait]
pub trait WeatherProvider: Send + Sync {
    /// Returns what is fixed about the service.
    fn profile(&self) -> &Profile;

    /// Returns what one call for `asks` costs in units of the service's allowance.
    fn cost(&self, asks: &[Ask]) -> u32 {
        u32::try_from(asks.len()).unwrap_or(u32::MAX)
    }

    /// Answers from the kept answer alone, while the service forbids asking again.
    ///
    /// `None` when there is no kept answer, when it may be refreshed by now, or when the service
    /// has no such rule. Makes no call.
    fn replay(&self, _ask: &Ask, _now: Timestamp) -> Option<Answer> {
        None
    }

    /// Makes one attempt to fetch current conditions for `asks`, at most `profile().batch_max` of
    /// them.
    ///
    /// The answers come in the order of `asks`, one for each.
    ///
    /// # Errors
    /// The attempt failed as a whole. What failed for one place of many is in that place's answer.
    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError>;
}

/// What is fixed about a service.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which service it is.
    pub id: ProviderId,
    /// The name for people, as in `Open-Meteo`.
    pub name: &'static str,
    /// Whom to credit.
    pub attribution: Attribution,
    /// How the service comes by its values.
    pub source_kind: SourceKind,
    /// Most places in one call.
    pub batch_max: usize,
    /// When the service has new values.
    pub refresh: Refresh,
    /// The limits to start from when the operator says nothing else.
    pub defaults: Defaults,
}

/// The limits to start from; what the service demands, and our choice where it demands nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Defaults {
    /// Older observations of the service are stale.
    pub stale_after: Duration,
    /// Longest time of one attempt.
    pub attempt_timeout: Duration,
    /// Wait before the first repeat of a failed attempt.
    pub backoff: Duration,
    /// The wait does not grow beyond this.
    pub backoff_max: Duration,
    /// Most attempts at the same time.
    pub concurrency: NonZeroU32,
    /// Most units, as counted by [`WeatherProvider::cost`], in a short time; `None` sets no limit.
    pub rate: Option<Rate>,
    /// Most units per calendar window; empty sets no limit.
    pub allowances: Vec<Allowance>,
}

/// So many units in a stretch of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// The units.
    pub units: NonZeroU32,
    /// The stretch of time.
    pub per: Duration,
}

/// So many units in a calendar window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Allowance {
    /// The window.
    pub window: QuotaWindow,
    /// The units.
    pub units: u64,
}

/// The credit a service asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attribution {
    /// The words to show.
    pub text: &'static str,
    /// The link behind the words.
    pub url: &'static str,
}

/// The rhythm in which a service renews its values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refresh {
    /// New values come at whole multiples of this since the Unix epoch.
    pub every: Duration,
    /// They can be fetched this long after the multiple.
    pub lag: Duration,
}

/// A question for one place.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The place.
    pub place: Place,
    /// The answer kept from an earlier call, for services that want conditional requests.
    pub cached: Option<CachedAnswer>,
}

/// The answer for one place.
#[derive(Debug)]
pub struct Answer {
    /// The place it is for.
    pub place: PlaceId,
    /// What the service said, or why it said nothing for this place.
    pub outcome: Result<Observation, ProviderError>,
    /// What to keep for the next question; `None` when nothing is to be kept.
    pub cache: Option<CachedAnswer>,
}

/// An answer to be kept, across restarts, until the service allows the next question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CachedAnswer {
    /// When the body arrived here (not when it was last confirmed as unchanged).
    pub fetched_at: Timestamp,
    /// Before this instant the service must not be asked again; `None` when it did not say.
    pub expires_at: Option<Timestamp>,
    /// `Last-Modified` as the service wrote it; `None` when it did not.
    pub last_modified: Option<String>,
    /// What the adapter needs to answer again; only the adapter can read it.
    pub body: String,
}

/// Returns the place to ask for of a service that takes one per call; `None` when there is none.
///
/// # Errors
/// There are several, against `batch_max`.
pub(crate) fn the_one_place(asks: &[Ask]) -> Result<Option<&Ask>, ProviderError> {
    match asks {
        [] => Ok(None),
        [ask] => Ok(Some(ask)),
        [..] => {
            let message = format!("{} places in one call, but it takes one at a time", asks.len());
            Err(ProviderError::BadRequest { message })
        }
    }
}
