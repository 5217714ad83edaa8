//! Places: a point on Earth with a name, a slug and a time zone.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::unit::Meters;

/// The slug of a place: 1 to 64 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit.
///
/// It is the spelling of a place in configuration, URL, label and log. Clones are cheap.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PlaceId(Arc<str>);

/// What keeps a text, a number or a zone from describing a place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidPlace {
    /// The slug has a character or a length that is not allowed.
    #[error(
        "place id {0:?} must be 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit"
    )]
    Id(String),
    /// The latitude is not a number from −90 to 90.
    #[error("latitude {0} must lie between -90 and 90 degrees")]
    Latitude(f64),
    /// The longitude is not a number from −180 to 180.
    #[error("longitude {0} must lie between -180 and 180 degrees")]
    Longitude(f64),
    /// The elevation lies outside the surface of the Earth.
    #[error("elevation {0} must lie between -500 and 9000 m")]
    Elevation(f64),
    /// The name is empty, longer than 200 characters, or holds a control character.
    #[error("name {0:?} must be 1 to 200 characters without control characters")]
    Name(String),
    /// The time zone is not in the IANA database.
    #[error("time zone {0:?} is not in the IANA time zone database")]
    TimeZone(String),
}

impl PlaceId {
    /// Longest slug, in characters.
    pub const LENGTH_MAX: usize = 64;

    /// Returns the slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a slug of a name: `Buenos Aires` becomes `buenos-aires`, `Córdoba` becomes `cordoba`.
    ///
    /// `None` when nothing of the name can be spelled in a slug.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut slug = String::new();
        for letter in name.chars().flat_map(char::to_lowercase) {
            match fold_accent(letter) {
                Some(plain) => slug.push_str(plain),
                None if letter.is_ascii_alphanumeric() => slug.push(letter),
                None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                None => {}
            }
        }
        slug.truncate(Self::LENGTH_MAX);
        slug.trim_end_matches('-').parse().ok()
    }
}

/// Spells an accented Latin letter without its accent, and a combining accent as nothing.
///
/// `None` for any other character.
fn fold_accent(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '\u{300}'..='\u{36f}' => "",
        _ => return None,
    })
}

impl fmt::Display for PlaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for PlaceId {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let begins_well =
            text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
        let spelled_well = text.chars().all(|letter| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_')
        });
        if !begins_well || !spelled_well || text.len() > Self::LENGTH_MAX {
            return Err(InvalidPlace::Id(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

/// A point on Earth in WGS84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

impl Coordinates {
    /// Takes a latitude and a longitude in decimal degrees, north and east positive.
    ///
    /// # Errors
    /// A latitude outside −90…90, a longitude outside −180…180, or a value that is no number.
    pub fn new(latitude: f64, longitude: f64) -> Result<Self, InvalidPlace> {
        if !(-90.0..=90.0).contains(&latitude) {
            return Err(InvalidPlace::Latitude(latitude));
        }
        if !(-180.0..=180.0).contains(&longitude) {
            return Err(InvalidPlace::Longitude(longitude));
        }
        Ok(Self { latitude, longitude })
    }

    /// Returns the latitude in decimal degrees, north positive.
    pub const fn latitude(self) -> f64 {
        self.latitude
    }

    /// Returns the longitude in decimal degrees, east positive.
    pub const fn longitude(self) -> f64 {
        self.longitude
    }
}

/// A named point for which weather is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The slug, unique among places.
    pub id: PlaceId,
    /// The name for people.
    pub name: String,
    /// Where it is.
    pub coordinates: Coordinates,
    /// Height above mean sea level; `None` when nobody said.
    pub elevation: Option<Meters>,
    /// The IANA time zone of its civil days.
    pub time_zone: TimeZone,
}

impl Place {
    /// Longest name, in characters.
    pub const NAME_LENGTH_MAX: usize = 200;

    /// Puts a place together from unchecked parts; `time_zone` is an IANA name.
    ///
    /// # Errors
    /// The first part that is not allowed; see [`InvalidPlace`].
    pub fn new(
        id: PlaceId,
        name: &str,
        coordinates: Coordinates,
        elevation_m: Option<f64>,
        time_zone: &str,
    ) -> Result<Self, InvalidPlace> {
        let name = checked_name(name)?;
        let elevation = elevation_m.map(checked_elevation).transpose()?;
        let time_zone = checked_time_zone(time_zone)?;
        Ok(Self { id, name, coordinates, elevation, time_zone })
    }

    /// Returns the IANA name of the time zone, as in `America/Argentina/Buenos_Aires`.
    pub fn time_zone_name(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("UTC")
    }
}

/// Checks a name for people; see [`InvalidPlace::Name`].
///
/// # Errors
/// An empty or too long name, or one with control characters.
pub fn checked_name(name: &str) -> Result<String, InvalidPlace> {
    let trimmed = name.trim();
    let length = trimmed.chars().count();
    if length == 0 || length > Place::NAME_LENGTH_MAX || trimmed.chars().any(char::is_control) {
        return Err(InvalidPlace::Name(name.chars().take(Place::NAME_LENGTH_MAX).collect()));
    }
    Ok(trimmed.to_owned())
}

/// Checks an elevation in metres above mean sea level.
///
/// # Errors
/// A value outside −500…9000 m, or no number.
pub fn checked_elevation(elevation_m: f64) -> Result<Meters, InvalidPlace> {
    if !(-500.0..=9000.0).contains(&elevation_m) {
        return Err(InvalidPlace::Elevation(elevation_m));
    }
    Ok(Meters(elevation_m))
}

/// Looks an IANA time zone up by its name.
///
/// # Errors
/// A name that is not in the IANA database.
pub fn checked_time_zone(name: &str) -> Result<TimeZone, InvalidPlace> {
    TimeZone::get(name).map_err(|_| InvalidPlace::TimeZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slug_has_few_letters_and_a_limit() {
        let longest = "a".repeat(PlaceId::LENGTH_MAX);
        for good in ["a", "7", "buenos-aires", "jfk_2", longest.as_str()] {
            assert_eq!(good.parse::<PlaceId>().map(|id| id.to_string()), Ok(good.to_owned()));
        }
        let too_long = "a".repeat(PlaceId::LENGTH_MAX + 1);
        for bad in ["", "-a", "_a", "Rosario", "a b", "a/b", "a.b", "ñandú", too_long.as_str()] {
            assert_eq!(bad.parse::<PlaceId>(), Err(InvalidPlace::Id(bad.to_owned())));
        }
    }

    #[test]
    fn slug_of_a_name_is_what_people_expect() {
        check_slug("Buenos Aires", Some("buenos-aires"));
        check_slug("Córdoba", Some("cordoba"));
        check_slug("  São Paulo (Centro) ", Some("sao-paulo-centro"));
        check_slug("Zürich", Some("zuerich"));
        check_slug("ÅLESUND", Some("alesund"));
        // A capital with a dot becomes a small i with a combining dot; the e has its accent apart.
        check_slug("İstanbul", Some("istanbul"));
        check_slug("Le\u{301}on", Some("leon"));
        check_slug("St. John's", Some("st-john-s"));
        check_slug("東京", None);
        check_slug("", None);
        check_slug("---", None);
    }

    #[track_caller]
    fn check_slug(name: &str, slug: Option<&str>) {
        assert_eq!(PlaceId::from_name(name).as_ref().map(PlaceId::as_str), slug, "{name:?}");
    }

    #[test]
    fn coordinates_end_at_the_poles_and_the_date_line() {
        let south_west = Coordinates::new(-90.0, -180.0).unwrap();
        assert_eq!((south_west.latitude(), south_west.longitude()), (-90.0, -180.0));
        assert!(Coordinates::new(90.0, 180.0).is_ok());
        assert_eq!(Coordinates::new(90.01, 0.0), Err(InvalidPlace::Latitude(90.01)));
        assert_eq!(Coordinates::new(0.0, -180.01), Err(InvalidPlace::Longitude(-180.01)));
        assert!(matches!(Coordinates::new(f64::NAN, 0.0), Err(InvalidPlace::Latitude(_))));
        assert!(matches!(Coordinates::new(0.0, f64::INFINITY), Err(InvalidPlace::Longitude(_))));
    }

    #[test]
    fn place_is_put_together_from_checked_parts() {
        let place = new_place("  Buenos Aires ", Some(25.0), "America/Argentina/Buenos_Aires");
        let place = place.unwrap();
        assert_eq!(place.name, "Buenos Aires");
        assert_eq!(place.elevation, Some(Meters(25.0)));
        assert_eq!(place.time_zone_name(), "America/Argentina/Buenos_Aires");
        assert_eq!(new_place("Sea", None, "UTC").unwrap().time_zone_name(), "UTC");
    }

    #[test]
    fn part_of_a_place_that_is_wrong_is_named() {
        let wrong = |name, elevation_m, zone| new_place(name, elevation_m, zone).unwrap_err();
        assert_eq!(wrong(" ", None, "UTC"), InvalidPlace::Name(" ".to_owned()));
        assert_eq!(wrong("a\nb", None, "UTC"), InvalidPlace::Name("a\nb".to_owned()));
        let long = "é".repeat(Place::NAME_LENGTH_MAX + 50);
        let cut = "é".repeat(Place::NAME_LENGTH_MAX);
        assert_eq!(wrong(&long, None, "UTC"), InvalidPlace::Name(cut));
        assert_eq!(wrong("a", Some(9000.5), "UTC"), InvalidPlace::Elevation(9000.5));
        assert!(matches!(wrong("a", Some(f64::NAN), "UTC"), InvalidPlace::Elevation(_)));
        for zone in ["", "Mars/Olympus", "+03:00", "../../etc/passwd"] {
            let error = wrong("a", None, zone);
            assert_eq!(error, InvalidPlace::TimeZone(zone.to_owned()));
            assert!(error.to_string().contains("IANA time zone database"));
        }
    }

    fn new_place(
        name: &str,
        elevation_m: Option<f64>,
        time_zone: &str,
    ) -> Result<Place, InvalidPlace> {
        let coordinates = Coordinates::new(-34.6, -58.4).unwrap();
        Place::new("a".parse().unwrap(), name, coordinates, elevation_m, time_zone)
    }

    proptest! {
        #[test]
        fn slug_of_any_name_is_a_slug(name in any::<String>()) {
            if let Some(id) = PlaceId::from_name(&name) {
                prop_assert_eq!(id.as_str().parse(), Ok(id.clone()));
                prop_assert_eq!(PlaceId::from_name(id.as_str()), Some(id));
            }
        }

        #[test]
        fn letter_without_its_accent_is_plain(letter in any::<char>()) {
            let folded = fold_accent(letter).unwrap_or("a");
            prop_assert!(folded.bytes().all(|byte| byte.is_ascii_lowercase()));
        }
    }
}
