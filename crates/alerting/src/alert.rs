//! An alert: one group of one source, from the moment it is noticed until it is over.

use std::time::Duration;

use jiff::Timestamp;
use pampero_series::Labels;
use serde::{Deserialize, Serialize};

use crate::observation::SourceId;

/// The state of an alert.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The condition holds, and not for long enough.
    Pending,
    /// It holds.
    Active,
    /// It holds, and somebody knows.
    Acknowledged,
    /// It is over. One without a start was pending only, or was an error or a lack of data.
    Completed,
    /// The evaluation fails, so that it cannot be told.
    Error,
    /// There are no data, so that it cannot be told.
    NoData,
    /// Its monitor or rule is gone.
    Deleted,
}

/// One group of one source, from the moment it is noticed until it is over.
///
/// While nothing is the matter there is no alert, which is the state called inactive.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Alert {
    /// Its id: letters, digits, `-`, `_`.
    pub id: String,
    /// How often it was changed, from 1.
    pub version: u64,
    /// Where it comes from.
    pub source: SourceId,
    /// What tells it from other alerts of the same source; empty for those of monitors.
    #[serde(with = "crate::alert::labels")]
    pub key: Labels,
    /// The name of the monitor, or of the group of the rule.
    pub definition_name: String,
    /// The name of the trigger, or of the rule.
    pub name: String,
    /// From 1, the highest, to 5.
    pub severity: u8,
    /// The state.
    pub state: AlertState,
    /// When the condition began to hold, or the trouble began.
    pub since: Timestamp,
    /// When it became active; `None` before, and for what cannot be told: an error, or no data.
    pub started: Option<Timestamp>,
    /// When it was over; `None` before.
    pub ended: Option<Timestamp>,
    /// When somebody acknowledged it; `None` before.
    pub acknowledged: Option<Timestamp>,
    /// When it was seen last.
    pub seen: Timestamp,
    /// When a message of it was made last; `None` before.
    pub told: Option<Timestamp>,
    /// The value of the last evaluation; `None` where there is none.
    pub value: Option<f64>,
    /// Why the evaluation fails; `None` when it does not.
    pub error: Option<String>,
    /// What is said of it, as `summary`.
    pub annotations: Vec<(String, String)>,
}

/// What an evaluation, a person or the passage of time changed of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The state before; `None` when there was no alert.
    pub before: Option<AlertState>,
    /// The alert afterwards.
    pub alert: Alert,
}

/// That somebody is to be told something: one message for all groups of a source that share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Why.
    pub kind: NoticeKind,
    /// The action through which; for an escalation it has the id `escalation-1` and so on.
    pub action: String,
    /// The channel.
    pub channel: String,
    /// The alerts that it tells of; the first hundred at most, those of the longest duration first.
    pub alerts: Vec<Alert>,
    /// How many alerts it tells of.
    pub count: usize,
    /// How many alerts of the source are active altogether.
    pub active_count: usize,
    /// How many of those were told through this action before or are told now, and are not over: the end
    /// of an incident is reached when there are none.
    pub open_count: usize,
    /// When the first of them began.
    pub since: Timestamp,
    /// How long the longest lasted, or lasts until now.
    pub lasted: Duration,
    /// When it was decided.
    pub at: Timestamp,
    /// How many messages were held back by the throttle since the last one.
    pub throttled: u64,
}

/// Why somebody is told.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Alerts became active.
    Fired,
    /// They are still active.
    Reminder,
    /// They are still active, and nobody acknowledged them.
    Escalated,
    /// They are over.
    Recovered,
    /// It cannot be told: no data.
    NoData,
    /// It cannot be told: the evaluation fails.
    Failed,
}

/// Labels as an object.
pub(crate) mod labels {
    use std::collections::BTreeMap;

    use pampero_series::Labels;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(labels.iter())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Labels, D::Error> {
        let pairs = BTreeMap::<String, String>::deserialize(from)?;
        Ok(pairs.iter().collect())
    }
}
