//! Reading the timeline.

use std::time::Duration;

use pampero_weather::event::{Event, EventKind};
use pampero_weather::place::PlaceId;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{QueryBuilder, Sqlite};

use super::super::rows::{Columns, Unreadable, corrupt};
use super::in_reading;
use super::observations::{first_millisecond_from, spell_order};
use crate::{EventFilter, EventId, Order, StoreError, StoredEvent};

pub(in super::super) async fn events(
    readers: &SqlitePool,
    filter: &EventFilter,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT event, at, kind, provider, place, cause, attempt, elapsed_us FROM events WHERE 1 = 1",
    );
    push_conditions(filter, &mut query);
    query.push(" ORDER BY event ").push(spell_order(filter.order));
    query.push(" LIMIT ").push_bind(i64::from(filter.limit));
    let rows = query.build().fetch_all(readers).await.map_err(in_reading("events"))?;
    rows.iter().map(|row| read_event(row).map_err(corrupt(name_of(row)))).collect()
}

fn push_conditions(filter: &EventFilter, query: &mut QueryBuilder<Sqlite>) {
    if let Some(provider) = filter.provider {
        query.push(" AND provider = ").push_bind(provider.as_str());
    }
    if let Some(place) = &filter.place {
        query.push(" AND place = ").push_bind(place.as_str());
    }
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(kind.as_str());
    }
    if let Some(from) = filter.from {
        query.push(" AND at >= ").push_bind(first_millisecond_from(from));
    }
    if let Some(to) = filter.to {
        query.push(" AND at < ").push_bind(first_millisecond_from(to));
    }
    if let Some(EventId(after)) = filter.after {
        let side = match filter.order {
            Order::Ascending => " AND event > ",
            Order::Descending => " AND event < ",
        };
        query.push(side).push_bind(after);
    }
}

fn read_event(row: &SqliteRow) -> Result<StoredEvent, Unreadable> {
    let mut columns = Columns::of(row);
    let id = EventId(columns.take()?);
    let event = Event {
        at: columns.take_instant()?,
        kind: columns.take::<String>()?.parse::<EventKind>()?,
        provider: columns.take::<Option<String>>()?.map(|spelling| spelling.parse()).transpose()?,
        place: columns.take::<Option<String>>()?.map(|id| id.parse::<PlaceId>()).transpose()?,
        cause: columns.take()?,
        attempt: columns.take::<Option<i64>>()?.map(u32::try_from).transpose()?,
        elapsed: columns.take::<Option<i64>>()?.map(read_micros).transpose()?,
    };
    Ok(StoredEvent { id, event })
}

fn read_micros(micros: i64) -> Result<Duration, std::num::TryFromIntError> {
    u64::try_from(micros).map(Duration::from_micros)
}

fn name_of(row: &SqliteRow) -> String {
    let number = Columns::of(row).take::<i64>();
    number.map_or_else(|_| "an event".to_owned(), |number| format!("event {number}"))
}
