//! Between which values a reading is possible, and between which it is likely.
//!
//! Source: Zahumenský 2004, Guidelines on Quality Control Procedures for Data from Automatic Weather
//! Stations (WMO), widened where world records of the WMO archive demand it; sea-level pressure
//! after the validity checks of NOAA MADIS. The likely ranges are Pampero's own choice.

use jiff::SignedDuration;

use crate::formula::standard_pressure;
use crate::observation::{Quantity, Readings};
use crate::unit::Meters;

/// A closed range, in the unit of its quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Range {
    const fn new(min: f64, max: f64) -> Self {
        Self { min, max }
    }

    /// Tells whether `value` lies inside; what is no number never does.
    pub(super) fn contains(self, value: f64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

/// Largest relative humidity that is a matter of calibration, in %; it is clamped to 100.
const HUMIDITY_PERCENT_MAX: f64 = 102.0;
/// How far a station pressure may lie from that of the standard atmosphere at its height, in hPa.
const STATION_PRESSURE_SPREAD_HPA: f64 = 60.0;
/// Most precipitation in one minute, in mm.
const PRECIPITATION_MM_PER_MINUTE_MAX: f64 = 40.0;
/// Most precipitation in one hour, in mm.
const PRECIPITATION_MM_PER_HOUR_MAX: f64 = 420.0;
/// Most precipitation in one hour that is likely, in mm.
const PRECIPITATION_MM_PER_HOUR_LIKELY_MAX: f64 = 100.0;

/// Returns the range outside which a reading of `quantity` is impossible.
pub(super) fn possible(quantity: Quantity, readings: &Readings) -> Range {
    match quantity {
        Quantity::Temperature => Range::new(-90.0, 60.0),
        Quantity::RelativeHumidity => Range::new(0.0, HUMIDITY_PERCENT_MAX),
        Quantity::DewPoint => Range::new(-90.0, 36.0),
        Quantity::PressureMsl => Range::new(846.0, 1100.0),
        Quantity::PressureStation => Range::new(400.0, 1100.0),
        Quantity::WindSpeed => Range::new(0.0, 100.0),
        Quantity::WindGust => Range::new(0.0, 130.0),
        Quantity::WindDirection => Range::new(0.0, 360.0),
        Quantity::Precipitation => Range::new(0.0, precipitation_mm_max(readings)),
        Quantity::CloudCover => Range::new(0.0, 100.0),
        Quantity::Visibility => Range::new(0.0, 160_000.0),
    }
}

/// Returns the range outside which a reading of `quantity` is suspect; `None` where there is none.
///
/// `elevation` is that of the place, above mean sea level.
pub(super) fn likely(
    quantity: Quantity,
    readings: &Readings,
    elevation: Option<Meters>,
) -> Option<Range> {
    match quantity {
        Quantity::Temperature => Some(Range::new(-60.0, 50.0)),
        Quantity::RelativeHumidity => Some(Range::new(2.0, 100.0)),
        Quantity::DewPoint => Some(Range::new(-60.0, 32.0)),
        Quantity::PressureMsl => Some(Range::new(920.0, 1060.0)),
        Quantity::PressureStation => {
            let standard_hpa = standard_pressure(elevation?)?.0;
            let spread_hpa = STATION_PRESSURE_SPREAD_HPA;
            Some(Range::new(standard_hpa - spread_hpa, standard_hpa + spread_hpa))
        }
        Quantity::WindSpeed => Some(Range::new(0.0, 45.0)),
        Quantity::WindGust => Some(Range::new(0.0, 65.0)),
        Quantity::Precipitation => {
            Some(Range::new(0.0, PRECIPITATION_MM_PER_HOUR_LIKELY_MAX * hours(readings)))
        }
        Quantity::WindDirection | Quantity::CloudCover | Quantity::Visibility => None,
    }
}

/// Returns the most precipitation that can fall in the stretch it is reported for, in mm.
fn precipitation_mm_max(readings: &Readings) -> f64 {
    let hours = hours(readings);
    let by_minutes = PRECIPITATION_MM_PER_MINUTE_MAX * (hours * 60.0).max(1.0);
    by_minutes.min(PRECIPITATION_MM_PER_HOUR_MAX * hours.max(1.0))
}

/// Returns the stretch of the precipitation in hours; an unknown one counts as one hour.
fn hours(readings: &Readings) -> f64 {
    let interval = readings.precipitation.and_then(|precipitation| precipitation.interval);
    interval
        .filter(SignedDuration::is_positive)
        .map_or(1.0, |interval| interval.as_secs_f64() / 3600.0)
}
