//! The parameters of `v1/forecast`, read and checked; a reason in the service's words when wrong.

use std::borrow::Cow;
use std::ops::Range;

use jiff::tz::TimeZone;

use super::PLACES_MAX;
use super::variable::{Temperature, Units, Variable, Wind};
use crate::gazetteer;
use crate::question::Question;
use crate::world::{Site, Spot};

/// A question that can be answered.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) places: Vec<Asked>,
    pub(super) current: Vec<Variable>,
    pub(super) hourly: Vec<Variable>,
    /// The hours of `hourly`, in seconds since the Unix epoch, the end excluded.
    pub(super) hours: Range<i64>,
    pub(super) units: Units,
    pub(super) unix_time: bool,
}

/// A place that is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) site: Site,
    /// The height the client gave, in m; `None` when the terrain model is to be used.
    pub(super) elevation_m: Option<f64>,
    pub(super) zone: Zone,
}

/// The time zone of an answer.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) name: Cow<'static, str>,
    /// `None` is GMT.
    pub(super) rules: Option<TimeZone>,
}

impl Query {
    /// Reads the parameters; `instant` is what the service takes for now.
    pub(super) fn read(question: &Question, instant: i64) -> Result<Self, String> {
        for unplayed in ["daily", "minutely_15"] {
            if question.get(unplayed).is_some() {
                return Err(format!("The stand-in does not play the parameter '{unplayed}'."));
            }
        }
        Ok(Self {
            places: places(question)?,
            current: variables(question, "current")?,
            hourly: variables(question, "hourly")?,
            hours: hours(question, instant)?,
            units: units(question)?,
            unix_time: one_of(question, "timeformat", &["iso8601", "unixtime"])? == 1,
        })
    }
}

/// Returns the place of a parameter's value in a list; 0 when the parameter is missing.
fn one_of(question: &Question, name: &str, values: &[&str]) -> Result<usize, String> {
    let Some(given) = question.get(name) else { return Ok(0) };
    values.iter().position(|value| *value == given).ok_or_else(|| {
        format!(
            "Data corrupted at path '{name}'. Cannot initialize from invalid String value {given}."
        )
    })
}

fn units(question: &Question) -> Result<Units, String> {
    let temperatures = [Temperature::Celsius, Temperature::Fahrenheit];
    let winds = [Wind::KilometresPerHour, Wind::MetresPerSecond, Wind::MilesPerHour, Wind::Knots];
    let temperature = one_of(question, "temperature_unit", &["celsius", "fahrenheit"])?;
    let wind = one_of(question, "wind_speed_unit", &["kmh", "ms", "mph", "kn"])?;
    Ok(Units {
        temperature: temperatures[temperature],
        wind: winds[wind],
        inches: one_of(question, "precipitation_unit", &["mm", "inch"])? == 1,
    })
}

fn variables(question: &Question, name: &str) -> Result<Vec<Variable>, String> {
    let list = question.get(name).unwrap_or_default();
    let named = list.split(',').map(str::trim).filter(|variable| !variable.is_empty());
    named
        .map(|variable| {
            Variable::parse(variable).ok_or_else(|| {
                format!(
                    "Data corrupted at path '{name}'. Cannot initialize VariableOrDerived \
                     from invalid String value {variable}."
                )
            })
        })
        .collect()
}

fn numbers(question: &Question, name: &str) -> Result<Vec<f64>, String> {
    let Some(list) = question.get(name).filter(|list| !list.is_empty()) else {
        return Ok(Vec::new());
    };
    let read = |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        number
            .ok_or_else(|| format!("Parameter '{name}' must be a list of numbers. Given: {text}."))
    };
    list.split(',').map(read).collect()
}

fn places(question: &Question) -> Result<Vec<Asked>, String> {
    let (latitudes, longitudes) = (numbers(question, "latitude")?, numbers(question, "longitude")?);
    if latitudes.is_empty() || latitudes.len() != longitudes.len() {
        return Err("Parameter 'latitude' and 'longitude' must have the same number of elements, at least one.".to_owned());
    }
    let count = latitudes.len();
    if PLACES_MAX < count {
        return Err(format!(
            "Only up to {PLACES_MAX} locations can be requested at once. Given: {count}."
        ));
    }
    let elevations = numbers(question, "elevation")?;
    let zones: Vec<&str> =
        question.get("timezone").into_iter().flat_map(|list| list.split(',')).collect();
    check_length("elevation", elevations.len(), count)?;
    check_length("timezone", zones.len(), count)?;
    (0..count)
        .map(|index| {
            let spot = spot(latitudes[index], longitudes[index])?;
            let elevation_m = of_place(&elevations, index).copied();
            let zone = of_place(&zones, index)
                .map_or_else(|| Ok(Zone::gmt()), |name| Zone::read(name, spot));
            Ok(Asked {
                site: Site::at(spot),
                elevation_m: elevation_m.filter(|metres| metres.is_finite()),
                zone: zone?,
            })
        })
        .collect()
}

/// One value counts for all places.
fn of_place<T>(values: &[T], index: usize) -> Option<&T> {
    if values.len() == 1 { values.first() } else { values.get(index) }
}

fn check_length(name: &str, length: usize, count: usize) -> Result<(), String> {
    if length <= 1 || length == count {
        return Ok(());
    }
    Err(format!("Parameter '{name}' must have the same number of elements as 'latitude'."))
}

fn spot(latitude: f64, longitude: f64) -> Result<Spot, String> {
    if !(-90.0..=90.0).contains(&latitude) {
        return Err(format!("Latitude must be in range of -90 to 90°. Given: {latitude:?}."));
    }
    if !(-180.0..=180.0).contains(&longitude) {
        return Err(format!("Longitude must be in range of -180 to 180°. Given: {longitude:?}."));
    }
    Ok(Spot { latitude, longitude })
}

impl Zone {
    fn gmt() -> Self {
        Self { name: Cow::Borrowed("GMT"), rules: None }
    }

    fn read(name: &str, spot: Spot) -> Result<Self, String> {
        let name = match name.trim() {
            "" | "GMT" | "UTC" => return Ok(Self::gmt()),
            "auto" => gazetteer::time_zone_at(spot),
            name => name,
        };
        let rules = TimeZone::get(name).map_err(|_| "Invalid timezone".to_owned())?;
        Ok(Self { name: Cow::Owned(name.to_owned()), rules: Some(rules) })
    }
}

/// Reads which hours are asked for: whole days in UTC, or steps round the present hour.
fn hours(question: &Question, instant: i64) -> Result<Range<i64>, String> {
    let (hour_s, day_s) = (3_600, 86_400);
    let (this_hour, today) =
        (instant.div_euclid(hour_s) * hour_s, instant.div_euclid(day_s) * day_s);
    let past_days = count(question, "past_days", 0, 92)?;
    let days = count(question, "forecast_days", 7, 16)?;
    let mut hours = today - past_days * day_s..today + days * day_s;
    if question.get("past_hours").is_some() {
        hours.start = this_hour - count(question, "past_hours", 0, 2_208)? * hour_s;
        hours.end = this_hour;
    }
    if question.get("forecast_hours").is_some() {
        hours.start = hours.start.min(this_hour);
        hours.end = this_hour + count(question, "forecast_hours", 0, 384)? * hour_s;
    }
    Ok(hours)
}

fn count(question: &Question, name: &str, unset: i64, most: i64) -> Result<i64, String> {
    let Some(given) = question.get(name) else { return Ok(unset) };
    let read: Option<i64> = given.parse().ok();
    read.filter(|count| (0..=most).contains(count))
        .ok_or_else(|| format!("Parameter '{name}' is out of range, 0 to {most}. Given: {given}."))
}
