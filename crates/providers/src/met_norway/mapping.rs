//! From a forecast of MET Norway to the kept series, and from that to an observation.
//!
//! Precipitation and symbol of a step speak of the hour that begins with it. The symbol is taken
//! for the present state; the precipitation of the hour that ends with a step is that of the step
//! before.
//! Left out knowingly: `fog_area_fraction` (visibility is not given in metres), cloud layers, UV
//! index, probabilities, percentiles, least and greatest amounts (no quantity here), the next 6
//! and 12 hours (a forecast), `geometry` and `meta.updated_at` (the place is ours, the time is
//! the step's).
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
use crate::ProviderError;
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

/// Answers from the latest step that has begun.
///
/// # Errors
/// The forecast begins later, or the step has no value.
pub(super) fn observation(
    place: &Place,
    series: &Series,
    now: Timestamp,
    fetched_at: Timestamp,
) -> Result<Observation, ProviderError> {
    let malformed = |reason: &str| ProviderError::Malformed { reason: reason.to_owned() };
    let instant = |step: &Step| {
        Timestamp::from_second(step.time_s)
            .map_err(|_| malformed("the time of a step is no instant"))
    };
    let Some((step, before)) = series.at(now) else {
        let first = series.steps.first().ok_or_else(|| malformed("it has no steps"))?;
        let reason = "still to come".to_owned();
        return Err(ProviderError::Stale { observed_at: instant(first)?, reason });
    };
    let observed_at = instant(step)?;
    let readings = readings(step, before);
    if says_nothing(&readings) {
        return Err(malformed("the present step has no value"));
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

#[cfg(test)]
mod tests {
    use pampero_resilience::Failure;

    use super::*;
    use crate::met_norway::wire::question;
    use crate::testkit::{answer, in_words, instant, oslo};

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../fixtures/met_norway/", $name))
        };
    }

    const AT_13: &str = "2026-09-21T13:00:00Z temperature=9.4 relative_humidity=79.9 \
        dew_point=6.1 pressure_msl=1004.2 wind_speed=5.6 wind_gust=10.2 wind_direction=231 \
        cloud_cover=88.3 rain_showers/light/lightrainshowers_day";

    #[test]
    fn answer_is_the_latest_step_that_has_begun() {
        check(fixture!("complete.json"), "2026-09-21T13:00:00Z", Ok(AT_13));
        check(fixture!("complete.json"), "2026-09-21T13:59:59.9Z", Ok(AT_13));
        let at_14 = "2026-09-21T14:00:00Z temperature=9.9 relative_humidity=79.9 dew_point=6.1 \
            pressure_msl=1004.2 wind_speed=5.6 wind_gust=10.2 wind_direction=231 \
            precipitation=0.3 cloud_cover=88.3 interval=3600 rain/moderate/rain";
        check(fixture!("complete.json"), "2026-09-21T14:00:00Z", Ok(at_14));
        let at_18 = "2026-09-21T18:00:00Z temperature=8 relative_humidity=79.9 dew_point=6.1 \
            pressure_msl=1004.2 wind_speed=5.6 wind_gust=10.2 wind_direction=231 cloud_cover=88.3";
        check(fixture!("complete.json"), "2026-09-21T19:30:00Z", Ok(at_18));
        let early = Err("stale");
        check(fixture!("complete.json"), "2026-09-21T12:59:59Z", early);
    }

    #[test]
    fn absent_detail_is_none() {
        let compact = "2026-09-21T13:00:00Z temperature=9.4 relative_humidity=79.9 \
            pressure_msl=1004 wind_speed=5.6 wind_direction=231 cloud_cover=88.3";
        check(fixture!("compact.json"), "2026-09-21T13:30:00Z", Ok(compact));
        let sparse = "2026-09-21T13:00:00Z temperature=9.4";
        check(fixture!("details_null.json"), "2026-09-21T13:30:00Z", Ok(sparse));
        let nothing = Err("malformed");
        check(fixture!("details_absent.json"), "2026-09-21T13:30:00Z", nothing);
    }

    #[track_caller]
    fn check(body: &str, now: &str, expected: Result<&str, &str>) {
        let forecast: Forecast = answer(200, &[], body).json().expect("the answer can be read");
        let series = series(&forecast).expect("the forecast can be read");
        let observed = observation(&oslo().place, &series, instant(now), instant(now));
        assert_eq!(
            observed.as_ref().map(in_words).map_err(|error| error.class().as_str()),
            expected.map(str::to_owned)
        );
    }

    #[test]
    fn forecast_that_makes_no_sense_is_refused() {
        check_refused(fixture!("kelvin.json"), "air_temperature is in kelvin instead of celsius");
        check_refused(fixture!("empty_series.json"), "its time series is empty");
        let bad_time = answer(200, &[], fixture!("bad_time.json")).json::<Forecast>();
        assert!(bad_time.is_err_and(|error| error.to_string().contains("no instant")));
    }

    #[track_caller]
    fn check_refused(body: &str, reason: &str) {
        let forecast: Forecast = answer(200, &[], body).json().expect("the answer can be read");
        assert_eq!(series(&forecast), Err(reason.to_owned()));
    }

    fn read(body: &str) -> Series {
        let forecast: Forecast = answer(200, &[], body).json().expect("the answer can be read");
        series(&forecast).expect("the forecast can be read")
    }

    #[test]
    fn kept_series_answers_as_the_whole_one() {
        let now = instant("2026-09-21T14:30:00Z");
        let whole = read(fixture!("complete.json"));
        let mut part = whole.clone();
        part.keep_around(now);
        let question = question(&oslo().place);
        let kept =
            Series::parse(&part.to_body(&question), &question).expect("it can be read again");
        assert_eq!(kept, part);
        for later in ["2026-09-21T14:30:00Z", "2026-09-21T15:30:00Z", "2026-09-22T01:00:00Z"] {
            let from = |series| {
                observation(&oslo().place, series, instant(later), now).expect("an observation")
            };
            assert_eq!(from(&kept), from(&whole), "at {later}");
        }
    }

    #[test]
    fn only_the_hours_round_the_present_are_kept() {
        let step = |hour: i64| Step { time_s: hour * 3600, ..Step::default() };
        let mut series = Series { steps: (0..100).map(step).collect() };
        series.keep_around(Timestamp::from_second(10 * 3600 + 60).expect("an instant"));
        let hours: Vec<i64> = series.steps.iter().map(|step| step.time_s / 3600).collect();
        assert_eq!(hours, (9..=34).collect::<Vec<i64>>());
    }

    #[test]
    fn rain_before_a_new_forecast_comes_from_the_old_one() {
        let mut new = read(fixture!("updated.json"));
        new.take_step_before(&read(fixture!("complete.json")));
        let now = instant("2026-09-21T14:10:00Z");
        let observed = observation(&oslo().place, &new, now, now).expect("an observation");
        assert!(in_words(&observed).contains(" temperature=10.3 "), "{}", in_words(&observed));
        assert!(in_words(&observed).contains(" precipitation=0.3 "), "{}", in_words(&observed));
    }

    #[test]
    fn rain_of_another_hour_is_not_taken() {
        let mut new = read(fixture!("updated.json"));
        let mut old = read(fixture!("complete.json"));
        old.steps[0].time_s -= 3600;
        old.steps.truncate(1);
        new.take_step_before(&old);
        let now = instant("2026-09-21T14:10:00Z");
        let observed = observation(&oslo().place, &new, now, now).expect("an observation");
        assert_eq!(observed.readings.precipitation, None);
    }

    #[test]
    fn body_kept_by_version_1_is_still_read() {
        let body = fixture!("kept_version_1.json");
        let question = question(&oslo().place);
        let series = Series::parse(body, &question).expect("the body can be read");
        let now = instant("2026-09-21T13:30:00Z");
        let observed = observation(&oslo().place, &series, now, now).expect("an observation");
        assert!(in_words(&observed).contains(" precipitation=0.5 "), "{}", in_words(&observed));
        assert!(series.speaks_of(instant("2026-09-21T14:59:59Z")));
        assert!(!series.speaks_of(instant("2026-09-21T15:00:00Z")));
    }

    #[test]
    fn body_for_another_question_or_form_is_not_read() {
        let body = fixture!("kept_version_1.json");
        let here = question(&oslo().place);
        let moved = question(&crate::testkit::buenos_aires().place);
        assert_eq!(Series::parse(body, &moved), None);
        assert_eq!(Series::parse(&body.replace("\"version\":1", "\"version\":2"), &here), None);
        assert_eq!(Series::parse("", &here), None);
        assert_eq!(Series::parse(r#"{"version":1,"question":"","steps":[]}"#, &[]), None);
    }
}
