//! The history: every evaluation, word of a person or passing hour that changed anything.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::labels;
use crate::alert::{AlertState, Change, NoticeKind};
use crate::observation::SourceId;
use pampero_series::Labels;

/// Most changes that one entry lists.
pub(crate) const CHANGES_MAX: usize = 1_000;

/// One entry of the history.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// Counts up; 0 before it is kept.
    #[serde(skip)]
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The source.
    pub source: SourceId,
    /// What led to it.
    pub cause: HistoryCause,
    /// Why the evaluation failed; `None` when it did not.
    pub error: Option<String>,
    /// The value of the first finding; `None` where there is none.
    pub value: Option<f64>,
    /// What became different; the first thousand at most.
    pub changes: Vec<HistoryChange>,
    /// How many changes there were.
    pub change_count: usize,
    /// What was told.
    pub messages: Vec<HistoryMessage>,
    /// How many messages the throttle held back.
    pub throttled: u64,
    /// What else is to be said, as that a template could not be rendered.
    pub remarks: Vec<String>,
    /// What the query answered, as JSON, cut at a limit; `None` where there is none.
    #[serde(skip)]
    pub answer: Option<String>,
}

/// What led to an entry.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryCause {
    /// An evaluation.
    Evaluation,
    /// An evaluation that found no data.
    NoData,
    /// An evaluation that failed.
    Failure,
    /// Time that passed: a reminder, an escalation, the end of a throttle or of a mute.
    Time,
    /// Somebody acknowledged.
    Acknowledged,
    /// The definition is gone.
    Removed,
}

/// One change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HistoryChange {
    /// The id of the alert.
    pub alert: String,
    /// What tells it from other alerts of the source.
    #[serde(with = "labels")]
    pub key: Labels,
    /// The state before; `None` when there was no alert.
    pub before: Option<AlertState>,
    /// The state afterwards.
    pub after: AlertState,
    /// The value; `None` where there is none.
    pub value: Option<f64>,
}

/// One message that was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HistoryMessage {
    /// Its key, by which the outbox knows what became of it.
    pub key: String,
    /// The channel.
    pub channel: String,
    /// The action.
    pub action: String,
    /// Why.
    pub kind: NoticeKind,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl From<&Change> for HistoryChange {
    fn from(change: &Change) -> Self {
        let alert = &change.alert;
        Self {
            alert: alert.id.clone(),
            key: alert.key.clone(),
            before: change.before,
            after: alert.state,
            value: alert.value,
        }
    }
}
