//! The REST API of OpenSearch's alerting and notifications plugins.
//!
//! Paths, parameters, statuses and bodies are those of OpenSearch, under `/_plugins` and under the older
//! `/_opendistro`. A handler gets a `Call` with its parameters and its body and returns an `Answer` or a
//! `Failure`; what holds for every call (`pretty`, `filter_path`, wrong methods) is the business of the frame
//! that [`router`] is mounted in. What OpenSearch can and this server cannot is refused by its name
//! (`refused`). Secrets never stand in an answer. Start reading at `monitors`, then `alerts`, `configs`.

mod alerts;
mod answer;
mod call;
mod configs;
mod find;
mod gate;
mod monitors;
mod refused;
mod stats;

use std::sync::Arc;

use axum::Router;
use pampero_resilience::Clock;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::definitions::Definitions;
use crate::run::Runner;
use crate::{Alerting, Channels, Deliver, LogSearch};
use answer::Failure;
use gate::Gate;

/// What may be asked of the REST API.
#[derive(Clone, Debug)]
pub struct AlertingRestOptions {
    /// Largest body in bytes, packed or not.
    pub body_bytes_max: usize,
    /// Most executions of monitors at once; further ones wait.
    pub executions_max: usize,
    /// Most calls at once that send a message and wait for its receiver; further ones are refused with 429.
    pub sends_max: usize,
    /// Most calls that wait for their turn; further ones are refused with 429.
    pub waiting_max: usize,
    /// The name of the cluster, as the log index gives it.
    pub cluster_name: String,
    /// The name of the one node.
    pub node_name: String,
    /// The id of the one node.
    pub node_id: String,
}

impl Default for AlertingRestOptions {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            executions_max: 2,
            sends_max: 8,
            waiting_max: 100,
            cluster_name: "pampero".to_owned(),
            node_name: "pampero-1".to_owned(),
            node_id: "pampero-1".to_owned(),
        }
    }
}

/// What the routes need; clones share it.
#[derive(Clone, Debug)]
pub struct AlertingRest(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parts: AlertingRestParts,
    options: AlertingRestOptions,
    executions: Gate,
    reads: Gate,
    writes: Gate,
    sends: Semaphore,
}

/// What the routes look at and change.
#[derive(Clone, Debug)]
pub struct AlertingRestParts {
    /// The alerts.
    pub alerting: Alerting,
    /// The monitors and channels.
    pub definitions: Arc<Definitions>,
    /// The channels that messages are sent through, which follow those of the definitions.
    pub channels: Channels,
    /// Runs monitors.
    pub runner: Arc<Runner>,
    /// Sends what the actions of monitors say that are not saved.
    pub deliver: Arc<dyn Deliver>,
    /// Tells whether the indices of a monitor are there.
    pub search: Arc<dyn LogSearch>,
    /// Tells the present instant.
    pub clock: Arc<dyn Clock>,
}

impl AlertingRest {
    /// Puts together what the routes need.
    pub fn new(parts: AlertingRestParts, options: AlertingRestOptions) -> Self {
        /// Most lists and searches at once.
        const READS_MAX: usize = 4;
        let waiting_max = options.waiting_max;
        Self(Arc::new(Shared {
            parts,
            executions: Gate::new(options.executions_max, waiting_max),
            reads: Gate::new(READS_MAX, waiting_max),
            // One after another, in the order in which they came.
            writes: Gate::new(1, waiting_max),
            sends: Semaphore::new(options.sends_max.min(Semaphore::MAX_PERMITS)),
            options,
        }))
    }

    fn options(&self) -> &AlertingRestOptions {
        &self.0.options
    }

    fn definitions(&self) -> &Arc<Definitions> {
        &self.0.parts.definitions
    }

    fn alerting(&self) -> &Alerting {
        &self.0.parts.alerting
    }

    fn runner(&self) -> &Runner {
        &self.0.parts.runner
    }

    fn deliver(&self) -> &Arc<dyn Deliver> {
        &self.0.parts.deliver
    }

    fn search(&self) -> &dyn LogSearch {
        &*self.0.parts.search
    }

    fn clock(&self) -> &dyn Clock {
        &*self.0.parts.clock
    }

    /// Lets messages go through the channels as they are defined now, without waiting for whoever watches the
    /// definitions.
    fn spread_channels(&self) {
        let entries = self.definitions().channels();
        let channels = entries.iter().map(|entry| (entry.id.clone(), Arc::clone(&entry.item)));
        self.0.parts.channels.set(channels.collect());
        self.alerting().note_channels();
    }

    /// Runs a monitor on a thread that may block.
    async fn execute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.executions.run(work).await
    }

    /// Takes a place among the calls that send something.
    fn sending(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.0.sends.try_acquire().map_err(|_| gate::rejected())
    }

    /// Looks something up on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.reads.run(work).await
    }

    /// Changes something on a thread that may block.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.0.writes.run(work).await
    }
}

/// Builds all routes.
///
/// They answer JSON and are meant to be mounted in a frame that does what holds for every call, as that of
/// the log index does.
pub fn router(rest: AlertingRest) -> Router {
    let alerting =
        [monitors::routes(), alerts::routes(), stats::routes(), refused::routes()].concat();
    let notifications = configs::routes();
    let mut router = Router::new();
    // The paths are spelled out, since what is nested no longer knows the path that it was called by.
    for plugins in ["/_plugins", "/_opendistro"] {
        for (plugin, routes) in [("_alerting", &alerting), ("_notifications", &notifications)] {
            for (path, methods) in routes {
                router = router.route(&format!("{plugins}/{plugin}{path}"), methods.clone());
            }
        }
    }
    router.with_state(rest)
}

/// Returns the envelope of a search.
fn envelope(took_ms: u64, total: Value, max_score: Value, hits: Vec<Value>) -> Value {
    let mut found = json!({ "max_score": max_score, "hits": hits });
    if !total.is_null() {
        found["total"] = total;
    }
    json!({
        "took": took_ms,
        "timed_out": false,
        "_shards": { "total": 1, "successful": 1, "skipped": 0, "failed": 0 },
        "hits": found,
    })
}
