//! What goes over the wire to and from Open-Meteo.

use std::collections::HashMap;

use serde::Deserialize;

use crate::Ask;
use crate::number::{Number, whole_meters};

/// What is asked for. Ten variables cost one call; the dew point would be the eleventh and follows
/// from temperature and humidity.
pub(super) const VARIABLES: [&str; 10] = [
    "temperature_2m",
    "relative_humidity_2m",
    "precipitation",
    "weather_code",
    "pressure_msl",
    "cloud_cover",
    "wind_speed_10m",
    "wind_direction_10m",
    "wind_gusts_10m",
    "visibility",
];

/// Returns the parameters of a question for one or many places.
///
/// Heights are only sent when all places have one: the list must be as long as the others, and a
/// gap in it would turn the correction for height off rather than leave it to the service.
pub(super) fn parameters(asks: &[Ask]) -> Vec<(&'static str, String)> {
    let list = |number: fn(&Ask) -> String| {
        let numbers: Vec<String> = asks.iter().map(number).collect();
        numbers.join(",")
    };
    let mut parameters = vec![
        ("latitude", list(|ask| degrees(ask.place.coordinates.latitude()))),
        ("longitude", list(|ask| degrees(ask.place.coordinates.longitude()))),
        ("current", VARIABLES.join(",")),
        ("wind_speed_unit", "ms".to_owned()),
        ("timeformat", "unixtime".to_owned()),
        ("forecast_days", "1".to_owned()),
    ];
    let heights: Option<Vec<String>> =
        asks.iter().map(|ask| ask.place.elevation.map(whole_meters)).collect();
    parameters.extend(heights.map(|heights| ("elevation", heights.join(","))));
    parameters
}

/// Writes degrees with as many decimals as matter: five are one metre.
pub(super) fn degrees(degrees: f64) -> String {
    // Adding zero turns a negative zero into a plain one.
    ((degrees * 1e5).round() / 1e5 + 0.0).to_string()
}

/// The answer for one place; further fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Forecast {
    pub(super) latitude: Option<Number>,
    pub(super) longitude: Option<Number>,
    pub(super) utc_offset_seconds: Option<Number>,
    #[serde(default)]
    pub(super) current_units: HashMap<String, String>,
    pub(super) current: Option<Current>,
}

/// The conditions at one instant, in the units of `current_units`.
#[derive(Debug, Deserialize)]
pub(super) struct Current {
    pub(super) time: Time,
    pub(super) interval: Option<Number>,
    pub(super) temperature_2m: Option<Number>,
    pub(super) relative_humidity_2m: Option<Number>,
    pub(super) dew_point_2m: Option<Number>,
    pub(super) precipitation: Option<Number>,
    pub(super) weather_code: Option<Number>,
    pub(super) pressure_msl: Option<Number>,
    pub(super) surface_pressure: Option<Number>,
    pub(super) cloud_cover: Option<Number>,
    pub(super) wind_speed_10m: Option<Number>,
    pub(super) wind_direction_10m: Option<Number>,
    pub(super) wind_gusts_10m: Option<Number>,
    pub(super) visibility: Option<Number>,
}

/// An instant in one of the two forms the service has.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Time {
    /// Seconds since the Unix epoch, as we ask for.
    Unix(Number),
    /// `YYYY-MM-DDTHH:MM` without a zone; UTC is this less `utc_offset_seconds`.
    Local(String),
}

/// What the service says when it refuses.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// `true` in a refusal; absent from an answer.
    #[serde(default)]
    pub(super) error: bool,
    pub(super) reason: Option<String>,
}

/// Height and time zone out of a forecast asked for with `timezone=auto`.
#[derive(Debug, Deserialize)]
pub(super) struct Site {
    pub(super) elevation: Option<Number>,
    pub(super) timezone: String,
}

/// The answer of the geocoder; the list is absent when nothing matches.
#[derive(Debug, Deserialize)]
pub(super) struct Matches {
    #[serde(default)]
    pub(super) results: Vec<Match>,
}

/// One match; zero and empty fields are absent.
#[derive(Debug, Deserialize)]
pub(super) struct Match {
    pub(super) name: String,
    pub(super) latitude: Option<Number>,
    pub(super) longitude: Option<Number>,
    pub(super) elevation: Option<Number>,
    pub(super) timezone: Option<String>,
    pub(super) country: Option<String>,
    pub(super) country_code: Option<String>,
    pub(super) admin1: Option<String>,
    pub(super) population: Option<Number>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{ask, buenos_aires, oslo, without_elevation};

    #[test]
    fn heights_are_sent_for_all_places_or_for_none() {
        check(&[buenos_aires(), oslo()], "-34.6037,59.91387", "-58.3816,10.75225", Some("25,25"));
        check(
            &[buenos_aires(), without_elevation(oslo())],
            "-34.6037,59.91387",
            "-58.3816,10.75225",
            None,
        );
        check(&[ask("low", 31.5, 35.5, Some(-430.4))], "31.5", "35.5", Some("-430"));
        check(&[ask("origin", 0.0, -0.000_001, Some(-0.2))], "0", "0", Some("0"));
    }

    #[track_caller]
    fn check(asks: &[Ask], latitude: &str, longitude: &str, elevation: Option<&str>) {
        let parameters: HashMap<_, _> = parameters(asks).into_iter().collect();
        assert_eq!(parameters["latitude"], latitude);
        assert_eq!(parameters["longitude"], longitude);
        assert_eq!(parameters.get("elevation").map(String::as_str), elevation);
    }

    #[test]
    fn as_many_variables_are_asked_for_as_one_call_covers() {
        assert_eq!(VARIABLES.len(), 10);
        assert!(!VARIABLES.contains(&"dew_point_2m"));
    }
}
