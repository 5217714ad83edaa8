//! OpenSearch's REST API over the indices.
//!
//! Paths, parameters, statuses and bodies are those of OpenSearch 3.1.

use std::sync::Arc;

use axum::Router;
use pampero_index::Cluster;
use pampero_resilience::Clock;

/// What the routes need.
#[derive(Clone, Debug)]
pub struct RestState {
    /// The indices.
    pub cluster: Arc<Cluster>,
    /// Tells the present instant.
    pub clock: Arc<dyn Clock>,
    /// What may be asked.
    pub options: Arc<RestOptions>,
}

/// What may be asked of the REST API.
#[derive(Clone, Debug)]
pub struct RestOptions {
    /// Largest body in bytes (`http.max_content_length`), compressed or not.
    pub body_bytes_max: usize,
    /// Most searches at once; further ones wait, then are refused with 429.
    pub searches_max: usize,
    /// Most writes at once; further ones wait, then are refused with 429.
    pub writes_max: usize,
    /// Most open scrolls and points in time.
    pub scrolls_max: usize,
    /// Address that `GET /_nodes/http` tells clients that sniff, as in `127.0.0.1:9200`.
    pub publish_address: String,
    /// What one search may cost.
    pub search: pampero_index::search::SearchOptions,
}

/// Builds all routes.
pub fn router(state: RestState) -> Router {
    Router::new().with_state(state)
}
