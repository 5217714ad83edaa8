//! A monitor: a search on a schedule, triggers with conditions over its answer, and actions.
//!
//! The form is that of OpenSearch's per-query monitors, read whole and checked at once, so that what can be
//! saved can be run: conditions and templates are parsed, and the body of the search is read as a search
//! would read it. What OpenSearch does not have stands under `pampero`. Reading lies in `read`, writing in
//! `write`, what an action says in `tell`.

mod action;
mod error;
mod extension;
pub(crate) mod place;
mod read;
mod search_input;
pub(crate) mod tell;
mod trigger;
mod write;

use std::time::Duration;

use pampero_series::Labels;
use serde_json::{Map, Value};

use crate::Policy;
use crate::policy::ActionPolicy;
use crate::schedule::Schedule;

pub use action::Action;
pub use error::{MonitorError, MonitorErrorKind};
pub use extension::{Extension, TriggerExtension};
pub use search_input::{RenderedSearch, SearchInput};
pub use tell::{MonitorTeller, Told};
pub use trigger::Trigger;
pub use write::StoredFacts;

/// Most triggers of one monitor.
///
/// Source: OpenSearch Alerting, `plugins.alerting.monitor.max_triggers`.
pub(crate) const TRIGGERS_MAX: usize = 10;

/// A per-query monitor that was checked.
#[derive(Clone, Debug)]
pub struct Monitor {
    name: String,
    is_enabled: bool,
    schedule: Schedule,
    input: Option<SearchInput>,
    triggers: Vec<Trigger>,
    extension: Extension,
    /// Members at the top that mean nothing here and are kept, as `ui_metadata`.
    others: Map<String, Value>,
}

impl Monitor {
    /// Reads a monitor in OpenSearch's form. Ids that are missing are made up by chance.
    ///
    /// # Errors
    /// The first thing that is wrong, in OpenSearch's words where it has any.
    pub fn from_json(document: &Value) -> Result<Self, MonitorError> {
        read::monitor(document)
    }

    /// Returns what people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it runs.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Returns when it runs.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Returns what it searches; `None` for a monitor without input, whose results are empty.
    pub fn input(&self) -> Option<&SearchInput> {
        self.input.as_ref()
    }

    /// Returns its triggers, each id once.
    pub fn triggers(&self) -> &[Trigger] {
        &self.triggers
    }

    /// Returns the trigger of that id.
    pub fn trigger(&self, id: &str) -> Option<&Trigger> {
        self.triggers.iter().find(|trigger| trigger.id == id)
    }

    /// Returns what stands under `pampero`.
    pub fn extension(&self) -> &Extension {
        &self.extension
    }

    /// Returns the field that tells the time of documents: as `pampero.time_field` says, or that of the
    /// first range of the query with a bound in the present. `None` when neither is there.
    pub fn time_field(&self) -> Option<&str> {
        let searched = || self.input.as_ref().and_then(SearchInput::time_field);
        self.extension.time_field.as_deref().or_else(searched)
    }

    /// Returns what is done about the findings of a trigger.
    pub fn policy(&self, trigger: &Trigger) -> Policy {
        let extension = self.extension.triggers.get(&trigger.id).cloned().unwrap_or_default();
        Policy {
            definition_name: self.name.clone(),
            name: trigger.name.clone(),
            severity: trigger.severity,
            labels: Labels::empty(),
            hold: extension.hold,
            keep_firing: extension.keep_firing,
            no_data: self.extension.no_data,
            actions: trigger.actions.iter().map(action_policy).collect(),
            reminder: extension.reminder,
            recovery: extension.recovery,
            escalations: extension.escalations,
        }
    }
}

fn action_policy(action: &Action) -> ActionPolicy {
    let throttle = action.throttle_minutes.filter(|_| action.is_throttled);
    ActionPolicy {
        id: action.id.clone(),
        name: action.name.clone(),
        channel: action.destination_id.clone(),
        throttle: throttle.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
    }
}

#[cfg(test)]
mod tests;
