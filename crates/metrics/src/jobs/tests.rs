//! What the jobs do: on a schedule under a virtual clock, and with real targets over HTTP.

mod rules;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use pampero_resilience::{Clock, VirtualClock};
use pampero_samples::SampleOptions;
use secrecy::SecretString;

use super::*;
use crate::options::HistoryOptions;
use crate::rules::RuleGroup;
use crate::scrape::relabel::Relabel;
use crate::scrape::target::{Credentials, ScrapeTarget};
use crate::state::Health;
use crate::testkit;

fn jobs(exposition: impl Fn() -> String + Send + Sync + 'static) -> Jobs {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Jobs {
        exposition: Arc::new(exposition),
        alerts: None,
        client,
        tracker: TaskTracker::new(),
        cancel: CancellationToken::new(),
    }
}

async fn stop(jobs: &Jobs) {
    jobs.cancel.cancel();
    jobs.tracker.close();
    jobs.tracker.wait().await;
}

/// Returns the distances between the samples of the only series of a metric, in milliseconds.
fn distances(history: &History, metric: &str) -> Vec<i64> {
    let lines = testkit::kept(history.store(), metric, 0);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let samples = line.rsplit_once(": ").unwrap().1.split(' ');
    let times: Vec<i64> =
        samples.map(|sample| sample.split_once('=').unwrap().0.parse().unwrap()).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn the_program_scrapes_itself_and_evaluates_rules() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
    let engine = pampero_promql::Engine::new(pampero_promql::Options::default());
    let rules = "groups: [{name: a, rules: [{record: b, expr: 'count(c)'}]}]";
    let rule_groups = RuleGroup::parse_file("r.yml", rules, &engine).unwrap();
    let options = HistoryOptions { rule_groups, ..HistoryOptions::default() };
    let scrapes = AtomicUsize::new(0);
    let jobs = jobs(move || {
        let count = scrapes.fetch_add(1, Ordering::Relaxed);
        let passing = if count == 1 { "gone{x=\"1\"} 7\n" } else { "" };
        format!("# TYPE c counter\n# HELP c Counted\nc {count}\n{passing}")
    });
    let history = History::open(folder.path(), options, clock.clone()).unwrap();
    history.start(&jobs);
    tokio::time::sleep(Duration::from_secs(60)).await;
    stop(&jobs).await;

    let every = 15_000;
    assert_eq!(distances(&history, "c"), [every; 3]);
    assert_eq!(distances(&history, "up"), [every; 3]);
    assert_eq!(distances(&history, "b").iter().max(), Some(&every));
    let gone = testkit::kept(history.store(), "gone", 0).remove(0);
    assert!(gone.starts_with(r#"gone{instance="localhost:8000", job="pampero", x="1"}: "#));
    let values: Vec<_> = gone.split(' ').filter_map(|part| part.rsplit_once('=')).collect();
    assert_eq!(values.iter().rev().take(2).map(|pair| pair.1).collect::<Vec<_>>(), ["stale", "7"]);
    let added = testkit::kept(history.store(), "scrape_series_added", 0).remove(0);
    let added: Vec<_> = added.rsplit(' ').take(4).map(|s| s.rsplit_once('=').unwrap().1).collect();
    assert_eq!(added, ["0", "0", "1", "1"], "the latest first");
    let metadata = history.metadata(Some("c"));
    assert_eq!(metadata[0].1[0].help, "Counted");
    assert_eq!(history.targets()[0].health, Health::Good);
    assert_eq!(history.rule_groups()[0].rules[0].last_error, None);
}

#[tokio::test(start_paused = true)]
async fn history_goes_on_after_a_restart_without_doubling() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
    let mut total = 0;
    for run in 1..=3 {
        let history =
            History::open(folder.path(), HistoryOptions::default(), clock.clone()).unwrap();
        let jobs = jobs(|| "c 1\n".to_owned());
        history.start(&jobs);
        tokio::time::sleep(Duration::from_secs(46)).await;
        stop(&jobs).await;
        history.store().maintain(history.now_ms()).unwrap();
        let samples = distances(&history, "c").len() + 1;
        assert!((total + 3..=total + 4).contains(&samples), "{samples} after run {run}");
        assert!(distances(&history, "c").iter().all(|distance| *distance == 15_000));
        total = samples;
    }
}

/// A clock that is set by hand.
#[derive(Debug)]
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_is_survived_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let noon_ms = testkit::noon().as_millisecond();
    let clock = Arc::new(SetClock(AtomicI64::new(noon_ms)));
    let samples =
        SampleOptions { late_window: Duration::from_secs(600), ..SampleOptions::default() };
    let options = HistoryOptions { samples, ..HistoryOptions::default() };
    let history = History::open(folder.path(), options, clock.clone()).unwrap();
    let jobs = jobs(|| "c 1\n".to_owned());
    for (now_ms, refused) in [(noon_ms, 0), (noon_ms - 3_600_000, 6), (noon_ms + 15_000, 6)] {
        clock.0.store(now_ms, Ordering::Relaxed);
        scrape(&history, &history.scraped()[0].clone(), turn(now_ms), &jobs).await;
        assert_eq!(history.store().statistics().too_old_total, refused);
    }
    let kept = testkit::kept(history.store(), "c", noon_ms);
    assert_eq!(kept, [r#"c{instance="localhost:8000", job="pampero"}: 0=1 15000=1"#]);
}

#[tokio::test(start_paused = true)]
async fn a_malformed_answer_of_its_own_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
    let history = History::open(folder.path(), HistoryOptions::default(), clock).unwrap();
    let jobs = jobs(|| "c 1\nd x\n".to_owned());
    scrape(&history, &history.scraped()[0].clone(), turn(history.now_ms()), &jobs).await;
    let state = history.targets().remove(0);
    assert_eq!(state.health, Health::Bad);
    let error = "the answer is malformed: line 2: the value is no number";
    assert_eq!(state.last_error.as_deref(), Some(error));
    assert_eq!(testkit::kept(history.store(), "c", 0), [""; 0]);
}

fn turn(due_ms: i64) -> Turn {
    Turn { due_ms, wait: Duration::ZERO, missed: 0 }
}

/// A target over HTTP that says what it is told to, and a history that scrapes it.
struct Stand {
    _folder: tempfile::TempDir,
    history: History,
    jobs: Jobs,
    answer: Arc<Mutex<Answer>>,
    at_ms: Mutex<i64>,
}

type Answer = Box<dyn Fn(&Uri, &HeaderMap) -> Response + Send>;

impl Stand {
    async fn new(change: impl FnOnce(&mut ScrapeTarget)) -> Self {
        let answer: Arc<Mutex<Answer>> =
            Arc::new(Mutex::new(Box::new(|_, _| StatusCode::NOT_FOUND.into_response())));
        let jobs = jobs(String::new);
        let address = serve(answer.clone(), &jobs).await;
        let url = format!("http://{address}/metrics").parse().unwrap();
        let mut target = ScrapeTarget::new("node", url);
        target.labels = [("instance", "a")].into_iter().collect();
        change(&mut target);
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(VirtualClock::starting_at(testkit::noon()));
        let options = HistoryOptions {
            self_scrape: None,
            targets: vec![target],
            ..HistoryOptions::default()
        };
        let history = History::open(folder.path(), options, clock).unwrap();
        let at_ms = Mutex::new(testkit::noon().as_millisecond());
        Self { _folder: folder, history, jobs, answer, at_ms }
    }

    /// Scrapes once, a second after the time before; returns what was wrong.
    async fn scrape(
        &self,
        answer: impl Fn(&Uri, &HeaderMap) -> Response + Send + 'static,
    ) -> Option<String> {
        *self.answer.lock().unwrap() = Box::new(answer);
        let target = self.history.scraped()[0].clone();
        let (http, url) = target.http.clone().unwrap();
        let answer = fetch(&self.jobs.client, &http, &url).await;
        let at_ms = {
            let mut at_ms = self.at_ms.lock().unwrap();
            *at_ms += 1000;
            *at_ms
        };
        let timing = Timing { at_ms, duration: Duration::from_millis(250) };
        let answer = answer.map_err(|error| error.to_string());
        target.record(self.history.writer(), answer, timing);
        target.state().last_error
    }

    /// Returns the series of a metric without the labels of the target, times in milliseconds.
    fn kept(&self, metric: &str) -> Vec<String> {
        let zero_ms = testkit::noon().as_millisecond();
        let lines = testkit::kept(self.history.store(), metric, zero_ms);
        lines.iter().map(|line| line.replace(r#"{instance="a", job="node"}"#, "")).collect()
    }
}

async fn serve(answer: Arc<Mutex<Answer>>, jobs: &Jobs) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = move |uri: Uri, headers: HeaderMap| {
        let response = (answer.lock().unwrap())(&uri, &headers);
        async move { response }
    };
    let router = axum::Router::new().fallback(handler);
    jobs.tracker.spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn a_target_is_up_and_down_and_up_again() {
    let stand = Stand::new(|_| {}).await;
    let both = "a{x=\"1\"} 1\nb 2\nb_at 3 1795521600000\n";
    assert_eq!(stand.scrape(move |_, _| both.into_response()).await, None);
    let error = stand.scrape(|_, _| StatusCode::BAD_GATEWAY.into_response()).await;
    let expected = "the target answered with HTTP status 502 Bad Gateway";
    assert_eq!(error.as_deref(), Some(expected));
    assert_eq!(stand.history.targets()[0].health, Health::Bad);
    assert_eq!(stand.scrape(|_, _| "b 4\n".into_response()).await, None);

    assert_eq!(stand.kept("up"), ["up: 1000=1 2000=0 3000=1"]);
    assert_eq!(stand.kept("a"), [r#"a{instance="a", job="node", x="1"}: 1000=1 2000=stale"#]);
    assert_eq!(stand.kept("b"), ["b: 1000=2 2000=stale 3000=4"]);
    // A series with times of its own has no time at which it could be seen to end.
    assert_eq!(stand.kept("b_at"), ["b_at: 0=3"]);
    let durations = "scrape_duration_seconds: 1000=0.25 2000=0.25 3000=0.25";
    assert_eq!(stand.kept("scrape_duration_seconds"), [durations]);
    let scraped = "scrape_samples_scraped: 1000=3 2000=0 3000=1";
    assert_eq!(stand.kept("scrape_samples_scraped"), [scraped]);
}

#[tokio::test]
async fn open_metrics_is_read_by_its_content_type() {
    let stand = Stand::new(|_| {}).await;
    let answer = |body: &'static str| {
        let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        move |_: &Uri, headers: &HeaderMap| {
            assert!(headers["accept"].to_str().unwrap().contains("openmetrics"));
            ([("content-type", content_type)], body).into_response()
        }
    };
    assert_eq!(stand.scrape(answer("a 1 1795521600.5\n# EOF\n")).await, None);
    assert_eq!(stand.kept("a"), ["a: 500=1"]);
    let error = stand.scrape(answer("a 1\n")).await.unwrap();
    assert_eq!(error, "the answer is malformed: line 1: the text is cut off: '# EOF' is missing");
}

#[tokio::test]
async fn limits_are_kept() {
    let check = async |change: fn(&mut ScrapeTarget), expected: &str| {
        let stand = Stand::new(change).await;
        let text = "a{name=\"value\"} 1\nb{name=\"value\"} 2\n";
        let error = stand.scrape(move |_, _| text.into_response()).await.unwrap_or_default();
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
        assert_eq!(stand.kept("up"), ["up: 1000=0"], "{expected}");
        assert_eq!(stand.kept("a"), [""; 0], "{expected}");
    };
    check(|target| target.body_bytes_max = 10, "more than 10 bytes").await;
    check(|target| target.limits.samples_max = 1, "more than 1 samples").await;
    check(|target| target.limits.labels_max = 3, "has 4 labels, and 3 are the most").await;
    check(|target| target.limits.label_name_bytes_max = 7, "is too long").await;
    check(|target| target.limits.label_value_bytes_max = 4, "is too long").await;
}

#[tokio::test]
async fn a_target_is_asked_with_parameters_and_credentials() {
    let echo = |uri: &Uri, headers: &HeaderMap| {
        let authorization = headers.get("authorization").map(|value| value.to_str().unwrap());
        let query = uri.query().unwrap_or_default();
        format!("a{{query=\"{query}\",auth=\"{}\"}} 1\n", authorization.unwrap_or_default())
            .into_response()
    };
    let stand = Stand::new(|target| {
        target.params = vec![("module".into(), "a b".into())];
        target.credentials =
            Some(Credentials::Basic { user: "u".into(), password: SecretString::from("p") });
    })
    .await;
    assert_eq!(stand.scrape(echo).await, None);
    let kept = stand.kept("a").remove(0);
    assert!(kept.contains(r#"auth="Basic dTpw", instance="a", job="node", query="module=a+b""#));
    let stand = Stand::new(|target| {
        target.credentials = Some(Credentials::Bearer(SecretString::from("token-1")));
    })
    .await;
    assert_eq!(stand.scrape(echo).await, None);
    assert!(stand.kept("a").remove(0).contains(r#"auth="Bearer token-1""#));
    assert!(!format!("{:?}", stand.history.targets()).contains("token-1"));
}

#[tokio::test]
async fn redirects_are_refused_and_slow_targets_given_up() {
    let stand = Stand::new(|_| {}).await;
    let redirect = |_: &Uri, _: &HeaderMap| {
        (StatusCode::FOUND, [("location", "http://elsewhere.invalid/")]).into_response()
    };
    let error = stand.scrape(redirect).await.unwrap();
    assert_eq!(error, "the target answered with HTTP status 302 Found");

    let stand = Stand::new(|target| target.timeout = Duration::from_millis(50)).await;
    let endless = |_: &Uri, _: &HeaderMap| Response::new(axum::body::Body::from_stream(Pending));
    let error = stand.scrape(endless).await.unwrap();
    assert_eq!(error, "the target did not answer within 0.05 s");
}

#[tokio::test]
async fn compressed_answers_are_read_and_measured_as_what_they_become() {
    let compressed = |_: &Uri, headers: &HeaderMap| {
        assert!(headers["accept-encoding"].to_str().unwrap().contains("gzip"));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut encoder, "# A comment\n".repeat(1000).as_bytes()).unwrap();
        std::io::Write::write_all(&mut encoder, b"a 1\n").unwrap();
        ([("content-encoding", "gzip")], encoder.finish().unwrap()).into_response()
    };
    let stand = Stand::new(|_| {}).await;
    assert_eq!(stand.scrape(compressed).await, None);
    assert_eq!(stand.kept("a"), ["a: 1000=1"]);
    let stand = Stand::new(|target| target.body_bytes_max = 11_999).await;
    let error = stand.scrape(compressed).await.unwrap();
    assert_eq!(error, "the answer has more than 11999 bytes");
}

/// A body that never comes.
struct Pending;

impl futures_util::Stream for Pending {
    type Item = Result<bytes::Bytes, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

#[tokio::test]
async fn series_are_relabelled_before_they_are_kept() {
    let stand = Stand::new(|target| {
        target.honor_timestamps = false;
        target.metric_relabel = vec![
            Relabel::drop(&["__name__"], ";", "go_.*").unwrap(),
            Relabel::label_drop("secret").unwrap(),
        ];
    })
    .await;
    let text = "go_threads 9\na{secret=\"x\"} 1 5\n";
    for _ in 0..2 {
        assert_eq!(stand.scrape(move |_, _| text.into_response()).await, None);
    }
    assert_eq!(stand.kept("a"), ["a: 1000=1 2000=1"]);
    assert_eq!(stand.kept("go_threads"), [""; 0]);
    assert_eq!(stand.kept("scrape_samples_scraped"), ["scrape_samples_scraped: 1000=2 2000=2"]);
    let kept = "scrape_samples_post_metric_relabeling";
    assert_eq!(stand.kept(kept), [format!("{kept}: 1000=1 2000=1")]);
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_told_without_its_parameters() {
    let stand = Stand::new(|target| {
        // Nothing listens on the port for discarding.
        target.url = "http://127.0.0.1:9/metrics?token=hidden".parse().unwrap();
    })
    .await;
    let error = stand.scrape(|_, _| "".into_response()).await.unwrap();
    assert!(error.starts_with("the target cannot be reached: "), "{error}");
    assert!(!error.contains("hidden"), "{error}");
}
