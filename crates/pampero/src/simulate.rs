//! `pampero simulate`: only the simulated providers.

use std::sync::Arc;

use anyhow::Context;
use pampero_resilience::{Clock, SystemClock};
use pampero_simulator::{ScheduledFault, Simulator, SimulatorConfig, demo_schedule};
use pampero_telemetry::logging::{self, Color, LogConfig, LogFormat};
use pampero_telemetry::redaction::Redactor;
use pampero_weather::provider::ProviderId;
use tokio_util::sync::CancellationToken;

use crate::cli::SimulateArguments;
use crate::shutdown;

/// Runs the simulated providers until somebody asks them to end.
///
/// # Errors
/// The address cannot be listened on, or a fault cannot be understood.
pub(crate) async fn run(arguments: &SimulateArguments) -> anyhow::Result<()> {
    let mut faults = if arguments.demo_schedule { demo_schedule() } else { Vec::new() };
    for text in &arguments.fault {
        let fault: ScheduledFault =
            text.parse().with_context(|| format!("--fault {text} cannot be played"))?;
        faults.push(fault);
    }
    let filter = arguments.log.parse().context("--log cannot be understood")?;
    let log = LogConfig { format: LogFormat::Human, filter, color: Color::Auto };
    logging::init(&log, Redactor::default(), Arc::new(SystemClock), None, None)?;
    let config = SimulatorConfig {
        listen: arguments.listen,
        faults,
        ..SimulatorConfig::new(Arc::new(|| SystemClock.now()))
    };
    let simulator = Simulator::start(config, CancellationToken::new()).await?;
    for provider in ProviderId::ALL {
        let base_url = simulator.base_url(provider);
        tracing::info!(provider = provider.as_str(), base_url = base_url.as_str(), "simulating");
    }
    let control_url = simulator.control_url();
    tracing::info!(address = %simulator.address(), control_url = control_url.as_str(), "listening");
    shutdown::requested().await?;
    simulator.stop().await;
    Ok(())
}
