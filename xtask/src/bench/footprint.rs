//! Size of the binary, time from exec to the first answer, resident memory after load.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::report::{Figure, median};
use crate::bench::setup::Bench;
use crate::program::{Program, free_address};
use crate::workspace::Workspace;

const PATH: &str = "/weather/current";
const STARTS: usize = 11;
const LOAD_S: u32 = 600;
const MIB: f64 = 1024.0 * 1024.0;
/// Promised: size of the released binary.
const BINARY_MIB_MAX: f64 = 30.0;
/// Promised: from exec to the first 200 on a store that exists.
const START_MS_MAX: f64 = 150.0;
/// Promised: resident memory with three places after ten minutes of load.
const RESIDENT_MIB_MAX: f64 = 40.0;

/// Measures one after the other on one store.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(workspace, "footprint")?;
    let binary = std::fs::metadata(&bench.pampero).context("the binary is gone")?.len();
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, 3)?;
    bench.start_pampero(&configuration)?.stop()?;

    let mut starts_ms = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let address = free_address()?;
        let mut command = bench.pampero_command(&configuration, address, "data");
        let mut program = Program::start(&mut command, address, &bench.folder.join("start.log"))?;
        program.wait_until_ready(PATH, Duration::from_millis(1), Duration::from_secs(20))?;
        starts_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        program.stop()?;
    }

    let pampero = bench.start_pampero(&configuration)?;
    let idle = pampero.resident_bytes()?;
    let load = bench.load(&pampero, PATH, LOAD_S)?;
    ensure!(load.errors == 0.0, "{} requests failed under load", load.errors);
    let loaded = pampero.resident_bytes()?;
    pampero.stop()?;
    Ok(vec![
        Figure::new("binary", binary as f64 / MIB, "MiB").at_most(BINARY_MIB_MAX),
        Figure::new("exec to first 200, median", median(starts_ms), "ms").at_most(START_MS_MAX),
        Figure::new("requests under load", load.requests, ""),
        Figure::new("resident memory after the start", idle as f64 / MIB, "MiB"),
        Figure::new("resident memory after load", loaded as f64 / MIB, "MiB")
            .at_most(RESIDENT_MIB_MAX),
    ])
}
