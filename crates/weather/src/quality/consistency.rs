//! Where readings of one observation contradict each other.
//!
//! Source: consistency checks of Zahumenský 2004 (WMO) and of NOAA MADIS; the numbers are
//! tolerances for rounded values.

use super::check::{Brief, Inspection};
use crate::condition::Condition;
use crate::formula::relative_humidity;
use crate::observation::Quantity;
use crate::unit::Meters;

/// How far rounding may lift a dew point above the temperature, in °C.
const DEW_POINT_ABOVE_TEMPERATURE_C_MAX: f64 = 0.5;
/// How far a humidity may lie from that of temperature and dew point, in %.
const HUMIDITY_APART_PERCENT_MAX: f64 = 10.0;
/// How far rounding may put a gust below the mean wind, in m/s.
const GUST_BELOW_MEAN_MS_MAX: f64 = 0.5;
/// From which difference to the mean wind on a gust is suspect, in m/s.
const GUST_ABOVE_MEAN_MS_SUSPECT: f64 = 38.0;
/// How far a station above sea level may have the higher pressure, in hPa.
const STATION_ABOVE_SEA_LEVEL_HPA_MAX: f64 = 2.0;
/// Fog needs less visibility than this, in m, or more humidity than the next.
const FOG_VISIBILITY_M: f64 = 2000.0;
/// See [`FOG_VISIBILITY_M`]; in %.
const FOG_HUMIDITY_PERCENT: f64 = 85.0;
/// Warmest air in which snow falls, in °C.
const SNOW_TEMPERATURE_C_MAX: f64 = 6.0;
/// Coldest air in which rain falls, in °C.
const RAIN_TEMPERATURE_C_MIN: f64 = -10.0;

/// Rejects the reading that cannot be true beside another one.
pub(super) fn reject_contradictions(inspection: &mut Inspection) {
    reject_dew_point_above_temperature(inspection);
    reject_gust_below_mean_wind(inspection);
    reject_direction_without_wind(inspection);
    reject_station_pressure_above_sea_level(inspection);
}

/// Marks readings that are unlikely beside one another; which of them is wrong cannot be told.
pub(super) fn suspect_disagreements(inspection: &mut Inspection) {
    suspect_humidity_and_dew_point(inspection);
    suspect_gust_far_above_mean_wind(inspection);
    suspect_fog_in_clear_air(inspection);
    suspect_temperature_of_precipitation(inspection);
}

fn reject_dew_point_above_temperature(inspection: &mut Inspection) {
    let readings = inspection.readings();
    let (Some(temperature), Some(dew_point)) = (readings.temperature, readings.dew_point) else {
        return;
    };
    if dew_point.0 > temperature.0 + DEW_POINT_ABOVE_TEMPERATURE_C_MAX {
        let reason = format!(
            "{} °C is above the temperature of {} °C",
            Brief(dew_point.0),
            Brief(temperature.0)
        );
        inspection.reject(Quantity::DewPoint, reason);
    }
}

fn reject_gust_below_mean_wind(inspection: &mut Inspection) {
    let readings = inspection.readings();
    let (Some(mean), Some(gust)) = (readings.wind_speed, readings.wind_gust) else { return };
    if gust.0 < mean.0 - GUST_BELOW_MEAN_MS_MAX {
        let reason =
            format!("{} m/s is below the mean wind of {} m/s", Brief(gust.0), Brief(mean.0));
        inspection.reject(Quantity::WindGust, reason);
    }
}

fn reject_direction_without_wind(inspection: &mut Inspection) {
    let readings = inspection.readings();
    if readings.wind_direction.is_none() {
        return;
    }
    match readings.wind_speed {
        None => inspection.reject(Quantity::WindDirection, "no wind speed goes with it".to_owned()),
        // Not a fault of the provider: calm is often written as 0 m/s from 0°.
        Some(speed) if speed.0 == 0.0 => inspection.remove(Quantity::WindDirection),
        Some(_) => {}
    }
}

fn reject_station_pressure_above_sea_level(inspection: &mut Inspection) {
    let Some(Meters(elevation_m)) = inspection.elevation.filter(|elevation| elevation.0 > 0.0)
    else {
        return;
    };
    let readings = inspection.readings();
    let (Some(sea_level), Some(station)) = (readings.pressure_msl, readings.pressure_station)
    else {
        return;
    };
    if station.0 > sea_level.0 + STATION_ABOVE_SEA_LEVEL_HPA_MAX {
        let reason = format!(
            "{} hPa at {} m is above the {} hPa at sea level",
            Brief(station.0),
            Brief(elevation_m),
            Brief(sea_level.0)
        );
        inspection.reject(Quantity::PressureStation, reason);
    }
}

fn suspect_humidity_and_dew_point(inspection: &mut Inspection) {
    let readings = inspection.readings();
    let (Some(temperature), Some(dew_point), Some(humidity)) =
        (readings.temperature, readings.dew_point, readings.relative_humidity)
    else {
        return;
    };
    let Some(expected) = relative_humidity(temperature, dew_point) else { return };
    if (humidity.0 - expected.0).abs() > HUMIDITY_APART_PERCENT_MAX {
        let reason = format!(
            "{} % does not go with {} °C and a dew point of {} °C, which make {:.0} %",
            Brief(humidity.0),
            Brief(temperature.0),
            Brief(dew_point.0),
            expected.0
        );
        inspection.suspect(Quantity::RelativeHumidity, reason.clone());
        inspection.suspect(Quantity::DewPoint, reason);
    }
}

fn suspect_gust_far_above_mean_wind(inspection: &mut Inspection) {
    let readings = inspection.readings();
    let (Some(mean), Some(gust)) = (readings.wind_speed, readings.wind_gust) else { return };
    if gust.0 - mean.0 >= GUST_ABOVE_MEAN_MS_SUSPECT {
        let reason =
            format!("{} m/s is far above the mean wind of {} m/s", Brief(gust.0), Brief(mean.0));
        inspection.suspect(Quantity::WindGust, reason);
    }
}

/// Marks what is known of visibility and humidity when none of it allows the reported fog.
fn suspect_fog_in_clear_air(inspection: &mut Inspection) {
    if !matches!(inspection.condition(), Some(Condition::Fog | Condition::FreezingFog)) {
        return;
    }
    let readings = inspection.readings();
    let (visibility, humidity) = (readings.visibility, readings.relative_humidity);
    let is_possible = visibility.is_some_and(|visibility| visibility.0 < FOG_VISIBILITY_M)
        || humidity.is_some_and(|humidity| humidity.0 > FOG_HUMIDITY_PERCENT);
    if is_possible {
        return;
    }
    if let Some(visibility) = visibility {
        let reason = format!("{} m is far to see in the reported fog", Brief(visibility.0));
        inspection.suspect(Quantity::Visibility, reason);
    }
    if let Some(humidity) = humidity {
        let reason = format!("{} % is dry for the reported fog", Brief(humidity.0));
        inspection.suspect(Quantity::RelativeHumidity, reason);
    }
}

fn suspect_temperature_of_precipitation(inspection: &mut Inspection) {
    let Some(temperature) = inspection.readings().temperature else { return };
    let (falls, is_unlikely) = match inspection.condition() {
        Some(Condition::Snow | Condition::SnowShowers | Condition::SnowGrains) => {
            ("snow", temperature.0 > SNOW_TEMPERATURE_C_MAX)
        }
        Some(Condition::Rain | Condition::RainShowers | Condition::Drizzle) => {
            ("rain", temperature.0 < RAIN_TEMPERATURE_C_MIN)
        }
        _ => return,
    };
    if is_unlikely {
        let reason = format!("{} °C is unlikely with the reported {falls}", Brief(temperature.0));
        inspection.suspect(Quantity::Temperature, reason);
    }
}
