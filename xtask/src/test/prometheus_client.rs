//! The Prometheus client for Python, as a stranger would use it, against the running demo.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::program::Program;
use crate::subprocess;
use crate::test::{Counts, Options, demo};
use crate::tools::python_program;
use crate::workspace::Workspace;

/// Asserts on what the client returns; takes the address of the API as its argument.
const SCRIPT: &str = "crates/metrics/tests/clients/prometheus_api_client.py";

/// How long the demo may take to see itself for the first time.
const HISTORY_LIMIT: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(250);

/// Runs the script; it counts as one test.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let folder = workspace.empty_folder("prometheus-client")?;
    let mut demo = demo::start(workspace, &folder, &[])?;
    wait_for_history(&demo)?;
    let mut python = python_program(workspace, "python");
    python.arg(SCRIPT).arg(format!("http://{}/prometheus", demo.address()));
    let succeeded = subprocess::watch(&mut python, |_| {})?;
    if !demo.is_running()? {
        bail!("the demo ended while it was being asked");
    }
    demo.stop()?;
    Ok(Counts { passed: u64::from(succeeded), failed: u64::from(!succeeded), skipped: 0 })
}

/// Waits until the history holds the first sample of `up`.
fn wait_for_history(demo: &Program) -> Result<()> {
    let begun = Instant::now();
    loop {
        let (status, body) = demo.get("/prometheus/api/v1/query?query=up")?;
        if status == 200 && body.contains("\"value\":[") {
            return Ok(());
        }
        if HISTORY_LIMIT < begun.elapsed() {
            bail!("the history is empty after {HISTORY_LIMIT:?}; `up` answers {status}: {body}");
        }
        std::thread::sleep(PAUSE);
    }
}
