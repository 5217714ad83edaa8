//! The providers over the API: how each has been, and its breaker by hand.

pub(crate) mod wire;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use pampero_loader::Source;
use pampero_weather::provider::ProviderId;

use crate::body::JsonBody;
use crate::edge::Admin;
use crate::parameters::{NoParameters, PathValue, Query};
use crate::problem::{ApiError, Problem};
use crate::providers::wire::{BreakerRequest, ProviderBody, ProviderList, WantedBreaker};
use crate::state::ApiState;

/// Lists the providers in the order in which they are asked.
#[utoipa::path(
    get,
    path = "/api/providers",
    tag = "providers",
    responses((status = 200, description = "The providers of the chain", body = ProviderList))
)]
pub(crate) async fn list_providers(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Json<ProviderList> {
    let chain = state.sources.chain().iter().enumerate();
    let providers = chain.map(|(index, source)| ProviderBody::of(source, index + 1)).collect();
    Json(ProviderList { providers })
}

/// Returns how a provider has been: breaker, pause, quota, counts, last success and failure.
#[utoipa::path(
    get,
    path = "/api/providers/{provider}",
    tag = "providers",
    params(("provider" = String, Path, description = "The id of the provider", example = "open_meteo")),
    responses(
        (status = 200, description = "The provider", body = ProviderBody),
        (status = 404, description = "No such provider in the chain", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_provider(
    State(state): State<ApiState>,
    PathValue(provider): PathValue<ProviderId>,
    _: Query<NoParameters>,
) -> Result<Json<ProviderBody>, ApiError> {
    let (source, rank) = in_chain(&state, provider)?;
    Ok(Json(ProviderBody::of(source, rank)))
}

/// Forces a breaker open or closed, or gives it back to its own rules.
#[utoipa::path(
    put,
    path = "/api/providers/{provider}/breaker",
    tag = "providers",
    params(("provider" = String, Path, description = "The id of the provider", example = "open_meteo")),
    request_body = BreakerRequest,
    responses(
        (status = 200, description = "The provider with its breaker as it is now", body = ProviderBody),
        (status = 404, description = "No such provider in the chain", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn set_breaker(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(provider): PathValue<ProviderId>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<BreakerRequest>,
) -> Result<Json<ProviderBody>, ApiError> {
    let (source, rank) = in_chain(&state, provider)?;
    let cause = Some("over the API".to_owned());
    let breaker = source.stack.breaker();
    let decision = match request.state {
        WantedBreaker::Open => breaker.force_open(cause),
        WantedBreaker::Closed => breaker.force_closed(cause),
        WantedBreaker::Auto => breaker.release(cause),
    };
    if let Some(decision) = decision {
        state.timeline.publish_decision(provider, None, decision);
    }
    Ok(Json(ProviderBody::of(source, rank)))
}

/// Returns the source of a provider and its rank, counted from 1.
fn in_chain(state: &ApiState, provider: ProviderId) -> Result<(&Arc<Source>, usize), ApiError> {
    let mut chain = state.sources.chain().iter().zip(1..);
    chain.find(|(source, _)| source.id() == provider).ok_or_else(|| {
        let detail =
            format!("provider {provider} is not in the chain; GET /api/providers lists it");
        ApiError::new(StatusCode::NOT_FOUND, "unknown_provider", detail).about_parameter("provider")
    })
}
