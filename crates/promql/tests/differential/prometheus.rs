//! A real Prometheus that is fed by remote write and asked over HTTP.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::data::{END_MS, Recording, START_MS};
use crate::wire;

/// Longest time until it answers.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How much time one write covers; it takes no samples that lie an hour behind the newest.
const SLICE_MS: i64 = 10 * 60_000;

/// A running Prometheus with a store of its own, which ends with it.
pub(crate) struct Prometheus {
    process: Child,
    address: String,
    agent: ureq::Agent,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it on a free port and waits until it is ready.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, "global: {scrape_interval: 15s, evaluation_interval: 15s}\n")
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--web.enable-remote-write-receiver", "--log.level=error"])
            .args(["--enable-feature=promql-at-modifier,promql-negative-offset"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is missing; run `cargo xtask test` once, which installs it");
        let agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().http_status_as_error(false).build(),
        );
        let prometheus = Self { process, address, agent, _folder: folder };
        prometheus.wait_until_ready();
        prometheus
    }

    fn wait_until_ready(&self) {
        let url = format!("http://{}/-/ready", self.address);
        let begun = Instant::now();
        while !self.agent.get(&url).call().is_ok_and(|answer| answer.status() == 200) {
            assert!(begun.elapsed() < READY_WITHIN, "prometheus did not become ready");
            std::thread::yield_now();
        }
    }

    /// Writes all samples, the older ones first.
    pub(crate) fn write(&self, recording: &Recording) {
        let url = format!("http://{}/api/v1/write", self.address);
        let mut from = START_MS - SLICE_MS;
        while from < END_MS + SLICE_MS {
            let body = wire::write_request(&recording.0, from, from + SLICE_MS);
            let answer = self
                .agent
                .post(&url)
                .header("Content-Encoding", "snappy")
                .header("Content-Type", "application/x-protobuf")
                .header("X-Prometheus-Remote-Write-Version", "0.1.0")
                .send(&body[..])
                .unwrap();
            assert_eq!(answer.status(), 204, "{:?}", answer.into_body().read_to_string());
            from += SLICE_MS;
        }
    }

    /// Asks for one answer and returns the JSON body, of an error too.
    pub(crate) fn ask(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("http://{}{path}", self.address);
        let mut answer = self.agent.post(&url).send_form(form.iter().copied()).unwrap();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
