//! How the labels of a series are written on disk.

use pampero_series::{Labels, LabelsBuilder};

use crate::varint::{self, Truncated};

/// Writes labels.
pub(crate) fn encode(labels: &Labels) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        varint::put(&mut bytes, text.len() as u64);
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Reads labels.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<Labels, Truncated> {
    let mut labels = LabelsBuilder::default();
    while !bytes.is_empty() {
        let name = take_text(&mut bytes)?;
        labels.set(name, take_text(&mut bytes)?);
    }
    Ok(labels.build())
}

fn take_text<'b>(bytes: &mut &'b [u8]) -> Result<&'b str, Truncated> {
    let length = usize::try_from(varint::take(bytes)?).map_err(|_| Truncated)?;
    std::str::from_utf8(varint::take_slice(bytes, length)?).map_err(|_| Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back() {
        for pairs in [&[][..], &[("__name__", "up"), ("a", "Ñandú \"x\"")]] {
            let labels: Labels = pairs.iter().copied().collect();
            let bytes = encode(&labels);
            assert_eq!(decode(&bytes), Ok(labels));
            if !bytes.is_empty() {
                assert_eq!(decode(&bytes[..bytes.len() - 1]), Err(Truncated));
            }
        }
    }
}
