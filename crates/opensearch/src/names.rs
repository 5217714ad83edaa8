//! Names of indices and aliases, patterns over them, and names that are worked out from the date.
//!
//! Which indices an expression means is decided where the indices are known; here are the rules that
//! need nothing but the text.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::date::{DateContext, DateFormat, Rounding, read_zone};
use crate::{Exception, ExceptionKind};

/// Most bytes of the name of an index or alias.
pub const NAME_BYTES_MAX: usize = 255;

/// Characters that no name may have, in the order in which OpenSearch lists them.
const FORBIDDEN: [char; 10] = [' ', '"', '*', '\\', '<', '|', ',', '>', '/', '?'];

/// Format of dates in names that do not say another.
const DATE_FORMAT: &str = "yyyy.MM.dd";

/// Checks that an index may have this name.
///
/// # Errors
/// `invalid_index_name_exception` with the rule that is broken.
pub fn check_index_name(name: &str) -> Result<(), Exception> {
    let broken = broken_rule(name).or_else(|| {
        let upper = name.chars().any(|character| character.to_lowercase().ne([character]));
        upper.then(|| "must be lowercase".to_owned())
    });
    match broken {
        Some(rule) => Err(invalid_index_name(name, &rule)),
        None => Ok(()),
    }
}

/// Makes the refusal of a name for an index.
pub fn invalid_index_name(name: &str, rule: &str) -> Exception {
    let reason = format!("Invalid index name [{name}], {rule}");
    Exception::new(ExceptionKind::InvalidIndexName, reason).in_index(name, "_na_")
}

/// Checks that an alias may have this name; capital letters are allowed in aliases.
///
/// # Errors
/// `invalid_alias_name_exception` with the rule that is broken.
pub fn check_alias_name(name: &str) -> Result<(), Exception> {
    match broken_rule(name) {
        Some(rule) => Err(Exception::new(
            ExceptionKind::InvalidAliasName,
            format!("Invalid alias name [{name}]: {rule}"),
        )),
        None => Ok(()),
    }
}

/// Returns the first rule for names of both kinds that a name breaks, in OpenSearch's words.
fn broken_rule(name: &str) -> Option<String> {
    let is_forbidden = |character: char| FORBIDDEN.contains(&character) || character.is_control();
    if name.is_empty() {
        Some("must not be empty".to_owned())
    } else if name.contains(is_forbidden) {
        let list: Vec<String> = FORBIDDEN.iter().map(char::to_string).collect();
        Some(format!("must not contain the following characters [{}]", list.join(", ")))
    } else if name.contains('#') {
        Some("must not contain '#'".to_owned())
    } else if name.contains(':') {
        Some("must not contain ':'".to_owned())
    } else if name.starts_with(['_', '-', '+']) {
        Some("must not start with '_', '-', or '+'".to_owned())
    } else if name.len() > NAME_BYTES_MAX {
        Some(format!("index name is too long, ({} > {NAME_BYTES_MAX})", name.len()))
    } else if name == "." || name == ".." {
        Some("must not be '.' or '..'".to_owned())
    } else {
        None
    }
}

/// Tells whether a text is a pattern, which may match any number of names.
pub fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Tells whether a name matches a pattern in which `*` stands for any run of characters.
///
/// Takes no more than the product of both lengths, whatever the pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(byte) if *byte == name[from] => {
                at += 1;
                from += 1;
            }
            // The last star takes one byte more.
            _ => match &mut star {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, from) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Tells whether there is a name that both patterns match.
pub fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // Whether what is left of `one` and of `other` from these places on has a name in common.
    let width = other.len() + 1;
    let mut common = vec![false; (one.len() + 1) * width];
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            common[i * width + j] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(b'*'), None) => common[(i + 1) * width + j],
                (None, Some(b'*')) => common[i * width + j + 1],
                (Some(b'*'), Some(_)) | (Some(_), Some(b'*')) => {
                    common[(i + 1) * width + j] || common[i * width + j + 1]
                }
                (Some(a), Some(b)) => a == b && common[(i + 1) * width + j + 1],
                _ => false,
            };
        }
    }
    common[0]
}

/// Returns the parts of an expression, with dates in `<…>` worked out; no part means all.
///
/// # Errors
/// `parse_exception`: a date in a name cannot be read.
pub fn parts(expression: &str, now: Timestamp) -> Result<Vec<String>, Exception> {
    let parts = expression.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| resolve_date_math(part, now)).collect()
}

/// Works out the dates of a name such as `<weather_logs-{now/d}>`; other names stay as they are.
///
/// A place in braces has date math, and after it, in braces of its own, a format and a zone if
/// wished: `<x-{now/M{yyyy.MM|+02:00}}>`. A `\` takes the meaning from the character behind it.
///
/// Source: OpenSearch, date math support in index names.
///
/// # Errors
/// `parse_exception`.
pub fn resolve_date_math(name: &str, now: Timestamp) -> Result<String, Exception> {
    let (sign, inner) = match name.strip_prefix('-') {
        Some(excluded) => ("-", excluded),
        None => ("", name),
    };
    let Some(inner) = inner.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')) else {
        return Ok(name.to_owned());
    };
    let mut resolved = sign.to_owned();
    let mut rest = inner.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => resolved.push(
                rest.next().ok_or_else(|| date_math(name, "it ends with an escape character"))?,
            ),
            '{' => {
                let placeholder = take_placeholder(name, &mut rest)?;
                resolved.push_str(&evaluate_placeholder(name, &placeholder, now)?);
            }
            '}' => return Err(date_math(name, "there is a `}` without its `{`")),
            other => resolved.push(other),
        }
    }
    if resolved == sign {
        return Err(date_math(name, "nothing captured"));
    }
    Ok(resolved)
}

/// Takes what stands before the brace that closes a place.
fn take_placeholder(name: &str, rest: &mut std::str::Chars<'_>) -> Result<String, Exception> {
    let mut placeholder = String::new();
    let mut depth = 1;
    for character in rest {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(placeholder);
        }
        if depth > 2 {
            return Err(date_math(name, "braces are nested too deep"));
        }
        placeholder.push(character);
    }
    Err(date_math(name, "date math placeholder is open ended"))
}

/// Works out `now/d` or `now/M{yyyy.MM|+02:00}`.
fn evaluate_placeholder(name: &str, text: &str, now: Timestamp) -> Result<String, Exception> {
    let (math, format, zone) = match text.split_once('{') {
        None => (text, DATE_FORMAT, None),
        Some((math, inner)) => {
            let inner = inner
                .strip_suffix('}')
                .ok_or_else(|| date_math(name, "missing closing `}` for date math format"))?;
            match inner.split_once('|') {
                Some((format, zone)) => (math, format, Some(zone)),
                None => (math, inner, None),
            }
        }
    };
    if format.is_empty() {
        return Err(date_math(name, "missing date format"));
    }
    let zone = match zone {
        None => TimeZone::UTC,
        Some("") => return Err(date_math(name, "missing timezone")),
        Some(zone) => read_zone(zone)?,
    };
    let context = DateContext { now, zone: zone.clone() };
    let instant = DateFormat::default_date().evaluate(math, Rounding::Down, &context)?;
    Ok(DateFormat::new(format)?.write(instant, &zone))
}

fn date_math(name: &str, what: &str) -> Exception {
    Exception::new(
        ExceptionKind::Parse,
        format!("invalid dynamic name expression [{name}]. {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_name(name: &str, index: Option<&str>, alias: Option<&str>) {
        let refused = check_index_name(name).err();
        let expected = index.map(|rule| format!("Invalid index name [{name}], {rule}"));
        assert_eq!(refused.as_ref().map(Exception::reason), expected.as_deref());
        let refused = check_alias_name(name).err();
        let expected = alias.map(|rule| format!("Invalid alias name [{name}]: {rule}"));
        assert_eq!(refused.as_ref().map(Exception::reason), expected.as_deref());
    }

    #[test]
    fn names_follow_the_rules_of_opensearch() {
        let characters =
            Some("must not contain the following characters [ , \", *, \\, <, |, ,, >, /, ?]");
        let start = Some("must not start with '_', '-', or '+'");
        check_name("weather_logs-2026.11.24", None, None);
        check_name(".kibana_1", None, None);
        check_name("é", None, None);
        check_name("Logs", Some("must be lowercase"), None);
        check_name("É", Some("must be lowercase"), None);
        for name in ["a b", "a*", "a,b", "a/b", "a?", "<a>", "a|b", "a\\b", "a\"b", "a\nb"] {
            check_name(name, characters, characters);
        }
        check_name("a#b", Some("must not contain '#'"), Some("must not contain '#'"));
        check_name("a:b", Some("must not contain ':'"), Some("must not contain ':'"));
        for name in ["_foo", "-foo", "+foo"] {
            check_name(name, start, start);
        }
        let dots = Some("must not be '.' or '..'");
        check_name(".", dots, dots);
        check_name("..", dots, dots);
        check_name("...", None, None);
        check_name(&"a".repeat(255), None, None);
        let long = Some("index name is too long, (256 > 255)");
        check_name(&"é".repeat(128), long, long);
        check_name("", Some("must not be empty"), Some("must not be empty"));
    }

    #[test]
    fn a_refused_name_is_in_the_metadata() {
        let refused = check_index_name("_foo").unwrap_err();
        assert_eq!(refused.metadata()["index"], "_foo");
        assert_eq!(refused.metadata()["index_uuid"], "_na_");
    }

    #[track_caller]
    fn check_match(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches(pattern, name), expected, "{pattern} over {name}");
    }

    #[test]
    fn a_star_stands_for_any_run() {
        check_match("*", "", true);
        check_match("*", "abc", true);
        check_match("a*", "abc", true);
        check_match("a*", "ba", false);
        check_match("*c", "abc", true);
        check_match("*b*", "abc", true);
        check_match("a*c*e", "abcde", true);
        check_match("a*c*e", "abcd", false);
        check_match("a**e", "abcde", true);
        check_match("abc", "abc", true);
        check_match("abc", "abcd", false);
        check_match("", "", true);
        check_match("", "a", false);
        check_match("*-01*", "logs-02-01", true);
        check_match("é*", "écoute", true);
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_quickly() {
        let pattern = "*a".repeat(2000) + "b";
        assert!(!matches(&pattern, &"a".repeat(8000)));
    }

    #[track_caller]
    fn check_overlap(one: &str, other: &str, expected: bool) {
        assert_eq!(overlap(one, other), expected, "{one} and {other}");
        assert_eq!(overlap(other, one), expected, "{other} and {one}");
    }

    #[test]
    fn patterns_overlap_when_a_name_matches_both() {
        check_overlap("a*", "ab*", true);
        check_overlap("a*", "b*", false);
        check_overlap("a*c", "*b", false);
        check_overlap("a*", "*b", true);
        check_overlap("logs-*-1", "logs-a*", true);
        check_overlap("abc", "abc", true);
        check_overlap("abc", "abd", false);
        check_overlap("*", "", true);
    }

    #[track_caller]
    fn check_date(name: &str, expected: Result<&str, &str>) {
        let now = "2026-11-24T22:30:00Z".parse().unwrap();
        let resolved = resolve_date_math(name, now);
        let resolved = resolved.as_deref().map_err(Exception::reason);
        assert_eq!(resolved, expected, "{name}");
    }

    #[test]
    fn names_are_worked_out_from_the_date() {
        check_date("weather_logs", Ok("weather_logs"));
        check_date("<weather_logs-{now/d}>", Ok("weather_logs-2026.11.24"));
        check_date("-<weather_logs-{now/d}>", Ok("-weather_logs-2026.11.24"));
        check_date("<x-{now/d-1d}-y>", Ok("x-2026.11.23-y"));
        check_date("<x-{now/M{yyyy.MM}}>", Ok("x-2026.11"));
        check_date("<x-{now/d{yyyy.MM.dd|+02:00}}>", Ok("x-2026.11.25"));
        check_date("<x-{now{yyyy.MM.dd|UTC}}*>", Ok("x-2026.11.24*"));
        check_date("<a\\{b\\}>", Ok("a{b}"));
        check_date("<{now/d}>", Ok("2026.11.24"));
        check_date("<>", Err("invalid dynamic name expression [<>]. nothing captured"));
        check_date(
            "<x-{now/d>",
            Err(
                "invalid dynamic name expression [<x-{now/d>]. date math placeholder is open ended",
            ),
        );
        check_date(
            "<x-{now/d{|UTC}}>",
            Err("invalid dynamic name expression [<x-{now/d{|UTC}}>]. missing date format"),
        );
        check_date(
            "<x-{now/d{yyyy|}}>",
            Err("invalid dynamic name expression [<x-{now/d{yyyy|}}>]. missing timezone"),
        );
        check_date(
            "<x}>",
            Err("invalid dynamic name expression [<x}>]. there is a `}` without its `{`"),
        );
    }

    #[test]
    fn an_expression_is_cut_at_commas() {
        let now = "2026-11-24T22:30:00Z".parse().unwrap();
        assert_eq!(parts("a, b,,-c*", now).unwrap(), ["a", "b", "-c*"]);
        assert!(parts("", now).unwrap().is_empty());
    }
}
