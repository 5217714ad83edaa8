//! What the handlers stand on.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use pampero_loader::{Averages, Board, PlaceBook, Poller, Sources, Timeline};
use pampero_logs::rest::RestState;
use pampero_metrics::History;
use pampero_metrics::http::HttpOptions;
use pampero_resilience::Clock;
use pampero_store::Store;
use pampero_telemetry::metrics::Metrics;
use pampero_telemetry::metrics::http::HttpMetrics;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerts::parts::AlertParts;
use crate::config::ServerConfig;
use crate::directory::Directory;

/// The parts of the program that the API shows, and what it may decide.
pub struct ApiParts {
    /// The places.
    pub places: Arc<PlaceBook>,
    /// What every place is served from.
    pub board: Arc<Board>,
    /// The providers, in the order of the chain.
    pub sources: Sources,
    /// Asks the providers; `None` in a process that only serves.
    pub poller: Option<Arc<Poller>>,
    /// Where events go and come from.
    pub timeline: Timeline,
    /// The means.
    pub averages: Arc<Averages>,
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// The history of metrics, and what may be asked of it; `None` when none is kept.
    pub history: Option<(History, HttpOptions)>,
    /// The log index in OpenSearch's language, and the longest time one of its requests may take;
    /// `None` when none is kept.
    pub logs: Option<(RestState, Duration)>,
    /// The alerts; `None` when they are switched off.
    pub alerts: Option<AlertParts>,
    /// Wall time.
    pub clock: Arc<dyn Clock>,
    /// What the operator decided.
    pub config: ServerConfig,
    /// Owns what must go on when a client goes away.
    pub tracker: TaskTracker,
    /// Ends the streams when the program ends.
    pub cancel: CancellationToken,
}

/// The parts as the handlers share them.
#[derive(Clone)]
pub(crate) struct ApiState(Arc<Shared>);

/// See [`ApiState`], which derefs to it.
pub(crate) struct Shared {
    pub(crate) directory: Directory,
    pub(crate) parts: ApiParts,
    pub(crate) metrics: Metrics,
    /// `None` when requests are not measured.
    pub(crate) http: Option<HttpMetrics>,
    /// One permit for each client that may follow the event stream.
    pub(crate) subscribers: Arc<Semaphore>,
    /// The permit of the one backtest that may run.
    pub(crate) backtests: Arc<Semaphore>,
}

impl ApiState {
    pub(crate) fn new(parts: ApiParts, metrics: Metrics, http: Option<HttpMetrics>) -> Self {
        let directory = Directory::new(Arc::clone(&parts.places), Arc::clone(&parts.board));
        let subscribers = Arc::new(Semaphore::new(parts.config.subscribers_max));
        let backtests = Arc::new(Semaphore::new(1));
        Self(Arc::new(Shared { directory, parts, metrics, http, subscribers, backtests }))
    }
}

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Deref for Shared {
    type Target = ApiParts;

    fn deref(&self) -> &ApiParts {
        &self.parts
    }
}
