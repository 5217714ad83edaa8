//! The fields of a form or of a query string, written so that any text can stand in them.

use std::fmt::Write;

/// Writes a text so that it can stand in a form.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded() {
        assert_eq!(encode("a{b=~\"x+\"} ä"), "a%7Bb%3D~%22x%2B%22%7D%20%C3%A4");
    }
}
