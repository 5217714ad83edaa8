//! Current conditions: rendered once for each second in which anybody asks, then only copied.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use jiff::Timestamp;
use pampero_loader::{Served, Trouble};
use pampero_store::PlaceState;
use pampero_weather::place::Place;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{ReadyAnswer, Validity};
use super::freshness::{Freshness, age_seconds};
use super::measurements::{Flags, Measurements, UNITS, Units, flags_of};
use super::summary::{AttributionBody, PlaceSummary};
use super::{PlaceQuery, nothing_yet};
use crate::directory::Entry;
use crate::parameters::{ParameterSet, Parameters};
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// Current conditions of a place, with where they come from and how old they are.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentWeather)]
pub(crate) struct CurrentBody {
    #[serde(flatten)]
    measurements: Measurements,
    /// When it was observed, in the place's own time.
    #[schema(example = "2026-11-23 19:01:25")]
    datetime: String,
    place: PlaceSummary,
    /// The provider that said it.
    #[schema(example = "open_meteo")]
    provider: &'static str,
    /// `primary` when the first provider of the chain said it, else `fallback`.
    #[schema(example = "primary")]
    role: &'static str,
    /// Why the providers before this one gave no answer; `null` for the primary.
    #[schema(required)]
    fallback_reason: Option<String>,
    /// How the provider came by the values: `station`, `model` or `blend`.
    #[schema(example = "model")]
    source_kind: &'static str,
    /// The instant the values are valid for.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T22:01:25Z")]
    observed_at: String,
    /// The instant the answer of the provider arrived here.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T22:03:07Z")]
    fetched_at: String,
    /// Whole seconds since `observed_at`.
    #[schema(example = 132)]
    age_seconds: u64,
    /// Whether the values are older than the limit of their provider.
    stale: bool,
    /// Why they are stale; `null` when they are not.
    #[schema(required)]
    stale_reason: Option<String>,
    /// Why no provider has answered lately; `null` while all is well.
    #[schema(required)]
    trouble: Option<TroubleBody>,
    units: Units,
    /// What the checks found, by quantity: `derived`, `suspect`, `rejected`, `clamped`, `capped`,
    /// `interval_unknown`.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    flags: Flags,
    /// Whom to credit; `null` when the provider is no longer in the chain.
    #[schema(required)]
    attribution: Option<AttributionBody>,
}

/// Why no provider has answered lately.
#[derive(Serialize, ToSchema)]
#[schema(as = Trouble)]
struct TroubleBody {
    /// When the first round without an answer ended.
    #[schema(value_type = String, format = DateTime)]
    since: String,
    /// What each provider said in the last round.
    #[schema(example = "open_meteo: breaker open until 03:42; met_norway: transient: timed out")]
    cause: String,
}

/// The answer for one place, good while neither the place nor the second changes.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    version: u64,
    observed_at: Timestamp,
    age_seconds: u64,
    answer: ReadyAnswer,
}

/// Returns the current conditions of a place.
#[utoipa::path(
    get,
    path = "/weather/current",
    tag = "weather",
    params(PlaceQuery),
    responses(
        (status = 200, description = "Current conditions", body = CurrentBody, headers(
            ("ETag" = String, description = "Changes when anything but the age does"),
            ("Last-Modified" = String, description = "When the values were observed"),
            ("Age" = u64, description = "Seconds since the values were observed"),
        )),
        (status = 304, description = "The caller has this answer already"),
        (status = 404, description = "No such place, or nothing known of it yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_current_weather(
    State(state): State<ApiState>,
    request: Request,
) -> Result<Response, ApiError> {
    let Some(query) = request.uri().query() else {
        return current(&state, None, request.headers());
    };
    let values = Parameters::parse(query, PlaceQuery::KNOWN)?;
    let query = PlaceQuery::read(&values)?;
    current(&state, query.place.as_deref(), request.headers())
}

/// Answers with the current conditions of the place of that slug, or of the first one.
pub(crate) fn current(
    state: &ApiState,
    slug: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let pages = state.directory.pages();
    let entry = pages.named(slug)?;
    let now = state.clock.now();
    // Read before the rest: what changes meanwhile is then rendered anew with the next request.
    let version = entry.slot.version();
    let kept = entry.kept.load();
    if let Some(kept) = kept.as_deref()
        && kept.is_good(version, now)
    {
        if let Some(http) = &state.http {
            http.reuse_answer();
        }
        return Ok(kept.answer.respond(headers));
    }
    let kept = KeptAnswer::write(state, entry, version, now)?;
    let response = kept.answer.respond(headers);
    entry.kept.store(Some(Arc::new(kept)));
    if let Some(http) = &state.http {
        http.render_answer();
    }
    Ok(response)
}

impl KeptAnswer {
    fn is_good(&self, version: u64, now: Timestamp) -> bool {
        self.version == version && self.age_seconds == age_seconds(self.observed_at, now)
    }

    fn write(
        state: &ApiState,
        entry: &Entry,
        version: u64,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let PlaceState::Ready(place) = &entry.place.state else { return Err(nothing_yet(entry)) };
        let served = entry.slot.served().ok_or_else(|| nothing_yet(entry))?;
        let trouble = entry.slot.trouble();
        let observation = &served.observation;
        let observed_at = observation.observed_at;
        let freshness = Freshness::of(&state.sources, observation.provider, observed_at, now);
        let body = CurrentBody::of(state, place, &served, &freshness, trouble.as_deref());
        let validity = Validity {
            observed_at,
            age_seconds: freshness.age_seconds,
            is_stale: freshness.is_stale(),
            max_age: state.config.answer_max_age,
        };
        let identity = CurrentBody {
            age_seconds: 0,
            stale_reason: None,
            ..CurrentBody::of(state, place, &served, &freshness, trouble.as_deref())
        };
        let answer = ReadyAnswer::write(&body, &identity, &validity);
        Ok(Self { version, observed_at, age_seconds: freshness.age_seconds, answer })
    }
}

impl CurrentBody {
    fn of(
        state: &ApiState,
        place: &Place,
        served: &Served,
        freshness: &Freshness,
        trouble: Option<&Trouble>,
    ) -> Self {
        let observation = &served.observation;
        let local = observation.observed_at.to_zoned_datetime(place.time_zone.clone());
        Self {
            measurements: Measurements::of(observation),
            datetime: local.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            place: PlaceSummary::of(place),
            provider: observation.provider.as_str(),
            role: served.role.as_str(),
            fallback_reason: served.role.fallback_cause().map(str::to_owned),
            source_kind: observation.source_kind.as_str(),
            observed_at: observation.observed_at.to_string(),
            fetched_at: observation.fetched_at.to_string(),
            age_seconds: freshness.age_seconds,
            stale: freshness.is_stale(),
            stale_reason: freshness.stale_reason(trouble),
            trouble: trouble.map(TroubleBody::of),
            units: UNITS,
            flags: flags_of(observation),
            attribution: AttributionBody::of(&state.sources, observation.provider),
        }
    }
}

impl TroubleBody {
    fn of(trouble: &Trouble) -> Self {
        Self { since: trouble.since.to_string(), cause: trouble.cause.clone() }
    }
}
