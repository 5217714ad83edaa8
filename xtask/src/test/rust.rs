//! The tests of all crates, doc tests included, as `cargo test` runs them.

use anyhow::{Result, bail};

use crate::subprocess;
use crate::test::{Counts, Options};
use crate::workspace::Workspace;

/// Runs them, goes on after a failure, and adds up the closing lines.
pub(super) fn run(workspace: &Workspace, options: &Options) -> Result<Counts> {
    let mut cargo = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
    cargo.args(&options.filter);
    let mut all = Vec::new();
    let succeeded = subprocess::watch(&mut cargo, |line| all.extend(Counts::from_rust_line(line)))?;
    let counts: Counts = all.into_iter().sum();
    // A crate that does not compile has no closing line.
    if !succeeded && counts.failed == 0 {
        bail!("cargo test failed before all tests could run");
    }
    Ok(counts)
}
