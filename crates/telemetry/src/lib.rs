//! What Pampero tells its operator: log lines, metrics, and never a secret in either.
//!
//! Knows no weather and no HTTP library. Logs begin at [`logging::init`], metrics at
//! [`metrics::Metrics`]; whatever leaves as text passes through a [`redaction::Redactor`] first.

pub mod logging;
pub mod metrics;
pub mod redaction;

pub use prometheus_client;
