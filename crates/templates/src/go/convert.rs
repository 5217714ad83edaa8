//! Texts into numbers, and texts into other texts.

use std::fmt::Write;

use super::quote::is_printable;
use super::value::Value;

/// Returns a number, or that which a text is.
///
/// # Errors
/// It is neither.
///
/// Source: Prometheus, `template.go`, `convertToFloat`; Go, `strconv.ParseFloat`.
pub(super) fn number(value: &Value<'_>) -> Result<f64, String> {
    match value {
        Value::Float(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Text(text) => {
            let is_signed_nan = text.starts_with(['+', '-']) && text.ends_with(['n', 'N']);
            let parsed = text.parse::<f64>().ok().filter(|_| !is_signed_nan);
            let parsed = parsed.ok_or_else(|| format!("{text:?} is no number"))?;
            // Rust takes what is too large for infinite.
            if parsed.is_infinite() && text.contains(|digit: char| digit.is_ascii_digit()) {
                return Err(format!("{text:?} is too large a number"));
            }
            Ok(parsed)
        }
        other => Err(format!("a {} is no number", other.type_name())),
    }
}

/// Returns how many seconds a duration as `1h30m` has.
///
/// # Errors
/// It is none, or does not fit into 64 bits of nanoseconds.
///
/// Source: Prometheus, `model.ParseDuration`.
pub(super) fn duration_s(written: &str) -> Result<f64, String> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 31_536_000_000),
        ("w", 604_800_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    if written == "0" {
        return Ok(0.0);
    }
    let bad = || format!("{written:?} is no duration; one is written as 1h30m");
    let too_long = || format!("the duration {written:?} is too long");
    let (mut total_ms, mut rest, mut units) = (0_i64, written, UNITS.as_slice());
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&digits| 0 < digits);
        let (count, after) = rest.split_at(digits.ok_or_else(bad)?);
        let letters = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (name, after) = after.split_at(letters);
        let place = units.iter().position(|(unit, _)| *unit == name).ok_or_else(bad)?;
        let part = count.parse::<i64>().ok().and_then(|count| count.checked_mul(units[place].1));
        let total = part.and_then(|part| total_ms.checked_add(part)).ok_or_else(too_long)?;
        (total_ms, rest, units) = (total, after, &units[place + 1..]);
    }
    let total_ns = total_ms.checked_mul(1_000_000).ok_or_else(too_long)?;
    Ok(total_ns as f64 / 1e9)
}

/// Makes the first letter of each word large.
///
/// Source: Go, `strings.Title`.
pub(super) fn title(text: &str) -> String {
    let mut is_start = true;
    let raise = |character: char| {
        let raised = if is_start { upper_of(character) } else { character };
        is_start = !(character.is_alphanumeric() || character == '_')
            && (character.is_ascii() || character.is_whitespace());
        raised
    };
    text.chars().map(raise).collect()
}

/// Makes all letters large, each for itself.
pub(super) fn upper(text: &str) -> String {
    text.chars().map(upper_of).collect()
}

/// Makes all letters small, each for itself.
pub(super) fn lower(text: &str) -> String {
    let lower_of = |character: char| only(character.to_lowercase()).unwrap_or(character);
    text.chars().map(lower_of).collect()
}

fn upper_of(character: char) -> char {
    only(character.to_uppercase()).unwrap_or(character)
}

/// Go maps one character to one, and leaves alone what would become more.
fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next();
    if characters.next().is_none() { first } else { None }
}

/// Escapes for HTML. Source: Go, `text/template`, `HTMLEscape`.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(character),
        }
    }
    out
}

/// Escapes for JavaScript. Source: Go, `text/template`, `JSEscape`.
pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => out.extend(['\\', character]),
            '<' | '>' | '&' | '=' | '\0'..' ' => push_unicode(&mut out, character),
            _ if character.is_ascii() || is_printable(character) => out.push(character),
            _ => push_unicode(&mut out, character),
        }
    }
    out
}

fn push_unicode(out: &mut String, character: char) {
    // Writing into a text cannot fail.
    let _ = write!(out, "\\u{:04X}", u32::from(character));
}

/// Escapes for the query of a URL. Source: Go, `net/url`, `QueryEscape`.
pub(super) fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
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
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn numbers_are_read_from_texts() {
        check_number("1e3", Some(1000.0));
        check_number(" 1", None);
        check_number("+Inf", Some(f64::INFINITY));
        check_number("1e999", None);
        check_number("-nan", None);
        check_number("", None);
    }

    #[track_caller]
    fn check_number(text: &str, expected: Option<f64>) {
        assert_eq!(number(&Value::Text(Cow::Borrowed(text))).ok(), expected, "{text:?}");
    }

    #[test]
    fn durations_have_their_units_in_order() {
        check_duration("1h30m", Some(5400.0));
        check_duration("1y1w1d1h1m1s1ms", Some(32_230_861.001));
        check_duration("0", Some(0.0));
        check_duration("250ms", Some(0.25));
        check_duration("", None);
        check_duration("30m1h", None);
        check_duration("1m1m", None);
        check_duration("1.5h", None);
        check_duration("-1h", None);
        check_duration("1", None);
        check_duration("300y", None);
    }

    #[track_caller]
    fn check_duration(written: &str, expected_s: Option<f64>) {
        assert_eq!(duration_s(written).ok(), expected_s, "{written:?}");
    }
}
