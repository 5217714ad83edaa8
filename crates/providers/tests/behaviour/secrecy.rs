//! A key appears in no log line at any level, and in nothing that can be printed.

use std::io;
use std::sync::{Arc, Mutex};

use pampero_providers::open_meteo::{Geocoder, GeocoderConfig, OpenMeteo, OpenMeteoConfig};
use pampero_providers::openweathermap::{OpenWeatherMap, OpenWeatherMapConfig};
use pampero_providers::weatherstack::{Weatherstack, WeatherstackConfig};
use pampero_weather::provider::ProviderId;
use tracing_subscriber::filter::LevelFilter;

use crate::adapters::{
    KEY, KEY_IN_ADDRESS, adapter, buenos_aires, client, clock_at, good_answer, now,
};
use crate::stand_in::{Play, StandIn};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

#[tokio::test]
async fn key_is_in_no_log_line() {
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || written.clone())
        .finish();
    // For the whole process: the other tests are welcome to add lines without a key.
    tracing::subscriber::set_global_default(subscriber).expect("no other test listens");
    let echo = format!("{{\"error\": true, \"reason\": \"{KEY} at ?appid={KEY_IN_ADDRESS}\"}}");
    for id in ProviderId::ALL {
        for play in [
            Play::answer(200, &[], good_answer(id)),
            Play::answer(401, &[], &echo),
            Play::answer(307, &[("location", "/moved")], ""),
            Play::Reset,
            Play::cut("{"),
        ] {
            let stand_in = StandIn::start(vec![play]).await;
            let _ = adapter(id, stand_in.base_url()).current(&[buenos_aires()]).await;
        }
    }
    let text = log.text();
    assert!(text.contains("weather service answered"), "the log is listened to");
    assert!(text.contains("/base/data/2.5/weather"), "paths may be seen");
    assert_shows_no_key(&text);
}

#[test]
fn key_is_in_nothing_that_can_be_printed() {
    let config = OpenMeteoConfig::for_customer(KEY.into());
    assert_shows_no_key(&format!("{config:?}"));
    assert_shows_no_key(&format!("{:?}", OpenMeteo::new(config, client(), clock_at(now()))));
    let config = GeocoderConfig { key: Some(KEY.into()), ..GeocoderConfig::default() };
    assert_shows_no_key(&format!("{config:?}"));
    assert_shows_no_key(&format!("{:?}", Geocoder::new(config, client(), clock_at(now()))));
    let config = OpenWeatherMapConfig::new(KEY.into());
    assert_shows_no_key(&format!("{config:?}"));
    assert_shows_no_key(&format!("{:?}", OpenWeatherMap::new(config, client(), clock_at(now()))));
    let config = WeatherstackConfig::new(KEY.into());
    assert_shows_no_key(&format!("{config:?}"));
    assert_shows_no_key(&format!("{:?}", Weatherstack::new(config, client(), clock_at(now()))));
    let config = WeatherstackConfig::new(format!("{KEY} \n").into());
    let refused = Weatherstack::new(config, client(), clock_at(now())).unwrap_err();
    assert_shows_no_key(&format!("{refused} {refused:?}"));
}

#[test]
fn key_in_clear_text_can_be_told() {
    for (base_url, in_clear_text) in [
        ("https://api.weatherstack.com", false),
        ("http://api.weatherstack.com", true),
        ("http://127.0.0.1:8080", false),
        ("http://[::1]:8080", false),
        ("http://localhost:8080", false),
    ] {
        let base_url = base_url.parse().unwrap();
        let config = WeatherstackConfig { base_url, ..WeatherstackConfig::new(KEY.into()) };
        assert_eq!(config.sends_key_in_clear_text(), in_clear_text, "{}", config.base_url);
    }
}

#[track_caller]
fn assert_shows_no_key(text: &str) {
    for spelling in [KEY, KEY_IN_ADDRESS, "5ecre7"] {
        let line = text.lines().find(|line| line.contains(spelling));
        assert_eq!(line, None, "{spelling}");
    }
}
