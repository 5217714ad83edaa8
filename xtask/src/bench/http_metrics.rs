//! What measuring costs a request: the same program with `server.measure` on and off.
//!
//! Both run at the same time on one core and take turns under load, so that whatever else the machine
//! does meets both.

use std::path::Path;

use anyhow::Result;

use crate::bench::report::{Figure, median};
use crate::bench::serve::{Turn, take_turn};
use crate::bench::setup::Bench;
use crate::program::Program;
use crate::workspace::Workspace;

const PATH: &str = "/weather/current";
const ROUNDS: usize = 9;
const WARM_UP_S: u32 = 3;
/// Promised: CPU that measuring adds to a request, in microseconds.
const EXTRA_US_MAX: f64 = 0.6;
/// Promised: half of the scrapes with three places are answered within this many microseconds.
const SCRAPE_P50_US_MAX: f64 = 1_000.0;

/// Lets both take turns and compares the medians; then asks for the metrics themselves.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(workspace, "http-metrics")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 3)?;
    let measured = bench.start_pampero(&configuration)?;
    let unmeasured = start_unmeasured(&bench, &configuration)?;
    for server in [&measured, &unmeasured] {
        bench.load(server, PATH, WARM_UP_S)?;
    }
    let mut turns = Vec::new();
    for round in 1..=ROUNDS {
        let off = take_turn(&bench, &unmeasured, PATH)?;
        let on = take_turn(&bench, &measured, PATH)?;
        let (off_us, on_us) = (off.cpu_us_per_request, on.cpu_us_per_request);
        println!("round {round}: off {off_us:.2} us, on {on_us:.2} us of CPU per request");
        turns.push((off, on));
    }
    let mut figures = figures(&turns);
    figures.extend(scrape(&bench, &measured)?);
    Ok(figures)
}

fn start_unmeasured(bench: &Bench, configuration: &Path) -> Result<Program> {
    bench.start_pampero_with(configuration, "unmeasured", &[("PAMPERO_SERVER__MEASURE", "false")])
}

/// Asks one after the other, as scrapes come, after the program has served for a while.
fn scrape(bench: &Bench, server: &Program) -> Result<Vec<Figure>> {
    let mut turns = Vec::new();
    for _ in 0..3 {
        let before = server.cpu_time()?;
        let load = bench.load_alone(server, "/metrics", WARM_UP_S)?;
        let used = server.cpu_time()?.saturating_sub(before);
        turns.push((load.p50_us, used.as_secs_f64() * 1e6 / load.requests));
    }
    let of = |value: fn(&(f64, f64)) -> f64| median(turns.iter().map(value).collect());
    Ok(vec![
        Figure::new("latency p50 of /metrics", of(|it| it.0), "us").at_most(SCRAPE_P50_US_MAX),
        Figure::new("CPU per scrape of /metrics", of(|it| it.1), "us"),
    ])
}

fn figures(turns: &[(Turn, Turn)]) -> Vec<Figure> {
    let of = |value: fn(&(Turn, Turn)) -> f64| median(turns.iter().map(value).collect());
    let extra = of(|(off, on)| on.cpu_us_per_request - off.cpu_us_per_request);
    vec![
        Figure::new("CPU per request, not measured", of(|it| it.0.cpu_us_per_request), "us"),
        Figure::new("CPU per request, measured", of(|it| it.1.cpu_us_per_request), "us"),
        Figure::new("CPU of measuring, per request", extra, "us").at_most(EXTRA_US_MAX),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::setup::Load;

    #[test]
    fn the_extra_is_taken_within_each_round() {
        // The machine was twice as slow in the second round, for both.
        let turns = [(turn(10.0), turn(10.2)), (turn(20.0), turn(20.4)), (turn(10.0), turn(10.3))];
        assert!(figures(&turns).iter().all(Figure::is_kept));
        assert!(!figures(&[(turn(10.0), turn(10.7))]).iter().all(Figure::is_kept));
    }

    fn turn(cpu_us_per_request: f64) -> Turn {
        let load = Load { requests: 1000.0, errors: 0.0, p50_us: 1.0, p99_us: 2.0 };
        Turn { load, cpu_us_per_request }
    }
}
