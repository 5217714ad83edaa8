//! Conversions into and out of the units that weather services use.
//!
//! Source: BIPM, The International System of Units; exact factors but for inches of mercury, knots
//! (both rounded to seven digits) and what follows from them.

use super::{
    AltimeterSetting, Celsius, Meters, MetersPerSecond, Millimeters, SeaLevelPressure,
    StationPressure,
};

/// Temperature of 0 °C, in kelvin.
pub const KELVIN_AT_ZERO_CELSIUS: f64 = 273.15;

const HPA_PER_INCH_OF_MERCURY: f64 = 33.863886;
const METERS_PER_SECOND_PER_KNOT: f64 = 0.514444;
const METERS_PER_SECOND_PER_MILE_PER_HOUR: f64 = 0.44704;
const METERS_PER_STATUTE_MILE: f64 = 1609.344;
const METERS_PER_NAUTICAL_MILE: f64 = 1852.0;
const METERS_PER_FOOT: f64 = 0.3048;
const MILLIMETERS_PER_INCH: f64 = 25.4;

impl Celsius {
    /// Takes a temperature in kelvin.
    pub const fn from_kelvin(kelvin: f64) -> Self {
        Self(kelvin - KELVIN_AT_ZERO_CELSIUS)
    }

    /// Takes a temperature in degrees Fahrenheit.
    pub const fn from_fahrenheit(fahrenheit: f64) -> Self {
        Self((fahrenheit - 32.0) / 1.8)
    }

    /// Returns the temperature in kelvin.
    pub const fn kelvin(self) -> f64 {
        self.0 + KELVIN_AT_ZERO_CELSIUS
    }

    /// Returns the temperature in degrees Fahrenheit.
    pub const fn fahrenheit(self) -> f64 {
        self.0 * 1.8 + 32.0
    }
}

/// Gives each of the three pressures the same conversions.
macro_rules! pressure_conversions {
    ($($name:ident)+) => {$(
        impl $name {
            /// Takes a pressure in pascal; a hectopascal is the same as a millibar.
            pub const fn from_pascals(pascals: f64) -> Self {
                Self(pascals / 100.0)
            }

            /// Takes a pressure in inches of mercury at 0 °C.
            pub const fn from_inches_of_mercury(inches: f64) -> Self {
                Self(inches * HPA_PER_INCH_OF_MERCURY)
            }

            /// Returns the pressure in inches of mercury at 0 °C.
            pub const fn inches_of_mercury(self) -> f64 {
                self.0 / HPA_PER_INCH_OF_MERCURY
            }
        }
    )+};
}

pressure_conversions!(SeaLevelPressure StationPressure AltimeterSetting);

impl MetersPerSecond {
    /// Takes a speed in kilometres per hour.
    pub const fn from_kilometers_per_hour(kilometers_per_hour: f64) -> Self {
        Self(kilometers_per_hour / 3.6)
    }

    /// Takes a speed in statute miles per hour.
    pub const fn from_miles_per_hour(miles_per_hour: f64) -> Self {
        Self(miles_per_hour * METERS_PER_SECOND_PER_MILE_PER_HOUR)
    }

    /// Takes a speed in knots, nautical miles per hour.
    pub const fn from_knots(knots: f64) -> Self {
        Self(knots * METERS_PER_SECOND_PER_KNOT)
    }

    /// Returns the speed in kilometres per hour.
    pub const fn kilometers_per_hour(self) -> f64 {
        self.0 * 3.6
    }

    /// Returns the speed in statute miles per hour.
    pub const fn miles_per_hour(self) -> f64 {
        self.0 / METERS_PER_SECOND_PER_MILE_PER_HOUR
    }

    /// Returns the speed in knots, nautical miles per hour.
    pub const fn knots(self) -> f64 {
        self.0 / METERS_PER_SECOND_PER_KNOT
    }
}

impl Millimeters {
    /// Takes an amount in inches.
    pub const fn from_inches(inches: f64) -> Self {
        Self(inches * MILLIMETERS_PER_INCH)
    }

    /// Returns the amount in inches.
    pub const fn inches(self) -> f64 {
        self.0 / MILLIMETERS_PER_INCH
    }
}

impl Meters {
    /// Takes a length in kilometres.
    pub const fn from_kilometers(kilometers: f64) -> Self {
        Self(kilometers * 1000.0)
    }

    /// Takes a length in statute miles.
    pub const fn from_statute_miles(miles: f64) -> Self {
        Self(miles * METERS_PER_STATUTE_MILE)
    }

    /// Takes a length in nautical miles.
    pub const fn from_nautical_miles(miles: f64) -> Self {
        Self(miles * METERS_PER_NAUTICAL_MILE)
    }

    /// Takes a length in feet.
    pub const fn from_feet(feet: f64) -> Self {
        Self(feet * METERS_PER_FOOT)
    }

    /// Returns the length in kilometres.
    pub const fn kilometers(self) -> f64 {
        self.0 / 1000.0
    }

    /// Returns the length in statute miles.
    pub const fn statute_miles(self) -> f64 {
        self.0 / METERS_PER_STATUTE_MILE
    }

    /// Returns the length in nautical miles.
    pub const fn nautical_miles(self) -> f64 {
        self.0 / METERS_PER_NAUTICAL_MILE
    }

    /// Returns the length in feet.
    pub const fn feet(self) -> f64 {
        self.0 / METERS_PER_FOOT
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn conversions_agree_with_published_values() {
        check(Celsius::from_kelvin(273.15).0, 0.0);
        check(Celsius::from_fahrenheit(32.0).0, 0.0);
        check(Celsius::from_fahrenheit(-40.0).0, -40.0);
        check(Celsius::from_fahrenheit(98.6).0, 37.0);
        check(SeaLevelPressure::from_inches_of_mercury(30.08).0, 1018.626);
        check(StationPressure::from_pascals(98_765.0).0, 987.65);
        check(AltimeterSetting::from_inches_of_mercury(29.92).0, 1013.207);
        check(MetersPerSecond::from_kilometers_per_hour(36.0).0, 10.0);
        check(MetersPerSecond::from_knots(10.0).0, 5.144);
        check(MetersPerSecond::from_miles_per_hour(10.0).0, 4.470);
        check(Millimeters::from_inches(2.0).0, 50.8);
        check(Meters::from_kilometers(7.5).0, 7500.0);
        check(Meters::from_statute_miles(10.0).0, 16_093.44);
        check(Meters::from_nautical_miles(10.0).0, 18_520.0);
        check(Meters::from_feet(1000.0).0, 304.8);
    }

    #[track_caller]
    fn check(computed: f64, expected: f64) {
        assert!((computed - expected).abs() < 0.0006, "{computed} should be {expected}");
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(value in -1e5..1e5) {
            let returned = [
                Celsius::from_kelvin(value).kelvin(),
                Celsius::from_fahrenheit(value).fahrenheit(),
                StationPressure::from_inches_of_mercury(value).inches_of_mercury(),
                MetersPerSecond::from_kilometers_per_hour(value).kilometers_per_hour(),
                MetersPerSecond::from_miles_per_hour(value).miles_per_hour(),
                MetersPerSecond::from_knots(value).knots(),
                Millimeters::from_inches(value).inches(),
                Meters::from_kilometers(value).kilometers(),
                Meters::from_statute_miles(value).statute_miles(),
                Meters::from_nautical_miles(value).nautical_miles(),
                Meters::from_feet(value).feet(),
            ];
            for back in returned {
                prop_assert!((back - value).abs() < 1e-9 * value.abs().max(1000.0));
            }
        }
    }
}
