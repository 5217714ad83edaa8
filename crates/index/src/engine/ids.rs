//! Identifiers that are made here: of indices, and of documents that came without one.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

/// Returns the uuid of a new index: 22 characters of URL-safe base64.
pub(crate) fn new_uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    // A first character that no shell takes for an option.
    bytes[0] &= 0x7f;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Makes ids of documents: 20 URL-safe characters that differ from each other in the last ones, so
/// that a dictionary of them is small.
///
/// An id is the second in which the first one was made, five bytes of chance, and a count. Those
/// of another process differ by its chance.
#[derive(Debug, Default)]
pub(crate) struct DocumentIds {
    prefix: OnceLock<[u8; 9]>,
    count: AtomicU64,
}

impl DocumentIds {
    pub(crate) fn next(&self, now: Timestamp) -> String {
        let prefix = self.prefix.get_or_init(|| new_prefix(now));
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 15];
        bytes[..9].copy_from_slice(prefix);
        bytes[9..].copy_from_slice(&count.to_be_bytes()[2..]);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn new_prefix(now: Timestamp) -> [u8; 9] {
    let chance: [u8; 5] = rand::random();
    let second = now.as_second().to_be_bytes();
    let mut prefix = [0; 9];
    prefix[..4].copy_from_slice(&second[4..]);
    prefix[4..].copy_from_slice(&chance);
    prefix
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_have_twenty_characters_and_are_all_different() {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let makers = [DocumentIds::default(), DocumentIds::default()];
        let mut seen = BTreeSet::new();
        for maker in &makers {
            for _ in 0..1_000 {
                let id = maker.next(now);
                assert_eq!(id.len(), 20);
                assert!(
                    id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
                );
                assert!(seen.insert(id));
            }
        }
    }

    #[test]
    fn uuids_have_22_characters_and_do_not_begin_with_a_dash() {
        for _ in 0..200 {
            let uuid = new_uuid();
            assert_eq!(uuid.len(), 22);
            assert!(!uuid.starts_with(['-', '_']));
        }
    }
}
