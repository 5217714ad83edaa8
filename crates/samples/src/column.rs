//! How columns of times and of values are written in few bytes.
//!
//! A column does not say how long it is: the times do, and the values go by them. Every column
//! ends in a checksum, so that damage is noticed and never shown as values.

mod decimal;
mod packed;

use crate::varint::{self, Truncated};

/// Columns of fewer samples are written as plain differences, because the preamble of packed ones
/// would take more than it saves.
const PACKED_MIN: usize = 24;

/// One in so many values may be written apart from the others before the column is not decimal.
const EXCEPTION_SHARE: usize = 8;

const KIND_CONSTANT: u8 = 0;
const KIND_DECIMAL_PLAIN: u8 = 1;
const KIND_DECIMAL_PACKED: u8 = 2;
const KIND_FLOAT_PLAIN: u8 = 3;
const KIND_FLOAT_PACKED: u8 = 4;

/// Why a column cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ColumnError {
    /// The bytes are not those that were written.
    #[error("a column is damaged: its checksum is wrong")]
    Checksum,
    /// The bytes make no sense although they are those that were written.
    #[error("a column cannot be read")]
    Truncated(#[from] Truncated),
    /// The packing makes no sense.
    #[error("a packed column cannot be read")]
    Packed(#[from] pco::errors::PcoError),
    /// A newer program wrote it.
    #[error("a column is of the unknown kind {0}")]
    Kind(u8),
}

/// Writes times, at least one, strictly ascending.
pub(crate) fn encode_times(times_ms: &[i64]) -> Result<Vec<u8>, ColumnError> {
    let mut bytes = Vec::new();
    varint::put(&mut bytes, times_ms.len() as u64);
    if times_ms.len() < PACKED_MIN {
        put_differences(&mut bytes, times_ms);
    } else {
        packed::put_times(&mut bytes, times_ms)?;
    }
    Ok(seal(bytes))
}

/// Reads times.
pub(crate) fn decode_times(bytes: &[u8]) -> Result<Vec<i64>, ColumnError> {
    let mut bytes = unseal(bytes)?;
    let count = usize::try_from(varint::take(&mut bytes)?).map_err(|_| Truncated)?;
    if count < PACKED_MIN {
        return Ok(take_differences(&mut bytes, count)?);
    }
    packed::take(bytes, count)
}

/// Writes values, at least one; every bit of every value comes back.
pub(crate) fn encode_values(values: &[f64]) -> Result<Vec<u8>, ColumnError> {
    let bits = values.first().map_or(0, |value| value.to_bits());
    let mut bytes = Vec::new();
    if values.iter().all(|value| value.to_bits() == bits) {
        bytes.push(KIND_CONSTANT);
        bytes.extend(bits.to_le_bytes());
    } else if let Some(decimal) = decimal::Decimal::of(values, values.len() / EXCEPTION_SHARE) {
        let plain = values.len() < PACKED_MIN;
        bytes.push(if plain { KIND_DECIMAL_PLAIN } else { KIND_DECIMAL_PACKED });
        decimal.put_preamble(&mut bytes);
        if plain {
            put_differences(&mut bytes, &decimal.scaled);
        } else {
            packed::put_whole(&mut bytes, &decimal.scaled)?;
        }
    } else if values.len() < PACKED_MIN {
        bytes.push(KIND_FLOAT_PLAIN);
        bytes.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
    } else {
        bytes.push(KIND_FLOAT_PACKED);
        packed::put_floats(&mut bytes, values)?;
    }
    Ok(seal(bytes))
}

/// Reads so many values.
pub(crate) fn decode_values(bytes: &[u8], count: usize) -> Result<Vec<f64>, ColumnError> {
    let mut bytes = unseal(bytes)?;
    match varint::take_byte(&mut bytes)? {
        KIND_CONSTANT => Ok(vec![f64::from_bits(varint::take_u64(&mut bytes)?); count]),
        KIND_DECIMAL_PLAIN => {
            let preamble = decimal::Preamble::take(&mut bytes)?;
            Ok(preamble.values(&take_differences(&mut bytes, count)?)?)
        }
        KIND_DECIMAL_PACKED => {
            let preamble = decimal::Preamble::take(&mut bytes)?;
            Ok(preamble.values(&packed::take(bytes, count)?)?)
        }
        KIND_FLOAT_PLAIN => {
            let take = |_| varint::take_u64(&mut bytes).map(f64::from_bits);
            Ok((0..count).map(take).collect::<Result<_, _>>()?)
        }
        KIND_FLOAT_PACKED => packed::take(bytes, count),
        unknown => Err(ColumnError::Kind(unknown)),
    }
}

/// Adds the checksum.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

/// Takes the checksum away, if it is right.
pub(crate) fn unseal(bytes: &[u8]) -> Result<&[u8], ColumnError> {
    let (content, checksum) = bytes.split_last_chunk::<4>().ok_or(ColumnError::Checksum)?;
    let right = crc32fast::hash(content) == u32::from_le_bytes(*checksum);
    if right { Ok(content) } else { Err(ColumnError::Checksum) }
}

fn put_differences(bytes: &mut Vec<u8>, numbers: &[i64]) {
    let mut previous = 0_i64;
    for &number in numbers {
        varint::put_signed(bytes, number.wrapping_sub(previous));
        previous = number;
    }
}

fn take_differences(bytes: &mut &[u8], count: usize) -> Result<Vec<i64>, Truncated> {
    let mut previous = 0_i64;
    let next = |_| {
        previous = previous.wrapping_add(varint::take_signed(bytes)?);
        Ok(previous)
    };
    (0..count).map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pampero_series::STALE_MARKER;
    use proptest::prelude::*;

    /// Returns how many bytes the values took.
    #[track_caller]
    fn check_values(values: &[f64]) -> usize {
        let bytes = encode_values(values).unwrap();
        let read = decode_values(&bytes, values.len()).unwrap();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(values));
        bytes.len()
    }

    #[test]
    fn every_bit_of_every_value_comes_back() {
        let strange = [STALE_MARKER, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
        let extreme = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 9_007_199_254_740_993.0];
        for length in [1, 2, 23, 24, 25, 480, 5760] {
            check_values(&vec![STALE_MARKER; length]);
            for unusual in strange.iter().chain(&extreme) {
                let mut decimals: Vec<f64> = (0..length).map(|n| n as f64 / 10.0).collect();
                check_values(&decimals);
                decimals[length / 2] = *unusual;
                check_values(&decimals);
                let mut floats: Vec<f64> = (0..length).map(|n| (n as f64).sqrt()).collect();
                floats[length - 1] = *unusual;
                check_values(&floats);
                check_values(&vec![*unusual; length]);
            }
        }
    }

    #[test]
    fn values_take_few_bytes() {
        let size = |value: fn(f64) -> f64| {
            check_values(&(0..480).map(|n| value(f64::from(n))).collect::<Vec<_>>())
        };
        assert!(size(|_| 21.5) <= 13);
        assert!(size(|n| n * 15.0) < 64, "a steady counter");
        assert!(size(|n| (n / 10.0).sin().mul_add(80.0, 215.0).round() / 10.0) < 420, "tenths");
        assert!(size(|n| if n == 479.0 { STALE_MARKER } else { n / 100.0 }) < 80, "an end");
    }

    #[test]
    fn damage_is_noticed() {
        let values: Vec<f64> = (0..480).map(|n| f64::from(n) / 10.0).collect();
        let bytes = encode_values(&values).unwrap();
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            let read = decode_values(&damaged, values.len());
            assert!(matches!(read, Err(ColumnError::Checksum)), "byte {index}");
        }
        assert!(decode_values(&[], 3).is_err());
        let newer = seal(vec![99]);
        assert!(matches!(decode_values(&newer, 3), Err(ColumnError::Kind(99))));
    }

    proptest! {
        #[test]
        fn any_values_come_back(bits in prop::collection::vec(any::<u64>(), 1..200)) {
            check_values(&bits.into_iter().map(f64::from_bits).collect::<Vec<_>>());
        }

        #[test]
        fn any_decimals_come_back(
            scaled in prop::collection::vec(any::<i32>(), 1..200), exponent in 0..12,
        ) {
            let scale = 10_f64.powi(exponent);
            check_values(&scaled.into_iter().map(|n| f64::from(n) / scale).collect::<Vec<_>>());
        }

        #[test]
        fn any_times_come_back(steps in prop::collection::vec(1..100_000_i64, 1..200)) {
            let mut now = 1_700_000_000_000;
            let times: Vec<i64> = steps.into_iter().map(|step| { now += step; now }).collect();
            prop_assert_eq!(decode_times(&encode_times(&times).unwrap()).unwrap(), times);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 1..100_usize) {
            let sealed = seal(bytes);
            let _ = decode_values(&sealed, count);
            let _ = decode_times(&sealed);
        }
    }
}
