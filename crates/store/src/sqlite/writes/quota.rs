//! Putting quota counts on record.

use pampero_resilience::QuotaUsage;
use sqlx::SqliteConnection;

use super::{Fault, Write};

/// The newest window of a kind is kept; within it a count never goes down.
const SAVE_QUOTA: &str = "
    INSERT INTO quota_usage (service, window_kind, started_at, used) VALUES ($1, $2, $3, $4)
    ON CONFLICT (service, window_kind) DO UPDATE SET
        used = CASE
            WHEN excluded.started_at = started_at AND excluded.used < used THEN used
            ELSE excluded.used
        END,
        started_at = excluded.started_at
    WHERE excluded.started_at >= started_at";

/// Puts the counts of one service on record.
#[derive(Debug)]
pub(in super::super) struct SaveQuota {
    pub(in super::super) service: String,
    pub(in super::super) usage: Vec<QuotaUsage>,
}

impl Write for SaveQuota {
    type Answer = ();
    const WHAT: &'static str = "the quota ledger";

    async fn apply(&self, connection: &mut SqliteConnection) -> Result<(), Fault> {
        for usage in &self.usage {
            sqlx::query(SAVE_QUOTA)
                .bind(self.service.as_str())
                .bind(usage.window.as_str())
                .bind(usage.started_at.as_millisecond())
                .bind(i64::try_from(usage.used).unwrap_or(i64::MAX))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}
