//! Units as types: one per quantity, so that two of them cannot be mixed by accident.
//!
//! The three pressures are three types on purpose: at 1600 m they differ by more than 150 hPa.

mod conversion;

pub use conversion::KELVIN_AT_ZERO_CELSIUS;

/// Declares a unit type round one finite `f64`.
macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(pub f64);

        impl $name {
            /// The symbol written behind a value, as in `°C`.
            pub const SYMBOL: &'static str = $symbol;
        }
    };
}

unit!(
    /// A temperature in degrees Celsius.
    Celsius, "°C"
);
unit!(
    /// A share of a hundred, 0 to 100: relative humidity (over water) or cloud cover.
    Percent, "%"
);
unit!(
    /// Air pressure reduced to mean sea level (QFF), in hPa.
    SeaLevelPressure, "hPa"
);
unit!(
    /// Air pressure at the height of the station or of the model terrain (QFE), in hPa.
    StationPressure, "hPa"
);
unit!(
    /// Altimeter setting (QNH): station pressure reduced by the ICAO standard atmosphere, in hPa.
    AltimeterSetting, "hPa"
);
unit!(
    /// Partial pressure of water vapour, in hPa.
    VaporPressure, "hPa"
);
unit!(
    /// A speed in metres per second.
    MetersPerSecond, "m/s"
);
unit!(
    /// The direction the wind comes from, in degrees clockwise from true north, 0 to 360.
    Degrees, "°"
);
unit!(
    /// An amount of precipitation as water, in millimetres.
    Millimeters, "mm"
);
unit!(
    /// A length or height in metres.
    Meters, "m"
);
