//! The variables, their units and how each is read off the weather.

use serde::{Serialize, Serializer};

use crate::scene::round;
use crate::world::{Sky, Spot, Strength, Weather, sun};

/// The units a client asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Units {
    pub(super) temperature: Temperature,
    pub(super) wind: Wind,
    pub(super) inches: bool,
}

/// The unit of temperatures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Temperature {
    #[default]
    Celsius,
    Fahrenheit,
    /// Nobody can ask for it; it is one of the faults.
    Kelvin,
}

/// The unit of winds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Wind {
    #[default]
    KilometresPerHour,
    MetresPerSecond,
    MilesPerHour,
    Knots,
}

/// A value in an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Decimal(f64),
    Null,
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Decimal(number) => serializer.serialize_f64(*number),
            Self::Null => serializer.serialize_none(),
        }
    }
}

/// Declares the variables with their spelling.
macro_rules! variables {
    ($($variable:ident $spelling:literal),+ $(,)?) => {
        /// A variable that can be asked for.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Variable { $($variable),+ }

        impl Variable {
            pub(super) const ALL: &[Self] = &[$(Self::$variable),+];

            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$variable => $spelling),+ }
            }
        }
    };
}

variables! {
    Temperature "temperature_2m",
    ApparentTemperature "apparent_temperature",
    RelativeHumidity "relative_humidity_2m",
    DewPoint "dew_point_2m",
    Precipitation "precipitation",
    Rain "rain",
    Showers "showers",
    Snowfall "snowfall",
    WeatherCode "weather_code",
    PressureMsl "pressure_msl",
    SurfacePressure "surface_pressure",
    CloudCover "cloud_cover",
    WindSpeed "wind_speed_10m",
    WindDirection "wind_direction_10m",
    WindGusts "wind_gusts_10m",
    Visibility "visibility",
    IsDay "is_day",
}

/// What a value is read off from.
pub(super) struct Moment<'a> {
    pub(super) weather: &'a Weather,
    pub(super) spot: Spot,
    /// Seconds since the Unix epoch.
    pub(super) at: i64,
    /// The share of the hour over which precipitation is summed, over 0 to 1.
    pub(super) hour_share: f64,
    pub(super) units: Units,
    pub(super) unknown_code: bool,
}

impl Variable {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variable| variable.as_str() == text)
    }

    pub(super) const fn unit(self, units: Units) -> &'static str {
        match self {
            Self::Temperature | Self::ApparentTemperature | Self::DewPoint => {
                match units.temperature {
                    Temperature::Celsius => "°C",
                    Temperature::Fahrenheit => "°F",
                    Temperature::Kelvin => "K",
                }
            }
            Self::RelativeHumidity | Self::CloudCover => "%",
            Self::Precipitation | Self::Rain | Self::Showers if units.inches => "inch",
            Self::Precipitation | Self::Rain | Self::Showers => "mm",
            Self::Snowfall => {
                if units.inches {
                    "inch"
                } else {
                    "cm"
                }
            }
            Self::WeatherCode => "wmo code",
            Self::PressureMsl | Self::SurfacePressure => "hPa",
            Self::WindSpeed | Self::WindGusts => match units.wind {
                Wind::KilometresPerHour => "km/h",
                Wind::MetresPerSecond => "m/s",
                Wind::MilesPerHour => "mp/h",
                Wind::Knots => "kn",
            },
            Self::WindDirection => "°",
            Self::Visibility => "m",
            Self::IsDay => "",
        }
    }

    pub(super) fn value(self, moment: &Moment<'_>) -> Number {
        let weather = moment.weather;
        let snowing = matches!(weather.sky, Sky::Snow(_));
        match self {
            Self::Temperature => moment.degrees(weather.temperature_c),
            Self::ApparentTemperature => moment.degrees(weather.temperature_c.map(|air| air - 0.5)),
            Self::DewPoint => moment.degrees(weather.dew_point_c),
            Self::RelativeHumidity => whole(weather.humidity_percent),
            Self::CloudCover => whole(weather.cloud_percent),
            Self::Precipitation => moment.amount(weather.hour_mm),
            Self::Rain => moment.amount(weather.hour_mm.map(|mm| if snowing { 0.0 } else { mm })),
            Self::Showers => moment.amount(weather.hour_mm.map(|_| 0.0)),
            // 7 cm of snow are 10 mm of water.
            Self::Snowfall => {
                moment.amount(weather.hour_mm.map(|mm| if snowing { mm * 0.7 } else { 0.0 }))
            }
            Self::WeatherCode => {
                Number::Whole(if moment.unknown_code { 199 } else { code(weather.sky) })
            }
            Self::PressureMsl => decimal(weather.sea_level_hpa, 1),
            Self::SurfacePressure => decimal(weather.station_hpa, 1),
            Self::WindSpeed => moment.speed(weather.wind_ms),
            Self::WindGusts => moment.speed(weather.gust_ms),
            Self::WindDirection => whole(weather.wind_from_degrees),
            Self::Visibility => decimal(weather.visibility_m, 0),
            Self::IsDay => Number::Whole(sun::is_up(moment.spot, moment.at).into()),
        }
    }
}

impl Moment<'_> {
    fn degrees(&self, celsius: Option<f64>) -> Number {
        let converted = celsius.map(|celsius| match self.units.temperature {
            Temperature::Celsius => celsius,
            Temperature::Fahrenheit => celsius * 1.8 + 32.0,
            Temperature::Kelvin => celsius + 273.15,
        });
        decimal(converted, 1)
    }

    fn speed(&self, ms: Option<f64>) -> Number {
        let converted = ms.map(|ms| match self.units.wind {
            Wind::KilometresPerHour => ms * 3.6,
            Wind::MetresPerSecond => ms,
            Wind::MilesPerHour => ms / 0.447_04,
            Wind::Knots => ms / 0.514_444,
        });
        decimal(converted, 2)
    }

    fn amount(&self, hour: Option<f64>) -> Number {
        let amount = hour.map(|mm| mm * self.hour_share);
        if self.units.inches { decimal(amount.map(|mm| mm / 25.4), 3) } else { decimal(amount, 2) }
    }
}

fn whole(value: Option<f64>) -> Number {
    value.map_or(Number::Null, |value| Number::Whole(value.round() as i64))
}

fn decimal(value: Option<f64>, decimals: i32) -> Number {
    value.map_or(Number::Null, |value| Number::Decimal(round(value, decimals)))
}

/// Writes the sky as one of the WMO codes the service uses; it has none for sleet, which is rain.
const fn code(sky: Sky) -> i64 {
    use Strength::{Heavy, Light, Moderate};
    match sky {
        Sky::Clear => 0,
        Sky::MostlyClear => 1,
        Sky::PartlyCloudy => 2,
        Sky::Overcast => 3,
        Sky::Fog => 45,
        Sky::Drizzle(Light) => 51,
        Sky::Drizzle(Moderate) => 53,
        Sky::Drizzle(Heavy) => 55,
        Sky::Rain(Light) | Sky::Sleet(Light) => 61,
        Sky::Rain(Moderate) | Sky::Sleet(Moderate) => 63,
        Sky::Rain(Heavy) | Sky::Sleet(Heavy) => 65,
        Sky::Snow(Light) => 71,
        Sky::Snow(Moderate) => 73,
        Sky::Snow(Heavy) => 75,
        Sky::Thunderstorm => 95,
    }
}
