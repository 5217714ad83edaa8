//! The alerts as what takes observations.

use std::collections::HashSet;

use super::Observer;
use crate::engine::Alerting;
use crate::text::Teller;
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

/// Tells whether an alert is what conditions and templates see as `ctx.alert`: OpenSearch knows no pending
/// ones and none without data.
pub(crate) fn is_live(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Active | AlertState::Acknowledged | AlertState::Error)
}
