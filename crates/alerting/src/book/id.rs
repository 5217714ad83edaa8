//! Ids that follow from what they name, so that the same evaluation after a restart gives the same ones.
//!
//! Another version of the standard library could hash differently; at worst an incident that is open while
//! the program is replaced is then closed by hand.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Digits of ids, which every receiver takes.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many digits an id has, as ids of OpenSearch have.
const LENGTH: usize = 20;

/// Returns an id of 20 letters and digits for what is hashed.
pub(crate) fn of(what: &impl Hash) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, what).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    let mut number = half(1) << 64 | half(2);
    let mut id = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        id.push(char::from(DIGITS[(number % 62) as usize]));
        number /= 62;
    }
    id
}
