//! What is kept of a place: its observations page by page, and what was corrected in one.

use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use pampero_store::{ObservationFilter, Order, StoredRevision};
use pampero_weather::observation::Observation;
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::paging;
use crate::parameters::{NoParameters, ParameterSet, Parameters, PathParameter, PathValue, Query};
use crate::places::known_place;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;
use crate::weather::measurements::{Flags, Measurements, UNITS, Units, flags_of};

/// Which observations are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ObservationsQuery {
    /// From this instant on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Only of this provider.
    #[param(value_type = Option<String>, example = "open_meteo")]
    provider: Option<ProviderId>,
    /// Most rows of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// `asc`, oldest first, unless `desc` is asked for.
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$")]
    order: Order,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<ObservationCursor>,
}

impl ParameterSet for ObservationsQuery {
    const KNOWN: &'static [&'static str] = &["from", "to", "provider", "limit", "order", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        let (from, to) = values.stretch()?;
        Ok(Self {
            from,
            to,
            provider: values.get("provider")?,
            limit: values.limit()?,
            order: values.order(Order::Ascending)?,
            cursor: values.get("cursor")?,
        })
    }
}

/// The key of the last row of a page.
struct ObservationCursor {
    observed_at: Timestamp,
    provider: ProviderId,
}

impl fmt::Display for ObservationCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.observed_at.as_nanosecond(), self.provider)
    }
}

/// The text was not given out as a cursor.
#[derive(Debug, thiserror::Error)]
#[error("no page begins there; give next_cursor of the page before, as it is")]
pub(crate) struct BadCursor;

impl FromStr for ObservationCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (nanoseconds, provider) = text.split_once('.').ok_or(BadCursor)?;
        let nanoseconds = nanoseconds.parse().map_err(|_| BadCursor)?;
        let observed_at = Timestamp::from_nanosecond(nanoseconds).map_err(|_| BadCursor)?;
        let provider = provider.parse().map_err(|_| BadCursor)?;
        Ok(Self { observed_at, provider })
    }
}

/// A page of observations.
#[derive(Serialize, ToSchema)]
pub(crate) struct ObservationList {
    /// In the order that was asked for; of each only what was said last.
    observations: Vec<ObservationBody>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    units: Units,
}

/// What one provider said of a place at one instant.
#[derive(Serialize, ToSchema)]
#[schema(as = Observation)]
pub(crate) struct ObservationBody {
    /// The provider that said it.
    #[schema(example = "open_meteo")]
    provider: &'static str,
    /// The instant the values are valid for.
    #[schema(value_type = String, format = DateTime)]
    observed_at: String,
    /// The instant the answer of the provider arrived here.
    #[schema(value_type = String, format = DateTime)]
    fetched_at: String,
    /// How the provider came by the values: `station`, `model` or `blend`.
    #[schema(example = "model")]
    source_kind: &'static str,
    #[serde(flatten)]
    measurements: Measurements,
    /// What the checks found, by quantity.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    flags: Flags,
}

/// What was said before the present answer for one instant.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevisionList {
    /// Oldest first; empty when nothing was ever corrected.
    revisions: Vec<RevisionBody>,
    units: Units,
}

/// An answer that a later one replaced.
#[derive(Serialize, ToSchema)]
#[schema(as = Revision)]
struct RevisionBody {
    /// 0 for the first answer, counting up.
    revision: u32,
    /// When it was replaced.
    #[schema(value_type = String, format = DateTime)]
    replaced_at: String,
    observation: ObservationBody,
}

/// Lists what providers said of a place, page by page.
#[utoipa::path(
    get,
    path = "/api/places/{place}/observations",
    tag = "observations",
    params(
        ("place" = String, Path, description = "The id of the place", example = "buenos-aires"),
        ObservationsQuery,
    ),
    responses(
        (status = 200, description = "A page of observations", body = ObservationList, headers(
            ("Link" = String, description = "The next page, with rel=next, when there is one"),
        )),
        (status = 404, description = "No such place", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_observations(
    State(state): State<ApiState>,
    PathValue(place): PathValue<PlaceId>,
    Query(wanted): Query<ObservationsQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    known_place(&state, &place)?;
    let limit = wanted.limit;
    let filter = ObservationFilter {
        provider: wanted.provider,
        from: wanted.from,
        to: wanted.to,
        after: wanted.cursor.map(|cursor| (cursor.observed_at, cursor.provider)),
        order: wanted.order,
        limit: limit + 1,
    };
    let mut rows = state.store.observations(&place, &filter).await?;
    let next_cursor = paging::cut(&mut rows, limit).map(|last| {
        let (observed_at, provider) = (last.observed_at, last.provider);
        ObservationCursor { observed_at, provider }.to_string()
    });
    let observations = rows.iter().map(ObservationBody::of).collect();
    let list = ObservationList { observations, next_cursor: next_cursor.clone(), units: UNITS };
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

/// The instant of an observation, as a part of the path.
pub(crate) struct ObservedAt(Timestamp);

impl PathParameter for ObservedAt {
    const NAME: &'static str = "observed_at";

    fn read(text: &str) -> Result<Self, ApiError> {
        let detail = || format!("observed_at: {text:?} is no instant; write 2026-11-24T03:41:00Z");
        text.parse().map(Self).map_err(|_| ApiError::parameter(Self::NAME, detail()))
    }
}

impl PathParameter for ProviderId {
    const NAME: &'static str = "provider";

    fn read(text: &str) -> Result<Self, ApiError> {
        text.parse().map_err(|error: pampero_weather::provider::UnknownProvider| {
            let error = ApiError::new(StatusCode::NOT_FOUND, "unknown_provider", error.to_string());
            error.about_parameter(Self::NAME)
        })
    }
}

/// Lists what a provider said of a place and an instant before it corrected itself.
#[utoipa::path(
    get,
    path = "/api/places/{place}/observations/{provider}/{observed_at}/revisions",
    tag = "observations",
    params(
        ("place" = String, Path, description = "The id of the place", example = "buenos-aires"),
        ("provider" = String, Path, description = "The id of the provider", example = "open_meteo"),
        ("observed_at" = String, Path, description = "The instant (RFC 3339)", format = DateTime),
    ),
    responses(
        (status = 200, description = "The replaced answers, oldest first", body = RevisionList),
        (status = 404, description = "No such place or provider", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list_revisions(
    State(state): State<ApiState>,
    PathValue(place): PathValue<PlaceId>,
    PathValue(provider): PathValue<ProviderId>,
    PathValue(ObservedAt(observed_at)): PathValue<ObservedAt>,
    _: Query<NoParameters>,
) -> Result<Json<RevisionList>, ApiError> {
    known_place(&state, &place)?;
    let revisions = state.store.revisions(&place, provider, observed_at).await?;
    let revisions = revisions.iter().map(RevisionBody::of).collect();
    Ok(Json(RevisionList { revisions, units: UNITS }))
}

impl ObservationBody {
    fn of(observation: &Observation) -> Self {
        Self {
            provider: observation.provider.as_str(),
            observed_at: observation.observed_at.to_string(),
            fetched_at: observation.fetched_at.to_string(),
            source_kind: observation.source_kind.as_str(),
            measurements: Measurements::of(observation),
            flags: flags_of(observation),
        }
    }
}

impl RevisionBody {
    fn of(stored: &StoredRevision) -> Self {
        Self {
            revision: stored.revision,
            replaced_at: stored.replaced_at.to_string(),
            observation: ObservationBody::of(&stored.observation),
        }
    }
}
