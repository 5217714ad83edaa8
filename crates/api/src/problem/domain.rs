//! Which status and code each failure of the domain gets.
//!
//! No match has a wildcard arm: a new failure has to choose its status and its code here.

use std::time::Duration;

use http::StatusCode;
use pampero_loader::PlaceBookError;
use pampero_store::StoreError;
use pampero_weather::place::InvalidPlace;

use super::ApiError;

impl From<InvalidPlace> for ApiError {
    fn from(error: InvalidPlace) -> Self {
        let field = match &error {
            InvalidPlace::Id(_) => "id",
            InvalidPlace::Latitude(_) => "latitude",
            InvalidPlace::Longitude(_) => "longitude",
            InvalidPlace::Elevation(_) => "elevation",
            InvalidPlace::Name(_) => "name",
            InvalidPlace::TimeZone(_) => "time_zone",
        };
        Self::new(StatusCode::BAD_REQUEST, "invalid_place", error.to_string()).about_field(field)
    }
}

impl From<PlaceBookError> for ApiError {
    fn from(error: PlaceBookError) -> Self {
        let (status, code) = match error {
            PlaceBookError::Invalid(invalid) => return invalid.into(),
            PlaceBookError::Store(source) => return source.into(),
            PlaceBookError::Nameless => (StatusCode::BAD_REQUEST, "invalid_place"),
            PlaceBookError::Exists(_) => (StatusCode::CONFLICT, "place_exists"),
            PlaceBookError::Unknown(_) => (StatusCode::NOT_FOUND, "unknown_place"),
            PlaceBookError::Configured(_) => (StatusCode::CONFLICT, "place_is_configured"),
            PlaceBookError::Full { .. } => (StatusCode::CONFLICT, "too_many_places"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<pampero_alerting::StoreError> for ApiError {
    fn from(error: pampero_alerting::StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let soon = Duration::from_secs(5);
        let (code, detail) = match &error {
            StoreError::UnknownPlace(_) => {
                return Self::new(StatusCode::NOT_FOUND, "unknown_place", error.to_string());
            }
            StoreError::Open { .. }
            | StoreError::ReadOnly
            | StoreError::Corrupt { .. }
            | StoreError::Read { .. }
            | StoreError::Write { .. } => return Self::internal(error),
            StoreError::DiskFull => ("store_full", "nothing more can be stored at present"),
            StoreError::Locked => ("store_busy", "the store is busy; try again"),
            StoreError::Overloaded => ("store_busy", "the store is busy; try again"),
            StoreError::Closed => ("stopping", "the server is stopping"),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(soon).because(error)
    }
}
