//! From a forecast of MET Norway to the kept series, and from that to an observation.
//!
//! Precipitation and symbol of a step speak of the hour that begins with it. The symbol is taken for
//! the present state; the precipitation of the hour that ends with a step is that of the step before.
//! Left out knowingly: `fog_area_fraction` (visibility is not given in metres), cloud layers, UV
//! index, probabilities, percentiles, least and greatest amounts (no quantity here), the next 6
//! and 12 hours (a forecast), `geometry` and `meta.updated_at` (the place is ours, the time is the step's).
//! Source: MET Norway, Locationforecast 2.0, data model.

use jiff::{SignedDuration, Timestamp};
use pampero_weather::condition::ReportedCondition;
use pampero_weather::observation::{Observation, Precipitation, Readings, SourceKind};
use pampero_weather::place::Place;
use pampero_weather::quality::QualityFlags;
use pampero_weather::unit::{
    Celsius, Degrees, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
};

use super::ID;
use super::series::{Series, Step};
use super::wire::{Entry, Forecast, Units};
use crate::number::Number;
use crate::reading::says_nothing;

/// Longest symbol that is kept; the longest known one has 44 characters.
const SYMBOL_LENGTH_MAX: usize = 64;

/// Takes over the steps of a forecast; the error says what is wrong with it.
pub(super) fn series(forecast: &Forecast) -> Result<Series, String> {
    let properties = &forecast.properties;
    if let Some(units) = properties.meta.as_ref().and_then(|meta| meta.units.as_ref()) {
        check_units(units)?;
    }
    if properties.timeseries.is_empty() {
        return Err("its time series is empty".to_owned());
    }
    let mut steps: Vec<Step> = properties.timeseries.iter().map(step).collect();
    steps.sort_by_key(|step| step.time_s);
    steps.dedup_by_key(|step| step.time_s);
    Ok(Series { steps })
}

fn check_units(units: &Units) -> Result<(), String> {
    let expected = [
        (&units.air_pressure_at_sea_level, "air_pressure_at_sea_level", "hPa"),
        (&units.air_temperature, "air_temperature", "celsius"),
        (&units.cloud_area_fraction, "cloud_area_fraction", "%"),
        (&units.dew_point_temperature, "dew_point_temperature", "celsius"),
        (&units.precipitation_amount, "precipitation_amount", "mm"),
        (&units.relative_humidity, "relative_humidity", "%"),
        (&units.wind_from_direction, "wind_from_direction", "degrees"),
        (&units.wind_speed, "wind_speed", "m/s"),
        (&units.wind_speed_of_gust, "wind_speed_of_gust", "m/s"),
    ];
    for (unit, name, expected) in expected {
        if let Some(unit) = unit.as_deref().filter(|unit| *unit != expected) {
            return Err(format!("{name} is in {unit} instead of {expected}"));
        }
    }
    Ok(())
}

fn step(entry: &Entry) -> Step {
    let details = entry.data.instant.as_ref().and_then(|instant| instant.details);
    let details = details.unwrap_or_default();
    let hour = entry.data.next_1_hours.as_ref();
    let amount = hour.and_then(|hour| hour.details.as_ref()?.precipitation_amount);
    let symbol = hour.and_then(|hour| hour.summary.as_ref()?.symbol_code.as_deref());
    let number = |number: Option<Number>| number.map(|Number(value)| value);
    Step {
        time_s: entry.time.as_second(),
        temperature: number(details.air_temperature),
        relative_humidity: number(details.relative_humidity),
        dew_point: number(details.dew_point_temperature),
        pressure_msl: number(details.air_pressure_at_sea_level),
        wind_speed: number(details.wind_speed),
        wind_gust: number(details.wind_speed_of_gust),
        wind_direction: number(details.wind_from_direction),
        cloud_cover: number(details.cloud_area_fraction),
        precipitation_next_hour: number(amount),
        symbol_code: symbol.map(|symbol| symbol.chars().take(SYMBOL_LENGTH_MAX).collect()),
    }
}

/// Answers from the latest step that has begun; the error says why there is no answer.
pub(super) fn observation(
    place: &Place,
    series: &Series,
    now: Timestamp,
    fetched_at: Timestamp,
) -> Result<Observation, &'static str> {
    let (step, before) = series.at(now).ok_or("its first step is still to come")?;
    let observed_at =
        Timestamp::from_second(step.time_s).map_err(|_| "the time of its step is no instant")?;
    let readings = readings(step, before);
    if says_nothing(&readings) {
        return Err("the present step has no value");
    }
    Ok(Observation {
        place: place.id.clone(),
        provider: ID,
        observed_at,
        fetched_at,
        source_kind: SourceKind::Model,
        readings,
        condition: step.symbol_code.as_deref().map(ReportedCondition::from_met_norway),
        flags: QualityFlags::default(),
    })
}

fn readings(step: &Step, before: Option<&Step>) -> Readings {
    let interval = Some(SignedDuration::from_hours(1));
    let fallen = before.and_then(|before| before.precipitation_next_hour);
    Readings {
        temperature: step.temperature.map(Celsius),
        relative_humidity: step.relative_humidity.map(Percent),
        dew_point: step.dew_point.map(Celsius),
        pressure_msl: step.pressure_msl.map(SeaLevelPressure),
        pressure_station: None,
        wind_speed: step.wind_speed.map(MetersPerSecond),
        wind_gust: step.wind_gust.map(MetersPerSecond),
        wind_direction: step.wind_direction.map(Degrees),
        precipitation: fallen.map(|amount| Precipitation { amount: Millimeters(amount), interval }),
        cloud_cover: step.cloud_cover.map(Percent),
        visibility: None,
    }
}
