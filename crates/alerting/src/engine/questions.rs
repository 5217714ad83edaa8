//! What people ask.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, TryLockError};

use jiff::Timestamp;
use pampero_series::Labels;

use super::{AlertStatistics, Alerting};
use crate::alert::{Alert, AlertState};
use crate::history::HistoryEntry;
use crate::mute::{Mute, labels_of};
use crate::observation::SourceId;
use crate::outbox::OutboxRow;
use crate::store::{AlertFilter, AlertSort, HistoryFilter, StoreError};

/// A page of alerts.
#[derive(Clone, Debug, Default)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// How many there are on all pages.
    pub total: usize,
}

impl Alerting {
    /// Returns alerts, those that are over included as far as they are kept. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<AlertPage, StoreError> {
        let core = self.0.lock();
        let mut found: Vec<Alert> =
            core.book.alerts().filter(|alert| is_wanted(alert, filter)).cloned().collect();
        let over = [AlertState::Completed, AlertState::Deleted];
        if filter.states.is_empty() || over.iter().any(|state| filter.states.contains(state)) {
            let finished = core.store.finished(filter, self.0.options.finished_max)?;
            found.extend(finished.into_iter().filter(|alert| is_wanted(alert, filter)));
        }
        drop(core);
        found.sort_by(|a, b| {
            let order = order(a, b, filter.sort);
            let order = if filter.is_descending { order.reverse() } else { order };
            order.then_with(|| a.id.cmp(&b.id))
        });
        let total = found.len();
        let alerts = found.into_iter().skip(filter.offset).take(filter.limit).collect();
        Ok(AlertPage { alerts, total })
    }

    /// Returns the alerts of a source that are not over, those of the longest duration first.
    pub fn alerts_of(&self, source: &SourceId) -> Vec<Alert> {
        let core = self.0.lock();
        let mut found: Vec<Alert> = core.book.alerts_of(source).cloned().collect();
        drop(core);
        found.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.key.cmp(&b.key)));
        found
    }

    /// Returns an alert, one that is over included; `None` when there is none of this id. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn alert(&self, id: &str) -> Result<Option<Alert>, StoreError> {
        let core = self.0.lock();
        match core.book.alerts().find(|alert| alert.id == id) {
            Some(alert) => Ok(Some(alert.clone())),
            None => core.store.finished_by_id(id),
        }
    }

    /// Returns for each of these alerts all its labels, and the ids of the mutes that hold for it now;
    /// for one that is over no mute holds.
    pub fn labels_and_mutes(&self, alerts: &[Alert]) -> Vec<(Labels, Vec<String>)> {
        let core = self.0.lock();
        let now = core.mutes.at(self.0.clock.now());
        let of_one = |alert: &Alert| {
            let policy = core.book.policy(&alert.source).map(|policy| &**policy);
            let mutes = if alert.ended.is_none() { now.ids(alert, policy) } else { Vec::new() };
            (labels_of(alert, policy), mutes)
        };
        alerts.iter().map(of_one).collect()
    }

    /// Returns in which states the alerts of each source are that are not over; sources without any are
    /// left out.
    pub fn live_states(&self) -> HashMap<SourceId, Vec<AlertState>> {
        let core = self.0.lock();
        let mut states: HashMap<SourceId, Vec<AlertState>> = HashMap::new();
        for alert in core.book.alerts() {
            match states.get_mut(&alert.source) {
                Some(of_source) => of_source.push(alert.state),
                None => {
                    states.insert(alert.source.clone(), vec![alert.state]);
                }
            }
        }
        states
    }

    /// Returns the sources that have been evaluated or have alerts, in their order.
    pub fn sources(&self) -> Vec<SourceId> {
        let mut sources: Vec<SourceId> = self.0.lock().book.sources().cloned().collect();
        sources.sort_unstable();
        sources
    }

    /// Returns entries of the history, the newest first. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, StoreError> {
        self.0.lock().store.history(filter)
    }

    /// Returns the messages that wait, in the order in which they were made.
    pub fn outbox(&self) -> Vec<OutboxRow> {
        self.0.lock().outbox.rows()
    }

    /// Returns the mutes, in the order in which they were made.
    pub fn mutes(&self) -> Vec<Mute> {
        self.0.lock().mutes.all().to_vec()
    }

    /// Returns the time by the clock of the alerts.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns what is counted, as it was seen last while the alerts are being written: whoever shows metrics
    /// must not wait for a disk.
    pub fn statistics(&self) -> AlertStatistics {
        let inner = &*self.0;
        let core = match inner.core.try_lock() {
            Ok(core) => core,
            Err(TryLockError::Poisoned(core)) => core.into_inner(),
            Err(TryLockError::WouldBlock) => return AlertStatistics::clone(&inner.seen.load()),
        };
        let mut statistics = core.statistics.clone();
        statistics.alerts = core.book.counts();
        statistics.waiting = core.outbox.waiting();
        statistics.is_kept = core.backlog.is_none();
        drop(core);
        inner.seen.store(Arc::new(statistics.clone()));
        statistics
    }
}

fn is_wanted(alert: &Alert, filter: &AlertFilter) -> bool {
    let text = filter.text.to_lowercase();
    filter.kind.is_none_or(|kind| alert.source.kind == kind)
        && filter.definition.as_ref().is_none_or(|id| alert.source.definition == *id)
        && filter.trigger.as_ref().is_none_or(|id| alert.source.trigger == *id)
        && (filter.states.is_empty() || filter.states.contains(&alert.state))
        && filter.severity.is_none_or(|severity| alert.severity == severity)
        && (text.is_empty()
            || alert.name.to_lowercase().contains(&text)
            || alert.definition_name.to_lowercase().contains(&text)
            || alert.key.iter().any(|(_, value)| value.to_lowercase().contains(&text)))
}

fn order(a: &Alert, b: &Alert, sort: AlertSort) -> Ordering {
    let begun = |alert: &Alert| alert.started.unwrap_or(alert.since);
    match sort {
        AlertSort::Definition => a.definition_name.cmp(&b.definition_name),
        AlertSort::Name => a.name.cmp(&b.name),
        AlertSort::Start => begun(a).cmp(&begun(b)),
        AlertSort::End => match (a.ended, b.ended) {
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        },
        AlertSort::Told => a.told.cmp(&b.told),
        AlertSort::Severity => a.severity.cmp(&b.severity),
        AlertSort::State => (a.state as u8).cmp(&(b.state as u8)),
    }
}
