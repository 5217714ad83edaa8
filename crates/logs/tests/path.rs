//! The way of an event into the index, and what becomes of the indices of days.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_index::search::{SearchOptions, search};
use pampero_index::{Cluster, IndexOptions, Snapshot};
use pampero_logs::path::{
    LogPath, LogWriter, PathOptions, WriterCounts, WriterOptions, keep_indices,
};
use pampero_logs::rest::{RestOptions, RestState, router};
use pampero_logs::shipping::{Shipping, ShippingConfig};
use pampero_opensearch::ExceptionKind;
use pampero_opensearch::search::SearchRequest;
use pampero_resilience::{Clock, VirtualClock};
use pampero_telemetry::logging::documents::{self, DocumentConfig, Documents};
use pampero_telemetry::logging::{LogConfig, subscriber};
use pampero_telemetry::redaction::Redactor;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;
use tracing::{error, info, warn};

/// A program whose log is kept. Time is that of tokio, which stands still until it is slept away.
struct Program {
    cluster: Arc<Cluster>,
    clock: Arc<VirtualClock>,
    path: LogPath,
    documents: Documents,
    counts: WriterCounts,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    log: Option<DefaultGuard>,
}

impl Program {
    fn start(folder: &Path, at: &str, options: PathOptions) -> Self {
        Self::start_with(folder, at, options, WriterOptions::default(), None)
    }

    fn start_with(
        folder: &Path,
        at: &str,
        options: PathOptions,
        writing: WriterOptions,
        shipping: Option<Shipping>,
    ) -> Self {
        let clock = Arc::new(VirtualClock::starting_at(at.parse().unwrap()));
        let passed: Arc<dyn Clock> = clock.clone();
        let cluster = Arc::new(Cluster::open(folder, IndexOptions::default()).unwrap());
        let config = DocumentConfig::default();
        let (documents, queue) = documents::open(&config, Redactor::default(), Arc::clone(&passed));
        let path = LogPath::open(Arc::clone(&cluster), Arc::clone(&passed), options).unwrap();
        let writer = LogWriter::new(queue, writing, Some(path.clone()), shipping);
        let (counts, cancel) = (writer.counts(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.run(cancel.clone()));
        tasks.spawn(path.clone().run(cancel.clone()));
        tasks.spawn(keep_indices(Arc::clone(&cluster), Arc::clone(&passed), cancel.clone()));
        let silent = LogConfig { filter: "off".parse().unwrap(), ..LogConfig::default() };
        let log =
            subscriber(&silent, Redactor::default(), passed, None, Some(&documents), io::sink);
        let log = Some(tracing::subscriber::set_default(log));
        Self { cluster, clock, path, documents, counts, cancel, tasks, log }
    }

    /// Lets time pass in small steps, so that blocking work keeps up with it.
    async fn pass(&self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(50)).await;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn snapshots(&self) -> Vec<Snapshot> {
        let now = self.clock.now();
        let indices = self.cluster.resolve("weather_logs", Default::default(), now).unwrap();
        indices.iter().map(|index| index.snapshot(now).unwrap()).collect()
    }

    fn search(&self, body: &Value) -> Value {
        let request = SearchRequest::from_json(body).unwrap();
        let options = SearchOptions::default();
        search(&self.snapshots(), &request, &options, self.clock.now()).unwrap()
    }

    fn count(&self, query: &Value) -> u64 {
        let found = self.search(&json!({ "query": query, "size": 0 }));
        found["hits"]["total"]["value"].as_u64().unwrap()
    }

    fn indices(&self) -> Vec<String> {
        self.cluster.indices().all().iter().map(|index| index.name().to_string()).collect()
    }

    /// Ends in good order.
    async fn stop(mut self) {
        self.log = None;
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.cluster.indices().close();
    }
}

const NOON: &str = "2026-11-24T12:00:30Z";

/// Returns the query of the original's monitor, as it stands there.
fn monitor() -> Value {
    json!({
        "size": 0,
        "query": { "bool": { "must": [
            { "match": { "level": "error" } },
            { "range": { "timestamp": { "gte": "now-5m/m", "lte": "now/m" } } },
        ] } },
    })
}

#[tokio::test(start_paused = true)]
async fn event_is_found_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    error!(target: "pampero_loader", provider = "open_meteo", place = "rosario", attempt = 3, "gave up");
    error!(target: "pampero_store", error = "disk is full", "store failed");
    info!(target: "pampero_api", elapsed_ms = 1_200_u64, "slow request");
    program.pass(Duration::from_millis(1_000)).await;

    assert_eq!(program.search(&monitor())["hits"]["total"]["value"], json!(2));
    assert_eq!(program.count(&json!({ "term": { "level.keyword": "ERROR" } })), 2);
    assert_eq!(program.count(&json!({ "term": { "provider": "open_meteo" } })), 1);
    assert_eq!(program.count(&json!({ "term": { "provider.keyword": "open_meteo" } })), 1);
    assert_eq!(program.count(&json!({ "match": { "error.chain": "full" } })), 1);
    assert_eq!(program.count(&json!({ "range": { "duration_ms": { "gt": 1_000 } } })), 1);
    assert_eq!(program.count(&json!({ "range": { "fields.attempt": { "gte": 3 } } })), 1);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn fields_of_any_type_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    info!(target: "t", value = 1, "a number");
    info!(target: "t", value = "many", "a text");
    info!(target: "t", value = true, "a boolean");
    info!(target: "t", { value.inner = 2 }, "an object");
    program.pass(Duration::from_millis(1_000)).await;
    assert_eq!(program.count(&json!({ "match_all": {} })), 4);
    let stats = program.path.stats();
    assert_eq!((stats.written, stats.reduced, stats.rejected), (4, 1, 0));
    assert_eq!(program.count(&json!({ "match": { "unmapped_fields": "value.inner" } })), 1);
    assert_eq!(program.count(&json!({ "term": { "fields.value": 1 } })), 1);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_logged_before_the_end_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    warn!(target: "pampero", "stopping");
    program.stop().await;
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    assert_eq!(program.count(&json!({ "match": { "log_message": "stopping" } })), 1);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn each_day_has_an_index_behind_the_alias() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), "2026-11-24T23:59:59Z", PathOptions::default());
    info!(target: "t", "before midnight");
    program.pass(Duration::from_secs(2)).await;
    info!(target: "t", "after midnight");
    program.pass(Duration::from_secs(2)).await;
    assert_eq!(program.indices(), ["weather_logs-2026.11.24", "weather_logs-2026.11.25"]);
    assert_eq!(program.count(&json!({ "match_all": {} })), 2);
    let written = program.cluster.write_index("weather_logs", true, program.clock.now()).unwrap();
    assert_eq!(&**written.name(), "weather_logs-2026.11.25");
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn index_of_a_day_that_was_deleted_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    program.cluster.delete_indices(&["weather_logs-2026.11.24"]).unwrap();
    info!(target: "t", "again");
    program.pass(Duration::from_secs(1)).await;
    assert_eq!(program.count(&json!({ "match_all": {} })), 1);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn creating_the_index_of_the_aliass_name_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    let now = program.clock.now();
    let create = |name: &str, body: &Value| program.cluster.create_index(name, body, now);
    let index = create("weather_logs", &Value::Null).unwrap();
    assert_eq!(&**index.name(), "weather_logs-2026.11.24");
    create("weather_logs", &json!({})).unwrap();
    // With a body it would be another index, and OpenSearch's own answer is given.
    let refused = create("weather_logs", &json!({ "mappings": {} })).unwrap_err();
    assert_eq!(refused.kind(), ExceptionKind::InvalidIndexName);
    let taken = create("weather_logs-2026.11.24", &Value::Null).unwrap_err();
    assert_eq!(taken.kind(), ExceptionKind::ResourceAlreadyExists);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn steps_of_the_original_work_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    error!(target: "pampero_loader", provider = "open_meteo", "gave up");
    info!(target: "pampero_loader", provider = "met_norway", "answered");
    program.pass(Duration::from_millis(1_000)).await;
    let clock: Arc<dyn Clock> = program.clock.clone();
    let options = RestOptions::default();
    let app = router(RestState::new(Arc::clone(&program.cluster), clock, options));

    let created = send(&app, "PUT", "/weather_logs", None).await;
    assert_eq!(created["acknowledged"], json!(true));
    let found = send(&app, "POST", "/weather_logs/_search", Some(&monitor())).await;
    assert_eq!(found["hits"]["total"]["value"], json!(1));
    program.stop().await;
}

async fn send(app: &Router, method: &str, path: &str, body: Option<&Value>) -> Value {
    let request = Request::builder().method(method).uri(path).header("host", "localhost:9200");
    let request = match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap(),
        None => request.body(Body::empty()).unwrap(),
    };
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn index_that_has_the_name_of_the_alias_keeps_nothing_from_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::open(folder.path(), IndexOptions::default()).unwrap();
    let now: Timestamp = NOON.parse().unwrap();
    cluster.create_index("weather_logs", &Value::Null, now).unwrap();
    cluster.indices().close();
    drop(cluster);
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    info!(target: "t", "written");
    program.pass(Duration::from_secs(1)).await;
    assert_eq!(program.path.stats().written, 1);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn old_days_are_dropped_whole_and_today_stays() {
    let folder = tempfile::tempdir().unwrap();
    let options = PathOptions { bytes_max: 1, ..PathOptions::default() };
    let program = Program::start(folder.path(), NOON, options.clone());
    let now = program.clock.now();
    for name in [
        "weather_logs-2026.11.09",
        "weather_logs-2026.11.20",
        "weather_logs-2026.1.1",
        "weather_logs-kept",
        "other-2020.01.01",
    ] {
        program.cluster.create_index(name, &Value::Null, now).unwrap();
    }
    program.path.tidy().unwrap();
    let kept = [
        "other-2020.01.01",
        "weather_logs-2026.1.1",
        "weather_logs-2026.11.24",
        "weather_logs-kept",
    ];
    assert_eq!(program.indices(), kept);
    let stats = program.path.stats();
    assert_eq!((stats.indices_dropped_by_age, stats.indices_dropped_by_size), (1, 1));
    program.path.tidy().unwrap();
    assert_eq!(program.path.stats(), stats);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn flood_is_folded_and_neither_waits_nor_fails() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    for number in 0..20_000 {
        warn!(target: "pampero_loader", provider = "nws", number, "attempt failed");
    }
    program.pass(Duration::from_secs(13)).await;
    let stats = program.documents.stats();
    assert_eq!((stats.folded, stats.dropped), (19_990, 0));
    assert_eq!(program.count(&json!({ "match_all": {} })), 11);
    let found = program.search(&json!({ "query": { "exists": { "field": "repeated.count" } } }));
    assert_eq!(found["hits"]["hits"][0]["_source"]["repeated"]["count"], json!(19_990));
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn documents_go_to_the_index_and_to_the_buffer() {
    let (folder, buffer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = Arc::new(VirtualClock::starting_at(NOON.parse().unwrap()));
    let config = ShippingConfig::new("http://127.0.0.1:9".parse().unwrap());
    let shipping = Shipping::open(buffer.path(), config, clock, 1).unwrap();
    let program = Program::start_with(
        folder.path(),
        NOON,
        PathOptions::default(),
        WriterOptions::default(),
        Some(shipping.clone()),
    );
    info!(target: "t", "both");
    program.pass(Duration::from_secs(1)).await;
    assert_eq!(program.count(&json!({ "match_all": {} })), 1);
    assert_eq!(shipping.stats().buffer_documents, 1);
    assert_eq!(shipping.stats().oldest_at, Some(NOON.parse().unwrap()));
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn disk_that_fails_loses_the_oldest_and_holds_up_nobody_else() {
    let (folder, buffer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = Arc::new(VirtualClock::starting_at(NOON.parse().unwrap()));
    let config = ShippingConfig::new("http://127.0.0.1:9".parse().unwrap());
    let shipping = Shipping::open(buffer.path(), config, clock, 1).unwrap();
    let writing = WriterOptions { pending_max: 5, ..WriterOptions::default() };
    let program = Program::start_with(
        folder.path(),
        NOON,
        PathOptions::default(),
        writing,
        Some(shipping.clone()),
    );
    std::fs::remove_dir(buffer.path()).unwrap();
    for number in 0..8 {
        info!(target: "t", number, "event");
    }
    program.pass(Duration::from_secs(3)).await;
    let lane = program.counts.stats().buffer.unwrap();
    assert_eq!((lane.dropped, lane.pending), (3, 5));
    assert!(2 <= lane.failures, "{lane:?}");
    assert_eq!(program.count(&json!({ "match_all": {} })), 8);
    assert_eq!(program.counts.stats().index.unwrap(), Default::default());

    std::fs::create_dir(buffer.path()).unwrap();
    program.pass(Duration::from_secs(2)).await;
    assert_eq!(shipping.stats().buffer_documents, 5);
    assert_eq!(program.counts.stats().buffer.unwrap().pending, 0);
    program.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_has_no_place_to_go_is_counted_as_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), NOON, PathOptions::default());
    let clock: Arc<dyn Clock> = program.clock.clone();
    let (documents, queue) =
        documents::open(&DocumentConfig::default(), Redactor::default(), Arc::clone(&clock));
    let silent = LogConfig { filter: "off".parse().unwrap(), ..LogConfig::default() };
    let log = subscriber(&silent, Redactor::default(), clock, None, Some(&documents), io::sink);
    tracing::subscriber::with_default(log, || info!(target: "t", "before"));
    let writer = LogWriter::new(queue, WriterOptions::default(), None, None);
    writer.run(CancellationToken::new()).await;
    assert_eq!((documents.stats().dropped, documents.stats().waiting_bytes), (1, 0));
    program.stop().await;
}
