//! Places, observations and events to test with.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pampero_weather::condition::{Condition, Intensity, ReportedCondition};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::observation::{Observation, Precipitation, Quantity, Readings, SourceKind};
use pampero_weather::place::{Coordinates, Place, PlaceId};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::{Flag, QualityFlags};
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};

use crate::{Batch, ObservationFilter, Order, PlaceOrigin, PlaceState, Selection, StoredPlace};

/// Returns the instant `minute` minutes after 2026-03-01T00:00:00Z.
pub fn minute(minute: i64) -> Timestamp {
    const MARCH_2026_S: i64 = 1_772_323_200;
    Timestamp::from_second(MARCH_2026_S + 60 * minute).expect("tests stay near the year 2026")
}

/// Returns the slug that `text` spells.
pub fn place_id(text: &str) -> PlaceId {
    text.parse().expect("the tests spell slugs well")
}

/// Returns a place known in full.
pub fn ready_place(id: &str) -> StoredPlace {
    let name = format!("The place {id}");
    let coordinates = Coordinates::new(-34.6037, -58.3816).expect("a point on Earth");
    let zone = "America/Argentina/Buenos_Aires";
    let place = Place::new(place_id(id), &name, coordinates, Some(25.5), zone);
    let state = PlaceState::Ready(place.expect("a place on Earth"));
    StoredPlace { id: place_id(id), name, origin: PlaceOrigin::Configuration, state }
}

/// Returns an observation with a temperature and little else, observed `at_minute` and fetched 3 minutes later.
pub fn plain_observation(
    place: &str,
    provider: ProviderId,
    at_minute: i64,
    temperature_c: f64,
) -> Observation {
    Observation {
        place: place_id(place),
        provider,
        observed_at: minute(at_minute),
        fetched_at: minute(at_minute + 3),
        source_kind: SourceKind::Model,
        readings: Readings { temperature: Some(Celsius(temperature_c)), ..Readings::default() },
        condition: None,
        flags: QualityFlags::default(),
    }
}

/// Returns an observation that says something of everything.
pub fn full_observation(place: &str, provider: ProviderId, at_minute: i64) -> Observation {
    let mut flags = QualityFlags::default();
    flags.set(Quantity::DewPoint, Flag::Derived);
    flags.set(Quantity::Visibility, Flag::Capped);
    flags.set(Quantity::Visibility, Flag::Suspect);
    let fallen =
        Precipitation { amount: Millimeters(0.3), interval: Some(SignedDuration::from_mins(15)) };
    Observation {
        readings: Readings {
            temperature: Some(Celsius(-0.1)),
            relative_humidity: Some(Percent(87.0)),
            dew_point: Some(Celsius(-2.0123456789012345)),
            pressure_msl: Some(SeaLevelPressure(1013.2)),
            pressure_station: Some(StationPressure(1009.9)),
            wind_speed: Some(MetersPerSecond(5.1)),
            wind_gust: Some(MetersPerSecond(9.4)),
            wind_direction: Some(Degrees(203.0)),
            precipitation: Some(fallen),
            cloud_cover: Some(Percent(75.0)),
            visibility: Some(Meters(16_093.4)),
        },
        condition: Some(ReportedCondition {
            condition: Condition::Rain,
            intensity: Intensity::Light,
            raw_code: "61".to_owned(),
        }),
        flags,
        ..plain_observation(place, provider, at_minute, 0.0)
    }
}

/// Returns a batch of observations alone.
pub fn batch_of(observations: impl Into<Vec<Observation>>) -> Batch {
    Batch { observations: observations.into(), ..Batch::default() }
}

/// Returns the choice of `observation`, decided `at_minute`, for want of anything better.
pub fn selection_of(observation: &Observation, at_minute: i64) -> Selection {
    Selection {
        place: observation.place.clone(),
        provider: observation.provider,
        observed_at: observation.observed_at,
        fallback_cause: Some("open_meteo: breaker open".to_owned()),
        decided_at: minute(at_minute),
    }
}

/// Returns a filter that lets everything through.
pub fn every_observation() -> ObservationFilter {
    ObservationFilter {
        provider: None,
        from: None,
        to: None,
        after: None,
        order: Order::Ascending,
        limit: 1000,
    }
}

/// Returns an event that says something of everything.
pub fn full_event(kind: EventKind, provider: ProviderId, place: &str, at_minute: i64) -> Event {
    Event {
        at: minute(at_minute),
        kind,
        provider: Some(provider),
        place: Some(place_id(place)),
        cause: Some("timed out after 10 s".to_owned()),
        attempt: Some(2),
        elapsed: Some(Duration::from_micros(10_000_123)),
    }
}

/// Returns an event that says no more than when and what.
pub fn bare_event(kind: EventKind, at_minute: i64) -> Event {
    Event {
        at: minute(at_minute),
        kind,
        provider: None,
        place: None,
        cause: None,
        attempt: None,
        elapsed: None,
    }
}
