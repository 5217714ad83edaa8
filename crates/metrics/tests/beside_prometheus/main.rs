//! A real Prometheus and Pampero scrape the same targets, and keep the same; and that Prometheus
//! sends what it keeps by remote write, which arrives as it was sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod prometheus;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pampero_metrics::{Health, History, HistoryOptions, Jobs, RemoteWriteRequest, ScrapeTarget};
use pampero_resilience::SystemClock;
use pampero_series::{Labels, MatchOperator, Matcher, Selection, SeriesSource, is_stale};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use cases::{CASES, Case, EXPLAINED};
use prometheus::Prometheus;

/// From one scrape to the next, of both.
const INTERVAL: Duration = Duration::from_millis(500);

/// What is kept, each series with its newest value; every NaN is the same.
type Kept = BTreeMap<Labels, String>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_keep_the_same_of_the_same_targets() {
    let folder = tempfile::tempdir().unwrap();
    let received = History::open(
        &folder.path().join("received"),
        HistoryOptions { self_scrape: None, ..HistoryOptions::default() },
        Arc::new(SystemClock),
    )
    .unwrap();
    let jobs = jobs();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = axum::Router::new()
        .route("/case/{index}", get(answer_case))
        .route("/write", post(receive))
        .with_state(received.clone());
    jobs.tracker.spawn({
        let cancel = jobs.cancel.clone();
        async move { cancel.run_until_cancelled(axum::serve(listener, router).into_future()).await }
    });
    let prometheus = Prometheus::start(&cases::configuration(&address, INTERVAL));
    let scraped = open_scraped(&folder.path().join("scraped"), &address);
    scraped.start(&jobs);

    until(|| scraped.targets().iter().all(|target| target.health != Health::Unknown)).await;
    let client = &jobs.client;
    until_async(async || prometheus.newest(client, "up").await.len() == cases::all().count()).await;
    // What is sent lies a little behind what is kept, and what a busy machine cut off of one scrape
    // is made good by the next.
    let mut different = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    for _ in 0..80 {
        ticks.tick().await;
        let kept = prometheus.newest(client, "").await;
        different = scraped_differently(&kept, &newest(&scraped, ""));
        different.extend(
            differences(&kept, &newest(&received, "")).map(|line| format!("received {line}")),
        );
        if different.is_empty() && 60 < kept.len() {
            break;
        }
    }
    assert!(different.is_empty(), "not the same:\n{}", different.join("\n"));
    assert!(60 < newest(&scraped, "").len(), "hardly anything was compared");
    // Metadata go by themselves, once a second.
    until(|| !received.metadata(Some("typed_total")).is_empty()).await;
    let helps = received.metadata(Some("typed_total"));
    assert_eq!(helps[0].1[0].help, "With \\ and \n in it", "{helps:?}");

    jobs.cancel.cancel();
    jobs.tracker.close();
    jobs.tracker.wait().await;
}

/// Returns what is different, series by series, and which explanations explain nothing.
fn scraped_differently(prometheus: &Kept, pampero: &Kept) -> Vec<String> {
    let mut different: Vec<_> = differences(prometheus, pampero).collect();
    for (index, explained) in EXPLAINED.iter().enumerate() {
        let job = format!("job=\"case-{}\"", CASES.len() + index);
        let before = different.len();
        different.retain(|line| !line.contains(&job));
        if different.len() == before {
            different.push(format!("nothing of {job}, although {}", explained.reason));
        }
    }
    different.into_iter().map(|line| format!("scraped {line}")).collect()
}

fn differences<'k>(prometheus: &'k Kept, pampero: &'k Kept) -> impl Iterator<Item = String> + 'k {
    let all: BTreeSet<_> = prometheus.keys().chain(pampero.keys()).collect();
    let different =
        all.into_iter().filter(move |labels| prometheus.get(labels) != pampero.get(labels));
    different.map(move |labels| {
        let (theirs, ours) = (prometheus.get(labels), pampero.get(labels));
        format!("{labels}: Prometheus {theirs:?}, Pampero {ours:?}")
    })
}

fn jobs() -> Jobs {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirect = reqwest::redirect::Policy::none();
    Jobs {
        exposition: Arc::new(String::new),
        alerts: None,
        client: reqwest::Client::builder().no_proxy().redirect(redirect).build().unwrap(),
        tracker: TaskTracker::new(),
        cancel: CancellationToken::new(),
    }
}

fn open_scraped(folder: &std::path::Path, address: &str) -> History {
    let target = |(index, case): (usize, &Case)| {
        let url = format!("http://{address}/case/{index}").parse().unwrap();
        let mut target = ScrapeTarget::new(&format!("case-{index}"), url);
        (target.interval, target.timeout) = (INTERVAL, INTERVAL);
        target.honor_labels = case.honor_labels;
        target.honor_timestamps = case.honor_timestamps;
        target.labels =
            [("zone", "south"), ("exported_zone", case.exported_zone)].into_iter().collect();
        if case.sample_limit != 0 {
            target.limits.samples_max = case.sample_limit;
        }
        target
    };
    let targets = cases::all().enumerate().map(target).collect();
    let options = HistoryOptions { self_scrape: None, targets, ..HistoryOptions::default() };
    History::open(folder, options, Arc::new(SystemClock)).unwrap()
}

async fn answer_case(Path(index): Path<usize>) -> Response {
    let case = cases::all().nth(index).unwrap();
    let content_type = if case.open_metrics {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4"
    };
    let body = cases::body(case);
    ([("content-type", content_type)], body).into_response()
}

async fn receive(
    State(history): State<History>,
    headers: HeaderMap,
    body: bytes::Bytes,
) -> StatusCode {
    let result = tokio::task::spawn_blocking(move || {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        history.receive_remote_write(RemoteWriteRequest {
            content_type: header("content-type"),
            content_encoding: header("content-encoding"),
            body: &body,
        })
    });
    match result.await.unwrap() {
        Ok(()) => StatusCode::NO_CONTENT,
        // A series that a target gave twice is sent twice, and the first one holds.
        Err(error) if error.to_string().contains("for the same time") => StatusCode::BAD_REQUEST,
        Err(error) => panic!("{error}"),
    }
}

/// Returns the newest value of each series of a metric, or of all, without what depends on time.
fn newest(history: &History, metric: &str) -> Kept {
    let pattern = if metric.is_empty() { ".+" } else { metric };
    let matchers = [Matcher::new("__name__", MatchOperator::Regex, pattern).unwrap()];
    let selection = Selection { matchers: &matchers, start_ms: 0, end_ms: i64::MAX / 2 };
    let mut kept = Kept::new();
    let mut visit = |labels: &Labels, columns: pampero_series::Columns<'_>| {
        let value = columns.values.iter().rfind(|value| !is_stale(**value));
        if let Some(value) = value.filter(|_| !cases::depends_on_time(labels)) {
            kept.insert(labels.clone(), value.to_string());
        }
        ControlFlow::Continue(())
    };
    history.store().select(selection, &mut visit).unwrap();
    kept
}

async fn until(is_done: impl Fn() -> bool) {
    until_async(async || is_done()).await;
}

/// Waits for a process beside this one, which has a clock of its own.
async fn until_async(is_done: impl AsyncFn() -> bool) {
    let wait = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        while !is_done().await {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it takes no 30 s");
}
