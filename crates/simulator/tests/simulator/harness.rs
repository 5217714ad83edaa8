//! A running simulator with a clock that the test sets, and a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use pampero_simulator::{Fault, RunningSimulator, Simulator, SimulatorConfig};
use pampero_weather::provider::ProviderId;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The instant at which a simulator starts unless told otherwise: twelve minutes past the hour.
pub(crate) const START: &str = "2026-09-21T14:12:00Z";

/// Where all stand-ins can be asked without further parameters.
pub(crate) const WEATHER_PATHS: [(ProviderId, &str); 4] = [
    (ProviderId::OpenMeteo, FORECAST),
    (ProviderId::MetNorway, "weatherapi/locationforecast/2.0/complete?lat=-34.6037&lon=-58.3816"),
    (
        ProviderId::OpenWeatherMap,
        "data/2.5/weather?lat=-34.6037&lon=-58.3816&units=metric&appid=key",
    ),
    (ProviderId::Weatherstack, "current?access_key=key&query=-34.6037,-58.3816"),
];

/// A question for one place with the variables that matter.
pub(crate) const FORECAST: &str = "v1/forecast?latitude=-34.6037&longitude=-58.3816\
    &current=temperature_2m,relative_humidity_2m,precipitation,weather_code,pressure_msl,\
    cloud_cover,wind_speed_10m,wind_direction_10m,wind_gusts_10m,visibility\
    &wind_speed_unit=ms&timeformat=unixtime&forecast_days=1";

/// A simulator and its client.
pub(crate) struct Harness {
    pub(crate) simulator: RunningSimulator,
    pub(crate) http: reqwest::Client,
    clock: Arc<AtomicI64>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Got {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = Arc::new(AtomicI64::new(second(START)));
        let read = Arc::clone(&clock);
        let mut config = SimulatorConfig::new(Arc::new(move || {
            Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap()
        }));
        change(&mut config);
        let simulator = Simulator::start(config, CancellationToken::new()).await.unwrap();
        // The client is built with TLS and wants its parts even for plain HTTP: a provider, which
        // may be installed already, and authorities, which take long to read and are not needed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .user_agent("Pampero/0.1 tests@example.org")
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()
            .unwrap();
        Self { simulator, http, clock }
    }

    pub(crate) fn set_clock(&self, instant: &str) {
        self.clock.store(second(instant), Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn url(&self, provider: ProviderId, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url(provider))
    }

    /// Asks a stand-in; an error is one of the connection.
    pub(crate) async fn try_get(
        &self,
        provider: ProviderId,
        path: &str,
    ) -> Result<Got, reqwest::Error> {
        read(self.http.get(self.url(provider, path)).send().await?).await
    }

    pub(crate) async fn get(&self, provider: ProviderId, path: &str) -> Got {
        self.try_get(provider, path).await.unwrap()
    }

    /// Asks a stand-in for the weather of Buenos Aires.
    pub(crate) async fn weather(&self, provider: ProviderId) -> Got {
        self.get(provider, weather_path(provider)).await
    }

    pub(crate) fn play(&self, provider: ProviderId, fault: Fault) {
        self.simulator.set_fault(provider, Some(fault)).unwrap();
    }
}

pub(crate) fn weather_path(provider: ProviderId) -> &'static str {
    WEATHER_PATHS.into_iter().find(|(known, _)| *known == provider).unwrap().1
}

pub(crate) async fn read(response: reqwest::Response) -> Result<Got, reqwest::Error> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    Ok(Got { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() })
}

pub(crate) fn second(instant: &str) -> i64 {
    instant.parse::<Timestamp>().unwrap().as_second()
}

/// Checks that `value` has exactly the names of `names`, in any order.
#[track_caller]
pub(crate) fn has_names(value: &Value, names: &[&str]) {
    let mut found: Vec<&str> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = names.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}
