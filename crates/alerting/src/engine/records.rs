//! What actions did.

use super::Alerting;
use crate::book::ActionRecord;
use crate::observation::SourceId;

impl Alerting {
    /// Returns what the actions of a source did, by their ids, those of escalations included; empty when it
    /// was never evaluated.
    pub fn action_records(&self, source: &SourceId) -> Vec<ActionRecord> {
        self.0.lock().book.action_records(source)
    }
}
