//! An API over a real store, with providers that answer as told and a clock that is set by hand.

// A path, since benchmarks mount this file as well.
#[path = "alerts_app.rs"]
mod alerts_app;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use pampero_alerting::{AlertMetrics, Alerting, Definitions};
use pampero_api::{Api, ApiParts, ServerConfig};
use pampero_index::{Cluster, IndexOptions};
use pampero_loader::{
    Averages, Board, PlaceBook, PlaceDraft, Poller, PollingPolicy, Source, Sources, Timeline,
};
use pampero_logs::metrics::LogMetrics;
use pampero_logs::path::{LogPath, LogWriter, PathOptions, WriterOptions};
use pampero_logs::rest::{RestOptions, RestState};
use pampero_logs::shipping::{Shipping, ShippingConfig};
use pampero_metrics::http::HttpOptions;
use pampero_metrics::{History, HistoryOptions};
use pampero_providers::{
    Answer, Ask, Attribution, Defaults, Profile, ProviderError, Refresh, WeatherProvider,
};
use pampero_resilience::{Clock, MemoryLedger, Policy, QuotaLimit, QuotaWindow, Stack};
use pampero_store::{Batch, Selection, SqliteOptions, SqliteStore, Store};
use pampero_telemetry::logging::documents::{self, DocumentConfig};
use pampero_telemetry::metrics::Metrics;
use pampero_telemetry::redaction::Redactor;
use pampero_weather::event::Event;
use pampero_weather::observation::{Observation, Readings, SourceKind};
use pampero_weather::place::{Coordinates, PlaceId};
use pampero_weather::provider::ProviderId;
use pampero_weather::quality::QualityFlags;
use pampero_weather::unit::{Celsius, Percent, SeaLevelPressure};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The instant at which every test begins.
pub(crate) const NOON: &str = "2026-11-24T15:00:00Z";

/// Reads an instant.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Opens every part of the way of the log, so that all of them have metrics.
fn log_metrics(cluster: Arc<Cluster>, buffer: &Path, clock: &Arc<dyn Clock>) -> LogMetrics {
    let config = DocumentConfig::default();
    let (documents, queue) = documents::open(&config, Redactor::default(), Arc::clone(clock));
    let path =
        LogPath::open(Arc::clone(&cluster), Arc::clone(clock), PathOptions::default()).unwrap();
    let target = ShippingConfig::new("http://127.0.0.1:9/".parse().unwrap());
    let shipping = Shipping::open(buffer, target, Arc::clone(clock), 1).unwrap();
    let (to, over) = (Some(path.clone()), Some(shipping.clone()));
    let writer = LogWriter::new(queue, WriterOptions::default(), to, over);
    LogMetrics {
        clock: Arc::clone(clock),
        documents: Some(documents),
        writer: Some(writer.counts()),
        path: Some(path),
        cluster: Some(cluster),
        shipping: Some(shipping),
    }
}

/// A clock that stands until it is set.
#[derive(Debug)]
pub(crate) struct SetClock {
    now: Mutex<Timestamp>,
    is_broken: AtomicBool,
}

impl SetClock {
    pub(crate) fn set(&self, now: &str) {
        *self.now.lock().unwrap() = at(now);
    }

    /// Makes everybody who asks for the time panic.
    pub(crate) fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        assert!(!self.is_broken.load(Ordering::Relaxed), "a spring of the clock broke");
        *self.now.lock().unwrap()
    }
}

/// A provider that gives no answer but the one it is told.
struct SilentProvider {
    profile: Profile,
    said: Said,
}

/// What the first provider of the chain says of one place; `None` while it says nothing at all.
type Said = Arc<Mutex<Option<Observation>>>;

#[async_trait]
impl WeatherProvider for SilentProvider {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn current(&self, asks: &[Ask]) -> Result<Vec<Answer>, ProviderError> {
        let refusal = || ProviderError::BadRequest { message: "no such parameter".to_owned() };
        let said = self.said.lock().unwrap().clone().ok_or_else(refusal)?;
        let answer = |ask: &Ask| {
            let outcome =
                if ask.place.id == said.place { Ok(said.clone()) } else { Err(refusal()) };
            Answer { place: ask.place.id.clone(), outcome, cache: None }
        };
        Ok(asks.iter().map(answer).collect())
    }
}

fn profile(id: ProviderId, name: &'static str) -> Profile {
    Profile {
        id,
        name,
        attribution: Attribution { text: "Made by hand", url: "https://example.org/" },
        source_kind: SourceKind::Model,
        batch_max: 10,
        refresh: Refresh { every: Duration::from_secs(900), lag: Duration::ZERO },
        defaults: Defaults {
            stale_after: Duration::from_secs(3_600),
            attempt_timeout: Duration::from_secs(10),
            backoff: Duration::from_secs(5),
            backoff_max: Duration::from_secs(60),
            concurrency: 4.try_into().unwrap(),
            rate: None,
            allowances: vec![],
        },
    }
}

/// The API with everything that a test may want to look at or to change.
pub(crate) struct TestApp {
    pub(crate) api: Api,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) board: Arc<Board>,
    pub(crate) places: Arc<PlaceBook>,
    pub(crate) sources: Sources,
    pub(crate) timeline: Timeline,
    pub(crate) averages: Arc<Averages>,
    pub(crate) history: History,
    pub(crate) alerting: Alerting,
    pub(crate) definitions: Arc<Definitions>,
    poller: Arc<Poller>,
    said: Said,
    pub(crate) tracker: TaskTracker,
    pub(crate) cancel: CancellationToken,
    folder: TempDir,
}

/// A response that was read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// Returns the body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error} in {} {:?}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// Returns a header as text; an empty one when it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that it is a problem of that status and code, with all that belongs to one.
    #[track_caller]
    pub(crate) fn check_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:?}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:pampero:problem:{code}"));
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

impl TestApp {
    /// Starts with the places `buenos-aires` and `rosario`, and the default configuration.
    pub(crate) async fn start() -> Self {
        Self::with(ServerConfig::default()).await
    }

    pub(crate) async fn with(config: ServerConfig) -> Self {
        Self::assemble(config, true).await
    }

    /// Starts with the alerts switched off.
    pub(crate) async fn without_alerts() -> Self {
        Self::assemble(ServerConfig::default(), false).await
    }

    async fn assemble(config: ServerConfig, has_alerts: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pampero.sqlite");
        let sqlite = SqliteStore::open(&path, SqliteOptions::default()).await.unwrap();
        let sqlite = Arc::new(sqlite);
        let store: Arc<dyn Store> = Arc::<SqliteStore>::clone(&sqlite);
        let clock =
            Arc::new(SetClock { now: Mutex::new(at(NOON)), is_broken: AtomicBool::new(false) });
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        let board = Arc::new(Board::default());
        let configured = vec![draft("Buenos Aires", -34.6037, -58.3816)];
        let places = Arc::clone(&store);
        let places = PlaceBook::open(places, Arc::clone(&board), configured, None, 4).await;
        let places = Arc::new(places.unwrap());
        places.add(draft("Rosario", -32.9468, -60.6393)).await.unwrap();
        let said = Said::default();
        let sources = chain(Arc::<SetClock>::clone(&clock), &said).await;
        let (timeline, writing) = Timeline::open(Arc::clone(&store), cancel.clone());
        tracker.spawn(writing);
        let shared_clock: Arc<dyn Clock> = Arc::<SetClock>::clone(&clock);
        let averages = Arc::new(Averages::new(
            Arc::clone(&store),
            Arc::clone(&board),
            sources.clone(),
            Arc::clone(&shared_clock),
        ));
        let poller = Poller::open(
            Arc::clone(&places),
            Arc::clone(&board),
            sources.clone(),
            Arc::clone(&store),
            timeline.clone(),
            Arc::clone(&shared_clock),
            PollingPolicy::default(),
            tracker.clone(),
            cancel.clone(),
        );
        let poller = Arc::new(poller.await.unwrap());
        let history_folder = folder.path().join("metrics");
        let options = HistoryOptions::default();
        let history = History::open(&history_folder, options, Arc::clone(&shared_clock)).unwrap();
        let indices = folder.path().join("logs");
        let cluster = Arc::new(Cluster::open(&indices, IndexOptions::default()).unwrap());
        let logs =
            RestState::new(Arc::clone(&cluster), Arc::clone(&shared_clock), RestOptions::default());
        let alerts = alerts_app::open(folder.path(), &logs, &shared_clock);
        let (alerting, definitions) = (alerts.alerting.clone(), Arc::clone(&alerts.definitions));
        let log_metrics = log_metrics(cluster, &folder.path().join("buffer"), &shared_clock);
        let parts = ApiParts {
            places: Arc::clone(&places),
            board: Arc::clone(&board),
            sources: sources.clone(),
            poller: Some(Arc::clone(&poller)),
            timeline: timeline.clone(),
            averages: Arc::clone(&averages),
            store,
            history: Some((history.clone(), HttpOptions::default())),
            logs: Some((logs, Duration::from_secs(60))),
            alerts: has_alerts.then_some(alerts),
            clock: shared_clock,
            config,
            tracker: tracker.clone(),
            cancel: cancel.clone(),
        };
        let mut metrics = Metrics::new("0.1.0", at(NOON));
        metrics.watch_runtime(&tokio::runtime::Handle::current());
        history.register(metrics.area("history"));
        log_metrics.register(metrics.area("logs"));
        AlertMetrics { alerting: alerting.clone() }.register(metrics.area("alerts"));
        let api = Api::new(parts, metrics);
        Self {
            api,
            clock,
            store: sqlite,
            board,
            places,
            sources,
            timeline,
            averages,
            history,
            alerting,
            definitions,
            poller,
            said,
            tracker,
            cancel,
            folder,
        }
    }

    /// Stores an observation and serves it.
    pub(crate) async fn observe(&self, observation: Observation, fallback_cause: Option<&str>) {
        let selection = Selection {
            place: observation.place.clone(),
            provider: observation.provider,
            observed_at: observation.observed_at,
            fallback_cause: fallback_cause.map(str::to_owned),
            decided_at: observation.fetched_at,
        };
        let (observations, selections) = (vec![observation], vec![selection]);
        let batch = Batch { observations, selections, answers: vec![] };
        self.store.record(batch).await.unwrap();
        // Opening a poller puts what the store serves on the board.
        self.open_poller().await;
    }

    /// Lets every provider fail once for every place.
    pub(crate) async fn fail_a_round(&self) {
        let mut events = self.timeline.subscribe();
        let polling = self.tracker.spawn(Arc::clone(&self.poller).run());
        let places = self.places.list().len();
        for _ in 0..places {
            while events.recv().await.unwrap().kind.as_str() != "chain_exhausted" {}
        }
        polling.abort();
    }

    /// Lets the first provider say something of one place, and every provider fail for the others.
    pub(crate) async fn hear(&self, said: Observation) {
        let place = said.place.clone();
        *self.said.lock().unwrap() = Some(said);
        let failed = || {
            self.sources
                .chain()
                .iter()
                .map(|source| source.stack.stats().attempts_failed.iter().sum::<u64>())
                .sum::<u64>()
        };
        let before = failed();
        let polling = self.tracker.spawn(Arc::new(self.open_poller().await).run());
        let is_in_trouble = || self.board.slot(&place).unwrap().trouble().is_some();
        while is_in_trouble() || failed() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        polling.abort();
    }

    async fn open_poller(&self) -> Poller {
        Poller::open(
            Arc::clone(&self.places),
            Arc::clone(&self.board),
            self.sources.clone(),
            Arc::<SqliteStore>::clone(&self.store),
            self.timeline.clone(),
            Arc::<SetClock>::clone(&self.clock),
            PollingPolicy::default(),
            self.tracker.clone(),
            self.cancel.clone(),
        )
        .await
        .unwrap()
    }

    /// Returns where the store keeps its file.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.folder.path().join("pampero.sqlite")
    }

    /// Returns the folder of the alerts' definitions.
    pub(crate) fn alerts_folder(&self) -> PathBuf {
        self.folder.path().join("alerts")
    }

    /// Publishes events and waits until they are stored.
    pub(crate) async fn publish(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.timeline.publish(event);
        }
        self.timeline.flush().await;
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(request(Method::GET, path)).await
    }

    /// Sends a request with a header.
    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Reply {
        let mut request = request(Method::GET, path);
        request
            .headers_mut()
            .insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        self.send(request).await
    }

    /// Sends a JSON body.
    pub(crate) async fn send_json(&self, method: Method, path: &str, body: &str) -> Reply {
        let mut request = request(method, path).map(|_| Body::from(body.to_owned()));
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        self.send(request).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.api.respond(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

/// Returns a request as a program on the same machine sends it.
pub(crate) fn request(method: Method, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8000");
    request.body(Body::empty()).unwrap()
}

/// Returns what a provider might say of a place.
pub(crate) fn observation(
    place: &str,
    provider: ProviderId,
    observed_at: &str,
    t: f64,
) -> Observation {
    let observed_at = at(observed_at);
    Observation {
        place: place.parse().unwrap(),
        provider,
        observed_at,
        fetched_at: observed_at + Duration::from_secs(90),
        source_kind: SourceKind::Model,
        readings: Readings {
            temperature: Some(Celsius(t)),
            relative_humidity: Some(Percent(54.0)),
            pressure_msl: Some(SeaLevelPressure(1017.24)),
            ..Readings::default()
        },
        condition: None,
        flags: QualityFlags::default(),
    }
}

/// Returns a complete place.
pub(crate) fn draft(name: &str, latitude: f64, longitude: f64) -> PlaceDraft {
    PlaceDraft {
        id: PlaceId::from_name(name),
        name: Some(name.to_owned()),
        coordinates: Some(Coordinates::new(latitude, longitude).unwrap()),
        elevation_m: Some(25.0),
        time_zone: Some("America/Argentina/Buenos_Aires".to_owned()),
    }
}

async fn chain(clock: Arc<dyn Clock>, said: &Said) -> Sources {
    let mut chain = Vec::new();
    for (id, name) in [(ProviderId::OpenMeteo, "Open-Meteo"), (ProviderId::MetNorway, "MET Norway")]
    {
        let quota = vec![QuotaLimit { window: QuotaWindow::Day, units: 10_000 }];
        let policy = Policy { quota, ..Policy::default() };
        let ledger = Arc::new(MemoryLedger::default());
        let stack = Stack::open(id.as_str(), policy, Arc::clone(&clock), ledger, 7).await.unwrap();
        let provider = Arc::new(SilentProvider {
            profile: profile(id, name),
            said: if chain.is_empty() { Arc::clone(said) } else { Said::default() },
        });
        chain.push(Source::new(provider, stack, Duration::from_secs(3_600)));
    }
    Sources::new(chain)
}
