//! Appending to the timeline, and dropping its oldest end.

use pampero_weather::event::Event;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{Fault, Write, in_statements};

/// Numbers have no gaps but at the old end, so their distance is the count of events.
const DROP_OLDEST: &str = "DELETE FROM events WHERE event <= (SELECT max(event) FROM events) - $1";

const COUNT_EVENTS: &str =
    "SELECT coalesce((SELECT max(event) FROM events) - (SELECT min(event) FROM events) + 1, 0)";

/// Appends events in order; beyond `events_max` the oldest are dropped, a hundredth part at a time.
#[derive(Debug)]
pub(in super::super) struct AppendEvents {
    pub(in super::super) events: Vec<Event>,
    pub(in super::super) events_max: u32,
}

impl Write for AppendEvents {
    type Answer = ();
    const WHAT: &'static str = "events";

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        for piece in in_statements(&self.events) {
            insert(piece, connection).await?;
        }
        let limit = i64::from(self.events_max.max(1));
        let count: i64 = sqlx::query_scalar(COUNT_EVENTS).fetch_one(&mut *connection).await?;
        if count > limit {
            sqlx::query(DROP_OLDEST).bind(limit - limit / 100).execute(connection).await?;
        }
        Ok(())
    }
}

async fn insert(events: &[Event], connection: &mut SqliteConnection) -> Result<(), Fault> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO events (at, kind, provider, place, cause, attempt, elapsed_us) ",
    );
    query.push_values(events, |mut row, event| {
        let elapsed_us = event.elapsed.map(|elapsed| i64::try_from(elapsed.as_micros()));
        row.push_bind(event.at.as_millisecond());
        row.push_bind(event.kind.as_str());
        row.push_bind(event.provider.map(|provider| provider.as_str()));
        row.push_bind(event.place.as_ref().map(|place| place.as_str()));
        row.push_bind(event.cause.as_deref());
        row.push_bind(event.attempt.map(i64::from));
        row.push_bind(elapsed_us.map(|micros| micros.unwrap_or(i64::MAX)));
    });
    query.build().execute(connection).await?;
    Ok(())
}
