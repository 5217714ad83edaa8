//! Texts in quotes, as Go writes and reads them.
//!
//! Source: Go, `strconv.Quote` and `strconv.Unquote`.

use std::fmt::Write;

/// Returns the length of the quoted text that `rest` begins with; `None` if it is not closed.
pub(super) fn length(rest: &str, mark: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == mark => return Some(at + 1),
            '\n' if mark != '`' => return None,
            '\\' if mark != '`' => {
                characters.next().filter(|(_, escaped)| *escaped != '\n')?;
            }
            _ => {}
        }
    }
    None
}

/// Returns what stands between two quotes, with its escapes read.
///
/// # Errors
/// An escape is not understood, or the bytes that escapes give are no UTF-8.
pub(super) fn unquote(inside: &str, mark: char) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first != '\\' {
            bytes.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let sign = rest.chars().next().unwrap_or('\\');
        let bad = || format!("the escape \\{sign} is not understood");
        rest = &rest[sign.len_utf8()..];
        let number = |rest: &str, digits: usize, radix: u32| {
            let written = rest.get(..digits).filter(|written| !written.starts_with(['+', '-']));
            written.and_then(|written| u32::from_str_radix(written, radix).ok()).ok_or_else(bad)
        };
        match sign {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            '\'' | '"' if sign == mark => bytes.push(sign as u8),
            'x' => {
                bytes.push(number(rest, 2, 16)? as u8);
                rest = &rest[2..];
            }
            'u' | 'U' => {
                let digits = if sign == 'u' { 4 } else { 8 };
                let character = char::from_u32(number(rest, digits, 16)?).ok_or_else(bad)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[digits..];
            }
            '0'..='7' => {
                let octal = &inside[inside.len() - rest.len() - 1..];
                bytes.push(u8::try_from(number(octal, 3, 8)?).map_err(|_| bad())?);
                rest = &octal[3..];
            }
            _ => return Err(bad()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the escapes of a text give no UTF-8".to_owned())
}

/// Writes a text in quotes; with `is_ascii`, escapes everything that is not ASCII.
pub(super) fn quote(text: &str, mark: char, is_ascii: bool) -> String {
    let mut out = String::from(mark);
    for character in text.chars() {
        match character {
            _ if character == mark || character == '\\' => out.extend(['\\', character]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ' '..='~' => out.push(character),
            _ if !is_ascii && is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                let _ = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(mark);
    out
}

/// Returns whether a character is written as it is: no control character, and no space but ` `.
///
/// Rust's debug form of a text knows what can be printed, as Go's `IsPrint` does; it stands behind a letter
/// because a mark that combines with nothing would be escaped.
pub(super) fn is_printable(character: char) -> bool {
    let text = String::from_iter(['a', character]);
    text.escape_debug().count() == 2 || matches!(character, '"' | '\'' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        check(r#"a\"b\\c\t"#, '"', Ok("a\"b\\c\t"));
        check(r"\x41\101\u00e9\U0001F600", '"', Ok("AAé😀"));
        check(r"\xc3\xa9", '"', Ok("é"));
        check(r"\xff", '"', Err("the escapes of a text give no UTF-8"));
        check(r"\'", '"', Err("the escape \\' is not understood"));
        check(r"\'", '\'', Ok("'"));
        check(r"\d", '"', Err("the escape \\d is not understood"));
        check(r"\x+1", '"', Err("the escape \\x is not understood"));
        check(r"\u12", '"', Err("the escape \\u is not understood"));
        check(r"\400", '"', Err("the escape \\4 is not understood"));
        check("\\uD800", '"', Err("the escape \\u is not understood"));
    }

    #[track_caller]
    fn check(inside: &str, mark: char, expected: Result<&str, &str>) {
        let read = unquote(inside, mark);
        let read = read.as_deref().map_err(String::as_str);
        assert_eq!(read, expected, "{inside}");
    }

    #[test]
    fn what_cannot_be_printed_is_escaped() {
        assert_eq!(quote("a\"\\\n\u{1}é\u{a0}😀", '"', false), r#""a\"\\\n\x01é\u00a0😀""#);
        assert_eq!(quote("é😀", '"', true), r#""\u00e9\U0001f600""#);
        assert_eq!(quote("e\u{301}\u{200b}", '"', false), "\"e\u{301}\\u200b\"");
        assert_eq!(quote("'", '\'', false), r"'\''");
    }
}
