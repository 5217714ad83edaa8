//! The limits that suit each provider, as its terms of use and its refresh rhythm suggest.

use std::num::NonZeroU32;
use std::time::Duration;

use pampero_weather::provider::ProviderId;
use url::Url;

/// The page of the program, for services that want to know who asks.
pub(super) const CONTACT: &str = "github.com/pampero-weather/pampero";

const OPEN_METEO: &str = "https://api.open-meteo.com/";
const OPEN_METEO_CUSTOMER: &str = "https://customer-api.open-meteo.com/";
const GEOCODING: &str = "https://geocoding-api.open-meteo.com/";

/// Limits of one provider.
pub(super) struct Own {
    pub(super) stale_after: Duration,
    pub(super) backoff: Duration,
    pub(super) backoff_max: Duration,
    pub(super) concurrency: NonZeroU32,
    pub(super) rate: Option<(NonZeroU32, Duration)>,
    /// Units; 0 sets no limit.
    pub(super) quota_per_day: u64,
    /// Units; 0 sets no limit.
    pub(super) quota_per_month: u64,
    /// Places in one request: the default and the most the provider takes; `None` when it takes one.
    pub(super) batch_max: Option<(u64, u64)>,
}

/// Returns where a provider is asked; Open-Meteo has a server of its own for those with a key.
pub(super) fn base_url(id: ProviderId, has_key: bool) -> Url {
    let text = match id {
        ProviderId::OpenMeteo if has_key => OPEN_METEO_CUSTOMER,
        ProviderId::OpenMeteo => OPEN_METEO,
        ProviderId::MetNorway => "https://api.met.no/",
        ProviderId::OpenWeatherMap => "https://api.openweathermap.org/",
        ProviderId::Weatherstack => "https://api.weatherstack.com/",
    };
    text.parse().expect("the constant is a URL")
}

/// Returns where names of places are looked up.
pub(super) fn geocoding_url() -> Url {
    GEOCODING.parse().expect("the constant is a URL")
}

/// Returns the limits that suit a provider.
pub(super) fn limits(id: ProviderId, base_url: &Url, has_key: bool) -> Own {
    match id {
        ProviderId::OpenMeteo => open_meteo(base_url, has_key),
        ProviderId::MetNorway => Own {
            stale_after: minutes(120),
            backoff: Duration::from_secs(10),
            backoff_max: minutes(30),
            concurrency: units(4),
            rate: Some((units(20), Duration::from_secs(1))),
            quota_per_day: 0,
            quota_per_month: 0,
            batch_max: None,
        },
        ProviderId::OpenWeatherMap => Own {
            stale_after: minutes(180),
            backoff: Duration::from_secs(5),
            backoff_max: minutes(15),
            concurrency: units(4),
            rate: Some((units(60), minutes(1))),
            quota_per_day: 0,
            quota_per_month: 1_000_000,
            batch_max: None,
        },
        ProviderId::Weatherstack => Own {
            stale_after: minutes(180),
            backoff: Duration::from_secs(30),
            backoff_max: minutes(60),
            concurrency: units(1),
            rate: None,
            quota_per_day: 0,
            quota_per_month: 100,
            batch_max: None,
        },
    }
}

/// The free allowance holds for the free server alone: one of one's own has none, and a paying
/// customer's stands in a contract.
fn open_meteo(base_url: &Url, has_key: bool) -> Own {
    let free: Url = OPEN_METEO.parse().expect("the constant is a URL");
    let is_free = !has_key && base_url.host_str() == free.host_str();
    Own {
        stale_after: minutes(60),
        backoff: Duration::from_secs(5),
        backoff_max: minutes(10),
        concurrency: units(if is_free { 1 } else { 4 }),
        rate: is_free.then(|| (units(600), minutes(1))),
        quota_per_day: if is_free { 10_000 } else { 0 },
        quota_per_month: if is_free { 300_000 } else { 0 },
        batch_max: Some((100, 1_000)),
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

const fn units(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("a limit is not zero")
}
