//! What a step of the book leads to: messages in the outbox, an entry of the history, one transaction.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Core, Inner, Observed, answer, compose, messages};
use crate::alert::{Change, NoticeKind};
use crate::book::Step;
use crate::history::{CHANGES_MAX, HistoryCause, HistoryChange, HistoryEntry, HistoryMessage};
use crate::observation::{Observation, Outcome, SourceId};
use crate::outbox::Posted;
use crate::store::Batch;
use crate::text::Teller;

impl Inner {
    /// Makes the messages of a step, and keeps all of it.
    pub(super) fn take_step(
        &self,
        core: &mut Core,
        source: &SourceId,
        step: Step,
        cause: HistoryCause,
        observation: &Observation,
        teller: &dyn Teller,
    ) -> Observed {
        if step.ignored > 0 {
            let (source, ignored) = (source.to_string(), step.ignored);
            tracing::warn!(
                source,
                ignored,
                "a source has too many alerts, and further ones are ignored"
            );
        }
        if step.is_empty() {
            return Observed::default();
        }
        core.statistics.throttled += step.throttled;
        let mut entry = entry(source, observation.at, cause);
        note_changes(&mut entry, &step.changes);
        entry.throttled = step.throttled;
        if let Outcome::Failed(error) = &observation.outcome {
            entry.error = Some(crate::text::cut(error.clone(), 2_000));
        }
        if let Outcome::Known(findings) = &observation.outcome {
            entry.value = findings.iter().find_map(|finding| finding.value);
        }
        let mut batch = Batch::default();
        let forgetful = self.deliver.forgetful();
        let policy = core.book.policy(source).cloned();
        for notice in &step.notices {
            let (message, remark) =
                compose::message(notice, policy.as_deref(), observation, teller, &self.words);
            entry.remarks.extend(remark);
            // What only keeps a forgetful receiver from forgetting is no event.
            let is_event =
                notice.kind != NoticeKind::Reminder || !forgetful.contains(&notice.channel);
            if is_event {
                entry.messages.push(HistoryMessage {
                    key: message.key.clone(),
                    channel: notice.channel.clone(),
                    action: notice.action.clone(),
                    kind: notice.kind,
                    subject: message.subject.clone(),
                    text: message.text.clone(),
                });
            }
            let posted = Posted {
                channel: notice.channel.clone(),
                action: notice.action.clone(),
                source: source.to_string(),
                message,
                made: self.clock.now(),
            };
            let writes = core.outbox.push(posted, &self.words);
            core.statistics.folded += writes.folded;
            messages::add_writes(&mut batch, writes);
        }
        let observed = Observed {
            changes: step.changes,
            messages: entry.messages.clone(),
            throttled: entry.throttled,
            remarks: entry.remarks.clone(),
        };
        let has_happened =
            entry.change_count > 0 || !entry.messages.is_empty() || entry.throttled > 0;
        if has_happened {
            let answer = observation.answer.as_deref();
            let bytes_max = self.options.answer_bytes_max;
            entry.answer = answer.map(|answer| answer::reduced(answer, bytes_max));
            batch.history.push(entry);
        }
        batch.rows.push(step.rows);
        let is_told = !step.notices.is_empty();
        self.keep(core, batch);
        if is_told {
            self.wake.notify_one();
        }
        observed
    }

    /// Remembers what the query answered while there are alerts that may be told of later.
    pub(super) fn remember_answer(
        &self,
        core: &mut Core,
        source: &SourceId,
        observation: &Observation,
    ) {
        let has_alerts = core.book.alerts_of(source).next().is_some();
        let answer = observation
            .answer
            .as_ref()
            .filter(|answer| has_alerts && answer::fits(answer, self.options.answer_bytes_max));
        match answer {
            Some(answer) => {
                core.answers.insert(source.clone(), Arc::clone(answer));
            }
            None => {
                core.answers.remove(source);
            }
        }
    }
}

pub(super) fn entry(source: &SourceId, at: Timestamp, cause: HistoryCause) -> HistoryEntry {
    HistoryEntry {
        id: 0,
        at,
        source: source.clone(),
        cause,
        error: None,
        value: None,
        changes: Vec::new(),
        change_count: 0,
        messages: Vec::new(),
        throttled: 0,
        remarks: Vec::new(),
        answer: None,
    }
}

pub(super) fn note_changes(entry: &mut HistoryEntry, changes: &[Change]) {
    entry.change_count = changes.len();
    entry.changes = changes.iter().take(CHANGES_MAX).map(HistoryChange::from).collect();
}
