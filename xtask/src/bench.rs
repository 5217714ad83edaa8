//! `cargo xtask bench`: measures what is promised of speed and size.
//!
//! A benchmark is one row of [`BENCHMARKS`]; its figures are printed as a table and written to
//! `bench/NAME.json` in the target directory. A figure outside its limit fails the run.

mod alerts;
mod footprint;
mod history;
mod history_cost;
mod http_metrics;
mod logs;
mod poll;
mod report;
mod scrape;
mod serve;
mod setup;
mod stack;

use anyhow::{Result, bail};

use self::report::Figure;
use crate::workspace::Workspace;

/// One benchmark: its name, how long it takes about, and how it runs.
struct Benchmark {
    name: &'static str,
    minutes: u32,
    about: &'static str,
    run: fn(&Workspace) -> Result<Vec<Figure>>,
}

const BENCHMARKS: [Benchmark; 10] = [
    Benchmark {
        name: "stack",
        minutes: 1,
        about: "CPU that the resilience stack adds to a successful call",
        run: stack::run,
    },
    Benchmark {
        name: "serve",
        minutes: 2,
        about: "CPU and latency of /weather/current against a bare server",
        run: serve::run,
    },
    Benchmark {
        name: "http-metrics",
        minutes: 3,
        about: "CPU that measuring adds to a request, time and CPU of /metrics",
        run: http_metrics::run,
    },
    Benchmark {
        name: "scrape",
        minutes: 2,
        about: "CPU of a scrape of /metrics against node_exporter",
        run: scrape::run,
    },
    Benchmark {
        name: "metrics",
        minutes: 12,
        about: "a week of 500 series: size, CPU, memory, queries, beside Prometheus and VictoriaMetrics",
        run: history::run,
    },
    Benchmark {
        name: "history-cost",
        minutes: 9,
        about: "CPU and memory that the history of its own metrics adds to serve",
        run: history_cost::run,
    },
    Benchmark {
        name: "logs",
        minutes: 8,
        about: "ten million log documents: _bulk beside tantivy's writer, size, searches, memory",
        run: logs::run,
    },
    Benchmark {
        name: "alerts",
        minutes: 9,
        about: "1,000 monitors over ten million log documents: CPU, lateness, memory of a round",
        run: alerts::run,
    },
    Benchmark {
        name: "footprint",
        minutes: 11,
        about: "resident memory under load, start-up time, size of the binary",
        run: footprint::run,
    },
    Benchmark {
        name: "poll",
        minutes: 32,
        about: "10,000 places polled every 15 minutes against the simulator",
        run: poll::run,
    },
];

/// Returns the names of all benchmarks, in their order.
pub(crate) fn names() -> Vec<&'static str> {
    BENCHMARKS.iter().map(|benchmark| benchmark.name).collect()
}

/// Runs all benchmarks, or the one that is named; returns whether every figure kept its limit.
///
/// # Errors
/// There is no benchmark of that name, or one could not be run.
pub(crate) fn main(workspace: &Workspace, arguments: &[String]) -> Result<bool> {
    let chosen: Vec<&Benchmark> = match arguments {
        [] => BENCHMARKS.iter().collect(),
        [name] => BENCHMARKS.iter().filter(|benchmark| benchmark.name == name).collect(),
        _ => bail!("give one name of a benchmark, or none for all"),
    };
    if chosen.is_empty() {
        bail!("there is no benchmark `{}`; there are {}", arguments[0], names().join(", "));
    }
    let mut kept = true;
    for benchmark in chosen {
        println!("\n== {}: {}", benchmark.name, benchmark.about);
        println!("takes about {} min", benchmark.minutes);
        let figures = (benchmark.run)(workspace)?;
        report::print(&figures);
        report::write(workspace, benchmark.name, &figures)?;
        kept &= figures.iter().all(Figure::is_kept);
    }
    Ok(kept)
}
