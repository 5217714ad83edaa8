//! Requests made up from the HTTP contract, sent to the running demo by schemathesis.
//!
//! The promise: no server error, no status, content type or body that the contract does not name.

use anyhow::{Context, Result, bail};

use crate::subprocess;
use crate::test::{Counts, Options, demo};
use crate::tools::python_program;
use crate::workspace::Workspace;

/// Most requests for one operation in each phase.
const EXAMPLES_MAX: &str = "60";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";
/// The stream of events has no end, and the fuzzer waits for the end of every answer.
const ENDLESS: &str = "/api/events/stream";
/// A backtest takes as long as its stretch of the past; the tests of the API refuse what is wrong with one.
const LONG: &str = "/api/alerts/backtest";

/// Runs the fuzzer; every operation of the contract counts as one test.
pub(super) fn run(workspace: &Workspace, _options: &Options) -> Result<Counts> {
    let folder = workspace.empty_folder("openapi-fuzz")?;
    let mut demo = demo::start(workspace, &folder, &[])?;
    let address = demo.address();

    let report = folder.join("junit.xml");
    let mut fuzzer = python_program(workspace, "schemathesis");
    fuzzer.arg("run").arg(format!("http://{address}/openapi.json")).current_dir(&folder);
    fuzzer.args(["--phases", "examples,coverage,fuzzing", "--checks", CHECKS]);
    // Without chance, so that a failure can be looked at again.
    fuzzer.args(["--max-examples", EXAMPLES_MAX, "--generation-deterministic"]);
    fuzzer.args(["--continue-on-failure", "--no-color", "--exclude-path", ENDLESS]);
    fuzzer.args(["--exclude-path", LONG]);
    fuzzer.args(["--report", "junit", "--report-junit-path"]).arg(&report);
    let succeeded = subprocess::watch(&mut fuzzer, |_| {})?;

    if !demo.is_running()? {
        bail!("the demo ended while it was being asked; its output is in {}", folder.display());
    }
    demo.stop()?;
    let report = std::fs::read_to_string(&report).context("schemathesis left no report")?;
    let counts = Counts::from_junit(&report).context("the report of schemathesis has no totals")?;
    if !succeeded && counts.failed == 0 {
        bail!("schemathesis failed beside the operations of the contract");
    }
    Ok(counts)
}
