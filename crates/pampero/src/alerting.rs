//! The alerts as the program opens them: definitions, the courier, and the ways in from logs and metrics.

mod rules;

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use pampero_alerting::rest::{AlertingRest, AlertingRestOptions, AlertingRestParts};
use pampero_alerting::{
    AlertMetrics, Alerting, AlertingOptions, Channels, Definitions, DefinitionsOptions, LogSearch,
    MonitorTellers, Post, RunOptions, Runner, SourceId, SourceKind,
};
use pampero_api::AlertParts;
use pampero_logs::rest::RestState;
use pampero_metrics::{AlertSink, RuleGroup};
use pampero_notifications::{Courier, CourierOptions, FolderVault, Guard, SystemResolver};
use pampero_opensearch::Exception;
use pampero_resilience::Clock;
use pampero_telemetry::prometheus_client::registry::Registry;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::AlertingConfig;
use crate::history::RuleWatch;
use crate::http::USER_AGENT;
use crate::logs::Running;
use rules::{RuleDefaults, RuleSink};

/// The monitors that come with the program, as id and text.
const SHIPPED_MONITORS: [(&str, &str); 1] =
    [("error_logs", include_str!("../../../monitors/error_logs.json"))];

/// From one look at the folders of definitions to the next.
const DEFINITIONS_EVERY: Duration = Duration::from_secs(2);

/// Most monitors, and most channels; the default of OpenSearch.
const DEFINITIONS_MAX: usize = 1_000;

/// Where the parts of the alerts lie on disk.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    /// Alerts, their history, messages, versions.
    pub(crate) alerts: PathBuf,
    /// The files of monitors and channels.
    pub(crate) definitions: PathBuf,
}

/// What the alerts stand on.
pub(crate) struct Foundations {
    /// The log index; `None` when there is none, and then no monitor is run.
    pub(crate) logs: Option<RestState>,
    /// The environment, of which channels may name variables.
    pub(crate) variables: BTreeMap<String, String>,
    /// What the demo brings.
    pub(crate) demo: DemoDefinitions,
    /// Where the API listens, for links when the configuration names no better address.
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<dyn Clock>,
}

/// What the demo brings: monitors in the place of shipped ones, and channels. Empty otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct DemoDefinitions {
    /// Ids with texts.
    pub(crate) monitors: Vec<(&'static str, &'static str)>,
    /// Ids with documents.
    pub(crate) channels: Vec<(&'static str, Value)>,
}

/// The alerts of a running program; clones share them.
#[derive(Clone)]
pub(crate) struct Alerts {
    alerting: Alerting,
    definitions: Arc<Definitions>,
    post: Arc<Post>,
    channels: Channels,
    runner: Arc<Runner>,
    search: Arc<dyn LogSearch>,
    sink: Arc<RuleSink>,
    clock: Arc<dyn Clock>,
    has_logs: bool,
}

impl Alerts {
    /// Opens what is configured; `None` when nothing is watched.
    ///
    /// # Errors
    /// A folder cannot be used, or no client can be made.
    pub(crate) async fn open(
        config: &AlertingConfig,
        folders: Folders,
        foundations: Foundations,
    ) -> anyhow::Result<Option<Self>> {
        if !config.enabled {
            return Ok(None);
        }
        let config = config.clone();
        let opening = move || open(&config, &folders, foundations);
        let opened = tokio::task::spawn_blocking(opening).await?;
        opened.context("the alerts cannot be opened").map(Some)
    }

    /// Returns who is told what alerting rules find.
    pub(crate) fn sink(&self) -> Arc<dyn AlertSink> {
        Arc::clone(&self.sink) as Arc<_>
    }

    /// Lets go the alerts of rules that are not among these groups. Blocks.
    pub(crate) fn keep_rules(&self, groups: &[RuleGroup]) {
        // The interval is no part of what a rule is called.
        let sources = groups.iter().flat_map(|group| group.sources(Duration::ZERO));
        let wanted: HashSet<SourceId> = sources.map(|it| rules::source_id(&it)).collect();
        self.alerting.retain_sources(|id| id.kind != SourceKind::Rule || wanted.contains(id));
    }

    /// Sets who looks at the rule files.
    pub(crate) fn set_rule_watch(&self, watch: Arc<RuleWatch>) {
        self.sink.set_watch(watch);
    }

    /// Returns what the API needs.
    pub(crate) fn parts(&self) -> AlertParts {
        let rest = AlertingRestParts {
            alerting: self.alerting.clone(),
            definitions: Arc::clone(&self.definitions),
            channels: self.channels.clone(),
            runner: Arc::clone(&self.runner),
            deliver: Arc::clone(&self.post) as Arc<_>,
            search: Arc::clone(&self.search),
            clock: Arc::clone(&self.clock),
        };
        let rest = AlertingRest::new(rest, AlertingRestOptions::default());
        AlertParts {
            alerting: self.alerting.clone(),
            definitions: Arc::clone(&self.definitions),
            rules: Arc::clone(&self.sink) as Arc<_>,
            runner: self.has_logs.then(|| Arc::clone(&self.runner)),
            search: self.has_logs.then(|| Arc::clone(&self.search)),
            rest: self.has_logs.then_some(rest),
        }
    }

    /// Registers the metrics of the alerts.
    pub(crate) fn register(&self, registry: &mut Registry) {
        AlertMetrics { alerting: self.alerting.clone() }.register(registry);
    }

    /// Starts what runs in the background; messages are delivered until the last.
    pub(crate) fn start(&self, first: &Running<'_>, last: &Running<'_>) {
        first.spawn(|cancel| Arc::clone(&self.definitions).run(cancel));
        let this = self.clone();
        first.spawn(|cancel| async move { this.pass_on_channels(cancel).await });
        if self.has_logs {
            first.spawn(|cancel| Arc::clone(&self.runner).run(cancel));
        } else {
            tracing::warn!("monitors are not run, since there is no log index; see logs.enabled");
        }
        let alerting = self.alerting.clone();
        last.spawn(|cancel| async move { alerting.run(cancel).await });
    }

    /// Brings the channels to the post whenever their files change.
    async fn pass_on_channels(&self, cancel: CancellationToken) {
        let mut changes = self.definitions.subscribe();
        while let Some(Ok(())) = cancel.run_until_cancelled(changes.changed()).await {
            self.take_channels();
        }
    }

    fn take_channels(&self) {
        let channels = self.definitions.channels();
        let channels = channels.iter().map(|entry| (entry.id.clone(), Arc::clone(&entry.item)));
        self.channels.set(channels.collect());
        self.alerting.note_channels();
    }
}

fn open(
    config: &AlertingConfig,
    folders: &Folders,
    foundations: Foundations,
) -> anyhow::Result<Alerts> {
    let Foundations { logs, variables, demo, address, clock } = foundations;
    let guard = Guard::new(config.allow.clone(), Arc::new(SystemResolver));
    let secrets = folders.definitions.join("secrets");
    let vault = Arc::new(FolderVault::new(secrets, config.secret_folders.clone(), variables));
    let options = DefinitionsOptions {
        monitors: folders.definitions.join("monitors"),
        channels: folders.definitions.join("channels"),
        ledger: folders.alerts.clone(),
        poll: DEFINITIONS_EVERY,
        monitors_max: DEFINITIONS_MAX,
        channels_max: DEFINITIONS_MAX,
    };
    let shipped = shipped_monitors(config, &demo);
    let definitions =
        Definitions::open(&options, &shipped, vault, guard.clone(), Arc::clone(&clock))?;
    for (id, document) in &demo.channels {
        match definitions.channel(id) {
            Some(_) => definitions.replace_channel(id, document)?,
            None => definitions.create_channel(Some(id), document)?,
        };
    }
    let definitions = Arc::new(definitions);
    let channels = Channels::default();
    let courier = CourierOptions {
        guard,
        channels: Arc::new(channels.clone()),
        user_agent: USER_AGENT.to_owned(),
        ..CourierOptions::default()
    };
    let courier = Courier::new(courier, Arc::clone(&clock))?;
    let post = Arc::new(Post::new(courier, channels.clone()));
    let page = config.url.as_ref().map_or_else(|| format!("http://{address}"), Url::to_string);
    let options = AlertingOptions {
        page: Some(page),
        history_for: config.retention,
        messages_max: config.waiting_max,
        fold_after: config.fold_after,
        give_up_after: config.give_up_after,
        seed: rand::random(),
        ..AlertingOptions::default()
    };
    let deliver = Arc::clone(&post) as Arc<_>;
    let alerting = Alerting::open(&folders.alerts, options, Arc::clone(&clock), deliver)?;
    alerting.set_tellers(Box::new(MonitorTellers { definitions: Arc::clone(&definitions) }));
    let has_logs = logs.is_some();
    if !has_logs {
        // Nobody runs monitors, so nobody would end their alerts.
        alerting.retain_sources(|id| id.kind != SourceKind::Monitor);
    }
    let search: Arc<dyn LogSearch> = match logs {
        Some(rest) => Arc::new(Logs(rest)),
        None => Arc::new(NoLogs),
    };
    let options = RunOptions { ledger: Some(folders.alerts.clone()), ..RunOptions::default() };
    let observer = Arc::new(alerting.clone());
    let (searching, ticking) = (Arc::clone(&search), Arc::clone(&clock));
    let runner = Runner::new(Arc::clone(&definitions), searching, observer, ticking, options);
    let defaults = RuleDefaults { channels: config.channels.clone(), reminder: config.reminder };
    let sink = Arc::new(RuleSink::new(alerting.clone(), defaults));
    let runner = Arc::new(runner);
    let alerts =
        Alerts { alerting, definitions, post, channels, runner, search, sink, clock, has_logs };
    alerts.take_channels();
    Ok(alerts)
}

/// Returns the monitors that come with the program, those of the demo in their places.
fn shipped_monitors(
    config: &AlertingConfig,
    demo: &DemoDefinitions,
) -> Vec<(&'static str, &'static str)> {
    let mut monitors: BTreeMap<&str, &str> = BTreeMap::new();
    if config.shipped_monitors {
        monitors.extend(SHIPPED_MONITORS);
    }
    monitors.extend(demo.monitors.iter().copied());
    monitors.into_iter().collect()
}

/// Searches the logs for monitors.
#[derive(Debug)]
struct Logs(RestState);

impl LogSearch for Logs {
    fn search(&self, indices: &[String], body: &Value, now: Timestamp) -> Result<Value, Exception> {
        self.0.search_as_of(indices, body, now)
    }
}

/// Stands in where no logs are kept.
#[derive(Debug)]
struct NoLogs;

impl LogSearch for NoLogs {
    fn search(&self, indices: &[String], _: &Value, _: Timestamp) -> Result<Value, Exception> {
        Err(Exception::index_not_found(&indices.join(",")))
    }
}
