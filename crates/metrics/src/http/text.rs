//! Text as Go writes it into JSON: what means something in HTML is escaped.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

use super::number;

/// Appends a quoted string.
pub(super) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Appends a value with its fields in the order of their declaration.
pub(super) fn push_value<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let mut serializer = serde_json::Serializer::with_formatter(out, GoFormatter);
    value.serialize(&mut serializer).expect("the shapes of the answers have text as keys");
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
        let is_separator = *byte == 0xe2 && matches!(bytes[at..], [_, 0x80, 0xa8 | 0xa9, ..]);
        let Some(escape) = escape_of(*byte, is_separator) else { continue };
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match escape {
            Escape::Short(letter) => out.extend_from_slice(&[b'\\', letter]),
            Escape::Code => push_code(out, u16::from(*byte)),
            Escape::Separator => {
                push_code(out, 0x2000 + u16::from(bytes[at + 2] - 0x80));
                copied = at + 3;
            }
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

enum Escape {
    Short(u8),
    Code,
    Separator,
}

fn escape_of(byte: u8, is_separator: bool) -> Option<Escape> {
    match byte {
        b'"' | b'\\' => Some(Escape::Short(byte)),
        b'\n' => Some(Escape::Short(b'n')),
        b'\r' => Some(Escape::Short(b'r')),
        b'\t' => Some(Escape::Short(b't')),
        0..0x20 | b'<' | b'>' | b'&' => Some(Escape::Code),
        0xe2 if is_separator => Some(Escape::Separator),
        _ => None,
    }
}

fn push_code(out: &mut Vec<u8>, code: u16) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| DIGITS[usize::from(code >> shift & 15)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// Writes numbers and strings as Go does.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let mut out = Vec::new();
        number::push_json(&mut out, value);
        writer.write_all(&out)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut out = Vec::with_capacity(fragment.len());
        push_escaped(&mut out, fragment);
        writer.write_all(&out)
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let byte = match escape {
            CharEscape::Quote => b'"',
            CharEscape::ReverseSolidus => b'\\',
            CharEscape::Solidus => b'/',
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0c,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(byte) => byte,
        };
        let mut out = Vec::with_capacity(6);
        push_escaped(&mut out, char::from(byte).encode_utf8(&mut [0; 4]));
        writer.write_all(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (mut direct, mut serialized) = (Vec::new(), Vec::new());
        push_string(&mut direct, text);
        push_value(&mut serialized, &text);
        assert_eq!(String::from_utf8(direct).unwrap(), expected);
        assert_eq!(String::from_utf8(serialized).unwrap(), expected);
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        check("", r#""""#);
        check("ñandú", r#""ñandú""#);
        check("a<b>&\"\\", r#""a\u003cb\u003e\u0026\"\\""#);
        check("\n\r\t\u{8}\u{c}\u{1f}\u{7f}", "\"\\n\\r\\t\\u0008\\u000c\\u001f\u{7f}\"");
        check("a\u{2028}b\u{2029}\u{202a}", "\"a\\u2028b\\u2029\u{202a}\"");
    }
}
