//! The alerts as what takes observations.

use std::collections::HashSet;
use std::sync::Arc;

use super::Observer;
use crate::definitions::Definitions;
use crate::engine::Alerting;
use crate::monitor::MonitorTeller;
use crate::text::{Teller, Tellers};
use crate::{Alert, AlertState, Observation, Policy, SourceId, SourceKind};

impl Observer for Alerting {
    fn observe(
        &self,
        source: &SourceId,
        policy: &Policy,
        observation: &Observation,
        teller: &dyn Teller,
    ) {
        Alerting::observe(self, source, policy, observation, teller);
    }

    fn live_alert(&self, source: &SourceId) -> Option<Alert> {
        self.alerts_of(source).into_iter().find(is_live)
    }

    fn keep_only(&self, kind: SourceKind, sources: &HashSet<SourceId>) {
        self.retain_sources(|source| source.kind != kind || sources.contains(source));
    }
}

/// Finds the words of monitors between two of their runs.
#[derive(Clone, Debug)]
pub struct MonitorTellers {
    /// The monitors.
    pub definitions: Arc<Definitions>,
}

impl Tellers for MonitorTellers {
    fn teller(&self, source: &SourceId) -> Option<Box<dyn Teller>> {
        if source.kind != SourceKind::Monitor {
            return None;
        }
        let entry = self.definitions.monitor(&source.definition)?;
        let (monitor, facts) = (Arc::clone(&entry.item), entry.facts());
        Some(Box::new(MonitorTeller { monitor, facts, trigger: source.trigger.clone() }))
    }
}

/// Tells whether an alert is what conditions and templates see as `ctx.alert`: OpenSearch knows no pending
/// ones and none without data.
pub(crate) fn is_live(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Active | AlertState::Acknowledged | AlertState::Error)
}
