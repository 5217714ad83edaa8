//! The weather routes and the words they share: measurements, units, places, credit.
//!
//! Everything here answers from memory or from the store; no request ever asks a provider.

pub(crate) mod answer;
pub(crate) mod average;
pub(crate) mod current;
pub(crate) mod freshness;
pub(crate) mod measurements;
pub(crate) mod summary;

use std::time::Duration;

use http::StatusCode;
use pampero_store::PlaceState;
use pampero_weather::place::PlaceId;
use utoipa::IntoParams;

use crate::directory::Entry;
use crate::parameters::{ParameterSet, Parameters};
use crate::problem::ApiError;

/// Which place is meant.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlaceQuery {
    /// The id of the place; the first place when it is left out.
    #[param(example = "buenos-aires", pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    pub(crate) place: Option<String>,
}

impl ParameterSet for PlaceQuery {
    const KNOWN: &'static [&'static str] = &["place"];

    fn read(values: &Parameters<'_>) -> Result<Self, ApiError> {
        let place: Option<PlaceId> = values.get("place")?;
        Ok(Self { place: place.map(|place| place.as_str().to_owned()) })
    }
}

/// Says that nothing is known of a place yet, why, and when to come back.
pub(crate) fn nothing_yet(entry: &Entry) -> ApiError {
    let place = &entry.place;
    let (detail, wait) = match (&place.state, entry.slot.trouble()) {
        (PlaceState::Unresolved { coordinates, problem, .. }, _) => {
            let sought = match coordinates {
                None => format!("the position of {:?} is being looked up", place.name),
                Some(_) => "its height and time zone are being looked up".to_owned(),
            };
            let problem = problem.as_deref().map(|problem| format!("; last time: {problem}"));
            let problem = problem.unwrap_or_default();
            (format!("nothing is known of {} yet: {sought}{problem}", place.id), 15)
        }
        (PlaceState::Ready(_), Some(trouble)) => {
            let (since, cause) = (trouble.since, &trouble.cause);
            let detail = format!(
                "nothing is known of {} yet: since {since} no provider has answered: {cause}",
                place.id
            );
            (detail, 60)
        }
        (PlaceState::Ready(_), None) => {
            (format!("nothing is known of {} yet: it is being asked for", place.id), 5)
        }
    };
    let error = ApiError::new(StatusCode::NOT_FOUND, "no_observation_yet", detail);
    error.retry_after(Duration::from_secs(wait))
}
