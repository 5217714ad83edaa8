//! What is forgotten, by age and by number.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use super::{Store, StoreError};

/// How long and how much is kept.
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    pub(crate) history_for: Duration,
    pub(crate) history_max: usize,
    pub(crate) finished_max: usize,
    pub(crate) delivered_for: Duration,
    pub(crate) delivered_max: usize,
    pub(crate) dead_max: usize,
}

impl Store {
    /// Forgets what is too old or too much, and gives space back.
    pub(crate) fn tidy(&mut self, now: Timestamp, keep: &Retention) -> Result<(), StoreError> {
        let before =
            |age: Duration| now.saturating_sub(age).unwrap_or(Timestamp::MIN).as_millisecond();
        let (history, delivered) = (before(keep.history_for), before(keep.delivered_for));
        self.write(|to| {
            to.execute("DELETE FROM history WHERE at < ?", [history])?;
            to.execute(
                "DELETE FROM history WHERE id <=
                     (SELECT id FROM history ORDER BY id DESC LIMIT 1 OFFSET ?)",
                [keep.history_max as i64],
            )?;
            to.execute("DELETE FROM alerts WHERE is_over = 1 AND ended < ?", [history])?;
            to.execute(
                "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE is_over = 1
                     ORDER BY ended DESC LIMIT -1 OFFSET ?)",
                [keep.finished_max as i64],
            )?;
            to.execute("DELETE FROM outbox WHERE state = 'delivered' AND at < ?", [delivered])?;
            to.execute("DELETE FROM outbox WHERE state = 'dead' AND at < ?", [history])?;
            for (state, max) in [("delivered", keep.delivered_max), ("dead", keep.dead_max)] {
                to.execute(
                    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = ?
                         ORDER BY at DESC, id DESC LIMIT -1 OFFSET ?)",
                    params![state, max as i64],
                )?;
            }
            Ok(())
        })?;
        let failed = |error| StoreError::at(&self.file, error);
        let mut statement =
            self.connection.prepare("PRAGMA incremental_vacuum(1000)").map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        // Each step gives one page back.
        while rows.next().map_err(failed)?.is_some() {}
        Ok(())
    }
}
