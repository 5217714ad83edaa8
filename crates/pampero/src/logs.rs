//! The index of the log as the program opens it, and the way of the log into it and to another cluster.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pampero_api::{Api, Served};
use pampero_index::Cluster;
use pampero_logs::metrics::LogMetrics;
use pampero_logs::path::{LogPath, LogWriter, PathOptions, WriterOptions, keep_indices};
use pampero_logs::rest::{RestOptions, RestState};
use pampero_logs::shipping::Shipping;
use pampero_resilience::Clock;
use pampero_telemetry::logging::documents::{DocumentQueue, Documents};
use pampero_telemetry::prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{LogsConfig, LogsListener};
use crate::http::client_for;

/// How often what was kept for callers that did not come back is let go of.
const TIDY: Duration = Duration::from_secs(5);

/// Everything about the log that is kept.
pub(crate) struct Logs {
    cluster: Option<Arc<Cluster>>,
    rest: Option<RestState>,
    path: Option<LogPath>,
    shipping: Option<(Shipping, reqwest::Client)>,
    writer: Option<LogWriter>,
    documents: Option<Documents>,
    listener: Option<TcpListener>,
    clock: Arc<dyn Clock>,
}

/// Where the parts of the log lie on disk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Folders<'f> {
    /// The indices.
    pub(crate) indices: &'f Path,
    /// What waits for another cluster.
    pub(crate) buffer: &'f Path,
}

impl Logs {
    /// Opens what is configured. An index that cannot be opened is told and left out: the weather does
    /// not wait for it.
    ///
    /// # Errors
    /// The address that somebody wrote down cannot be listened on, the buffer cannot be opened, or no
    /// client can be made for the cluster.
    pub(crate) async fn open(
        config: &LogsConfig,
        folders: Folders<'_>,
        documents: Option<(Documents, DocumentQueue)>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let (documents, queue) = documents.unzip();
        let mut logs = Self {
            cluster: None,
            rest: None,
            path: None,
            shipping: None,
            writer: None,
            documents,
            listener: None,
            clock,
        };
        if config.enabled {
            logs.open_index(config, folders.indices).await?;
        }
        if let Some(shipping) = config.shipping.clone() {
            let (folder, clock) = (folders.buffer.to_owned(), Arc::clone(&logs.clock));
            let client = client_for(&shipping.url)?;
            let opening = move || Shipping::open(&folder, shipping, clock, rand::random());
            logs.shipping = Some((tokio::task::spawn_blocking(opening).await??, client));
        }
        if let Some(queue) = queue {
            let path = logs.path.clone();
            let shipping = logs.shipping.as_ref().map(|(shipping, _)| shipping.clone());
            logs.writer = Some(LogWriter::new(queue, WriterOptions::default(), path, shipping));
        }
        Ok(logs)
    }

    async fn open_index(&mut self, config: &LogsConfig, folder: &Path) -> anyhow::Result<()> {
        let listener = match config.listener {
            Some(wanted) => listen(wanted).await?,
            None => None,
        };
        let publish_address = match &listener {
            Some(listener) => listener.local_addr()?.to_string(),
            None => config.rest.publish_address.clone(),
        };
        let options = RestOptions { publish_address, ..config.rest.clone() };
        let path_options = PathOptions {
            retention: config.retention,
            bytes_max: config.size_max_bytes,
            ..PathOptions::default()
        };
        let (folder, index, clock) =
            (folder.to_owned(), config.index.clone(), Arc::clone(&self.clock));
        let is_path_wanted = !config.ships_instead;
        let opening = move || {
            let cluster = Arc::new(Cluster::open(&folder, index)?);
            let path = is_path_wanted
                .then(|| LogPath::open(Arc::clone(&cluster), clock, path_options))
                .transpose()?;
            anyhow::Ok((cluster, path))
        };
        match tokio::task::spawn_blocking(opening).await? {
            Ok((cluster, path)) => {
                self.rest =
                    Some(RestState::new(Arc::clone(&cluster), Arc::clone(&self.clock), options));
                self.cluster = Some(cluster);
                self.path = path;
                self.listener = listener;
            }
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = error.as_ref();
                tracing::error!(error, "the log cannot be kept and searched");
            }
        }
        Ok(())
    }

    /// Returns the REST API over the index; `None` when there is none.
    pub(crate) fn rest(&self) -> Option<RestState> {
        self.rest.clone()
    }

    /// Returns the indices, which are to be closed last; `None` when there are none.
    pub(crate) fn cluster(&self) -> Option<Arc<Cluster>> {
        self.cluster.clone()
    }

    /// Registers the metrics of the log.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let metrics = LogMetrics {
            clock: Arc::clone(&self.clock),
            documents: self.documents.clone(),
            writer: self.writer.as_ref().map(LogWriter::counts),
            path: self.path.clone(),
            cluster: self.cluster.clone(),
            shipping: self.shipping.as_ref().map(|(shipping, _)| shipping.clone()),
        };
        metrics.register(registry);
    }

    /// Starts what runs in the background. What takes the log out of its queue runs on `last` and ends
    /// after everything that logs.
    ///
    /// # Errors
    /// The system does not say where the listener is.
    pub(crate) fn start(
        self,
        api: &Api,
        first: &Running<'_>,
        last: &Running<'_>,
    ) -> io::Result<()> {
        if let Some(cluster) = self.cluster {
            last.spawn(|cancel| keep_indices(cluster, Arc::clone(&self.clock), cancel));
        }
        if let Some(rest) = self.rest {
            first.spawn(|cancel| tidy(rest, Arc::clone(&self.clock), cancel));
        }
        if let Some(path) = self.path {
            first.spawn(|cancel| path.run(cancel));
        }
        if let Some(listener) = self.listener {
            let address = listener.local_addr()?;
            let (api, tracker) = (api.clone(), first.tracker.clone());
            first.spawn(|cancel| pampero_api::serve(api, Served::Logs, listener, tracker, cancel));
            tracing::info!(%address, "the log index listens");
        }
        if let Some((shipping, client)) = self.shipping {
            last.spawn(|cancel| shipping.run(client, cancel));
        }
        if let Some(writer) = self.writer {
            last.spawn(|cancel| writer.run(cancel));
        }
        Ok(())
    }
}

/// Where tasks run, and what ends them.
pub(crate) struct Running<'r> {
    /// Owns the tasks.
    pub(crate) tracker: &'r TaskTracker,
    /// Ends them.
    pub(crate) cancel: &'r CancellationToken,
}

impl Running<'_> {
    pub(crate) fn spawn<F>(&self, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(task(self.cancel.clone()));
    }
}

/// Listens where OpenSearch's clients look; `None` where somebody else does and nobody chose the place.
async fn listen(wanted: LogsListener) -> anyhow::Result<Option<TcpListener>> {
    let address = wanted.address;
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if !wanted.is_chosen && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(
                %address,
                "something else listens where OpenSearch's clients look, so the log index is under \
                 /opensearch alone; choose another address with logs.listen"
            );
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| {
            format!(
                "cannot listen on {address}; is it in use? choose another address with logs.listen"
            )
        }),
    }
}

async fn tidy(rest: RestState, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    while cancel.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
        rest.tick(clock.now());
    }
}
