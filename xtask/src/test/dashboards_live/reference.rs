//! The real Prometheus, with a real node_exporter as its second target.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::ask::ask;
use crate::program::{Program, free_address};
use crate::test::dashboards::document::{Query, items, text};
use crate::test::rules;
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running Prometheus and a running node_exporter.
pub(super) struct Reference {
    prometheus: Program,
    node_exporter: Program,
    log: PathBuf,
}

impl Reference {
    /// Starts both; Prometheus scrapes `demo` and passes every sample on to it.
    ///
    /// # Errors
    /// One of them cannot be started or does not answer.
    pub(super) fn start(workspace: &Workspace, folder: &Path, demo: SocketAddr) -> Result<Self> {
        let node_exporter = start_node_exporter(folder)?;
        let configuration = folder.join("prometheus.yml");
        let rule_files = rules::files(workspace, rules::FOLDER)?;
        let rule_files: Vec<_> =
            rule_files.iter().map(|file| workspace.root.join(file).display().to_string()).collect();
        let text = configure(demo, node_exporter.address(), &rule_files);
        std::fs::write(&configuration, text)
            .with_context(|| format!("cannot write {}", configuration.display()))?;

        let (address, log) = (free_address()?, folder.join("prometheus.log"));
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", configuration.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("samples").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.arg("--web.route-prefix=/prometheus").arg("--web.enable-remote-write-receiver");
        let mut prometheus = Program::start(command.current_dir(folder), address, &log)?;
        prometheus
            .wait_until_ready("/prometheus/-/ready", Duration::from_millis(100), START_LIMIT)
            .with_context(|| format!("its output is in {}", log.display()))?;
        Ok(Self { prometheus, node_exporter, log })
    }

    /// Returns where Prometheus listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.prometheus.address()
    }

    /// Tells whether both still run.
    ///
    /// # Errors
    /// The system cannot say.
    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(self.prometheus.is_running()? && self.node_exporter.is_running()?)
    }

    /// Returns what went wrong: targets that are down, rules that failed, and warnings in the log,
    /// where doubled and late samples are told.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn faults(&self) -> Result<Vec<String>> {
        let targets = ask(self.address(), "targets", &[])?;
        let down = items(&targets["activeTargets"]).filter(|target| target["health"] != "up");
        let down = down.map(|it| format!("{} is not up: {}", it["scrapeUrl"], it["lastError"]));
        let groups = ask(self.address(), "rules", &[])?;
        let rules = items(&groups["groups"]).flat_map(|group| items(&group["rules"]));
        let failed = rules
            .filter(|rule| rule["health"] != "ok")
            .map(|rule| format!("{} is {}: {}", rule["name"], rule["health"], rule["lastError"]));
        let log = std::fs::read_to_string(&self.log)
            .with_context(|| format!("cannot read {}", self.log.display()))?;
        let is_warning =
            |line: &&str| ["level=warn", "level=error"].iter().any(|it| line.contains(it));
        let warnings = log.lines().filter(is_warning).map(str::to_owned);
        Ok(down.chain(failed).chain(warnings).collect())
    }

    /// Returns the expressions of all rules as queries.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn rules(&self) -> Result<Vec<Query>> {
        let groups = ask(self.address(), "rules", &[("type", "record")])?;
        let rules = items(&groups["groups"]).flat_map(|group| items(&group["rules"]));
        let queries = rules.map(|rule| Query {
            owner: format!("rule {}", text(&rule["name"])),
            reference: String::new(),
            expression: text(&rule["query"]).to_owned(),
            is_instant: false,
        });
        Ok(queries.collect())
    }

    /// Returns the names of all metrics it has samples of.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn metric_names(&self) -> Result<BTreeSet<String>> {
        let names = ask(self.address(), "label/__name__/values", &[])?;
        Ok(items(&names).map(|name| text(name).to_owned()).collect())
    }
}

fn start_node_exporter(folder: &Path) -> Result<Program> {
    let (address, log) = (free_address()?, folder.join("node_exporter.log"));
    let mut command = Command::new("prometheus-node-exporter");
    command.arg(format!("--web.listen-address={address}")).current_dir(folder);
    let mut program = Program::start(&mut command, address, &log)?;
    program
        .wait_until_ready("/metrics", Duration::from_millis(100), START_LIMIT)
        .with_context(|| format!("its output is in {}", log.display()))?;
    Ok(program)
}

/// Returns the configuration: two jobs, the rules, and the demo as the place to pass samples on to.
///
/// What the rules made is kept back, because the demo evaluates the same rules at other instants.
fn configure(demo: SocketAddr, node_exporter: SocketAddr, rule_files: &[String]) -> String {
    let rule_files: String = rule_files.iter().map(|file| format!("  - '{file}'\n")).collect();
    format!(
        "global:
  scrape_interval: 1s
  scrape_timeout: 1s
rule_files:
{rule_files}scrape_configs:
  - job_name: watched
    static_configs: [{{ targets: ['{demo}'] }}]
  - job_name: watched-node
    static_configs: [{{ targets: ['{node_exporter}'] }}]
remote_write:
  - url: http://{demo}/prometheus/api/v1/write
    queue_config: {{ batch_send_deadline: 500ms, max_shards: 1 }}
    write_relabel_configs:
      - {{ source_labels: [__name__], regex: '.+:.+', action: drop }}
"
    )
}
