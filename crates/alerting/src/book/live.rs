//! An alert that is not over, with what was told of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AckRefusal, Step};
use crate::alert::{Alert, AlertState, Change};
use crate::policy::Policy;

/// An alert with what was told of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Live {
    pub(crate) alert: Alert,
    /// By action: what was told through it, or what the throttle holds back.
    pub(crate) told: Vec<Told>,
    /// Since when the condition does not hold any more, while it goes on firing.
    pub(crate) absent_since: Option<Timestamp>,
    /// The evaluation that mentioned it last.
    #[serde(skip)]
    pub(crate) round: u64,
    /// Whether the store has to keep it.
    #[serde(skip)]
    pub(crate) is_dirty: bool,
    /// Whether a mute held for it when that was looked at last.
    #[serde(skip)]
    pub(crate) is_muted: bool,
}

/// What was told of an alert through an action.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Told {
    pub(crate) action: Box<str>,
    /// When it was told last; `None` while the throttle holds it back.
    pub(crate) at: Option<Timestamp>,
}

/// What is kept of an action of a source, over all of its alerts.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct ActionState {
    pub(crate) channel: String,
    /// When it was told last that something fired.
    pub(crate) fired: Option<Timestamp>,
    /// When it was told last that something cannot be told.
    pub(crate) troubled: Option<Timestamp>,
    /// How many messages were held back since then.
    pub(crate) throttled: u64,
}

/// What is kept of a source besides its alerts.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct SavedSource {
    pub(crate) actions: BTreeMap<String, ActionState>,
    pub(crate) ended: Vec<Live>,
}

impl Live {
    /// Opens the page of an alert.
    pub(crate) fn open(alert: Alert, round: u64, step: &mut Step) -> Self {
        step.changes.push(Change { before: None, alert: alert.clone() });
        let (told, absent_since) = (Vec::new(), None);
        Self { alert, told, absent_since, round, is_dirty: true, is_muted: false }
    }

    /// Gives it another state.
    pub(crate) fn change(&mut self, state: AlertState, step: &mut Step) {
        let before = std::mem::replace(&mut self.alert.state, state);
        self.alert.version += 1;
        self.is_dirty = true;
        step.changes.push(Change { before: Some(before), alert: self.alert.clone() });
    }

    /// Takes over what the definition calls it now.
    pub(crate) fn rename(&mut self, policy: &Policy) {
        let alert = &mut self.alert;
        let is_same = alert.name == policy.name
            && alert.definition_name == policy.definition_name
            && alert.severity == policy.severity;
        if !is_same {
            alert.name.clone_from(&policy.name);
            alert.definition_name.clone_from(&policy.definition_name);
            alert.severity = policy.severity;
            self.is_dirty = true;
        }
    }

    pub(crate) fn acknowledge(
        &mut self,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<(), AckRefusal> {
        match self.alert.state {
            AlertState::Active => {
                self.alert.acknowledged = Some(now);
                self.change(AlertState::Acknowledged, step);
                self.is_dirty = false;
                step.rows.live.push(self.clone());
                Ok(())
            }
            AlertState::Acknowledged => Err(AckRefusal::Acknowledged),
            AlertState::Pending => Err(AckRefusal::Pending),
            AlertState::Error | AlertState::NoData => Err(AckRefusal::Error),
            AlertState::Completed | AlertState::Deleted => Err(AckRefusal::Completed),
        }
    }

    /// Returns whether it is active, acknowledged or not.
    pub(crate) fn is_firing(&self) -> bool {
        matches!(self.alert.state, AlertState::Active | AlertState::Acknowledged)
    }

    /// Returns what was told through an action; `None` when nothing was and nothing is held back.
    pub(crate) fn told_by(&self, action: &str) -> Option<&Told> {
        self.told.iter().find(|told| &*told.action == action)
    }

    /// Returns when it was told through an action last; `None` when it was not.
    pub(crate) fn told_at(&self, action: &str) -> Option<Timestamp> {
        self.told_by(action)?.at
    }

    /// Notes what was told through an action, or that it is held back.
    pub(crate) fn note(&mut self, action: &str, at: Option<Timestamp>) {
        self.is_dirty = true;
        if at.is_some() {
            self.alert.told = at;
        }
        match self.told.iter_mut().find(|told| &*told.action == action) {
            Some(told) => told.at = at,
            None => self.told.push(Told { action: action.into(), at }),
        }
    }

    /// Returns whether anything was told of it at all.
    pub(crate) fn was_told(&self) -> bool {
        self.told.iter().any(|told| told.at.is_some())
    }
}
