//! Weatherstack: one place per call, a key in the address, and refusals that look like answers.
//!
//! Its free allowance is so small that it can only stand last in a chain.
//! Start reading at [`Weatherstack`].

mod instant;
mod mapping;
mod refusal;
mod wire;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pampero_resilience::{Clock, QuotaWindow};
use pampero_weather::observation::SourceKind;
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use crate::config::{check_key, checked_base_url, endpoint};
use crate::http::{SINGLE_BODY_MAX, send};
use crate::provider::the_one_place;
use crate::{
    Allowance, Answer, Ask, Attribution, ConfigError, Defaults, Profile, ProviderError, Refresh,
    WeatherProvider,
};

const ID: ProviderId = ProviderId::Weatherstack;
const CURRENT_PATH: &str = "current";
/// Most places of which it is remembered that they had an answer.
const ANSWERED_MAX: usize = 10_000;

/// Where and how to ask Weatherstack.
#[derive(Clone, Debug)]
pub struct WeatherstackConfig {
    /// What stands before `current`; `https://api.weatherstack.com/` by default.
    ///
    /// Some keys of the free plan are only accepted over `http`, where they travel in clear text.
    pub base_url: Url,
    /// The key.
    pub key: SecretString,
}

impl WeatherstackConfig {
    /// Asks the public service with `key`, over https.
    pub fn new(key: SecretString) -> Self {
        let base_url = "https://api.weatherstack.com/".parse().expect("the constant is a URL");
        Self { base_url, key }
    }

    /// Tells whether the key travels in clear text over the network.
    pub fn sends_key_in_clear_text(&self) -> bool {
        let is_loopback = match self.base_url.host() {
            Some(url::Host::Domain(domain)) => domain == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.base_url.scheme() == "http" && !is_loopback
    }
}

/// Reads current conditions from Weatherstack: °C, hPa and mm; km/h and km are converted.
///
/// Most values are whole numbers: 1 °C, 1 km/h, 1 km.
/// Source: Weatherstack, API documentation.
#[derive(Debug)]
pub struct Weatherstack {
    http: Client,
    clock: Arc<dyn Clock>,
    endpoint: Url,
    key: SecretString,
    profile: Profile,
    /// Places that had an answer since the program started, which gives "request failed" its
    /// meaning.
    answered: Mutex<HashSet<PlaceId>>,
}

impl Weatherstack {
    /// Prepares to ask the service that `config` names.
    ///
    /// # Errors
    /// A base URL or key that cannot be used.
    pub fn new(
        config: WeatherstackConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let WeatherstackConfig { base_url, key } = config;
        check_key(ID, &key)?;
        let endpoint = endpoint(&checked_base_url(ID, &base_url)?, CURRENT_PATH);
        Ok(Self { http, clock, endpoint, key, profile: profile(), answered: Mutex::default() })
    }

    fn has_answered(&self, place: &PlaceId) -> bool {
        self.answered.lock().expect("no code panics while it holds the places").contains(place)
    }

    fn note_answered(&self, place: &PlaceId) {
        let mut answered = self.answered.lock().expect("no code panics while it holds the places");
        if answered.len() < ANSWERED_MAX {
            answered.insert(place.clone());
        }
    }
}

#[async_trait]
impl WeatherProvider for Weatherstack {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        let Some(ask) = the_one_place(asks)? else { return Ok(Vec::new()) };
        let parameters = wire::parameters(&ask.place, &self.key);
        let request = self.http.get(self.endpoint.clone()).query(&parameters);
        let answer = send(request, SINGLE_BODY_MAX, Some(&self.key)).await?;
        let now = self.clock.now();
        let answered_before = self.has_answered(&ask.place.id);
        let observation = mapping::read(&answer, &ask.place, answered_before, now)?;
        self.note_answered(&ask.place.id);
        Ok(vec![Answer { place: ask.place.id.clone(), outcome: Ok(observation), cache: None }])
    }
}

/// The monthly allowance is the smallest that was ever published for the free plan.
/// No attribution is asked for; naming the source is what every observation does.
fn profile() -> Profile {
    Profile {
        id: ID,
        name: "Weatherstack",
        attribution: Attribution {
            text: "Weather data by Weatherstack",
            url: "https://weatherstack.com/",
        },
        source_kind: SourceKind::Blend,
        batch_max: 1,
        refresh: Refresh { every: Duration::from_secs(3600), lag: Duration::from_secs(300) },
        defaults: Defaults {
            stale_after: Duration::from_secs(3 * 3600),
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(30),
            backoff_max: Duration::from_secs(3600),
            concurrency: NonZeroU32::new(1).expect("not zero"),
            rate: None,
            allowances: vec![Allowance { window: QuotaWindow::Month, units: 100 }],
        },
    }
}
