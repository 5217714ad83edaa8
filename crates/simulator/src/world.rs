//! What the weather is: the truth that every stand-in tells in its own format.
//!
//! Near one of three airports it is replayed from readings ([`replay`]), anywhere else it comes
//! from a model ([`climate`]). The same spot and instant have the same weather, whoever asks,
//! in whatever process.

mod climate;
mod noise;
mod readings;
mod replay;
mod sky;
pub(crate) mod sun;

use readings::Station;
pub(crate) use sky::{Sky, Strength};

use crate::gazetteer;

/// A point on Earth, in degrees, north and east positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spot {
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
}

/// What the weather is at one spot and instant. `None` is a value that nobody measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weather {
    /// Temperature 2 m above ground, °C.
    pub(crate) temperature_c: Option<f64>,
    /// Dew point, °C, never above the temperature.
    pub(crate) dew_point_c: Option<f64>,
    /// Relative humidity over water, %, 0 to 100.
    pub(crate) humidity_percent: Option<f64>,
    /// Pressure at mean sea level, hPa.
    pub(crate) sea_level_hpa: Option<f64>,
    /// Pressure at the height of the spot, hPa.
    pub(crate) station_hpa: Option<f64>,
    /// Mean wind 10 m above ground, m/s.
    pub(crate) wind_ms: Option<f64>,
    /// Strongest gust, m/s, never below the mean wind; `None` also when there were none.
    pub(crate) gust_ms: Option<f64>,
    /// Where the wind comes from, degrees from north, over 0 to 360; `None` also when calm.
    pub(crate) wind_from_degrees: Option<f64>,
    /// Precipitation in mm of water that falls in the running UTC hour.
    ///
    /// At a full hour it is the amount of the hour that ends there.
    pub(crate) hour_mm: Option<f64>,
    /// Cloud cover, %, 0 to 100.
    pub(crate) cloud_percent: Option<f64>,
    /// Visibility, m.
    pub(crate) visibility_m: Option<f64>,
    /// What the sky does; agrees with clouds, precipitation and visibility.
    pub(crate) sky: Sky,
}

/// A spot with what has to be looked up only once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) spot: Spot,
    /// The height of the ground in m above mean sea level.
    pub(crate) ground_m: f64,
    station: Option<Station>,
}

impl Site {
    /// Looks up what lies at `spot`: a station, a city, or an invented landscape.
    pub(crate) fn at(spot: Spot) -> Self {
        let cell = climate::centre_of_cell(spot);
        let station = Station::near(spot);
        let ground_m = match (station, gazetteer::city_at(cell)) {
            (Some(station), _) => station.elevation_m(),
            (None, Some(city)) => city.elevation_m,
            (None, None) => climate::terrain_m(cell),
        };
        Self { spot, ground_m, station }
    }

    /// Returns the weather, `at` in seconds since the Unix epoch.
    ///
    /// Readings at most `gap_bridged_hours` apart are joined.
    pub(crate) fn weather(&self, at: i64, gap_bridged_hours: u32) -> Weather {
        match self.station {
            Some(station) => replay::weather(station, at, gap_bridged_hours),
            None => climate::weather(climate::centre_of_cell(self.spot), self.ground_m, at),
        }
    }
}

/// Returns the saturation vapour pressure over water in hPa, `t` in °C.
///
/// Source: Sonntag 1990, Magnus form, as in WMO-No. 8.
fn saturation_hpa(t: f64) -> f64 {
    6.112 * (17.62 * t / (243.12 + t)).exp()
}

/// Returns the pressure at `elevation_m` from that at sea level, both in hPa; `t` in °C.
///
/// Source: barometric formula with a lapse rate of 6.5 K/km, half of it over the column.
pub(crate) fn station_hpa(sea_level_hpa: f64, elevation_m: f64, t: f64) -> f64 {
    let column_k = t + 273.15 + 0.0065 * elevation_m / 2.0;
    sea_level_hpa * (-9.80665 / 287.05 * elevation_m / column_k).exp()
}
