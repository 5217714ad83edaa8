//! What the actions of a source did.

use jiff::Timestamp;

use super::Book;
use crate::observation::SourceId;

/// What an action did, over all alerts of its source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionRecord {
    /// Its id; for an escalation `escalation-1` and so on.
    pub id: String,
    /// When it told last that something fired or cannot be told; `None` before.
    pub last: Option<Timestamp>,
    /// How many messages the throttle held back since then.
    pub throttled: u64,
}

impl Book {
    /// Returns what the actions of a source did, by their ids.
    pub(crate) fn action_records(&self, source: &SourceId) -> Vec<ActionRecord> {
        let actions = self.sources.get(source).into_iter().flat_map(|state| &state.actions);
        let record = actions.map(|(id, action)| ActionRecord {
            id: id.clone(),
            last: action.fired.max(action.troubled),
            throttled: action.throttled,
        });
        record.collect()
    }
}
