//! Traces as a collector sees them, and what becomes of them when it is away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use pampero_resilience::SystemClock;
use pampero_telemetry::logging::{LogConfig, subscriber};
use pampero_telemetry::prometheus_client::encoding::text::encode;
use pampero_telemetry::prometheus_client::registry::Registry;
use pampero_telemetry::redaction::Redactor;
use pampero_telemetry::traces::{Exporter, Traces, TracesConfig, adopt_caller, open};
use prost::Message;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::subscriber::DefaultGuard;

const SECRET: &str = "s3cr3t-key";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A collector that remembers what it was sent, and answers with the status that it is told.
struct Collector {
    url: String,
    heard: Arc<Mutex<Heard>>,
    _task: JoinSet<()>,
}

struct Heard {
    status: StatusCode,
    headers: Vec<HeaderMap>,
    requests: Vec<ExportTraceServiceRequest>,
}

impl Collector {
    async fn start(status: StatusCode) -> Self {
        let heard = Heard { status, headers: Vec::new(), requests: Vec::new() };
        let heard = Arc::new(Mutex::new(heard));
        let hearing = Arc::clone(&heard);
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let mut heard = hearing.lock().unwrap();
            heard.headers.push(headers);
            if heard.status.is_success() {
                heard.requests.push(ExportTraceServiceRequest::decode(body).unwrap());
            }
            heard.status
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, heard, _task: task }
    }

    fn answer(&self, status: StatusCode) {
        self.heard.lock().unwrap().status = status;
    }

    fn spans(&self) -> Vec<Span> {
        let heard = self.heard.lock().unwrap();
        let resources = heard.requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    fn requests(&self) -> usize {
        self.heard.lock().unwrap().headers.len()
    }

    /// Waits in real time, as sockets do, until `so_far` holds.
    async fn wait_until(&self, so_far: impl Fn(&Self) -> bool) {
        let looking = async {
            while !so_far(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), looking).await.expect("it never came to be");
    }
}

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

/// A program that traces: its log, its exporter, its end.
struct Program {
    traces: Traces,
    page: Page,
    cancel: CancellationToken,
    exporting: JoinSet<()>,
    _log: DefaultGuard,
}

fn config(endpoint: &str) -> TracesConfig {
    TracesConfig {
        endpoint: Some(endpoint.parse().unwrap()),
        interval: Duration::from_millis(10),
        timeout: Duration::from_secs(2),
        ..TracesConfig::default()
    }
}

impl Program {
    fn start(config: &TracesConfig) -> Self {
        let redactor = Redactor::new([&SecretString::from(SECRET)]);
        let (traces, exporter) = open(config, "0.1.0", redactor.clone()).unwrap().unwrap();
        let page = Page::default();
        let destination = page.clone();
        let log = LogConfig { format: "json".parse().unwrap(), ..LogConfig::default() };
        let clock = Arc::new(SystemClock);
        let log =
            subscriber(&log, redactor, clock, Some(&traces), None, move || destination.clone());
        let cancel = CancellationToken::new();
        let mut exporting = JoinSet::new();
        exporting.spawn(run(exporter, cancel.clone()));
        let _log = tracing::subscriber::set_default(log);
        Self { traces, page, cancel, exporting, _log }
    }

    fn log(&self) -> String {
        String::from_utf8(self.page.0.lock().unwrap().clone()).unwrap()
    }

    async fn stop(&mut self) {
        self.cancel.cancel();
        while self.exporting.join_next().await.is_some() {}
    }

    /// Returns how many spans were exported, dropped and refused.
    fn counts(&self) -> (u64, u64, u64) {
        let mut registry = Registry::default();
        self.traces.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let count = |outcome: &str| {
            let head = format!("spans_total{{outcome=\"{outcome}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&head)).unwrap();
            line.parse().unwrap()
        };
        (count("exported"), count("dropped"), count("refused"))
    }
}

async fn run(exporter: Exporter, cancel: CancellationToken) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    exporter.run(http, cancel).await;
}

fn value(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.as_ref()).and_then(|value| value.value.clone()) {
        Some(Value::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Spans carry the target of a crate of ours, as only those are traced.
macro_rules! span {
    ($($field:tt)*) => { tracing::trace_span!(target: "pampero_test", $($field)*) };
}

#[tokio::test]
async fn spans_reach_the_collector_with_parents_lines_and_resource() {
    let collector = Collector::start(StatusCode::OK).await;
    let headers = vec![("authorization".to_owned(), format!("Bearer {SECRET}").into())];
    let attributes = vec![("deployment.environment".to_owned(), "test".to_owned())];
    let mut program =
        Program::start(&TracesConfig { headers, attributes, ..config(&collector.url) });
    let outer = span!("outer", otel.kind = "server");
    outer.in_scope(|| {
        span!("inner", place = "rosario").in_scope(|| {
            tracing::info!(target: "pampero_test", cause = "slow", "breaker opened");
            tracing::debug!(target: "pampero_test", "too small to keep");
        });
    });
    tracing::trace_span!(target: "hyper", "of a library").in_scope(|| ());
    drop(outer);
    program.stop().await;

    let spans = collector.spans();
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["inner", "outer"]);
    let (inner, outer) = (&spans[0], &spans[1]);
    assert_eq!(inner.parent_span_id, outer.span_id);
    assert_eq!(inner.trace_id, outer.trace_id);
    assert_eq!(outer.parent_span_id, Vec::<u8>::new());
    assert_eq!(value(&inner.attributes, "place"), "rosario");
    assert_eq!(inner.events.len(), 1, "{:?}", inner.events);
    assert_eq!(inner.events[0].name, "breaker opened");
    assert_eq!(value(&inner.events[0].attributes, "cause"), "slow");

    let heard = collector.heard.lock().unwrap();
    assert_eq!(heard.headers[0]["content-type"], "application/x-protobuf");
    assert_eq!(heard.headers[0]["authorization"], format!("Bearer {SECRET}"));
    let resource = &heard.requests[0].resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(value(resource, "service.name"), "pampero");
    assert_eq!(value(resource, "service.version"), "0.1.0");
    assert_eq!(value(resource, "deployment.environment"), "test");
    let line: serde_json::Value = serde_json::from_str(program.log().trim()).unwrap();
    assert_eq!(line["trace_id"], hex(&inner.trace_id));
    assert_eq!(line["span_id"], hex(&inner.span_id));
}

#[tokio::test]
async fn caller_becomes_the_parent() {
    let collector = Collector::start(StatusCode::OK).await;
    let mut program = Program::start(&config(&collector.url));
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", PARENT.parse().unwrap());
    headers.insert("tracestate", "congo=t61rcWkgMzE".parse().unwrap());
    let span = span!("request");
    adopt_caller(&span, &headers);
    span.in_scope(|| ());
    drop(span);
    headers.insert("traceparent", "00-broken".parse().unwrap());
    let span = span!("own");
    adopt_caller(&span, &headers);
    drop(span);
    program.stop().await;

    let spans = collector.spans();
    assert_eq!(hex(&spans[0].trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&spans[0].parent_span_id), "00f067aa0ba902b7");
    assert_eq!(spans[0].trace_state, "congo=t61rcWkgMzE");
    assert_ne!(spans[1].trace_id, spans[0].trace_id);
    assert_eq!(spans[1].parent_span_id, Vec::<u8>::new());
}

#[tokio::test]
async fn secrets_never_leave_in_a_span() {
    let collector = Collector::start(StatusCode::OK).await;
    let mut program = Program::start(&config(&collector.url));
    let url = format!("http://127.0.0.1/?appid={SECRET}");
    let error = io::Error::other(io::Error::other(url.clone()));
    span!("call", otel.name = url, url, otel.status_description = url).in_scope(|| {
        let error = &error as &dyn std::error::Error;
        tracing::error!(target: "pampero_test", url, error, "failed at {url}");
        tracing::warn!(target: "pampero_test", "{url}");
    });
    program.stop().await;

    let text = format!("{:?}", collector.spans());
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("http://127.0.0.1/?appid=[redacted]"), "{text}");
}

#[tokio::test]
async fn share_of_traces_is_kept_and_a_callers_decision_stands() {
    let collector = Collector::start(StatusCode::OK).await;
    let mut program = Program::start(&TracesConfig { sample_ratio: 0.0, ..config(&collector.url) });
    span!("not kept").in_scope(|| ());
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", PARENT.parse().unwrap());
    let span = span!("asked for");
    adopt_caller(&span, &headers);
    drop(span);
    program.stop().await;
    let names: Vec<String> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["asked for"]);
}

#[tokio::test]
async fn collector_that_is_down_is_told_once_and_costs_nobody_time() {
    let collector = Collector::start(StatusCode::SERVICE_UNAVAILABLE).await;
    let limits = TracesConfig { queue_max: 10, batch_max: 4, ..config(&collector.url) };
    let mut program = Program::start(&limits);
    span!("first").in_scope(|| ());
    collector.wait_until(|collector| collector.requests() == 1).await;
    let began = std::time::Instant::now();
    for _ in 0..1000 {
        span!("work").in_scope(|| ());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(program.counts(), (0, 990, 0));
    collector.wait_until(|collector| collector.requests() == 2).await;
    collector.answer(StatusCode::OK);
    collector.wait_until(|collector| collector.spans().len() == 11).await;
    program.stop().await;

    assert_eq!(program.counts(), (11, 990, 0));
    let log = program.log();
    assert_eq!(log.matches("traces cannot be exported").count(), 1, "{log}");
    assert_eq!(log.matches("traces are exported again").count(), 1, "{log}");
    assert!(log.contains("\"dropped\":990"), "{log}");
}

#[tokio::test]
async fn spans_that_the_collector_refuses_are_not_sent_again() {
    let collector = Collector::start(StatusCode::UNAUTHORIZED).await;
    let mut program = Program::start(&config(&collector.url));
    span!("one").in_scope(|| ());
    collector.wait_until(|collector| collector.requests() == 1).await;
    program.stop().await;
    assert_eq!(collector.requests(), 1);
    assert_eq!(program.counts(), (0, 0, 1));
}

#[tokio::test]
async fn end_does_not_wait_for_a_collector_that_is_away() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let mut program =
        Program::start(&TracesConfig { timeout: Duration::from_millis(200), ..config(&url) });
    for _ in 0..3 {
        span!("work").in_scope(|| ());
    }
    let began = std::time::Instant::now();
    program.stop().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(program.counts(), (0, 3, 0));
    assert!(program.log().contains("the last spans did not reach the collector"));
}
