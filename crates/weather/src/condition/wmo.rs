//! The WMO numbers that Open-Meteo uses.

use super::{Condition, Intensity};

/// Reads a `weather_code` of Open-Meteo: a subset of WMO code table 4677, with 0 to 3 for cloud amount.
///
/// Any other number is [`Condition::Unknown`], also where the full table has a meaning for it.
/// Source: Open-Meteo, Weather Forecast API, WMO weather interpretation codes.
pub const fn from_wmo(code: i64) -> (Condition, Intensity) {
    use Condition::*;
    use Intensity::*;
    match code {
        0 => (Clear, Moderate),
        1 => (MostlyClear, Moderate),
        2 => (PartlyCloudy, Moderate),
        3 => (Overcast, Moderate),
        45 => (Fog, Moderate),
        48 => (FreezingFog, Moderate),
        51 => (Drizzle, Light),
        53 => (Drizzle, Moderate),
        55 => (Drizzle, Heavy),
        56 => (FreezingDrizzle, Light),
        57 => (FreezingDrizzle, Heavy),
        61 => (Rain, Light),
        63 => (Rain, Moderate),
        65 => (Rain, Heavy),
        66 => (FreezingRain, Light),
        67 => (FreezingRain, Heavy),
        71 => (Snow, Light),
        73 => (Snow, Moderate),
        75 => (Snow, Heavy),
        77 => (SnowGrains, Moderate),
        80 => (RainShowers, Light),
        81 => (RainShowers, Moderate),
        82 => (RainShowers, Heavy),
        85 => (SnowShowers, Light),
        86 => (SnowShowers, Heavy),
        95 => (Thunderstorm, Moderate),
        96 => (ThunderstormHail, Light),
        99 => (ThunderstormHail, Heavy),
        _ => (Unknown, Moderate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_open_meteo_keeps_its_number() {
        let codes = [
            0, 1, 2, 3, 45, 48, 51, 53, 55, 56, 57, 61, 63, 65, 66, 67, 71, 73, 75, 77, 80, 81, 82,
            85, 86, 95, 96, 99,
        ];
        for code in -5..=300_i64 {
            let (condition, intensity) = from_wmo(code);
            let number = condition.wmo(intensity).map(i64::from);
            assert_eq!(number, codes.contains(&code).then_some(code), "{condition} {intensity}");
        }
    }

    #[test]
    fn codes_mean_what_open_meteo_says() {
        check(3, Condition::Overcast, Intensity::Moderate);
        check(48, Condition::FreezingFog, Intensity::Moderate);
        check(55, Condition::Drizzle, Intensity::Heavy);
        check(66, Condition::FreezingRain, Intensity::Light);
        check(82, Condition::RainShowers, Intensity::Heavy);
        check(99, Condition::ThunderstormHail, Intensity::Heavy);
        check(97, Condition::Unknown, Intensity::Moderate);
        check(i64::MAX, Condition::Unknown, Intensity::Moderate);
    }

    #[track_caller]
    fn check(code: i64, condition: Condition, intensity: Intensity) {
        assert_eq!(from_wmo(code), (condition, intensity), "code {code}");
    }
}
