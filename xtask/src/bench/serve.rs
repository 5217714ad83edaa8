//! What a request of `/weather/current` costs, against a bare server that returns the same bytes.
//!
//! Both servers run at the same time on one core and take turns under load, so that whatever else
//! the machine does meets both.

use anyhow::{Result, ensure};

use crate::bench::report::{Figure, median};
use crate::bench::setup::{Bench, Load};
use crate::program::Program;
use crate::workspace::Workspace;

const PATH: &str = "/weather/current";
const ROUNDS: usize = 7;
const WARM_UP_S: u32 = 3;
const ROUND_S: u32 = 5;
/// Promised: CPU per request, as a multiple of the bare server's.
const CPU_RATIO_MAX: f64 = 1.12;
/// Promised: the 99th percentile of latency, as a multiple of the bare server's.
const P99_RATIO_MAX: f64 = 1.5;

/// One turn of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) load: Load,
    pub(super) cpu_us_per_request: f64,
}

/// Lets both servers take turns and compares the medians.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(workspace, "serve")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 3)?;
    let pampero = bench.start_pampero(&configuration)?;
    let bare = bench.start_bare_server(&pampero, PATH)?;
    for server in [&bare, &pampero] {
        bench.load(server, PATH, WARM_UP_S)?;
    }
    let mut turns = Vec::new();
    for round in 1..=ROUNDS {
        let pair = (take_turn(&bench, &bare, PATH)?, take_turn(&bench, &pampero, PATH)?);
        println!(
            "round {round}: bare {:.2} us, pampero {:.2} us of CPU per request",
            pair.0.cpu_us_per_request, pair.1.cpu_us_per_request
        );
        turns.push(pair);
    }
    Ok(figures(&turns))
}

/// Puts a server under load for one turn.
///
/// # Errors
/// A request failed, or none was answered.
pub(super) fn take_turn(bench: &Bench, server: &Program, path: &str) -> Result<Turn> {
    let before = server.cpu_time()?;
    let load = bench.load(server, path, ROUND_S)?;
    let used = server.cpu_time()?.saturating_sub(before);
    ensure!(load.errors == 0.0, "{} requests failed under load", load.errors);
    ensure!(load.requests != 0.0, "no request was answered under load");
    Ok(Turn { load, cpu_us_per_request: used.as_secs_f64() * 1e6 / load.requests })
}

/// A ratio is the median over the rounds, each with its own bare turn beside it.
fn figures(turns: &[(Turn, Turn)]) -> Vec<Figure> {
    let bare =
        |value: fn(&Turn) -> f64| median(turns.iter().map(|(bare, _)| value(bare)).collect());
    let ours =
        |value: fn(&Turn) -> f64| median(turns.iter().map(|(_, ours)| value(ours)).collect());
    let ratio = |value: fn(&Turn) -> f64| {
        median(turns.iter().map(|(bare, ours)| value(ours) / value(bare)).collect())
    };
    let cpu: fn(&Turn) -> f64 = |turn| turn.cpu_us_per_request;
    let p50: fn(&Turn) -> f64 = |turn| turn.load.p50_us;
    let p99: fn(&Turn) -> f64 = |turn| turn.load.p99_us;
    let rate: fn(&Turn) -> f64 = |turn| turn.load.requests / f64::from(ROUND_S);
    vec![
        Figure::new("CPU per request, bare", bare(cpu), "us"),
        Figure::new("CPU per request, pampero", ours(cpu), "us"),
        Figure::new("CPU per request, ratio", ratio(cpu), "x").at_most(CPU_RATIO_MAX),
        Figure::new("requests per second, bare", bare(rate), "1/s"),
        Figure::new("requests per second, pampero", ours(rate), "1/s"),
        Figure::new("latency p50, bare", bare(p50), "us"),
        Figure::new("latency p50, pampero", ours(p50), "us"),
        Figure::new("latency p99, bare", bare(p99), "us"),
        Figure::new("latency p99, pampero", ours(p99), "us"),
        Figure::new("latency p99, ratio", ratio(p99), "x").at_most(P99_RATIO_MAX),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_compare_the_turns_of_the_same_round() {
        // The machine was twice as slow in the second round, for both.
        let turns = [(turn(10.0), turn(11.0)), (turn(20.0), turn(22.0)), (turn(10.0), turn(11.0))];
        let figures = figures(&turns);
        assert!(figures.iter().all(Figure::is_kept), "{figures:?}");
        let slow = [(turn(10.0), turn(11.3))];
        assert!(!super::figures(&slow).iter().all(Figure::is_kept));
    }

    fn turn(cpu_us_per_request: f64) -> Turn {
        let load = Load { requests: 1000.0, errors: 0.0, p50_us: 1.0, p99_us: 2.0 };
        Turn { load, cpu_us_per_request }
    }
}
