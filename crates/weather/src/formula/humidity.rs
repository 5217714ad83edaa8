//! Water vapour: saturation, dew point and relative humidity.
//!
//! Source of all: WMO-No. 8, Guide to Instruments and Methods of Observation, formulas for humidity
//! (the Magnus form of Sonntag 1990). The humidity is always that over water, below 0 °C too, as
//! weather services report it.

use crate::unit::{Celsius, Percent, VaporPressure};

/// Saturation vapour pressure at 0 °C, in hPa.
const SATURATION_AT_ZERO_HPA: f64 = 6.112;

/// The two numbers of the Magnus form, without unit and in °C.
struct Magnus {
    factor: f64,
    offset_c: f64,
}

const OVER_WATER: Magnus = Magnus { factor: 17.62, offset_c: 243.12 };
const OVER_ICE: Magnus = Magnus { factor: 22.46, offset_c: 272.62 };

impl Magnus {
    /// Returns the logarithm of the saturation pressure over that at 0 °C; `None` at and below the pole.
    fn exponent(&self, temperature: Celsius) -> Option<f64> {
        let denominator = self.offset_c + temperature.0;
        let is_defined = temperature.0.is_finite() && denominator > 0.0;
        is_defined.then(|| self.factor * temperature.0 / denominator)
    }
}

/// Returns the vapour pressure of air saturated over water, in hPa.
///
/// Published for −45 to 60 °C; beyond, it is the same curve drawn on. `None` for a temperature that
/// is no number or at most −243.12 °C.
pub fn saturation_vapor_pressure(temperature: Celsius) -> Option<VaporPressure> {
    let exponent = OVER_WATER.exponent(temperature)?;
    Some(VaporPressure(SATURATION_AT_ZERO_HPA * exponent.exp()))
}

/// Returns the vapour pressure of air saturated over ice, in hPa.
///
/// Published for −65 to 0 °C. `None` above 0 °C, where there is no ice, at most −272.62 °C, and for
/// what is no number.
pub fn saturation_vapor_pressure_over_ice(temperature: Celsius) -> Option<VaporPressure> {
    if temperature.0 > 0.0 {
        return None;
    }
    let exponent = OVER_ICE.exponent(temperature)?;
    Some(VaporPressure(SATURATION_AT_ZERO_HPA * exponent.exp()))
}

/// Returns the temperature to which air has to cool until it is saturated.
///
/// `None` for a humidity that is not above 0 and at most 100 %, and where the saturation pressure
/// is not defined.
pub fn dew_point(temperature: Celsius, relative_humidity: Percent) -> Option<Celsius> {
    if !(relative_humidity.0 > 0.0 && relative_humidity.0 <= 100.0) {
        return None;
    }
    let gamma = (relative_humidity.0 / 100.0).ln() + OVER_WATER.exponent(temperature)?;
    Some(Celsius(OVER_WATER.offset_c * gamma / (OVER_WATER.factor - gamma)))
}

/// Returns the relative humidity over water of air with this temperature and dew point, at most 100 %.
///
/// `None` where the saturation pressure is not defined for one of the two.
pub fn relative_humidity(temperature: Celsius, dew_point: Celsius) -> Option<Percent> {
    // The difference of the exponents instead of a quotient of pressures: no division by zero.
    let exponent = OVER_WATER.exponent(dew_point)? - OVER_WATER.exponent(temperature)?;
    Some(Percent((100.0 * exponent.exp()).clamp(0.0, 100.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn saturation_over_water_and_ice_agrees_with_the_published_form() {
        check_saturation(saturation_vapor_pressure(Celsius(0.0)), 6.112);
        check_saturation(saturation_vapor_pressure(Celsius(20.0)), 23.33);
        check_saturation(saturation_vapor_pressure(Celsius(-20.0)), 1.259);
        check_saturation(saturation_vapor_pressure_over_ice(Celsius(0.0)), 6.112);
        check_saturation(saturation_vapor_pressure_over_ice(Celsius(-20.0)), 1.032);
    }

    #[track_caller]
    fn check_saturation(computed: Option<VaporPressure>, expected_hpa: f64) {
        let computed_hpa = computed.unwrap().0;
        assert!((computed_hpa - expected_hpa).abs() < 0.002 * expected_hpa, "{computed_hpa} hPa");
    }

    #[test]
    fn dew_point_agrees_with_worked_examples() {
        check_dew_point(20.0, 50.0, Some(9.26));
        check_dew_point(30.0, 80.0, Some(26.17));
        check_dew_point(-10.0, 70.0, Some(-14.44));
        check_dew_point(35.0, 10.0, Some(-1.17));
        check_dew_point(0.0, 100.0, Some(0.0));
        check_dew_point(20.0, 0.0, None);
        check_dew_point(20.0, -1.0, None);
        check_dew_point(20.0, 100.1, None);
        check_dew_point(20.0, f64::NAN, None);
        check_dew_point(f64::NAN, 50.0, None);
        check_dew_point(f64::INFINITY, 50.0, None);
        check_dew_point(-243.12, 50.0, None);
    }

    #[track_caller]
    fn check_dew_point(temperature_c: f64, humidity_percent: f64, expected_c: Option<f64>) {
        let computed = dew_point(Celsius(temperature_c), Percent(humidity_percent));
        let rounded_c = computed.map(|dew_point| (dew_point.0 * 100.0).round() / 100.0);
        assert_eq!(rounded_c, expected_c, "{temperature_c} °C and {humidity_percent} %");
    }

    #[test]
    fn humidity_agrees_with_the_worked_example_and_ends_at_100() {
        let of = |temperature_c, dew_point_c| {
            relative_humidity(Celsius(temperature_c), Celsius(dew_point_c)).map(|rh| rh.0)
        };
        assert!((of(20.0, 10.0).unwrap() - 52.56).abs() < 0.005);
        assert_eq!(of(20.0, 20.4), Some(100.0));
        assert_eq!(of(20.0, -300.0), None);
        assert_eq!(of(f64::NAN, 10.0), None);
        assert_eq!(saturation_vapor_pressure_over_ice(Celsius(0.1)), None);
        assert_eq!(saturation_vapor_pressure_over_ice(Celsius(-273.0)), None);
    }

    proptest! {
        #[test]
        fn humidity_of_the_dew_point_is_the_humidity(t in -90.0..60.0, rh in 0.01..=100.0) {
            let (temperature, humidity) = (Celsius(t), Percent(rh));
            let dew_point = dew_point(temperature, humidity).unwrap();
            prop_assert!(dew_point.0 <= t + 1e-9);
            let back = relative_humidity(temperature, dew_point).unwrap();
            prop_assert!((back.0 - rh).abs() < 1e-6);
        }

        #[test]
        fn warmer_air_holds_more_vapor(t in -90.0..60.0, step in 0.01..10.0) {
            let (colder, warmer) = (Celsius(t), Celsius(t + step));
            prop_assert!(saturation_vapor_pressure(colder) < saturation_vapor_pressure(warmer));
        }

        #[test]
        fn ice_saturates_below_water(t in -90.0..-0.01) {
            let ice = saturation_vapor_pressure_over_ice(Celsius(t)).unwrap();
            prop_assert!(ice < saturation_vapor_pressure(Celsius(t)).unwrap());
        }

        #[test]
        fn damper_air_has_the_higher_dew_point(
            t in -90.0..60.0, rh in 0.01..99.0, step in 0.01..1.0
        ) {
            let drier = dew_point(Celsius(t), Percent(rh));
            prop_assert!(drier < dew_point(Celsius(t), Percent(rh + step)));
        }

        #[test]
        fn no_number_panics_or_becomes_nan(t in any::<f64>(), other in any::<f64>()) {
            let humidity = relative_humidity(Celsius(t), Celsius(other));
            prop_assert!(humidity.is_none_or(|rh| (0.0..=100.0).contains(&rh.0)));
            let dew_point = dew_point(Celsius(t), Percent(other));
            prop_assert!(dew_point.is_none_or(|dew_point| dew_point.0.is_finite()));
        }
    }
}
