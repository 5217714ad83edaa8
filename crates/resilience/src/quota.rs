//! The allowance of a service per calendar window, counted in a ledger that outlives the process.

mod memory_ledger;
mod meter;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use self::memory_ledger::MemoryLedger;
pub(crate) use self::meter::{Exhausted, QuotaMeter};

/// A calendar window in UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum QuotaWindow {
    /// From midnight to midnight UTC.
    Day,
    /// From the first of a month, midnight UTC, to the next.
    Month,
}

impl QuotaWindow {
    /// Returns the spelling: `day` or `month`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Returns when the window that contains `instant` begins.
    pub fn start_of(self, instant: Timestamp) -> Timestamp {
        midnight(self.first_date(instant), Timestamp::MIN)
    }

    /// Returns when the window that contains `instant` ends and the next begins.
    pub fn end_of(self, instant: Timestamp) -> Timestamp {
        let first = self.first_date(instant);
        let next = match self {
            Self::Day => first.tomorrow(),
            Self::Month => first.last_of_month().tomorrow(),
        };
        next.map_or(Timestamp::MAX, |date| midnight(date, Timestamp::MAX))
    }

    fn first_date(self, instant: Timestamp) -> Date {
        let date = TimeZone::UTC.to_datetime(instant).date();
        match self {
            Self::Day => date,
            Self::Month => date.first_of_month(),
        }
    }
}

/// Returns midnight UTC, or `otherwise` at the ends of the calendar.
fn midnight(date: Date, otherwise: Timestamp) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0));
    midnight.unwrap_or(otherwise)
}

/// How much of one window's allowance is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaUsage {
    /// The kind of window.
    pub window: QuotaWindow,
    /// When the window began.
    pub started_at: Timestamp,
    /// Units used in it so far.
    pub used: u64,
}

/// A window with its allowance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaState {
    /// The kind of window.
    pub window: QuotaWindow,
    /// When the window began.
    pub started_at: Timestamp,
    /// When the next window begins.
    pub resets_at: Timestamp,
    /// Units used in it so far.
    pub used: u64,
    /// Units that may be used in it.
    pub limit: u64,
}

/// Keeps quota counts across restarts.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Returns what is on record for `service`: the newest window of each kind.
    ///
    /// # Errors
    /// The ledger cannot be read.
    async fn load(&self, service: &str) -> Result<Vec<QuotaUsage>, LedgerError>;

    /// Puts the counts of `service` on record; when it returns they survive a kill.
    ///
    /// A count never goes down within the same window: the larger of old and new is kept.
    ///
    /// # Errors
    /// The ledger cannot be written; the caller keeps the counts and tries again with the next call.
    async fn save(&self, service: &str, usage: &[QuotaUsage]) -> Result<(), LedgerError>;
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the quota ledger is not available")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_calendar_in_utc() {
        check(
            QuotaWindow::Day,
            "2024-02-29T23:59:59Z",
            "2024-02-29T00:00:00Z",
            "2024-03-01T00:00:00Z",
        );
        check(
            QuotaWindow::Day,
            "2024-03-01T00:00:00Z",
            "2024-03-01T00:00:00Z",
            "2024-03-02T00:00:00Z",
        );
        check(
            QuotaWindow::Month,
            "2024-02-29T12:00:00Z",
            "2024-02-01T00:00:00Z",
            "2024-03-01T00:00:00Z",
        );
        check(
            QuotaWindow::Month,
            "2024-12-31T23:59:59Z",
            "2024-12-01T00:00:00Z",
            "2025-01-01T00:00:00Z",
        );
        check(
            QuotaWindow::Month,
            "2025-01-01T00:00:00Z",
            "2025-01-01T00:00:00Z",
            "2025-02-01T00:00:00Z",
        );
    }

    #[test]
    fn ends_of_the_calendar_do_not_panic() {
        for window in [QuotaWindow::Day, QuotaWindow::Month] {
            assert!(window.start_of(Timestamp::MIN) <= Timestamp::MIN);
            assert!(window.end_of(Timestamp::MAX) >= Timestamp::MAX);
        }
    }

    #[track_caller]
    fn check(window: QuotaWindow, instant: &str, start: &str, end: &str) {
        let instant: Timestamp = instant.parse().unwrap();
        assert_eq!(window.start_of(instant), start.parse().unwrap());
        assert_eq!(window.end_of(instant), end.parse().unwrap());
    }
}
