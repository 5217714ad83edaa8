//! How a commit is written into the journal: the samples in their order, in few bytes.

use crate::column::{ColumnError, seal, unseal};
use crate::varint::{self, Truncated};

/// A sample as the journal knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The number of the series on disk.
    pub(crate) number: u32,
    pub(crate) timestamp_ms: i64,
    pub(crate) value: f64,
}

/// Says in the first byte that all samples have the same time, which is then written once.
const ONE_TIME: u8 = 1;

/// The step to the next series when it does not fit into half a byte and follows by itself.
const STEP_APART: u8 = 15;

/// Writes samples.
pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let first_ms = entries.first().map_or(0, |entry| entry.timestamp_ms);
    let one_time = entries.iter().all(|entry| entry.timestamp_ms == first_ms);
    let mut bytes = Vec::with_capacity(16 + 8 * entries.len());
    bytes.push(if one_time { ONE_TIME } else { 0 });
    varint::put(&mut bytes, entries.len() as u64);
    varint::put_signed(&mut bytes, first_ms);
    let (mut number, mut time_ms) = (0, first_ms);
    for entry in entries {
        put_number_and_value(&mut bytes, i64::from(entry.number) - number, entry.value);
        if !one_time {
            varint::put_signed(&mut bytes, entry.timestamp_ms.wrapping_sub(time_ms));
        }
        (number, time_ms) = (i64::from(entry.number), entry.timestamp_ms);
    }
    seal(bytes)
}

/// One byte holds the step to the series and the length of the value, whose last bytes are left
/// out when they are zero, as they are in small whole numbers.
fn put_number_and_value(bytes: &mut Vec<u8>, step: i64, value: f64) {
    let bits = value.to_bits();
    let length = 8 - bits.trailing_zeros() as usize / 8;
    let short = u8::try_from(step).ok().filter(|step| *step < STEP_APART);
    bytes.push(short.unwrap_or(STEP_APART) << 4 | length as u8);
    if short.is_none() {
        varint::put_signed(bytes, step);
    }
    bytes.extend(&bits.to_be_bytes()[..length]);
}

/// Reads samples.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, ColumnError> {
    let mut bytes = unseal(bytes)?;
    let one_time = varint::take_byte(&mut bytes)? == ONE_TIME;
    let count = usize::try_from(varint::take(&mut bytes)?).map_err(|_| Truncated)?;
    let mut timestamp_ms = varint::take_signed(&mut bytes)?;
    // Each sample takes a byte at least.
    let mut entries = Vec::with_capacity(count.min(bytes.len()));
    let mut number = 0;
    for _ in 0..count {
        let (step, value) = take_number_and_value(&mut bytes)?;
        number += step;
        if !one_time {
            timestamp_ms = timestamp_ms.wrapping_add(varint::take_signed(&mut bytes)?);
        }
        let number = u32::try_from(number).map_err(|_| Truncated)?;
        entries.push(Entry { number, timestamp_ms, value });
    }
    Ok(entries)
}

fn take_number_and_value(bytes: &mut &[u8]) -> Result<(i64, f64), Truncated> {
    let head = varint::take_byte(bytes)?;
    let step = match head >> 4 {
        STEP_APART => varint::take_signed(bytes)?,
        short => i64::from(short),
    };
    let taken = varint::take_slice(bytes, usize::from(head & 15))?;
    let mut bits = [0; 8];
    bits.get_mut(..taken.len()).ok_or(Truncated)?.copy_from_slice(taken);
    let step_max = i64::from(u32::MAX);
    let possible = (-step_max..=step_max).contains(&step);
    if possible { Ok((step, f64::from_be_bytes(bits))) } else { Err(Truncated) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pampero_series::STALE_MARKER;
    use proptest::prelude::*;

    fn check(entries: &[(u32, i64, f64)]) -> usize {
        let entries: Vec<Entry> = entries
            .iter()
            .map(|&(number, timestamp_ms, value)| Entry { number, timestamp_ms, value })
            .collect();
        let bytes = encode(&entries);
        let read = decode(&bytes).unwrap();
        let plain = |entry: &Entry| (entry.number, entry.timestamp_ms, entry.value.to_bits());
        assert_eq!(
            read.iter().map(plain).collect::<Vec<_>>(),
            entries.iter().map(plain).collect::<Vec<_>>()
        );
        bytes.len()
    }

    #[test]
    fn samples_come_back() {
        check(&[]);
        check(&[(u32::MAX, i64::MIN, STALE_MARKER), (0, i64::MAX, -0.0), (14, 0, f64::MAX)]);
        let scrape: Vec<_> = (0..500).map(|n| (n, 1_700_000_000_000, f64::from(n))).collect();
        assert!(check(&scrape) < 500 * 4);
    }

    proptest! {
        #[test]
        fn any_samples_come_back(
            entries in prop::collection::vec((any::<u32>(), any::<i64>(), any::<f64>()), 0..50),
        ) {
            check(&entries);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&seal(bytes));
        }
    }
}
