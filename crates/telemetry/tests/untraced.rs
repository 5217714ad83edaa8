//! A process without a collector: alone in its process, as the levels of all logs there add up.

use std::io;
use std::sync::Arc;

use pampero_resilience::SystemClock;
use pampero_telemetry::logging::{LogConfig, subscriber};
use pampero_telemetry::redaction::Redactor;
use pampero_telemetry::traces::{TracesConfig, open};
use tracing::Level;
use tracing::level_filters::LevelFilter;

#[test]
fn nothing_is_traced_without_a_collector() {
    let opened = open(&TracesConfig::default(), "0.1.0", Redactor::default());
    assert!(opened.is_ok_and(|opened| opened.is_none()));
    let clock = Arc::new(SystemClock);
    let log = subscriber(&LogConfig::default(), Redactor::default(), clock, None, None, io::sink);
    tracing::subscriber::with_default(log, || {
        // The look at this level is all that a span costs then.
        assert_eq!(LevelFilter::current(), LevelFilter::INFO);
        assert!(tracing::trace_span!(target: "pampero_test", "idle").is_disabled());
        assert!(!tracing::enabled!(target: "pampero_test", Level::DEBUG));
    });
}
