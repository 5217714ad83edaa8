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

/// Spells an accented Latin letter without its accent; `None` for any other character.
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
