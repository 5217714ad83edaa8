//! The allowance of a service per calendar window, counted in a ledger that outlives the process.

use async_trait::async_trait;
use jiff::Timestamp;

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
