//! Places as they are written in requests and answers.

use pampero_loader::PlaceDraft;
use pampero_store::{PlaceOrigin, PlaceState, StoredPlace};
use pampero_weather::place::{Coordinates, PlaceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use http::StatusCode;

use crate::number::Number;
use crate::problem::ApiError;
use crate::weather::summary::degrees;

/// A place to be added or changed: complete, by name alone, or by position alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Rosario, Santa Fe"}))]
pub(crate) struct PlaceRequest {
    /// The slug; made of the name when it is left out.
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,63}$")]
    id: Option<String>,
    /// The name for people, by which the place is looked up when it has no coordinates.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Decimal degrees, north positive; looked up by name when it is left out.
    #[schema(minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Decimal degrees, east positive; goes together with the latitude.
    #[schema(minimum = -180, maximum = 180)]
    longitude: Option<f64>,
    /// Height above mean sea level in m; looked up when it is left out.
    #[schema(minimum = -500, maximum = 9000)]
    elevation: Option<f64>,
    /// IANA time zone; looked up when it is left out.
    #[schema(example = "America/Argentina/Cordoba")]
    time_zone: Option<String>,
}

/// Every place.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaceList {
    /// In the order in which they were first added; the first is meant when none is named.
    pub(crate) places: Vec<PlaceBody>,
}

/// A place as it is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Place)]
pub(crate) struct PlaceBody {
    /// The slug.
    #[schema(example = "buenos-aires")]
    id: String,
    /// The name for people.
    #[schema(example = "Buenos Aires")]
    name: String,
    /// `ready`, or `unresolved` while a part is being looked up.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why the last look-up failed; `null` when none has.
    #[schema(required)]
    problem: Option<String>,
    /// Who defined it: `configuration` or `api`.
    #[schema(example = "api")]
    origin: &'static str,
    /// Decimal degrees, north positive; `null` until it is looked up.
    #[schema(value_type = Option<f64>, required, example = -34.6037)]
    latitude: Option<Number>,
    /// Decimal degrees, east positive; `null` until it is looked up.
    #[schema(value_type = Option<f64>, required, example = -58.3816)]
    longitude: Option<Number>,
    /// Height above mean sea level in m; `null` when nobody knows.
    #[schema(value_type = Option<f64>, required, example = 25)]
    elevation: Option<Number>,
    /// IANA time zone; `null` until it is looked up.
    #[schema(required, example = "America/Argentina/Buenos_Aires")]
    time_zone: Option<String>,
}

impl PlaceRequest {
    /// Checks each part on its own.
    pub(crate) fn into_draft(self) -> Result<PlaceDraft, ApiError> {
        let id: Option<PlaceId> = self.id.as_deref().map(str::parse).transpose()?;
        let coordinates = match (self.latitude, self.longitude) {
            (Some(latitude), Some(longitude)) => Some(Coordinates::new(latitude, longitude)?),
            (None, None) => None,
            (Some(_), None) => return Err(half_a_position("longitude")),
            (None, Some(_)) => return Err(half_a_position("latitude")),
        };
        let (name, elevation_m, time_zone) = (self.name, self.elevation, self.time_zone);
        Ok(PlaceDraft { id, name, coordinates, elevation_m, time_zone })
    }
}

fn half_a_position(missing: &str) -> ApiError {
    let detail = format!("latitude and longitude go together; {missing} is missing");
    ApiError::new(StatusCode::BAD_REQUEST, "invalid_place", detail).about_field(missing)
}

impl PlaceBody {
    pub(crate) fn of(place: &StoredPlace) -> Self {
        let (state, problem, coordinates, elevation_m, time_zone) = match &place.state {
            PlaceState::Ready(ready) => {
                let elevation_m = ready.elevation.map(|elevation| elevation.0);
                let time_zone = Some(ready.time_zone_name().to_owned());
                ("ready", None, Some(ready.coordinates), elevation_m, time_zone)
            }
            PlaceState::Unresolved { coordinates, elevation_m, time_zone, problem } => {
                let problem = problem.clone();
                ("unresolved", problem, *coordinates, *elevation_m, time_zone.clone())
            }
        };
        let origin = match place.origin {
            PlaceOrigin::Configuration => "configuration",
            PlaceOrigin::Api => "api",
        };
        Self {
            id: place.id.as_str().to_owned(),
            name: place.name.clone(),
            state,
            problem,
            origin,
            latitude: coordinates.map(|coordinates| degrees(coordinates.latitude())),
            longitude: coordinates.map(|coordinates| degrees(coordinates.longitude())),
            elevation: elevation_m.map(|elevation_m| Number::rounded(elevation_m, 1)),
            time_zone,
        }
    }
}
