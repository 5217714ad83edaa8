//! The four adapters, each pointed at a stand-in, with an answer that it understands.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use pampero_providers::met_norway::{MetNorway, MetNorwayConfig};
use pampero_providers::open_meteo::{OpenMeteo, OpenMeteoConfig};
use pampero_providers::openweathermap::{OpenWeatherMap, OpenWeatherMapConfig};
use pampero_providers::weatherstack::{Weatherstack, WeatherstackConfig};
use pampero_providers::{Ask, WeatherProvider, http_client_without_proxy};
use pampero_resilience::Clock;
use pampero_weather::place::{Coordinates, Place};
use pampero_weather::provider::ProviderId;
use url::Url;

/// The key that must never be shown, with a character that addresses spell differently.
pub(crate) const KEY: &str = "5ecre7/marker";
pub(crate) const KEY_IN_ADDRESS: &str = "5ecre7%2Fmarker";
pub(crate) const USER_AGENT: &str = "Pampero/0.0 (test)";
pub(crate) const CONTACT: &str = "ops@example.org";

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct StoppedClock(Timestamp);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    instant("2026-09-21T14:20:30Z")
}

pub(crate) fn clock_at(now: Timestamp) -> Arc<dyn Clock> {
    Arc::new(StoppedClock(now))
}

/// Returns the one client of all tests; no connection outlives its test, because stand-ins close them.
pub(crate) fn client() -> reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| http_client_without_proxy(USER_AGENT).unwrap()).clone()
}

pub(crate) fn ask(id: &str, latitude: f64, longitude: f64) -> Ask {
    let coordinates = Coordinates::new(latitude, longitude).unwrap();
    let place = Place::new(id.parse().unwrap(), id, coordinates, Some(25.0), "UTC").unwrap();
    Ask { place, cached: None }
}

pub(crate) fn buenos_aires() -> Ask {
    ask("buenos-aires", -34.603_722, -58.381_592)
}

/// Builds an adapter for `base_url` with [`KEY`] or [`CONTACT`], at [`now`].
pub(crate) fn adapter(id: ProviderId, base_url: Url) -> Arc<dyn WeatherProvider> {
    match id {
        ProviderId::OpenMeteo => Arc::new(open_meteo(base_url)),
        ProviderId::MetNorway => Arc::new(met_norway(base_url, now())),
        ProviderId::OpenWeatherMap => {
            let config = OpenWeatherMapConfig { base_url, ..OpenWeatherMapConfig::new(KEY.into()) };
            Arc::new(OpenWeatherMap::new(config, client(), clock_at(now())).unwrap())
        }
        ProviderId::Weatherstack => {
            let config = WeatherstackConfig { base_url, ..WeatherstackConfig::new(KEY.into()) };
            Arc::new(Weatherstack::new(config, client(), clock_at(now())).unwrap())
        }
    }
}

pub(crate) fn open_meteo(base_url: Url) -> OpenMeteo {
    let config = OpenMeteoConfig { base_url, ..OpenMeteoConfig::for_customer(KEY.into()) };
    OpenMeteo::new(config, client(), clock_at(now())).unwrap()
}

pub(crate) fn met_norway(base_url: Url, now: Timestamp) -> MetNorway {
    let config = MetNorwayConfig { base_url, ..MetNorwayConfig::new(CONTACT) };
    MetNorway::new(config, client(), clock_at(now)).unwrap()
}

/// Returns an answer of the service with values at [`now`].
pub(crate) fn good_answer(id: ProviderId) -> &'static str {
    match id {
        ProviderId::OpenMeteo => include_str!("../../fixtures/open_meteo/one.json"),
        ProviderId::MetNorway => include_str!("../../fixtures/met_norway/complete.json"),
        ProviderId::OpenWeatherMap => include_str!("../../fixtures/openweathermap/rain.json"),
        ProviderId::Weatherstack => include_str!("../../fixtures/weatherstack/current.json"),
    }
}
