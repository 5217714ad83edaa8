//! The mean of wind directions.

use crate::unit::{Degrees, MetersPerSecond};

/// Weakest mean vector that still has a direction.
const DIRECTION_SPEED_MIN: MetersPerSecond = MetersPerSecond(0.5);

/// Returns the direction of the mean wind vector, from 0 up to but not including 360°.
///
/// Directions are never averaged as numbers: the mean of 350° and 10° is north, not south. `None`
/// without winds, when the mean vector is weaker than 0.5 m/s (winds that cancel out), and when one
/// of the numbers is none.
/// Source: WMO-No. 8, measurement of surface wind, vector averaging.
pub fn mean_wind_direction(
    winds: impl IntoIterator<Item = (MetersPerSecond, Degrees)>,
) -> Option<Degrees> {
    let (mut to_east, mut to_north, mut count) = (0.0, 0.0, 0_u32);
    for (speed, direction) in winds {
        // The direction is where the wind comes from, so the vector points the other way.
        let (sine, cosine) = direction.0.to_radians().sin_cos();
        to_east -= speed.0 * sine;
        to_north -= speed.0 * cosine;
        count += 1;
    }
    let mean_speed = f64::hypot(to_east, to_north) / f64::from(count);
    if !(mean_speed.is_finite() && mean_speed >= DIRECTION_SPEED_MIN.0) {
        return None;
    }
    let from = f64::atan2(-to_east, -to_north).to_degrees().rem_euclid(360.0);
    // A hair west of north is rounded up to 360, which is north again.
    Some(Degrees(if from < 360.0 { from } else { 0.0 }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mean_direction_is_that_of_the_vectors() {
        check(&[], None);
        check(&[(3.0, 270.0)], Some(270.0));
        check(&[(3.0, 350.0), (3.0, 10.0)], Some(0.0));
        check(&[(3.0, 360.0)], Some(0.0));
        check(&[(3.0, 0.0), (3.0, 90.0)], Some(45.0));
        check(&[(4.0, 90.0), (1.0, 270.0)], Some(90.0)); // The stronger wind wins.
        check(&[(3.0, 90.0), (3.0, 270.0)], None); // They cancel out.
        check(&[(0.49, 90.0)], None);
        check(&[(0.5, 90.0)], Some(90.0));
        check(&[(f64::NAN, 90.0)], None);
        check(&[(3.0, f64::INFINITY)], None);
    }

    #[track_caller]
    fn check(winds: &[(f64, f64)], expected: Option<f64>) {
        let winds = winds.iter().map(|(speed, from)| (MetersPerSecond(*speed), Degrees(*from)));
        let rounded = mean_wind_direction(winds).map(|mean| (mean.0 * 1e6).round() / 1e6 % 360.0);
        assert_eq!(rounded, expected);
    }

    fn degrees_apart(one: f64, other: f64) -> f64 {
        ((one - other + 180.0).rem_euclid(360.0) - 180.0).abs()
    }

    proptest! {
        #[test]
        fn mean_of_one_wind_is_its_direction(speed in 0.6..100.0, from in 0.0..360.0) {
            let mean = mean_wind_direction([(MetersPerSecond(speed), Degrees(from))]).unwrap();
            prop_assert!(degrees_apart(mean.0, from) < 1e-9);
        }

        #[test]
        fn mean_direction_lies_on_the_compass_and_ignores_the_order(
            winds in prop::collection::vec((0.0..60.0, 0.0..=360.0), 0..20)
        ) {
            let typed = |(speed, from): &(f64, f64)| (MetersPerSecond(*speed), Degrees(*from));
            let forwards = mean_wind_direction(winds.iter().map(typed));
            let backwards = mean_wind_direction(winds.iter().rev().map(typed));
            if let (Some(forwards), Some(backwards)) = (forwards, backwards) {
                prop_assert!((0.0..360.0).contains(&forwards.0));
                prop_assert!(degrees_apart(forwards.0, backwards.0) < 1e-6);
            }
        }
    }
}
