//! `pampero demo`, started for a test that speaks to it over HTTP.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::program::{Program, free_address};
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(30);

/// Starts the demo on a free port in a folder of its own and waits until it serves.
///
/// # Errors
/// It does not compile or does not answer.
pub(super) fn start(
    workspace: &Workspace,
    folder: &Path,
    variables: &[(&str, &str)],
) -> Result<Program> {
    let binary = workspace.tested_binary()?;
    let address = free_address()?;
    let log = folder.join("pampero.log");
    let mut command = Command::new(binary);
    command.args(["demo", "--listen", &address.to_string()]).current_dir(folder);
    // Where OpenSearch's clients look may be taken by another one.
    command.env("PAMPERO_LOGS__LISTEN", "127.0.0.1:0").envs(variables.iter().copied());
    let mut demo = Program::start(&mut command, address, &log)?;
    demo.wait_until_ready("/health/ready", Duration::from_millis(50), START_LIMIT)
        .with_context(|| format!("its output is in {}", log.display()))?;
    Ok(demo)
}
