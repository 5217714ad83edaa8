//! What a batch of observations changes, given what is kept already. Pure: no SQL, no clock.

use std::collections::HashMap;

use jiff::Timestamp;
use pampero_weather::observation::{Observation, Precipitation, Readings};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;

use crate::{Recorded, StoredRevision};

/// What identifies an observation.
pub(crate) type Key = (PlaceId, ProviderId, Timestamp);

/// Returns the key of an observation.
pub(crate) fn key_of(observation: &Observation) -> Key {
    (observation.place.clone(), observation.provider, observation.observed_at)
}

/// A current observation with the number of corrections that led to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) observation: Observation,
    pub(crate) revision: u32,
}

/// What is to be written, and what to answer.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// One for each incoming observation, in order.
    pub(crate) results: Vec<Recorded>,
    /// Rows that are new, in their last form.
    pub(crate) inserts: Vec<Kept>,
    /// Rows that replace a kept one, in their last form.
    pub(crate) updates: Vec<Kept>,
    /// What was replaced on the way.
    pub(crate) replaced: Vec<StoredRevision>,
}

/// Where the row of a key stands while a batch is worked through.
struct Standing {
    kept: Kept,
    fate: Fate,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Fate {
    Untouched,
    Inserted,
    Updated,
}

/// Works `incoming` through in order, so that a key may occur more than once in it.
pub(crate) fn plan(kept: HashMap<Key, Kept>, incoming: &[Observation]) -> Plan {
    let untouched = |(key, kept)| (key, Standing { kept, fate: Fate::Untouched });
    let mut standings: HashMap<Key, Standing> = kept.into_iter().map(untouched).collect();
    let mut plan = Plan::default();
    for observation in incoming {
        let key = key_of(observation);
        let result = match standings.get_mut(&key) {
            None => {
                let kept = Kept { observation: observation.clone(), revision: 0 };
                standings.insert(key, Standing { kept, fate: Fate::Inserted });
                Recorded::Inserted
            }
            Some(standing) if standing.kept.observation.says_the_same_as(observation) => {
                let first_fetched_at = standing.kept.observation.fetched_at;
                Recorded::Unchanged { first_fetched_at }
            }
            Some(standing) => {
                plan.replaced.push(standing.replace(observation.clone()));
                Recorded::Revised { revision: standing.kept.revision }
            }
        };
        plan.results.push(result);
    }
    for Standing { kept, fate } in standings.into_values() {
        match fate {
            Fate::Untouched => {}
            Fate::Inserted => plan.inserts.push(kept),
            Fate::Updated => plan.updates.push(kept),
        }
    }
    plan
}

impl Standing {
    /// Puts `correction` in the place of what is kept, and returns what it replaced.
    fn replace(&mut self, correction: Observation) -> StoredRevision {
        let revision = self.kept.revision;
        let replaced_at = correction.fetched_at;
        let observation = std::mem::replace(&mut self.kept.observation, correction);
        self.kept.revision += 1;
        if self.fate == Fate::Untouched {
            self.fate = Fate::Updated;
        }
        StoredRevision { revision, replaced_at, observation }
    }
}

/// Brings an observation into the form in which it can be kept and compared.
///
/// Instants are cut to the millisecond; a reading that is no finite number becomes `None`, because
/// it would differ from itself for ever.
pub(crate) fn kept_form(mut observation: Observation) -> Observation {
    observation.observed_at = cut_to_millisecond(observation.observed_at);
    observation.fetched_at = cut_to_millisecond(observation.fetched_at);
    observation.readings = finite(observation.readings);
    observation
}

/// Cuts an instant to the millisecond.
pub(crate) fn cut_to_millisecond(instant: Timestamp) -> Timestamp {
    // Cutting moves towards 1970, so the result never leaves the range of a timestamp.
    Timestamp::from_millisecond(instant.as_millisecond()).unwrap_or(instant)
}

fn finite(readings: Readings) -> Readings {
    let precipitation = readings.precipitation.filter(|fallen| fallen.amount.0.is_finite());
    Readings {
        temperature: readings.temperature.filter(|reading| reading.0.is_finite()),
        relative_humidity: readings.relative_humidity.filter(|reading| reading.0.is_finite()),
        dew_point: readings.dew_point.filter(|reading| reading.0.is_finite()),
        pressure_msl: readings.pressure_msl.filter(|reading| reading.0.is_finite()),
        pressure_station: readings.pressure_station.filter(|reading| reading.0.is_finite()),
        wind_speed: readings.wind_speed.filter(|reading| reading.0.is_finite()),
        wind_gust: readings.wind_gust.filter(|reading| reading.0.is_finite()),
        wind_direction: readings.wind_direction.filter(|reading| reading.0.is_finite()),
        precipitation: precipitation.map(in_whole_milliseconds),
        cloud_cover: readings.cloud_cover.filter(|reading| reading.0.is_finite()),
        visibility: readings.visibility.filter(|reading| reading.0.is_finite()),
    }
}

fn in_whole_milliseconds(fallen: Precipitation) -> Precipitation {
    let whole = |interval: jiff::SignedDuration| {
        let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        jiff::SignedDuration::from_millis(millis)
    };
    Precipitation { interval: fallen.interval.map(whole), ..fallen }
}
