//! A ledger that lives as long as the process, for tests and simulators.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use crate::{LedgerError, QuotaLedger, QuotaUsage, QuotaWindow};

/// Keeps quota counts in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    newest: Mutex<HashMap<(String, QuotaWindow), QuotaUsage>>,
}

#[async_trait]
impl QuotaLedger for MemoryLedger {
    async fn load(&self, service: &str) -> Result<Vec<QuotaUsage>, LedgerError> {
        let newest = self.newest.lock().expect("no code panics while it holds the ledger");
        let own = newest.iter().filter(|((owner, _), _)| owner == service);
        Ok(own.map(|(_, usage)| *usage).collect())
    }

    async fn save(&self, service: &str, usage: &[QuotaUsage]) -> Result<(), LedgerError> {
        let mut newest = self.newest.lock().expect("no code panics while it holds the ledger");
        for given in usage {
            let kept = newest.entry((service.to_owned(), given.window)).or_insert(*given);
            if (kept.started_at, kept.used) < (given.started_at, given.used) {
                *kept = *given;
            }
        }
        Ok(())
    }
}
