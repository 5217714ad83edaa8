//! From an answer of Open-Meteo to an observation.
//!
//! Left out knowingly: `elevation` (ours is better known), `generationtime_ms`, `timezone` and
//! `timezone_abbreviation` (everything is asked for in UTC), `is_day` (icons only), `snowfall`,
//! `rain` and `showers` (parts of `precipitation`), and every hourly and daily list (not asked
//! for).
//! Source: Open-Meteo, weather forecast API documentation.

use std::collections::HashMap;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use pampero_weather::condition::ReportedCondition;
use pampero_weather::observation::{Observation, Precipitation, Quantity, Readings, SourceKind};
use pampero_weather::place::Place;
use pampero_weather::quality::{Flag, QualityFlags};
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};

use super::ID;
use super::wire::{Current, Forecast, Time};
use crate::number::Number;
use crate::reading::says_nothing;

/// Takes over the current conditions; the error says what is wrong with them.
pub(super) fn observation(
    place: &Place,
    forecast: &Forecast,
    fetched_at: Timestamp,
) -> Result<Observation, String> {
    let current = forecast.current.as_ref().ok_or("it has no current conditions")?;
    let observed_at = observed_at(current, forecast)?;
    let readings = readings(current, &Units(&forecast.current_units))?;
    if says_nothing(&readings) {
        return Err("none of its current conditions has a value".to_owned());
    }
    let mut flags = QualityFlags::default();
    if readings.precipitation.is_some_and(|precipitation| precipitation.interval.is_none()) {
        flags.set(Quantity::Precipitation, Flag::IntervalUnknown);
    }
    Ok(Observation {
        place: place.id.clone(),
        provider: ID,
        observed_at,
        fetched_at,
        source_kind: SourceKind::Model,
        readings,
        condition: current.weather_code.map(|code| ReportedCondition::from_wmo(code.whole())),
        flags,
    })
}

/// Reads `current.time`, which is UTC as a number and local without a zone as text.
fn observed_at(current: &Current, forecast: &Forecast) -> Result<Timestamp, String> {
    let instant = match &current.time {
        Time::Unix(seconds) => seconds.as_unix_seconds(),
        Time::Local(text) => {
            let offset_s = forecast.utc_offset_seconds.map_or(0, Number::whole);
            local_instant(text, offset_s)
        }
    };
    instant.ok_or_else(|| "its time is no instant".to_owned())
}

fn local_instant(text: &str, offset_s: i64) -> Option<Timestamp> {
    let local: DateTime = text.parse().ok()?;
    let offset = Offset::from_seconds(i32::try_from(offset_s).ok()?).ok()?;
    offset.to_timestamp(local).ok()
}

/// The quantities, each checked to be in the unit that was asked for.
fn readings(current: &Current, units: &Units<'_>) -> Result<Readings, String> {
    let precipitation = units.check("precipitation", current.precipitation, "mm")?;
    // An interval that came in another unit than seconds is as good as none.
    let interval = current.interval.map(|interval| SignedDuration::from_secs(interval.whole()));
    let interval = interval.filter(|interval| interval.is_positive());
    Ok(Readings {
        temperature: units.check("temperature_2m", current.temperature_2m, "°C")?.map(Celsius),
        relative_humidity: units
            .check("relative_humidity_2m", current.relative_humidity_2m, "%")?
            .map(Percent),
        dew_point: units.check("dew_point_2m", current.dew_point_2m, "°C")?.map(Celsius),
        pressure_msl: units
            .check("pressure_msl", current.pressure_msl, "hPa")?
            .map(SeaLevelPressure),
        pressure_station: units
            .check("surface_pressure", current.surface_pressure, "hPa")?
            .map(StationPressure),
        wind_speed: units
            .check("wind_speed_10m", current.wind_speed_10m, "m/s")?
            .map(MetersPerSecond),
        wind_gust: units
            .check("wind_gusts_10m", current.wind_gusts_10m, "m/s")?
            .map(MetersPerSecond),
        wind_direction: units
            .check("wind_direction_10m", current.wind_direction_10m, "°")?
            .map(Degrees),
        precipitation: precipitation
            .map(|amount| Precipitation { amount: Millimeters(amount), interval }),
        cloud_cover: units.check("cloud_cover", current.cloud_cover, "%")?.map(Percent),
        visibility: units.check("visibility", current.visibility, "m")?.map(Meters),
    })
}

/// The units an answer says it is in.
struct Units<'a>(&'a HashMap<String, String>);

impl Units<'_> {
    /// Returns the value when its unit is `expected`; the error names the unit it has instead.
    fn check(
        &self,
        variable: &str,
        value: Option<Number>,
        expected: &str,
    ) -> Result<Option<f64>, String> {
        let Some(Number(value)) = value else { return Ok(None) };
        match self.0.get(variable) {
            Some(unit) if unit == expected => Ok(Some(value)),
            Some(unit) => Err(format!("{variable} is in {unit} instead of {expected}")),
            None => Err(format!("{variable} has no unit")),
        }
    }
}
