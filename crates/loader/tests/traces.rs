//! The trace of a poll, from the round down to the request that the service sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use pampero_loader::{
    Board, PlaceBook, PlaceDraft, Poller, PollingPolicy, Source, Sources, Timeline,
};
use pampero_providers::http_client_without_proxy;
use pampero_providers::open_meteo::{OpenMeteo, OpenMeteoConfig};
use pampero_resilience::{Clock, MemoryLedger, Policy, RetryPolicy, Stack, SystemClock};
use pampero_store::Store;
use pampero_store::memory::MemoryStore;
use pampero_telemetry::logging::{LogConfig, subscriber};
use pampero_telemetry::redaction::Redactor;
use pampero_telemetry::traces::{TracesConfig, open};
use pampero_weather::place::Coordinates;
use prost::Message;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const KEY: &str = "s3cr3t-key";

type Spans = Arc<Mutex<Vec<Span>>>;
type Parents = Arc<Mutex<Vec<String>>>;

/// Serves a weather service that is down once and then answers, and a collector beside it.
async fn serve(spans: Spans, parents: Parents, tasks: &mut JoinSet<()>) -> String {
    let forecast = move |headers: HeaderMap| async move {
        let mut parents = parents.lock().unwrap();
        parents.push(headers["traceparent"].to_str().unwrap().to_owned());
        match parents.len() {
            1 => (StatusCode::SERVICE_UNAVAILABLE, ""),
            _ => (StatusCode::OK, include_str!("../../providers/fixtures/open_meteo/one.json")),
        }
    };
    let collect = move |body: Bytes| async move {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let resources = request.resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    };
    let router =
        Router::new().route("/v1/forecast", get(forecast)).route("/v1/traces", post(collect));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Polls one place of a service at `url` once.
async fn poll(url: &str) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let (cancel, tracker) = (CancellationToken::new(), TaskTracker::new());
    let (timeline, writing) = Timeline::open(Arc::clone(&store), cancel.clone());
    tracker.spawn(writing);
    let board = Arc::new(Board::default());
    let place = PlaceDraft {
        id: Some("buenos-aires".parse().unwrap()),
        name: Some("Buenos Aires".to_owned()),
        coordinates: Some(Coordinates::new(-34.6037, -58.3816).unwrap()),
        elevation_m: Some(25.0),
        time_zone: Some("America/Argentina/Buenos_Aires".to_owned()),
    };
    let places =
        PlaceBook::open(Arc::clone(&store), Arc::clone(&board), vec![place], None, 10).await;
    let http = http_client_without_proxy("Pampero/0.0").unwrap();
    let config = OpenMeteoConfig {
        base_url: url.parse().unwrap(),
        ..OpenMeteoConfig::for_customer(KEY.into())
    };
    let provider = OpenMeteo::new(config, http, Arc::clone(&clock)).unwrap();
    let retry = RetryPolicy {
        attempts_max: NonZeroU32::new(2).unwrap(),
        backoff: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    let policy = Policy { retry, ..Policy::default() };
    let ledger = Arc::new(MemoryLedger::default());
    let stack = Stack::open("open_meteo", policy, Arc::clone(&clock), ledger, 1).await.unwrap();
    let age_max = Duration::from_secs(1_000_000_000);
    let sources = Sources::new(vec![Source::new(Arc::new(provider), stack, age_max)]);
    let poller = Poller::open(
        Arc::new(places.unwrap()),
        Arc::clone(&board),
        sources,
        store,
        timeline,
        clock,
        PollingPolicy::default(),
        tracker.clone(),
        cancel.clone(),
    );
    let running = Arc::new(poller.await.unwrap());
    tracker.spawn(running.run());
    let slot = board.slot(&"buenos-aires".parse().unwrap()).unwrap();
    let answered = async {
        while slot.served().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), answered).await.expect("the poll gave nothing");
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
}

#[track_caller]
fn only<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let named: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(named.len(), 1, "{name} in {spans:?}");
    named[0]
}

/// Says an attribute in words; an empty one when the span lacks it.
fn said(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|found| found.value.clone()).and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn parent_header_of(span: &Span) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id))
}

#[tokio::test]
async fn poll_is_traced_down_to_each_attempt() {
    let (spans, parents) = (Spans::default(), Parents::default());
    let mut tasks = JoinSet::new();
    let url = serve(Arc::clone(&spans), Arc::clone(&parents), &mut tasks).await;
    let config = TracesConfig { endpoint: Some(url.parse().unwrap()), ..TracesConfig::default() };
    let redactor = Redactor::new([&SecretString::from(KEY)]);
    let (traces, exporter) = open(&config, "0.0.0", redactor.clone()).unwrap().unwrap();
    let clock = Arc::new(SystemClock);
    let log =
        subscriber(&LogConfig::default(), redactor, clock, Some(&traces), None, std::io::sink);
    let _log = tracing::subscriber::set_default(log);
    let (cancel, mut exporting) = (CancellationToken::new(), JoinSet::new());
    let http = http_client_without_proxy("Pampero/0.0").unwrap();
    exporting.spawn(exporter.run(http, cancel.clone()));

    poll(&url).await;
    cancel.cancel();
    while exporting.join_next().await.is_some() {}

    let spans = spans.lock().unwrap().clone();
    let (round, call) = (only(&spans, "poll"), only(&spans, "call"));
    assert_eq!(round.parent_span_id, Vec::<u8>::new());
    assert_eq!((said(round, "task"), said(round, "places")), ("regular".into(), "1".into()));
    assert_eq!(call.parent_span_id, round.span_id);
    assert_eq!(said(call, "provider.id"), "open_meteo");
    assert_eq!((said(call, "place"), said(call, "outcome")), ("buenos-aires".into(), "ok".into()));
    assert_eq!(only(&spans, "store").parent_span_id, call.span_id);

    let attempts: Vec<&Span> = spans.iter().filter(|span| span.name == "attempt").collect();
    let told = |key: &str| attempts.iter().map(|span| said(span, key)).collect::<Vec<_>>();
    assert_eq!(told("attempt"), ["1", "2"]);
    assert_eq!(told("outcome"), ["transient", "ok"]);
    assert_eq!(told("peer.service"), ["open_meteo", "open_meteo"]);
    assert!(attempts.iter().all(|attempt| attempt.parent_span_id == call.span_id));
    assert!(attempts.iter().all(|attempt| attempt.trace_id == round.trace_id));
    let sent: Vec<String> = attempts.iter().map(|span| parent_header_of(span)).collect();
    assert_eq!(*parents.lock().unwrap(), sent);
    assert!(!format!("{spans:?}").contains(KEY));
}
