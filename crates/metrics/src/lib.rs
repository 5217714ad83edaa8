//! The history of metrics: scraping, remote write and rules go in, PromQL and alerts come out.
//!
//! Knows the formats of Prometheus and no weather. Samples are kept by `pampero-samples`, queries
//! are evaluated by `pampero-promql`; here they meet. Only the wiring reads configuration and
//! starts the jobs. Start reading at [`History`].

mod history;
pub mod http;
mod jobs;
mod metadata;
mod metrics;
mod options;
mod remote_write;
mod rules;
mod schedule;
mod scrape;
mod state;
mod target;
#[cfg(test)]
mod testkit;
mod writer;

pub use history::{History, HistoryError};
pub use jobs::{Exposition, Jobs};
pub use metadata::{Metadata, MetricKind, TargetMetadata};
pub use options::{HistoryOptions, RemoteWriteLimits, SelfScrape};
pub use remote_write::{
    LabelsProblem, RefusedReason, RemoteWriteError, RemoteWriteErrorKind, RemoteWriteRequest,
};
pub use rules::{
    AlertSink, AlertingRule, RecordingRule, Replay, ReplayError, Rule, RuleAlert, RuleAlertState,
    RuleEvaluation, RuleFileError, RuleGroup, RuleProblem, RuleSource,
};
pub use scrape::relabel::Relabel;
pub use scrape::target::{Credentials, ScrapeLimits, ScrapeTarget, TargetError};
pub use state::{Health, RuleDetail, RuleGroupState, RuleState, TargetState};
