//! Running other programs, with errors that name the command line.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command with its output shown.
///
/// # Errors
/// It cannot be started or ends with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// Runs a command in silence; its output is shown only in the error.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        bail!("`{}` failed ({}):\n{said}", line(command), output.status);
    }
    Ok(())
}

/// Runs a command and returns what it printed on stdout; stderr is shown.
///
/// # Errors
/// As [`run`], or the output is no UTF-8.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", line(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no text", line(command)))
}

/// Runs a command with its output shown, gives each line of its stdout to `look`, and returns
/// whether it ended with code 0.
///
/// # Errors
/// It cannot be started.
pub(crate) fn watch(command: &mut Command, mut look: impl FnMut(&str)) -> Result<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    let stdout = child.stdout.take().context("stdout was piped")?;
    let mut lines = BufReader::new(stdout);
    let mut bytes = Vec::new();
    // A test may print anything, so the lines are not taken for UTF-8.
    while lines.read_until(b'\n', &mut bytes)? != 0 {
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}");
        look(text.trim_end());
        bytes.clear();
    }
    Ok(child.wait()?.success())
}

/// Tells whether a command can be started and ends with code 0.
pub(crate) fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
