//! What goes over the wire to and from MET Norway.

use jiff::Timestamp;
use pampero_weather::place::Place;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::number::{Number, whole_meters};

/// Most decimals of coordinates; the service refuses more.
const DECIMALS_MAX: usize = 4;

/// Returns the parameters of a question: position, and the height where it is known.
pub(super) fn question(place: &Place) -> Vec<(&'static str, String)> {
    let mut question = vec![
        ("lat", truncated(place.coordinates.latitude())),
        ("lon", truncated(place.coordinates.longitude())),
    ];
    let altitude = place.elevation.map(whole_meters);
    question.extend(altitude.map(|altitude| ("altitude", altitude)));
    question
}

/// Cuts degrees after four decimals, toward zero.
///
/// The text is cut rather than the number, because a product of floats can fall just below the
/// four decimals that were written.
fn truncated(degrees: f64) -> String {
    let text = degrees.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let kept = decimals[..decimals.len().min(DECIMALS_MAX)].trim_end_matches('0');
    match (whole, kept) {
        ("-0", "") => "0".to_owned(),
        (whole, "") => whole.to_owned(),
        (whole, kept) => format!("{whole}.{kept}"),
    }
}

/// A forecast; further fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Forecast {
    pub(super) properties: Properties,
}

#[derive(Debug, Deserialize)]
pub(super) struct Properties {
    pub(super) meta: Option<Meta>,
    pub(super) timeseries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) units: Option<Units>,
}

/// The units of the details that are used.
#[derive(Debug, Deserialize)]
pub(super) struct Units {
    pub(super) air_pressure_at_sea_level: Option<String>,
    pub(super) air_temperature: Option<String>,
    pub(super) cloud_area_fraction: Option<String>,
    pub(super) dew_point_temperature: Option<String>,
    pub(super) precipitation_amount: Option<String>,
    pub(super) relative_humidity: Option<String>,
    pub(super) wind_from_direction: Option<String>,
    pub(super) wind_speed: Option<String>,
    pub(super) wind_speed_of_gust: Option<String>,
}

/// One step of the forecast.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    #[serde(deserialize_with = "instant")]
    pub(super) time: Timestamp,
    pub(super) data: Data,
}

#[derive(Debug, Deserialize)]
pub(super) struct Data {
    pub(super) instant: Option<Instant>,
    pub(super) next_1_hours: Option<NextHour>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Instant {
    pub(super) details: Option<Details>,
}

/// The values at the time of the step; each may be absent.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Details {
    pub(super) air_pressure_at_sea_level: Option<Number>,
    pub(super) air_temperature: Option<Number>,
    pub(super) cloud_area_fraction: Option<Number>,
    pub(super) dew_point_temperature: Option<Number>,
    pub(super) relative_humidity: Option<Number>,
    pub(super) wind_from_direction: Option<Number>,
    pub(super) wind_speed: Option<Number>,
    pub(super) wind_speed_of_gust: Option<Number>,
}

/// The hour that begins at the time of the step; absent from the six-hourly steps.
#[derive(Debug, Deserialize)]
pub(super) struct NextHour {
    pub(super) summary: Option<Summary>,
    pub(super) details: Option<HourDetails>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) symbol_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HourDetails {
    pub(super) precipitation_amount: Option<Number>,
}

/// Reads an instant as in `2026-09-21T13:00:00Z`.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("the time of a step is no instant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_cut_toward_zero() {
        check(59.913_868, "59.9138");
        check(-34.603_789, "-34.6037");
        check(59.9139, "59.9139"); // 59.9139 × 10⁴ falls below 599139 as a product of floats.
        check(10.0, "10");
        check(-58.5, "-58.5");
        check(0.1 + 0.2, "0.3");
        check(-0.000_09, "0");
        check(-0.0, "0");
        check(179.99999, "179.9999");
    }

    #[track_caller]
    fn check(degrees: f64, text: &str) {
        assert_eq!(truncated(degrees), text, "{degrees}");
    }
}
