//! Open-Meteo: the default service, without a key, many places in one request.
//!
//! Its values are model output interpolated to the quarter hour, not measurements.
//! Start reading at [`OpenMeteo`]; places are looked up by the [`Geocoder`].

mod batch;
mod geocoding;
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
use reqwest::header::HeaderValue;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use geocoding::{FoundPlace, Geocoder, GeocoderConfig, Located};

use crate::config::{check_key, checked_base_url, endpoint};
use crate::http::{BULK_BODY_MAX, SINGLE_BODY_MAX, send};
use crate::{
    Allowance, Answer, Ask, Attribution, ConfigError, Defaults, Profile, ProviderError, Rate,
    Refresh, WeatherProvider,
};

const ID: ProviderId = ProviderId::OpenMeteo;
const FORECAST_PATH: &str = "v1/forecast";
/// The host of the free service, and of the one for paying customers.
const FREE_HOST: &str = "api.open-meteo.com";
const CUSTOMER_BASE: &str = "https://customer-api.open-meteo.com/";
/// Most places the service takes in one request.
const PLACES_MAX: usize = 1000;
/// With more places the question goes in the body of a POST: the address would pass 4 kB, and
/// servers and proxies begin to refuse at 8 kB.
const GET_PLACES_MAX: usize = 100;

/// Where and how to ask Open-Meteo.
#[derive(Clone, Debug)]
pub struct OpenMeteoConfig {
    /// What stands before `v1/forecast`; `https://api.open-meteo.com/` by default.
    pub base_url: Url,
    /// The key of a paying customer; `None`, the default, for the free service.
    pub key: Option<SecretString>,
    /// Most places in one request, 1 to 1000; 100 by default.
    pub batch_max: usize,
}

impl Default for OpenMeteoConfig {
    fn default() -> Self {
        Self { base_url: free_base(), key: None, batch_max: 100 }
    }
}

impl OpenMeteoConfig {
    /// Asks the service for paying customers, which only answers with a key.
    pub fn for_customer(key: SecretString) -> Self {
        let base_url = CUSTOMER_BASE.parse().expect("the constant is a URL");
        Self { base_url, key: Some(key), ..Self::default() }
    }
}

fn free_base() -> Url {
    format!("https://{FREE_HOST}/").parse().expect("the constant is a URL")
}

/// Reads current conditions from Open-Meteo: °C, hPa, m/s and UTC, all asked for explicitly.
///
/// Makes no conditional requests: the service has neither `ETag` nor `Expires`.
/// Source: Open-Meteo, weather forecast API documentation and server source.
#[derive(Debug)]
pub struct OpenMeteo {
    http: Client,
    clock: Arc<dyn Clock>,
    endpoint: Url,
    key: Option<SecretString>,
    profile: Profile,
}

impl OpenMeteo {
    /// Prepares to ask the service that `config` names.
    ///
    /// # Errors
    /// A base URL, key or batch size that cannot be used.
    pub fn new(
        config: OpenMeteoConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let OpenMeteoConfig { base_url, key, batch_max } = config;
        let base_url = checked_base_url(ID, &base_url)?;
        if let Some(key) = &key {
            check_key(ID, key)?;
        }
        if !(1..=PLACES_MAX).contains(&batch_max) {
            return Err(ConfigError::BatchMax { provider: ID, limit: PLACES_MAX });
        }
        let is_free = key.is_none() && base_url.host_str() == Some(FREE_HOST);
        let profile = profile(batch_max, is_free);
        Ok(Self { http, clock, endpoint: endpoint(&base_url, FORECAST_PATH), key, profile })
    }

    fn request(&self, asks: &[Ask]) -> RequestBuilder {
        let parameters = wire::parameters(asks);
        let request = if asks.len() <= GET_PLACES_MAX {
            self.http.get(self.endpoint.clone()).query(&parameters)
        } else {
            self.http.post(self.endpoint.clone()).form(&parameters)
        };
        with_key(request, self.key.as_ref())
    }
}

#[async_trait]
impl WeatherProvider for OpenMeteo {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Source: Open-Meteo, API pricing: 10 variables cost 1 call per place.
    fn cost(&self, asks: &[Ask]) -> u32 {
        let weighted = (asks.len() * wire::VARIABLES.len()).div_ceil(10);
        u32::try_from(weighted.max(asks.len())).unwrap_or(u32::MAX)
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let body_max = if asks.len() == 1 { SINGLE_BODY_MAX } else { BULK_BODY_MAX };
        let answer = send(self.request(asks), body_max, self.key.as_ref()).await?;
        batch::read(&answer, asks, self.clock.now())
    }
}

/// Puts the key, if there is one, where no log of addresses shows it.
fn with_key(request: RequestBuilder, key: Option<&SecretString>) -> RequestBuilder {
    let Some(key) = key else { return request };
    let mut value = HeaderValue::from_str(key.expose_secret()).expect("a checked key is ASCII");
    value.set_sensitive(true);
    request.header("x-api-key", value)
}

/// The free allowance holds only for the free host: a server of one's own has none, and what a
/// paying customer may use stands in a contract. The free host runs one request at a time.
fn profile(batch_max: usize, is_free: bool) -> Profile {
    let per_minute =
        Rate { units: NonZeroU32::new(600).expect("not zero"), per: Duration::from_secs(60) };
    let allowances = [
        Allowance { window: QuotaWindow::Day, units: 10_000 },
        Allowance { window: QuotaWindow::Month, units: 300_000 },
    ];
    Profile {
        id: ID,
        name: "Open-Meteo",
        attribution: Attribution {
            text: "Weather data by Open-Meteo.com",
            url: "https://open-meteo.com/",
        },
        source_kind: SourceKind::Model,
        batch_max,
        refresh: Refresh { every: Duration::from_secs(15 * 60), lag: Duration::from_secs(90) },
        defaults: Defaults {
            stale_after: Duration::from_secs(60 * 60),
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(5),
            backoff_max: Duration::from_secs(10 * 60),
            concurrency: NonZeroU32::new(if is_free { 1 } else { 4 }).expect("not zero"),
            rate: is_free.then_some(per_minute),
            allowances: if is_free { allowances.to_vec() } else { Vec::new() },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_travels_in_a_header_that_is_not_printed() {
        let client = crate::http_client_without_proxy("Pampero/0.0").expect("a client");
        let request = with_key(client.get("http://127.0.0.1:9/"), Some(&"marker".into()));
        let request = request.build().expect("a request");
        assert_eq!(request.headers()["x-api-key"], "marker");
        assert!(!format!("{request:?}").contains("marker"), "{request:?}");
    }
}
