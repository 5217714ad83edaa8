//! Formulas of meteorology, each with its source and its limits.
//!
//! The three pressures go in and come out as three types. Conversions of units are constructors of
//! the types in [`crate::unit`].

mod humidity;
mod pressure;
mod wind;

pub use humidity::{
    dew_point, relative_humidity, saturation_vapor_pressure, saturation_vapor_pressure_over_ice,
};
pub use pressure::{
    altimeter_setting, sea_level_pressure, sea_level_pressure_of_dry_air, standard_pressure,
    station_pressure,
};
pub use wind::mean_wind_direction;
