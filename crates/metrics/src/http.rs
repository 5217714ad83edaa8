//! The Prometheus HTTP API over the history.
//!
//! Paths, statuses, texts and JSON are those of Prometheus 2.42, so that Grafana, promtool and
//! client libraries work as they are; parameters that Prometheus 3 added (`limit`,
//! `lookback_delta`, filters of rules) are understood too. Knows no evaluation and no storage:
//! parameters are read into types that cannot be wrong, the work is done by the engine and the
//! store on threads that may block, and the answer is written as text. Start reading at
//! [`read_router`], then `gate`.
//!
//! Deliberately absent: the admin API, remote read, and CORS, which belongs to the edge.

mod answer;
mod encode;
mod failure;
mod federate;
mod form;
mod gate;
mod number;
mod options;
mod parameter;
mod query;
mod route;
mod rules;
mod selector;
mod series;
mod state;
mod status;
mod targets;
mod text;
mod write;

use axum::Router;
use http::Method;

use crate::History;

pub(crate) use gate::GateCounts;
pub use options::HttpOptions;

use route::routed;
use state::ApiState;

/// Builds all routes: those of [`read_router`] and those of [`write_router`].
pub fn router(history: History, options: HttpOptions) -> Router {
    read_router(history.clone(), options.clone()).merge(write_router(history, options))
}

/// Builds the routes that change nothing.
///
/// Mount it with `Router::nest_service("/prometheus", ...)`, which also serves `/prometheus/`.
pub fn read_router(history: History, options: HttpOptions) -> Router {
    let get = &[Method::GET][..];
    let both = &[Method::GET, Method::POST][..];
    Router::new()
        .route("/", routed(get, status::get_start))
        .route("/-/healthy", routed(&[Method::GET, Method::HEAD], status::get_healthy))
        .route("/-/ready", routed(&[Method::GET, Method::HEAD], status::get_ready))
        .route("/federate", routed(get, federate::get_federation))
        .route("/api/v1/query", routed(both, query::get_instant))
        .route("/api/v1/query_range", routed(both, query::get_range))
        .route("/api/v1/query_exemplars", routed(both, query::get_exemplars))
        .route("/api/v1/format_query", routed(both, query::get_formatted))
        .route("/api/v1/series", routed(both, series::get_series))
        .route("/api/v1/labels", routed(both, series::get_label_names))
        .route("/api/v1/label/{name}/values", routed(get, series::get_label_values))
        .route("/api/v1/metadata", routed(get, targets::get_metadata))
        .route("/api/v1/targets", routed(get, targets::get_targets))
        .route("/api/v1/targets/metadata", routed(get, targets::get_target_metadata))
        .route("/api/v1/rules", routed(get, rules::get_rules))
        .route("/api/v1/alerts", routed(get, rules::get_alerts))
        .route("/api/v1/alertmanagers", routed(get, rules::get_alertmanagers))
        .route("/api/v1/status/buildinfo", routed(get, status::get_build))
        .route("/api/v1/status/config", routed(get, status::get_config))
        .route("/api/v1/status/flags", routed(get, status::get_flags))
        .route("/api/v1/status/runtimeinfo", routed(get, status::get_runtime))
        .route("/api/v1/status/tsdb", routed(get, status::get_store))
        .route("/api/v1/status/walreplay", routed(get, status::get_replay))
        .fallback(route::not_found)
        .with_state(ApiState::new(history, options))
}

/// Builds the route that takes samples, so that a guard can be put round it.
pub fn write_router(history: History, options: HttpOptions) -> Router {
    Router::new()
        .route("/api/v1/write", routed(&[Method::POST], write::receive))
        .with_state(ApiState::new(history, options))
}
