//! Looking up what a place lacks: position by name, height and time zone by position.

use async_trait::async_trait;
use pampero_weather::place::Coordinates;

/// Finds places.
#[async_trait]
pub trait PlaceLookup: Send + Sync {
    /// Finds the best match for a name, as in `Rosario` or `Springfield, Illinois`.
    ///
    /// `None` when there is no such place.
    ///
    /// # Errors
    /// The look-up service gave no answer.
    async fn by_name(&self, name: &str) -> Result<Option<LocatedPlace>, LookupError>;

    /// Finds height and time zone of a position.
    ///
    /// # Errors
    /// The look-up service gave no answer.
    async fn by_coordinates(&self, coordinates: Coordinates) -> Result<LocatedPlace, LookupError>;
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq)]
pub struct LocatedPlace {
    /// Where it is.
    pub coordinates: Coordinates,
    /// Height above mean sea level in metres; `None` when unknown.
    pub elevation_m: Option<f64>,
    /// IANA name of the time zone.
    pub time_zone: String,
}

/// The look-up service gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("the place look-up gave no answer")]
pub struct LookupError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
