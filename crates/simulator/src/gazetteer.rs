//! A small list of the world's cities, for geocoding, time zones and heights.

mod cities;

use cities::CITIES;

use crate::world::Spot;

/// A city. The population is rounded; the height is that of the city's centre.
#[derive(Debug)]
pub(crate) struct City {
    /// The number a geocoder gives it; it only has to be its own.
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) region: &'static str,
    pub(crate) country: &'static str,
    /// ISO 3166-1 alpha-2.
    pub(crate) country_code: &'static str,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) elevation_m: f64,
    /// The IANA time zone.
    pub(crate) time_zone: &'static str,
    pub(crate) population: u32,
}

impl City {
    pub(crate) const fn spot(&self) -> Spot {
        Spot { latitude: self.latitude, longitude: self.longitude }
    }
}

/// Returns the city whose centre lies within about 25 km of `spot`.
pub(crate) fn city_at(spot: Spot) -> Option<&'static City> {
    let (city, distance_km) = nearest(spot, 0.25)?;
    (distance_km <= 25.0).then_some(city)
}

/// Returns the IANA time zone at `spot`: that of a city within about 500 km, else the zone of
/// whole hours at sea, as in `Etc/GMT+4`.
pub(crate) fn time_zone_at(spot: Spot) -> &'static str {
    match nearest(spot, 5.0) {
        Some((city, distance_km)) if distance_km <= 500.0 => city.time_zone,
        _ => at_sea(spot.longitude),
    }
}

/// Returns the nearest city, of those at most `degrees` north or south, and its distance in km.
fn nearest(spot: Spot, degrees: f64) -> Option<(&'static City, f64)> {
    let around = CITIES.iter().filter(|city| (city.latitude - spot.latitude).abs() <= degrees);
    let with_distance = around.map(|city| (city, distance_km(city, spot)));
    with_distance.min_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// Distance on a plane that touches the Earth at the city; good enough for 500 km.
fn distance_km(city: &City, spot: Spot) -> f64 {
    let turn = (city.longitude - spot.longitude + 540.0).rem_euclid(360.0) - 180.0;
    let east = turn * city.latitude.to_radians().cos();
    (city.latitude - spot.latitude).hypot(east) * 111.2
}

/// The names in which east is minus, as POSIX has it.
fn at_sea(longitude: f64) -> &'static str {
    const ZONES: [&str; 25] = [
        "Etc/GMT+12",
        "Etc/GMT+11",
        "Etc/GMT+10",
        "Etc/GMT+9",
        "Etc/GMT+8",
        "Etc/GMT+7",
        "Etc/GMT+6",
        "Etc/GMT+5",
        "Etc/GMT+4",
        "Etc/GMT+3",
        "Etc/GMT+2",
        "Etc/GMT+1",
        "Etc/GMT",
        "Etc/GMT-1",
        "Etc/GMT-2",
        "Etc/GMT-3",
        "Etc/GMT-4",
        "Etc/GMT-5",
        "Etc/GMT-6",
        "Etc/GMT-7",
        "Etc/GMT-8",
        "Etc/GMT-9",
        "Etc/GMT-10",
        "Etc/GMT-11",
        "Etc/GMT-12",
    ];
    let hours = (longitude / 15.0).round().clamp(-12.0, 12.0);
    ZONES[(hours + 12.0) as usize]
}

/// Finds cities by name, the largest first.
///
/// Follows the rules of the real geocoder: up to two letters find only the exact name, three or more
/// also a beginning; accents and case do not matter; `Springfield, Illinois` narrows by
/// region or country.
pub(crate) fn search(name: &str, country_code: Option<&str>) -> Vec<&'static City> {
    let (wanted, qualifier) = match name.split_once(',') {
        Some((name, qualifier)) => (fold(name), Some(fold(qualifier))),
        None => (fold(name), None),
    };
    let length = wanted.chars().count();
    let fits_name = |city: &City| {
        let known = fold(city.name);
        known == wanted || (3 <= length && known.starts_with(&wanted))
    };
    let fits_qualifier = |city: &City| {
        let parts = [city.region, city.country, city.country_code];
        qualifier.as_ref().is_none_or(|qualifier| parts.iter().any(|part| fold(part) == *qualifier))
    };
    let in_country =
        |city: &City| country_code.is_none_or(|code| code.eq_ignore_ascii_case(city.country_code));
    let mut found: Vec<&City> = CITIES
        .iter()
        .filter(|city| fits_name(city) && fits_qualifier(city) && in_country(city))
        .collect();
    found.sort_by_key(|city| std::cmp::Reverse(city.population));
    found
}

/// Writes a name without accents and capitals, for comparing.
fn fold(name: &str) -> String {
    let plain = |letter| match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    };
    name.trim().chars().flat_map(char::to_lowercase).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_the_real_geocoder_does() {
        check("Buenos Aires", None, &["Argentina"]);
        check("cordoba", None, &["Argentina", "Spain"]);
        check("Córdoba", Some("ES"), &["Spain"]);
        check("rosa", None, &["Argentina"]);
        check("Springfield, Illinois", None, &["United States"]);
        check("Springfield", None, &["United States", "United States"]);
        check("O", None, &[]);
        check("Os", None, &[]);
        check("Atlantis", None, &[]);
    }

    #[track_caller]
    fn check(name: &str, country_code: Option<&str>, countries: &[&str]) {
        let found: Vec<_> = search(name, country_code).iter().map(|city| city.country).collect();
        assert_eq!(found, countries, "{name}");
    }

    #[test]
    fn every_city_has_a_zone_that_exists_and_an_id_of_its_own() {
        let mut ids: Vec<_> = CITIES.iter().map(|city| city.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CITIES.len());
        for city in CITIES {
            assert!(jiff::tz::TimeZone::get(city.time_zone).is_ok(), "{}", city.name);
            assert_eq!(time_zone_at(city.spot()), city.time_zone, "{}", city.name);
        }
    }

    #[test]
    fn far_from_cities_the_zone_follows_the_longitude() {
        check_zone(-48.0, -120.0, "Etc/GMT+8");
        check_zone(-50.0, 90.0, "Etc/GMT-6");
        check_zone(0.0, -180.0, "Etc/GMT+12");
        check_zone(-34.9, -57.9, "America/Argentina/Buenos_Aires");
    }

    #[track_caller]
    fn check_zone(latitude: f64, longitude: f64, zone: &str) {
        assert_eq!(time_zone_at(Spot { latitude, longitude }), zone);
    }
}
