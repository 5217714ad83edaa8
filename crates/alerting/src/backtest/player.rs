//! Enters observations into a book of its own, and writes down what comes of them.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Backtest, BacktestError, Firing, ToldMessage};
use crate::book::{Book, BookLimits};
use crate::mute::Mutes;
use crate::run::is_live;
use crate::text::{Teller, Words};
use crate::{Alert, AlertState, Change, Notice, Observation, Outcome, Policy, SourceId};

/// A book and what was written down.
pub(super) struct Player<'w> {
    words: &'w Words,
    listed_max: usize,
    book: Book,
    mutes: Mutes,
    /// Where the firings of live alerts are listed, by the ids of the alerts.
    open: HashMap<String, usize>,
    found: Backtest,
}

impl<'w> Player<'w> {
    pub(super) fn new(words: &'w Words, listed_max: usize) -> Self {
        Self {
            words,
            listed_max,
            book: Book::new(BookLimits::default()),
            mutes: Mutes::new(Vec::new()),
            open: HashMap::new(),
            found: Backtest::default(),
        }
    }

    pub(super) fn evaluations(&self) -> usize {
        self.found.evaluations
    }

    pub(super) fn begin_evaluation(&mut self) {
        self.found.evaluations += 1;
    }

    pub(super) fn stop(&mut self, reason: String, at: Timestamp) {
        self.found.stopped = Some(format!("{reason}; it ends before {at}"));
    }

    pub(super) fn finish(self) -> Backtest {
        self.found
    }

    pub(super) fn live_alert(&self, source: &SourceId) -> Option<Alert> {
        self.book.alerts_of(source).find(|alert| is_live(alert)).cloned()
    }

    pub(super) fn observe(
        &mut self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        teller: &dyn Teller,
    ) {
        let step = self.book.observe(source, policy, observation, &self.mutes);
        for change in &step.changes {
            self.note_change(change, observation.at);
        }
        self.note_values(source, observation);
        for notice in &step.notices {
            self.note_message(source, notice, observation, teller);
        }
    }

    fn note_change(&mut self, change: &Change, at: Timestamp) {
        let alert = &change.alert;
        match alert.state {
            AlertState::Active if !self.open.contains_key(&alert.id) => {
                self.found.count += 1;
                if self.found.firings.len() < self.listed_max {
                    self.open.insert(alert.id.clone(), self.found.firings.len());
                    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
                    self.found.firings.push(Firing {
                        trigger: alert.source.trigger.clone(),
                        key: alert.key.iter().map(pair).collect(),
                        start: at,
                        end: None,
                        peak: alert.value,
                    });
                }
            }
            AlertState::Completed | AlertState::Deleted => {
                if let Some(place) = self.open.remove(&alert.id) {
                    self.found.firings[place].end = Some(alert.ended.unwrap_or(at));
                }
            }
            _ => {}
        }
    }

    /// Raises the peaks of what goes on.
    fn note_values(&mut self, source: &SourceId, observation: &Observation) {
        let Outcome::Known(findings) = &observation.outcome else { return };
        if self.open.is_empty() || findings.iter().all(|finding| finding.value.is_none()) {
            return;
        }
        let live: HashMap<_, _> =
            self.book.alerts_of(source).map(|alert| (&alert.key, &alert.id)).collect();
        for finding in findings {
            let place = live.get(&finding.key).and_then(|id| self.open.get(*id));
            if let (Some(place), Some(value)) = (place, finding.value) {
                let firing = &mut self.found.firings[*place];
                firing.peak = Some(firing.peak.map_or(value, |peak| peak.max(value)));
            }
        }
    }

    fn note_message(
        &mut self,
        source: &SourceId,
        notice: &Notice,
        observation: &Observation,
        teller: &dyn Teller,
    ) {
        self.found.message_count += 1;
        let (subject, text) = match teller.message(notice, observation) {
            Ok(Some(told)) => told,
            Ok(None) => self.words.message(notice, observation),
            Err(reason) => {
                let reason = format!("action [{}]: {reason}", notice.action);
                self.note_error(observation.at, &source.trigger, &reason);
                self.words.message(notice, observation)
            }
        };
        if self.found.messages.len() < self.listed_max {
            self.found.messages.push(ToldMessage {
                at: notice.at,
                kind: notice.kind,
                trigger: source.trigger.clone(),
                action: notice.action.clone(),
                channel: notice.channel.clone(),
                subject,
                text,
            });
        }
    }

    /// Writes down why something cannot be told, each reason once.
    pub(super) fn note_error(&mut self, at: Timestamp, trigger: &str, reason: &str) {
        let errors = &mut self.found.errors;
        let is_same =
            |error: &&mut BacktestError| error.trigger == trigger && error.reason == reason;
        if let Some(error) = errors.iter_mut().find(is_same) {
            error.count += 1;
        } else if errors.len() < self.listed_max.min(100) {
            let (trigger, reason) = (trigger.to_owned(), reason.to_owned());
            errors.push(BacktestError { at, trigger, reason, count: 1 });
        }
    }
}
