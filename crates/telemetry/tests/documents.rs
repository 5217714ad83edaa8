//! What the document of an event looks like, what it never shows, and what becomes of too many.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pampero_resilience::{Clock, VirtualClock};
use pampero_telemetry::logging::documents::{
    self, DocumentConfig, DocumentQueue, Documents, FoldPolicy, LogDocument,
};
use pampero_telemetry::logging::{LogConfig, LoggedRequest, subscriber, within_request};
use pampero_telemetry::redaction::Redactor;
use secrecy::SecretString;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;
use tracing::{debug, error, info, info_span, trace, warn};

const SECRET: &str = "k\"y/1+2 3456";
/// A secret that a number could be.
const SECRET_NUMBER: &str = "20261124";

/// A log whose documents can be looked at.
struct Log {
    documents: Documents,
    queue: DocumentQueue,
    clock: Arc<VirtualClock>,
    _log: DefaultGuard,
}

impl Log {
    fn start(config: &DocumentConfig) -> Self {
        let start: Timestamp = "2026-11-24T03:41:02.123456Z".parse().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(start));
        let secrets = [SecretString::from(SECRET), SecretString::from(SECRET_NUMBER)];
        let redactor = Redactor::new(&secrets);
        let (documents, queue) =
            documents::open(config, redactor.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let silent = LogConfig { filter: "off".parse().unwrap(), ..LogConfig::default() };
        let log = subscriber(&silent, redactor, clock.clone(), None, Some(&documents), io::sink);
        Self { documents, queue, clock, _log: tracing::subscriber::set_default(log) }
    }

    /// Takes what there is within three seconds.
    async fn take(&mut self) -> Vec<LogDocument> {
        let mut batch = Vec::new();
        let taking = self.queue.recv_many(&mut batch, 10_000);
        let _ = tokio::time::timeout(Duration::from_secs(3), taking).await;
        batch
    }

    async fn take_json(&mut self) -> Vec<Value> {
        let documents = self.take().await;
        documents.iter().map(|it| serde_json::from_slice(&it.body).unwrap()).collect()
    }
}

fn all() -> DocumentConfig {
    DocumentConfig { filter: "trace".parse().unwrap(), ..DocumentConfig::default() }
}

fn text(document: &LogDocument) -> &str {
    std::str::from_utf8(&document.body).unwrap()
}

#[track_caller]
fn assert_body(documents: &[LogDocument], body: &str) {
    let [document] = documents else { panic!("not one document: {documents:?}") };
    assert_eq!(text(document), body);
}

#[derive(Debug, thiserror::Error)]
#[error("cannot ask the provider")]
struct Outer(#[source] io::Error);

#[tokio::test(start_paused = true)]
async fn event_becomes_a_document() {
    let mut log = Log::start(&all());
    info!(target: "pampero_loader::timeline", "starting");
    assert_body(
        &log.take().await,
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"INFO\",\
         \"log_message\":\"starting\",\"target\":\"pampero_loader::timeline\",\
         \"service\":\"loader\"}",
    );
}

#[tokio::test(start_paused = true)]
async fn known_fields_stand_by_themselves_and_others_under_fields() {
    let mut log = Log::start(&all());
    warn!(
        target: "pampero_loader", provider = "open_meteo", place = %"rosario", attempt = 2,
        elapsed_ms = 12_u64, share = 0.5, stale = true, lost = f64::NAN, none = None::<u64>,
        cause = "a\n\"b\"", "attempt {}", "failed"
    );
    assert_body(
        &log.take().await,
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"WARN\",\
         \"log_message\":\"attempt failed\",\"target\":\"pampero_loader\",\"service\":\"loader\",\
         \"place\":\"rosario\",\"provider\":\"open_meteo\",\"duration_ms\":12,\
         \"fields\":{\"attempt\":2,\"share\":0.5,\"stale\":true,\"lost\":null,\
         \"cause\":\"a\\n\\\"b\\\"\"}}",
    );
}

#[tokio::test(start_paused = true)]
async fn error_is_a_chain_of_its_causes() {
    let mut log = Log::start(&all());
    let failure = Outer(io::Error::other("connection refused"));
    error!(target: "pampero_store", error = &failure as &dyn std::error::Error, "poll failed");
    error!(target: "pampero_api", error = "disk is full", request_id = "r-1", code = 500, "failed");
    let documents = log.take_json().await;
    assert_eq!(
        documents[0]["error"],
        json!({"chain": ["cannot ask the provider", "connection refused"]})
    );
    assert_eq!(documents[1]["error"]["chain"], json!(["disk is full"]));
    assert_eq!(documents[1]["request_id"], json!("r-1"));
    assert_eq!(documents[1]["fields"], json!({"code": 500}));
}

#[tokio::test(start_paused = true)]
async fn document_takes_over_from_its_spans_what_it_does_not_say_itself() {
    let mut log = Log::start(&all());
    let round = info_span!("round", number = 7, place = "rosario", attempt = 1).entered();
    let call = info_span!("call", provider.id = "met_norway", attempt = tracing::field::Empty);
    call.record("attempt", 2);
    call.record("attempt", 3);
    let call = call.entered();
    info!(target: "pampero_loader", number = 8, "inside");
    drop((call, round));
    info!(target: "pampero_loader", "outside");
    let documents = log.take_json().await;
    assert_eq!(documents[0]["fields"], json!({"number": 8, "attempt": 3}));
    assert_eq!(documents[0]["provider"], json!("met_norway"));
    assert_eq!(documents[0]["place"], json!("rosario"));
    assert_eq!(documents[1].get("fields").or(documents[1].get("place")), None);
}

#[tokio::test(start_paused = true)]
async fn document_names_the_request_within_which_it_was_logged() {
    let mut log = Log::start(&all());
    let id = SECRET_NUMBER.parse().unwrap();
    within_request(LoggedRequest { id, traceparent: None }, async { info!(target: "t", "a") })
        .await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = Some(format!("00-{trace_id}-00f067aa0ba902b7-01").parse().unwrap());
    let id = "r-1".parse().unwrap();
    within_request(LoggedRequest { id, traceparent }, async {
        info!(target: "t", "b");
        tokio::task::yield_now().await;
        info!(target: "t", request_id = "r-2", trace_id = "t-2", "c");
    })
    .await;
    info!(target: "t", "d");
    let documents = log.take_json().await;
    let ids = |it: &Value| (it["request_id"].clone(), it["trace_id"].clone());
    let ids: Vec<_> = documents.iter().map(ids).collect();
    let expected = [
        (json!("[redacted]"), Value::Null),
        (json!("r-1"), json!(trace_id)),
        (json!("r-2"), json!("t-2")),
        (Value::Null, Value::Null),
    ];
    assert_eq!(ids, expected);
}

#[tokio::test(start_paused = true)]
async fn service_is_the_crate_of_the_target() {
    let mut log = Log::start(&all());
    info!(target: "pampero", "a");
    info!(target: "pampero_api::edge::router", "b");
    info!(target: "sqlx::query", "c");
    info!(target: "pampero_Ä\"", "d");
    let services = log.take_json().await.into_iter().map(|it| it["service"].clone());
    assert_eq!(services.collect::<Vec<_>>(), ["pampero", "api", "pampero", "pampero"]);
}

#[tokio::test(start_paused = true)]
async fn record_of_the_log_crate_is_a_document_like_all_others() {
    let _ = tracing_log::LogTracer::init();
    let mut log = Log::start(&all());
    tracing_log::log::warn!(target: "sqlx::pool", "slow");
    assert_body(
        &log.take().await,
        "{\"timestamp\":\"2026-11-24T03:41:02.123Z\",\"level\":\"WARN\",\"log_message\":\"slow\",\
         \"target\":\"sqlx::pool\",\"service\":\"pampero\"}",
    );
}

#[tokio::test(start_paused = true)]
async fn filter_of_the_documents_is_their_own() {
    let filter = "warn,pampero_loader=debug".parse().unwrap();
    let mut log = Log::start(&DocumentConfig { filter, ..DocumentConfig::default() });
    info!(target: "pampero_api", "not let through");
    debug!(target: "pampero_loader", "let through");
    trace!(target: "pampero_loader", "not let through");
    assert_eq!(log.take().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_document_shows_a_secret_in_any_spelling() {
    let mut log = Log::start(&all());
    let span = info_span!("call", url = "http://h/?key=k%22y%2F1%2B2+3456").entered();
    trace!(target: "t", header = SECRET, debug = ?SECRET, place = %SECRET, "{SECRET}");
    drop(span);
    let failure = Outer(io::Error::other(format!("no {SECRET} there")));
    error!(target: "t", basic = "Basic dTprInkvMSsyIDM0NTY=", error = &failure as &dyn std::error::Error, "x");
    info!(target: "t", number = 20_261_124_u64, "{}{SECRET}", "long ".repeat(4_000));
    info!(target: "t", cut = format!("{}{SECRET}", "x".repeat((16 << 10) - 5)), "cut");
    let documents = log.take().await;
    assert_eq!(documents.len(), 4);
    let all: String = documents.iter().map(text).collect();
    assert_eq!(all.matches("[redacted]").count(), 5 + 2 + 1, "{all}");
    let bare = all.replace("[redacted]", "");
    for trace in ["y/1", "y%2F1", "y\\/1", "3456", "rInkvMSsy", SECRET_NUMBER, "k\\\"y"] {
        assert!(!bare.contains(trace), "{trace} in {bare}");
    }
    for document in &documents {
        serde_json::from_slice::<Value>(&document.body).expect("a document is JSON");
    }
}

#[tokio::test(start_paused = true)]
async fn long_values_are_cut_to_a_bounded_document() {
    let mut log = Log::start(&all());
    let long = "ñ".repeat(50_000);
    info!(target: "t", a = long, b = long, c = long, d = long, e = long, f = long, "{long}");
    let [document] = &log.take_json().await[..] else { panic!("not one document") };
    let message = document["log_message"].as_str().unwrap();
    assert!(message.ends_with("… [cut from 100000 bytes]"), "{}", &message[message.len() - 60..]);
    let bytes = document.to_string().len();
    assert!((64 << 10..100 << 10).contains(&bytes), "{bytes}");
}

#[tokio::test(start_paused = true)]
async fn repeats_are_folded_and_told_at_the_end_of_their_window() {
    let mut log = Log::start(&all());
    for number in 0..25 {
        for provider in ["nws", "metar"] {
            warn!(target: "pampero_loader", provider, number, "attempt failed");
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    warn!(target: "pampero_loader", provider = "nws", "attempt failed too");
    assert_eq!(log.take().await.len(), 21);
    assert_eq!(log.documents.stats().folded, 30);
    let begun = log.clock.now();
    let mut batch = Vec::new();
    // Nothing is logged any more: the window ends by itself.
    assert_eq!(log.queue.recv_many(&mut batch, 100).await, 2);
    assert!((log.clock.now() - begun).as_secs_f64() < 9.0);
    let folded: Value = serde_json::from_slice(&batch[0].body).unwrap();
    let last = "2026-11-24T03:41:04.523Z";
    let repeated = json!({"count": 15, "first": "2026-11-24T03:41:03.123Z", "last": last});
    assert_eq!(folded["repeated"], repeated);
    assert_eq!(folded["timestamp"], json!(last));
    assert_eq!(folded["fields"], json!({"number": 10}));
    assert_eq!(folded["log_message"], json!("attempt failed"));
}

#[tokio::test(start_paused = true)]
async fn full_queue_drops_and_tells_it_once() {
    let config = DocumentConfig { queue_max: 4, ..all() };
    let mut log = Log::start(&config);
    for number in 0..10 {
        info!(target: "t", "event {number}");
    }
    assert_eq!((log.documents.stats().queued, log.documents.stats().dropped), (4, 6));
    let documents = log.take_json().await;
    assert_eq!(documents.len(), 5);
    assert_eq!(documents[4]["log_message"], json!("6 log events were dropped"));
    assert_eq!(documents[4]["level"], json!("WARN"));
    assert_eq!(documents[4]["fields"], json!({"dropped": 6}));
    info!(target: "t", "later");
    assert_eq!(log.take().await.len(), 1);
    assert_eq!(log.documents.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn queue_is_bounded_in_bytes_too() {
    let config = DocumentConfig { queue_bytes_max: 1_000, ..all() };
    let mut log = Log::start(&config);
    for number in 0..10 {
        info!(target: "t", text = "x".repeat(200), "event {number}");
    }
    let stats = log.documents.stats();
    assert_eq!((stats.waiting, stats.dropped), (3, 7));
    assert!(stats.waiting_bytes <= 1_000, "{stats:?}");
    log.take().await;
    assert_eq!(log.documents.stats().waiting_bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn closed_queue_gives_what_it_holds_and_ends() {
    let folding = FoldPolicy { repeats_max: 1, ..FoldPolicy::default() };
    let mut log = Log::start(&DocumentConfig { folding, ..all() });
    for _ in 0..3 {
        info!(target: "t", "again");
    }
    log.queue.close();
    info!(target: "t", "too late");
    let waited = log.take_json().await;
    assert_eq!(waited[0]["log_message"], json!("again"));
    assert_eq!(waited[1]["log_message"], json!("1 log events were dropped"));
    let [rest] = &log.take_json().await[..] else { panic!("not one document") };
    assert_eq!(rest["repeated"]["count"], json!(2));
    assert_eq!(log.queue.recv_many(&mut Vec::new(), 10).await, 0);
}

#[tokio::test(start_paused = true)]
async fn way_of_the_documents_does_not_feed_itself() {
    let mut log = Log::start(&all());
    info!(target: "tantivy::indexer", "committed");
    debug!(target: "hyper_util::client", "connected");
    documents::unrecorded(|| error!(target: "pampero_index", "disk is full"));
    documents::unrecorded_future(async {
        error!(target: "pampero_logs", "before");
        tokio::task::yield_now().await;
        error!(target: "pampero_logs", "after");
    })
    .await;
    assert_eq!(log.take().await, []);
    warn!(target: "tantivy::indexer", "merge failed");
    info!(target: "pampero_indexes", "another crate");
    assert_eq!(log.take().await.len(), 2);
}
