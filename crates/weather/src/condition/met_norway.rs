//! The symbol codes of MET Norway.

use super::{Condition, Intensity};

/// Reads a `symbol_code` of MET Norway, as in `lightrainshowersandthunder_polartwilight`.
///
/// A code is a stem and, for symbols that show the sun or the moon, the light behind it. Anything
/// else is [`Condition::Unknown`]. Whatever falls `andthunder` is a thunderstorm of that strength.
/// Source: MET Norway, Weathericon 2.0, legends.
pub fn from_met_norway(symbol_code: &str) -> (Condition, Intensity) {
    let stem = match symbol_code.split_once('_') {
        None => symbol_code,
        Some((stem, "day" | "night" | "polartwilight")) => stem,
        Some(_) => return (Condition::Unknown, Intensity::Moderate),
    };
    from_sky(stem).unwrap_or_else(|| from_precipitation(stem))
}

fn from_sky(stem: &str) -> Option<(Condition, Intensity)> {
    let condition = match stem {
        "clearsky" => Condition::Clear,
        "fair" => Condition::MostlyClear,
        "partlycloudy" => Condition::PartlyCloudy,
        "cloudy" => Condition::Overcast,
        "fog" => Condition::Fog,
        _ => return None,
    };
    Some((condition, Intensity::Moderate))
}

/// Reads `[light|heavy](rain|sleet|snow)[showers][andthunder]`.
fn from_precipitation(stem: &str) -> (Condition, Intensity) {
    let without_thunder = stem.strip_suffix("andthunder");
    let rest = without_thunder.unwrap_or(stem);
    let (rest, intensity) = if let Some(rest) = rest.strip_prefix("light") {
        (rest, Intensity::Light)
    } else if let Some(rest) = rest.strip_prefix("heavy") {
        (rest, Intensity::Heavy)
    } else {
        (rest, Intensity::Moderate)
    };
    let condition = match rest {
        "rain" => Condition::Rain,
        "sleet" => Condition::Sleet,
        "snow" => Condition::Snow,
        "rainshowers" => Condition::RainShowers,
        // Two of the official codes double the s: `lightssleetshowersandthunder` and
        // `lightssnowshowersandthunder`.
        "sleetshowers" | "ssleetshowers" => Condition::SleetShowers,
        "snowshowers" | "ssnowshowers" => Condition::SnowShowers,
        _ => return (Condition::Unknown, Intensity::Moderate),
    };
    if without_thunder.is_some() {
        (Condition::Thunderstorm, intensity)
    } else {
        (condition, intensity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_mean_what_met_norway_says() {
        use Condition::*;
        use Intensity::*;
        check("clearsky_day", Clear, Moderate);
        check("fair_night", MostlyClear, Moderate);
        check("partlycloudy_polartwilight", PartlyCloudy, Moderate);
        check("cloudy", Overcast, Moderate);
        check("fog", Fog, Moderate);
        check("rain", Rain, Moderate);
        check("lightrain", Rain, Light);
        check("heavyrainshowers_day", RainShowers, Heavy);
        check("sleet", Sleet, Moderate);
        check("lightsleetshowers_night", SleetShowers, Light);
        check("heavysnow", Snow, Heavy);
        check("snowshowers_polartwilight", SnowShowers, Moderate);
        check("rainandthunder", Thunderstorm, Moderate);
        check("lightsnowandthunder", Thunderstorm, Light);
        check("heavyrainshowersandthunder_day", Thunderstorm, Heavy);
        check("lightssleetshowersandthunder_day", Thunderstorm, Light);
        check("lightsleetshowersandthunder_day", Thunderstorm, Light);
        check("lightssnowshowersandthunder_night", Thunderstorm, Light);
        check("lightsnowshowersandthunder_night", Thunderstorm, Light);
    }

    #[test]
    fn anything_else_is_unknown() {
        for code in ["", "_", "_day", "light", "andthunder", "heavyfog", "fogandthunder"] {
            check(code, Condition::Unknown, Intensity::Moderate);
        }
        for code in ["rain_dusk", "rain_day_night", "Rain", "lightlightrain", "rain ", "snø"] {
            check(code, Condition::Unknown, Intensity::Moderate);
        }
    }

    #[test]
    fn every_combination_of_the_grammar_is_known() {
        for strength in ["light", "", "heavy"] {
            for kind in ["rain", "sleet", "snow"] {
                for rest in ["", "showers", "andthunder", "showersandthunder"] {
                    let code = format!("{strength}{kind}{rest}");
                    assert_ne!(from_met_norway(&code).0, Condition::Unknown, "{code}");
                }
            }
        }
    }

    #[track_caller]
    fn check(code: &str, condition: Condition, intensity: Intensity) {
        assert_eq!(from_met_norway(code), (condition, intensity), "code {code:?}");
    }
}
