//! The check of an observation, seen from outside: cases, and properties over any readings.

use jiff::{SignedDuration, Timestamp};
use pampero_weather::condition::ReportedCondition;
use pampero_weather::observation::{Observation, Precipitation, Quantity, Readings, SourceKind};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::{Flag, QualityFlags, check};
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};
use proptest::prelude::*;

/// A plausible day at 100 m: every reading is likely and goes with the others.
fn plausible() -> Readings {
    Readings {
        temperature: Some(Celsius(20.0)),
        relative_humidity: Some(Percent(50.0)),
        dew_point: Some(Celsius(9.3)),
        pressure_msl: Some(SeaLevelPressure(1013.0)),
        pressure_station: Some(StationPressure(1001.0)),
        wind_speed: Some(MetersPerSecond(5.0)),
        wind_gust: Some(MetersPerSecond(9.0)),
        wind_direction: Some(Degrees(230.0)),
        precipitation: precipitation(0.4, Some(3600)),
        cloud_cover: Some(Percent(75.0)),
        visibility: Some(Meters(10_000.0)),
    }
}

fn precipitation(amount_mm: f64, interval_s: Option<i64>) -> Option<Precipitation> {
    let interval = interval_s.map(SignedDuration::from_secs);
    Some(Precipitation { amount: Millimeters(amount_mm), interval })
}

fn observation(readings: Readings, wmo_code: i64) -> Observation {
    Observation {
        place: "rosario".parse().expect("a slug"),
        provider: ProviderId::OpenMeteo,
        observed_at: Timestamp::UNIX_EPOCH,
        fetched_at: Timestamp::UNIX_EPOCH,
        source_kind: SourceKind::Model,
        readings,
        condition: Some(ReportedCondition::from_wmo(wmo_code)),
        flags: QualityFlags::default(),
    }
}

/// Checks a plausible observation after `change`, and names the quantities left out and the flags.
#[track_caller]
fn expect(change: impl FnOnce(&mut Readings), gone: &[Quantity], flags: &[(Quantity, Flag)]) {
    expect_under(2, Some(100.0), change, gone, flags);
}

#[track_caller]
fn expect_under(
    wmo_code: i64,
    elevation_m: Option<f64>,
    change: impl FnOnce(&mut Readings),
    gone: &[Quantity],
    flags: &[(Quantity, Flag)],
) {
    let mut readings = plausible();
    change(&mut readings);
    let checked = check(observation(readings, wmo_code), elevation_m.map(Meters));
    let kept = checked.observation.readings;
    let missing: Vec<_> =
        Quantity::ALL.into_iter().filter(|quantity| kept.get(*quantity).is_none()).collect();
    assert_eq!(missing, gone, "quantities without a value");
    let flagged: Vec<_> = checked.observation.flags.iter().collect();
    assert_eq!(flagged, flags, "flags, explained by {:?}", checked.findings);
    let mut found: Vec<_> =
        checked.findings.iter().map(|finding| (finding.quantity, finding.flag)).collect();
    found.sort();
    assert_eq!(found, flags, "findings");
}

const REJECTED: Flag = Flag::Rejected;
const SUSPECT: Flag = Flag::Suspect;

#[test]
fn plausible_observation_stays_as_it_is() {
    expect(|_| {}, &[], &[]);
    let given = observation(plausible(), 61);
    assert_eq!(check(given.clone(), Some(Meters(100.0))).observation, given);
}

#[test]
fn reading_is_rejected_only_outside_its_limits() {
    use Quantity::*;
    check_limits(Temperature, -90.0, 60.0, |r, v| r.temperature = Some(Celsius(v)));
    check_limits(RelativeHumidity, 0.0, 102.0, |r, v| r.relative_humidity = Some(Percent(v)));
    check_limits(DewPoint, -90.0, 36.0, |r, v| r.dew_point = Some(Celsius(v)));
    check_limits(PressureMsl, 846.0, 1100.0, |r, v| r.pressure_msl = Some(SeaLevelPressure(v)));
    check_limits(PressureStation, 400.0, 1100.0, |r, v| {
        r.pressure_station = Some(StationPressure(v));
    });
    check_limits(WindSpeed, 0.0, 100.0, |r, v| r.wind_speed = Some(MetersPerSecond(v)));
    check_limits(WindGust, 0.0, 130.0, |r, v| r.wind_gust = Some(MetersPerSecond(v)));
    check_limits(WindDirection, 0.0, 360.0, |r, v| {
        (r.wind_speed, r.wind_direction) = (Some(MetersPerSecond(5.0)), Some(Degrees(v)));
    });
    check_limits(CloudCover, 0.0, 100.0, |r, v| r.cloud_cover = Some(Percent(v)));
    check_limits(Visibility, 0.0, 160_000.0, |r, v| r.visibility = Some(Meters(v)));
}

#[track_caller]
fn check_limits(quantity: Quantity, min: f64, max: f64, put: fn(&mut Readings, f64)) {
    let is_kept = |value: f64| {
        let mut readings = Readings::default();
        put(&mut readings, value);
        let checked = check(observation(readings, 2), None).observation;
        let is_rejected = checked.flags.has(quantity, REJECTED);
        assert_ne!(checked.readings.get(quantity).is_some(), is_rejected, "{quantity:?} {value}");
        !is_rejected
    };
    assert!(is_kept(min) && is_kept(max), "{quantity:?} at its limits");
    assert!(!is_kept(min - 0.01) && !is_kept(max + 0.01), "{quantity:?} beyond its limits");
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        assert!(!is_kept(value), "{quantity:?} {value}");
    }
}

#[test]
fn unlikely_reading_is_kept_and_marked() {
    use Quantity::*;
    let dry = |r: &mut Readings| (r.relative_humidity, r.dew_point) = (None, None);
    let air = |t: f64| {
        move |r: &mut Readings| {
            dry(r);
            r.temperature = Some(Celsius(t));
        }
    };
    expect(air(50.0), &[RelativeHumidity, DewPoint], &[]);
    expect(air(50.1), &[RelativeHumidity, DewPoint], &[(Temperature, SUSPECT)]);
    expect(air(-60.1), &[RelativeHumidity, DewPoint], &[(Temperature, SUSPECT)]);
    expect(|r| r.pressure_msl = Some(SeaLevelPressure(1060.1)), &[], &[(PressureMsl, SUSPECT)]);
    // The standard atmosphere has 1001.3 hPa at 100 m.
    expect(|r| r.pressure_station = Some(StationPressure(941.4)), &[], &[]);
    expect(
        |r| r.pressure_station = Some(StationPressure(941.2)),
        &[],
        &[(PressureStation, SUSPECT)],
    );
    let storm = |r: &mut Readings| {
        r.wind_speed = Some(MetersPerSecond(45.1));
        r.wind_gust = Some(MetersPerSecond(65.1));
    };
    expect(storm, &[], &[(WindSpeed, SUSPECT), (WindGust, SUSPECT)]);
    expect(|r| r.wind_gust = Some(MetersPerSecond(43.0)), &[], &[(WindGust, SUSPECT)]);
    expect(|r| r.wind_gust = Some(MetersPerSecond(42.9)), &[], &[]);
}

#[test]
fn humidity_a_little_above_100_is_clamped() {
    let wet = |humidity: f64| {
        move |r: &mut Readings| {
            r.relative_humidity = Some(Percent(humidity));
            r.dew_point = r.temperature;
        }
    };
    expect(wet(100.0), &[], &[]);
    expect(wet(101.5), &[], &[(Quantity::RelativeHumidity, Flag::Clamped)]);
    expect(wet(102.1), &[Quantity::RelativeHumidity], &[(Quantity::RelativeHumidity, REJECTED)]);
    let mut readings = plausible();
    wet(101.5)(&mut readings);
    let clamped = check(observation(readings, 2), None).observation.readings;
    assert_eq!(clamped.relative_humidity, Some(Percent(100.0)));
}

#[test]
fn precipitation_is_judged_by_its_interval() {
    let rain = |amount, interval_s| {
        move |r: &mut Readings| r.precipitation = precipitation(amount, interval_s)
    };
    let suspect = [(Quantity::Precipitation, SUSPECT)];
    let rejected = [(Quantity::Precipitation, REJECTED)];
    expect(rain(100.0, Some(3600)), &[], &[]);
    expect(rain(100.1, Some(3600)), &[], &suspect);
    expect(rain(420.0, Some(3600)), &[], &suspect);
    expect(rain(420.1, Some(3600)), &[Quantity::Precipitation], &rejected);
    expect(rain(25.1, Some(900)), &[], &suspect);
    expect(rain(40.0, Some(60)), &[], &suspect);
    expect(rain(40.1, Some(60)), &[Quantity::Precipitation], &rejected);
    expect(rain(599.0, Some(6 * 3600)), &[], &[]);
    expect(rain(-0.1, Some(3600)), &[Quantity::Precipitation], &rejected);
    expect(rain(f64::NAN, Some(3600)), &[Quantity::Precipitation], &rejected);
}

#[test]
fn precipitation_without_an_interval_is_kept_out_of_sums() {
    let unknown = [(Quantity::Precipitation, Flag::IntervalUnknown)];
    for interval_s in [None, Some(0), Some(-3600)] {
        expect(|r| r.precipitation = precipitation(0.4, interval_s), &[], &unknown);
        // It is judged as an hourly amount, of which 40.1 mm in one minute would be too much.
        expect(|r| r.precipitation = precipitation(40.1, interval_s), &[], &unknown);
    }
    let mut readings = plausible();
    readings.precipitation = precipitation(0.4, Some(0));
    let checked = check(observation(readings, 2), None).observation.readings;
    assert_eq!(checked.precipitation, precipitation(0.4, None));
}

#[test]
fn contradiction_costs_one_reading() {
    use Quantity::*;
    expect(|r| r.dew_point = Some(Celsius(20.6)), &[DewPoint], &[(DewPoint, REJECTED)]);
    expect(|r| r.wind_gust = Some(MetersPerSecond(4.4)), &[WindGust], &[(WindGust, REJECTED)]);
    expect(|r| r.wind_gust = Some(MetersPerSecond(4.5)), &[], &[]);
    let too_high = |r: &mut Readings| r.pressure_station = Some(StationPressure(1015.1));
    expect(too_high, &[PressureStation], &[(PressureStation, REJECTED)]);
    expect(|r| r.pressure_station = Some(StationPressure(1015.0)), &[], &[]);
    expect_under(2, Some(0.0), too_high, &[], &[]);
    expect_under(2, Some(-300.0), too_high, &[], &[]);
    expect_under(2, None, too_high, &[], &[]);
}

#[test]
fn direction_needs_wind() {
    use Quantity::*;
    let calm = |r: &mut Readings| r.wind_speed = Some(MetersPerSecond(0.0));
    expect(calm, &[WindDirection], &[]);
    expect(|r| r.wind_speed = None, &[WindSpeed, WindDirection], &[(WindDirection, REJECTED)]);
    let impossible = |r: &mut Readings| r.wind_speed = Some(MetersPerSecond(468.7));
    let flags = [(WindSpeed, REJECTED), (WindDirection, REJECTED)];
    expect(impossible, &[WindSpeed, WindDirection], &flags);
}

#[test]
fn humidity_and_dew_point_that_disagree_are_both_suspect() {
    let flags = [(Quantity::RelativeHumidity, SUSPECT), (Quantity::DewPoint, SUSPECT)];
    expect(|r| r.relative_humidity = Some(Percent(62.0)), &[], &flags);
    expect(|r| r.relative_humidity = Some(Percent(59.0)), &[], &[]);
}

#[test]
fn condition_that_contradicts_the_readings_makes_them_suspect() {
    use Quantity::*;
    const FOG: i64 = 45;
    const SNOW: i64 = 73;
    const RAIN: i64 = 63;
    let near = Some(Meters(500.0));
    let clear_air = [(RelativeHumidity, SUSPECT), (Visibility, SUSPECT)];
    expect_under(FOG, None, |_| {}, &[], &clear_air);
    expect_under(FOG, None, |r| r.visibility = near, &[], &[]);
    expect_under(FOG, None, |r| (r.visibility, r.temperature) = (near, None), &[Temperature], &[]);
    let damp = |r: &mut Readings| {
        (r.relative_humidity, r.dew_point) = (Some(Percent(97.0)), Some(Celsius(19.5)))
    };
    expect_under(FOG, None, damp, &[], &[]);
    let unseen = |r: &mut Readings| r.visibility = None;
    expect_under(FOG, None, unseen, &[Visibility], &[(RelativeHumidity, SUSPECT)]);

    let air =
        |t: f64| move |r: &mut Readings| (r.temperature, r.dew_point) = (Some(Celsius(t)), None);
    let derived = (DewPoint, Flag::Derived);
    expect_under(SNOW, None, air(6.0), &[], &[derived]);
    expect_under(SNOW, None, air(6.1), &[], &[(Temperature, SUSPECT), derived]);
    expect_under(RAIN, None, air(-10.0), &[], &[derived]);
    expect_under(RAIN, None, air(-10.1), &[], &[(Temperature, SUSPECT), derived]);
}

#[test]
fn dew_point_is_derived_only_when_the_provider_gave_none() {
    use Quantity::*;
    let mut readings = plausible();
    readings.dew_point = None;
    let derived = check(observation(readings, 2), None).observation;
    let dew_point = derived.readings.dew_point.unwrap();
    assert!((dew_point.0 - 9.26).abs() < 0.005, "{dew_point:?}");
    expect(|r| r.dew_point = None, &[], &[(DewPoint, Flag::Derived)]);
    // One that was given and rejected is not replaced.
    expect(|r| r.dew_point = Some(Celsius(90.0)), &[DewPoint], &[(DewPoint, REJECTED)]);
    let parched =
        |r: &mut Readings| (r.relative_humidity, r.dew_point) = (Some(Percent(0.0)), None);
    expect(parched, &[DewPoint], &[(RelativeHumidity, SUSPECT)]);
    let steam = |r: &mut Readings| {
        (r.temperature, r.relative_humidity) = (Some(Celsius(45.0)), Some(Percent(95.0)));
        r.dew_point = None;
    };
    expect(steam, &[DewPoint], &[(Temperature, SUSPECT), (RelativeHumidity, SUSPECT)]);
}

#[test]
fn reason_names_value_and_limits_in_a_short_line() {
    let reason = |temperature_c: f64| {
        let readings =
            Readings { temperature: Some(Celsius(temperature_c)), ..Readings::default() };
        let findings = check(observation(readings, 2), None).findings;
        findings.into_iter().map(|finding| finding.reason).collect::<Vec<_>>()
    };
    assert_eq!(reason(75.3), ["75.3 °C is outside -90 to 60 °C"]);
    assert_eq!(reason(-61.0), ["-61 °C is outside -60 to 50 °C"]);
    assert_eq!(reason(f64::MAX), ["1.7976931348623157e308 °C is outside -90 to 60 °C"]);
    assert_eq!(reason(f64::NAN), ["NaN °C is outside -90 to 60 °C"]);
    assert_eq!(reason(60.123_456), ["60.1235 °C is outside -90 to 60 °C"]);
}

/// Values round the limits of a quantity, and now and then any number at all.
fn around(min: f64, max: f64) -> impl Strategy<Value = Option<f64>> {
    let margin = (max - min) / 4.0;
    prop_oneof![
        1 => Just(None),
        8 => (min - margin..max + margin).prop_map(Some),
        1 => any::<f64>().prop_map(Some),
    ]
}

prop_compose! {
    fn any_readings()(
        temperature in around(-90.0, 60.0), relative_humidity in around(0.0, 102.0),
        dew_point in around(-90.0, 36.0), pressure_msl in around(846.0, 1100.0),
        pressure_station in around(846.0, 1100.0), wind_speed in around(0.0, 100.0),
        wind_gust in around(0.0, 130.0), wind_direction in around(0.0, 360.0),
        rain in around(0.0, 420.0), interval_s in prop::option::of(-100_i64..90_000),
        cloud_cover in around(0.0, 100.0), visibility in around(0.0, 160_000.0),
    ) -> Readings {
        Readings {
            temperature: temperature.map(Celsius),
            relative_humidity: relative_humidity.map(Percent),
            dew_point: dew_point.map(Celsius),
            pressure_msl: pressure_msl.map(SeaLevelPressure),
            pressure_station: pressure_station.map(StationPressure),
            wind_speed: wind_speed.map(MetersPerSecond),
            wind_gust: wind_gust.map(MetersPerSecond),
            wind_direction: wind_direction.map(Degrees),
            precipitation: rain.and_then(|amount_mm| precipitation(amount_mm, interval_s)),
            cloud_cover: cloud_cover.map(Percent),
            visibility: visibility.map(Meters),
        }
    }
}

prop_compose! {
    fn any_observation()(
        readings in any_readings(), wmo_code in prop_oneof![Just(2_i64), Just(45), Just(63), Just(73)]
    ) -> Observation {
        observation(readings, wmo_code)
    }
}

proptest! {
    #[test]
    fn checking_again_changes_and_finds_nothing_more(
        given in any_observation(), elevation_m in prop::option::of(-500.0..9000.0)
    ) {
        let elevation = elevation_m.map(Meters);
        let once = check(given, elevation);
        let twice = check(once.observation.clone(), elevation);
        prop_assert_eq!(twice.observation, once.observation);
        prop_assert_eq!(twice.findings, vec![]);
    }

    #[test]
    fn value_is_kept_or_flagged_and_always_a_number(given in any_observation()) {
        let before = given.readings;
        let checked = check(given, Some(Meters(25.0)));
        let after = checked.observation;
        for quantity in Quantity::ALL {
            let (was, is) = (before.get(quantity), after.readings.get(quantity));
            prop_assert!(is.is_none_or(f64::is_finite), "{:?} {:?}", quantity, is);
            let rejected = after.flags.has(quantity, Flag::Rejected);
            prop_assert!(!rejected || is.is_none(), "{:?} is rejected and there", quantity);
            let calm = after.readings.wind_speed == Some(MetersPerSecond(0.0));
            let explained = rejected
                || after.flags.has(quantity, Flag::Derived)
                || after.flags.has(quantity, Flag::Clamped)
                || (quantity == Quantity::WindDirection && calm);
            prop_assert!(was == is || explained, "{:?} went from {:?} to {:?}", quantity, was, is);
        }
        for finding in &checked.findings {
            prop_assert!(after.flags.has(finding.quantity, finding.flag));
            prop_assert!(!finding.reason.is_empty() && finding.reason.len() < 150);
        }
    }
}
