//! Looking up what a batch refers to: places, kept observations, descriptions.

use std::collections::{HashMap, HashSet};

use pampero_weather::observation::Observation;
use pampero_weather::place::PlaceId;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::super::super::rows::{
    Columns, OBSERVATION_COLUMN_COUNT, Unreadable, corrupt, observation_columns, provider_number,
    read_observation,
};
use super::super::{Fault, in_statements};
use crate::Batch;
use crate::description::Description;
use crate::plan::{Kept, Key, Plan, key_of};

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

/// The numbers of the places of a batch in the table `places`.
pub(super) struct PlaceNumbers(HashMap<PlaceId, i64>);

impl PlaceNumbers {
    pub(super) fn of(&self, place: &PlaceId) -> Result<i64, Fault> {
        self.0.get(place).copied().ok_or_else(|| Fault::unknown_place(place))
    }
}

/// Looks the places of a batch up; removed ones too, since their history goes on.
pub(super) async fn place_numbers(
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
pub(super) async fn kept_observations(
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

pub(super) fn place_in_table(place: i64, observation: &Observation) -> (i64, i64, i64) {
    let provider = provider_number(observation.provider);
    (place, provider, observation.observed_at.as_millisecond())
}

/// Finds or adds the description of everything that is to be written.
pub(super) async fn description_numbers(
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
