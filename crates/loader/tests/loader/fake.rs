//! A provider that says what the test told it to say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use pampero_providers::{Answer, Ask, CachedAnswer, Profile, ProviderError, WeatherProvider};
use pampero_resilience::Clock;
use pampero_weather::observation::{Observation, Readings};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::QualityFlags;
use pampero_weather::unit::Celsius;

/// What the fake says to one call.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// This temperature in °C, observed so long before now, for every place.
    Degrees(f64, SignedDuration),
    /// This temperature in °C, observed at this instant, for every place.
    At(f64, Timestamp),
    /// The same, but a failure for the named place.
    DegreesExcept(f64, &'static str),
    /// A server error.
    Down,
    /// The key is refused.
    KeyRefused,
    /// Nothing for the place.
    NotCovered,
    /// No answer, ever.
    Hang,
    /// The adapter has a bug.
    Panic,
}

/// A provider under the control of a test.
pub(crate) struct FakeProvider {
    profile: Profile,
    clock: Arc<dyn Clock>,
    script: Mutex<VecDeque<Say>>,
    always: Mutex<Say>,
    calls: Mutex<Vec<Vec<PlaceId>>>,
    expires_after: Mutex<Option<SignedDuration>>,
}

impl FakeProvider {
    pub(crate) fn new(profile: Profile, clock: Arc<dyn Clock>) -> Self {
        let always = Mutex::new(Say::Degrees(10.0, SignedDuration::ZERO));
        Self {
            profile,
            clock,
            script: Mutex::default(),
            always,
            calls: Mutex::default(),
            expires_after: Mutex::default(),
        }
    }

    /// Says this from now on.
    pub(crate) fn always(&self, say: Say) {
        *self.always.lock().unwrap() = say;
    }

    /// Says these first, one call each.
    pub(crate) fn next(&self, says: impl IntoIterator<Item = Say>) {
        self.script.lock().unwrap().extend(says);
    }

    /// Lets every answer be kept for so long.
    pub(crate) fn expires_after(&self, kept_for: SignedDuration) {
        *self.expires_after.lock().unwrap() = Some(kept_for);
    }

    /// Returns the places of every call so far.
    pub(crate) fn calls(&self) -> Vec<Vec<PlaceId>> {
        self.calls.lock().unwrap().clone()
    }

    fn observation(
        &self,
        ask: &Ask,
        degrees: f64,
        fetched_at: Timestamp,
        age: SignedDuration,
    ) -> Observation {
        let temperature = Some(Celsius(degrees));
        Observation {
            place: ask.place.id.clone(),
            provider: self.profile.id,
            observed_at: fetched_at - age,
            fetched_at,
            source_kind: self.profile.source_kind,
            readings: Readings { temperature, ..Readings::default() },
            condition: None,
            flags: QualityFlags::default(),
        }
    }

    fn answer(&self, ask: &Ask, degrees: f64, age: SignedDuration) -> Answer {
        let now = self.clock.now();
        let kept_for = *self.expires_after.lock().unwrap();
        let cache = kept_for.map(|kept_for| CachedAnswer {
            fetched_at: now,
            expires_at: Some(now + kept_for),
            last_modified: None,
            body: degrees.to_string(),
        });
        let outcome = Ok(self.observation(ask, degrees, now, age));
        Answer { place: ask.place.id.clone(), outcome, cache }
    }
}

#[async_trait]
impl WeatherProvider for FakeProvider {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn replay(&self, ask: &Ask, now: Timestamp) -> Option<Answer> {
        let cached = ask.cached.as_ref()?;
        (now < cached.expires_at?).then(|| {
            let degrees = cached.body.parse().unwrap();
            let outcome =
                Ok(self.observation(ask, degrees, cached.fetched_at, SignedDuration::ZERO));
            Answer { place: ask.place.id.clone(), outcome, cache: None }
        })
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        self.calls.lock().unwrap().push(asks.iter().map(|ask| ask.place.id.clone()).collect());
        let scripted = self.script.lock().unwrap().pop_front();
        let say = scripted.unwrap_or_else(|| self.always.lock().unwrap().clone());
        tokio::time::sleep(Duration::from_millis(20)).await;
        match say {
            Say::Degrees(degrees, age) => {
                Ok(asks.iter().map(|ask| self.answer(ask, degrees, age)).collect())
            }
            Say::At(degrees, observed_at) => {
                let age = self.clock.now().duration_since(observed_at);
                Ok(asks.iter().map(|ask| self.answer(ask, degrees, age)).collect())
            }
            Say::DegreesExcept(degrees, except) => Ok(asks
                .iter()
                .map(|ask| {
                    let mut answer = self.answer(ask, degrees, SignedDuration::ZERO);
                    if ask.place.id.as_str() == except {
                        let reason = "one element is null".to_owned();
                        answer.outcome = Err(ProviderError::Malformed { reason });
                    }
                    answer
                })
                .collect()),
            Say::Down => Err(ProviderError::Server {
                status: 503,
                message: "overloaded".to_owned(),
                retry_after: None,
            }),
            Say::KeyRefused => Err(ProviderError::Auth { message: "wrong key".to_owned() }),
            Say::NotCovered => {
                Err(ProviderError::NotCovered { message: "nothing here".to_owned() })
            }
            Say::Hang => std::future::pending().await,
            Say::Panic => panic!("the adapter has a bug"),
        }
    }
}

/// Returns the id of a provider for a rank in the chain of a test.
pub(crate) fn provider_of_rank(rank: usize) -> ProviderId {
    ProviderId::ALL[rank]
}
