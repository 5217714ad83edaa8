//! The weather codes of Weatherstack.

use super::{Condition, Intensity};

/// Reads a `weather_code` of Weatherstack; any other number is [`Condition::Unknown`].
///
/// Source: Weatherstack, Weather condition codes.
pub const fn from_weatherstack(code: i64) -> (Condition, Intensity) {
    use Condition::*;
    use Intensity::*;
    match code {
        113 => (Clear, Moderate),
        116 => (PartlyCloudy, Moderate),
        119 => (MostlyCloudy, Moderate),
        122 => (Overcast, Moderate),
        143 => (Mist, Moderate),
        176 | 293 | 296 => (Rain, Light),
        179 | 323 | 326 => (Snow, Light),
        182 | 317 => (Sleet, Light),
        185 => (FreezingDrizzle, Light),
        200 | 386 | 392 => (Thunderstorm, Light),
        227 => (BlowingSnow, Moderate),
        230 => (BlowingSnow, Heavy),
        248 => (Fog, Moderate),
        260 => (FreezingFog, Moderate),
        263 | 266 => (Drizzle, Light),
        281 => (FreezingDrizzle, Moderate),
        284 => (FreezingDrizzle, Heavy),
        299 | 302 => (Rain, Moderate),
        305 | 308 => (Rain, Heavy),
        311 => (FreezingRain, Light),
        314 => (FreezingRain, Heavy),
        320 => (Sleet, Heavy),
        329 | 332 => (Snow, Moderate),
        335 | 338 => (Snow, Heavy),
        350 => (IcePellets, Moderate),
        353 => (RainShowers, Light),
        356 => (RainShowers, Moderate),
        359 => (RainShowers, Heavy),
        362 => (SleetShowers, Light),
        365 => (SleetShowers, Heavy),
        368 => (SnowShowers, Light),
        371 => (SnowShowers, Heavy),
        374 => (IcePellets, Light),
        377 => (IcePellets, Heavy),
        389 | 395 => (Thunderstorm, Heavy),
        _ => (Unknown, Moderate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_weatherstack_says() {
        use Condition::*;
        use Intensity::*;
        check(&[113], Clear, Moderate);
        check(&[119], MostlyCloudy, Moderate);
        check(&[176, 293, 296], Rain, Light);
        check(&[299, 302], Rain, Moderate);
        check(&[305, 308], Rain, Heavy);
        check(&[179, 323, 326], Snow, Light);
        check(&[182, 317], Sleet, Light);
        check(&[320], Sleet, Heavy);
        check(&[365], SleetShowers, Heavy);
        check(&[281], FreezingDrizzle, Moderate);
        check(&[314], FreezingRain, Heavy);
        check(&[200, 386, 392], Thunderstorm, Light);
        check(&[389, 395], Thunderstorm, Heavy);
        check(&[230], BlowingSnow, Heavy);
        check(&[260], FreezingFog, Moderate);
        check(&[374], IcePellets, Light);
        check(&[350], IcePellets, Moderate);
        check(&[377], IcePellets, Heavy);
        check(&[-1, 0, 114, 396, i64::MAX], Unknown, Moderate);
    }

    #[test]
    fn exactly_the_documented_codes_are_known() {
        let known = (0..1000).filter(|code| from_weatherstack(*code).0 != Condition::Unknown);
        assert_eq!(known.count(), 48);
    }

    #[track_caller]
    fn check(codes: &[i64], condition: Condition, intensity: Intensity) {
        for code in codes {
            assert_eq!(from_weatherstack(*code), (condition, intensity), "code {code}");
        }
    }
}
