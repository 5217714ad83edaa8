//! The timeline over the API: what was decided, by whom and why, in order.

pub(crate) mod stream;

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use jiff::Timestamp;
use pampero_store::{EventFilter, EventId, Order, StoredEvent};
use pampero_weather::event::{Event, EventKind};
use pampero_weather::place::PlaceId;
use pampero_weather::provider::ProviderId;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::paging;
use crate::parameters::{ParameterSet, Parameters, Query};
use crate::problem::ApiError;
use crate::state::ApiState;

/// Which events are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only about this provider.
    #[param(value_type = Option<String>, example = "open_meteo")]
    provider: Option<ProviderId>,
    /// Only about this place.
    #[param(value_type = Option<String>, example = "buenos-aires", pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    place: Option<PlaceId>,
    /// Only of this kind.
    #[param(value_type = Option<String>, example = "breaker_opened")]
    kind: Option<EventKind>,
    /// From this instant on (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this instant (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Most events of the page; 100 unless asked otherwise.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: u32,
    /// `asc`, oldest first, unless `desc` is asked for.
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$")]
    order: Order,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<EventId>,
}

impl ParameterSet for EventsQuery {
    const KNOWN: &'static [&'static str] =
        &["provider", "place", "kind", "from", "to", "limit", "order", "cursor"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        let (from, to) = values.stretch()?;
        let cursor = values.text("cursor").map(str::parse).transpose();
        let cursor = cursor.map_err(|_| {
            let detail = "cursor: give next_cursor of the page before, as it is";
            ApiError::parameter("cursor", detail)
        })?;
        Ok(Self {
            provider: values.get("provider")?,
            place: values.get("place")?,
            kind: values.get("kind")?,
            from,
            to,
            limit: values.limit()?,
            order: values.order(Order::Ascending)?,
            cursor: cursor.map(EventId),
        })
    }
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    /// In the order that was asked for.
    events: Vec<EventBody>,
    /// Where the next page begins; `null` on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// One decision.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventBody {
    /// Its number in the store; `null` in the stream, where it may not be stored yet.
    #[schema(required, example = 4711)]
    id: Option<i64>,
    /// When it was taken.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// What was decided.
    #[schema(example = "breaker_opened")]
    kind: &'static str,
    /// The provider it is about; `null` when it is about no single one.
    #[schema(required, example = "open_meteo")]
    provider: Option<&'static str>,
    /// The place it is about; `null` when it is about many or none.
    #[schema(required)]
    place: Option<String>,
    /// Why; `null` when the kind says it all.
    #[schema(required, example = "3 failures in a row")]
    cause: Option<String>,
    /// The attempt it belongs to, counted from 1; `null` outside a call.
    #[schema(required, example = 3)]
    attempt: Option<u32>,
    /// How long the attempt or the call had taken, in ms; `null` outside a call.
    #[schema(required, example = 10002)]
    elapsed_ms: Option<u64>,
}

/// Lists what was decided, page by page.
#[utoipa::path(
    get,
    path = "/api/events",
    tag = "events",
    params(EventsQuery),
    responses((status = 200, description = "A page of events", body = EventList, headers(
        ("Link" = String, description = "The next page, with rel=next, when there is one"),
    )))
)]
pub(crate) async fn list_events(
    State(state): State<ApiState>,
    Query(wanted): Query<EventsQuery>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let limit = wanted.limit;
    let filter = EventFilter {
        provider: wanted.provider,
        place: wanted.place,
        kind: wanted.kind,
        from: wanted.from,
        to: wanted.to,
        after: wanted.cursor,
        order: wanted.order,
        limit: limit + 1,
    };
    let mut rows = state.store.events(&filter).await?;
    let next_cursor = paging::cut(&mut rows, limit).map(|last| last.id.0.to_string());
    let events = rows.iter().map(EventBody::of_stored).collect();
    let list = EventList { events, next_cursor: next_cursor.clone() };
    Ok(paging::page(list, &uri, next_cursor.as_deref()))
}

impl EventBody {
    fn of_stored(stored: &StoredEvent) -> Self {
        Self { id: Some(stored.id.0), ..Self::of(&stored.event) }
    }

    pub(crate) fn of(event: &Event) -> Self {
        let elapsed_ms = event.elapsed.map(|elapsed| elapsed.as_millis());
        Self {
            id: None,
            at: event.at.to_string(),
            kind: event.kind.as_str(),
            provider: event.provider.map(|provider| provider.as_str()),
            place: event.place.as_ref().map(|place| place.as_str().to_owned()),
            cause: event.cause.clone(),
            attempt: event.attempt,
            elapsed_ms: elapsed_ms.map(|elapsed| u64::try_from(elapsed).unwrap_or(u64::MAX)),
        }
    }
}
