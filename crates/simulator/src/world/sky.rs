//! What the sky does, and how it follows from clouds, precipitation, visibility and temperature.

/// What the sky does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sky {
    /// Cloud cover below 20 %.
    Clear,
    /// Cloud cover from 20 %.
    MostlyClear,
    /// Cloud cover from 50 %.
    PartlyCloudy,
    /// Cloud cover from 80 %.
    Overcast,
    /// Visibility of 1 km or less without precipitation.
    Fog,
    /// Fine drops.
    Drizzle(Strength),
    /// Rain.
    Rain(Strength),
    /// Rain and snow mixed.
    Sleet(Strength),
    /// Snow.
    Snow(Strength),
    /// Heavy rain with thunder.
    Thunderstorm,
}

/// How strong precipitation is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Strength {
    /// Below 2.5 mm/h.
    Light,
    /// From 2.5 mm/h.
    Moderate,
    /// From 7.6 mm/h.
    Heavy,
}

impl Strength {
    /// Source: American Meteorological Society, Glossary of Meteorology, "rain".
    fn of(hour_mm: f64) -> Self {
        match hour_mm {
            mm if mm < 2.5 => Self::Light,
            mm if mm < 7.6 => Self::Moderate,
            _ => Self::Heavy,
        }
    }
}

impl Sky {
    /// Works out what the sky does.
    ///
    /// The cloud limits are those Open-Meteo documents for its weather codes.
    pub(super) fn of(cloud_percent: f64, hour_mm: f64, visibility_m: f64, t: f64) -> Self {
        // Stations write 0.1 mm for the least they can measure.
        if hour_mm >= 0.05 {
            return Self::falling(hour_mm, t);
        }
        match cloud_percent {
            _ if visibility_m <= 1_000.0 => Self::Fog,
            cloud if cloud < 20.0 => Self::Clear,
            cloud if cloud < 50.0 => Self::MostlyClear,
            cloud if cloud < 80.0 => Self::PartlyCloudy,
            _ => Self::Overcast,
        }
    }

    fn falling(hour_mm: f64, t: f64) -> Self {
        let strength = Strength::of(hour_mm);
        if t < 0.0 {
            return Self::Snow(strength);
        }
        if t < 2.0 {
            return Self::Sleet(strength);
        }
        match strength {
            Strength::Light if hour_mm < 0.3 => Self::Drizzle(Strength::Light),
            Strength::Heavy if t > 18.0 => Self::Thunderstorm,
            strength => Self::Rain(strength),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sky_follows_from_what_can_be_measured() {
        check((10.0, 0.0, 16_000.0, 20.0), Sky::Clear);
        check((49.9, 0.0, 16_000.0, 20.0), Sky::MostlyClear);
        check((80.0, 0.0, 16_000.0, 20.0), Sky::Overcast);
        check((80.0, 0.0, 1_000.0, 20.0), Sky::Fog);
        check((90.0, 0.1, 9_000.0, 20.0), Sky::Drizzle(Strength::Light));
        check((90.0, 3.0, 9_000.0, 20.0), Sky::Rain(Strength::Moderate));
        check((90.0, 3.0, 9_000.0, 1.0), Sky::Sleet(Strength::Moderate));
        check((90.0, 0.3, 9_000.0, -4.0), Sky::Snow(Strength::Light));
        check((90.0, 8.0, 9_000.0, 25.0), Sky::Thunderstorm);
        check((90.0, 8.0, 9_000.0, 12.0), Sky::Rain(Strength::Heavy));
    }

    #[track_caller]
    fn check((cloud, mm, visibility, t): (f64, f64, f64, f64), expected: Sky) {
        assert_eq!(Sky::of(cloud, mm, visibility, t), expected);
    }
}
