//! What the history of its own metrics adds to `serve`: self-scrape, rules, maintenance.
//!
//! Both run at the same time on one core, one with `metrics.enabled` and one without, and serve
//! nobody.

use std::time::Duration;

use anyhow::Result;

use crate::bench::report::Figure;
use crate::bench::setup::Bench;
use crate::workspace::Workspace;

const WATCHED: Duration = Duration::from_secs(8 * 60);
const MIB: f64 = 1024.0 * 1024.0;
/// Promised: share of one core.
const CPU_PERCENT_MAX: f64 = 1.0;
/// Promised: resident memory.
const RESIDENT_MIB_MAX: f64 = 15.0;

/// Watches both for a while.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(workspace, "history-cost")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 3)?;
    let with = bench.start_pampero_with(&configuration, "with", &[])?;
    let off = [("PAMPERO_METRICS__ENABLED", "false")];
    let without = bench.start_pampero_with(&configuration, "without", &off)?;
    let before = (with.cpu_time()?, without.cpu_time()?);
    std::thread::sleep(WATCHED);
    let percent = |used: Duration| used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0;
    let cpu_with = percent(with.cpu_time()?.saturating_sub(before.0));
    let cpu_without = percent(without.cpu_time()?.saturating_sub(before.1));
    let resident_with = with.resident_bytes()? as f64 / MIB;
    let resident_without = without.resident_bytes()? as f64 / MIB;
    with.stop()?;
    without.stop()?;
    Ok(vec![
        Figure::new("CPU without history", cpu_without, "%"),
        Figure::new("CPU with history", cpu_with, "%"),
        Figure::new("CPU of the history", cpu_with - cpu_without, "%").at_most(CPU_PERCENT_MAX),
        Figure::new("resident memory without history", resident_without, "MiB"),
        Figure::new("resident memory with history", resident_with, "MiB"),
        Figure::new("resident memory of the history", resident_with - resident_without, "MiB")
            .at_most(RESIDENT_MIB_MAX),
    ])
}
