//! Every route with its handler, and the description that comes from both.

use axum::Router;
use axum::middleware::from_extractor_with_state;
use axum::routing::get;
use http::{Method, StatusCode};
use pampero_metrics::http::{read_router, write_router};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::edge::Admin;
use crate::problem::ApiError;
use crate::state::ApiState;
use crate::weather::{average, current};
use crate::{
    alerts, docs, events, exposition, health, logs, observations, openapi, places, providers,
    start_page,
};

/// Returns the routes; nothing in here knows the request id, which the edge adds.
pub(crate) fn router(state: ApiState) -> Router {
    let (described, _) = described().split_for_parts();
    let undescribed = Router::new()
        .route("/", get(start_page::get_start_page))
        .route("/docs", get(docs::redirect_to_docs))
        .route("/docs/", get(docs::get_docs_page))
        .route("/docs/{*file}", get(docs::get_docs_file));
    let history = history(&state);
    let logs = logs::router(&state);
    let router = described
        .merge(undescribed)
        .with_state(state)
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method);
    let router = match history {
        Some(history) => router.nest_service("/prometheus", history),
        None => router,
    };
    match logs {
        Some(logs) => router.nest_service(logs::PREFIX, logs),
        None => router,
    }
}

/// Returns the routes of the metric history, those that change it behind the admin token.
///
/// They speak as Prometheus does, and are described by its documentation instead of the contract.
fn history(state: &ApiState) -> Option<Router> {
    let (history, options) = state.history.clone()?;
    let guard = from_extractor_with_state::<Admin, _>(state.clone());
    let written = write_router(history.clone(), options.clone()).layer(guard);
    Some(read_router(history, options).merge(written))
}

/// Returns the routes with their description, for the contract and for the router alike.
pub(crate) fn described() -> OpenApiRouter<ApiState> {
    let quick = OpenApiRouter::new()
        .routes(routes!(current::get_current_weather))
        .routes(routes!(health::get_liveness))
        .routes(routes!(health::get_readiness))
        .routes(routes!(events::stream::stream_events));
    // What is asked for every few seconds and read by a program near by is compressed with the least
    // work; the layer of all leaves it as it is.
    let scraped = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let compressed = OpenApiRouter::new()
        .routes(routes!(average::get_day_average))
        .routes(routes!(average::get_week_average))
        .routes(routes!(places::list_places, places::add_place))
        .routes(routes!(places::get_place, places::change_place, places::remove_place))
        .routes(routes!(places::get_place_current))
        .routes(routes!(observations::list_observations))
        .routes(routes!(observations::list_revisions))
        .routes(routes!(providers::list_providers))
        .routes(routes!(providers::get_provider))
        .routes(routes!(providers::set_breaker))
        .routes(routes!(events::list_events))
        .routes(routes!(alerts::list::list_alerts))
        .routes(routes!(alerts::list::acknowledge_alerts))
        .routes(routes!(alerts::sources::list_alert_sources))
        .routes(routes!(alerts::history::list_alert_history))
        .routes(routes!(alerts::problems::list_alert_problems))
        .routes(routes!(alerts::mutes::list_mutes, alerts::mutes::add_mute))
        .routes(routes!(alerts::mutes::remove_mute))
        .routes(routes!(alerts::backtest::backtest_alerts))
        .routes(routes!(alerts::list::get_alert))
        .routes(routes!(alerts::channels::list_channels))
        .routes(routes!(alerts::channels::test_channel))
        .routes(routes!(alerts::messages::list_notifications))
        .routes(routes!(alerts::messages::remove_notification))
        .routes(routes!(alerts::messages::resend_notification))
        .routes(routes!(exposition::get_metrics).layer(scraped))
        .routes(routes!(docs::get_openapi))
        .layer(CompressionLayer::new());
    OpenApiRouter::with_openapi(openapi::frame()).merge(quick).merge(compressed)
}

async fn no_such_route() -> ApiError {
    let detail = "there is nothing under this path; GET /openapi.json lists what there is";
    ApiError::new(StatusCode::NOT_FOUND, "unknown_route", detail)
}

async fn wrong_method(method: Method) -> ApiError {
    let detail = format!("{method} is not understood here; the Allow header lists what is");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
