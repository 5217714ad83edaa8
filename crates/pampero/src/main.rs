//! The program: command line, configuration, wiring, signals. Alone names a provider or a store.
//!
//! Start reading at [`run`]; what a running Pampero consists of stands in `service.rs`.

mod alerting;
mod alerts_cli;
mod cli;
mod config;
mod data_folder;
mod demo;
#[cfg(test)]
mod fault_table;
mod history;
mod http;
mod logs;
mod logs_query;
mod lookup;
mod metrics_query;
mod providers;
mod service;
mod shutdown;
mod simulate;

use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Parser;
use tikv_jemallocator::Jemalloc;
use tokio::runtime::Runtime;

use crate::alerting::DemoDefinitions;
use crate::cli::{CheckArguments, Cli, Command, MetricsCommand, ServeArguments};

/// The allocator of the system keeps what a burst of log documents or a large query took; this one
/// gives it back within a second.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = String::new();
            for (depth, cause) in error.chain().enumerate() {
                let lead = if depth == 0 { "pampero: " } else { "  because: " };
                text.push_str(&format!("{lead}{cause}\n"));
            }
            // Nobody is left to be told when standard error is closed.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// Does what the command says.
fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(arguments) => serve(&arguments),
        Command::Demo(arguments) => {
            let workers = arguments.server.workers.map(usize::from).and_then(NonZeroUsize::new);
            runtime(workers)?.block_on(demo::run(&arguments))
        }
        Command::Check(arguments) => check(&arguments),
        Command::Metrics(MetricsCommand::Query(arguments)) => {
            runtime(NonZeroUsize::new(1))?.block_on(metrics_query::run(&arguments))
        }
        Command::Logs(arguments) => {
            runtime(NonZeroUsize::new(1))?.block_on(logs_query::run(&arguments))
        }
        Command::Alerts(arguments) => {
            runtime(NonZeroUsize::new(1))?.block_on(alerts_cli::run(&arguments))
        }
        Command::Simulate(arguments) => runtime(None)?.block_on(simulate::run(&arguments)),
    }
}

fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    let variables = arguments.server.over(config::environment());
    let loaded = config::load(arguments.config.config.as_deref(), variables)?;
    let workers = loaded.config.workers;
    runtime(workers)?.block_on(service::run(
        loaded,
        service::Network::Public,
        DemoDefinitions::default(),
    ))
}

fn check(arguments: &CheckArguments) -> anyhow::Result<()> {
    let loaded = config::load(arguments.config.config.as_deref(), config::environment())?;
    history::rules(&loaded.config.metrics)?;
    let mut out = std::io::stdout().lock();
    if arguments.print {
        writeln!(out, "{}", loaded.effective)?;
    }
    for warning in &loaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "the configuration is good")?;
    Ok(())
}

/// Starts the threads that serve; `None` for one on each core.
fn runtime(workers: Option<NonZeroUsize>) -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers.get());
    }
    Ok(builder.enable_all().build()?)
}

/// Keeps `clap` honest about the command line as it is declared.
#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::LoadError;

    #[test]
    fn command_line_is_declared_without_contradiction() {
        Cli::command().debug_assert();
    }

    #[test]
    fn problems_of_a_configuration_are_an_error_of_their_own() {
        let error = config::load(Some("missing.toml".as_ref()), Default::default()).unwrap_err();
        assert!(matches!(error, LoadError::Unreadable { .. }));
    }
}
