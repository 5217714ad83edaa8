//! Ten million log documents: how fast they come in, how large they are, how fast they are searched.

use anyhow::{Context, Result};

use crate::bench::report::Figure;
use crate::bench::stack::figure;
use crate::subprocess;
use crate::workspace::Workspace;

/// Promised: time of a `_bulk` document on both cores, client included.
const BULK_US_MAX: f64 = 1e6 / 60_000.0;
/// Promised: that time as a multiple of tantivy's own writer on the same documents.
const PLAIN_RATIO_MAX: f64 = 2.0;
/// Promised: bytes on disk as a share of the raw JSON.
const DISK_SHARE_MAX: f64 = 0.4;
/// Promised: median time of the monitor query of the original.
const MONITOR_MS_MAX: f64 = 5.0;
/// Promised: median time of the newest 50 of a query of three terms.
const NEWEST_MS_MAX: f64 = 30.0;
/// Promised: median time of 24 hours by hour and level.
const CHART_MS_MAX: f64 = 100.0;
/// Promised: resident memory while serving.
const RESIDENT_MIB_MAX: f64 = 150.0;

/// Runs the benchmark of `pampero-logs`, which prints its figures on one line.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let mut cargo = workspace.cargo(&["bench", "--quiet", "--package", "pampero-logs"]);
    let output = subprocess::read(cargo.args(["--bench", "logs"]))?;
    let read = |name: &str| {
        figure(&output, "logs ", name).with_context(|| format!("the benchmark printed no {name}"))
    };
    let (bulk, plain) = (read("bulk_per_s")?, read("plain_per_s")?);
    Ok(vec![
        Figure::new("documents", read("documents")?, ""),
        Figure::new("bytes of a document", read("bytes")?, "B"),
        Figure::new("documents through _bulk", bulk, "1/s"),
        Figure::new("time of a document through _bulk", 1e6 / bulk, "us").at_most(BULK_US_MAX),
        Figure::new("documents through tantivy's own writer", plain, "1/s"),
        Figure::new("time against tantivy's own writer", plain / bulk, "x")
            .at_most(PLAIN_RATIO_MAX),
        Figure::new("bytes on disk, share of raw JSON", read("disk_share")?, "")
            .at_most(DISK_SHARE_MAX),
        Figure::new("monitor query, median", read("monitor_ms")?, "ms").at_most(MONITOR_MS_MAX),
        Figure::new("monitor query, 90th percentile", read("monitor_p90_ms")?, "ms"),
        Figure::new("newest 50 of three terms, median", read("newest_ms")?, "ms")
            .at_most(NEWEST_MS_MAX),
        Figure::new("newest 50 of three terms, 90th percentile", read("newest_p90_ms")?, "ms"),
        Figure::new("24 h by hour and level, median", read("chart_ms")?, "ms")
            .at_most(CHART_MS_MAX),
        Figure::new("24 h by hour and level, 90th percentile", read("chart_p90_ms")?, "ms"),
        Figure::new("resident while serving", read("resident_mib")?, "MiB")
            .at_most(RESIDENT_MIB_MAX),
        Figure::new("of it not the cache of files", read("resident_own_mib")?, "MiB"),
        Figure::new("resident at most, while writing", read("resident_peak_mib")?, "MiB"),
    ])
}
