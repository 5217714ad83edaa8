//! The Prometheus client for Python, as a stranger would use it, against the running demo.

use anyhow::{Result, bail};

use crate::subprocess;
use crate::test::{Counts, Options, demo};
use crate::tools::python_program;
use crate::workspace::Workspace;

/// Asserts on what the client returns; takes the address of the API as its argument.
const SCRIPT: &str = "crates/metrics/tests/clients/prometheus_api_client.py";

/// Runs the script; it counts as one test.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let folder = workspace.empty_folder("prometheus-client")?;
    let mut demo = demo::start(workspace, &folder, &[])?;
    let mut python = python_program(workspace, "python");
    python.arg(SCRIPT).arg(format!("http://{}/prometheus", demo.address()));
    let succeeded = subprocess::watch(&mut python, |_| {})?;
    if !demo.is_running()? {
        bail!("the demo ended while it was being asked");
    }
    demo.stop()?;
    Ok(Counts { passed: u64::from(succeeded), failed: u64::from(!succeeded), skipped: 0 })
}
