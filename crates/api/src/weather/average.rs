//! Means of the temperature over the last day and week.

use std::time::Duration;

use arc_swap::Guard;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use pampero_loader::{AveragePeriod, PlaceMean};
use pampero_store::PlaceState;
use pampero_weather::observation::Quantity;
use pampero_weather::place::Place;
use pampero_weather::provider::ProviderId;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{ReadyAnswer, Validity};
use super::freshness::Freshness;
use super::summary::{AttributionBody, PlaceSummary};
use super::{PlaceQuery, nothing_yet};
use crate::number::Number;
use crate::parameters::Query;
use crate::problem::{ApiError, Problem};
use crate::state::ApiState;

/// The mean temperature of a place over a stretch of time, with what it rests on.
#[derive(Serialize, ToSchema)]
#[schema(as = AverageWeather)]
pub(crate) struct AverageBody {
    /// The mean.
    #[schema(value_type = f64, example = 13.98)]
    average: Number,
    /// The quantity it is the mean of.
    #[schema(example = "temperature")]
    quantity: &'static str,
    #[schema(example = "°C")]
    unit: &'static str,
    /// `day`: the last 24 hours; `week`: the last 7 days.
    #[schema(example = "day")]
    period: &'static str,
    window: WindowBody,
    /// The share of the window for which data speak, 0 to 1.
    #[schema(value_type = f64, example = 0.93, minimum = 0, maximum = 1)]
    coverage: Number,
    /// How it was worked out: every value counts for as long as it held.
    #[schema(example = "time_weighted")]
    method: &'static str,
    /// How many values it rests on.
    #[schema(example = 93)]
    samples: usize,
    /// The providers of those values, in the order of the chain.
    #[schema(value_type = Vec<String>, example = json!(["open_meteo"]))]
    providers: Vec<&'static str>,
    place: PlaceSummary,
    /// When the newest of the values was observed.
    #[schema(value_type = String, format = DateTime)]
    newest_observed_at: String,
    /// Whole seconds since `newest_observed_at`.
    #[schema(example = 132)]
    age_seconds: u64,
    /// Whether the newest value is older than its limit.
    stale: bool,
    /// Why it is stale; `null` when it is not.
    #[schema(required)]
    stale_reason: Option<String>,
    /// When the mean was worked out.
    #[schema(value_type = String, format = DateTime)]
    computed_at: String,
    /// Whom to credit.
    attribution: Vec<AttributionBody>,
}

/// A half-open stretch of time: from the first instant on, before the last.
#[derive(Serialize, ToSchema)]
#[schema(as = Window)]
struct WindowBody {
    #[schema(value_type = String, format = DateTime)]
    from: String,
    #[schema(value_type = String, format = DateTime)]
    to: String,
}

/// Returns the mean temperature of the last 24 hours.
#[utoipa::path(
    get,
    path = "/weather/average/day",
    tag = "weather",
    params(PlaceQuery),
    responses(
        (status = 200, description = "The mean with its window and coverage", body = AverageBody),
        (status = 304, description = "The caller has this answer already"),
        (status = 404, description = "No such place, or no data in the window", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_day_average(
    State(state): State<ApiState>,
    Query(query): Query<PlaceQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    average(&state, &query, AveragePeriod::Day, &headers).await
}

/// Returns the mean temperature of the last 7 days.
#[utoipa::path(
    get,
    path = "/weather/average/week",
    tag = "weather",
    params(PlaceQuery),
    responses(
        (status = 200, description = "The mean with its window and coverage", body = AverageBody),
        (status = 304, description = "The caller has this answer already"),
        (status = 404, description = "No such place, or no data in the window", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_week_average(
    State(state): State<ApiState>,
    Query(query): Query<PlaceQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    average(&state, &query, AveragePeriod::Week, &headers).await
}

async fn average(
    state: &ApiState,
    query: &PlaceQuery,
    period: AveragePeriod,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    // A guard must not be held while the store is read.
    let pages = Guard::into_inner(state.directory.pages());
    let entry = pages.named(query.place.as_deref())?;
    let PlaceState::Ready(place) = &entry.place.state else { return Err(nothing_yet(entry)) };
    let mean = state.averages.temperature(&place.id, period).await?;
    let (Some(value), Some(newest_observed_at)) = (mean.mean.value, mean.newest_observed_at) else {
        let nothing = entry.slot.served().is_none();
        return Err(if nothing { nothing_yet(entry) } else { no_data(place, period) });
    };
    let body = |now| AverageBody::of(state, place, period, &mean, value, newest_observed_at, now);
    let now = state.clock.now();
    let body_now = body(now);
    let validity = Validity {
        observed_at: newest_observed_at,
        age_seconds: body_now.age_seconds,
        is_stale: body_now.stale,
        max_age: state.config.answer_max_age,
    };
    let stale = body_now.stale;
    let identity =
        AverageBody { age_seconds: 0, stale_reason: None, stale, ..body(mean.computed_at) };
    Ok(ReadyAnswer::write(&body_now, &identity, &validity).respond(headers))
}

impl AverageBody {
    fn of(
        state: &ApiState,
        place: &Place,
        period: AveragePeriod,
        mean: &PlaceMean,
        value: f64,
        newest_observed_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let freshness =
            Freshness::of_many(&state.sources, &mean.providers, newest_observed_at, now);
        let credit = |provider: &ProviderId| AttributionBody::of(&state.sources, *provider);
        let window = mean.mean.window;
        Self {
            average: Number::rounded(value, 2),
            quantity: Quantity::Temperature.as_str(),
            unit: Quantity::Temperature.unit(),
            period: period.as_str(),
            window: WindowBody { from: window.from.to_string(), to: window.to.to_string() },
            coverage: Number::rounded(mean.mean.coverage, 4),
            method: "time_weighted",
            samples: mean.mean.samples,
            providers: mean.providers.iter().map(|provider| provider.as_str()).collect(),
            place: PlaceSummary::of(place),
            newest_observed_at: newest_observed_at.to_string(),
            age_seconds: freshness.age_seconds,
            stale: freshness.is_stale(),
            stale_reason: freshness.stale_reason(None),
            computed_at: mean.computed_at.to_string(),
            attribution: mean.providers.iter().filter_map(credit).collect(),
        }
    }
}

fn no_data(place: &Place, period: AveragePeriod) -> ApiError {
    let (place, period) = (&place.id, period.as_str());
    let detail =
        format!("no data speak for the last {period} of {place}; the last values are older");
    ApiError::new(StatusCode::NOT_FOUND, "no_data_in_window", detail)
        .retry_after(Duration::from_secs(60))
}
