//! Adding, changing and removing a place.

use pampero_weather::place::PlaceId;
use sqlx::SqliteConnection;

use super::super::rows::PlaceRow;
use super::{Fault, Write};
use crate::StoredPlace;

/// A removed place keeps its row, so that adding it again finds its history and its turn.
const PUT_PLACE: &str = "
    INSERT INTO places
        (id, name, origin, resolved, latitude, longitude, elevation_m, time_zone, problem)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, origin = excluded.origin, resolved = excluded.resolved,
        latitude = excluded.latitude, longitude = excluded.longitude,
        elevation_m = excluded.elevation_m, time_zone = excluded.time_zone,
        problem = excluded.problem, removed = 0";

const REMOVE_PLACE: &str = "UPDATE places SET removed = 1 WHERE id = $1 AND removed = 0";

/// Adds or replaces a place.
#[derive(Debug)]
pub(in super::super) struct PutPlace(pub(in super::super) StoredPlace);

impl Write for PutPlace {
    type Answer = ();
    const WHAT: &'static str = "a place";

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        let row = PlaceRow::of(&self.0);
        sqlx::query(PUT_PLACE)
            .bind(row.id)
            .bind(row.name)
            .bind(row.origin)
            .bind(row.resolved)
            .bind(row.latitude)
            .bind(row.longitude)
            .bind(row.elevation_m)
            .bind(row.time_zone)
            .bind(row.problem)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Marks a place as removed; answers whether there was one.
#[derive(Debug)]
pub(in super::super) struct RemovePlace(pub(in super::super) PlaceId);

impl Write for RemovePlace {
    type Answer = bool;
    const WHAT: &'static str = "the removal of a place";

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<bool, Fault> {
        let done = sqlx::query(REMOVE_PLACE).bind(self.0.as_str()).execute(connection).await?;
        Ok(done.rows_affected() > 0)
    }
}
