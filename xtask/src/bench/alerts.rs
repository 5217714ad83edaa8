//! A thousand monitors at one-minute intervals over ten million log documents: what a round costs.

use anyhow::{Context, Result};

use crate::bench::report::Figure;
use crate::bench::stack::figure;
use crate::subprocess;
use crate::workspace::Workspace;

/// Documents that the monitors search.
const DOCUMENTS: &str = "10000000";
/// Promised: CPU of a round.
const ROUND_MS_MAX: f64 = 5_000.0;
/// Promised: how late a run begins.
const LATE_MS_MAX: f64 = 1_000.0;

/// Runs the benchmark of `pampero-alerting`, which prints its figures on one line.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let mut cargo = workspace.cargo(&["bench", "--quiet", "--package", "pampero-alerting"]);
    let output = subprocess::read(cargo.args(["--bench", "rounds", "--", DOCUMENTS]))?;
    let read = |name: &str| {
        figure(&output, "rounds ", name).with_context(|| format!("the benchmark printed no {name}"))
    };
    let bare = read("bare_ms")?;
    let mut figures = vec![
        Figure::new("documents", read("documents")?, ""),
        Figure::new("monitors", read("monitors")?, ""),
        Figure::new("CPU of their bare searches", bare, "ms"),
        Figure::new("CPU of a minute without runs", read("idle_ms")?, "ms"),
    ];
    for (name, what) in [
        ("first", "the first round"),
        ("steady", "a steady round"),
        ("busy", "a round while documents come in"),
    ] {
        let (ms, late) = (read(&format!("{name}_ms"))?, read(&format!("{name}_late_most_ms"))?);
        figures.extend([
            Figure::new(format!("CPU of {what}"), ms, "ms").at_most(ROUND_MS_MAX),
            Figure::new(format!("latest run of {what}"), late, "ms").at_most(LATE_MS_MAX),
        ]);
    }
    figures.extend([
        Figure::new("steady round against bare searches", read("steady_ms")? / bare, "x"),
        Figure::new("search and conditions, median", read("steady_took_ms")?, "ms"),
        Figure::new("runs that were missed", read("missed")?, "").at_most(0.0),
        Figure::new("alerts that are active", read("active")?, ""),
        Figure::new("resident", read("resident_mib")?, "MiB"),
        Figure::new("of it not the cache of files", read("resident_own_mib")?, "MiB"),
    ]);
    Ok(figures)
}
