//! Reading observations, their revisions and their values.

use jiff::Timestamp;
use pampero_weather::mean::Sample;
use pampero_weather::observation::{Observation, Quantity};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite};

use super::super::rows::{
    Columns, OBSERVATION_COLUMN_COUNT, Unreadable, corrupt, observation_columns, provider_number,
    read_observation, read_provider,
};
use super::{in_reading, read_place_id};
use crate::{ObservationFilter, Order, ProviderSample, Selection, StoreError, StoredRevision};

const SERVED: &str = concat!(
    "SELECT ",
    observation_columns!(),
    ", p.id, s.fallback_cause, s.decided_at FROM selections AS s \
     JOIN places AS p ON p.place = s.place \
     JOIN observations AS o ON o.place = s.place \
         AND o.provider = s.provider AND o.observed_at = s.observed_at \
     JOIN descriptions AS d ON d.description = o.description \
     WHERE p.removed = 0 ORDER BY s.place"
);

const REVISIONS: &str = concat!(
    "SELECT ",
    observation_columns!(),
    ", o.replaced_at FROM revisions AS o \
     JOIN descriptions AS d ON d.description = o.description \
     WHERE o.place = (SELECT place FROM places WHERE id = $1) \
         AND o.provider = $2 AND o.observed_at = $3 \
     ORDER BY o.revision"
);

/// The beginning of a page of one provider; see [`push_page`].
const PAGE: &str = concat!("SELECT * FROM (SELECT ", observation_columns!(), ", ");

const PAGE_SOURCE: &str = " AS turn FROM observations AS o \
     JOIN descriptions AS d ON d.description = o.description \
     WHERE o.place = (SELECT place FROM places WHERE id = ";

pub(in super::super) async fn served(
    readers: &SqlitePool,
) -> Result<Vec<(Selection, Observation)>, StoreError> {
    let rows = sqlx::query(SERVED).fetch_all(readers).await;
    let rows = rows.map_err(in_reading("what is served"))?;
    let read = |row| read_served(row).map_err(corrupt("an observation that is served"));
    rows.iter().map(read).collect()
}

fn read_served(row: &SqliteRow) -> Result<(Selection, Observation), Unreadable> {
    let mut columns = Columns::behind(row, OBSERVATION_COLUMN_COUNT);
    let place = read_place_id(&mut columns)?;
    let observation = read_observation(row, &place)?.observation;
    let selection = Selection {
        place,
        provider: observation.provider,
        observed_at: observation.observed_at,
        fallback_cause: columns.take()?,
        decided_at: columns.take_instant()?,
    };
    Ok((selection, observation))
}

pub(in super::super) async fn revisions(
    readers: &SqlitePool,
    place: &PlaceId,
    provider: ProviderId,
    observed_at: Timestamp,
) -> Result<Vec<StoredRevision>, StoreError> {
    let query = sqlx::query(REVISIONS)
        .bind(place.as_str())
        .bind(provider_number(provider))
        .bind(observed_at.as_millisecond());
    let rows = query.fetch_all(readers).await.map_err(in_reading("the revisions"))?;
    let what = format!("a revision of an observation of {place}");
    let read = |row| read_revision(row, place).map_err(corrupt(what.as_str()));
    rows.iter().map(read).collect()
}

fn read_revision(row: &SqliteRow, place: &PlaceId) -> Result<StoredRevision, Unreadable> {
    let kept = read_observation(row, place)?;
    let replaced_at = Columns::behind(row, OBSERVATION_COLUMN_COUNT).take_instant()?;
    Ok(StoredRevision { revision: kept.revision, replaced_at, observation: kept.observation })
}

/// Takes at most a page from each provider along the primary key, and merges them.
pub(in super::super) async fn observations(
    readers: &SqlitePool,
    place: &PlaceId,
    filter: &ObservationFilter,
) -> Result<Vec<Observation>, StoreError> {
    let mut providers = ProviderId::ALL;
    providers.sort_unstable_by_key(|provider| provider.as_str());
    let asked = |provider| filter.provider.is_none_or(|wanted| wanted == provider);
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM (");
    let mut separator = "";
    for (turn, provider) in providers.into_iter().enumerate() {
        if asked(provider) {
            query.push(separator);
            push_page(provider, turn, place, filter, &mut query);
            separator = " UNION ALL ";
        }
    }
    let direction = spell_order(filter.order);
    query.push(format_args!(") ORDER BY observed_at {direction}, turn {direction} LIMIT "));
    query.push_bind(i64::from(filter.limit));
    let rows = query.build().fetch_all(readers).await.map_err(in_reading("observations"))?;
    let what = format!("an observation of {place}");
    let read = |row| read_observation(row, place).map_err(corrupt(what.as_str()));
    rows.iter().map(read).map(|kept| kept.map(|kept| kept.observation)).collect()
}

/// Writes the question for a page of one provider; `turn` is its turn among providers of the same instant.
fn push_page(
    provider: ProviderId,
    turn: usize,
    place: &PlaceId,
    filter: &ObservationFilter,
    query: &mut QueryBuilder<Sqlite>,
) {
    let (from_ms, to_ms) = stretch_of(provider, filter);
    query.push(PAGE).push(turn).push(PAGE_SOURCE).push_bind(place.as_str());
    query.push(") AND o.provider = ").push_bind(provider_number(provider));
    query.push(" AND o.observed_at >= ").push_bind(from_ms);
    query.push(" AND o.observed_at < ").push_bind(to_ms);
    query.push(" ORDER BY o.observed_at ").push(spell_order(filter.order));
    query.push(" LIMIT ").push_bind(i64::from(filter.limit)).push(")");
}

/// Returns the milliseconds `[from, to)` in which observations of `provider` are wanted, the page before left out.
fn stretch_of(provider: ProviderId, filter: &ObservationFilter) -> (i64, i64) {
    let from_ms = filter.from.map_or(i64::MIN, first_millisecond_from);
    let to_ms = filter.to.map_or(i64::MAX, first_millisecond_from);
    let Some((instant, last)) = filter.after else { return (from_ms, to_ms) };
    let after_ms = instant.as_millisecond();
    let (this, last) = (provider.as_str(), last.as_str());
    match filter.order {
        Order::Ascending => (from_ms.max(if this > last { after_ms } else { after_ms + 1 }), to_ms),
        Order::Descending => {
            (from_ms, to_ms.min(if this < last { after_ms + 1 } else { after_ms }))
        }
    }
}

/// Returns the first whole millisecond that is not before `instant`.
pub(super) fn first_millisecond_from(instant: Timestamp) -> i64 {
    let cut = instant.as_millisecond();
    let is_before = Timestamp::from_millisecond(cut).is_ok_and(|whole| whole < instant);
    cut + i64::from(is_before)
}

pub(super) const fn spell_order(order: Order) -> &'static str {
    match order {
        Order::Ascending => "ASC",
        Order::Descending => "DESC",
    }
}

pub(in super::super) async fn samples(
    readers: &SqlitePool,
    place: &PlaceId,
    quantity: Quantity,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<ProviderSample>, StoreError> {
    // The column is the spelling of the quantity. All providers are named to go along the primary key.
    let column = quantity.as_str();
    let statement = AssertSqlSafe(format!(
        "SELECT provider, observed_at, {column} FROM observations \
         WHERE place = (SELECT place FROM places WHERE id = $1) \
             AND provider IN (SELECT provider FROM providers) \
             AND observed_at >= $2 AND observed_at < $3 AND {column} IS NOT NULL"
    ));
    let query = sqlx::query(statement)
        .bind(place.as_str())
        .bind(first_millisecond_from(from))
        .bind(first_millisecond_from(to));
    let rows = query.fetch_all(readers).await.map_err(in_reading("values"))?;
    let read = |row| read_sample(row).map_err(corrupt(format!("a value of {place}")));
    let mut samples: Vec<ProviderSample> = rows.iter().map(read).collect::<Result<_, _>>()?;
    samples.sort_unstable_by_key(|one| (one.sample.at, one.provider.as_str()));
    Ok(samples)
}

fn read_sample(row: &SqliteRow) -> Result<ProviderSample, Unreadable> {
    let mut columns = Columns::of(row);
    Ok(ProviderSample {
        provider: read_provider(columns.take()?)?,
        sample: Sample { at: columns.take_instant()?, value: columns.take()? },
    })
}
