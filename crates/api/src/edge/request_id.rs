//! The id of a request: the caller's own when it is a decent one, else ours.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id in and out.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller.
const LENGTH_MAX: usize = 64;

/// Gives every request an id: eight digits drawn at the start of the process, then a count.
pub(crate) struct RequestIds {
    prefix: String,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        // The keys of the standard hasher are drawn at random for each process.
        let drawn = RandomState::new().hash_one(0_u8) as u32;
        Self { prefix: format!("{drawn:08x}-"), next: AtomicU64::new(1) }
    }

    /// Returns the id that came with a request if it is 1 to 64 of letters, digits, `.`, `_`, `-`;
    /// else a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(X_REQUEST_ID) {
            Some(given) if is_decent(given.as_bytes()) => given.clone(),
            _ => self.draw(),
        }
    }

    fn draw(&self) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = BytesMut::with_capacity(self.prefix.len() + 16);
        id.extend_from_slice(self.prefix.as_bytes());
        write!(id, "{number:x}").expect("a buffer in memory takes every text");
        HeaderValue::from_maybe_shared(id.freeze()).expect("hexadecimal digits may be in a header")
    }
}

fn is_decent(id: &[u8]) -> bool {
    let decent = |letter: &u8| letter.is_ascii_alphanumeric() || b"._-".contains(letter);
    (1..=LENGTH_MAX).contains(&id.len()) && id.iter().all(decent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decent_ids_are_kept_and_others_replaced() {
        check("abc-DEF_1.2", true);
        check(&"x".repeat(64), true);
        check(&"x".repeat(65), false);
        check("", false);
        check("a b", false);
        check("a\"b", false);
    }

    #[track_caller]
    fn check(given: &str, kept: bool) {
        let ids = RequestIds::new();
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, given.parse().unwrap());
        assert_eq!(ids.of(&headers) == given, kept, "{given:?}");
    }

    #[test]
    fn drawn_ids_differ() {
        let ids = RequestIds::new();
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
