//! What the tests of the mappings share: answers out of a hat, and one known place.

use jiff::Timestamp;
use pampero_resilience::{Failure, FailureClass};
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::{Coordinates, Place};
use pampero_weather::unit::Meters;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::RawAnswer;
use crate::{Ask, ProviderError};

/// The key that must never be shown.
pub(crate) const KEY: &str = "5ecre7/marker";
/// The present in all tests of mappings.
pub(crate) const NOW: &str = "2026-09-21T14:20:30Z";

pub(crate) fn now() -> Timestamp {
    instant(NOW)
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().expect("the case is an instant")
}

/// Builds an answer of a service that was asked with [`KEY`].
pub(crate) fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> RawAnswer {
    let header = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).expect("the case is a header value");
        (HeaderName::from_static(name), value)
    };
    RawAnswer {
        status: StatusCode::from_u16(status).expect("the case is a status"),
        headers: headers.iter().map(header).collect::<HeaderMap>(),
        body: body.as_bytes().to_vec(),
        key: Some(KEY.into()),
    }
}

pub(crate) fn buenos_aires() -> Ask {
    ask("buenos-aires", -34.6037, -58.3816, Some(25.0))
}

pub(crate) fn oslo() -> Ask {
    ask("oslo", 59.913_868, 10.752_245, Some(25.4))
}

pub(crate) fn ask(id: &str, latitude: f64, longitude: f64, elevation_m: Option<f64>) -> Ask {
    let coordinates = Coordinates::new(latitude, longitude).expect("the case is a position");
    let place =
        Place::new(id.parse().expect("the case is a slug"), id, coordinates, elevation_m, "UTC");
    Ask { place: place.expect("the case is a place"), cached: None }
}

/// Returns a place without a known height.
pub(crate) fn without_elevation(ask: Ask) -> Ask {
    let place = Place { elevation: None::<Meters>, ..ask.place };
    Ask { place, ..ask }
}

/// Writes an observation on one line: instant, readings, precipitation interval in s, condition,
/// flags.
pub(crate) fn in_words(observation: &Observation) -> String {
    let readings = &observation.readings;
    let mut words = vec![observation.observed_at.to_string()];
    words.extend(Quantity::ALL.into_iter().filter_map(|quantity| {
        let value = readings.get(quantity)?;
        Some(format!("{}={}", quantity.as_str(), (value * 1e6).round() / 1e6))
    }));
    let interval = readings.precipitation.and_then(|precipitation| precipitation.interval);
    words.extend(interval.map(|interval| format!("interval={}", interval.as_secs())));
    words.extend(observation.condition.as_ref().map(|reported| {
        let (condition, intensity) = (reported.condition, reported.intensity);
        format!("{}/{}/{}", condition.as_str(), intensity.as_str(), reported.raw_code)
    }));
    let flags = observation.flags.iter();
    words.extend(flags.map(|(quantity, flag)| format!("{}:{}", quantity.as_str(), flag.as_str())));
    words.join(" ")
}

/// What policies see of an error: class and wait in seconds.
pub(crate) fn class_of(error: &ProviderError) -> (FailureClass, Option<u64>) {
    (error.class(), error.retry_after().map(|wait| wait.as_secs()))
}

/// Fails when a message shows the key, markup, a control character, or too much.
#[track_caller]
pub(crate) fn assert_fit_to_be_shown(error: &ProviderError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(KEY) && !shown.contains("5ecre7%2Fmarker"), "{shown}");
    assert!(!shown.contains('<') && !shown.contains(char::is_control), "{shown}");
    assert!(shown.chars().count() < 700, "{shown}");
}
