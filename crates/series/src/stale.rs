//! The marker that ends a series.

/// The value that says that a series has no more samples from here on: one particular NaN.
///
/// Source: Prometheus, `model/value`, `StaleNaN`.
pub const STALE_MARKER: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Returns whether `value` is the [`STALE_MARKER`]; every other NaN is an ordinary value.
pub const fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_MARKER.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_is_stale() {
        assert!(STALE_MARKER.is_nan());
        assert!(is_stale(STALE_MARKER));
        assert!(!is_stale(f64::NAN));
        assert!(!is_stale(f64::INFINITY));
        assert!(!is_stale(0.0));
    }
}
