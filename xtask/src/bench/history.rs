//! A week of 500 series at 15 seconds, kept by Pampero, Prometheus and VictoriaMetrics, and asked.
//!
//! Each takes the same samples by remote write, one after the other, on the same core; then all three
//! run side by side and answer the same queries in turns.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::report::{Figure, median};
use crate::bench::setup::{Bench, LOAD_CORE, SERVER_CORE, pinned};
use crate::form::encode;
use crate::program::{Program, free_address};
use crate::subprocess;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// A little less than the week that samples may be late at most, so that it can be told afterwards.
const DAYS: f64 = 6.95;
/// How long each has to fold, merge and compact what it took; all of them do it every minute or less.
const SETTLE: Duration = Duration::from_secs(240);
const ROUNDS: usize = 3;
const ROUND_S: u32 = 1;
const MIB: f64 = 1024.0 * 1024.0;

/// Promised: bytes on disk for each sample.
const BYTES_PER_SAMPLE_MAX: f64 = 1.6;
/// Promised: CPU for taking the samples, as a multiple of Prometheus's.
const INGEST_CPU_RATIO_MAX: f64 = 1.0;
/// Promised: resident memory while samples are taken.
const RESIDENT_MIB_MAX: f64 = 60.0;
/// Promised: latency of queries as a multiple of Prometheus's, by the geometric mean.
const LATENCY_RATIO_MEAN_MAX: f64 = 0.5;
/// Promised: the same for the slowest query.
const LATENCY_RATIO_MAX: f64 = 1.5;

/// What dashboards ask: the expression, how far back, and the step, both in seconds.
const QUERIES: [(&str, u32, u32); 18] = [
    ("weather_temperature", 86_400, 60),
    ("weather_temperature", 604_800, 600),
    ("avg by (place) (weather_humidity)", 604_800, 600),
    ("avg_over_time(weather_temperature[1h])", 604_800, 600),
    ("max_over_time(weather_gust[24h])", 604_800, 3_600),
    ("delta(weather_pressure[3h])", 604_800, 600),
    ("sum by (mode) (rate(node_cpu_seconds_total[5m]))", 21_600, 15),
    ("sum by (mode) (rate(node_cpu_seconds_total[5m]))", 604_800, 600),
    ("100 * (1 - avg by (cpu) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])))", 86_400, 60),
    ("rate(node_network_receive_bytes_total[5m]) * 8", 86_400, 60),
    ("{__name__=~\"node_memory_field_.*\"}", 21_600, 15),
    ("sum by (route) (rate(http_requests_total[5m]))", 86_400, 60),
    (
        "sum by (route) (rate(http_requests_total{status_class=\"5xx\"}[5m])) \
         / sum by (route) (rate(http_requests_total[5m]))",
        86_400,
        60,
    ),
    (
        "histogram_quantile(0.99, \
         sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
        86_400,
        60,
    ),
    (
        "histogram_quantile(0.5, \
         sum by (le, route) (rate(http_request_duration_seconds_bucket[5m])))",
        604_800,
        600,
    ),
    ("topk(5, sum by (route) (increase(http_requests_total[1h])))", 86_400, 300),
    ("count(up == 1)", 604_800, 600),
    ("quantile by (mode) (0.9, rate(node_cpu_seconds_total[5m]))", 86_400, 60),
];

/// A program that keeps samples.
struct Keeper {
    name: &'static str,
    program: Program,
    /// What stands before `/api/v1`.
    api: &'static str,
    folder: PathBuf,
    /// CPU that taking the samples took, before it was started anew, if it was.
    cpu_before: Duration,
    resident_peak: u64,
}

/// Fills all three, lets them settle, asks them.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    Tool::Prometheus.prepare(workspace)?;
    Tool::VictoriaMetrics.prepare(workspace)?;
    let bench = Bench::prepare(workspace, "metrics")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 1)?;
    let now = subprocess::read(Command::new("date").arg("+%s"))?;
    let end_s = now.trim().parse().context("`date +%s` is no number")?;
    let (pampero, samples) = fill_pampero(&bench, &configuration, end_s)?;
    let mut prometheus = start_prometheus(&bench)?;
    let mut victoria = start_victoria(&bench)?;
    for keeper in [&mut prometheus, &mut victoria] {
        ingest(&bench, keeper, end_s)?;
    }
    println!("filled; {} s to settle", SETTLE.as_secs());
    std::thread::sleep(SETTLE);
    let keepers = [pampero, prometheus, victoria];
    let mut figures = kept_figures(&keepers, samples)?;
    figures.extend(query_figures(&bench, &keepers, end_s)?);
    Ok(figures)
}

/// Takes the week while samples may be a week late, then goes on as usual.
fn fill_pampero(bench: &Bench, configuration: &Path, end_s: u64) -> Result<(Keeper, f64)> {
    let usual = [("PAMPERO_METRICS__WINDOW", "prometheus2")];
    let late = [usual[0], ("PAMPERO_METRICS__LATE_WINDOW", "168h")];
    let keeper = |program| Keeper {
        name: "pampero",
        program,
        api: "/prometheus",
        folder: bench.folder.join("pampero/metrics"),
        cpu_before: Duration::ZERO,
        resident_peak: 0,
    };
    let mut filled = keeper(bench.start_pampero_with(configuration, "pampero", &late)?);
    let samples = ingest(bench, &mut filled, end_s)?;
    let (cpu_before, resident_peak) = (filled.program.cpu_time()?, filled.resident_peak);
    filled.program.stop()?;
    let again = keeper(bench.start_pampero_with(configuration, "pampero", &usual)?);
    Ok((Keeper { cpu_before, resident_peak, ..again }, samples))
}

fn start_prometheus(bench: &Bench) -> Result<Keeper> {
    let (address, folder) = (free_address()?, bench.folder.join("prometheus"));
    let config = bench.folder.join("prometheus.yml");
    std::fs::write(&config, "global: {scrape_interval: 15s}\n")?;
    let mut command = pinned(SERVER_CORE, Path::new("prometheus"));
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=30d"]);
    let program = bench.start(&mut command, address, "prometheus.log", "/-/ready")?;
    Ok(keeper("prometheus", program, folder))
}

fn start_victoria(bench: &Bench) -> Result<Keeper> {
    let (address, folder) = (free_address()?, bench.folder.join("victoria"));
    let mut command = pinned(SERVER_CORE, Path::new("victoria-metrics"));
    command
        .arg(format!("-storageDataPath={}", folder.display()))
        .arg(format!("-httpListenAddr={address}"))
        .args(["-retentionPeriod=30d", "-search.disableCache"]);
    let program = bench.start(&mut command, address, "victoria.log", "/health")?;
    Ok(keeper("victoria-metrics", program, folder))
}

fn keeper(name: &'static str, program: Program, folder: PathBuf) -> Keeper {
    Keeper { name, program, api: "", folder, cpu_before: Duration::ZERO, resident_peak: 0 }
}

/// Sends the week and returns how many samples it has.
fn ingest(bench: &Bench, keeper: &mut Keeper, end_s: u64) -> Result<f64> {
    let mut command = pinned(LOAD_CORE, &bench.tools);
    let url = format!("http://{}{}/api/v1/write", keeper.program.address(), keeper.api);
    command.args(["ingest", "--url", &url, "--days", &DAYS.to_string(), "--end"]);
    let report = subprocess::read(command.arg(end_s.to_string()))?;
    let report: Value = serde_json::from_str(&report).context("the writer printed no JSON")?;
    let number = |name: &str| report[name].as_f64().context("the writer's report is not whole");
    keeper.resident_peak = keeper.program.resident_peak_bytes()?;
    println!(
        "{}: {:.0} samples in {:.1} s, {:.1} s of CPU",
        keeper.name,
        number("samples")?,
        number("seconds")?,
        keeper.program.cpu_time()?.as_secs_f64(),
    );
    number("samples")
}

fn kept_figures(keepers: &[Keeper; 3], samples: f64) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut cpu_s = Vec::new();
    for keeper in keepers {
        let bytes = disk_bytes(&keeper.folder)? as f64 / samples;
        let cpu = (keeper.cpu_before + keeper.program.cpu_time()?).as_secs_f64();
        let resident = keeper.resident_peak as f64 / MIB;
        let is_ours = keeper.name == "pampero";
        let limited = |figure: Figure, limit| if is_ours { figure.at_most(limit) } else { figure };
        let named = |what: &str| format!("{what}, {}", keeper.name);
        figures
            .push(limited(Figure::new(named("disk per sample"), bytes, "B"), BYTES_PER_SAMPLE_MAX));
        figures.push(Figure::new(named("CPU to take and settle"), cpu, "s"));
        figures.push(limited(
            Figure::new(named("resident at most while taking"), resident, "MiB"),
            RESIDENT_MIB_MAX,
        ));
        cpu_s.push(cpu);
    }
    let ratio =
        Figure::new("CPU to take and settle, pampero / prometheus", cpu_s[0] / cpu_s[1], "x");
    figures.push(ratio.at_most(INGEST_CPU_RATIO_MAX));
    Ok(figures)
}

fn query_figures(bench: &Bench, keepers: &[Keeper; 3], end_s: u64) -> Result<Vec<Figure>> {
    println!(
        "\n{:>10} {:>10} {:>10}  query over a range, p50 in ms",
        "pampero", "prometheus", "victoria"
    );
    let mut ratios = [Vec::new(), Vec::new()];
    for (query, range_s, step_s) in QUERIES {
        let (start, end) = (end_s - u64::from(range_s), end_s);
        let path = format!(
            "/api/v1/query_range?query={}&start={start}&end={end}&step={step_s}",
            encode(query)
        );
        let mut latency_us = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (keeper, latencies) in keepers.iter().zip(&mut latency_us) {
                let path = format!("{}{path}", keeper.api);
                let load = bench.load_alone(&keeper.program, &path, ROUND_S)?;
                ensure!(
                    load.errors == 0.0 && 0.0 < load.requests,
                    "{} did not answer {query}",
                    keeper.name
                );
                latencies.push(load.p50_us);
            }
        }
        let [ours, prometheus, victoria] = latency_us.map(median);
        println!(
            "{:>10.2} {:>10.2} {:>10.2}  {query} [{range_s}s:{step_s}s]",
            ours / 1e3,
            prometheus / 1e3,
            victoria / 1e3
        );
        ratios[0].push(ours / prometheus);
        ratios[1].push(victoria / prometheus);
    }
    let [ours, victoria] = ratios;
    let worst = ours.iter().copied().fold(0.0, f64::max);
    Ok(vec![
        Figure::new("query latency, victoria / prometheus, mean", geometric_mean(&victoria), "x"),
        Figure::new("query latency, pampero / prometheus, mean", geometric_mean(&ours), "x")
            .at_most(LATENCY_RATIO_MEAN_MAX),
        Figure::new("query latency, pampero / prometheus, worst", worst, "x")
            .at_most(LATENCY_RATIO_MAX),
    ])
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (logarithms / ratios.len() as f64).exp()
}

/// Returns what the files of a folder take on the disk, in bytes.
fn disk_bytes(folder: &Path) -> Result<u64> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        // A file may be merged away while it is looked at.
        let Ok(metadata) = entry.metadata() else { continue };
        bytes += match metadata.is_dir() {
            true => disk_bytes(&entry.path()).unwrap_or(0),
            false => metadata.blocks() * 512,
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_ratios_are_geometric() {
        assert!((geometric_mean(&[0.25, 4.0, 1.0]) - 1.0).abs() < 1e-12);
        assert!((geometric_mean(&[0.5, 0.5]) - 0.5).abs() < 1e-12);
    }
}
