//! Alerts: what watches the logs and the metrics, what state that is in, and who is told.
//!
//! A *monitor* asks the logs on a schedule (OpenSearch Alerting), a *rule* asks the metrics (Prometheus);
//! both give an [`Observation`] for each evaluation. The book of alerts (`book`) turns observations into
//! changes and notices, which are kept together with the messages they make (`store`), and messages are
//! delivered from there (`delivery`). Knows no weather, no indices and no samples: logs are searched
//! through [`LogSearch`]. Start reading at [`Observation`], then `book`.

mod alert;
mod backtest;
mod book;
mod definitions;
mod delivery;
mod engine;
mod history;
mod metrics;
mod monitor;
mod mute;
mod observation;
mod outbox;
mod policy;
pub mod rest;
mod run;
mod schedule;
mod search;
mod store;
mod text;

pub use alert::{Alert, AlertState, Change, Notice, NoticeKind};
pub use backtest::{
    Backtest, BacktestError, BacktestOptions, Firing, ToldMessage, backtest, backtest_observations,
};
pub use book::{AckRefusal, Acknowledged, ActionRecord, AlertCounts, Book, BookLimits, Step};
pub use definitions::{
    ChannelEntry, DefinitionError, Definitions, DefinitionsOptions, Deleted, Entry, MonitorEntry,
    Problem, VersionCheck,
};
pub use delivery::{Channels, Deliver, Manner, Post, Receiver};
pub use engine::{
    AlertPage, AlertStatistics, Alerting, AlertingOptions, ChannelStatistics, Observed, TestError,
};
pub use history::{HistoryCause, HistoryChange, HistoryEntry, HistoryMessage};
pub use metrics::AlertMetrics;
pub use monitor::{
    Action, Extension, Monitor, MonitorError, MonitorErrorKind, MonitorTeller, RenderedSearch,
    SearchInput, StoredFacts, Told, Trigger, TriggerExtension,
};
pub use mute::{Day, Mute, MuteError, MuteWindow, Mutes, MutesNow, matcher};
pub use observation::{Finding, Observation, Outcome, Phase, SourceId, SourceKind};
pub use outbox::{MessageState, OutboxRow, SourceTally, Tally, Waiting};
pub use policy::{ActionPolicy, Escalation, NoDataRule, Policy};
pub use run::{
    ActionRun, Execution, MonitorTellers, Observer, RunOptions, RunStatus, Runner, TriggerRun,
};
pub use schedule::{Cron, Interval, Schedule, Unit};
pub use search::LogSearch;
pub use store::{AlertFilter, AlertSort, HistoryFilter, MessageFilter, StoreError};
pub use text::{DefaultTeller, Teller, Tellers, Words};
