//! `pampero demo`: the ordinary program on simulated providers that fail on a schedule.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pampero_resilience::{Clock, SystemClock};
use pampero_simulator::{Simulator, SimulatorConfig, demo_schedule};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::alerting::DemoDefinitions;
use crate::cli::DemoArguments;
use crate::config::{self, Config, Sources};
use crate::service::{self, Network};

const CONFIG: &str = include_str!("demo.toml");
/// The shipped monitor in a hurry.
const ERROR_LOGS: &str = include_str!("demo/error_logs.json");
/// The demo keeps its data apart from those of `serve`.
const DATA_FOLDER: &str = "./data/demo";

/// Runs the demo until somebody asks it to end.
///
/// # Errors
/// What `serve` cannot do without, or a port for the simulator, is not to be had.
pub(crate) async fn run(arguments: &DemoArguments) -> anyhow::Result<()> {
    let faults = if arguments.no_faults { Vec::new() } else { demo_schedule() };
    let simulator_config =
        SimulatorConfig { faults, ..SimulatorConfig::new(Arc::new(|| SystemClock.now())) };
    let simulator = Simulator::start(simulator_config, CancellationToken::new())
        .await
        .context("the simulated providers cannot be started")?;
    let text = CONFIG.replace("{simulator}", &format!("http://{}", simulator.address()));
    let mut variables = config::environment();
    variables.insert("PAMPERO_STORE__PATH".to_owned(), DATA_FOLDER.to_owned());
    let variables = arguments.server.over(variables);
    let read_file = |path: &Path| std::fs::read_to_string(path);
    let sources = Sources { file: Some(("demo.toml", &text)), variables, read_file: &read_file };
    let loaded = Config::read(&sources).map_err(config::LoadError::Wrong)?;
    let slack = json!({ "config": {
        "name": "Slack (stand-in)",
        "description": "The simulator takes these messages; they are listed at /control/slack.",
        "config_type": "slack",
        "slack": { "url": simulator.slack_url().as_str() },
    } });
    let demo = DemoDefinitions {
        monitors: vec![("error_logs", ERROR_LOGS)],
        channels: vec![("default", slack)],
    };
    let ended = service::run(loaded, Network::Loopback, demo).await;
    simulator.stop().await;
    ended
}
