//! Secrets taken out of text, in every spelling in which a library may have put them there.
//!
//! A secret is looked for as it is, percent-encoded, in base64 (also in the middle of a longer
//! encoded text, as in a Basic authorization), and escaped as JSON and Rust's `Debug` do it.

mod spelling;
mod writer;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use secrecy::{ExposeSecret, SecretString};

pub use writer::{MakeRedactingWriter, RedactingWriter};

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Takes the secrets of the configuration out of any text; clones are cheap.
///
/// The default one knows no secret and changes nothing.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Needles>>);

struct Needles {
    /// Finds every spelling but the percent-encoded ones.
    spelled: AhoCorasick,
    /// Finds the secrets as they are, in text whose percent-encoding was taken off.
    plain: AhoCorasick,
}

impl Redactor {
    /// Takes the secrets to look for.
    ///
    /// An empty secret is left out, because it would be found everywhere. A short one is looked
    /// for like any other and may take innocent words with it: the configuration refuses those.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let secrets: Vec<&str> = secrets
            .into_iter()
            .map(|secret| secret.expose_secret())
            .filter(|secret| !secret.is_empty())
            .collect();
        if secrets.is_empty() {
            return Self(None);
        }
        let spelled = searcher(secrets.iter().flat_map(|secret| spelling::of(secret)));
        let plain = searcher(secrets.iter().map(|secret| (*secret).to_owned()));
        Self(Some(Arc::new(Needles { spelled, plain })))
    }

    /// Returns `text` with [`REDACTED`] in the place of each secret.
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(needles) = &self.0 else { return Cow::Borrowed(text) };
        let mut found: Vec<Range<usize>> =
            needles.spelled.find_iter(text).map(|hit| hit.range()).collect();
        if text.contains('%') {
            found.extend(spelling::percent_encoded(&needles.plain, text));
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|range| range.start);
        Cow::Owned(without(text, &found))
    }
}

fn searcher(needles: impl Iterator<Item = String>) -> AhoCorasick {
    // The longest match wins, so that no tail of a secret stays behind when one begins another.
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(needles)
        .expect("a handful of keys is far from the limits of the searcher")
}

/// Replaces `ranges`, which are sorted by their start and may overlap.
fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut kept_to = 0;
    for range in ranges {
        if kept_to <= range.start {
            clean.push_str(&text[kept_to..range.start]);
            clean.push_str(REDACTED);
        }
        kept_to = kept_to.max(range.end);
    }
    clean.push_str(&text[kept_to..]);
    clean
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        let secrets: Vec<SecretString> =
            secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        Redactor::new(&secrets)
    }

    #[track_caller]
    fn check(secret: &str, text: &str, clean: &str) {
        assert_eq!(redactor(&[secret]).redact(text), clean, "{secret:?} in {text:?}");
    }

    #[test]
    fn secret_is_taken_out_as_it_is() {
        check(
            "s3cr3t-key",
            "GET /weather?appid=s3cr3t-key&lat=1",
            "GET /weather?appid=[redacted]&lat=1",
        );
        check("s3cr3t-key", "s3cr3t-keys3cr3t-key", "[redacted][redacted]");
        check("s3cr3t-key", "nothing to hide: 100 %", "nothing to hide: 100 %");
        check("clavé-ñandú", "key clavé-ñandú!", "key [redacted]!");
    }

    #[test]
    fn secret_is_taken_out_of_percent_encoded_text() {
        check("a/b c+d&e", "?key=a%2Fb%20c%2Bd%26e&x=1", "?key=[redacted]&x=1");
        check("a/b c+d&e", "?key=a%2fb%20c%2bd%26e", "?key=[redacted]");
        check("a/b c+d&e", "?key=a%2Fb+c%2Bd%26e", "?key=[redacted]"); // As a form writes it.
        check("a/b c+d&e", "?key=a/b%20c+d&e", "?key=[redacted]"); // Only what a URL must escape.
        check("plainsecret", "?key=%70lainsecret", "?key=[redacted]");
        check("clavé-ñandú", "?key=clav%C3%A9-%C3%B1and%C3%BA;", "?key=[redacted];");
        check("50%percent", "?key=50%25percent and 50%percent", "?key=[redacted] and [redacted]");
        check("plainsecret", "100%, 5%%2, %zz, %", "100%, 5%%2, %zz, %");
    }

    #[test]
    fn secret_is_taken_out_of_base64() {
        use base64::Engine as _;
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        let secret = "s3cr3t?>key~~";
        let redactor = redactor(&[secret]);
        for before in ["", "u", "us", "user:", "user2:"] {
            for after in ["", "!", "!!", "!!!"] {
                let whole = format!("{before}{secret}{after}");
                for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                    let clean = redactor.redact(&encoded).into_owned();
                    let left = clean.replace(REDACTED, "");
                    assert_ne!(clean, encoded, "{whole:?}");
                    // The letters shared with the neighbours stay; they carry at most four bits.
                    let shared = (before.len() + after.len()).div_ceil(3) * 4 + 4;
                    assert!(left.len() <= shared, "{whole:?} leaves {clean}");
                }
            }
        }
    }

    #[test]
    fn secret_is_taken_out_of_escaped_text() {
        let secret = "qu\"ote\\back/slash\té";
        let json = serde_json::to_string(&format!("key {secret}.")).unwrap();
        check(secret, &json, "\"key [redacted].\"");
        check(secret, &format!("{:?}", format!("key {secret}.")), "\"key [redacted].\"");
        check("it's\u{1}secret", &format!("{:?}", "it's\u{1}secret"), "\"[redacted]\"");
        check(secret, &json.replace('/', "\\/"), "\"key [redacted].\"");
        check(secret, &serde_json::to_string(&json).unwrap(), r#""\"key [redacted].\"""#);
    }

    #[test]
    fn overlapping_secrets_leave_no_tail() {
        let both = redactor(&["abcdefgh", "abcdefgh-longer", "longer-still"]);
        assert_eq!(both.redact("x abcdefgh-longer y"), "x [redacted] y");
        assert_eq!(both.redact("x abcdefgh y"), "x [redacted] y");
        let again = redactor(&["abcdefgh", "100%abcdefgh"]);
        assert_eq!(again.redact("x 100%25abcdefgh y"), "x [redacted] y");
    }

    #[test]
    fn redactor_without_secrets_changes_nothing() {
        let text = "all of it %41 stays";
        assert!(matches!(Redactor::default().redact(text), Cow::Borrowed(same) if same == text));
        assert!(matches!(redactor(&[""]).redact(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn redactor_does_not_show_its_secrets() {
        assert_eq!(format!("{:?}", redactor(&["s3cr3t-key"])), "Redactor { .. }");
    }
}
