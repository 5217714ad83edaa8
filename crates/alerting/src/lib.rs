//! Alerts: what watches the logs and the metrics, what state that is in, and who is told.
//!
//! A *monitor* asks the logs on a schedule (OpenSearch Alerting), a *rule* asks the metrics (Prometheus);
//! both give an [`Observation`] for each evaluation. The book of alerts (`book`) turns observations into
//! changes and notices, which are kept together with the messages they make (`store`), and messages are
//! delivered from there (`delivery`). Knows no weather, no indices and no samples: logs are searched
//! through [`LogSearch`]. Start reading at [`Observation`], then `book`.

mod alert;
mod observation;
mod policy;
mod search;
mod text;

pub use alert::{Alert, AlertState, Change, Notice, NoticeKind};
pub use observation::{Finding, Observation, Outcome, Phase, SourceId, SourceKind};
pub use policy::{ActionPolicy, Escalation, NoDataRule, Policy};
pub use search::LogSearch;
pub use text::{DefaultTeller, Teller, Tellers, Words};
