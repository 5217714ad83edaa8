//! A running Pampero: its parts, put together, and its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pampero_api::{Api, ApiParts, Served};
use pampero_loader::{Averages, Board, PlaceBook, Poller, PollingPolicy, Resolver, Timeline};
use pampero_metrics::{History, Jobs, RuleGroup};
use pampero_resilience::{Clock, QuotaLedger, SystemClock};
use pampero_store::{SqliteOptions, SqliteStore, Store};
use pampero_telemetry::host::HostMetrics;
use pampero_telemetry::logging;
use pampero_telemetry::logging::documents;
use pampero_telemetry::metrics::{Exposition, Metrics};
use pampero_telemetry::redaction::Redactor;
use pampero_telemetry::traces::{self, Exporter, Traces};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerting::{self, Alerts, DemoDefinitions, Foundations};
use crate::config::{self, Config, Loaded, MetricsConfig};
use crate::data_folder::DataFolder;
use crate::history::{self, RuleWatch};
use crate::http::{client_for, direct_client};
use crate::logs::{self, Folders, Logs};
use crate::providers::Workshop;
use crate::shutdown;

/// Longest time the last events may take to reach the store.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Where the providers are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Network {
    /// Somewhere on the internet, perhaps behind the proxy of the environment.
    Public,
    /// On this machine.
    Loopback,
}

/// Polls and serves until somebody asks the program to end, then drains.
///
/// # Errors
/// Something that the program cannot do without is not to be had: the data folder, the store, the
/// address to listen on.
pub(crate) async fn run(
    loaded: Loaded,
    network: Network,
    demo: DemoDefinitions,
) -> anyhow::Result<()> {
    let Loaded { config, warnings, .. } = loaded;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let redactor = Redactor::new(config.secrets());
    let traced = traces::open(&config.traces, env!("CARGO_PKG_VERSION"), redactor.clone())?;
    let (traces, exporter) = traced.unzip();
    let documented = config.logs.enabled || config.logs.shipping.is_some();
    let documents = documented
        .then(|| documents::open(&config.logs.documents, redactor.clone(), Arc::clone(&clock)));
    let of_log = documents.as_ref().map(|(documents, _)| documents);
    logging::init(&config.log, redactor, Arc::clone(&clock), traces.as_ref(), of_log)?;
    for warning in warnings {
        tracing::warn!(warning, "configuration");
    }
    let rules = history::rules(&config.metrics)?;
    let folder = DataFolder::hold(&config.store.path)?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; is it in use? choose another address with --listen")
    })?;
    let options = SqliteOptions { events_max: config.store.events_max, ..SqliteOptions::default() };
    let store = Arc::new(SqliteStore::open(&folder.store_file(), options).await?);
    let history =
        history::open(&config.metrics, rules.clone(), folder.history(), Arc::clone(&clock)).await?;
    let folders = Folders { indices: &folder.logs(), buffer: &folder.logs_buffer() };
    let logs = Logs::open(&config.logs, folders, documents, Arc::clone(&clock)).await?;
    let alerts = open_alerts(&config, &folder, &listener, &logs, demo, &clock).await?;
    let (kept, cluster) = (history.clone(), logs.cluster());
    let store_of_parts = Arc::clone(&store);
    let parts = Parts {
        config,
        store: store_of_parts,
        history,
        rules,
        logs,
        alerts,
        traces,
        clock,
        network,
    };
    let running = Running::start(parts, listener, exporter).await?;
    let asked_by = shutdown::requested().await?;
    tracing::info!(signal = asked_by, "stopping");
    tokio::select! {
        () = running.stop() => {}
        _ = shutdown::requested() => tracing::warn!("stopped at once, as asked twice"),
    }
    if let Some(history) = kept {
        tokio::task::spawn_blocking(move || history.close()).await??;
    }
    if let Some(cluster) = cluster {
        tokio::task::spawn_blocking(move || cluster.indices().close()).await?;
    }
    store.close().await?;
    tracing::info!("stopped");
    Ok(())
}

/// What was opened before anything runs.
struct Parts {
    config: Config,
    store: Arc<SqliteStore>,
    history: Option<History>,
    /// The rules that the history began with.
    rules: Vec<RuleGroup>,
    logs: Logs,
    alerts: Option<Alerts>,
    traces: Option<Traces>,
    clock: Arc<dyn Clock>,
    network: Network,
}

/// Everything that runs in the background.
struct Running {
    cancel: CancellationToken,
    tracker: TaskTracker,
    /// The timeline, the export of spans and the keeping of the log end last, since the others feed
    /// them.
    timeline_cancel: CancellationToken,
    timeline_tracker: TaskTracker,
    grace: Duration,
}

impl Running {
    async fn start(
        parts: Parts,
        listener: TcpListener,
        exporter: Option<Exporter>,
    ) -> anyhow::Result<Self> {
        let Parts { config, store, history, rules, logs, alerts, traces, clock, network } = parts;
        let running = Self {
            cancel: CancellationToken::new(),
            tracker: TaskTracker::new(),
            timeline_cancel: CancellationToken::new(),
            timeline_tracker: TaskTracker::new(),
            grace: config.server.shutdown_grace,
        };
        let ledger: Arc<dyn QuotaLedger> = Arc::clone(&store) as Arc<_>;
        let store: Arc<dyn Store> = store;
        let (timeline, writing) =
            Timeline::open(Arc::clone(&store), running.timeline_cancel.clone());
        running.timeline_tracker.spawn(writing);

        let workshop = Workshop::new(network, Arc::clone(&clock))?;
        let sources = workshop.sources(&config, ledger).await?;
        let board = Arc::new(Board::default());
        let places = PlaceBook::open(
            Arc::clone(&store),
            Arc::clone(&board),
            config.places.configured.clone(),
            config.places.default.clone(),
            config.polling.places_max,
        );
        let places = Arc::new(places.await?);
        let policy = PollingPolicy { seed: rand::random(), ..config.polling.policy.clone() };
        tell_what_runs(&config, &places, &policy);
        let poller = Poller::open(
            Arc::clone(&places),
            Arc::clone(&board),
            sources.clone(),
            Arc::clone(&store),
            timeline.clone(),
            Arc::clone(&clock),
            policy,
            running.tracker.clone(),
            running.cancel.clone(),
        );
        let poller = Arc::new(poller.await?);
        let resolver = Resolver::new(
            Arc::clone(&places),
            Arc::new(workshop.lookup(&config)?),
            timeline.clone(),
            Arc::clone(&clock),
            running.cancel.clone(),
        );
        let averages = Arc::new(Averages::new(
            Arc::clone(&store),
            Arc::clone(&board),
            sources.clone(),
            Arc::clone(&clock),
        ));
        if let (Some(exporter), Some(endpoint)) = (exporter, &config.traces.endpoint) {
            let client = client_for(endpoint)?;
            // The last spans come from work that ends with the tracker, so this ends after it.
            let cancel = running.timeline_cancel.clone();
            running.timeline_tracker.spawn(exporter.run(client, cancel));
        }
        let mut metrics = Metrics::new(env!("CARGO_PKG_VERSION"), clock.now());
        metrics.watch_runtime(&Handle::current());
        if let Some(host) = &config.host {
            HostMetrics::new(host, Arc::clone(&clock))?.register(metrics.shared());
        }
        if let Some(traces) = &traces {
            traces.register(metrics.area("traces"));
        }
        if let Some(history) = &history {
            history.register(metrics.area("history"));
        }
        logs.register(metrics.area("logs"));
        if let Some(alerts) = &alerts {
            alerts.register(metrics.area("alerts"));
        }
        let means = Arc::clone(&averages).keep_at_hand(Arc::clone(&places), running.cancel.clone());
        running.tracker.spawn(means);
        let parts = ApiParts {
            places,
            board,
            sources,
            poller: Some(Arc::clone(&poller)),
            timeline,
            averages,
            store,
            history: history.clone().map(|history| (history, config.metrics.http.clone())),
            logs: logs.rest().map(|rest| (rest, config.logs.request_timeout)),
            alerts: alerts.as_ref().map(Alerts::parts),
            clock,
            config: config.server,
            tracker: running.tracker.clone(),
            cancel: running.cancel.clone(),
        };
        let address = listener.local_addr()?;
        let api = Api::new(parts, metrics);
        let (first, last) = (running.first(), running.last());
        if let Some(alerts) = &alerts {
            alerts.start(&first, &last);
        }
        match (history, alerts) {
            (Some(history), alerts) => {
                start_history(history, rules, config.metrics.clone(), alerts, &api, &first)?;
            }
            // Nobody evaluates rules, so nobody would end their alerts.
            (None, Some(alerts)) => {
                drop(first.tracker.spawn_blocking(move || alerts.keep_rules(&[])))
            }
            (None, None) => {}
        }
        let (tracker, cancel) = (running.tracker.clone(), running.cancel.clone());
        let everything = Served::Everything;
        running.tracker.spawn(pampero_api::serve(
            api.clone(),
            everything,
            listener,
            tracker,
            cancel,
        ));
        logs.start(&api, &first, &last)?;
        tracing::info!(%address, url = format!("http://{address}/"), "listening");
        running.tracker.spawn(poller.run());
        running.tracker.spawn(resolver.run());
        Ok(running)
    }

    /// Where everything runs that ends when the program is asked to.
    fn first(&self) -> logs::Running<'_> {
        logs::Running { tracker: &self.tracker, cancel: &self.cancel }
    }

    /// Where what takes leave of the others runs.
    fn last(&self) -> logs::Running<'_> {
        logs::Running { tracker: &self.timeline_tracker, cancel: &self.timeline_cancel }
    }

    /// Ends what runs: nothing new begins, what is under way may end within the grace.
    async fn stop(self) {
        self.cancel.cancel();
        self.tracker.close();
        // Connections that are left are cut off by the listener itself after the same grace.
        let drained = tokio::time::timeout(self.grace + LAST_EVENTS, self.tracker.wait()).await;
        if drained.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "some work did not end within the grace");
        }
        self.timeline_cancel.cancel();
        self.timeline_tracker.close();
        if tokio::time::timeout(LAST_EVENTS, self.timeline_tracker.wait()).await.is_err() {
            tracing::error!("the last events, spans or log lines did not leave in time");
        }
    }
}

async fn open_alerts(
    config: &Config,
    folder: &DataFolder,
    listener: &TcpListener,
    logs: &Logs,
    demo: DemoDefinitions,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Alerts>> {
    let folders = alerting::Folders {
        alerts: folder.alerts(),
        definitions: config.alerting.folder.clone().unwrap_or_else(|| folder.definitions()),
    };
    let foundations = Foundations {
        logs: logs.rest(),
        variables: config::environment(),
        demo,
        address: listener.local_addr()?,
        clock: Arc::clone(clock),
    };
    Alerts::open(&config.alerting, folders, foundations).await
}

/// Starts the history, with its rules feeding the alerts and taken over when their files change.
fn start_history(
    history: History,
    rules: Vec<RuleGroup>,
    config: MetricsConfig,
    alerts: Option<Alerts>,
    api: &Api,
    running: &logs::Running<'_>,
) -> anyhow::Result<()> {
    let shown = api.clone();
    history.start(&Jobs {
        exposition: Arc::new(move || shown.render_metrics(Exposition::PrometheusText)),
        alerts: alerts.as_ref().map(Alerts::sink),
        client: direct_client()?,
        tracker: running.tracker.clone(),
        cancel: running.cancel.clone(),
    });
    let keep = |alerts: &Option<Alerts>, groups: &[RuleGroup]| {
        if let Some(alerts) = alerts {
            alerts.keep_rules(groups);
        }
    };
    running.spawn(|cancel| async move {
        let opened = tokio::task::spawn_blocking(move || {
            keep(&alerts, &rules);
            let watch = RuleWatch::new(config, history);
            if let Some(alerts) = &alerts {
                alerts.set_rule_watch(Arc::clone(&watch));
            }
            (watch, alerts)
        });
        if let Ok((watch, alerts)) = opened.await {
            watch.run(Arc::new(move |groups: &[RuleGroup]| keep(&alerts, groups)), cancel).await;
        }
    });
    Ok(())
}

fn tell_what_runs(config: &Config, places: &PlaceBook, policy: &PollingPolicy) {
    let chain: Vec<&str> = config.chain.iter().map(|id| id.as_str()).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        places = places.list().len(),
        chain = chain.join(", "),
        interval_s = policy.interval.as_secs(),
        "starting"
    );
}
