//! How characters are written where they could mean something else.

use std::fmt::Write;

use super::Escape;

/// Returns how `text` is written into the template's text.
pub(super) fn escaped(text: &str, escape: Escape) -> String {
    match escape {
        Escape::None => text.to_owned(),
        Escape::Json => json_escaped(text),
    }
}

/// Escapes as inside a JSON string.
///
/// Source: Jackson, `JsonStringEncoder.quoteAsString`, which OpenSearch's encoder calls.
fn json_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out
}

/// Escapes for the query of a URL: a space becomes `+`, and letters, digits and `.-*_` stay.
///
/// Source: Java, `URLEncoder.encode`.
pub(super) fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'.' | b'-' | b'*' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_a_string_cannot_hold() {
        assert_eq!(escaped("a\"b\\c/d", Escape::Json), r#"a\"b\\c/d"#);
        assert_eq!(escaped("\u{8}\t\n\u{c}\r", Escape::Json), r"\b\t\n\f\r");
        assert_eq!(escaped("\0\u{1b}é<&>'", Escape::Json), "\\u0000\\u001Bé<&>'");
        assert_eq!(escaped("a\"\n", Escape::None), "a\"\n");
    }

    #[test]
    fn url_keeps_what_java_keeps() {
        assert_eq!(url_encoded("a b.c-d*e_f~g/é"), "a+b.c-d*e_f%7Eg%2F%C3%A9");
    }
}
