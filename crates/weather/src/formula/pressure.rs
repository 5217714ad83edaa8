//! Air pressure: at the station, reduced to mean sea level, and as altimeter setting.

use crate::formula::saturation_vapor_pressure;
use crate::unit::{
    AltimeterSetting, Celsius, KELVIN_AT_ZERO_CELSIUS, Meters, Percent, SeaLevelPressure,
    StationPressure,
};

/// Standard acceleration of gravity, in m/s².
const GRAVITY: f64 = 9.80665;
/// Gas constant of dry air, in J/(kg·K).
const GAS_CONSTANT_DRY_AIR: f64 = 287.05;
/// Decrease of temperature with height in the standard atmosphere, in K/m.
const LAPSE_RATE: f64 = 0.0065;
/// Warming by water vapour in the reduction of the German weather service, in K per hPa.
const VAPOR_WARMING: f64 = 0.12;
/// Pressure of the standard atmosphere at mean sea level, in hPa.
const STANDARD_SEA_LEVEL_HPA: f64 = 1013.25;

/// Reduces a station pressure to mean sea level, with the moisture of the air.
///
/// Meant for heights up to about 750 m; the best temperature is the mean of now and 12 hours ago.
/// `None` where an argument is no number, the pressure not positive, or the humidity outside 0 to 100 %.
/// Source: WMO-No. 8, reduction of pressure to mean sea level, in the form of Deutscher Wetterdienst.
pub fn sea_level_pressure(
    station: StationPressure,
    elevation: Meters,
    temperature: Celsius,
    relative_humidity: Percent,
) -> Option<SeaLevelPressure> {
    if !(0.0..=100.0).contains(&relative_humidity.0) {
        return None;
    }
    let saturation_hpa = saturation_vapor_pressure(temperature)?.0;
    let vapor_hpa = relative_humidity.0 / 100.0 * saturation_hpa;
    let mean_k = temperature.kelvin() + VAPOR_WARMING * vapor_hpa + LAPSE_RATE * elevation.0 / 2.0;
    if mean_k <= 0.0 {
        return None;
    }
    let exponent = GRAVITY / GAS_CONSTANT_DRY_AIR * elevation.0 / mean_k;
    possible_hpa(station.0 * exponent.exp()).map(SeaLevelPressure)
}

/// Reduces a station pressure to mean sea level where the humidity is not known.
///
/// Meant for heights up to about 750 m. `None` where an argument is no number or the pressure is not
/// positive.
/// Source: the same reduction with a constant lapse rate and dry air, exponent 5.257.
pub fn sea_level_pressure_of_dry_air(
    station: StationPressure,
    elevation: Meters,
    temperature: Celsius,
) -> Option<SeaLevelPressure> {
    const EXPONENT: f64 = 5.257;
    let lapse_k = LAPSE_RATE * elevation.0;
    let sea_level_k = temperature.0 + KELVIN_AT_ZERO_CELSIUS + lapse_k;
    let ratio = 1.0 - lapse_k / sea_level_k;
    if !(sea_level_k > 0.0 && ratio > 0.0) {
        return None;
    }
    possible_hpa(station.0 * ratio.powf(-EXPONENT)).map(SeaLevelPressure)
}

/// `R·L/g` of the standard atmosphere.
const ALTIMETER_EXPONENT: f64 = 0.190263;
/// What one metre takes off a pressure raised to [`ALTIMETER_EXPONENT`].
const ALTIMETER_PER_METER: f64 = 8.417286e-5;

/// Returns the pressure at a station from its altimeter setting (QNH).
///
/// `None` where an argument is no number, the setting not positive, or the height above the
/// standard atmosphere.
/// Source: ICAO Doc 7488, Manual of the ICAO Standard Atmosphere.
pub fn station_pressure(setting: AltimeterSetting, elevation: Meters) -> Option<StationPressure> {
    let raised = setting.0.powf(ALTIMETER_EXPONENT) - ALTIMETER_PER_METER * elevation.0;
    standard_atmosphere_hpa(setting.0, raised).map(StationPressure)
}

/// Returns the altimeter setting (QNH) of a station from its pressure.
///
/// `None` where an argument is no number, the pressure not positive, or the height below the
/// standard atmosphere.
/// Source: ICAO Doc 7488, Manual of the ICAO Standard Atmosphere.
pub fn altimeter_setting(station: StationPressure, elevation: Meters) -> Option<AltimeterSetting> {
    let raised = station.0.powf(ALTIMETER_EXPONENT) + ALTIMETER_PER_METER * elevation.0;
    standard_atmosphere_hpa(station.0, raised).map(AltimeterSetting)
}

/// Returns the pressure of the standard atmosphere at a height; `None` above its top.
///
/// Source: ICAO Doc 7488, Manual of the ICAO Standard Atmosphere.
pub fn standard_pressure(elevation: Meters) -> Option<StationPressure> {
    station_pressure(AltimeterSetting(STANDARD_SEA_LEVEL_HPA), elevation)
}

fn standard_atmosphere_hpa(given_hpa: f64, raised: f64) -> Option<f64> {
    if !(given_hpa > 0.0 && raised > 0.0) {
        return None;
    }
    possible_hpa(raised.powf(1.0 / ALTIMETER_EXPONENT))
}

fn possible_hpa(pressure_hpa: f64) -> Option<f64> {
    (pressure_hpa.is_finite() && pressure_hpa > 0.0).then_some(pressure_hpa)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reduction_to_sea_level_agrees_with_worked_examples() {
        check_reduction(1000.0, 100.0, 15.0, 50.0, 1011.87, 1011.92);
        check_reduction(950.0, 500.0, 10.0, 70.0, 1008.51, 1008.74);
    }

    #[track_caller]
    fn check_reduction(station: f64, height: f64, t: f64, rh: f64, full: f64, short: f64) {
        let (station, height, t) = (StationPressure(station), Meters(height), Celsius(t));
        let computed = sea_level_pressure(station, height, t, Percent(rh)).unwrap();
        assert!((computed.0 - full).abs() < 0.005, "{computed:?}");
        let computed = sea_level_pressure_of_dry_air(station, height, t).unwrap();
        assert!((computed.0 - short).abs() < 0.005, "{computed:?}");
    }

    #[test]
    fn altimeter_setting_agrees_with_the_worked_example() {
        let station = station_pressure(AltimeterSetting(1024.1), Meters(1612.0)).unwrap();
        assert!((station.0 - 843.27).abs() < 0.005, "{station:?}");
        let standard = standard_pressure(Meters(0.0)).unwrap();
        assert!((standard.0 - 1013.25).abs() < 1e-9, "{standard:?}");
        let standard = standard_pressure(Meters(1000.0)).unwrap();
        assert!((standard.0 - 898.75).abs() < 0.05, "{standard:?}");
    }

    #[test]
    fn impossible_arguments_give_nothing() {
        let reduce = |p, h, t, rh| {
            sea_level_pressure(StationPressure(p), Meters(h), Celsius(t), Percent(rh))
        };
        assert_eq!(reduce(0.0, 100.0, 15.0, 50.0), None);
        assert_eq!(reduce(1000.0, 100.0, 15.0, 101.0), None);
        assert_eq!(reduce(1000.0, 100.0, -300.0, 50.0), None);
        assert_eq!(reduce(1000.0, f64::NAN, 15.0, 50.0), None);
        assert_eq!(reduce(1000.0, -1e9, 15.0, 50.0), None);
        let cold =
            sea_level_pressure_of_dry_air(StationPressure(900.0), Meters(0.0), Celsius(-274.0));
        assert_eq!(cold, None);
        assert_eq!(station_pressure(AltimeterSetting(-5.0), Meters(0.0)), None);
        assert_eq!(standard_pressure(Meters(50_000.0)), None);
        assert_eq!(altimeter_setting(StationPressure(f64::INFINITY), Meters(0.0)), None);
    }

    proptest! {
        #[test]
        fn altimeter_setting_of_the_station_pressure_is_the_setting(
            setting in 900.0..1080.0, height in -400.0..9000.0
        ) {
            let station = station_pressure(AltimeterSetting(setting), Meters(height)).unwrap();
            let back = altimeter_setting(station, Meters(height)).unwrap();
            prop_assert!((back.0 - setting).abs() < 1e-6);
        }

        #[test]
        fn sea_level_pressure_is_the_station_pressure_at_sea_level(
            p in 400.0..1100.0, t in -60.0..50.0, rh in 0.0..=100.0
        ) {
            let station = StationPressure(p);
            let full = sea_level_pressure(station, Meters(0.0), Celsius(t), Percent(rh)).unwrap();
            let short = sea_level_pressure_of_dry_air(station, Meters(0.0), Celsius(t)).unwrap();
            prop_assert!((full.0 - p).abs() < 1e-9 && (short.0 - p).abs() < 1e-9);
        }

        #[test]
        fn higher_station_means_a_larger_reduction(
            p in 400.0..1100.0, h in -400.0..5000.0, step in 1.0..500.0, t in -60.0..50.0,
            rh in 0.0..=100.0
        ) {
            let (station, t, rh) = (StationPressure(p), Celsius(t), Percent(rh));
            let (lower, higher) = (Meters(h), Meters(h + step));
            let full = |height| sea_level_pressure(station, height, t, rh).unwrap();
            prop_assert!(full(lower) < full(higher));
            let short = |height| sea_level_pressure_of_dry_air(station, height, t).unwrap();
            prop_assert!(short(lower) < short(higher));
        }

        #[test]
        fn both_reductions_stay_close_up_to_750_m(
            p in 900.0..1050.0, h in 0.0..750.0, t in -20.0..35.0
        ) {
            let (station, height, t) = (StationPressure(p), Meters(h), Celsius(t));
            let full = sea_level_pressure(station, height, t, Percent(0.0)).unwrap();
            let short = sea_level_pressure_of_dry_air(station, height, t).unwrap();
            prop_assert!((full.0 - short.0).abs() < 0.2, "{full:?} {short:?}");
        }

        #[test]
        fn no_number_panics_or_becomes_nan(p in any::<f64>(), h in any::<f64>(), t in any::<f64>()) {
            let (station, height, t) = (StationPressure(p), Meters(h), Celsius(t));
            let is_possible = |pressure_hpa: f64| pressure_hpa.is_finite() && pressure_hpa > 0.0;
            let full = sea_level_pressure(station, height, t, Percent(50.0));
            prop_assert!(full.is_none_or(|pressure| is_possible(pressure.0)));
            let short = sea_level_pressure_of_dry_air(station, height, t);
            prop_assert!(short.is_none_or(|pressure| is_possible(pressure.0)));
            let setting = altimeter_setting(station, height);
            prop_assert!(setting.is_none_or(|pressure| is_possible(pressure.0)));
        }
    }
}
