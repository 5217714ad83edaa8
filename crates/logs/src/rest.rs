//! OpenSearch's REST API over the indices.
//!
//! Paths, parameters, statuses and bodies are those of OpenSearch 3.1. [`router`] puts a frame round
//! the routes (`frame`), which holds what is true of every call; a handler gets a `Call` with its
//! parameters and its body, does its work behind a `Gate` on a thread that may block, and returns an
//! `Answer` or a `Failure`. What OpenSearch can and this server cannot is refused by its name
//! (`unsupported`). Start reading at `frame`, then `documents`, `bulk`, `search`.

mod admin;
mod analyze;
mod answer;
mod body;
mod bulk;
mod call;
mod contexts;
mod count;
mod counts;
mod delete_by_query;
mod documents;
mod field_caps;
mod filter_path;
mod frame;
mod gate;
mod msearch;
mod plugin;
mod point_in_time;
mod refresh;
mod scope;
mod scroll;
mod search;
mod unsupported;

use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use pampero_index::Cluster;
use pampero_resilience::Clock;

pub use counts::RestCounts;
pub use gate::GateCounts;

pub(crate) use answer::Failure;
pub(crate) use gate::Gate;

use body::Budget;
use contexts::Contexts;
use refresh::RefreshWaits;

/// What the routes need; clones share it.
#[derive(Clone, Debug)]
pub struct RestState {
    /// The indices.
    pub cluster: Arc<Cluster>,
    /// Tells the present instant.
    pub clock: Arc<dyn Clock>,
    /// What may be asked.
    pub options: Arc<RestOptions>,
    shared: Arc<Shared>,
}

/// What all calls share besides the indices.
#[derive(Debug)]
struct Shared {
    searches: Gate,
    writes: Gate,
    admin: Gate,
    refresh_waits: RefreshWaits,
    bodies: Arc<Budget>,
    contexts: Contexts,
    counts: RestCounts,
}

/// What may be asked of the REST API.
#[derive(Clone, Debug)]
pub struct RestOptions {
    /// Largest body in bytes (`http.max_content_length`), compressed or not.
    pub body_bytes_max: usize,
    /// Most bytes that the bodies of all calls hold at once; further ones are refused with 429.
    pub bodies_bytes_max: usize,
    /// Most searches at once; further ones wait, then are refused with 429.
    pub searches_max: usize,
    /// Most writes at once; further ones wait, then are refused with 429.
    pub writes_max: usize,
    /// Most calls that wait for their turn, for searches and for writes each, and most that wait for
    /// a regular refresh (`refresh=wait_for`).
    pub waiting_max: usize,
    /// Most open scrolls and points in time.
    pub scrolls_max: usize,
    /// Address that `GET /_nodes/http` tells clients that sniff, as in `127.0.0.1:9200`.
    pub publish_address: String,
    /// What one search may cost.
    pub search: pampero_index::search::SearchOptions,
}

impl Default for RestOptions {
    fn default() -> Self {
        Self {
            body_bytes_max: 100 << 20,
            bodies_bytes_max: 256 << 20,
            searches_max: 4,
            writes_max: 4,
            waiting_max: 1000,
            scrolls_max: 500,
            publish_address: "127.0.0.1:9200".to_owned(),
            search: pampero_index::search::SearchOptions::default(),
        }
    }
}

/// Which line a work stands in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Work {
    /// Reads documents.
    Search,
    /// Writes documents.
    Write,
    /// Reads or changes indices, aliases, templates, settings.
    Admin,
}

impl RestState {
    /// Puts the state together.
    pub fn new(cluster: Arc<Cluster>, clock: Arc<dyn Clock>, options: RestOptions) -> Self {
        const ADMIN_MAX: usize = 4;
        let waiting_max = options.waiting_max;
        let shared = Shared {
            searches: Gate::new("search", options.searches_max, waiting_max),
            writes: Gate::new("write", options.writes_max, waiting_max),
            admin: Gate::new("management", ADMIN_MAX, waiting_max),
            refresh_waits: RefreshWaits::new(waiting_max),
            bodies: Budget::new(options.bodies_bytes_max),
            contexts: Contexts::new(options.scrolls_max),
            counts: RestCounts::default(),
        };
        Self { cluster, clock, options: Arc::new(options), shared: Arc::new(shared) }
    }

    /// Lets go of what was kept for callers that did not come back in time.
    ///
    /// To be called every few seconds.
    pub fn tick(&self, now: Timestamp) {
        self.shared.contexts.tick(now);
    }

    /// Returns what is counted.
    pub fn counts(&self) -> &RestCounts {
        &self.shared.counts
    }

    /// Returns what became of searches.
    pub fn search_counts(&self) -> &GateCounts {
        self.shared.searches.counts()
    }

    /// Returns what became of writes.
    pub fn write_counts(&self) -> &GateCounts {
        self.shared.writes.counts()
    }

    /// Does `work` on a thread that may block, when it is its turn.
    ///
    /// # Errors
    /// Those of the work, and `rejected_execution_exception` when too many wait.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        line: Work,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let gate = match line {
            Work::Search => &self.shared.searches,
            Work::Write => &self.shared.writes,
            Work::Admin => &self.shared.admin,
        };
        let state = self.clone();
        gate.run(move || work(&state)).await
    }

    /// Returns the open scrolls and points in time.
    fn contexts(&self) -> &Contexts {
        &self.shared.contexts
    }

    /// Returns what the bodies of all calls may hold.
    fn budget(&self) -> &Arc<Budget> {
        &self.shared.bodies
    }
}

/// Builds all routes.
///
/// Mount it with `Router::nest_service("/opensearch", ...)`, or serve it alone.
pub fn router(state: RestState) -> Router {
    router_with_plugins(state, Router::new())
}

/// Builds all routes, with those of plugins among them.
///
/// A plugin answers JSON, and gets what holds for every call: `pretty`, `filter_path`, compression,
/// refusals of wrong methods.
pub fn router_with_plugins(state: RestState, plugins: Router) -> Router {
    let routes = Router::new()
        .merge(admin::routes())
        .merge(documents::routes())
        .merge(bulk::routes())
        .merge(search::routes())
        .merge(msearch::routes())
        .merge(scroll::routes())
        .merge(point_in_time::routes())
        .merge(count::routes())
        .merge(delete_by_query::routes())
        .merge(field_caps::routes())
        .merge(analyze::routes())
        .merge(unsupported::routes())
        .fallback(frame::no_handler)
        .with_state(state.clone())
        .merge(plugin::carried(plugins));
    frame::framed(routes, state)
}
