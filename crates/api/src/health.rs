//! Health for orchestrators.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::parameters::{NoParameters, Query};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Longest time the store may take to say that it answers.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// That all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    status: &'static str,
}

/// Tells that the process answers at all; restart it when this fails.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "health",
    responses((status = 200, description = "The process answers", body = Health))
)]
pub(crate) async fn get_liveness(_: Query<NoParameters>) -> Json<Health> {
    Json(Health { status: "live" })
}

/// Tells whether requests can be answered from the store; send none while this fails.
///
/// Providers do not matter here: what is kept is served whether they answer or not.
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "health",
    responses(
        (status = 200, description = "Requests can be answered", body = Health),
        (status = 503, description = "The store gives no answer, or the server is stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_readiness(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Result<Json<Health>, ApiError> {
    if state.cancel.is_cancelled() {
        return Err(not_ready("stopping", "the server is stopping"));
    }
    match tokio::time::timeout(STORE_TIMEOUT, state.store.ping()).await {
        Ok(Ok(())) => Ok(Json(Health { status: "ready" })),
        Ok(Err(error)) => {
            Err(not_ready("store_silent", "the store gives no answer").because(error))
        }
        Err(_) => Err(not_ready("store_silent", "the store gives no answer in time")),
    }
}

fn not_ready(code: &'static str, detail: &str) -> ApiError {
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    error.retry_after(Duration::from_secs(5))
}
