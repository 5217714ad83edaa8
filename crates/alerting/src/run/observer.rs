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
        let is_live = |alert: &Alert| {
            matches!(alert.state, AlertState::Active | AlertState::Acknowledged | AlertState::Error)
        };
        self.alerts_of(source).into_iter().find(is_live)
    }

    fn keep_only(&self, kind: SourceKind, sources: &HashSet<SourceId>) {
        self.retain_sources(|source| source.kind != kind || sources.contains(source));
    }
}
