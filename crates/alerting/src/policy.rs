//! What is done about the findings of one source.

use std::time::Duration;

use pampero_series::Labels;

/// What is done about the findings of one source.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The name of the monitor, or of the group of a rule.
    pub definition_name: String,
    /// The name of the trigger, or of the rule.
    pub name: String,
    /// From 1, the highest, to 5.
    pub severity: u8,
    /// Labels that all alerts of the source have besides their keys, for mutes and for receivers that take
    /// alerts one by one: those that a rule sets, as `severity`; empty for a monitor.
    pub labels: Labels,
    /// How long a finding must be there before it is an alert.
    pub hold: Duration,
    /// How long an alert goes on after the last finding.
    pub keep_firing: Duration,
    /// What the absence of data means.
    pub no_data: NoDataRule,
    /// Who is told, and how often at most.
    pub actions: Vec<ActionPolicy>,
    /// From one message to the next while an alert goes on; `None` for one message only.
    pub reminder: Option<Duration>,
    /// Whether the end of what was told is told.
    pub recovery: bool,
    /// Who is told besides when nobody acknowledges, in the order of the waits.
    pub escalations: Vec<Escalation>,
}

/// What the absence of data means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NoDataRule {
    /// The condition does not hold: alerts end.
    #[default]
    Quiet,
    /// A state of its own, and it is told.
    Tell,
    /// Everything stays as it is.
    Keep,
}

/// One way to tell somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ActionPolicy {
    /// Its id, different from all others of the source.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The channel.
    pub channel: String,
    /// The least time between two messages that something fired; `None` for no such limit.
    pub throttle: Option<Duration>,
}

/// Who is told besides when nobody acknowledges.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Escalation {
    /// How long after the alert began.
    pub after: Duration,
    /// The channel.
    pub channel: String,
}
