//! Looking places up: positions by name, height and time zone by position.

use std::sync::Arc;
use std::time::Duration;

use pampero_resilience::Clock;
use pampero_weather::place::Coordinates;
use reqwest::Client;
use secrecy::SecretString;
use url::Url;

use super::refusal::refusal;
use super::{FORECAST_PATH, ID, free_base, wire, with_key};
use crate::config::{check_key, checked_base_url, endpoint};
use crate::http::{RawAnswer, SINGLE_BODY_MAX, send};
use crate::{ConfigError, ProviderError};

const SEARCH_PATH: &str = "v1/search";
/// Most matches the service gives.
const COUNT_MAX: u8 = 100;
/// Longest time of one look-up: nothing stands round the geocoder that would end it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where to look places up.
#[derive(Clone, Debug)]
pub struct GeocoderConfig {
    /// What stands before `v1/search`; `https://geocoding-api.open-meteo.com/` by default.
    pub search_url: Url,
    /// What stands before `v1/forecast`; `https://api.open-meteo.com/` by default.
    pub forecast_url: Url,
    /// The key of a paying customer; `None`, the default, for the free service.
    pub key: Option<SecretString>,
}

impl Default for GeocoderConfig {
    fn default() -> Self {
        let search_url =
            "https://geocoding-api.open-meteo.com/".parse().expect("the constant is a URL");
        Self { search_url, forecast_url: free_base(), key: None }
    }
}

/// Finds places through Open-Meteo, whose names come from GeoNames.
///
/// Source: Open-Meteo, geocoding API documentation.
#[derive(Debug)]
pub struct Geocoder {
    http: Client,
    clock: Arc<dyn Clock>,
    search: Url,
    forecast: Url,
    key: Option<SecretString>,
}

/// A place that matches a name.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPlace {
    /// Its name in the language that was asked for, where it has one.
    pub name: String,
    /// Where it is.
    pub coordinates: Coordinates,
    /// Height above mean sea level in metres; `None` when unknown or zero, which look alike.
    pub elevation_m: Option<f64>,
    /// IANA name of its time zone; `None` when unknown.
    pub time_zone: Option<String>,
    /// The country by name; `None` when it lies in none.
    pub country: Option<String>,
    /// The country in two letters, ISO 3166-1; `None` when it lies in none.
    pub country_code: Option<String>,
    /// State, province or region; `None` when unknown.
    pub admin1: Option<String>,
    /// Inhabitants; `None` when unknown or none.
    pub population: Option<u64>,
}

/// What is known of a position.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// Height of the terrain above mean sea level in metres; `None` when the model has none.
    pub elevation_m: Option<f64>,
    /// IANA name of the time zone.
    pub time_zone: String,
}

impl Geocoder {
    /// Prepares to ask the services that `config` names.
    ///
    /// # Errors
    /// A base URL or key that cannot be used.
    pub fn new(
        config: GeocoderConfig,
        http: Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let GeocoderConfig { search_url, forecast_url, key } = config;
        if let Some(key) = &key {
            check_key(ID, key)?;
        }
        let search = endpoint(&checked_base_url(ID, &search_url)?, SEARCH_PATH);
        let forecast = endpoint(&checked_base_url(ID, &forecast_url)?, FORECAST_PATH);
        Ok(Self { http, clock, search, forecast, key })
    }

    /// Finds places by name, as in `Rosario` or `Springfield, Illinois`, the best match first.
    ///
    /// One character finds nothing, two find exact names only. `count` is cut to 1 to 100;
    /// `language` is a code like `es`, English when it is `None`. Empty when nothing matches.
    ///
    /// # Errors
    /// The service gave no answer that can be read.
    pub async fn search(
        &self,
        name: &str,
        count: u8,
        language: Option<&str>,
    ) -> Result<Vec<FoundPlace>, ProviderError> {
        let count = count.clamp(1, COUNT_MAX).to_string();
        let mut parameters = vec![("name", name), ("count", count.as_str()), ("format", "json")];
        parameters.extend(language.map(|language| ("language", language)));
        let answer = self.get(&self.search, &parameters).await?;
        let matches: wire::Matches = answer.json()?;
        Ok(matches.results.into_iter().filter_map(found_place).collect())
    }

    /// Finds height and time zone of a position.
    ///
    /// # Errors
    /// The service gave no answer that can be read.
    pub async fn locate(&self, coordinates: Coordinates) -> Result<Located, ProviderError> {
        let latitude = wire::degrees(coordinates.latitude());
        let longitude = wire::degrees(coordinates.longitude());
        let parameters = [
            ("latitude", latitude.as_str()),
            ("longitude", longitude.as_str()),
            ("current", "temperature_2m"),
            ("forecast_days", "1"),
            ("timezone", "auto"),
        ];
        let answer = self.get(&self.forecast, &parameters).await?;
        let site: wire::Site = answer.json()?;
        Ok(Located { elevation_m: site.elevation.map(|height| height.0), time_zone: site.timezone })
    }

    async fn get(
        &self,
        url: &Url,
        parameters: &[(&str, &str)],
    ) -> Result<RawAnswer, ProviderError> {
        let request = self.http.get(url.clone()).query(parameters).timeout(TIMEOUT);
        let request = with_key(request, self.key.as_ref());
        let answer = send(request, SINGLE_BODY_MAX, self.key.as_ref()).await?;
        match refusal(&answer, self.clock.now()) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }
}

/// Takes over one match; `None` for a position that cannot be.
///
/// Zero and empty fields are absent, so a missing latitude is the equator.
/// Left out: `id`, `feature_code`, the ids of regions, `admin2` to `admin4` and `postcodes`,
/// because nothing here asks for them.
fn found_place(found: wire::Match) -> Option<FoundPlace> {
    let degrees = |number: Option<crate::number::Number>| number.map_or(0.0, |number| number.0);
    let coordinates = Coordinates::new(degrees(found.latitude), degrees(found.longitude)).ok()?;
    let population = found.population.and_then(|people| u64::try_from(people.whole()).ok());
    Some(FoundPlace {
        name: found.name,
        coordinates,
        elevation_m: found.elevation.map(|height| height.0),
        time_zone: found.timezone,
        country: found.country,
        country_code: found.country_code,
        admin1: found.admin1,
        population,
    })
}
