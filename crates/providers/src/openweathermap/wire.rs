//! What goes over the wire to and from OpenWeatherMap.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::Ask;
use crate::number::Number;

/// Returns the parameters of a question; the units must be named, for the default is Kelvin.
pub(super) fn parameters<'a>(
    ask: &Ask,
    key: &'a SecretString,
) -> [(&'static str, Parameter<'a>); 4] {
    let coordinates = ask.place.coordinates;
    [
        ("lat", Parameter::Degrees(coordinates.latitude())),
        ("lon", Parameter::Degrees(coordinates.longitude())),
        ("units", Parameter::Text("metric")),
        ("appid", Parameter::Text(key.expose_secret())),
    ]
}

/// A parameter that needs no copy of the key.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(super) enum Parameter<'a> {
    Degrees(f64),
    Text(&'a str),
}

/// What every answer carries when it is a refusal, and some carry when it is none.
#[derive(Debug, Deserialize)]
pub(super) struct Verdict {
    /// The status, as a number or as text.
    pub(super) cod: Option<Number>,
    pub(super) message: Option<serde_json::Value>,
}

/// The current weather; further fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Weather {
    pub(super) dt: Number,
    pub(super) main: Main,
    pub(super) weather: Option<Vec<Phenomenon>>,
    pub(super) visibility: Option<Number>,
    pub(super) wind: Option<Wind>,
    pub(super) rain: Option<Amounts>,
    pub(super) snow: Option<Amounts>,
    pub(super) clouds: Option<Clouds>,
}

/// The main group: °C, % and hPa.
#[derive(Debug, Deserialize)]
pub(super) struct Main {
    pub(super) temp: Option<Number>,
    pub(super) humidity: Option<Number>,
    pub(super) pressure: Option<Number>,
    pub(super) sea_level: Option<Number>,
    pub(super) grnd_level: Option<Number>,
}

/// One of the phenomena, the first of which is the primary one.
#[derive(Debug, Deserialize)]
pub(super) struct Phenomenon {
    pub(super) id: Number,
}

/// Wind in m/s and degrees.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wind {
    pub(super) speed: Option<Number>,
    pub(super) gust: Option<Number>,
    pub(super) deg: Option<Number>,
}

/// Amounts in mm over the last hours.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Amounts {
    #[serde(rename = "1h")]
    pub(super) one_hour: Option<Number>,
    #[serde(rename = "3h")]
    pub(super) three_hours: Option<Number>,
}

/// Cloud cover in %.
#[derive(Debug, Deserialize)]
pub(super) struct Clouds {
    pub(super) all: Option<Number>,
}
