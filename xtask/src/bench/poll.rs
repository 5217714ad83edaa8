//! What polling 10,000 places every 15 minutes costs.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::bench::report::Figure;
use crate::bench::setup::Bench;
use crate::program::Program;
use crate::workspace::Workspace;

const PLACES: u32 = 10_000;
/// Two rounds of 15 minutes: the mean has every phase of a round in it equally often.
const MEASURED: Duration = Duration::from_secs(30 * 60);
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// A value older than this missed a round: the interval, and as much again for the provider's own.
const AGE_S_MAX: u64 = 35 * 60;
const MIB: f64 = 1024.0 * 1024.0;
/// Promised: share of one core on average.
const CPU_PERCENT_MAX: f64 = 10.0;
/// Promised: resident memory, at its highest.
const RESIDENT_MIB_MAX: f64 = 200.0;

/// Watches two rounds; the first round of all is left out, because it fills an empty store.
pub(super) fn run(workspace: &Workspace) -> Result<Vec<Figure>> {
    let bench = Bench::prepare(workspace, "poll")?;
    let simulator = bench.start_simulator()?;
    let configuration = bench.write_configuration(&simulator, PLACES)?;
    let mut pampero = bench.start_pampero(&configuration)?;
    let last = format!("/weather/current?place=place-{}", PLACES - 1);
    pampero.wait_until_ready(&last, Duration::from_millis(200), Duration::from_secs(120))?;

    let begun = Instant::now();
    let cpu_before = pampero.cpu_time()?;
    let mut resident_max = 0;
    while begun.elapsed() < MEASURED {
        std::thread::sleep(LOOK_EVERY);
        ensure!(pampero.is_running()?, "pampero ended while it polled");
        resident_max = pampero.resident_bytes()?.max(resident_max);
    }
    let cpu = pampero.cpu_time()?.saturating_sub(cpu_before);
    let percent = cpu.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let missed = (0..PLACES).filter(|place| !has_fresh_value(&pampero, *place)).count();
    pampero.stop()?;
    Ok(vec![
        Figure::new("places", f64::from(PLACES), ""),
        Figure::new("places that missed a round", missed as f64, "").at_most(0.0),
        Figure::new("CPU on average, of one core", percent, "%").at_most(CPU_PERCENT_MAX),
        Figure::new("resident memory, highest", resident_max as f64 / MIB, "MiB")
            .at_most(RESIDENT_MIB_MAX),
    ])
}

fn has_fresh_value(pampero: &Program, place: u32) -> bool {
    pampero
        .get(&format!("/weather/current?place=place-{place}"))
        .is_ok_and(|(status, body)| status == 200 && is_fresh(&body))
}

fn is_fresh(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["age_seconds"].as_u64().is_some_and(|age_s| age_s <= AGE_S_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_without_a_recent_value_has_missed_a_round() {
        assert!(is_fresh(r#"{"temperature": 20.5, "age_seconds": 2100}"#));
        assert!(!is_fresh(r#"{"temperature": 20.5, "age_seconds": 2101}"#));
        assert!(!is_fresh(r#"{"temperature": 20.5}"#));
        assert!(!is_fresh("no JSON"));
    }
}
