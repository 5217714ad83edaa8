//! The condition ids of OpenWeatherMap.

use super::{Condition, Intensity};

/// Reads a `weather[].id` of OpenWeatherMap; any other number is [`Condition::Unknown`].
///
/// Source: OpenWeatherMap, Weather condition codes.
pub const fn from_openweathermap(id: i64) -> (Condition, Intensity) {
    use Condition::*;
    use Intensity::*;
    match id {
        200 | 210 | 230 => (Thunderstorm, Light),
        201 | 211 | 221 | 231 | 232 => (Thunderstorm, Moderate),
        202 | 212 => (Thunderstorm, Heavy),
        300 | 310 => (Drizzle, Light),
        301 | 311 | 313 | 321 => (Drizzle, Moderate),
        302 | 312 | 314 => (Drizzle, Heavy),
        500 => (Rain, Light),
        501 => (Rain, Moderate),
        502..=504 => (Rain, Heavy),
        511 => (FreezingRain, Moderate),
        520 => (RainShowers, Light),
        521 | 531 => (RainShowers, Moderate),
        522 => (RainShowers, Heavy),
        600 => (Snow, Light),
        601 => (Snow, Moderate),
        602 => (Snow, Heavy),
        611 | 616 => (Sleet, Moderate),
        612 => (SleetShowers, Light),
        613 => (SleetShowers, Moderate),
        615 => (Sleet, Light),
        620 => (SnowShowers, Light),
        621 => (SnowShowers, Moderate),
        622 => (SnowShowers, Heavy),
        701 => (Mist, Moderate),
        711 => (Smoke, Moderate),
        721 => (Haze, Moderate),
        731 | 751 | 761 | 762 => (Dust, Moderate),
        741 => (Fog, Moderate),
        771 => (Squall, Moderate),
        781 => (Tornado, Moderate),
        800 => (Clear, Moderate),
        801 => (MostlyClear, Moderate),
        802 => (PartlyCloudy, Moderate),
        803 => (MostlyCloudy, Moderate),
        804 => (Overcast, Moderate),
        _ => (Unknown, Moderate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_mean_what_openweathermap_says() {
        use Condition::*;
        use Intensity::*;
        check(&[200, 210, 230], Thunderstorm, Light);
        check(&[201, 211, 221, 231, 232], Thunderstorm, Moderate);
        check(&[202, 212], Thunderstorm, Heavy);
        check(&[300, 310], Drizzle, Light);
        check(&[301, 311, 313, 321], Drizzle, Moderate);
        check(&[302, 312, 314], Drizzle, Heavy);
        check(&[502, 503, 504], Rain, Heavy);
        check(&[511], FreezingRain, Moderate);
        check(&[521, 531], RainShowers, Moderate);
        check(&[615], Sleet, Light);
        check(&[611, 616], Sleet, Moderate);
        check(&[612], SleetShowers, Light);
        check(&[622], SnowShowers, Heavy);
        check(&[731, 751, 761, 762], Dust, Moderate);
        check(&[741], Fog, Moderate);
        check(&[803], MostlyCloudy, Moderate);
        check(&[804], Overcast, Moderate);
        check(&[-1, 0, 199, 505, 805, i64::MIN], Unknown, Moderate);
    }

    #[test]
    fn exactly_the_documented_ids_are_known() {
        let known = (0..1000).filter(|id| from_openweathermap(*id).0 != Condition::Unknown);
        assert_eq!(known.count(), 55);
    }

    #[track_caller]
    fn check(ids: &[i64], condition: Condition, intensity: Intensity) {
        for id in ids {
            assert_eq!(from_openweathermap(*id), (condition, intensity), "id {id}");
        }
    }
}
