//! The place look-up of the loader, on Open-Meteo's geocoder.

use async_trait::async_trait;
use pampero_loader::{LocatedPlace, LookupError, PlaceLookup};
use pampero_providers::open_meteo::Geocoder;
use pampero_weather::place::Coordinates;

/// Looks places up at Open-Meteo, each look-up one call; the loader spaces repeats out.
pub(crate) struct GeocoderLookup(pub(crate) Geocoder);

#[async_trait]
impl PlaceLookup for GeocoderLookup {
    async fn by_name(&self, name: &str) -> Result<Option<LocatedPlace>, LookupError> {
        let found = self.0.search(name, 1, None).await;
        let found = found.map_err(|error| LookupError(Box::new(error)))?;
        let Some(best) = found.into_iter().next() else { return Ok(None) };
        match best.time_zone {
            Some(time_zone) => Ok(Some(LocatedPlace {
                coordinates: best.coordinates,
                elevation_m: best.elevation_m,
                time_zone,
            })),
            None => self.by_coordinates(best.coordinates).await.map(Some),
        }
    }

    async fn by_coordinates(&self, coordinates: Coordinates) -> Result<LocatedPlace, LookupError> {
        let found = self.0.locate(coordinates).await;
        let found = found.map_err(|error| LookupError(Box::new(error)))?;
        Ok(LocatedPlace { coordinates, elevation_m: found.elevation_m, time_zone: found.time_zone })
    }
}
