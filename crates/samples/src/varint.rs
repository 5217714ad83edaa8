//! Whole numbers in few bytes: seven bits in each, the lowest first.

/// The end of what is kept came too early, or a number is longer than 64 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it ends too early or holds a number that is too long")]
pub(crate) struct Truncated;

/// Appends a number.
pub(crate) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a number with a sign, small ones of either sign in few bytes.
pub(crate) fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)) as u64);
}

/// Takes a number from the front.
pub(crate) fn take(bytes: &mut &[u8]) -> Result<u64, Truncated> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_byte(bytes)?;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(Truncated);
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Truncated)
}

/// Takes a number with a sign from the front.
pub(crate) fn take_signed(bytes: &mut &[u8]) -> Result<i64, Truncated> {
    take(bytes).map(|number| (number >> 1) as i64 ^ -((number & 1) as i64))
}

/// Takes one byte from the front.
pub(crate) fn take_byte(bytes: &mut &[u8]) -> Result<u8, Truncated> {
    let (&first, rest) = bytes.split_first().ok_or(Truncated)?;
    *bytes = rest;
    Ok(first)
}

/// Takes so many bytes from the front.
pub(crate) fn take_slice<'b>(bytes: &mut &'b [u8], count: usize) -> Result<&'b [u8], Truncated> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(Truncated)?;
    *bytes = rest;
    Ok(taken)
}

/// Takes eight bytes from the front, the lowest first.
pub(crate) fn take_u64(bytes: &mut &[u8]) -> Result<u64, Truncated> {
    let (taken, rest) = bytes.split_first_chunk::<8>().ok_or(Truncated)?;
    *bytes = rest;
    Ok(u64::from_le_bytes(*taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, -1, 63, -64, 64, 1 << 40, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            put_signed(&mut bytes, number);
            put(&mut bytes, number as u64);
            let mut rest = &*bytes;
            assert_eq!(take_signed(&mut rest), Ok(number));
            assert_eq!(take(&mut rest), Ok(number as u64));
            assert!(rest.is_empty());
            assert_eq!(take_signed(&mut &bytes[..0]), Err(Truncated));
        }
        assert_eq!(take(&mut &[0xff; 9][..]), Err(Truncated));
        assert_eq!(take(&mut &[0xff; 10][..]), Err(Truncated));
    }
}
