//! What Pampero tells its operator: log lines, metrics, traces, and never a secret in any of them.
//!
//! Knows no weather. Logs begin at [`logging::init`], metrics at [`metrics::Metrics`], traces at
//! [`traces::open`]; whatever leaves as text passes through a [`redaction::Redactor`] first.

pub mod host;
pub mod logging;
pub mod metrics;
pub mod redaction;
pub mod traces;

pub use prometheus_client;
