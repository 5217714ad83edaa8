//! From an answer of Weatherstack to an observation.
//!
//! Left out knowingly: `feelslike` (derived), `wind_dir` (`wind_degree` in words), `uv_index` (no
//! quantity here), `is_day`, `weather_icons` and `weather_descriptions` (words for the code),
//! air quality and astronomy (no quantity here), and all of `location` but its time (the place is ours).
//! The service has neither gusts nor a dew point nor a pressure at the station.
//! Source: Weatherstack, API documentation, API response objects.

use jiff::Timestamp;
use pampero_weather::condition::ReportedCondition;
use pampero_weather::observation::{Observation, Precipitation, Quantity, Readings, SourceKind};
use pampero_weather::place::Place;
use pampero_weather::quality::{Flag, QualityFlags};
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
};

use super::refusal::refusal;
use super::wire::{Current, Weather};
use super::{ID, instant};
use crate::ProviderError;
use crate::http::RawAnswer;
use crate::number::Number;
use crate::reading::says_nothing;

const KILOMETERS_PER_HOUR: f64 = 3.6;
const METERS_PER_KILOMETER: f64 = 1000.0;

/// Reads an answer: first the status and the verdict in the body, then whether there is weather in it.
///
/// # Errors
/// The service refused, or the answer cannot be read.
pub(super) fn read(
    answer: &RawAnswer,
    place: &Place,
    answered_before: bool,
    now: Timestamp,
) -> Result<Observation, ProviderError> {
    if let Some(error) = refusal(answer, answered_before, now) {
        return Err(error);
    }
    let weather: Weather = answer.json()?;
    observation(place, &weather, now).map_err(|reason| answer.malformed(&reason))
}

fn observation(
    place: &Place,
    weather: &Weather,
    fetched_at: Timestamp,
) -> Result<Observation, String> {
    let unit = weather.request.as_ref().and_then(|request| request.unit.as_deref());
    if let Some(unit) = unit.filter(|unit| *unit != "m") {
        return Err(format!("it is in the unit group {unit} instead of m"));
    }
    let current = weather.current.as_ref().ok_or("it has no current conditions")?;
    let location = &weather.location;
    let present = instant::present(location.localtime_epoch.0, location.utc_offset.0);
    let observed_at = present
        .and_then(|present| instant::observed_at(present, &current.observation_time))
        .ok_or("its time is no instant")?;
    let readings = readings(current);
    if says_nothing(&readings) {
        return Err("none of its current conditions has a value".to_owned());
    }
    let mut flags = QualityFlags::default();
    if readings.precipitation.is_some() {
        flags.set(Quantity::Precipitation, Flag::IntervalUnknown);
    }
    Ok(Observation {
        place: place.id.clone(),
        provider: ID,
        observed_at,
        fetched_at,
        source_kind: SourceKind::Blend,
        readings,
        condition: current
            .weather_code
            .map(|code| ReportedCondition::from_weatherstack(code.whole())),
        flags,
    })
}

fn readings(current: &Current) -> Readings {
    let number = |number: Option<Number>| number.map(|Number(value)| value);
    Readings {
        temperature: number(current.temperature).map(Celsius),
        relative_humidity: number(current.humidity).map(Percent),
        dew_point: None,
        // The documentation does not say at which level; the values only fit sea level.
        pressure_msl: number(current.pressure).map(SeaLevelPressure),
        pressure_station: None,
        wind_speed: number(current.wind_speed)
            .map(|speed| MetersPerSecond(speed / KILOMETERS_PER_HOUR)),
        wind_gust: None,
        wind_direction: number(current.wind_degree).map(Degrees),
        precipitation: number(current.precip)
            .map(|amount| Precipitation { amount: Millimeters(amount), interval: None }),
        cloud_cover: number(current.cloudcover).map(Percent),
        visibility: number(current.visibility)
            .map(|distance| Meters(distance * METERS_PER_KILOMETER)),
    }
}
