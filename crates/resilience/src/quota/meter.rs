//! Charges units against the allowances, in memory and in the ledger.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;

use crate::{LedgerError, QuotaLedger, QuotaLimit, QuotaState, QuotaUsage, QuotaWindow};

/// A ledger that takes longer counts as not available, so that it cannot hold up the calls.
const LEDGER_WAIT_MAX: Duration = Duration::from_secs(5);

/// The allowances of one service.
pub(crate) struct QuotaMeter {
    service: String,
    ledger: Arc<dyn QuotaLedger>,
    tallies: Mutex<Vec<Tally>>,
    ledger_failed: AtomicBool,
}

/// One allowance and what is used of it.
#[derive(Clone, Copy, Debug)]
struct Tally {
    limit: QuotaLimit,
    usage: QuotaUsage,
    /// Somebody was told that this window is used up.
    told: bool,
}

/// An allowance has no room for a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Exhausted {
    pub(crate) state: QuotaState,
    pub(crate) refused_at: Timestamp,
    /// Nobody was told yet of this window.
    pub(crate) is_news: bool,
}

impl QuotaMeter {
    /// Loads the counts of the windows that are not over.
    pub(crate) async fn open(
        service: &str,
        limits: &[QuotaLimit],
        ledger: Arc<dyn QuotaLedger>,
        now: Timestamp,
    ) -> Result<Self, LedgerError> {
        let recorded = if limits.is_empty() { Vec::new() } else { ledger.load(service).await? };
        let tallies = limits.iter().map(|limit| {
            let kept = recorded.iter().find(|usage| usage.window == limit.window);
            let mut tally = Tally::fresh(*limit, now);
            if let Some(kept) = kept {
                tally.usage = *kept;
            }
            tally
        });
        Ok(Self {
            service: service.to_owned(),
            ledger,
            tallies: Mutex::new(tallies.collect()),
            ledger_failed: AtomicBool::new(false),
        })
    }

    /// Returns what is used of each allowance at `now`; changes nothing.
    pub(crate) fn states(&self, now: Timestamp) -> Vec<QuotaState> {
        let at_present = |tally: &Tally| {
            let mut tally = *tally;
            tally.turn_over(now);
            tally.state()
        };
        self.lock().iter().map(at_present).collect()
    }

    /// Takes `cost` units from every allowance, or from none.
    ///
    /// Returns the counts to be put on record; empty when there is nothing to record.
    pub(crate) fn charge(&self, cost: u32, now: Timestamp) -> Result<Vec<QuotaUsage>, Exhausted> {
        let cost = u64::from(cost);
        let mut tallies = self.lock();
        tallies.iter_mut().for_each(|tally| tally.turn_over(now));
        let full = tallies.iter_mut().filter(|tally| !tally.has_room(cost));
        if let Some(tally) = full.max_by_key(|tally| tally.state().resets_at) {
            let is_news = !std::mem::replace(&mut tally.told, true);
            return Err(Exhausted { state: tally.state(), refused_at: now, is_news });
        }
        if cost == 0 {
            return Ok(Vec::new());
        }
        tallies.iter_mut().for_each(|tally| tally.usage.used += cost);
        Ok(tallies.iter().map(|tally| tally.usage).collect())
    }

    /// Puts the counts on record; returns the failure if it is one, and whether it is the first.
    pub(crate) async fn record(&self, usage: &[QuotaUsage]) -> Result<(), (LedgerError, bool)> {
        let saved = self.ledger.save(&self.service, usage);
        let saved = tokio::time::timeout(LEDGER_WAIT_MAX, saved).await;
        let saved = saved.unwrap_or_else(|_| Err(LedgerError(TOO_SLOW.into())));
        let failed_before = self.ledger_failed.swap(saved.is_err(), Relaxed);
        saved.map_err(|error| (error, !failed_before))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Tally>> {
        self.tallies.lock().expect("no code panics while it holds the counts")
    }
}

const TOO_SLOW: &str = "it did not answer within 5 s";

impl Tally {
    fn fresh(limit: QuotaLimit, now: Timestamp) -> Self {
        let window = limit.window;
        let usage = QuotaUsage { window, started_at: window.start_of(now), used: 0 };
        Self { limit, usage, told: false }
    }

    /// Begins a new window when the old one is over.
    ///
    /// A clock that was set back finds the window still to come and goes on counting in it.
    fn turn_over(&mut self, now: Timestamp) {
        if self.state().resets_at <= now {
            *self = Self::fresh(self.limit, now);
        }
    }

    fn has_room(&self, cost: u64) -> bool {
        cost == 0 || self.usage.used.saturating_add(cost) <= self.limit.units
    }

    fn state(&self) -> QuotaState {
        let window: QuotaWindow = self.limit.window;
        QuotaState {
            window,
            started_at: self.usage.started_at,
            resets_at: window.end_of(self.usage.started_at),
            used: self.usage.used,
            limit: self.limit.units,
        }
    }
}
