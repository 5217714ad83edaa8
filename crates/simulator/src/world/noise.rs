//! Smooth chance without a state: the same point has the same value in every process.

/// Returns a value of −1 to 1 that changes smoothly with all three coordinates.
///
/// Whole coordinates are the points at which the value is drawn, so one unit is the length over
/// which it changes. `x` comes round again after `x_period` units.
pub(super) fn smooth(seed: u64, x: f64, y: f64, z: f64, x_period: i64) -> f64 {
    let ([x0, y0, z0], [fx, fy, fz]) = ([x.floor(), y.floor(), z.floor()], [x, y, z]);
    let (sx, sy, sz) = (ease(fx - x0), ease(fy - y0), ease(fz - z0));
    let (ix, iy, iz) = (x0 as i64, y0 as i64, z0 as i64);
    let (west, east) = (ix.rem_euclid(x_period), (ix + 1).rem_euclid(x_period));
    // The bits of outer coordinates are mixed once for all points that share them.
    let along_x = |row: u64| {
        let (from, to) = (drawn(row, west), drawn(row, east));
        from + (to - from) * sx
    };
    let along_y = |layer: u64| {
        let row = |y: i64| mix(layer ^ y as u64);
        let (from, to) = (along_x(row(iy)), along_x(row(iy + 1)));
        from + (to - from) * sy
    };
    let layer = |z: i64| mix((seed << 48) ^ z as u64);
    let (from, to) = (along_y(layer(iz)), along_y(layer(iz + 1)));
    from + (to - from) * sz
}

/// Slope zero at both ends, so that no kink shows at the drawn points.
fn ease(fraction: f64) -> f64 {
    fraction * fraction * (3.0 - 2.0 * fraction)
}

/// Draws a value of −1 to 1 for a point of a row of the lattice.
fn drawn(row: u64, x: i64) -> f64 {
    let mixed = mix(row ^ x as u64);
    // The upper 53 bits fill the mantissa of a double exactly.
    (mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Spreads the bits of a number over all bits.
///
/// Source: the finalizer of splitmix64, Steele, Lea and Flood 2014.
pub(super) fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn value_stays_in_range_and_changes_smoothly(
            x in -100.0..100.0_f64, y in -100.0..100.0_f64, z in -1e5..1e5_f64,
        ) {
            let here = smooth(7, x, y, z, 48);
            prop_assert!((-1.0..=1.0).contains(&here));
            let near = smooth(7, x + 0.001, y + 0.001, z + 0.001, 48);
            prop_assert!((here - near).abs() < 0.02);
        }
    }

    #[test]
    fn value_comes_round_with_the_period() {
        assert_eq!(smooth(7, 0.25, 3.5, 9.75, 48), smooth(7, 48.25, 3.5, 9.75, 48));
        assert_eq!(smooth(7, -0.75, 3.5, 9.75, 48), smooth(7, 47.25, 3.5, 9.75, 48));
    }
}
