//! The command line: what a person types, before it is merged with the configuration.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

/// Weather that stays up when its sources do not.
///
/// Pampero asks public weather services for the places you name, survives their failures,
/// keeps what they measured and serves it over HTTP.
#[derive(Debug, Parser)]
#[command(
    name = "pampero",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "\
Begin here:
  pampero demo                     watch it at work; no network, no configuration
  pampero serve                    the real thing: Buenos Aires, no key needed
  curl http://127.0.0.1:8000/weather/current

Then name your places in pampero.toml and read them back:
  pampero check                    says everything that is wrong with the configuration
  pampero check --print            shows what is in force

And look back:
  pampero metrics query 'pampero_weather_temperature_celsius' --range 6h
  pampero logs 'level:error' --since 1h --follow
  pampero alerts list
"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows everything on one machine, without a network.
    ///
    /// Simulated providers replay a year of real hourly data of three airports near New York and fail
    /// on a schedule, so that retries, breakers and fallbacks can be watched.
    Demo(DemoArguments),
    /// Polls the configured providers and serves what they measured.
    ///
    /// Without any configuration: Buenos Aires through Open-Meteo, with MET Norway behind it.
    Serve(ServeArguments),
    /// Reads the configuration and says everything that is wrong with it.
    Check(CheckArguments),
    /// Runs only the simulated providers, to test a Pampero (or anything else) against them.
    ///
    /// Point `base_url` of a provider at the printed address. Faults are listed at /control/catalogue
    /// and switched at /control/faults.
    Simulate(SimulateArguments),
    /// Asks the history of metrics.
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Searches the log, newest lines last.
    ///
    /// The log of the Pampero that runs on this machine is searched, or any index of an OpenSearch
    /// with the same fields.
    Logs(LogsArguments),
    /// Shows alerts, and decides who is told of them.
    ///
    /// The Pampero that runs on this machine is asked, or another one. What changes something needs its
    /// admin token, where it has one.
    Alerts(AlertsArguments),
}

/// Arguments of `pampero alerts`.
#[derive(Args, Debug)]
pub(crate) struct AlertsArguments {
    #[command(subcommand)]
    pub(crate) command: AlertsCommand,
    /// How answers are shown
    #[arg(long, short, global = true, value_name = "FORM", default_value = "table")]
    pub(crate) output: AlertsOutput,
    /// Where the Pampero is
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub(crate) server: Url,
    /// The variable of the environment that holds the admin token
    #[arg(long, global = true, value_name = "NAME", default_value = "PAMPERO_ADMIN_TOKEN")]
    pub(crate) token_env: String,
}

/// How answers about alerts are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum AlertsOutput {
    /// Lines with columns.
    Table,
    /// What the server answered.
    Json,
}

/// What is done with alerts.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Lists alerts that are not over, the newest first.
    List(AlertsListArguments),
    /// Shows an alert with what happened to it and who was told.
    Show {
        /// Its id, as `list` shows it
        id: String,
    },
    /// Sends a test message through a channel; fails when it does not arrive.
    Test {
        /// The id of the channel
        channel: String,
    },
    /// Plays a monitor or rules over the recorded past: when they would have fired, and what would have
    /// been sent.
    Backtest(AlertsBacktestArguments),
    /// Acknowledges alerts: no reminders and no escalations until they are over.
    Ack {
        /// Their ids, as `list` shows them
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
    /// Mutes alerts: they are tracked, and nobody is told until it is over.
    Mute(AlertsMuteArguments),
    /// Ends a mute; what it held back is told within seconds.
    Unmute {
        /// Its id, as `mute` shows it
        id: String,
    },
}

/// Arguments of `pampero alerts list`.
#[derive(Args, Debug)]
pub(crate) struct AlertsListArguments {
    /// Those that are over as well
    #[arg(long)]
    pub(crate) all: bool,
    /// Only with this text in a name or a label
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Most alerts that are shown
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

/// Arguments of `pampero alerts backtest`.
#[derive(Args, Debug)]
pub(crate) struct AlertsBacktestArguments {
    /// A monitor (.json), or a file of rules (.yml, .yaml)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How far back, as in 6h or 7d, or an instant, as in 2026-11-24T12:00:00Z
    #[arg(long, value_name = "WHEN", default_value = "1d")]
    pub(crate) since: String,
}

/// Arguments of `pampero alerts mute`.
#[derive(Args, Debug)]
pub(crate) struct AlertsMuteArguments {
    /// Conditions on labels, which all have to hold, as in 'alertname=Frost' or 'severity=~1|2'
    #[arg(required = true, value_name = "MATCHER")]
    pub(crate) matchers: Vec<String>,
    /// How long from now, as in 2h
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) length: String,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
}

/// Arguments of `pampero logs`.
#[derive(Args, Debug)]
pub(crate) struct LogsArguments {
    /// What to look for, as in 'level:error AND provider:open_meteo'
    #[arg(value_name = "QUERY", default_value = "*")]
    pub(crate) query: String,
    /// How far back, as in 15m or 7d, or an instant, as in 2026-11-24T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Most lines that are shown; the newest
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 50)]
    pub(crate) limit: u64,
    /// Goes on with lines as they come, until it is stopped
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How lines are shown
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub(crate) output: LogsOutput,
    /// The index, an alias, or a pattern
    #[arg(long, value_name = "NAME", default_value = LogsArguments::INDEX)]
    pub(crate) index: String,
    /// What stands before the index
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000/opensearch")]
    pub(crate) server: Url,
}

impl LogsArguments {
    /// The index that is searched unless another is named.
    pub(crate) const INDEX: &str = "weather_logs";
}

/// How lines of the log are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum LogsOutput {
    /// A line for each document.
    Table,
    /// Each document as JSON on a line of its own.
    Json,
}

/// What is done with metrics.
#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Evaluates a PromQL expression: now as a table, over a range as a chart.
    ///
    /// The history of the Pampero that runs on this machine is asked, or any server that speaks
    /// Prometheus's HTTP API.
    Query(MetricsQueryArguments),
}

/// Arguments of `pampero metrics query`.
#[derive(Args, Debug)]
pub(crate) struct MetricsQueryArguments {
    /// The expression, as in 'pampero_weather_temperature_celsius{place="jfk"}'
    #[arg(value_name = "EXPR")]
    pub(crate) query: String,
    /// How far back from now, as in 90s, 6h or 7d
    #[arg(long, value_name = "DURATION")]
    pub(crate) range: Option<String>,
    /// From one point of the range to the next [default: what fits a terminal]
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<String>,
    /// How the answer is shown [default: chart for a range, else table]
    #[arg(long, short, value_name = "FORM")]
    pub(crate) output: Option<QueryOutput>,
    /// What stands before /api/v1
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000/prometheus")]
    pub(crate) server: Url,
}

/// How an answer is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum QueryOutput {
    /// Curves of dots.
    Chart,
    /// A line for each value.
    Table,
    /// What the server answered.
    Json,
}

/// Where the configuration is and what overrides it.
#[derive(Args, Debug)]
pub(crate) struct ConfigArguments {
    /// The configuration file [default: pampero.toml, where it exists]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What the servers have in common.
#[derive(Args, Debug)]
pub(crate) struct ServerArguments {
    /// Address to listen on; port 0 lets the system choose [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Folder for everything that is kept
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data: Option<PathBuf>,
    /// Threads that serve requests [default: one for each core]
    #[arg(long, alias = "worker-threads", value_name = "COUNT")]
    pub(crate) workers: Option<u16>,
    /// Form of the log on standard error: human or json
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What is logged, as in `info` or `warn,pampero_loader=debug`
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Arguments of `pampero serve`.
#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// Arguments of `pampero demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Leaves out the scheduled faults; switch your own at the printed control address
    #[arg(long)]
    pub(crate) no_faults: bool,
}

/// Arguments of `pampero check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Shows every key with the value in force; secrets are only said to be set
    #[arg(long)]
    pub(crate) print: bool,
}

/// Arguments of `pampero simulate`.
#[derive(Args, Debug)]
pub(crate) struct SimulateArguments {
    /// Address to listen on; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8100")]
    pub(crate) listen: SocketAddr,
    /// A fault from the start, as in `open_meteo=status:503` or `met_norway=hang`; may be repeated
    #[arg(long, value_name = "PROVIDER=FAULT")]
    pub(crate) fault: Vec<String>,
    /// Plays the schedule of faults that the demo plays
    #[arg(long)]
    pub(crate) demo_schedule: bool,
    /// What is logged, as in `info` or `debug`
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub(crate) log: String,
}

impl ServerArguments {
    /// Lays the arguments over the variables of the environment, each under the name of its key.
    pub(crate) fn over(&self, mut variables: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let arguments = [
            ("PAMPERO_SERVER__LISTEN", self.listen.map(|address| address.to_string())),
            ("PAMPERO_STORE__PATH", self.data.as_ref().map(|path| path.display().to_string())),
            ("PAMPERO_SERVER__WORKERS", self.workers.map(|count| count.to_string())),
            ("PAMPERO_LOG__FORMAT", self.log_format.clone()),
            ("PAMPERO_LOG__FILTER", self.log.clone()),
        ];
        for (name, value) in arguments {
            if let Some(value) = value {
                variables.insert(name.to_owned(), value);
            }
        }
        variables
    }
}
