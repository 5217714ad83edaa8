//! A real Prometheus with a configuration and a store of its own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use pampero_series::Labels;
use serde_json::Value;
use tempfile::TempDir;

use crate::Kept;
use crate::cases;

/// A running Prometheus, which ends with this.
pub(crate) struct Prometheus {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it on a free port.
    pub(crate) fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, configuration).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus is missing; run `cargo xtask test` once, which installs it");
        Self { process, address, _folder: folder }
    }

    /// Returns the newest value of each series of a metric, or of all, without what depends on
    /// time; nothing while it does not answer.
    pub(crate) async fn newest(&self, client: &reqwest::Client, metric: &str) -> Kept {
        let pattern = if metric.is_empty() { ".+" } else { metric };
        let query = format!("last_over_time({{__name__=~\"{pattern}\"}}[1h])");
        let url = format!("http://{}/api/v1/query", self.address);
        let Ok(answer) = client.get(url).query(&[("query", query)]).send().await else {
            return Kept::new();
        };
        let Ok(body) = answer.json::<Value>().await else { return Kept::new() };
        let series = body["data"]["result"].as_array().cloned().unwrap_or_default();
        let series = series.iter().map(|series| {
            let labels = series["metric"].as_object().unwrap().iter();
            let labels: Labels =
                labels.map(|(name, value)| (name, value.as_str().unwrap())).collect();
            let value: f64 = series["value"][1].as_str().unwrap().parse().unwrap();
            (labels, value.to_string())
        });
        series.filter(|(labels, _)| !cases::depends_on_time(labels)).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
