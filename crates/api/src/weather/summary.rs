//! Where an answer is for and whom to credit, as every weather answer says it.

use pampero_loader::Sources;
use pampero_weather::place::Place;
use pampero_weather::provider::ProviderId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::number::Number;

/// The place an answer is for.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaceSummary)]
pub(crate) struct PlaceSummary {
    /// The slug.
    #[schema(example = "buenos-aires")]
    id: String,
    /// The name for people.
    #[schema(example = "Buenos Aires")]
    name: String,
    /// Decimal degrees, north positive.
    #[schema(value_type = f64, example = -34.6037)]
    latitude: Number,
    /// Decimal degrees, east positive.
    #[schema(value_type = f64, example = -58.3816)]
    longitude: Number,
    /// Height above mean sea level in m; `null` when nobody knows.
    #[schema(value_type = Option<f64>, required, example = 25)]
    elevation: Option<Number>,
    /// IANA time zone.
    #[schema(example = "America/Argentina/Buenos_Aires")]
    time_zone: String,
}

/// Whom to credit for the values.
#[derive(Serialize, ToSchema)]
#[schema(as = Attribution)]
pub(crate) struct AttributionBody {
    /// The words to show.
    #[schema(example = "Weather data by Open-Meteo.com")]
    pub(crate) text: &'static str,
    /// The link behind the words.
    #[schema(example = "https://open-meteo.com/")]
    pub(crate) url: &'static str,
}

impl PlaceSummary {
    pub(crate) fn of(place: &Place) -> Self {
        Self {
            id: place.id.as_str().to_owned(),
            name: place.name.clone(),
            latitude: degrees(place.coordinates.latitude()),
            longitude: degrees(place.coordinates.longitude()),
            elevation: place.elevation.map(|elevation| Number::rounded(elevation.0, 1)),
            time_zone: place.time_zone_name().to_owned(),
        }
    }
}

/// Writes decimal degrees to about 10 cm.
pub(crate) fn degrees(value: f64) -> Number {
    Number::rounded(value, 6)
}

impl AttributionBody {
    /// Returns the credit that `provider` asks for; `None` when it is no longer in the chain.
    pub(crate) fn of(sources: &Sources, provider: ProviderId) -> Option<Self> {
        let attribution = sources.get(provider)?.profile().attribution;
        Some(Self { text: attribution.text, url: attribution.url })
    }
}
