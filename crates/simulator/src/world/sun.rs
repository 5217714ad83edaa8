//! Where the sun is: enough to tell day from night.

use super::Spot;

/// Tells whether the sun stands above the horizon, `at` in seconds since the Unix epoch.
pub(crate) fn is_up(spot: Spot, at: i64) -> bool {
    let latitude = spot.latitude.to_radians();
    let declination = declination(at);
    let noon = noon(spot, at);
    let hour_angle = ((at - noon) as f64 / 240.0).to_radians();
    let height =
        latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
    height > (-0.833_f64).to_radians().sin()
}

/// Returns sunrise and sunset of the solar day round `at`, in seconds since the Unix epoch.
///
/// `None` where the sun does not rise or does not set on that day.
pub(crate) fn rise_and_set(spot: Spot, at: i64) -> Option<(i64, i64)> {
    let (latitude, declination) = (spot.latitude.to_radians(), declination(at));
    let horizon = (-0.833_f64).to_radians().sin();
    let cosine =
        (horizon - latitude.sin() * declination.sin()) / (latitude.cos() * declination.cos());
    if !(-1.0..=1.0).contains(&cosine) {
        return None;
    }
    let half_day_s = (cosine.acos().to_degrees() * 240.0) as i64;
    let noon = noon(spot, at);
    Some((noon - half_day_s, noon + half_day_s))
}

/// Returns the mean solar noon nearest to `at`; the equation of time is left out.
fn noon(spot: Spot, at: i64) -> i64 {
    let shift_s = (spot.longitude * 240.0) as i64;
    (at + shift_s).div_euclid(86_400) * 86_400 + 43_200 - shift_s
}

/// Source: Cooper 1969, declination of the sun by the day of the year.
fn declination(at: i64) -> f64 {
    let day = at as f64 / 86_400.0;
    let since_equinox = (day + 285.0) / 365.2425 * std::f64::consts::TAU;
    (23.45 * since_equinox.sin()).to_radians()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_long_in_summer_and_short_in_winter() {
        check(59.9, 10.8, "2026-06-21T12:00:00Z", Some(18.0..19.5));
        check(59.9, 10.8, "2026-12-21T12:00:00Z", Some(5.0..6.5));
        check(-34.6, -58.4, "2026-12-21T15:00:00Z", Some(14.0..15.0));
        check(0.0, 0.0, "2026-03-20T12:00:00Z", Some(11.9..12.3));
        check(80.0, 0.0, "2026-06-21T12:00:00Z", None);
    }

    #[track_caller]
    fn check(latitude: f64, longitude: f64, at: &str, hours: Option<std::ops::Range<f64>>) {
        let spot = Spot { latitude, longitude };
        let at = at.parse::<jiff::Timestamp>().unwrap().as_second();
        let day = rise_and_set(spot, at);
        match (day, hours) {
            (Some((rise, set)), Some(hours)) => {
                let length = (set - rise) as f64 / 3_600.0;
                assert!(hours.contains(&length), "{length} h");
                assert!(is_up(spot, rise + 60) && !is_up(spot, rise - 60));
                assert!(is_up(spot, set - 60) && !is_up(spot, set + 60));
            }
            (day, hours) => assert_eq!(day.is_some(), hours.is_some()),
        }
    }
}
