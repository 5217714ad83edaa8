//! The log index as strangers use it: scenarios of OpenSearch's REST API, and its client for Python.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::subprocess;
use crate::test::{Counts, Options, demo};
use crate::tools::python_program;
use crate::workspace::Workspace;

/// Plays the scenarios beside it; takes the URL of the server.
const SCENARIOS: &str = "crates/logs/tests/scenarios/run.py";
/// The tests of the client; they find the URL of the server in `OPENSEARCH_URL`.
const CLIENT: &str = "crates/logs/tests/clients";

/// Runs both against one demo; every scenario and every test of the client counts as one.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let folder = workspace.empty_folder("opensearch")?;
    let mut demo = demo::start(workspace, &folder, &[])?;
    let url = format!("http://{}/opensearch", demo.address());

    let report = folder.join("scenarios.xml");
    let mut scenarios = python_program(workspace, "python");
    scenarios.arg(SCENARIOS).args(["--url", &url, "--report"]).arg(&report);
    let played = counted(&mut scenarios, &report)?;

    let report = folder.join("client.xml");
    let mut client = python_program(workspace, "python");
    client.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", CLIENT, "--junit-xml"]);
    client.arg(&report).env("OPENSEARCH_URL", &url).env("PYTHONDONTWRITEBYTECODE", "1");
    let tested = counted(&mut client, &report)?;

    if !demo.is_running()? {
        bail!("the demo ended while it was being asked; its output is in {}", folder.display());
    }
    demo.stop()?;
    Ok([played, tested].into_iter().sum())
}

/// Runs a command that leaves a JUnit report.
fn counted(command: &mut Command, report: &std::path::Path) -> Result<Counts> {
    let succeeded = subprocess::watch(command, |_| {})?;
    let text = std::fs::read_to_string(report).context("there is no report")?;
    let counts = Counts::from_junit(&text).context("the report has no totals")?;
    if !succeeded && counts.failed == 0 {
        bail!("it failed beside its tests");
    }
    Ok(counts)
}
