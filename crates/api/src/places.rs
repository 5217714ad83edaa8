//! The places over the API: list, add, change, remove, and the current conditions of one.

mod wire;

use std::sync::Arc;

use arc_swap::Guard;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use pampero_loader::PlaceBookError;
use pampero_store::{PlaceState, StoredPlace};
use pampero_weather::place::PlaceId;

use crate::body::JsonBody;
use crate::directory::unknown_place;
use crate::edge::Admin;
use crate::parameters::{NoParameters, PathParameter, PathValue, Query};
use crate::places::wire::{PlaceBody, PlaceList, PlaceRequest};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::weather::current::{CurrentBody, current};

impl PathParameter for PlaceId {
    const NAME: &'static str = "place";

    fn read(text: &str) -> Result<Self, ApiError> {
        text.parse().map_err(|_| unknown_place(text))
    }
}

/// Lists every place, in the order in which they were first added.
#[utoipa::path(
    get,
    path = "/api/places",
    tag = "places",
    responses((status = 200, description = "Every place", body = PlaceList))
)]
pub(crate) async fn list_places(
    State(state): State<ApiState>,
    _: Query<NoParameters>,
) -> Json<PlaceList> {
    let pages = state.directory.pages();
    Json(PlaceList { places: pages.entries().iter().map(|it| PlaceBody::of(&it.place)).collect() })
}

/// Returns a place.
#[utoipa::path(
    get,
    path = "/api/places/{place}",
    tag = "places",
    params(("place" = String, Path, description = "The id of the place", example = "buenos-aires")),
    responses(
        (status = 200, description = "The place", body = PlaceBody),
        (status = 404, description = "No such place", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_place(
    State(state): State<ApiState>,
    PathValue(place): PathValue<PlaceId>,
    _: Query<NoParameters>,
) -> Result<Json<PlaceBody>, ApiError> {
    let pages = state.directory.pages();
    Ok(Json(PlaceBody::of(&pages.named(Some(place.as_str()))?.place)))
}

/// Returns the current conditions of a place, exactly as `/weather/current` does.
#[utoipa::path(
    get,
    path = "/api/places/{place}/current",
    tag = "weather",
    params(("place" = String, Path, description = "The id of the place", example = "buenos-aires")),
    responses(
        (status = 200, description = "Current conditions", body = CurrentBody),
        (status = 304, description = "The caller has this answer already"),
        (status = 404, description = "No such place, or nothing known of it yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_place_current(
    State(state): State<ApiState>,
    PathValue(place): PathValue<PlaceId>,
    _: Query<NoParameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    current(&state, Some(place.as_str()), &headers)
}

/// Adds a place; what it lacks (position, height, time zone) is looked up afterwards.
#[utoipa::path(
    post,
    path = "/api/places",
    tag = "places",
    request_body = PlaceRequest,
    responses(
        (status = 201, description = "The place is complete and will be asked for at once", body = PlaceBody),
        (status = 202, description = "The place is kept, and what it lacks is being looked up", body = PlaceBody),
        (status = 409, description = "There is such a place already, or there are too many", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn add_place(
    _: Admin,
    State(state): State<ApiState>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<PlaceRequest>,
) -> Result<Response, ApiError> {
    let draft = request.into_draft()?;
    let places = Arc::clone(&state.places);
    let place = to_its_end(&state, async move { places.add(draft).await }).await?;
    let status = match place.state {
        PlaceState::Ready(_) => StatusCode::CREATED,
        PlaceState::Unresolved { .. } => StatusCode::ACCEPTED,
    };
    let location = HeaderValue::from_str(&format!("/api/places/{}", place.id));
    let location = location.expect("a slug may be in a header");
    Ok((status, [(header::LOCATION, location)], Json(PlaceBody::of(&place))).into_response())
}

/// Replaces the description of a place; its history stays.
#[utoipa::path(
    put,
    path = "/api/places/{place}",
    tag = "places",
    params(("place" = String, Path, description = "The id of the place", example = "buenos-aires")),
    request_body = PlaceRequest,
    responses(
        (status = 200, description = "The place is complete", body = PlaceBody),
        (status = 202, description = "The place is kept, and what it lacks is being looked up", body = PlaceBody),
        (status = 404, description = "No such place", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The place is defined in the configuration", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn change_place(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(id): PathValue<PlaceId>,
    _: Query<NoParameters>,
    JsonBody(request): JsonBody<PlaceRequest>,
) -> Result<Response, ApiError> {
    let draft = request.into_draft()?;
    if draft.id.as_ref().is_some_and(|given| *given != id) {
        let detail = format!("the id of a place cannot be changed; leave id out, or write {id}");
        let error = ApiError::new(StatusCode::BAD_REQUEST, "invalid_place", detail);
        return Err(error.about_field("id"));
    }
    let places = Arc::clone(&state.places);
    let place = to_its_end(&state, async move { places.change(&id, draft).await }).await?;
    let status = match place.state {
        PlaceState::Ready(_) => StatusCode::OK,
        PlaceState::Unresolved { .. } => StatusCode::ACCEPTED,
    };
    Ok((status, Json(PlaceBody::of(&place))).into_response())
}

/// Removes a place; its history stays and comes back when the place does.
#[utoipa::path(
    delete,
    path = "/api/places/{place}",
    tag = "places",
    params(("place" = String, Path, description = "The id of the place", example = "buenos-aires")),
    responses(
        (status = 204, description = "The place is removed"),
        (status = 404, description = "No such place", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The place is defined in the configuration", body = Problem, content_type = "application/problem+json"),
    ),
    security(("admin" = []))
)]
pub(crate) async fn remove_place(
    _: Admin,
    State(state): State<ApiState>,
    PathValue(id): PathValue<PlaceId>,
    _: Query<NoParameters>,
) -> Result<StatusCode, ApiError> {
    let places = Arc::clone(&state.places);
    to_its_end(&state, async move { places.remove(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a change to its end even when the client goes away, so that store and memory agree.
async fn to_its_end<T: Send + 'static>(
    state: &ApiState,
    change: impl Future<Output = Result<T, PlaceBookError>> + Send + 'static,
) -> Result<T, ApiError> {
    let changed = state.tracker.spawn(change).await.map_err(ApiError::internal)?;
    changed.map_err(ApiError::from)
}

/// Returns the place of that id, to be kept while the store is read.
pub(crate) fn known_place(state: &ApiState, id: &PlaceId) -> Result<Arc<StoredPlace>, ApiError> {
    let pages = Guard::into_inner(state.directory.pages());
    Ok(Arc::clone(&pages.named(Some(id.as_str()))?.place))
}
