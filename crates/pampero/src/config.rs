//! The configuration: one TOML file, the environment over it, a default for every key.
//!
//! Only this module reads the configuration file, the environment and the files of secrets. Each
//! section is read into the type that its crate means by it; everything that is wrong is told at
//! once, with its place. A key is declared where it is read: see [`reader::Section::read`].
//! Start reading at [`Config::read`].

mod alerting;
mod chain;
mod host;
mod kind;
mod limits;
mod log;
mod logs;
mod metrics;
mod origin;
mod places;
mod polling;
mod providers;
mod reader;
mod reference;
mod secret;
mod server;
mod shipping;
mod store;
mod targets;
#[cfg(test)]
mod tests;
mod traces;
mod tree;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use pampero_api::ServerConfig;
use pampero_resilience::Policy;
use pampero_telemetry::host::HostOptions;
use pampero_telemetry::logging::LogConfig;
use pampero_telemetry::traces::TracesConfig;
use pampero_weather::provider::ProviderId;
use secrecy::SecretString;

pub(crate) use alerting::AlertingConfig;
pub(crate) use logs::{LogsConfig, LogsListener};
pub(crate) use metrics::MetricsConfig;
pub(crate) use origin::Problems;
pub(crate) use places::Places;
pub(crate) use polling::PollingConfig;
pub(crate) use providers::ProviderConfig;
pub(crate) use store::StoreConfig;

use origin::Origin;
use providers::General;
use reader::{Reader, Setting};
use secret::Vault;
use tree::{Table, VARIABLE_PREFIX};

/// The file that is read when none is named and it is there.
pub(crate) const DEFAULT_FILE: &str = "pampero.toml";

/// What the program is to do, checked and complete.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The HTTP edge.
    pub(crate) server: ServerConfig,
    /// Threads that serve; `None` for one on each core.
    pub(crate) workers: Option<NonZeroUsize>,
    /// The store.
    pub(crate) store: StoreConfig,
    /// The log.
    pub(crate) log: LogConfig,
    /// The index of the log.
    pub(crate) logs: LogsConfig,
    /// The history of metrics.
    pub(crate) metrics: MetricsConfig,
    /// What watches, and who is told.
    pub(crate) alerting: AlertingConfig,
    /// Metrics of the machine; `None` for none.
    pub(crate) host: Option<HostOptions>,
    /// The traces.
    pub(crate) traces: TracesConfig,
    /// The rhythm of polling.
    pub(crate) polling: PollingConfig,
    /// The places to begin with.
    pub(crate) places: Places,
    /// The providers in the order in which they are asked; each is enabled, and has the key it needs.
    pub(crate) chain: Vec<ProviderId>,
    /// Every provider, whether in the chain or not.
    pub(crate) providers: BTreeMap<ProviderId, ProviderConfig>,
}

/// A configuration that was read, and what was noticed on the way.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it means.
    pub(crate) config: Config,
    /// What works but is hardly meant, in words.
    pub(crate) warnings: Vec<String>,
    /// The configuration that holds, as TOML with the origin of each value; secrets are not shown.
    pub(crate) effective: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{0}")]
    Wrong(Problems),
}

/// What a configuration is read from.
pub(crate) struct Sources<'s> {
    /// Name and text of the file; `None` when there is none.
    pub(crate) file: Option<(&'s str, &'s str)>,
    /// The environment.
    pub(crate) variables: BTreeMap<String, String>,
    /// Reads a file with a secret.
    pub(crate) read_file: &'s dyn Fn(&Path) -> io::Result<String>,
}

/// Returns the environment of the process; variables that are no text are left out.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads the file at `path`, or [`DEFAULT_FILE`] if it is there, with `variables` over it.
///
/// # Errors
/// The file cannot be read, or something is wrong; then all of it is told.
pub(crate) fn load(
    path: Option<&Path>,
    variables: BTreeMap<String, String>,
) -> Result<Loaded, LoadError> {
    let file = path.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(LoadError::Unreadable { path: file.to_owned(), source }),
    };
    let name = file.display().to_string();
    let file = text.as_deref().map(|text| (name.as_str(), text));
    let sources = Sources { file, variables, read_file: &read_secret_file };
    Config::read(&sources).map_err(LoadError::Wrong)
}

/// Reads a file that is small if it holds a secret, and never more than that.
fn read_secret_file(path: &Path) -> io::Result<String> {
    const LENGTH_MAX: u64 = 64 * 1024;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LENGTH_MAX).read_to_string(&mut text)?;
    Ok(text)
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn read(sources: &Sources<'_>) -> Result<Loaded, Problems> {
        let file = sources.file.map(|(name, _)| name.to_owned());
        let mut reader = Reader::default();
        let tree = read_tree(sources, &mut reader);
        let config = read_sections(sources, &mut reader, tree);
        reader.refuse_unknown();
        warn_of_single_underscores(sources, &mut reader);
        let Reader { mut problems, mut warnings, settings, .. } = reader;
        if !problems.is_empty() {
            problems.sort();
            problems.dedup();
            return Err(Problems { file, remarks: problems });
        }
        warnings.sort();
        let file = file.as_deref();
        Ok(Loaded {
            config,
            warnings: warnings.iter().map(|warning| warning.render(file)).collect(),
            effective: reference::effective(&settings, file),
        })
    }

    /// Returns every secret, for the redactor.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let keys = self.providers.values().filter_map(|provider| provider.key.as_ref());
        let headers = self.traces.headers.iter().map(|(_, value)| value);
        let of_targets = targets::secrets(&self.metrics.history.targets);
        let of_shipping = self.logs.shipping.iter().filter_map(|cluster| cluster.password.as_ref());
        keys.chain(&self.server.admin_token).chain(headers).chain(of_targets).chain(of_shipping)
    }
}

fn read_tree(sources: &Sources<'_>, reader: &mut Reader) -> Table {
    let text = sources.file.map_or("", |(_, text)| text);
    let mut tree = tree::parse(text, &mut reader.problems);
    for (name, value) in &sources.variables {
        let path = name.strip_prefix(VARIABLE_PREFIX).unwrap_or_default();
        if path.contains("__") || path == "PLACES" {
            tree::overlay(&mut tree, name, value, &mut reader.problems);
        }
    }
    tree
}

fn read_sections(sources: &Sources<'_>, reader: &mut Reader, mut tree: Table) -> Config {
    let vault = Vault { variables: &sources.variables, read_file: sources.read_file };
    let no_color = sources.variables.get("NO_COLOR").is_some_and(|value| !value.is_empty());
    let tree_of = &mut tree;
    let (server, workers) =
        reader.section(tree_of, "server", server::DOC, |section| server::read(section, &vault));
    let store = reader.section(tree_of, "store", store::DOC, store::read);
    let log = reader.section(tree_of, "log", log::DOC, |section| log::read(section, no_color));
    let mut cluster = None;
    let mut logs = reader.section(tree_of, "logs", logs::DOC, |section| {
        cluster = section.keys.remove("opensearch");
        logs::read(section, server.admin_token.is_some())
    });
    (logs.shipping, logs.ships_instead) =
        reader.table("logs.opensearch", shipping::DOC, cluster, |section| {
            shipping::read(section, &vault)
        });
    let mut targets = None;
    let mut metrics = reader.section(tree_of, "metrics", metrics::DOC, |section| {
        targets = section.keys.remove("targets");
        metrics::read(section, server.listen)
    });
    metrics.history.targets = targets::read(reader, targets, &vault);
    let alerting = reader.section(tree_of, "alerting", alerting::DOC, alerting::read);
    let host = reader.section(tree_of, "host", host::DOC, host::read);
    let traces =
        reader.section(tree_of, "traces", traces::DOC, |section| traces::read(section, &vault));
    let polling = reader.section(tree_of, "polling", polling::DOC, polling::read);
    let places = places::read(reader, tree_of);
    let (chain, chain_origin) = reader.section(tree_of, "chain", chain::DOC, chain::read);
    let general = reader.section(tree_of, "resilience", limits::DOC, |section| {
        let policy = limits::read(section, &Policy::default());
        General {
            policy,
            is_backoff_written: section.is_written("backoff"),
            is_backoff_max_written: section.is_written("backoff_max"),
            is_concurrency_written: section.is_written("concurrency"),
            stale_after: polling.stale_after,
        }
    });
    let providers = providers::read(reader, tree_of, &vault, &general);
    reader.leave_over("", tree);
    chain::check(reader, &chain, &chain_origin, &providers);
    Config {
        server,
        workers,
        store,
        log,
        logs,
        metrics,
        alerting,
        host,
        traces,
        polling,
        places,
        chain,
        providers,
    }
}

/// A variable with one underscore where two belong would otherwise be passed over in silence.
fn warn_of_single_underscores(sources: &Sources<'_>, reader: &mut Reader) {
    let single = |setting: &Setting| {
        format!("{VARIABLE_PREFIX}{}_{}", setting.section.replace('.', "_"), setting.name)
            .to_uppercase()
    };
    let meant: BTreeMap<String, String> =
        reader.settings.iter().map(|setting| (single(setting), setting.variable())).collect();
    for name in sources.variables.keys() {
        if let Some(meant) = meant.get(name) {
            let what = format!("this variable is not read; write {meant}");
            reader.warning(Origin::Variable(name.clone()), "", what);
        }
    }
}
