//! Puts the providers of the configuration together, each behind its stack.

use std::sync::Arc;

use anyhow::Context;
use pampero_loader::{Source, Sources};
use pampero_providers::met_norway::{MetNorway, MetNorwayConfig};
use pampero_providers::open_meteo::{Geocoder, GeocoderConfig, OpenMeteo, OpenMeteoConfig};
use pampero_providers::openweathermap::{OpenWeatherMap, OpenWeatherMapConfig};
use pampero_providers::weatherstack::{Weatherstack, WeatherstackConfig};
use pampero_providers::{WeatherProvider, http_client};
use pampero_resilience::{Clock, QuotaLedger, Stack};
use pampero_weather::provider::ProviderId;
use secrecy::SecretString;

use crate::config::{Config, ProviderConfig};
use crate::http::{USER_AGENT, direct_client};
use crate::lookup::GeocoderLookup;
use crate::service::Network;

/// The HTTP client and the clock that all providers share.
pub(crate) struct Workshop {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Workshop {
    /// Makes the shared client.
    ///
    /// # Errors
    /// The system offers no TLS roots.
    pub(crate) fn new(network: Network, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let http = match network {
            Network::Public => http_client(USER_AGENT).context("no HTTP client can be made"),
            Network::Loopback => direct_client(),
        };
        Ok(Self { http: http?, clock })
    }

    /// Puts the chain together.
    ///
    /// # Errors
    /// A provider refuses its configuration, or the ledger cannot be read.
    pub(crate) async fn sources(
        &self,
        config: &Config,
        ledger: Arc<dyn QuotaLedger>,
    ) -> anyhow::Result<Sources> {
        let mut chain = Vec::new();
        for id in &config.chain {
            let section = config.providers.get(id).context("every provider has a section")?;
            let provider = self.provider(*id, section)?;
            let stack = Stack::open(
                id.as_str(),
                section.policy.clone(),
                Arc::clone(&self.clock),
                Arc::clone(&ledger),
                rand::random(),
            );
            chain.push(Source::new(provider, stack.await?, section.stale_after));
        }
        Ok(Sources::new(chain))
    }

    /// Puts the place look-up together.
    ///
    /// # Errors
    /// The configuration of Open-Meteo is refused.
    pub(crate) fn lookup(&self, config: &Config) -> anyhow::Result<GeocoderLookup> {
        let default = GeocoderConfig::default();
        let section = config.providers.get(&ProviderId::OpenMeteo);
        let config = match section {
            None => default,
            Some(section) => GeocoderConfig {
                search_url: section.geocoding_url.clone().unwrap_or(default.search_url),
                forecast_url: section.base_url.clone(),
                key: section.key.clone(),
            },
        };
        Ok(GeocoderLookup(Geocoder::new(config, self.http.clone(), Arc::clone(&self.clock))?))
    }

    fn provider(
        &self,
        id: ProviderId,
        section: &ProviderConfig,
    ) -> anyhow::Result<Arc<dyn WeatherProvider>> {
        let http = self.http.clone();
        let clock = Arc::clone(&self.clock);
        let base_url = section.base_url.clone();
        Ok(match id {
            ProviderId::OpenMeteo => {
                let key = section.key.clone();
                let config = OpenMeteoConfig { base_url, key, batch_max: section.batch_max };
                Arc::new(OpenMeteo::new(config, http, clock)?)
            }
            ProviderId::MetNorway => {
                let contact = section.contact.clone().unwrap_or_default();
                Arc::new(MetNorway::new(MetNorwayConfig { base_url, contact }, http, clock)?)
            }
            ProviderId::OpenWeatherMap => {
                let key = key_of(id, section)?;
                Arc::new(OpenWeatherMap::new(OpenWeatherMapConfig { base_url, key }, http, clock)?)
            }
            ProviderId::Weatherstack => {
                let key = key_of(id, section)?;
                Arc::new(Weatherstack::new(WeatherstackConfig { base_url, key }, http, clock)?)
            }
        })
    }
}

fn key_of(id: ProviderId, section: &ProviderConfig) -> anyhow::Result<SecretString> {
    section.key.clone().with_context(|| format!("{id} has no key"))
}
