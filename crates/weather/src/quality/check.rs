//! The check of one observation, by itself and in a fixed order.

use std::fmt;

use super::{Flag, consistency, limits};
use crate::condition::Condition;
use crate::formula;
use crate::observation::{Observation, Quantity, Readings};
use crate::unit::{Meters, Percent};

/// An observation after its check, with what the check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The observation without impossible values, and with its flags.
    pub observation: Observation,
    /// The flags that the check added, each with its reason.
    pub findings: Vec<Finding>,
}

/// One flag that a check set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The reading it is about.
    pub quantity: Quantity,
    /// What is to be known of it.
    pub flag: Flag,
    /// Why, in words for people.
    pub reason: String,
}

/// Checks the readings of one observation against what is possible and against one another.
///
/// `elevation` is the height of the place above mean sea level; without it pressures are checked
/// less strictly. An impossible value becomes `None` with [`Flag::Rejected`], an unlikely one stays
/// with [`Flag::Suspect`]; the rest of the observation is not touched. A dew point the provider did
/// not give is worked out. Checking again changes and finds nothing more.
pub fn check(observation: Observation, elevation: Option<Meters>) -> Checked {
    let mut inspection = Inspection { observation, elevation, findings: Vec::new() };
    // Removal comes before any judgement that rests on two readings, so that a value which is
    // impossible by itself casts no suspicion on its neighbours.
    inspection.reject_impossible();
    inspection.clamp_humidity();
    inspection.forget_empty_interval();
    consistency::reject_contradictions(&mut inspection);
    inspection.derive_dew_point();
    inspection.suspect_unlikely();
    consistency::suspect_disagreements(&mut inspection);
    Checked { observation: inspection.observation, findings: inspection.findings }
}

/// An observation while it is being checked.
pub(super) struct Inspection {
    observation: Observation,
    pub(super) elevation: Option<Meters>,
    findings: Vec<Finding>,
}

impl Inspection {
    pub(super) fn readings(&self) -> &Readings {
        &self.observation.readings
    }

    pub(super) fn condition(&self) -> Option<Condition> {
        self.observation.condition.as_ref().map(|reported| reported.condition)
    }

    /// Takes a reading out that means nothing, without calling it wrong.
    pub(super) fn remove(&mut self, quantity: Quantity) {
        self.observation.readings.remove(quantity);
    }

    /// Takes a wrong reading out.
    pub(super) fn reject(&mut self, quantity: Quantity, reason: String) {
        self.remove(quantity);
        self.flag(quantity, Flag::Rejected, reason);
    }

    /// Leaves an unlikely reading in, with a mark.
    pub(super) fn suspect(&mut self, quantity: Quantity, reason: String) {
        self.flag(quantity, Flag::Suspect, reason);
    }

    /// Sets a flag; only one that was not set yet is a finding.
    fn flag(&mut self, quantity: Quantity, flag: Flag, reason: String) {
        if !self.observation.flags.has(quantity, flag) {
            self.observation.flags.set(quantity, flag);
            self.findings.push(Finding { quantity, flag, reason });
        }
    }

    fn reject_impossible(&mut self) {
        for quantity in Quantity::ALL {
            let Some(value) = self.readings().get(quantity) else { continue };
            let possible = limits::possible(quantity, self.readings());
            if !possible.contains(value) {
                self.reject(quantity, outside(value, possible, quantity));
            }
        }
    }

    fn clamp_humidity(&mut self) {
        let Some(humidity) = self.readings().relative_humidity else { return };
        if humidity.0 > 100.0 {
            self.observation.readings.relative_humidity = Some(Percent(100.0));
            let reason = format!("{} % was moved to 100 %", Brief(humidity.0));
            self.flag(Quantity::RelativeHumidity, Flag::Clamped, reason);
        }
    }

    /// Marks precipitation without a stretch of time; one that is not positive says nothing.
    fn forget_empty_interval(&mut self) {
        let Some(precipitation) = &mut self.observation.readings.precipitation else { return };
        precipitation.interval = precipitation.interval.filter(|interval| interval.is_positive());
        if precipitation.interval.is_none() {
            let reason = "the stretch of time it fell in is not known".to_owned();
            self.flag(Quantity::Precipitation, Flag::IntervalUnknown, reason);
        }
    }

    /// Works the dew point out of temperature and humidity, unless the provider gave one.
    fn derive_dew_point(&mut self) {
        let readings = *self.readings();
        let was_given = readings.dew_point.is_some()
            || self.observation.flags.has(Quantity::DewPoint, Flag::Rejected);
        let (false, Some(temperature), Some(humidity)) =
            (was_given, readings.temperature, readings.relative_humidity)
        else {
            return;
        };
        let Some(dew_point) = formula::dew_point(temperature, humidity) else { return };
        if !limits::possible(Quantity::DewPoint, &readings).contains(dew_point.0) {
            let reason = format!(
                "{} % at {} °C would make an impossible dew point of {:.1} °C",
                Brief(humidity.0),
                Brief(temperature.0),
                dew_point.0
            );
            self.suspect(Quantity::RelativeHumidity, reason.clone());
            self.suspect(Quantity::Temperature, reason);
            return;
        }
        self.observation.readings.dew_point = Some(dew_point);
        let reason = format!("from {} °C and {} %", Brief(temperature.0), Brief(humidity.0));
        self.flag(Quantity::DewPoint, Flag::Derived, reason);
    }

    fn suspect_unlikely(&mut self) {
        for quantity in Quantity::ALL {
            let Some(value) = self.readings().get(quantity) else { continue };
            let likely = limits::likely(quantity, self.readings(), self.elevation);
            if let Some(likely) = likely.filter(|likely| !likely.contains(value)) {
                self.suspect(quantity, outside(value, likely, quantity));
            }
        }
    }
}

/// Says that a value lies outside a range, as in `75 °C is outside -90 to 60 °C`.
fn outside(value: f64, range: limits::Range, quantity: Quantity) -> String {
    let unit = quantity.unit();
    format!(
        "{} {unit} is outside {} to {} {unit}",
        Brief(value),
        Brief(range.min),
        Brief(range.max)
    )
}

/// Writes a number as people read it: at most four decimals, and no row of zeros.
pub(super) struct Brief(pub(super) f64);

impl fmt::Display for Brief {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() < 1e9 {
            // The sum with zero takes the sign off a negative one.
            write!(formatter, "{}", (self.0 * 1e4).round() / 1e4 + 0.0)
        } else {
            write!(formatter, "{:e}", self.0)
        }
    }
}
