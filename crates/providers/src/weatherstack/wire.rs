//! What goes over the wire to and from Weatherstack.

use pampero_weather::place::Place;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::number::Number;

/// Returns the parameters of a question: °C, km/h, mm and km are the unit group `m`.
pub(super) fn parameters(place: &Place, key: &SecretString) -> [(&'static str, String); 3] {
    let (latitude, longitude) = (place.coordinates.latitude(), place.coordinates.longitude());
    [
        ("access_key", key.expose_secret().to_owned()),
        ("query", format!("{latitude},{longitude}")),
        ("units", "m".to_owned()),
    ]
}

/// What tells a refusal from an answer.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    /// `false` in a refusal; absent from an answer.
    pub(super) success: Option<bool>,
    pub(super) error: Option<Fault>,
}

/// What the service says when it refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Fault {
    /// A number, or the name of the fault.
    pub(super) code: Option<Value>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) info: Option<String>,
}

/// The current weather; further fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Weather {
    pub(super) request: Option<Request>,
    pub(super) location: Location,
    pub(super) current: Option<Current>,
}

/// How the service understood the question.
#[derive(Debug, Deserialize)]
pub(super) struct Request {
    /// The unit group: `m`, `s` or `f`.
    pub(super) unit: Option<String>,
}

/// The present time at the place.
#[derive(Debug, Deserialize)]
pub(super) struct Location {
    /// The local wall time, written as if it were UTC.
    pub(super) localtime_epoch: Number,
    /// Hours east of UTC, with a fraction where need be.
    pub(super) utc_offset: Number,
}

/// The conditions, in the unit group `m`.
#[derive(Debug, Deserialize)]
pub(super) struct Current {
    /// `hh:mm AM` or `PM` in UTC, without a date.
    pub(super) observation_time: String,
    pub(super) temperature: Option<Number>,
    pub(super) weather_code: Option<Number>,
    pub(super) wind_speed: Option<Number>,
    pub(super) wind_degree: Option<Number>,
    pub(super) pressure: Option<Number>,
    pub(super) precip: Option<Number>,
    pub(super) humidity: Option<Number>,
    pub(super) cloudcover: Option<Number>,
    pub(super) visibility: Option<Number>,
}
