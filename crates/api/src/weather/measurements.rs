//! The quantities of an observation as they are written: rounded, in fixed units, missing as `null`.

use std::collections::BTreeMap;

use pampero_weather::condition::ReportedCondition;
use pampero_weather::observation::{Observation, Precipitation, Quantity};
use serde::Serialize;
use utoipa::ToSchema;

use crate::number::Number;

/// What was measured; `null` where the provider said nothing or the value was rejected.
#[derive(Serialize, ToSchema)]
pub(crate) struct Measurements {
    /// Air temperature 2 m above ground, in °C.
    #[schema(value_type = Option<f64>, required, example = 16.62)]
    temperature: Option<Number>,
    /// Relative humidity, in %.
    #[schema(value_type = Option<f64>, required, example = 54)]
    humidity: Option<Number>,
    /// Pressure at mean sea level, in hPa.
    #[schema(value_type = Option<f64>, required, example = 1017.2)]
    pressure: Option<Number>,
    /// Dew point 2 m above ground, in °C.
    #[schema(value_type = Option<f64>, required, example = 7.3)]
    dew_point: Option<Number>,
    /// Mean wind 10 m above ground, in m/s.
    #[schema(value_type = Option<f64>, required, example = 3.4)]
    wind_speed: Option<Number>,
    /// Strongest gust, in m/s.
    #[schema(value_type = Option<f64>, required, example = 6.1)]
    wind_gust: Option<Number>,
    /// Where the wind comes from, in degrees clockwise from north; `null` also when it is calm or
    /// variable.
    #[schema(value_type = Option<f64>, required, example = 140)]
    wind_direction: Option<Number>,
    /// Rain and melted snow.
    #[schema(required)]
    precipitation: Option<PrecipitationBody>,
    /// Share of the sky covered by clouds, in %.
    #[schema(value_type = Option<f64>, required, example = 40)]
    cloud_cover: Option<Number>,
    /// Horizontal visibility, in m.
    #[schema(value_type = Option<f64>, required, example = 24140)]
    visibility: Option<Number>,
    /// Pressure at the height of the station or of the model's terrain, in hPa.
    #[schema(value_type = Option<f64>, required, example = 1014.1)]
    pressure_station: Option<Number>,
    /// State of the sky.
    #[schema(required)]
    condition: Option<ConditionBody>,
}

/// An amount of precipitation with the stretch of time it fell in.
#[derive(Serialize, ToSchema)]
#[schema(as = Precipitation)]
struct PrecipitationBody {
    /// Water equivalent, in mm.
    #[schema(value_type = f64, example = 0.4)]
    amount: Number,
    /// The stretch, ending when it was observed, in seconds; `null` when the provider does not say.
    #[schema(required, example = 900)]
    interval_seconds: Option<i64>,
}

/// The state of the sky, with the provider's own code.
#[derive(Serialize, ToSchema)]
#[schema(as = Condition)]
struct ConditionBody {
    /// What it is, in one word that never changes.
    #[schema(example = "rain")]
    code: &'static str,
    /// How strong it is.
    #[schema(example = "light")]
    intensity: &'static str,
    /// The same for people.
    #[schema(example = "light rain")]
    text: &'static str,
    /// The number of WMO code table 4677; `null` when there is none for it.
    #[schema(required, example = 61)]
    wmo: Option<u8>,
    /// The code exactly as the provider wrote it.
    #[schema(example = "61")]
    raw: String,
}

/// What the checks found, by quantity.
pub(crate) type Flags = BTreeMap<&'static str, Vec<&'static str>>;

/// The units of all numbers.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Units {
    #[schema(example = "°C")]
    temperature: &'static str,
    #[schema(example = "%")]
    humidity: &'static str,
    #[schema(example = "hPa")]
    pressure: &'static str,
    #[schema(example = "°C")]
    dew_point: &'static str,
    #[schema(example = "m/s")]
    wind_speed: &'static str,
    #[schema(example = "m/s")]
    wind_gust: &'static str,
    #[schema(example = "°")]
    wind_direction: &'static str,
    #[schema(example = "mm")]
    precipitation: &'static str,
    #[schema(example = "%")]
    cloud_cover: &'static str,
    #[schema(example = "m")]
    visibility: &'static str,
    #[schema(example = "hPa")]
    pressure_station: &'static str,
    #[schema(example = "m")]
    elevation: &'static str,
}

/// The units of all numbers.
pub(crate) const UNITS: Units = Units {
    temperature: Quantity::Temperature.unit(),
    humidity: Quantity::RelativeHumidity.unit(),
    pressure: Quantity::PressureMsl.unit(),
    dew_point: Quantity::DewPoint.unit(),
    wind_speed: Quantity::WindSpeed.unit(),
    wind_gust: Quantity::WindGust.unit(),
    wind_direction: Quantity::WindDirection.unit(),
    precipitation: Quantity::Precipitation.unit(),
    cloud_cover: Quantity::CloudCover.unit(),
    visibility: Quantity::Visibility.unit(),
    pressure_station: Quantity::PressureStation.unit(),
    elevation: Quantity::Visibility.unit(),
};

impl Measurements {
    pub(crate) fn of(observation: &Observation) -> Self {
        let readings = &observation.readings;
        let number = |quantity, decimals| {
            let value = readings.get(quantity);
            value.map(|value| Number::rounded(value, decimals))
        };
        Self {
            temperature: number(Quantity::Temperature, 2),
            humidity: number(Quantity::RelativeHumidity, 1),
            pressure: number(Quantity::PressureMsl, 1),
            dew_point: number(Quantity::DewPoint, 2),
            wind_speed: number(Quantity::WindSpeed, 2),
            wind_gust: number(Quantity::WindGust, 2),
            wind_direction: number(Quantity::WindDirection, 0),
            precipitation: readings.precipitation.map(PrecipitationBody::of),
            cloud_cover: number(Quantity::CloudCover, 1),
            visibility: number(Quantity::Visibility, 0),
            pressure_station: number(Quantity::PressureStation, 1),
            condition: observation.condition.as_ref().map(ConditionBody::of),
        }
    }
}

impl PrecipitationBody {
    fn of(precipitation: Precipitation) -> Self {
        Self {
            amount: Number::rounded(precipitation.amount.0, 2),
            interval_seconds: precipitation.interval.map(|interval| interval.as_secs()),
        }
    }
}

impl ConditionBody {
    fn of(reported: &ReportedCondition) -> Self {
        Self {
            code: reported.condition.as_str(),
            intensity: reported.intensity.as_str(),
            text: reported.describe(),
            wmo: reported.wmo(),
            raw: reported.raw_code.clone(),
        }
    }
}

/// Returns what the checks found, under the names that [`Measurements`] uses.
pub(crate) fn flags_of(observation: &Observation) -> Flags {
    let mut flags = Flags::new();
    for (quantity, flag) in observation.flags.iter() {
        flags.entry(field_of(quantity)).or_default().push(flag.as_str());
    }
    flags
}

/// Returns the name of the field of [`Measurements`] that holds a quantity.
const fn field_of(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Temperature => "temperature",
        Quantity::RelativeHumidity => "humidity",
        Quantity::DewPoint => "dew_point",
        Quantity::PressureMsl => "pressure",
        Quantity::PressureStation => "pressure_station",
        Quantity::WindSpeed => "wind_speed",
        Quantity::WindGust => "wind_gust",
        Quantity::WindDirection => "wind_direction",
        Quantity::Precipitation => "precipitation",
        Quantity::CloudCover => "cloud_cover",
        Quantity::Visibility => "visibility",
    }
}
