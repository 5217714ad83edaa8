//! A model of the weather anywhere: seasons, days, height, and smooth chance on top.
//!
//! Pure: what it says follows from spot and instant alone. It is made to look right in a chart and
//! to be consistent in itself, not to be right about any place. Weather systems are a few
//! thousand kilometres wide, so that neighbouring places share them.

use std::f64::consts::TAU;

use super::noise::smooth;
use super::{Sky, Spot, Weather, saturation_hpa, station_hpa};

/// What each stream of chance is for; the numbers only have to differ.
mod seed {
    pub(super) const PRESSURE: u64 = 1;
    pub(super) const WARMTH: u64 = 2;
    pub(super) const CLOUD: u64 = 3;
    pub(super) const WIND_EAST: u64 = 4;
    pub(super) const WIND_NORTH: u64 = 5;
    pub(super) const GUST: u64 = 6;
    pub(super) const LOCAL: u64 = 7;
    pub(super) const TERRAIN: u64 = 8;
}

/// Returns the weather at the centre of a cell, `at` in seconds since the Unix epoch.
pub(super) fn weather(spot: Spot, elevation_m: f64, at: i64) -> Weather {
    let seconds = at as f64;
    let hour_mm = hour_mm(spot, at);
    // What falls needs a cloud to fall from, also in the minutes in which the model sees none.
    let cloud_floor = if hour_mm > 0.0 { 82.0 } else { 0.0 };
    let cloud_percent = cloud_percent(spot, seconds).max(cloud_floor);
    let damp = (cloud_percent / 100.0).max(if hour_mm > 0.0 { 0.95 } else { 0.0 });

    let temperature_c = temperature_c(spot, seconds, elevation_m, cloud_percent);
    let daily_mean_c = temperature_c - daily_swing_k(spot, seconds, cloud_percent);
    let spread_k = 1.0 + 11.0 * (1.0 - damp).powi(2) + 1.5 * (1.0 - damp);
    let dew_point_c = (daily_mean_c - spread_k).min(temperature_c - 0.2);
    let humidity_percent =
        (100.0 * saturation_hpa(dew_point_c) / saturation_hpa(temperature_c)).clamp(1.0, 100.0);

    let (wind_ms, wind_from_degrees) = wind(spot, seconds);
    let gustiness = 0.5 + 0.5 * regional(seed::GUST, spot, seconds, 7.5, 3.0);
    let gust_ms = wind_ms * (1.25 + 0.35 * gustiness) + 0.4;
    let sea_level_hpa = sea_level_hpa(spot, seconds);
    let visibility_m = visibility_m(hour_mm, humidity_percent, wind_ms);
    Weather {
        temperature_c: Some(temperature_c),
        dew_point_c: Some(dew_point_c),
        humidity_percent: Some(humidity_percent),
        sea_level_hpa: Some(sea_level_hpa),
        station_hpa: Some(station_hpa(sea_level_hpa, elevation_m, temperature_c)),
        wind_ms: Some(wind_ms),
        gust_ms: Some(gust_ms),
        wind_from_degrees: (wind_ms >= 0.3).then_some(wind_from_degrees),
        hour_mm: Some(hour_mm),
        cloud_percent: Some(cloud_percent),
        visibility_m: Some(visibility_m),
        sky: Sky::of(cloud_percent, hour_mm, visibility_m, temperature_c),
    }
}

/// Moves a spot to the centre of its cell of 0.01°, as a model with a grid does.
///
/// Cut towards zero, so that coordinates cut to four decimals fall into the same cell.
pub(super) fn centre_of_cell(spot: Spot) -> Spot {
    let centre = |degrees: f64| {
        let cell = (degrees * 100.0 + 1e-6_f64.copysign(degrees)).trunc();
        (cell + 0.5_f64.copysign(degrees)) / 100.0
    };
    Spot { latitude: centre(spot.latitude), longitude: centre(spot.longitude) }
}

/// Chance that changes over `degrees` and `hours`, −1 to 1.
fn regional(seed: u64, spot: Spot, seconds: f64, degrees: f64, hours: f64) -> f64 {
    let round_the_earth = (360.0 / degrees).ceil() as i64;
    let (x, y) = (spot.longitude / degrees, spot.latitude / degrees);
    smooth(seed, x, y, seconds / (hours * 3_600.0), round_the_earth)
}

/// Returns the height of an invented landscape at the centre of a cell, 0 to 600 m.
pub(super) fn terrain_m(spot: Spot) -> f64 {
    let hills = regional(seed::TERRAIN, spot, 0.0, 2.5, 1.0).max(-0.6);
    (375.0 * (hills + 0.6)).round()
}

fn temperature_c(spot: Spot, seconds: f64, elevation_m: f64, cloud_percent: f64) -> f64 {
    let latitude = spot.latitude.to_radians();
    let yearly_mean = -12.0 + 40.0 * latitude.cos().max(0.0).powf(1.5);
    // Warmest on day 200 in the north, half a year later in the south; little season at the equator.
    let day = seconds / 86_400.0;
    let season = 14.0 * latitude.sin() * (TAU * (day - 200.0) / 365.2425).cos();
    let changeable = 1.5 + 4.5 * latitude.sin().abs();
    let system = changeable * regional(seed::WARMTH, spot, seconds, 15.0, 66.0);
    let local = 0.7 * regional(seed::LOCAL, spot, seconds, 0.25, 5.0);
    yearly_mean + season + system + local - 0.0065 * elevation_m
        + daily_swing_k(spot, seconds, cloud_percent)
}

/// Returns how much warmer than on average over the day it is, by the sun and the clouds.
fn daily_swing_k(spot: Spot, seconds: f64, cloud_percent: f64) -> f64 {
    let solar_hour = seconds / 3_600.0 + spot.longitude / 15.0;
    let sun = spot.latitude.to_radians().cos().max(0.15);
    let open_sky = 1.0 - 0.65 * cloud_percent / 100.0;
    5.5 * sun * open_sky * (TAU * (solar_hour - 15.0) / 24.0).cos()
}

/// The state of the sky from which clouds and precipitation follow, 0 to 1.
fn moisture(spot: Spot, seconds: f64) -> f64 {
    let system = regional(seed::CLOUD, spot, seconds, 7.5, 15.0);
    let patch = regional(seed::CLOUD ^ 0x100, spot, seconds, 0.75, 2.5);
    (0.5 + 0.62 * system + 0.13 * patch).clamp(0.0, 1.0)
}

/// Returns the cloud cover in %, 0 to 100.
pub(super) fn cloud_percent(spot: Spot, seconds: f64) -> f64 {
    let moisture = moisture(spot, seconds);
    (100.0 * ((moisture - 0.15) / 0.6)).clamp(0.0, 100.0)
}

/// Returns the precipitation in mm of the UTC hour that is running, 0 to about 14.
fn hour_mm(spot: Spot, at: i64) -> f64 {
    // Everybody who asks within the hour has to hear the same amount, so it is looked up at its end.
    let hour_ends = at + (-at).rem_euclid(3_600);
    let excess = moisture(spot, hour_ends as f64) - 0.78;
    if excess <= 0.0 {
        return 0.0;
    }
    let warm = 0.35 + 0.65 * spot.latitude.to_radians().cos().max(0.0);
    let amount = 14.0 * warm * (excess / 0.22).powf(1.8);
    (amount * 10.0).round() / 10.0
}

fn sea_level_hpa(spot: Spot, seconds: f64) -> f64 {
    let latitude = spot.latitude.to_radians();
    let belt = -5.0 * (4.0 * latitude).cos();
    let system =
        (4.0 + 18.0 * latitude.sin().abs()) * regional(seed::PRESSURE, spot, seconds, 15.0, 54.0);
    // The atmosphere breathes twice a day, most of all in the tropics.
    let solar_hour = seconds / 3_600.0 + spot.longitude / 15.0;
    let tide = 1.2 * latitude.cos().max(0.0) * (TAU * (solar_hour - 10.0) / 12.0).cos();
    1013.5 + belt + system + tide
}

/// Returns the mean wind in m/s and where it comes from in degrees, over 0 to 360.
fn wind(spot: Spot, seconds: f64) -> (f64, f64) {
    let blow = |seed| {
        9.0 * regional(seed, spot, seconds, 7.5, 12.0)
            + 1.2 * regional(seed ^ 0x100, spot, seconds, 0.5, 1.5)
    };
    let (east, north) = (blow(seed::WIND_EAST), blow(seed::WIND_NORTH));
    let from = (-east).atan2(-north).to_degrees().rem_euclid(360.0);
    (east.hypot(north), if from == 0.0 { 360.0 } else { from })
}

fn visibility_m(hour_mm: f64, humidity_percent: f64, wind_ms: f64) -> f64 {
    if hour_mm > 0.0 {
        return (24_140.0 / (1.0 + 0.8 * hour_mm)).max(1_500.0);
    }
    if humidity_percent > 96.0 && wind_ms < 2.0 {
        return 600.0;
    }
    24_140.0 - 140.0 * (humidity_percent - 70.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Site;
    use super::*;

    fn weather(spot: Spot, at: i64) -> Weather {
        Site::at(spot).weather(at, 6)
    }

    fn spots() -> impl Strategy<Value = Spot> {
        (-90.0..=90.0_f64, -180.0..=180.0_f64)
            .prop_map(|(latitude, longitude)| Spot { latitude, longitude })
    }

    proptest! {
        #[test]
        fn quantities_are_possible_and_agree(spot in spots(), at in 1_700_000_000..2_000_000_000_i64) {
            let seen = weather(spot, at);
            let air = seen.temperature_c.unwrap();
            prop_assert!((-75.0..55.0).contains(&air), "{air} °C");
            prop_assert!(seen.dew_point_c.unwrap() <= air);
            prop_assert!((0.0..=100.0).contains(&seen.humidity_percent.unwrap()));
            prop_assert!((960.0..1060.0).contains(&seen.sea_level_hpa.unwrap()));
            prop_assert!(seen.station_hpa.unwrap() <= seen.sea_level_hpa.unwrap() + 0.01);
            prop_assert!(seen.wind_ms.unwrap() <= seen.gust_ms.unwrap());
            prop_assert!(seen.gust_ms.unwrap() < 40.0);
            if let Some(degrees) = seen.wind_from_degrees {
                prop_assert!(0.0 < degrees && degrees <= 360.0);
            }
            prop_assert!((0.0..=100.0).contains(&seen.cloud_percent.unwrap()));
            prop_assert!((500.0..=24_140.0).contains(&seen.visibility_m.unwrap()));
            let falls = seen.hour_mm.unwrap() > 0.0;
            let says_so = matches!(
                seen.sky,
                Sky::Drizzle(_) | Sky::Rain(_) | Sky::Sleet(_) | Sky::Snow(_) | Sky::Thunderstorm
            );
            prop_assert_eq!(falls, says_so);
            prop_assert!(!falls || seen.cloud_percent.unwrap() >= 80.0);
        }

        #[test]
        fn coordinates_cut_to_four_decimals_have_the_same_weather(spot in spots()) {
            let cut = |degrees: f64| (degrees * 10_000.0).trunc() / 10_000.0;
            let coarse = Spot { latitude: cut(spot.latitude), longitude: cut(spot.longitude) };
            let at = 1_790_000_000;
            prop_assert_eq!(weather(spot, at), weather(coarse, at));
        }

        #[test]
        fn values_change_little_within_five_minutes(spot in spots(), at in 1_700_000_000..2_000_000_000_i64) {
            let (now, then) = (weather(spot, at), weather(spot, at + 300));
            let step = now.temperature_c.unwrap() - then.temperature_c.unwrap();
            prop_assert!(step.abs() < 1.0, "{step} K");
            let step = now.sea_level_hpa.unwrap() - then.sea_level_hpa.unwrap();
            prop_assert!(step.abs() < 0.5, "{step} hPa");
        }
    }

    #[test]
    fn summer_is_warmer_than_winter_and_the_equator_than_the_poles() {
        let mean = |latitude, month: &str| {
            let begins: jiff::Timestamp = format!("2026-{month}-01T00:00:00Z").parse().unwrap();
            let hours = (0..720).map(|hour| {
                let at = begins.as_second() + hour * 3_600;
                weather(Spot { latitude, longitude: 10.0 }, at).temperature_c.unwrap()
            });
            hours.sum::<f64>() / 720.0
        };
        assert!(mean(55.0, "07") > mean(55.0, "01") + 10.0);
        assert!(mean(-35.0, "01") > mean(-35.0, "07") + 8.0);
        assert!(mean(0.0, "04") > mean(70.0, "04") + 15.0);
    }

    #[test]
    fn it_rains_sometimes_and_not_always() {
        let spot = Spot { latitude: -34.6, longitude: -58.4 };
        let wet = (0..8_760)
            .filter(|hour| weather(spot, 1_790_000_000 + hour * 3_600).hour_mm.unwrap() > 0.0);
        let share = wet.count() as f64 / 8_760.0;
        assert!((0.03..0.3).contains(&share), "{share}");
    }

    #[test]
    fn the_model_says_the_same_in_every_build() {
        let seen = weather(Spot { latitude: -34.6037, longitude: -58.3816 }, 1_790_000_100);
        let shown = format!(
            "{:.3} °C, {:.3} hPa, {:.3} m/s from {:.0}°",
            seen.temperature_c.unwrap(),
            seen.sea_level_hpa.unwrap(),
            seen.wind_ms.unwrap(),
            seen.wind_from_degrees.unwrap()
        );
        assert_eq!(shown, "14.883 °C, 1014.146 hPa, 3.142 m/s from 290°");
    }
}
