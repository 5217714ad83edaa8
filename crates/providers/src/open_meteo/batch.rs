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

#[cfg(test)]
mod tests {
    use pampero_resilience::Failure;
    use pampero_resilience::FailureClass::{
        self, Auth, BadRequest, Malformed, Quota, RateLimited, Transient,
    };

    use super::*;
    use crate::testkit::{
        answer, assert_fit_to_be_shown, buenos_aires, class_of, in_words, now, oslo,
    };

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../fixtures/open_meteo/", $name))
        };
    }

    const BUENOS_AIRES: &str = "2026-09-21T14:15:00Z temperature=16.4 relative_humidity=71 \
        pressure_msl=1009.6 wind_speed=5.25 wind_gust=10.8 wind_direction=190 precipitation=0.2 \
        cloud_cover=97 visibility=18200 interval=900 rain/light/61";
    const OSLO: &str = "2026-09-21T14:15:00Z temperature=7 relative_humidity=71 \
        pressure_msl=1009.6 wind_speed=5.25 wind_gust=10.8 wind_direction=20 precipitation=0 \
        cloud_cover=97 visibility=18200 interval=900 overcast/moderate/3";
    const BROKEN: &str = "malformed";

    #[test]
    fn answer_becomes_one_observation_for_each_place() {
        let one = [buenos_aires()];
        let two = [buenos_aires(), oslo()];
        check(&one, fixture!("one.json"), &[BUENOS_AIRES]);
        check(&one, &format!("[{}]", fixture!("one.json")), &[BUENOS_AIRES]);
        check(&two, fixture!("many.json"), &[BUENOS_AIRES, OSLO]);
        check(&two, fixture!("one_null_element.json"), &[BROKEN, OSLO]);
        check(&two, fixture!("second_element_broken.json"), &[BUENOS_AIRES, BROKEN]);
        check(&two, fixture!("swapped_positions.json"), &[BROKEN, BROKEN]);
    }

    #[test]
    fn missing_value_is_none() {
        let some_absent = "2026-09-21T14:15:00Z temperature=16.4 relative_humidity=71 \
            wind_speed=5.25 wind_direction=190 precipitation=0.2 cloud_cover=97 \
            precipitation:interval_unknown";
        check(&[buenos_aires()], fixture!("some_absent.json"), &[some_absent]);
        check(&[buenos_aires()], fixture!("all_null.json"), &[BROKEN]);
        check(&[buenos_aires()], fixture!("no_current.json"), &[BROKEN]);
    }

    #[test]
    fn other_forms_of_the_same_are_read() {
        let unusual = "2026-09-21T14:15:00Z temperature=16.4 relative_humidity=71 dew_point=11.1 \
            pressure_msl=1009.6 pressure_station=1006.6 wind_speed=5.25 wind_gust=10.8 \
            wind_direction=190 precipitation=0.2 cloud_cover=97 visibility=18200 interval=900 \
            unknown/moderate/42";
        check(&[buenos_aires()], fixture!("unusual.json"), &[unusual]);
        check(&[buenos_aires()], fixture!("local_time.json"), &[BUENOS_AIRES]);
    }

    #[test]
    fn other_unit_than_asked_for_is_no_value() {
        check(&[buenos_aires()], fixture!("kilometers_per_hour.json"), &[BROKEN]);
        check(&[buenos_aires()], fixture!("kelvin.json"), &[BROKEN]);
        check(&[buenos_aires()], fixture!("unit_missing.json"), &[BROKEN]);
    }

    #[track_caller]
    fn check(asks: &[Ask], body: &str, expected: &[&str]) {
        let answers = read(&answer(200, &[], body), asks, now()).expect("the answer can be read");
        assert_eq!(answers.len(), asks.len());
        for ((ask, answer), expected) in asks.iter().zip(answers).zip(expected) {
            assert_eq!(answer.place, ask.place.id);
            assert_eq!(answer.cache, None);
            match answer.outcome {
                Ok(observation) => {
                    assert_eq!(in_words(&observation), *expected);
                    assert_eq!(observation.place, ask.place.id);
                    assert_eq!(observation.fetched_at, now());
                }
                Err(error) => {
                    assert_eq!(error.class().as_str(), *expected, "{error}");
                    assert_fit_to_be_shown(&error);
                }
            }
        }
    }

    #[test]
    fn answer_that_cannot_be_taken_apart_fails_for_all_places() {
        check_whole(200, &[], fixture!("one.json"), (Malformed, None));
        check_whole(200, &[], fixture!("out_of_order.json"), (Malformed, None));
        check_whole(200, &[], fixture!("cut_while_streaming.txt"), (Malformed, None));
        check_whole(200, &[], "[]", (Malformed, None));
        check_whole(200, &[], "", (Malformed, None));
        check_whole(200, &[], "<html><title>Sign in</title></html>", (Malformed, None));
        check_whole(204, &[], "", (Malformed, None));
        check_whole(304, &[], "", (Malformed, None));
    }

    #[test]
    fn refusal_tells_what_it_means() {
        let date = [("retry-after", "Mon, 21 Sep 2026 14:21:00 GMT")];
        let proxy = [("retry-after", "7")];
        check_whole(400, &[], fixture!("refused_latitude.json"), (BadRequest, None));
        check_whole(200, &[], fixture!("refused_latitude.json"), (BadRequest, None));
        check_whole(429, &[], fixture!("refused_minutely.json"), (RateLimited, Some(30)));
        check_whole(200, &[], fixture!("refused_minutely.json"), (RateLimited, Some(30)));
        check_whole(429, &[], fixture!("refused_hourly.json"), (RateLimited, Some(2370)));
        check_whole(429, &[], fixture!("refused_daily.json"), (Quota, Some(34_770)));
        check_whole(429, &[], fixture!("refused_monthly.json"), (Quota, Some(812_370)));
        check_whole(429, &[], fixture!("refused_concurrent.json"), (RateLimited, Some(3)));
        check_whole(429, &proxy, fixture!("refused_minutely.json"), (RateLimited, Some(7)));
        check_whole(429, &[], "slow down", (RateLimited, None));
        check_whole(429, &date, "slow down", (RateLimited, Some(30)));
        check_whole(400, &[], fixture!("refused_key.json"), (Auth, None));
        check_whole(401, &[], "{}", (Auth, None));
        check_whole(403, &[], "<html>", (Auth, None));
        check_whole(404, &[], "Not Found", (BadRequest, None));
        check_whole(503, &[], "overloaded", (Transient, None));
        check_whole(503, &proxy, "overloaded", (Transient, Some(7)));
        check_whole(502, &[], "<html><title>Bad Gateway</title>", (Transient, None));
    }

    #[test]
    fn refusal_never_shows_the_key() {
        let echo = format!(r#"{{"error":true,"reason":"key {} is unknown"}}"#, crate::testkit::KEY);
        check_whole(400, &[], &echo, (BadRequest, None));
        check_whole(500, &[], "no key 5ecre7%2fmarker here", (Transient, None));
        check_whole(200, &[], &format!("{:?}", crate::testkit::KEY), (Malformed, None));
    }

    #[track_caller]
    fn check_whole(
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
        expected: (FailureClass, Option<u64>),
    ) {
        let two = [buenos_aires(), oslo()];
        let error = read(&answer(status, headers, body), &two, now()).expect_err("no answer");
        assert_eq!(class_of(&error), expected, "{error}");
        assert_fit_to_be_shown(&error);
    }

    #[test]
    fn used_up_allowance_names_its_renewal() {
        for (body, expected) in [
            (fixture!("refused_daily.json"), "2026-09-22T00:00:00Z"),
            (fixture!("refused_monthly.json"), "2026-10-01T00:00:00Z"),
        ] {
            let error = read(&answer(429, &[], body), &[oslo()], now()).expect_err("no answer");
            let ProviderError::Quota { resets_at, .. } = error else { panic!("{error}") };
            assert_eq!(resets_at, Some(crate::testkit::instant(expected)));
        }
    }

    #[test]
    fn distance_is_along_the_great_circle() {
        for (one, other, expected_km) in [
            ((0.0, 0.0), (0.0, 1.0), 111.19),
            ((-34.6, -58.4), (59.9, 10.75), 12_250.0),
            ((10.0, 179.9), (10.0, -179.9), 21.9),
            ((0.0, 0.0), (0.0, 180.0), 20_015.0),
        ] {
            let point = |(latitude, longitude)| Coordinates::new(latitude, longitude).unwrap();
            let computed_km = distance_km(point(one), point(other));
            assert!((computed_km / expected_km - 1.0).abs() < 0.005, "{computed_km} km");
        }
    }
}
