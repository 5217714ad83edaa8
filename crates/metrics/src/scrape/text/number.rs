//! Numbers as the text formats write them.

/// The NaN that every NaN of a text becomes, so that none of them can be the stale marker.
///
/// Source: Prometheus, `model/value`, `NormalNaN`.
const ORDINARY_NAN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

/// Reads a value; `None` when it is no number or none that a double can hold.
pub(super) fn parse_value(written: &str) -> Option<f64> {
    let value: f64 = written.parse().ok()?;
    if value.is_nan() {
        let has_sign = written.starts_with(['+', '-']);
        return (!has_sign).then_some(ORDINARY_NAN);
    }
    // A number that is too large becomes infinite, and is not what was written.
    let is_spelled = written.contains(['i', 'I']);
    (value.is_finite() || is_spelled).then_some(value)
}

/// Reads seconds since the Unix epoch as milliseconds, cut off; `None` when they are no number.
pub(super) fn parse_seconds(written: &str) -> Option<i64> {
    const MS_MAX: f64 = 9_007_199_254_740_992.0;
    let ms = parse_value(written)? * 1000.0;
    // Beyond 2^53 not every millisecond has a number of its own.
    (ms.abs() <= MS_MAX).then_some(ms as i64)
}
