//! A real Prometheus with a store of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::served::Response;

/// Longest time until it answers.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running Prometheus, which ends with it.
pub(crate) struct Prometheus {
    process: Child,
    base: String,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it without rules on a free port and waits until it is ready.
    pub(crate) async fn start(client: reqwest::Client) -> Self {
        Self::start_with(client, "").await
    }

    /// Starts it with the rules of a file `r.yml`.
    pub(crate) async fn start_with(client: reqwest::Client, rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(folder.path().join("r.yml"), rules).unwrap();
        let text =
            "global: {scrape_interval: 15s, evaluation_interval: 15s}\nrule_files: [r.yml]\n";
        std::fs::write(&config, text).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--web.enable-remote-write-receiver", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is missing; run `cargo xtask test` once, which installs it");
        let base = format!("http://127.0.0.1:{port}");
        let prometheus = Self { process, base, client, _folder: folder };
        let begun = Instant::now();
        while !prometheus.is_ready().await {
            assert!(begun.elapsed() < READY_WITHIN, "prometheus did not become ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        prometheus
    }

    async fn is_ready(&self) -> bool {
        let asked = self.client.get(format!("{}/-/ready", self.base)).send().await;
        asked.is_ok_and(|answer| answer.status() == 200)
    }

    /// Sends a request and returns the whole answer.
    pub(crate) async fn ask(&self, request: http::Request<Vec<u8>>) -> Response {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("{}{}", self.base, parts.uri).parse().unwrap();
        let request = http::Request::from_parts(parts, body).try_into().unwrap();
        let answer = self.client.execute(request).await.unwrap();
        Response {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap(),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
