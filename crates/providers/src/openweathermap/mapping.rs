//! From an answer of OpenWeatherMap to an observation.
//!
//! Left out knowingly: `main.temp_min` and `main.temp_max` (the spread over the area now, not the
//! extremes of a day), `main.feels_like` (derived), `weather[].main`, `description` and `icon`
//! (words for the id), `coord`, `name`, `id`, `timezone`, `sys.country`, `sys.sunrise` and
//! `sys.sunset` (the place is ours), `base` and the rest of `sys` (internal). The dew point is
//! not in version 2.5.
//! Source: OpenWeather, current weather API documentation, fields in API response.

use std::ops::RangeInclusive;

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
use super::refusal::refusal;
use super::wire::{Amounts, Weather};
use crate::ProviderError;
use crate::http::RawAnswer;
use crate::number::Number;
use crate::reading::says_nothing;

/// A temperature between these, said to be in °C, is one in kelvin: `units=metric` was lost.
const KELVIN: RangeInclusive<f64> = 150.0..=400.0;
/// The service says this, in m, for whatever is farther.
const VISIBILITY_CAP_M: f64 = 10_000.0;

/// Reads an answer.
///
/// # Errors
/// The service refused, or the answer cannot be read.
pub(super) fn read(
    answer: &RawAnswer,
    place: &Place,
    now: Timestamp,
) -> Result<Observation, ProviderError> {
    if let Some(error) = refusal(answer, now) {
        return Err(error);
    }
    let weather: Weather = answer.json()?;
    observation(place, &weather, now).map_err(|reason| answer.malformed(reason))
}

fn observation(
    place: &Place,
    weather: &Weather,
    fetched_at: Timestamp,
) -> Result<Observation, &'static str> {
    let observed_at = weather.dt.as_unix_seconds().ok_or("its time is no instant")?;
    if weather.main.temp.is_some_and(|temperature| KELVIN.contains(&temperature.0)) {
        return Err("units lost: the temperature is in kelvin");
    }
    let readings = readings(weather);
    // Precipitation does not count here: an absent group reads as none.
    if says_nothing(&Readings { precipitation: None, ..readings }) {
        return Err("none of its readings has a value");
    }
    let mut flags = QualityFlags::default();
    if readings.visibility.is_some_and(|visibility| VISIBILITY_CAP_M <= visibility.0) {
        flags.set(Quantity::Visibility, Flag::Capped);
    }
    let primary = weather.weather.as_ref().and_then(|phenomena| phenomena.first());
    Ok(Observation {
        place: place.id.clone(),
        provider: ID,
        observed_at,
        fetched_at,
        source_kind: SourceKind::Blend,
        readings,
        condition: primary.map(|first| ReportedCondition::from_openweathermap(first.id.whole())),
        flags,
    })
}

fn readings(weather: &Weather) -> Readings {
    let main = &weather.main;
    let number = |number: Option<Number>| number.map(|Number(value)| value);
    let wind = weather.wind.as_ref();
    Readings {
        temperature: number(main.temp).map(Celsius),
        relative_humidity: number(main.humidity).map(Percent),
        dew_point: None,
        // Both are at sea level; `sea_level` says so by its name and goes first.
        pressure_msl: number(main.sea_level.or(main.pressure)).map(SeaLevelPressure),
        pressure_station: number(main.grnd_level).map(StationPressure),
        wind_speed: number(wind.and_then(|wind| wind.speed)).map(MetersPerSecond),
        wind_gust: number(wind.and_then(|wind| wind.gust)).map(MetersPerSecond),
        wind_direction: number(wind.and_then(|wind| wind.deg)).map(Degrees),
        precipitation: Some(precipitation(weather)),
        cloud_cover: number(weather.clouds.as_ref().and_then(|clouds| clouds.all)).map(Percent),
        visibility: number(weather.visibility).map(Meters),
    }
}

/// Adds rain and snow over the last hour; an absent group means that none fell.
///
/// Older answers give three hours instead, which is taken when neither group has one hour.
fn precipitation(weather: &Weather) -> Precipitation {
    let groups = [weather.rain.as_ref(), weather.snow.as_ref()];
    let sum = |amount: fn(&Amounts) -> Option<Number>| {
        let amounts = groups.into_iter().flatten().filter_map(amount);
        amounts.map(|Number(amount)| amount).reduce(|rain, snow| rain + snow)
    };
    let (amount, hours) = match (sum(|group| group.one_hour), sum(|group| group.three_hours)) {
        (Some(amount), _) => (amount, 1),
        (None, Some(amount)) => (amount, 3),
        (None, None) => (0.0, 1),
    };
    let interval = Some(SignedDuration::from_hours(hours));
    Precipitation { amount: Millimeters(amount), interval }
}

#[cfg(test)]
mod tests {
    use pampero_resilience::FailureClass::{
        self, Auth, BadRequest, Malformed, NotCovered, RateLimited, Transient,
    };

    use super::*;
    use crate::testkit::{
        KEY, answer, assert_fit_to_be_shown, buenos_aires, class_of, in_words, now,
    };

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../fixtures/openweathermap/", $name))
        };
    }

    #[test]
    fn answer_becomes_an_observation() {
        check(
            fixture!("rain.json"),
            "2026-09-21T14:13:20Z temperature=14.6 relative_humidity=88 pressure_msl=1009 \
            pressure_station=1006 wind_speed=5.1 wind_gust=8.7 wind_direction=160 \
            precipitation=0.42 cloud_cover=90 visibility=4800 interval=3600 rain/light/500",
        );
        check(
            fixture!("dry.json"),
            "2026-09-21T14:13:20Z temperature=14 relative_humidity=88 pressure_msl=1010 \
            wind_speed=0 wind_direction=0 precipitation=0 cloud_cover=0 visibility=10000 \
            interval=3600 clear/moderate/800 visibility:capped",
        );
        check(
            fixture!("unusual.json"),
            "2026-09-21T14:13:20Z temperature=14.6 relative_humidity=88 pressure_msl=1010 \
            precipitation=0 interval=3600 unknown/moderate/999",
        );
    }

    #[test]
    fn precipitation_is_rain_and_snow() {
        check_part(fixture!("rain_and_snow.json"), " precipitation=0.75 ");
        check_part(fixture!("rain_and_snow.json"), " interval=3600 ");
        check_part(fixture!("three_hours.json"), " precipitation=1.5 ");
        check_part(fixture!("three_hours.json"), " interval=10800 ");
    }

    #[test]
    fn impossible_temperature_is_left_to_quality_control() {
        let body = fixture!("rain.json").replace("14.6", "999");
        check_part(&body, " temperature=999 ");
    }

    #[test]
    fn answer_without_phenomena_has_no_condition() {
        let read =
            read(&answer(200, &[], fixture!("no_phenomena.json")), &buenos_aires().place, now());
        assert_eq!(read.expect("the answer can be read").condition, None);
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let place = buenos_aires().place;
        let observation = read(&answer(200, &[], body), &place, now()).expect("it can be read");
        assert_eq!(in_words(&observation), expected);
        assert_eq!((&observation.place, observation.fetched_at), (&place.id, now()));
    }

    #[track_caller]
    fn check_part(body: &str, expected: &str) {
        let place = buenos_aires().place;
        let observation = read(&answer(200, &[], body), &place, now()).expect("it can be read");
        assert!(in_words(&observation).contains(expected), "{}", in_words(&observation));
    }

    #[test]
    fn refusal_tells_what_it_means() {
        let seconds = [("retry-after", "90")];
        check_error(401, &[], fixture!("refused_key.json"), (Auth, None));
        check_error(200, &[], fixture!("refused_key.json"), (Auth, None));
        check_error(429, &[], fixture!("refused_limit.json"), (RateLimited, None));
        check_error(429, &seconds, fixture!("refused_limit.json"), (RateLimited, Some(90)));
        check_error(200, &[], fixture!("refused_limit.json"), (RateLimited, None));
        check_error(400, &[], fixture!("refused_parameter.json"), (BadRequest, None));
        check_error(404, &[], fixture!("not_found.json"), (NotCovered, None));
        check_error(200, &[], fixture!("not_found.json"), (NotCovered, None));
        check_error(500, &[], fixture!("internal.json"), (Transient, None));
        check_error(503, &seconds, "<html><title>Busy</title>", (Transient, Some(90)));
        check_error(408, &[], "", (Transient, None));
    }

    #[test]
    fn answer_that_makes_no_sense_is_malformed() {
        check_error(200, &[], fixture!("kelvin.json"), (Malformed, None));
        check_error(200, &[], fixture!("all_null.json"), (Malformed, None));
        check_error(200, &[], fixture!("no_main.json"), (Malformed, None));
        check_error(200, &[], "{\"cod\":200}", (Malformed, None));
        check_error(200, &[], &fixture!("rain.json")[..300], (Malformed, None));
        check_error(200, &[], "", (Malformed, None));
        check_error(200, &[], "null", (Malformed, None));
        check_error(200, &[], "<html><title>Welcome</title>", (Malformed, None));
    }

    #[test]
    fn echoed_key_is_never_shown() {
        let body = format!(r#"{{"cod":401,"message":"Invalid API key {KEY}."}}"#);
        check_error(401, &[], &body, (Auth, None));
        check_error(400, &[], &format!("bad request: appid={KEY}"), (BadRequest, None));
        check_error(200, &[], &format!(r#"{{"cod":200,"dt":{KEY:?}}}"#), (Malformed, None));
    }

    #[track_caller]
    fn check_error(
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
        expected: (FailureClass, Option<u64>),
    ) {
        let read = read(&answer(status, headers, body), &buenos_aires().place, now());
        let error = read.expect_err("no answer");
        assert_eq!(class_of(&error), expected, "{error}");
        assert_fit_to_be_shown(&error);
    }
}
