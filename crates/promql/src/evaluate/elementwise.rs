//! Functions of one number.

use crate::functions::Function;

/// Applies a function of one number.
pub(super) fn apply(function: Function, value: f64) -> f64 {
    match function {
        Function::Abs => value.abs(),
        Function::Acos => value.acos(),
        Function::Acosh => value.acosh(),
        Function::Asin => value.asin(),
        Function::Asinh => value.asinh(),
        Function::Atan => value.atan(),
        Function::Atanh => value.atanh(),
        Function::Ceil => value.ceil(),
        Function::Cos => value.cos(),
        Function::Cosh => value.cosh(),
        Function::Deg => value * 180.0 / std::f64::consts::PI,
        Function::Exp => value.exp(),
        Function::Floor => value.floor(),
        Function::Ln => value.ln(),
        Function::Log10 => value.log10(),
        Function::Log2 => value.log2(),
        Function::Rad => value * std::f64::consts::PI / 180.0,
        Function::Sgn if value > 0.0 => 1.0,
        Function::Sgn if value < 0.0 => -1.0,
        Function::Sin => value.sin(),
        Function::Sinh => value.sinh(),
        Function::Sqrt => value.sqrt(),
        Function::Tan => value.tan(),
        Function::Tanh => value.tanh(),
        // `sgn` of zero and NaN; the other functions are none of one number.
        _ => value,
    }
}

/// Applies `clamp`, `clamp_min`, `clamp_max` or `round`; `None` when the bounds exclude all values.
pub(super) fn bounded(function: Function, value: f64, first: f64, second: f64) -> Option<f64> {
    match function {
        Function::Clamp if second < first => None,
        Function::Clamp => Some(greater(first, lesser(second, value))),
        Function::ClampMin => Some(greater(first, value)),
        Function::ClampMax => Some(lesser(first, value)),
        _ => {
            let inverse = 1.0 / first;
            Some((value * inverse + 0.5).floor() / inverse)
        }
    }
}

/// Returns the greater one; NaN when one of them is, unless the other is infinite upwards.
///
/// Source: Go, `math.Max`.
fn greater(one: f64, other: f64) -> f64 {
    if one == f64::INFINITY || other == f64::INFINITY {
        f64::INFINITY
    } else if one.is_nan() || other.is_nan() {
        f64::NAN
    } else {
        one.max(other)
    }
}

/// Returns the lesser one; NaN when one of them is, unless the other is infinite downwards.
///
/// Source: Go, `math.Min`.
fn lesser(one: f64, other: f64) -> f64 {
    -greater(-one, -other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: Function, value: f64, first: f64, second: f64, expected: Option<f64>) {
        let found = bounded(function, value, first, second);
        let is_same = match (found, expected) {
            (Some(found), Some(expected)) => found.total_cmp(&expected).is_eq(),
            (found, expected) => found.is_none() && expected.is_none(),
        };
        assert!(is_same, "{found:?} in place of {expected:?}");
    }

    #[test]
    fn bounds_hold_for_nan_and_infinities_as_in_prometheus() {
        check(Function::Clamp, 5.0, 0.0, 1.0, Some(1.0));
        check(Function::Clamp, 5.0, 1.0, 0.0, None);
        check(Function::Clamp, 5.0, 0.0, f64::NAN, Some(f64::NAN));
        check(Function::ClampMin, f64::NAN, f64::INFINITY, 0.0, Some(f64::INFINITY));
        check(Function::ClampMax, 2.0, f64::NEG_INFINITY, 0.0, Some(f64::NEG_INFINITY));
        check(Function::Round, 2.5, 1.0, 0.0, Some(3.0));
        check(Function::Round, -2.5, 1.0, 0.0, Some(-2.0));
        check(Function::Round, 7.0, 5.0, 0.0, Some(5.0));
    }

    #[test]
    fn the_sign_of_zero_is_zero() {
        assert_eq!(apply(Function::Sgn, 0.0), 0.0);
        assert_eq!(apply(Function::Sgn, -3.0), -1.0);
        assert!(apply(Function::Sgn, f64::NAN).is_nan());
    }
}
