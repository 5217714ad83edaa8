//! Calls about the cluster and its indices rather than their documents.
//!
//! Each call is one plain function over a [`Request`]; [`on`] brings it behind the gate for such calls,
//! onto a thread that may block. Only the health of the cluster waits, and does so outside.

mod aliases;
mod cat;
mod cluster;
mod health;
mod indices;
mod info;
mod maintenance;
mod mappings;
mod nodes;
mod refused;
mod rollover;
mod settings;
mod templates;

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{MethodFilter, MethodRouter};
use jiff::Timestamp;
use pampero_index::Cluster;
use pampero_index::cluster::ResolveOptions;
use pampero_opensearch::Exception;

use super::answer::{Answer, Failure};
use super::call::Call;
use super::scope::{self, Scope};
use super::{RestState, Work};
use pampero_opensearch::parameters::Parameters;

/// Name of the one node.
const NODE_NAME: &str = "pampero-1";

/// Name of the cluster.
const CLUSTER_NAME: &str = "pampero";

/// The version of OpenSearch whose REST API this is.
const VERSION: &str = "3.1.0";

/// Parameters of calls that change something: how long to wait, which has no meaning for one node.
const WAITING: &[&str] =
    &["timeout", "master_timeout", "cluster_manager_timeout", "wait_for_active_shards"];

/// Parameters of calls that read the state of the cluster.
const READING: &[&str] = &["local", "master_timeout", "cluster_manager_timeout", "timeout"];

/// Parameters that say how an expression over indices is resolved.
const RESOLVING: &[&str] = &scope::PARAMETERS;

const GET: MethodFilter = MethodFilter::GET;
const PUT: MethodFilter = MethodFilter::PUT;
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// One call with all that a handler needs.
struct Request<'a> {
    state: &'a RestState,
    call: &'a Call,
    /// The places of the path by name.
    places: &'a HashMap<String, String>,
    now: Timestamp,
}

/// What answers a call.
type Handler = fn(&Request<'_>) -> Result<Answer, Failure>;

/// Returns the routes.
pub(super) fn routes() -> Router<RestState> {
    Router::new()
        .merge(info::routes())
        .merge(health::routes())
        .merge(cluster::routes())
        .merge(nodes::routes())
        .merge(cat::routes())
        .merge(indices::routes())
        .merge(mappings::routes())
        .merge(settings::routes())
        .merge(aliases::routes())
        .merge(templates::routes())
        .merge(maintenance::routes())
        .merge(rollover::routes())
        .merge(refused::routes())
}

/// Makes a route that answers these methods with a handler behind the gate.
fn on(methods: MethodFilter, handler: Handler) -> MethodRouter<RestState> {
    axum::routing::on(
        methods,
        async move |State(state): State<RestState>,
                    Path(places): Path<HashMap<String, String>>,
                    call: Call| {
            state
                .run(Work::Admin, move |state| {
                    let now = state.clock.now();
                    handler(&Request { state, call: &call, places: &places, now })
                })
                .await
        },
    )
}

impl Request<'_> {
    fn cluster(&self) -> &Cluster {
        &self.state.cluster
    }

    fn parameters(&self) -> &Parameters {
        &self.call.parameters
    }

    /// Returns a place of the path; empty when the path has none of this name.
    fn place(&self, name: &str) -> &str {
        self.places.get(name).map_or("", String::as_str)
    }

    /// Reads a boolean parameter.
    fn flag(&self, name: &str, absent: bool) -> Result<bool, Failure> {
        Ok(self.parameters().boolean(name, absent)?)
    }

    /// Reads the parameters in [`RESOLVING`].
    fn resolving(&self) -> Result<ResolveOptions, Failure> {
        Ok(read_resolving(self.parameters())?)
    }

    /// Refuses parameters that are not in `known`, and a body.
    fn takes_only(&self, known: &[&[&str]]) -> Result<(), Failure> {
        self.call.takes(known)?;
        self.call.takes_no_body()
    }
}

/// Reads the parameters in [`RESOLVING`].
fn read_resolving(parameters: &Parameters) -> Result<ResolveOptions, Exception> {
    Ok(Scope::read("", parameters)?.options)
}
