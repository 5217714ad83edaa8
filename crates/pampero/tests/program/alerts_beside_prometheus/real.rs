//! The real programs, each with a folder of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running Prometheus, which ends with it.
pub(super) struct Prometheus(Process);

/// A running Alertmanager, which ends with it.
pub(super) struct Alertmanager(Process);

struct Process {
    child: Child,
    address: String,
    base: String,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it with the rules of a folder; it scrapes `target` and tells `manager`, both `host:port`.
    pub(super) fn start(rules: &Path, target: &str, manager: &str) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{}/*.yml']\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{manager}']}}]}}]}}\n\
             scrape_configs: [{{job_name: scene, static_configs: [{{targets: ['{target}']}}]}}]\n",
            rules.display()
        );
        Self(Process::start("prometheus", "tsdb.path", &config, &[]))
    }

    /// Returns where its API begins.
    pub(super) fn base(&self) -> &str {
        &self.0.base
    }
}

impl Alertmanager {
    /// Starts one that tells nobody.
    pub(super) fn start() -> Self {
        let config = "route: {receiver: none}\nreceivers: [{name: none}]\n";
        let alone = ["--cluster.listen-address="];
        Self(Process::start("prometheus-alertmanager", "path", config, &alone))
    }

    /// Returns where it listens, as `host:port`.
    pub(super) fn address(&self) -> &str {
        &self.0.address
    }

    /// Returns where its API begins.
    pub(super) fn base(&self) -> &str {
        &self.0.base
    }
}

impl Process {
    /// Starts a program on a free port; `storage` is how its option for the folder of its data ends.
    fn start(program: &str, storage: &str, config: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.{storage}={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program}: {error}; run `cargo xtask test` once, which installs it")
            });
        let base = format!("http://{address}");
        Self { child, address, base, _folder: folder }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that is gone already is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
