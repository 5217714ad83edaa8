//! From an answer of Weatherstack to an observation.
//!
//! Left out knowingly: `feelslike` (derived), `wind_dir` (`wind_degree` in words), `uv_index` (no
//! quantity here), `is_day`, `weather_icons` and `weather_descriptions` (words for the code), air
//! quality and astronomy (no quantity here), and all of `location` but its time (the place is
//! ours). The service has neither gusts nor a dew point nor a pressure at the station.
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

/// Reads an answer: first the status and the verdict in the body, then whether there is weather
/// in it.
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

#[cfg(test)]
mod tests {
    use pampero_resilience::Failure;
    use pampero_resilience::FailureClass::{
        self, Auth, BadRequest, Malformed, NotCovered, Quota, RateLimited, Transient,
    };

    use super::*;
    use crate::testkit::{
        KEY, answer, assert_fit_to_be_shown, buenos_aires, class_of, in_words, now,
    };

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../fixtures/weatherstack/", $name))
        };
    }

    #[test]
    fn answer_becomes_an_observation() {
        check(
            fixture!("current.json"),
            "2026-09-21T14:14:00Z temperature=15 relative_humidity=88 pressure_msl=1009 \
            wind_speed=5 wind_direction=160 precipitation=0.4 cloud_cover=75 visibility=7000 \
            rain/light/296 precipitation:interval_unknown",
        );
        check(
            fixture!("new_year.json"),
            "2026-12-31T23:58:00Z temperature=15 relative_humidity=88 pressure_msl=1009 \
            wind_speed=5 wind_direction=160 precipitation=0.4 cloud_cover=75 visibility=7000 \
            rain/light/296 precipitation:interval_unknown",
        );
        check(
            fixture!("unusual.json"),
            "2026-09-21T14:14:00Z temperature=15 relative_humidity=88 pressure_msl=1009 \
            wind_direction=160 cloud_cover=75 visibility=7000 unknown/moderate/7",
        );
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let place = buenos_aires().place;
        let read = read(&answer(200, &[], body), &place, false, now());
        let observation = read.expect("the answer can be read");
        assert_eq!(in_words(&observation), expected);
        assert_eq!((&observation.place, observation.fetched_at), (&place.id, now()));
    }

    #[test]
    fn refusal_tells_what_it_means() {
        // 2026-10-01T00:00:00Z is 812,370 s away.
        let used_up = (Quota, Some(812_370));
        for status in [200, 400, 401, 403, 429, 500] {
            check_error(status, fixture!("refused_key.json"), (Auth, None));
            check_error(status, fixture!("refused_usage.json"), used_up);
            check_error(status, fixture!("refused_https.json"), (Auth, None));
            check_error(status, fixture!("refused_place.json"), (NotCovered, None));
            check_error(status, fixture!("refused_failed.json"), (NotCovered, None));
            check_error(status, fixture!("refused_query.json"), (BadRequest, None));
            check_error(status, fixture!("refused_rate.json"), (RateLimited, None));
        }
    }

    #[test]
    fn every_code_has_its_meaning() {
        for code in [101, 102, 105] {
            check_code(code, Auth);
        }
        for code in [103, 404, 601, 603, 604, 605, 606, 609, 611, 614] {
            check_code(code, BadRequest);
        }
        check_code(104, Quota);
        check_code(429, RateLimited);
        check_code(602, NotCovered);
        check_code(615, NotCovered);
        check_code(999, Malformed);
    }

    #[track_caller]
    fn check_code(code: u16, class: FailureClass) {
        for code in [format!("{code}"), format!("\"{code}\"")] {
            let body = format!(r#"{{"success": false, "error": {{"code": {code}}}}}"#);
            let error = refused(200, &body, false);
            assert_eq!(error.class(), class, "{body}");
        }
    }

    #[test]
    fn refusal_without_a_code_is_told_by_name_or_status() {
        check_error(401, r#"{"error": {"type": "unauthorized"}}"#, (Auth, None));
        check_error(403, r#"{"error": {"code": "forbidden"}}"#, (Auth, None));
        check_error(200, r#"{"error": {"type": "too_many_requests"}}"#, (RateLimited, None));
        check_error(200, r#"{"success": false}"#, (Malformed, None));
        check_error(401, "{}", (Auth, None));
        check_error(429, "", (RateLimited, None));
        check_error(404, "<html><title>Not Found</title>", (BadRequest, None));
        check_error(503, "<html><title>Busy</title>", (Transient, None));
    }

    #[test]
    fn failed_request_is_a_fault_for_a_place_that_had_an_answer() {
        assert_eq!(refused(200, fixture!("refused_failed.json"), true).class(), Transient);
        assert_eq!(refused(200, fixture!("refused_place.json"), true).class(), NotCovered);
    }

    #[test]
    fn restricted_key_is_told_of_http() {
        let message = refused(200, fixture!("refused_https.json"), false).to_string();
        assert!(message.contains("this key may need http"), "{message}");
    }

    #[test]
    fn answer_that_makes_no_sense_is_malformed() {
        check_error(200, fixture!("no_current.json"), (Malformed, None));
        check_error(200, fixture!("fahrenheit.json"), (Malformed, None));
        check_error(200, fixture!("bad_time.json"), (Malformed, None));
        check_error(200, fixture!("all_null.json"), (Malformed, None));
        check_error(200, &fixture!("current.json")[..300], (Malformed, None));
        check_error(200, "", (Malformed, None));
        check_error(200, "<html><title>Welcome</title>", (Malformed, None));
    }

    #[test]
    fn echoed_key_is_never_shown() {
        let info = format!(r#"{{"success":false,"error":{{"code":101,"info":"{KEY} is wrong"}}}}"#);
        check_error(200, &info, (Auth, None));
        check_error(500, &format!("GET /current?access_key={KEY}"), (Transient, None));
        let code = format!(r#"{{"success":false,"error":{{"code":{KEY:?}}}}}"#);
        check_error(200, &code, (Malformed, None));
    }

    #[track_caller]
    fn check_error(status: u16, body: &str, expected: (FailureClass, Option<u64>)) {
        let error = refused(status, body, false);
        assert_eq!(class_of(&error), expected, "{status} {error}");
        assert_fit_to_be_shown(&error);
    }

    #[track_caller]
    fn refused(status: u16, body: &str, answered_before: bool) -> ProviderError {
        let place = buenos_aires().place;
        read(&answer(status, &[], body), &place, answered_before, now()).expect_err("no answer")
    }
}
