//! One answer for many places taken apart into one for each.

use jiff::Timestamp;
use pampero_weather::observation::Observation;
use pampero_weather::place::Coordinates;
use serde::Deserialize;
use serde_json::Value;

use super::mapping::observation;
use super::refusal::refusal;
use super::wire::Forecast;
use crate::http::RawAnswer;
use crate::number::Number;
use crate::{Answer, Ask, ProviderError};

/// An answer speaks of the grid cell, which can be far from the place on a coarse grid, but not
/// farther than this, in km.
const DISTANCE_KM_MAX: f64 = 200.0;
const EARTH_RADIUS_KM: f64 = 6371.0;

/// Takes an answer apart: an object for one place, an array in the order of `asks` for many.
///
/// # Errors
/// The service refused, the body cannot be read, or its elements cannot be told apart.
pub(super) fn read(
    answer: &RawAnswer,
    asks: &[Ask],
    now: Timestamp,
) -> Result<Vec<Answer>, ProviderError> {
    if let Some(error) = refusal(answer, now) {
        return Err(error);
    }
    let elements = elements(answer)?;
    if elements.len() != asks.len() {
        let reason = format!("it is for {} places instead of {}", elements.len(), asks.len());
        return Err(answer.malformed(&reason));
    }
    check_order(answer, &elements)?;
    let read_one = |(ask, element): (&Ask, Value)| Answer {
        place: ask.place.id.clone(),
        outcome: read_element(answer, ask, element, now),
        cache: None,
    };
    Ok(asks.iter().zip(elements).map(read_one).collect())
}

fn elements(answer: &RawAnswer) -> Result<Vec<Value>, ProviderError> {
    Ok(match answer.json()? {
        Value::Array(elements) => elements,
        element => vec![element],
    })
}

/// Checks that elements which say where in the list they stand do stand there.
fn check_order(answer: &RawAnswer, elements: &[Value]) -> Result<(), ProviderError> {
    for (index, element) in (0..).zip(elements) {
        let position = element.get("location_id").and_then(position);
        if let Some(position) = position.filter(|position| *position != index) {
            let reason = format!("place {position} stands where place {index} belongs");
            return Err(answer.malformed(&reason));
        }
    }
    Ok(())
}

fn position(value: &Value) -> Option<i64> {
    Number::deserialize(value).ok().map(Number::whole)
}

fn read_element(
    answer: &RawAnswer,
    ask: &Ask,
    element: Value,
    now: Timestamp,
) -> Result<Observation, ProviderError> {
    if element.is_null() {
        return Err(answer.malformed("there is nothing for this place"));
    }
    let forecast: Forecast =
        serde_json::from_value(element).map_err(|error| answer.malformed(&error.to_string()))?;
    check_position(answer, ask, &forecast)?;
    observation(&ask.place, &forecast, now).map_err(|reason| answer.malformed(&reason))
}

/// Checks that the element is for this place and not for another of the list.
fn check_position(answer: &RawAnswer, ask: &Ask, forecast: &Forecast) -> Result<(), ProviderError> {
    let (Some(Number(latitude)), Some(Number(longitude))) = (forecast.latitude, forecast.longitude)
    else {
        return Ok(());
    };
    let cell = Coordinates::new(latitude, longitude)
        .map_err(|error| answer.malformed(&error.to_string()))?;
    let distance_km = distance_km(ask.place.coordinates, cell);
    if DISTANCE_KM_MAX < distance_km {
        let reason = format!("it speaks of a point {distance_km:.0} km from the place");
        return Err(answer.malformed(&reason));
    }
    Ok(())
}

/// Returns the length of the great circle between two points, in km (haversine formula).
fn distance_km(one: Coordinates, other: Coordinates) -> f64 {
    let half_sine = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin();
    let north = half_sine(one.latitude(), other.latitude());
    let east = half_sine(one.longitude(), other.longitude());
    let across = one.latitude().to_radians().cos() * other.latitude().to_radians().cos();
    let chord = north.mul_add(north, across * east * east);
    2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin()
}
