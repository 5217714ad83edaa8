//! Every question the store answers; each sees the last commit.

mod events;
mod observations;

use pampero_resilience::{QuotaUsage, QuotaWindow};
use pampero_weather::place::PlaceId;
use sqlx::sqlite::{SqlitePool, SqliteRow};

pub(super) use events::events;
pub(super) use observations::{observations, revisions, samples, served};

use super::failure::Failure;
use super::rows::{Columns, Unreadable, corrupt, read_instant, read_place, read_provider};
use crate::{KeptAnswer, StoreError, StoredPlace};

const PLACES: &str = "
    SELECT id, name, origin, resolved, latitude, longitude, elevation_m, time_zone, problem
    FROM places WHERE removed = 0 ORDER BY place";

const KEPT_ANSWERS: &str = "
    SELECT p.id, a.provider, a.fetched_at, a.expires_at, a.last_modified, a.body
    FROM answers AS a JOIN places AS p ON p.place = a.place
    WHERE p.removed = 0 ORDER BY a.place, a.provider";

const QUOTA_USAGE: &str = "
    SELECT window_kind, started_at, used FROM quota_usage
    WHERE service = $1 ORDER BY window_kind";

pub(super) async fn places(readers: &SqlitePool) -> Result<Vec<StoredPlace>, StoreError> {
    let rows = sqlx::query(PLACES).fetch_all(readers).await.map_err(in_reading("the places"))?;
    rows.iter().map(|row| read_place(row).map_err(corrupt(name_of("place", row)))).collect()
}

pub(super) async fn kept_answers(readers: &SqlitePool) -> Result<Vec<KeptAnswer>, StoreError> {
    let rows = sqlx::query(KEPT_ANSWERS).fetch_all(readers).await;
    let rows = rows.map_err(in_reading("the kept answers"))?;
    let read = |row| read_kept_answer(row).map_err(corrupt(name_of("kept answer for", row)));
    rows.iter().map(read).collect()
}

fn read_kept_answer(row: &SqliteRow) -> Result<KeptAnswer, Unreadable> {
    let mut columns = Columns::of(row);
    Ok(KeptAnswer {
        place: read_place_id(&mut columns)?,
        provider: read_provider(columns.take()?)?,
        fetched_at: columns.take_instant()?,
        expires_at: columns.take::<Option<i64>>()?.map(read_instant).transpose()?,
        last_modified: columns.take()?,
        body: columns.take()?,
    })
}

pub(super) async fn quota_usage(
    readers: &SqlitePool,
    service: &str,
) -> Result<Vec<QuotaUsage>, StoreError> {
    let rows = sqlx::query(QUOTA_USAGE).bind(service).fetch_all(readers).await;
    let rows = rows.map_err(in_reading("the quota ledger"))?;
    let read = |row| read_quota_usage(row).map_err(corrupt("a quota count"));
    rows.iter().map(read).collect()
}

fn read_quota_usage(row: &SqliteRow) -> Result<QuotaUsage, Unreadable> {
    let mut columns = Columns::of(row);
    let spelling: String = columns.take()?;
    let known = [QuotaWindow::Day, QuotaWindow::Month];
    let window = known.into_iter().find(|window| window.as_str() == spelling);
    Ok(QuotaUsage {
        window: window.ok_or_else(|| format!("the window {spelling:?} is not known"))?,
        started_at: columns.take_instant()?,
        used: u64::try_from(columns.take::<i64>()?)?,
    })
}

pub(super) async fn ping(readers: &SqlitePool) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT count(*) FROM providers");
    query.fetch_one(readers).await.map_err(in_reading("the list of providers"))?;
    Ok(())
}

/// Names what was being read when SQLite failed.
fn in_reading(what: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |error| Failure::from(error).into_read_error(what)
}

fn read_place_id(columns: &mut Columns<'_>) -> Result<PlaceId, Unreadable> {
    Ok(columns.take::<String>()?.parse()?)
}

/// Names a row after the slug in its first column.
fn name_of(what: &str, row: &SqliteRow) -> String {
    let id = Columns::of(row).take::<String>();
    format!("{what} {}", id.as_deref().unwrap_or("without a name"))
}
