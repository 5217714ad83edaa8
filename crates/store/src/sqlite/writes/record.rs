//! Writing one batch: reads what is kept, lets [`plan`] decide, and writes the difference.

use std::collections::{HashMap, HashSet};

use pampero_weather::observation::{Observation, Readings};
use pampero_weather::place::PlaceId;
use sqlx::query::Query;
use sqlx::query_builder::Separated;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::super::rows::{
    Columns, OBSERVATION_COLUMN_COUNT, READING_COLUMNS, ReadingValue, Unreadable, corrupt,
    observation_columns, provider_number, read_observation, reading_values,
};
use super::{Fault, Write, in_statements};
use crate::description::Description;
use crate::plan::{Kept, Key, Plan, key_of, plan};
use crate::stats::Counters;
use crate::{Batch, KeptAnswer, Recorded, Selection, StoredRevision};

const KEPT_OBSERVATIONS: &str = concat!(
    ") SELECT ",
    observation_columns!(),
    ", o.place FROM wanted \
     CROSS JOIN observations AS o ON o.place = wanted.place \
         AND o.provider = wanted.provider AND o.observed_at = wanted.observed_at \
     JOIN descriptions AS d ON d.description = o.description"
);

const FIND_DESCRIPTION: &str = "
    SELECT description FROM descriptions
    WHERE source_kind = $1 AND condition = $2 AND intensity = $3 AND raw_code = $4 AND flags = $5";

const ADD_DESCRIPTION: &str = "
    INSERT INTO descriptions (source_kind, condition, intensity, raw_code, flags)
    VALUES ($1, $2, $3, $4, $5) RETURNING description";

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

/// The numbers of the places of a batch in the table `places`.
struct PlaceNumbers(HashMap<PlaceId, i64>);

impl PlaceNumbers {
    fn of(&self, place: &PlaceId) -> Result<i64, Fault> {
        self.0.get(place).copied().ok_or_else(|| Fault::unknown_place(place))
    }
}

/// Looks the places of a batch up; removed ones too, since their history goes on.
async fn place_numbers(
    batch: &Batch,
    connection: &mut SqliteConnection,
) -> Result<PlaceNumbers, Fault> {
    let of_observations = batch.observations.iter().map(|observation| &observation.place);
    let of_selections = batch.selections.iter().map(|selection| &selection.place);
    let of_answers = batch.answers.iter().map(|answer| &answer.place);
    let wanted: HashSet<&PlaceId> =
        of_observations.chain(of_selections).chain(of_answers).collect();
    let wanted: Vec<&PlaceId> = wanted.into_iter().collect();
    let mut numbers = HashMap::with_capacity(wanted.len());
    for piece in in_statements(&wanted) {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT id, place FROM places WHERE id IN (");
        let mut ids = query.separated(", ");
        for place in piece {
            ids.push_bind(place.as_str());
        }
        ids.push_unseparated(")");
        let found: Vec<(String, i64)> = query.build_query_as().fetch_all(&mut *connection).await?;
        let found: HashMap<String, i64> = found.into_iter().collect();
        for place in piece {
            let number = found.get(place.as_str()).ok_or_else(|| Fault::unknown_place(place))?;
            numbers.insert((*place).clone(), *number);
        }
    }
    Ok(PlaceNumbers(numbers))
}

/// Reads what is kept under the keys of `observations`.
async fn kept_observations(
    observations: &[Observation],
    places: &PlaceNumbers,
    connection: &mut SqliteConnection,
) -> Result<HashMap<Key, Kept>, Fault> {
    let ids: HashMap<i64, &PlaceId> = places.0.iter().map(|(id, number)| (*number, id)).collect();
    let mut wanted = Vec::with_capacity(observations.len());
    for observation in observations {
        wanted.push((places.of(&observation.place)?, observation));
    }
    // In the order of the table, so that neighbours share a page.
    wanted.sort_unstable_by_key(|(place, observation)| place_in_table(*place, observation));
    let mut kept = HashMap::with_capacity(observations.len());
    for piece in in_statements(&wanted) {
        let mut query =
            QueryBuilder::<Sqlite>::new("WITH wanted (place, provider, observed_at) AS (");
        query.push_values(piece, |mut row, (place, observation)| {
            row.push_bind(*place);
            row.push_bind(provider_number(observation.provider));
            row.push_bind(observation.observed_at.as_millisecond());
        });
        query.push(KEPT_OBSERVATIONS);
        for row in query.build().fetch_all(&mut *connection).await? {
            let found = read_kept(&row, &ids).map_err(corrupt("an observation"))?;
            kept.insert(key_of(&found.observation), found);
        }
    }
    Ok(kept)
}

fn read_kept(row: &SqliteRow, ids: &HashMap<i64, &PlaceId>) -> Result<Kept, Unreadable> {
    let number: i64 = Columns::behind(row, OBSERVATION_COLUMN_COUNT).take()?;
    let place = ids.get(&number).ok_or("it is of a place that was not asked for")?;
    read_observation(row, place)
}

fn place_in_table(place: i64, observation: &Observation) -> (i64, i64, i64) {
    let provider = provider_number(observation.provider);
    (place, provider, observation.observed_at.as_millisecond())
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

/// Finds or adds the description of everything that is to be written.
async fn description_numbers(
    plan: &Plan,
    connection: &mut SqliteConnection,
) -> Result<HashMap<Description, i64>, Fault> {
    let kept = plan.inserts.iter().chain(&plan.updates).map(|kept| &kept.observation);
    let replaced = plan.replaced.iter().map(|revision| &revision.observation);
    let wanted: HashSet<Description> = kept.chain(replaced).map(Description::of).collect();
    let mut numbers = HashMap::with_capacity(wanted.len());
    for description in wanted {
        let find = bind_description(FIND_DESCRIPTION, &description);
        let number = match find.fetch_optional(&mut *connection).await? {
            Some(row) => Columns::of(&row).take(),
            None => {
                let add = bind_description(ADD_DESCRIPTION, &description);
                Columns::of(&add.fetch_one(&mut *connection).await?).take()
            }
        };
        numbers.insert(description, number.map_err(corrupt("a description"))?);
    }
    Ok(numbers)
}

fn bind_description(
    statement: &'static str,
    description: &Description,
) -> Query<'static, Sqlite, SqliteArguments> {
    sqlx::query(statement)
        .bind(description.source_kind.as_str())
        .bind(description.condition.as_str())
        .bind(description.intensity.as_str())
        .bind(description.raw_code.as_str())
        .bind(description.flags.as_str())
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
