//! What a scrape of `/metrics` costs, against Debian's node_exporter, which shows fewer series.
//!
//! All run at the same time on one core and take turns, so that whatever else the machine does meets
//! all of them. Pampero shows a look at the machine again for a second, and so many scrapes in a row
//! cost less than those every 15 seconds; a second Pampero looks each time, and is the one compared.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::bench::report::{Figure, median};
use crate::bench::setup::{Bench, SERVER_CORE, pinned};
use crate::program::{Program, free_address};
use crate::tools::Tool;
use crate::workspace::Workspace;

const PATH: &str = "/metrics";
const ROUNDS: usize = 7;
const ROUND_S: u32 = 3;
/// Promised: CPU per scrape, as a multiple of node_exporter's.
const CPU_RATIO_MAX: f64 = 0.3;
/// Promised: half of the scrapes with three places are answered within this many microseconds.
const P50_US_MAX: f64 = 1_000.0;

/// One turn of one program.
#[derive(Clone, Copy)]
struct Turn {
    cpu_us: f64,
    p50_us: f64,
}

/// Lets all take turns and compares the medians.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    Tool::Prometheus.prepare(workspace)?;
    let bench = Bench::prepare(workspace, "scrape")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 3)?;
    let pampero = bench.start_pampero(&configuration)?;
    let looks_anew = [("PAMPERO_HOST__SAMPLE_AGE_MAX", "0s")];
    let looking = bench.start_pampero_with(&configuration, "looking", &looks_anew)?;
    let node_exporter = start_node_exporter(&bench)?;
    for server in [&pampero, &looking, &node_exporter] {
        take_turn(&bench, server)?;
    }
    let mut turns = Vec::new();
    for round in 1..=ROUNDS {
        let turn = (
            take_turn(&bench, &node_exporter)?,
            take_turn(&bench, &looking)?,
            take_turn(&bench, &pampero)?,
        );
        println!(
            "round {round}: node_exporter {:.0} us, pampero {:.0} us, {:.0} us with a young look",
            turn.0.cpu_us, turn.1.cpu_us, turn.2.cpu_us
        );
        turns.push(turn);
    }
    let (theirs, ours) = (series_of(&node_exporter)?, series_of(&pampero)?);
    ensure!(theirs < ours, "pampero shows {ours} series, node_exporter {theirs}");
    let of = |value: fn(&(Turn, Turn, Turn)) -> f64| median(turns.iter().map(value).collect());
    Ok(vec![
        Figure::new("series of node_exporter", theirs as f64, ""),
        Figure::new("series of pampero", ours as f64, ""),
        Figure::new("CPU per scrape, node_exporter", of(|it| it.0.cpu_us), "us"),
        Figure::new("CPU per scrape, pampero", of(|it| it.1.cpu_us), "us"),
        Figure::new("CPU per scrape, ratio", of(|it| it.1.cpu_us / it.0.cpu_us), "x")
            .at_most(CPU_RATIO_MAX),
        Figure::new("CPU per scrape, pampero, young look", of(|it| it.2.cpu_us), "us"),
        Figure::new("latency p50, pampero looking each time", of(|it| it.1.p50_us), "us"),
        Figure::new("latency p50 of /metrics", of(|it| it.2.p50_us), "us").at_most(P50_US_MAX),
    ])
}

fn start_node_exporter(bench: &Bench) -> Result<Program> {
    let address = free_address()?;
    let mut command = pinned(SERVER_CORE, Path::new("prometheus-node-exporter"));
    command.arg(format!("--web.listen-address={address}"));
    bench.start(&mut command, address, "node_exporter.log", PATH)
}

fn take_turn(bench: &Bench, server: &Program) -> Result<Turn> {
    let before = server.cpu_time()?;
    let load = bench.load_alone(server, PATH, ROUND_S)?;
    let used = server.cpu_time()?.saturating_sub(before);
    ensure!(load.errors == 0.0, "{} scrapes failed", load.errors);
    Ok(Turn { cpu_us: used.as_secs_f64() * 1e6 / load.requests, p50_us: load.p50_us })
}

fn series_of(server: &Program) -> Result<usize> {
    let (status, text) = server.get(PATH)?;
    ensure!(status == 200, "{PATH} answered {status}");
    // Lines of a chunk's size begin with no letter of a name and hold no blank.
    let is_sample = |line: &&str| !line.starts_with('#') && line.contains(' ');
    Ok(text.lines().filter(is_sample).count())
}
