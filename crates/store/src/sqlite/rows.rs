//! How rows and the words of the domain turn into one another.

use std::error::Error;

use jiff::{SignedDuration, Timestamp};
use pampero_weather::observation::{Observation, Precipitation, Readings};
use pampero_weather::place::{Coordinates, Place, PlaceId};
use pampero_weather::provider::ProviderId;
use pampero_weather::unit::{
    Celsius, Degrees, Meters, MetersPerSecond, Millimeters, Percent, SeaLevelPressure,
    StationPressure,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, Type};

use crate::description::{Description, Meaning};
use crate::plan::Kept;
use crate::{PlaceOrigin, PlaceState, StoreError, StoredPlace};

/// Why a row cannot be read back.
pub(super) type Unreadable = Box<dyn Error + Send + Sync>;

/// The columns that [`read_observation`] expects first, of rows `o` and their descriptions `d`.
macro_rules! observation_columns {
    () => {
        "o.provider, o.observed_at, o.fetched_at, o.revision, \
         d.source_kind, d.condition, d.intensity, d.raw_code, d.flags, \
         o.temperature, o.relative_humidity, o.dew_point, o.pressure_msl, o.pressure_station, \
         o.wind_speed, o.wind_gust, o.wind_direction, o.precipitation, \
         o.precipitation_interval_ms, o.cloud_cover, o.visibility"
    };
}
pub(super) use observation_columns;

/// How many columns `observation_columns!` names; further ones of a statement come behind them.
pub(super) const OBSERVATION_COLUMN_COUNT: usize = 21;

/// The columns of readings in a table, in the order of [`reading_values`].
pub(super) const READING_COLUMNS: &str = "temperature, relative_humidity, dew_point, pressure_msl, pressure_station, \
     wind_speed, wind_gust, wind_direction, precipitation, precipitation_interval_ms, \
     cloud_cover, visibility";

/// A value of a column of readings.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReadingValue {
    Real(Option<f64>),
    Integer(Option<i64>),
}

/// Returns the values for [`READING_COLUMNS`].
pub(super) fn reading_values(readings: &Readings) -> [ReadingValue; 12] {
    use ReadingValue::{Integer, Real};
    let interval = readings.precipitation.and_then(|fallen| fallen.interval);
    let interval_ms = interval.map(|interval| interval.as_millis());
    [
        Real(readings.temperature.map(|reading| reading.0)),
        Real(readings.relative_humidity.map(|reading| reading.0)),
        Real(readings.dew_point.map(|reading| reading.0)),
        Real(readings.pressure_msl.map(|reading| reading.0)),
        Real(readings.pressure_station.map(|reading| reading.0)),
        Real(readings.wind_speed.map(|reading| reading.0)),
        Real(readings.wind_gust.map(|reading| reading.0)),
        Real(readings.wind_direction.map(|reading| reading.0)),
        Real(readings.precipitation.map(|fallen| fallen.amount.0)),
        Integer(interval_ms.map(|millis| i64::try_from(millis).unwrap_or(i64::MAX))),
        Real(readings.cloud_cover.map(|reading| reading.0)),
        Real(readings.visibility.map(|reading| reading.0)),
    ]
}

/// Returns the number under which the table `providers` knows a provider.
///
/// A new provider takes the next number here, and a row of that table in a new migration.
pub(super) const fn provider_number(provider: ProviderId) -> i64 {
    match provider {
        ProviderId::OpenMeteo => 1,
        ProviderId::MetNorway => 2,
        ProviderId::OpenWeatherMap => 3,
        ProviderId::Weatherstack => 4,
    }
}

/// Returns the provider of a number of the table `providers`.
pub(super) fn read_provider(number: i64) -> Result<ProviderId, Unreadable> {
    let known = ProviderId::ALL.into_iter().find(|provider| provider_number(*provider) == number);
    known.ok_or_else(|| format!("provider number {number} is not known").into())
}

/// Reads an instant kept in milliseconds.
pub(super) fn read_instant(millis: i64) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_millisecond(millis)?)
}

/// Names a row that cannot be read back.
pub(super) fn corrupt(what: impl Into<String>) -> impl FnOnce(Unreadable) -> StoreError {
    let what = what.into();
    move |source| StoreError::Corrupt { what, source }
}

/// Reads the columns of a row from the left to the right.
pub(super) struct Columns<'row> {
    row: &'row SqliteRow,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(super) fn of(row: &'row SqliteRow) -> Self {
        Self::behind(row, 0)
    }

    /// Begins behind the first `count` columns.
    pub(super) fn behind(row: &'row SqliteRow, count: usize) -> Self {
        Self { row, next: count }
    }

    pub(super) fn take<T: Decode<'row, Sqlite> + Type<Sqlite>>(&mut self) -> Result<T, Unreadable> {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn take_instant(&mut self) -> Result<Timestamp, Unreadable> {
        read_instant(self.take()?)
    }

    fn take_unit<U>(&mut self, unit: fn(f64) -> U) -> Result<Option<U>, Unreadable> {
        Ok(self.take::<Option<f64>>()?.map(unit))
    }
}

/// Reads an observation of `place` from a row that begins with `observation_columns!`.
pub(super) fn read_observation(row: &SqliteRow, place: &PlaceId) -> Result<Kept, Unreadable> {
    let mut columns = Columns::of(row);
    let provider = read_provider(columns.take()?)?;
    let observed_at = columns.take_instant()?;
    let fetched_at = columns.take_instant()?;
    let revision = u32::try_from(columns.take::<i64>()?)?;
    let Meaning { source_kind, condition, flags } = read_description(&mut columns)?.read()?;
    let observation = Observation {
        place: place.clone(),
        provider,
        observed_at,
        fetched_at,
        source_kind,
        readings: read_readings(&mut columns)?,
        condition,
        flags,
    };
    Ok(Kept { observation, revision })
}

fn read_description(columns: &mut Columns<'_>) -> Result<Description, Unreadable> {
    Ok(Description {
        source_kind: columns.take()?,
        condition: columns.take()?,
        intensity: columns.take()?,
        raw_code: columns.take()?,
        flags: columns.take()?,
    })
}

fn read_readings(columns: &mut Columns<'_>) -> Result<Readings, Unreadable> {
    Ok(Readings {
        temperature: columns.take_unit(Celsius)?,
        relative_humidity: columns.take_unit(Percent)?,
        dew_point: columns.take_unit(Celsius)?,
        pressure_msl: columns.take_unit(SeaLevelPressure)?,
        pressure_station: columns.take_unit(StationPressure)?,
        wind_speed: columns.take_unit(MetersPerSecond)?,
        wind_gust: columns.take_unit(MetersPerSecond)?,
        wind_direction: columns.take_unit(Degrees)?,
        precipitation: read_precipitation(columns)?,
        cloud_cover: columns.take_unit(Percent)?,
        visibility: columns.take_unit(Meters)?,
    })
}

fn read_precipitation(columns: &mut Columns<'_>) -> Result<Option<Precipitation>, Unreadable> {
    let amount = columns.take_unit(Millimeters)?;
    let interval = columns.take::<Option<i64>>()?.map(SignedDuration::from_millis);
    Ok(amount.map(|amount| Precipitation { amount, interval }))
}

/// A row of the table `places`.
#[derive(Debug)]
pub(super) struct PlaceRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) origin: &'static str,
    pub(super) resolved: bool,
    pub(super) latitude: Option<f64>,
    pub(super) longitude: Option<f64>,
    pub(super) elevation_m: Option<f64>,
    pub(super) time_zone: Option<String>,
    pub(super) problem: Option<String>,
}

impl PlaceRow {
    pub(super) fn of(place: &StoredPlace) -> Self {
        let (resolved, coordinates, elevation_m, time_zone, problem) = match &place.state {
            PlaceState::Ready(ready) => {
                let elevation_m = ready.elevation.map(|elevation| elevation.0);
                let time_zone = Some(ready.time_zone_name().to_owned());
                (true, Some(ready.coordinates), elevation_m, time_zone, None)
            }
            PlaceState::Unresolved { coordinates, elevation_m, time_zone, problem } => {
                (false, *coordinates, *elevation_m, time_zone.clone(), problem.clone())
            }
        };
        Self {
            id: place.id.as_str().to_owned(),
            name: place.name.clone(),
            origin: spell_origin(place.origin),
            resolved,
            latitude: coordinates.map(Coordinates::latitude),
            longitude: coordinates.map(Coordinates::longitude),
            elevation_m,
            time_zone,
            problem,
        }
    }
}

/// Reads a place from the columns id, name, origin, resolved, latitude, longitude, elevation, time zone, problem.
pub(super) fn read_place(row: &SqliteRow) -> Result<StoredPlace, Unreadable> {
    let mut columns = Columns::of(row);
    let id: PlaceId = columns.take::<String>()?.parse()?;
    let name: String = columns.take()?;
    let origin = read_origin(&columns.take::<String>()?)?;
    let resolved: bool = columns.take()?;
    let coordinates = match (columns.take()?, columns.take()?) {
        (Some(latitude), Some(longitude)) => Some(Coordinates::new(latitude, longitude)?),
        _ => None,
    };
    let elevation_m: Option<f64> = columns.take()?;
    let time_zone: Option<String> = columns.take()?;
    let problem: Option<String> = columns.take()?;
    let state = if resolved {
        let coordinates = coordinates.ok_or("a resolved place has no coordinates")?;
        let time_zone = time_zone.ok_or("a resolved place has no time zone")?;
        PlaceState::Ready(Place::new(id.clone(), &name, coordinates, elevation_m, &time_zone)?)
    } else {
        PlaceState::Unresolved { coordinates, elevation_m, time_zone, problem }
    };
    Ok(StoredPlace { id, name, origin, state })
}

const fn spell_origin(origin: PlaceOrigin) -> &'static str {
    match origin {
        PlaceOrigin::Configuration => "configuration",
        PlaceOrigin::Api => "api",
    }
}

fn read_origin(text: &str) -> Result<PlaceOrigin, Unreadable> {
    match text {
        "configuration" => Ok(PlaceOrigin::Configuration),
        "api" => Ok(PlaceOrigin::Api),
        _ => Err(format!("the origin {text:?} is not known").into()),
    }
}
