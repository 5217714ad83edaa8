//! Shipping to a cluster that is busy, breaks off, hangs, refuses, goes away and comes back: nothing is
//! lost, nothing is doubled, and the buffer keeps its bounds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cluster;
mod killed;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::{Mood, StandIn};
use jiff::Timestamp;
use pampero_logs::shipping::{Shipping, ShippingConfig, ShippingError, ShippingStats};
use pampero_resilience::SystemClock;
use pampero_telemetry::logging::documents::LogDocument;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn config(url: &str) -> ShippingConfig {
    ShippingConfig {
        batch_documents_max: 50,
        interval: Duration::from_millis(5),
        timeout: Duration::from_millis(250),
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        ..ShippingConfig::new(url.parse().unwrap())
    }
}

/// A program that ships, until it is killed.
struct Program {
    shipping: Shipping,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl Program {
    fn start(folder: &Path, config: ShippingConfig, seed: u64) -> Self {
        // Fails where another test of the same process was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let shipping = Shipping::open(folder, config, Arc::new(SystemClock), seed).unwrap();
        let cancel = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(shipping.clone().run(http, cancel.clone()));
        Self { shipping, cancel, tasks }
    }

    fn put(&self, numbers: std::ops::Range<u64>) {
        for numbers in numbers.collect::<Vec<_>>().chunks(20) {
            let documents: Vec<_> = numbers.iter().map(|number| document(*number)).collect();
            self.shipping.append(&documents).unwrap();
        }
    }

    /// Ends as after a kill: nothing is said goodbye to.
    async fn kill(mut self) {
        self.tasks.shutdown().await;
    }

    async fn stop(mut self) -> ShippingStats {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.shipping.stats()
    }

    async fn wait_until(&self, so_far: impl Fn(ShippingStats) -> bool) -> ShippingStats {
        let looking = async {
            while !so_far(self.shipping.stats()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let limit = Duration::from_secs(10);
        let came = tokio::time::timeout(limit, looking).await;
        came.unwrap_or_else(|_| panic!("it never came to be: {:?}", self.shipping.stats()));
        self.shipping.stats()
    }
}

fn document(number: u64) -> LogDocument {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    LogDocument { at, body: format!("{{\"number\":{number}}}").into() }
}

fn is_done(stats: ShippingStats) -> bool {
    stats.buffer_documents == 0
}

fn all(count: u64) -> Vec<u64> {
    (0..count).collect()
}

#[tokio::test]
async fn documents_reach_the_index_of_their_day() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let mut config = config(&cluster.url());
    config.username = Some("admin".to_owned());
    config.password = Some("pw".into());
    let program = Program::start(folder.path(), config, 1);
    program.put(0..120);
    let stats = program.wait_until(is_done).await;

    assert_eq!(cluster.numbers(), all(120));
    assert_eq!((stats.shipped, stats.retried, stats.rejected, stats.dropped), (120, 0, 0, 0));
    assert!(stats.last_success_at.is_some() && stats.oldest_at.is_none());
    let heard = cluster.heard();
    assert!(heard.documents.keys().all(|(index, _)| index == "weather_logs-2026.11.24"));
    assert_eq!(heard.authorization.as_deref(), Some("Basic YWRtaW46cHc="));
    let template = &heard.templates[0];
    assert_eq!(template["index_patterns"], json!(["weather_logs-*"]));
    assert_eq!(template["template"]["aliases"], json!({ "weather_logs": {} }));
    assert_eq!(template["template"]["mappings"]["properties"]["timestamp"]["type"], "date");
}

#[tokio::test]
async fn documents_wait_for_others_to_be_sent_with() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let config = ShippingConfig { interval: Duration::from_millis(300), ..config(&cluster.url()) };
    let program = Program::start(folder.path(), config, 1);
    for number in 0..40 {
        program.put(number..number + 1);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(40));
    assert!(cluster.heard().requests <= 5, "{} requests", cluster.heard().requests);
}

/// Lets the cluster be in a mood for a while, and looks that it gets everything once after all.
async fn check_recovery(mood: Mood) -> (StandIn, ShippingStats) {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    cluster.be(mood);
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..120);
    cluster.wait_until(|heard| 3 <= heard.requests).await;
    cluster.be(Mood::Well);
    program.put(120..130);
    let stats = program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(130), "{mood:?}");
    assert_eq!((stats.dropped, stats.rejected), (0, 0), "{mood:?}");
    assert_eq!(stats.shipped, 130, "{mood:?}");
    (cluster, stats)
}

#[tokio::test]
async fn busy_or_failing_cluster_gets_everything_later() {
    for mood in [Mood::Busy(0), Mood::Unavailable, Mood::Unauthorized] {
        let (cluster, stats) = check_recovery(mood).await;
        assert!(3 <= stats.requests_failed, "{stats:?}");
        assert_eq!(cluster.heard().conflicts, 0);
    }
}

#[tokio::test]
async fn answer_that_never_came_doubles_nothing() {
    for mood in [Mood::Hanging, Mood::BreakingOff, Mood::Talking] {
        let (cluster, stats) = check_recovery(mood).await;
        // What arrived unheard was sent again under the same ids.
        assert!(50 <= cluster.heard().conflicts, "{mood:?}");
        assert!(3 <= stats.requests_failed, "{mood:?} {stats:?}");
    }
}

#[tokio::test]
async fn documents_that_were_too_much_are_sent_again_alone() {
    let (cluster, stats) = check_recovery(Mood::Partly).await;
    assert_eq!(cluster.heard().conflicts, 0);
    assert_eq!(stats.requests_failed, 0);
    assert!(33 <= stats.retried, "{stats:?}");
}

#[tokio::test]
async fn wait_that_the_cluster_asks_for_is_kept() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    cluster.be(Mood::Busy(1));
    let mut config = config(&cluster.url());
    config.backoff_max = Duration::from_secs(5);
    let program = Program::start(folder.path(), config, 1);
    program.put(0..1);
    cluster.wait_until(|heard| heard.requests == 1).await;
    cluster.be(Mood::Well);
    let asked = tokio::time::Instant::now();
    cluster.wait_until(|heard| heard.requests == 2).await;
    assert!(Duration::from_millis(950) <= asked.elapsed(), "{:?}", asked.elapsed());
    program.wait_until(is_done).await;
}

#[tokio::test]
async fn batch_that_is_too_large_is_sent_in_parts() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    cluster.be(Mood::Narrow(8));
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..120);
    let stats = program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(120));
    assert!(cluster.heard().last_count <= 8);
    assert_eq!((stats.shipped, stats.rejected), (120, 0));
    cluster.be(Mood::Narrow(0));
    program.put(120..122);
    assert_eq!(program.wait_until(is_done).await.rejected, 2);
}

#[tokio::test]
async fn refused_documents_are_set_aside_and_hold_nothing_up() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..10);
    let body = bytes::Bytes::from_static(b"{\"number\":99,\"what\":\"poison\"}");
    program.shipping.append(&[LogDocument { body, ..document(99) }]).unwrap();
    program.put(10..20);
    let stats = program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(20));
    assert_eq!((stats.shipped, stats.rejected), (20, 1));
    let text = std::fs::read_to_string(folder.path().join("rejected.ndjson")).unwrap();
    let letter: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(letter["document"]["what"], "poison");
    assert_eq!(letter["status"], 400);
    assert_eq!(letter["reason"], "mapper_parsing_exception: failed to parse");
}

#[tokio::test]
async fn cluster_that_goes_away_and_comes_back_gets_everything_once() {
    let (mut cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..60);
    program.wait_until(is_done).await;
    cluster.stop().await;
    program.put(60..200);
    let waiting = program.wait_until(|stats| 1 <= stats.requests_failed).await;
    assert!(waiting.oldest_at.is_some());
    assert_eq!(waiting.buffer_documents, 140);
    cluster.restart().await;
    program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(200));
    // The template was looked at again and found as it should be.
    assert_eq!(cluster.heard().templates.len(), 1);
}

#[tokio::test]
async fn program_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let moods =
        [Mood::Well, Mood::Partly, Mood::Hanging, Mood::Unavailable, Mood::BreakingOff, Mood::Well];
    let mut put = 0;
    for run in 0..18_usize {
        cluster.be(moods[run % moods.len()]);
        let program = Program::start(folder.path(), config(&cluster.url()), run as u64 + 1);
        program.put(put..put + 37);
        put += 37;
        // Killed at once, in the middle of a request, or after a while.
        tokio::time::sleep(Duration::from_millis((run as u64 * 13) % 40)).await;
        program.kill().await;
    }
    cluster.be(Mood::Well);
    let program = Program::start(folder.path(), config(&cluster.url()), 100);
    program.wait_until(is_done).await;
    assert_eq!(cluster.numbers(), all(put));
    let stats = program.stop().await;
    assert_eq!((stats.dropped, stats.rejected, stats.damaged_bytes), (0, 0, 0));
}

#[tokio::test]
async fn buffer_keeps_its_bound_and_counts_what_it_drops() {
    let (mut cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    cluster.stop().await;
    let mut config = config(&cluster.url());
    config.buffer_bytes_max = 64 << 10;
    let program = Program::start(folder.path(), config, 1);
    for begin in (0..6_000).step_by(100) {
        program.put(begin..begin + 100);
        let stats = program.shipping.stats();
        assert!(stats.buffer_bytes <= 64 << 10, "{stats:?}");
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let on_disk: u64 = entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(on_disk <= 65 << 10, "{on_disk} bytes on disk");
    }
    cluster.restart().await;
    let stats = program.wait_until(is_done).await;
    assert_eq!(stats.dropped + stats.shipped, 6_000);
    let numbers = cluster.numbers();
    assert_eq!(numbers.len() as u64, stats.shipped);
    // The newest are there without a gap; of the oldest, what was in hand when they were dropped.
    let newest: Vec<u64> = (6_000 - 1_000..6_000).collect();
    assert!(numbers.ends_with(&newest));
}

#[tokio::test]
async fn template_of_somebody_else_is_left_alone() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let theirs = json!({ "index_patterns": ["weather_logs-*"], "priority": 5 });
    cluster.heard().template_there =
        Some(json!({ "index_templates": [{ "name": "weather_logs", "index_template": theirs }] }));
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..5);
    program.wait_until(is_done).await;
    assert_eq!(cluster.heard().templates, Vec::<Value>::new());
}

#[tokio::test]
async fn older_template_of_ours_is_renewed() {
    let (cluster, folder) = (StandIn::start().await, tempfile::tempdir().unwrap());
    let ours = json!({ "version": 0, "_meta": { "managed_by": "pampero" } });
    cluster.heard().template_there =
        Some(json!({ "index_templates": [{ "name": "weather_logs", "index_template": ours }] }));
    cluster.heard().has_index = true;
    let program = Program::start(folder.path(), config(&cluster.url()), 1);
    program.put(0..5);
    program.wait_until(is_done).await;
    let heard = cluster.heard();
    assert_eq!(heard.templates.len(), 1);
    // An alias with the name of an index would keep every index from being made.
    assert_eq!(heard.templates[0]["template"]["aliases"], json!({}));
}

#[tokio::test]
async fn buffer_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let config = config("http://127.0.0.1:9");
    let opened = Shipping::open(&file, config.clone(), Arc::new(SystemClock), 1);
    assert!(matches!(opened, Err(ShippingError::Buffer { .. })), "{opened:?}");
    let wrong = ShippingConfig { index: "_x".to_owned(), ..config };
    let opened = Shipping::open(folder.path(), wrong, Arc::new(SystemClock), 1);
    assert!(matches!(opened, Err(ShippingError::Config(_))), "{opened:?}");
}
