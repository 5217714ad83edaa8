//! What the benchmarks start: a simulator, Pampero pointed at it, the load generator.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::program::{Program, free_address};
use crate::subprocess;
use crate::workspace::Workspace;

/// The core for the servers under measurement; everything else runs on [`LOAD_CORE`].
pub(super) const SERVER_CORE: &str = "0";
/// The core for the load generator and the simulator.
pub(super) const LOAD_CORE: &str = "1";
/// Connections of the load generator, each with one request under way.
pub(super) const CONNECTIONS: &str = "64";

const READY_INTERVAL: Duration = Duration::from_millis(20);

/// The released program in a folder of its own.
pub(super) struct Bench {
    /// The program under measurement.
    pub(super) pampero: PathBuf,
    /// The load generator and the bare server.
    pub(super) tools: PathBuf,
    /// Configuration, stores and logs.
    pub(super) folder: PathBuf,
}

/// What the load generator saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Answers with status 200.
    pub(super) requests: f64,
    /// Every other answer, and connections that broke.
    pub(super) errors: f64,
    /// Half of the answers came within this many microseconds.
    pub(super) p50_us: f64,
    /// 99 of 100 answers came within this many microseconds.
    pub(super) p99_us: f64,
}

impl Bench {
    /// Builds what is needed and makes an empty folder of that name.
    ///
    /// # Errors
    /// Something does not compile, or the folder cannot be made.
    pub(super) fn prepare(workspace: &Workspace, name: &str) -> Result<Self> {
        Ok(Self {
            pampero: workspace.release_binary("pampero")?,
            tools: workspace.release_binary("pampero-bench")?,
            folder: workspace.empty_folder(&format!("bench-{name}"))?,
        })
    }

    /// Starts a simulator without faults and waits for it.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start_simulator(&self) -> Result<Program> {
        let address = free_address()?;
        let mut command = pinned(LOAD_CORE, &self.pampero);
        command.args(["simulate", "--listen", &address.to_string()]).current_dir(&self.folder);
        self.start(&mut command, address, "simulator.log", "/control/faults")
    }

    /// Starts Pampero with one worker thread and waits until it has weather to serve.
    ///
    /// # Errors
    /// It does not start, or has no weather in time.
    pub(super) fn start_pampero(&self, configuration: &Path) -> Result<Program> {
        self.start_pampero_with(configuration, "data", &[])
    }

    /// Starts Pampero with its store in that folder and variables that override the configuration.
    ///
    /// # Errors
    /// It does not start, or has no weather in time.
    pub(super) fn start_pampero_with(
        &self,
        configuration: &Path,
        data: &str,
        variables: &[(&str, &str)],
    ) -> Result<Program> {
        let address = free_address()?;
        let mut command = self.pampero_command(configuration, address, data);
        command.envs(variables.iter().copied());
        self.start(&mut command, address, &format!("pampero-{data}.log"), "/weather/current")
    }

    /// Prepares the command line under measurement, with the store in the folder `data`.
    pub(super) fn pampero_command(
        &self,
        configuration: &Path,
        address: SocketAddr,
        data: &str,
    ) -> Command {
        let mut command = pinned(SERVER_CORE, &self.pampero);
        command.arg("serve").arg("--config").arg(configuration).current_dir(&self.folder);
        command.args(["--workers", "1", "--data", data, "--listen", &address.to_string()]);
        command
    }

    /// Starts the bare server, which answers with what `original` answers on `path`.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start_bare_server(&self, original: &Program, path: &str) -> Result<Program> {
        let address = free_address()?;
        let mut command = pinned(SERVER_CORE, &self.tools);
        command.args(["bare-server", "--listen", &address.to_string(), "--body-from"]);
        command.arg(format!("http://{}{path}", original.address()));
        self.start(&mut command, address, "bare.log", path)
    }

    /// Sends requests to a server for that many seconds.
    ///
    /// # Errors
    /// The load generator failed.
    pub(super) fn load(&self, server: &Program, path: &str, seconds: u32) -> Result<Load> {
        let mut command = pinned(LOAD_CORE, &self.tools);
        command.args(["load", "--connections", CONNECTIONS, "--seconds", &seconds.to_string()]);
        command.arg("--url").arg(format!("http://{}{path}", server.address()));
        Load::from_json(&subprocess::read(&mut command)?)
    }

    /// Sends one request after the other to a server for that many seconds.
    ///
    /// # Errors
    /// The load generator failed.
    pub(super) fn load_alone(&self, server: &Program, path: &str, seconds: u32) -> Result<Load> {
        let mut command = pinned(LOAD_CORE, &self.tools);
        command.args(["load", "--connections", "1", "--seconds", &seconds.to_string()]);
        command.arg("--url").arg(format!("http://{}{path}", server.address()));
        Load::from_json(&subprocess::read(&mut command)?)
    }

    /// Writes a configuration with that many places, all four quarters of the globe among them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write_configuration(
        &self,
        simulator: &Program,
        place_count: u32,
    ) -> Result<PathBuf> {
        let path = self.folder.join("pampero.toml");
        std::fs::write(&path, configuration(simulator.address(), place_count))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Starts a server with its output in the file `log`, and waits until it answers on `ready`.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(
        &self,
        command: &mut Command,
        address: SocketAddr,
        log: &str,
        ready: &str,
    ) -> Result<Program> {
        let log = self.folder.join(log);
        let mut program = Program::start(command, address, &log)?;
        program
            .wait_until_ready(ready, READY_INTERVAL, Duration::from_secs(60))
            .with_context(|| format!("its output is in {}", log.display()))?;
        Ok(program)
    }
}

impl Load {
    fn from_json(text: &str) -> Result<Self> {
        let report: Value =
            serde_json::from_str(text).context("the load generator printed no JSON")?;
        let number = |name: &str| {
            report[name].as_f64().with_context(|| format!("the load report lacks {name}"))
        };
        Ok(Self {
            requests: number("requests")?,
            errors: number("errors")?,
            p50_us: number("p50_us")?,
            p99_us: number("p99_us")?,
        })
    }
}

/// Prepares a command that stays on one core; the process keeps its id.
pub(super) fn pinned(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// Spreads the places over the land of both hemispheres, so that no two are the same.
fn configuration(simulator: SocketAddr, place_count: u32) -> String {
    let mut text = format!(
        "[chain]\norder = [\"open_meteo\", \"met_norway\"]\n\n\
         [providers.open_meteo]\nbase_url = \"http://{simulator}/open_meteo\"\n\
         geocoding_url = \"http://{simulator}/open_meteo\"\n\
         rate = \"none\"\nquota_per_day = 0\nquota_per_month = 0\n\n\
         [providers.met_norway]\nbase_url = \"http://{simulator}/met_norway\"\n\
         contact = \"bench@pampero.invalid\"\n"
    );
    for number in 0..place_count {
        let latitude = f64::from(number % 120) - 55.0;
        let longitude = f64::from(number / 120) * 1.5 - 120.0;
        write!(
            text,
            "\n[[places]]\nid = \"place-{number}\"\nname = \"Place {number}\"\n\
             latitude = {latitude:.4}\nlongitude = {longitude:.4}\nelevation = 100\n\
             time_zone = \"Etc/UTC\"\n"
        )
        .expect("writing to a string cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ten_thousand_places_are_all_different_and_on_the_globe() {
        let text = configuration("127.0.0.1:9".parse().unwrap(), 10_000);
        let table: toml::Table = text.parse().unwrap();
        let mut positions = BTreeSet::new();
        for place in table["places"].as_array().unwrap() {
            let degrees = |key: &str| place[key].as_float().unwrap();
            let (latitude, longitude) = (degrees("latitude"), degrees("longitude"));
            assert!(latitude.abs() <= 90.0 && longitude.abs() <= 180.0, "{place}");
            positions.insert((latitude.to_bits(), longitude.to_bits()));
        }
        assert_eq!(positions.len(), 10_000);
    }

    #[test]
    fn a_load_report_without_a_number_is_refused() {
        let whole = r#"{"requests": 10, "errors": 0, "p50_us": 1.5, "p99_us": 9}"#;
        assert_eq!(Load::from_json(whole).unwrap().p99_us, 9.0);
        assert!(Load::from_json(r#"{"requests": 10}"#).is_err());
        assert!(Load::from_json("no JSON").is_err());
    }
}
