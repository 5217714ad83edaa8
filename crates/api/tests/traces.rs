//! Whose trace a request belongs to, with a collector and without, and what was logged within it.
//!
//! In a process of its own: whether a line of the log is written is decided once for all threads, and
//! those of other tests have no log.

#![expect(clippy::unwrap_used, reason = "a test may fail at any step")]

#[expect(dead_code, reason = "the tests of the API need more of it")]
#[path = "api/app.rs"]
mod app;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use pampero_resilience::SystemClock;
use pampero_telemetry::logging::documents::{self, DocumentConfig};
use pampero_telemetry::logging::{LogConfig, LogFilter, subscriber};
use pampero_telemetry::redaction::Redactor;
use pampero_telemetry::traces::{Traces, TracesConfig, open};
use serde_json::Value;

use app::TestApp;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the line of the log about one request with that `traceparent`.
async fn line_of_request(traces: Option<&Traces>, traceparent: &str) -> Value {
    let page = Page::default();
    let destination = page.clone();
    let filter: LogFilter = "pampero_api=debug".parse().unwrap();
    let config = LogConfig { format: "json".parse().unwrap(), filter, ..LogConfig::default() };
    let make = move || destination.clone();
    let log = subscriber(&config, Redactor::default(), Arc::new(SystemClock), traces, None, make);
    let app = TestApp::start().await;
    let _log = tracing::subscriber::set_default(log);
    app.get_with("/health/live", "traceparent", traceparent).await;
    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("request answered")).unwrap();
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn callers_trace_is_in_the_log() {
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let untraced = line_of_request(None, &good).await;
    assert_eq!(untraced["fields"]["trace_id"], TRACE);
    assert_eq!(line_of_request(None, "00-broken").await["fields"]["trace_id"], Value::Null);

    let endpoint = Some("http://127.0.0.1:9/".parse().unwrap());
    let config = TracesConfig { endpoint, ..TracesConfig::default() };
    let (traces, _exporter) = open(&config, "0.0.0", Redactor::default()).unwrap().unwrap();
    let traced = line_of_request(Some(&traces), &good).await;
    assert_eq!(traced["trace_id"], TRACE);
    assert_ne!(traced["span_id"], "00f067aa0ba902b7");
    assert_eq!(traced["fields"]["trace_id"], Value::Null);
    let own = line_of_request(Some(&traces), "00-broken").await;
    assert_eq!(own["trace_id"].as_str().map(str::len), Some(32));
    assert_ne!(own["trace_id"], TRACE);
}

#[tokio::test]
async fn what_a_handler_logs_names_its_request() {
    let clock: Arc<SystemClock> = Arc::new(SystemClock);
    let (documents, mut queue) =
        documents::open(&DocumentConfig::default(), Redactor::default(), clock.clone());
    let silent = LogConfig { filter: "off".parse().unwrap(), ..LogConfig::default() };
    let log = subscriber(&silent, Redactor::default(), clock, None, Some(&documents), io::sink);
    let app = TestApp::start().await;
    app.clock.set_broken(true);
    let _log = tracing::subscriber::set_default(log);
    app.get_with("/opensearch/_cat/indices", "x-request-id", "r-7").await;
    let mut batch = Vec::new();
    queue.recv_many(&mut batch, 100).await;
    let documents: Vec<Value> =
        batch.iter().map(|it| serde_json::from_slice(&it.body).unwrap()).collect();
    let mut of_handler = documents.iter().filter(|it| it["service"] == "logs");
    assert_eq!(of_handler.next().expect("a handler failed")["request_id"], "r-7", "{documents:?}");
}
