//! Values with few decimals as whole numbers, which compress far better.

use crate::varint::{self, Truncated};

/// Powers of ten that are exact, so that dividing by one rounds once, as reading a decimal does.
const SCALES: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// The largest scaled number that is kept, small enough for every step to be exact.
const SCALED_MAX: f64 = (1_u64 << 51) as f64;

/// A column as whole numbers over one power of ten, and the values that are none.
pub(crate) struct Decimal {
    exponent: usize,
    exceptions: Vec<(usize, f64)>,
    /// One number for each value; where a value is an exception, the one before it again.
    pub(crate) scaled: Vec<i64>,
}

impl Decimal {
    /// Returns the column with as few decimals as possible; `None` when more than `exceptions_max`
    /// of the values do not fit.
    pub(crate) fn of(values: &[f64], exceptions_max: usize) -> Option<Self> {
        let exponent = exponent_for(values, exceptions_max)?;
        let mut exceptions = Vec::new();
        let mut scaled = Vec::with_capacity(values.len());
        let mut previous = 0;
        for (index, &value) in values.iter().enumerate() {
            match scale(value, exponent) {
                Some(number) => previous = number,
                None if exceptions.len() == exceptions_max => return None,
                None => exceptions.push((index, value)),
            }
            scaled.push(previous);
        }
        Some(Self { exponent, exceptions, scaled })
    }

    pub(crate) fn put_preamble(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.exponent as u8);
        varint::put(bytes, self.exceptions.len() as u64);
        let mut previous = 0;
        for (index, value) in &self.exceptions {
            varint::put(bytes, (index - previous) as u64);
            bytes.extend(value.to_bits().to_le_bytes());
            previous = *index;
        }
    }
}

/// What stands before the whole numbers.
pub(crate) struct Preamble {
    scale: f64,
    exceptions: Vec<(usize, f64)>,
}

impl Preamble {
    pub(crate) fn take(bytes: &mut &[u8]) -> Result<Self, Truncated> {
        let exponent = usize::from(varint::take_byte(bytes)?);
        let scale = *SCALES.get(exponent).ok_or(Truncated)?;
        let count = varint::take(bytes)?;
        let mut exceptions = Vec::new();
        let mut index = 0_usize;
        for _ in 0..count {
            let step = usize::try_from(varint::take(bytes)?).map_err(|_| Truncated)?;
            index = index.checked_add(step).ok_or(Truncated)?;
            exceptions.push((index, f64::from_bits(varint::take_u64(bytes)?)));
        }
        Ok(Self { scale, exceptions })
    }

    pub(crate) fn values(&self, scaled: &[i64]) -> Result<Vec<f64>, Truncated> {
        let mut values: Vec<f64> =
            scaled.iter().map(|&number| number as f64 / self.scale).collect();
        for &(index, value) in &self.exceptions {
            *values.get_mut(index).ok_or(Truncated)? = value;
        }
        Ok(values)
    }
}

/// Returns the smallest exponent that fits all values but the exceptions.
fn exponent_for(values: &[f64], exceptions_max: usize) -> Option<usize> {
    let mut exponent = 0;
    let mut exceptions = 0;
    for &value in values {
        // A value that fits a smaller exponent fits a larger one too, within the largest number.
        match (exponent..SCALES.len()).find(|&candidate| scale(value, candidate).is_some()) {
            Some(found) => exponent = found,
            None if exceptions == exceptions_max => return None,
            None => exceptions += 1,
        }
    }
    Some(exponent)
}

/// Returns the whole number that gives exactly this value when it is divided by the power of ten.
fn scale(value: f64, exponent: usize) -> Option<i64> {
    let scaled = (value * SCALES[exponent]).round();
    // Also false for a NaN. Zero with a sign would lose it.
    let exact =
        scaled.abs() <= SCALED_MAX && (scaled / SCALES[exponent]).to_bits() == value.to_bits();
    (exact && !(scaled == 0.0 && value.is_sign_negative())).then_some(scaled as i64)
}
