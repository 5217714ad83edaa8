//! Writing one batch: reads what is kept, lets [`plan`] decide, and writes the difference.

mod lookup;

use pampero_weather::observation::{Observation, Readings};
use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::super::rows::{READING_COLUMNS, ReadingValue, provider_number, reading_values};
use super::{Fault, Write, in_statements};
use crate::description::Description;
use crate::plan::{Kept, Plan, plan};
use crate::stats::Counters;
use crate::{Batch, KeptAnswer, Recorded, Selection, StoredRevision};
use lookup::{PlaceNumbers, description_numbers, kept_observations, place_in_table, place_numbers};

const CORRECT_OBSERVATION: &str = "
    UPDATE observations SET
        fetched_at = $4, revision = $5, description = $6,
        temperature = $7, relative_humidity = $8, dew_point = $9, pressure_msl = $10,
        pressure_station = $11, wind_speed = $12, wind_gust = $13, wind_direction = $14,
        precipitation = $15, precipitation_interval_ms = $16, cloud_cover = $17, visibility = $18
    WHERE place = $1 AND provider = $2 AND observed_at = $3";

const SELECT_SERVED: &str = "
    INSERT INTO selections (place, provider, observed_at, fallback_cause, decided_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (place) DO UPDATE SET
        provider = excluded.provider, observed_at = excluded.observed_at,
        fallback_cause = excluded.fallback_cause, decided_at = excluded.decided_at";

const KEEP_ANSWER: &str = "
    INSERT INTO answers (place, provider, fetched_at, expires_at, last_modified, body)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (place, provider) DO UPDATE SET
        fetched_at = excluded.fetched_at, expires_at = excluded.expires_at,
        last_modified = excluded.last_modified, body = excluded.body";

/// Writes one batch whole; its observations are in the form in which they are kept.
#[derive(Debug)]
pub(in super::super) struct RecordBatch(pub(in super::super) Batch);

impl Write for RecordBatch {
    type Answer = Vec<Recorded>;
    const WHAT: &'static str = "a batch of observations";

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<Vec<Recorded>, Fault> {
        let Batch { observations, selections, answers } = &self.0;
        let places = place_numbers(&self.0, connection).await?;
        let kept = kept_observations(observations, &places, connection).await?;
        let plan = plan(kept, observations);
        write_observations(&plan, &places, connection).await?;
        for selection in selections {
            select_served(selection, &places, connection).await?;
        }
        for answer in answers {
            keep_answer(answer, &places, connection).await?;
        }
        Ok(plan.results)
    }

    fn count(answer: &Vec<Recorded>, counters: &Counters) {
        counters.count_recorded(answer);
    }
}

/// Writes new rows, then corrections, then what was replaced, which refers to both.
async fn write_observations(
    plan: &Plan,
    places: &PlaceNumbers,
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    let descriptions = description_numbers(plan, connection).await?;
    let numbered = |observation: &Observation| -> Result<Numbers, Fault> {
        let description = descriptions[&Description::of(observation)];
        Ok(Numbers { place: places.of(&observation.place)?, description })
    };
    let mut inserts = Vec::with_capacity(plan.inserts.len());
    for kept in &plan.inserts {
        inserts.push((numbered(&kept.observation)?, kept));
    }
    inserts
        .sort_unstable_by_key(|(numbers, kept)| place_in_table(numbers.place, &kept.observation));
    for piece in in_statements(&inserts) {
        insert_observations(piece, connection).await?;
    }
    for kept in &plan.updates {
        correct_observation(numbered(&kept.observation)?, kept, connection).await?;
    }
    let mut replaced = Vec::with_capacity(plan.replaced.len());
    for revision in &plan.replaced {
        replaced.push((numbered(&revision.observation)?, revision));
    }
    for piece in in_statements(&replaced) {
        insert_revisions(piece, connection).await?;
    }
    Ok(())
}

/// The numbers by which a row refers to other tables.
#[derive(Clone, Copy)]
struct Numbers {
    place: i64,
    description: i64,
}

async fn insert_observations(
    rows: &[(Numbers, &Kept)],
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO observations (place, provider, observed_at, fetched_at, revision, description, ",
    );
    query.push(READING_COLUMNS).push(") ");
    query.push_values(rows, |mut row, (numbers, kept)| {
        let observation = &kept.observation;
        row.push_bind(numbers.place);
        row.push_bind(provider_number(observation.provider));
        row.push_bind(observation.observed_at.as_millisecond());
        row.push_bind(observation.fetched_at.as_millisecond());
        row.push_bind(i64::from(kept.revision));
        row.push_bind(numbers.description);
        push_readings(&mut row, &observation.readings);
    });
    query.build().execute(connection).await?;
    Ok(())
}

async fn insert_revisions(
    rows: &[(Numbers, &StoredRevision)],
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO revisions \
         (place, provider, observed_at, revision, replaced_at, fetched_at, description, ",
    );
    query.push(READING_COLUMNS).push(") ");
    query.push_values(rows, |mut row, (numbers, revision)| {
        let observation = &revision.observation;
        row.push_bind(numbers.place);
        row.push_bind(provider_number(observation.provider));
        row.push_bind(observation.observed_at.as_millisecond());
        row.push_bind(i64::from(revision.revision));
        row.push_bind(revision.replaced_at.as_millisecond());
        row.push_bind(observation.fetched_at.as_millisecond());
        row.push_bind(numbers.description);
        push_readings(&mut row, &observation.readings);
    });
    query.build().execute(connection).await?;
    Ok(())
}

fn push_readings(row: &mut Separated<'_, Sqlite, &'static str>, readings: &Readings) {
    for value in reading_values(readings) {
        match value {
            ReadingValue::Real(real) => row.push_bind(real),
            ReadingValue::Integer(integer) => row.push_bind(integer),
        };
    }
}

async fn correct_observation(
    numbers: Numbers,
    kept: &Kept,
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    let observation = &kept.observation;
    let mut query = sqlx::query(CORRECT_OBSERVATION)
        .bind(numbers.place)
        .bind(provider_number(observation.provider))
        .bind(observation.observed_at.as_millisecond())
        .bind(observation.fetched_at.as_millisecond())
        .bind(i64::from(kept.revision))
        .bind(numbers.description);
    for value in reading_values(&observation.readings) {
        query = match value {
            ReadingValue::Real(real) => query.bind(real),
            ReadingValue::Integer(integer) => query.bind(integer),
        };
    }
    query.execute(connection).await?;
    Ok(())
}

async fn select_served(
    selection: &Selection,
    places: &PlaceNumbers,
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    sqlx::query(SELECT_SERVED)
        .bind(places.of(&selection.place)?)
        .bind(provider_number(selection.provider))
        .bind(selection.observed_at.as_millisecond())
        .bind(selection.fallback_cause.as_deref())
        .bind(selection.decided_at.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

async fn keep_answer(
    answer: &KeptAnswer,
    places: &PlaceNumbers,
    connection: &mut SqliteConnection,
) -> Result<(), Fault> {
    sqlx::query(KEEP_ANSWER)
        .bind(places.of(&answer.place)?)
        .bind(provider_number(answer.provider))
        .bind(answer.fetched_at.as_millisecond())
        .bind(answer.expires_at.map(|instant| instant.as_millisecond()))
        .bind(answer.last_modified.as_deref())
        .bind(answer.body.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
