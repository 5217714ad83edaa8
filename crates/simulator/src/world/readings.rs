//! The hourly readings of three airports in 2013, in SI units, parsed once.
//!
//! See the README beside the data for source and licence. Errors in the readings are kept.

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use jiff::Timestamp;

use super::Spot;

/// Hours in the year that is replayed; the year has no leap day.
pub(super) const HOURS: usize = 8_760;

/// 2013-01-01T00Z in seconds since the Unix epoch.
pub(super) const YEAR_BEGINS: i64 = 1_356_998_400;

const COMPRESSED: &[u8] = include_bytes!("../../data/nycflights13-weather.csv.gz");

/// An airport with readings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Station {
    /// Newark Liberty.
    Ewr,
    /// John F. Kennedy.
    Jfk,
    /// La Guardia.
    Lga,
}

impl Station {
    pub(super) const ALL: [Self; 3] = [Self::Ewr, Self::Jfk, Self::Lga];

    /// How far from a station its readings are taken to speak for, in km.
    const REACH_KM: f64 = 5.0;

    const fn code(self) -> &'static str {
        match self {
            Self::Ewr => "EWR",
            Self::Jfk => "JFK",
            Self::Lga => "LGA",
        }
    }

    pub(super) const fn spot(self) -> Spot {
        match self {
            Self::Ewr => Spot { latitude: 40.6925, longitude: -74.1687 },
            Self::Jfk => Spot { latitude: 40.6398, longitude: -73.7789 },
            Self::Lga => Spot { latitude: 40.7772, longitude: -73.8726 },
        }
    }

    pub(super) const fn elevation_m(self) -> f64 {
        match self {
            Self::Ewr => 5.0,
            Self::Jfk => 4.0,
            Self::Lga => 6.0,
        }
    }

    /// Returns the station whose readings speak for `spot`; `None` when all are too far away.
    ///
    /// The stations lie more than twice the reach apart, so at most one is near enough.
    pub(super) fn near(spot: Spot) -> Option<Self> {
        // Nearly every spot on Earth is turned away here, before any trigonometry.
        if !(40.5..41.0).contains(&spot.latitude) || !(-74.4..-73.6).contains(&spot.longitude) {
            return None;
        }
        Self::ALL.into_iter().find(|station| distance_km(station.spot(), spot) <= Self::REACH_KM)
    }

    /// Returns the readings of the year, one place for each hour.
    pub(super) fn year(self) -> &'static [Reading] {
        &YEARS[self as usize]
    }
}

/// Distance over a stretch so short that the Earth is flat.
fn distance_km(from: Spot, to: Spot) -> f64 {
    let km_per_degree = 111.2;
    let east = (from.longitude - to.longitude) * from.latitude.to_radians().cos();
    (from.latitude - to.latitude).hypot(east) * km_per_degree
}

/// A quantity of a reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Field {
    /// °C.
    Temperature,
    /// °C.
    DewPoint,
    /// %.
    Humidity,
    /// Degrees from north; 0 when calm.
    WindFrom,
    /// m/s.
    Wind,
    /// m/s.
    Gust,
    /// mm in the hour before the reading.
    Precipitation,
    /// hPa at mean sea level.
    SeaLevel,
    /// m.
    Visibility,
}

impl Field {
    const COUNT: usize = 9;

    /// Each field with its column in the file and the factor and offset that lead to SI units.
    const COLUMNS: [(usize, f64, f64); Self::COUNT] = [
        (5, 5.0 / 9.0, -32.0 * 5.0 / 9.0),
        (6, 5.0 / 9.0, -32.0 * 5.0 / 9.0),
        (7, 1.0, 0.0),
        (8, 1.0, 0.0),
        (9, 0.447_04, 0.0),
        (10, 0.447_04, 0.0),
        (11, 25.4, 0.0),
        (12, 1.0, 0.0),
        (13, 1_609.344, 0.0),
    ];
}

/// One hour of one station. An hour without a reading has no value at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading([f32; Field::COUNT]);

impl Reading {
    const NONE: Self = Self([f32::NAN; Field::COUNT]);

    /// Returns a value; `None` when it was not measured.
    pub(super) fn value(&self, field: Field) -> Option<f64> {
        let value = self.0[field as usize];
        (!value.is_nan()).then(|| f64::from(value))
    }
}

static YEARS: LazyLock<[Vec<Reading>; 3]> =
    LazyLock::new(|| parse().expect("the readings in the program are whole; a test reads them"));

fn parse() -> Result<[Vec<Reading>; 3], csv::Error> {
    let mut text = Vec::new();
    GzDecoder::new(COMPRESSED).read_to_end(&mut text)?;
    let mut years = [(); 3].map(|()| vec![Reading::NONE; HOURS]);
    let mut lines = csv::ReaderBuilder::new().from_reader(text.as_slice());
    let mut line = csv::StringRecord::new();
    while lines.read_record(&mut line)? {
        let station = Station::ALL.into_iter().find(|station| Some(station.code()) == line.get(0));
        let instant: Option<Timestamp> = line.get(14).and_then(|text| text.parse().ok());
        if let (Some(station), Some(instant)) = (station, instant) {
            let hour = (instant.as_second() - YEAR_BEGINS) / 3_600;
            years[station as usize][hour as usize] = read(&line);
        }
    }
    Ok(years)
}

fn read(line: &csv::StringRecord) -> Reading {
    Reading(Field::COLUMNS.map(|(column, factor, offset)| {
        let value: Option<f64> = line.get(column).and_then(|text| text.parse().ok());
        value.map_or(f32::NAN, |value| (value * factor + offset) as f32)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_readings_are_there() {
        let with_reading = |station: Station| {
            let hours = station.year().iter();
            hours.filter(|reading| reading.value(Field::Visibility).is_some()).count()
        };
        assert_eq!(Station::ALL.map(with_reading), [8703, 8706, 8706]);
        let pressures = |station: Station| {
            let hours = station.year().iter();
            hours.filter(|reading| reading.value(Field::SeaLevel).is_some()).count()
        };
        assert_eq!(Station::ALL.map(pressures).iter().sum::<usize>(), 26_115 - 2_729);
    }

    #[test]
    fn a_station_speaks_for_five_kilometres_around() {
        let near = |latitude, longitude| Station::near(Spot { latitude, longitude });
        assert_eq!(near(40.6925, -74.1687), Some(Station::Ewr));
        assert_eq!(near(40.68, -73.80), Some(Station::Jfk));
        assert_eq!(near(40.7772 + 0.044, -73.8726), Some(Station::Lga));
        assert_eq!(near(40.7772 + 0.046, -73.8726), None);
        assert_eq!(near(-34.6, -58.4), None);
    }
}
