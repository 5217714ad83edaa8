//! How a webhook proves who sent it.

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::hmac;

/// The header that carries a signature.
pub const SIGNATURE_HEADER: &str = "X-Pampero-Signature";

/// Signs a body: `t=<seconds since 1970>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`.
///
/// The receiver computes the same over what it got, compares in constant time, and refuses times that are
/// long past, so that nobody can send an old message again.
pub fn sign(secret: &[u8], at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(seconds.to_string().as_bytes());
    context.update(b".");
    context.update(body);
    let mut header = format!("t={seconds},v1=");
    for byte in context.sign().as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_what_other_programs_compute() {
        // printf '%s' '1790000000.{"text":"14 errors"}' | openssl dgst -sha256 -hmac 'whsec_test'
        let at = Timestamp::from_second(1_790_000_000).expect("an instant");
        let header = sign(b"whsec_test", at, br#"{"text":"14 errors"}"#);
        assert_eq!(
            header,
            "t=1790000000,v1=f11ee03e43e53c66a660b7692680446a8ad875efa1de54d6e60fcab7d0690407"
        );
    }

    #[test]
    fn key_time_and_body_all_count() {
        let at = |seconds| Timestamp::from_second(seconds).expect("an instant");
        let first = sign(b"key", at(10), b"body");
        assert_ne!(first, sign(b"kez", at(10), b"body"));
        assert_ne!(first[5..], sign(b"key", at(11), b"body")[5..]);
        assert_ne!(first, sign(b"key", at(10), b"bodz"));
    }
}
