//! The state of the sky: one enum for all providers, and the maps from their codes.
//!
//! A provider's code goes in through one of the constructors of [`ReportedCondition`], which keep
//! it as it was written. A code that is in no map becomes [`Condition::Unknown`], never an error.

mod met_norway;
mod openweathermap;
mod weatherstack;
mod wmo;

use std::fmt;
use std::str::FromStr;

pub use met_norway::from_met_norway;
pub use openweathermap::from_openweathermap;
pub use weatherstack::from_weatherstack;
pub use wmo::from_wmo;

/// A condition as reported: what, how strong, and the provider's own code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportedCondition {
    /// What it is.
    pub condition: Condition,
    /// How strong it is.
    pub intensity: Intensity,
    /// The code exactly as the provider wrote it.
    pub raw_code: String,
}

impl ReportedCondition {
    /// Reads a `weather_code` of Open-Meteo; see [`from_wmo`].
    pub fn from_wmo(code: i64) -> Self {
        Self::of(from_wmo(code), code.to_string())
    }

    /// Reads a `weather[].id` of OpenWeatherMap; see [`from_openweathermap`].
    pub fn from_openweathermap(id: i64) -> Self {
        Self::of(from_openweathermap(id), id.to_string())
    }

    /// Reads a `weather_code` of Weatherstack; see [`from_weatherstack`].
    pub fn from_weatherstack(code: i64) -> Self {
        Self::of(from_weatherstack(code), code.to_string())
    }

    /// Reads a `symbol_code` of MET Norway; see [`from_met_norway`].
    pub fn from_met_norway(symbol_code: &str) -> Self {
        Self::of(from_met_norway(symbol_code), symbol_code.to_owned())
    }

    fn of((condition, intensity): (Condition, Intensity), raw_code: String) -> Self {
        Self { condition, intensity, raw_code }
    }

    /// Returns the most severe of several conditions, the stronger and then the earlier one of
    /// two that are alike; `None` when there are none.
    pub fn most_severe(reported: impl IntoIterator<Item = Self>) -> Option<Self> {
        let rank = |one: &Self| (one.condition.severity(), one.intensity);
        reported
            .into_iter()
            .reduce(|worst, next| if rank(&worst) < rank(&next) { next } else { worst })
    }

    /// Returns the number in WMO code table 4677; see [`Condition::wmo`].
    pub const fn wmo(&self) -> Option<u8> {
        self.condition.wmo(self.intensity)
    }

    /// Says it in English for people, as in `light rain`.
    pub const fn describe(&self) -> &'static str {
        self.condition.describe(self.intensity)
    }
}

/// How strong a condition is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Intensity {
    /// Light or slight.
    Light,
    /// Moderate, and whatever has no strength.
    #[default]
    Moderate,
    /// Heavy, dense or violent.
    Heavy,
}

impl Intensity {
    /// Every intensity, the weakest first.
    pub const ALL: [Self; 3] = [Self::Light, Self::Moderate, Self::Heavy];

    /// Returns the spelling: `light`, `moderate` or `heavy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Moderate => "moderate",
            Self::Heavy => "heavy",
        }
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Intensity {
    type Err = UnknownIntensity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|intensity| intensity.as_str() == text);
        known.ok_or_else(|| UnknownIntensity(text.to_owned()))
    }
}

/// The text is none of `light`, `moderate`, `heavy`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown intensity {0:?}; known are light, moderate and heavy")]
pub struct UnknownIntensity(pub String);

/// Declares [`Condition`]: per variant its spelling, its words and its WMO numbers, the latter
/// two for light, moderate and heavy.
macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $spelling:literal, $words:expr, $wmo:expr;)+) => {
        /// What the sky does, declared from the least to the most severe.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[repr(u8)]
        pub enum Condition { $($(#[$doc])* $variant,)+ }

        impl Condition {
            /// Every condition, from the least to the most severe.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the spelling of the condition, as in `rain_showers`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $spelling,)+ }
            }

            /// Says it in English for people, as in `light rain`.
            ///
            /// The intensity changes nothing where the condition has none, as in `clear sky`.
            pub const fn describe(self, intensity: Intensity) -> &'static str {
                let words: [&'static str; 3] = match self { $(Self::$variant => $words,)+ };
                words[intensity as usize]
            }

            /// Returns the canonical number in WMO code table 4677, with 0 to 3 for cloud amount.
            ///
            /// `None` where the table has none: unknown conditions and tropical storms.
            /// Source: WMO-No. 306, Manual on Codes, code table 4677 (present weather); 0 to 3 as
            /// Open-Meteo redefines them.
            pub const fn wmo(self, intensity: Intensity) -> Option<u8> {
                let numbers: Option<[u8; 3]> = match self { $(Self::$variant => $wmo,)+ };
                match numbers {
                    Some(numbers) => Some(numbers[intensity as usize]),
                    None => None,
                }
            }
        }
    };
}

conditions! {
    /// A code that is in no map.
    Unknown = "unknown", ["unknown"; 3], None;
    /// No clouds.
    Clear = "clear", ["clear sky"; 3], Some([0; 3]);
    /// Few clouds.
    MostlyClear = "mostly_clear", ["mostly clear"; 3], Some([1; 3]);
    /// Scattered clouds.
    PartlyCloudy = "partly_cloudy", ["partly cloudy"; 3], Some([2; 3]);
    /// Broken clouds.
    MostlyCloudy = "mostly_cloudy", ["mostly cloudy"; 3], Some([3; 3]);
    /// The whole sky covered.
    Overcast = "overcast", ["overcast"; 3], Some([3; 3]);
    /// Droplets in the air, visibility 1 km or more.
    Mist = "mist", ["mist"; 3], Some([10; 3]);
    /// Dry particles in the air.
    Haze = "haze", ["haze"; 3], Some([5; 3]);
    /// Smoke of fires or industry.
    Smoke = "smoke", ["smoke"; 3], Some([4; 3]);
    /// Dust, sand or volcanic ash.
    Dust = "dust", ["dust"; 3], Some([6; 3]);
    /// A sudden strong wind.
    Squall = "squall", ["squalls"; 3], Some([18; 3]);
    /// Droplets in the air, visibility below 1 km.
    Fog = "fog", ["fog"; 3], Some([45; 3]);
    /// Fog that leaves rime.
    FreezingFog = "freezing_fog", ["freezing fog"; 3], Some([48; 3]);
    /// Fine, close drops.
    Drizzle = "drizzle", ["light drizzle", "drizzle", "heavy drizzle"], Some([51, 53, 55]);
    /// Small opaque grains of ice.
    SnowGrains = "snow_grains", ["light snow grains", "snow grains", "heavy snow grains"],
        Some([77; 3]);
    /// Rain that begins and ends suddenly.
    RainShowers = "rain_showers", ["light rain showers", "rain showers", "heavy rain showers"],
        Some([80, 81, 82]);
    /// Steady rain.
    Rain = "rain", ["light rain", "rain", "heavy rain"], Some([61, 63, 65]);
    /// Showers of rain and snow together.
    SleetShowers = "sleet_showers",
        ["light sleet showers", "sleet showers", "heavy sleet showers"], Some([83, 84, 84]);
    /// Rain and snow together.
    Sleet = "sleet", ["light sleet", "sleet", "heavy sleet"], Some([68, 69, 69]);
    /// Snow that begins and ends suddenly.
    SnowShowers = "snow_showers", ["light snow showers", "snow showers", "heavy snow showers"],
        Some([85, 86, 86]);
    /// Steady snow.
    Snow = "snow", ["light snow", "snow", "heavy snow"], Some([71, 73, 75]);
    /// Snow carried by the wind; a blizzard when heavy.
    BlowingSnow = "blowing_snow", ["light blowing snow", "blowing snow", "blizzard"],
        Some([38, 38, 39]);
    /// Frozen raindrops.
    IcePellets = "ice_pellets", ["light ice pellets", "ice pellets", "heavy ice pellets"],
        Some([79; 3]);
    /// Drizzle that freezes where it falls.
    FreezingDrizzle = "freezing_drizzle",
        ["light freezing drizzle", "freezing drizzle", "heavy freezing drizzle"],
        Some([56, 57, 57]);
    /// Rain that freezes where it falls.
    FreezingRain = "freezing_rain",
        ["light freezing rain", "freezing rain", "heavy freezing rain"], Some([66, 67, 67]);
    /// Hail without thunder.
    Hail = "hail", ["light hail", "hail", "heavy hail"], Some([89, 90, 90]);
    /// Thunder, with or without rain or snow.
    Thunderstorm = "thunderstorm", ["light thunderstorm", "thunderstorm", "heavy thunderstorm"],
        Some([95, 95, 97]);
    /// Thunder with hail.
    ThunderstormHail = "thunderstorm_hail",
        ["thunderstorm with light hail", "thunderstorm with hail", "thunderstorm with heavy hail"],
        Some([96, 96, 99]);
    /// A tropical storm or hurricane.
    TropicalStorm = "tropical_storm", ["tropical storm"; 3], None;
    /// A tornado or waterspout.
    Tornado = "tornado", ["tornado"; 3], Some([19; 3]);
}

impl Condition {
    /// Returns how severe it is: the larger number is the more severe condition.
    ///
    /// The numbers order conditions inside one program; they are not kept anywhere.
    pub const fn severity(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Condition {
    type Err = UnknownCondition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().copied().find(|condition| condition.as_str() == text);
        known.ok_or_else(|| UnknownCondition(text.to_owned()))
    }
}

/// The text names no condition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown condition {0:?}")]
pub struct UnknownCondition(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_names_its_condition_and_no_other() {
        for (index, condition) in Condition::ALL.iter().copied().enumerate() {
            assert_eq!(condition.as_str().parse(), Ok(condition));
            assert_eq!(usize::from(condition.severity()), index);
        }
        for intensity in Intensity::ALL {
            assert_eq!(intensity.as_str().parse(), Ok(intensity));
        }
        assert_eq!("Rain".parse::<Condition>(), Err(UnknownCondition("Rain".to_owned())));
        assert_eq!("strong".parse::<Intensity>(), Err(UnknownIntensity("strong".to_owned())));
    }

    #[test]
    fn severity_follows_the_documented_order() {
        use Condition::*;
        let from_the_worst = [
            Tornado,
            TropicalStorm,
            ThunderstormHail,
            Thunderstorm,
            Hail,
            FreezingRain,
            FreezingDrizzle,
            IcePellets,
            BlowingSnow,
            Snow,
            SnowShowers,
            Sleet,
            SleetShowers,
            Rain,
            RainShowers,
            SnowGrains,
            Drizzle,
            FreezingFog,
            Fog,
            Squall,
            Dust,
            Smoke,
            Haze,
            Mist,
            Overcast,
            MostlyCloudy,
            PartlyCloudy,
            MostlyClear,
            Clear,
            Unknown,
        ];
        assert_eq!(from_the_worst.len(), Condition::ALL.len());
        for pair in from_the_worst.windows(2) {
            assert!(pair[0].severity() > pair[1].severity(), "{} over {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn wmo_numbers_and_words_follow_the_intensity() {
        check(Condition::Clear, [Some(0); 3], "clear sky");
        check(Condition::Overcast, [Some(3); 3], "overcast");
        check(Condition::Rain, [Some(61), Some(63), Some(65)], "light rain");
        check(Condition::FreezingRain, [Some(66), Some(67), Some(67)], "light freezing rain");
        check(Condition::Thunderstorm, [Some(95), Some(95), Some(97)], "light thunderstorm");
        check(Condition::BlowingSnow, [Some(38), Some(38), Some(39)], "light blowing snow");
        check(Condition::TropicalStorm, [None; 3], "tropical storm");
        check(Condition::Unknown, [None; 3], "unknown");
        assert_eq!(Condition::BlowingSnow.describe(Intensity::Heavy), "blizzard");
    }

    #[track_caller]
    fn check(condition: Condition, wmo: [Option<u8>; 3], light: &str) {
        assert_eq!(Intensity::ALL.map(|intensity| condition.wmo(intensity)), wmo, "{condition}");
        assert_eq!(condition.describe(Intensity::Light), light);
    }

    #[test]
    fn most_severe_condition_is_chosen_then_the_stronger_then_the_first() {
        let of = |ids: &[i64]| {
            let reported = ids.iter().map(|id| ReportedCondition::from_openweathermap(*id));
            ReportedCondition::most_severe(reported).map(|condition| condition.raw_code)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[701, 500]).as_deref(), Some("500"));
        assert_eq!(of(&[500, 701]).as_deref(), Some("500"));
        assert_eq!(of(&[500, 502, 501]).as_deref(), Some("502"));
        assert_eq!(of(&[503, 502, 504]).as_deref(), Some("503"));
        assert_eq!(of(&[999, 800]).as_deref(), Some("800"));
    }

    #[test]
    fn raw_code_is_kept_as_it_was_written() {
        let unknown = ReportedCondition::from_met_norway("Acid rain");
        assert_eq!(
            (unknown.condition, unknown.raw_code.as_str()),
            (Condition::Unknown, "Acid rain")
        );
        let rain = ReportedCondition::from_wmo(61);
        assert_eq!(
            (rain.wmo(), rain.describe(), rain.raw_code.as_str()),
            (Some(61), "light rain", "61")
        );
        assert_eq!(ReportedCondition::from_weatherstack(-1).raw_code, "-1");
    }
}
