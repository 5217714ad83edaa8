//! OpenWeatherMap 2.5: one place per call, a key in the address.
//!
//! Start reading at [`OpenWeatherMap`].

mod mapping;
mod refusal;
mod wire;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pampero_resilience::{Clock, QuotaWindow};
use pampero_weather::observation::SourceKind;
use pampero_weather::provider::ProviderId;
use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use crate::config::{check_key, checked_base_url, endpoint};
use crate::http::{SINGLE_BODY_MAX, send};
use crate::provider::the_one_place;
use crate::{
    Allowance, Answer, Ask, Attribution, ConfigError, Defaults, Profile, ProviderError, Rate,
    Refresh, WeatherProvider,
};

const ID: ProviderId = ProviderId::OpenWeatherMap;
const CURRENT_PATH: &str = "data/2.5/weather";

/// Where and how to ask OpenWeatherMap.
#[derive(Clone, Debug)]
pub struct OpenWeatherMapConfig {
    /// What stands before `data/2.5/weather`; `https://api.openweathermap.org/` by default.
    pub base_url: Url,
    /// The key. A new one can take two hours to start working.
    pub key: SecretString,
}

impl OpenWeatherMapConfig {
    /// Asks the public service with `key`.
    pub fn new(key: SecretString) -> Self {
        let base_url = "https://api.openweathermap.org/".parse().expect("the constant is a URL");
        Self { base_url, key }
    }
}

/// Reads current conditions from OpenWeatherMap: °C and m/s by `units=metric`, hPa, mm, m and UTC.
///
/// Source: OpenWeather, current weather API documentation, version 2.5.
#[derive(Debug)]
pub struct OpenWeatherMap {
    http: Client,
    clock: Arc<dyn Clock>,
    endpoint: Url,
    key: SecretString,
    profile: Profile,
}

impl OpenWeatherMap {
    /// Prepares to ask the service that `config` names.
    ///
    /// # Errors
    /// A base URL or key that cannot be used.
    pub fn new(
        config: OpenWeatherMapConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let OpenWeatherMapConfig { base_url, key } = config;
        check_key(ID, &key)?;
        let endpoint = endpoint(&checked_base_url(ID, &base_url)?, CURRENT_PATH);
        Ok(Self { http, clock, endpoint, key, profile: profile() })
    }
}

#[async_trait]
impl WeatherProvider for OpenWeatherMap {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        let Some(ask) = the_one_place(asks)? else { return Ok(Vec::new()) };
        let parameters = wire::parameters(ask, &self.key);
        let request = self.http.get(self.endpoint.clone()).query(&parameters);
        let answer = send(request, SINGLE_BODY_MAX, Some(&self.key)).await?;
        let observation = mapping::read(&answer, &ask.place, self.clock.now())?;
        Ok(vec![Answer { place: ask.place.id.clone(), outcome: Ok(observation), cache: None }])
    }
}

/// The limits of the free plan. Source: OpenWeather, pricing and terms.
fn profile() -> Profile {
    Profile {
        id: ID,
        name: "OpenWeatherMap",
        attribution: Attribution {
            text: "Weather data provided by OpenWeather",
            url: "https://openweathermap.org/",
        },
        source_kind: SourceKind::Blend,
        batch_max: 1,
        refresh: Refresh { every: Duration::from_secs(10 * 60), lag: Duration::from_secs(60) },
        defaults: Defaults {
            stale_after: Duration::from_secs(3 * 3600),
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(5),
            backoff_max: Duration::from_secs(15 * 60),
            concurrency: NonZeroU32::new(4).expect("not zero"),
            rate: Some(Rate {
                units: NonZeroU32::new(60).expect("not zero"),
                per: Duration::from_secs(60),
            }),
            allowances: vec![Allowance { window: QuotaWindow::Month, units: 1_000_000 }],
        },
    }
}
