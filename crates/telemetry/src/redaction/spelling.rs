//! The spellings of a secret: what the encodings of URLs, headers and logs make of it.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Returns every spelling of `secret` but the percent-encoded ones, the plain one first.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned()];
    let escaped = escaped_as_json(secret);
    spellings.push(escaped.replace('/', "\\/"));
    // A JSON text inside a JSON text, as when a logged body echoes a request.
    spellings.push(escaped_as_json(&escaped));
    spellings.push(escaped);
    spellings.push(without_quotes(&format!("{secret:?}")));
    spellings.extend((0..3).flat_map(|offset| in_base64(secret, offset)));
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

fn escaped_as_json(secret: &str) -> String {
    without_quotes(&serde_json::Value::from(secret).to_string())
}

fn without_quotes(quoted: &str) -> String {
    quoted[1..quoted.len() - 1].to_owned()
}

/// Returns the letters that stand for `secret` alone when `offset` bytes (modulo 3) precede it.
///
/// Base64 turns three bytes into four letters, so the first and the last letters may depend on
/// the neighbours; those are left out.
fn in_base64(secret: &str, offset: usize) -> Vec<String> {
    let shifted = [&vec![0; offset], secret.as_bytes()].concat();
    let letters_of_whole = (shifted.len() * 8) / 6;
    let own = (offset * 8).div_ceil(6)..letters_of_whole;
    [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)]
        .into_iter()
        .filter_map(|encoded| encoded.get(own.clone()).map(str::to_owned))
        .filter(|letters| !letters.is_empty())
        .collect()
}

/// Finds the secrets of `plain` in percent-encoded `text`, whichever characters were encoded.
///
/// A `+` is read as a space too, as forms write it.
pub(super) fn percent_encoded(plain: &AhoCorasick, text: &str) -> Vec<Range<usize>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut decoded_form = Vec::with_capacity(text.len());
    let mut starts = Vec::with_capacity(text.len() + 1);
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        starts.push(text.len() - rest.len());
        let byte = encoded_byte(rest);
        decoded.push(byte.unwrap_or(*first));
        decoded_form.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &rest[3..] } else { tail };
    }
    starts.push(text.len());
    [decoded, decoded_form]
        .iter()
        .flat_map(|view| plain.find_iter(view))
        .map(|hit| starts[hit.start()]..starts[hit.end()])
        .collect()
}

/// Reads `%2F` at the beginning of `text` as the byte `/`; `None` when there is no such triple.
fn encoded_byte(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}
