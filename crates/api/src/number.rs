//! Numbers as people write them: few decimals, and none when they would be zero.

use serde::{Serialize, Serializer};

/// A rounded number; a whole one is written without a decimal point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number(f64);

impl Number {
    /// Rounds half away from zero to `decimals` places; `-0` becomes `0`.
    pub(crate) fn rounded(value: f64, decimals: i32) -> Self {
        let scale = 10_f64.powi(decimals);
        Self((value * scale).round() / scale + 0.0)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Every whole number up to here has an exact `f64`.
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT_MAX {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        check(16.617, 2, "16.62");
        check(54.0, 1, "54");
        check(1017.25, 1, "1017.3");
        check(-0.004, 2, "0");
        check(-12.345, 1, "-12.3");
        check(f64::NAN, 2, "null");
    }

    #[track_caller]
    fn check(value: f64, decimals: i32, written: &str) {
        let number = Number::rounded(value, decimals);
        assert_eq!(serde_json::to_string(&number).unwrap(), written, "{value} to {decimals}");
    }
}
