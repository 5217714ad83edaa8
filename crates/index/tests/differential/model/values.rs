//! What a field holds in a document.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::dates;
use crate::documents::Document;

/// What the values of a field are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Text,
    /// Longer values than this are not searched.
    Keyword(usize),
    Long,
    Double,
    Boolean,
    Date,
    Ip,
}

/// One value, as it is compared: dates are milliseconds, booleans 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Number(f64),
    Address(u128),
    Word(String),
}

impl Datum {
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Address(one), Self::Address(other)) => one.cmp(other),
            (Self::Word(one), Self::Word(other)) => one.cmp(other),
            _ => panic!("{self:?} and {other:?} are of one field"),
        }
    }
}

/// Returns what the values of a field are; `None` when there is no such field.
pub(crate) fn kind(field: &str) -> Option<Kind> {
    Some(match field {
        "message" | "title" | "level" | "place.note" => Kind::Text,
        "code" => Kind::Keyword(4),
        "level.keyword" | "station" | "place.name" => Kind::Keyword(usize::MAX),
        "count" | "unique" | "place.floor" => Kind::Long,
        "temp" => Kind::Double,
        "ok" => Kind::Boolean,
        "at" => Kind::Date,
        "ip" => Kind::Ip,
        _ => return None,
    })
}

/// Returns the values under a path, through lists and objects, `null` left out.
pub(crate) fn raw<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let (path, is_subfield) = match path.strip_suffix(".keyword") {
        Some(path) => (path, true),
        None => (path, false),
    };
    let mut found = Vec::new();
    walk(value, path, &mut found);
    found.retain(|it| !it.is_null() && (!is_subfield || !it.is_object()));
    found
}

fn walk<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| walk(value, path, found)),
        Value::Object(_) if path.is_empty() => found.push(value),
        Value::Object(members) => {
            for (name, value) in members {
                match path.strip_prefix(name.as_str()) {
                    Some("") => walk(value, "", found),
                    Some(rest) if rest.starts_with('.') => walk(value, &rest[1..], found),
                    _ => {}
                }
            }
        }
        value if path.is_empty() => found.push(value),
        _ => {}
    }
}

fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads an address; those of four bytes lie among those of sixteen.
pub(crate) fn address(text: &str) -> u128 {
    match text.parse::<IpAddr>().unwrap() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Writes an address.
pub(crate) fn address_text(bits: u128) -> String {
    let address = std::net::Ipv6Addr::from_bits(bits);
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |it| it.to_string())
}

/// Returns the values of a field as columns hold them: numbers each time, other values once.
pub(crate) fn data(document: &Document, field: &str) -> Vec<Datum> {
    let Some(kind) = kind(field) else { return Vec::new() };
    let mut found: Vec<Datum> =
        raw(&document.source, field).into_iter().filter_map(|value| datum(kind, value)).collect();
    found.sort_by(Datum::compare);
    if matches!(kind, Kind::Keyword(_) | Kind::Ip) {
        found.dedup();
    }
    found
}

/// Reads a value of a document or of a request.
pub(crate) fn datum(kind: Kind, value: &Value) -> Option<Datum> {
    let number = || match value {
        Value::String(text) => text.parse().unwrap(),
        number => number.as_f64().unwrap(),
    };
    Some(match kind {
        Kind::Text => panic!("a text has words"),
        Kind::Keyword(longest) => {
            let word = spelled(value);
            return (word.chars().count() <= longest).then_some(Datum::Word(word));
        }
        // Whole numbers have one zero.
        Kind::Long => Datum::Number(number().trunc() + 0.0),
        Kind::Double => Datum::Number(number()),
        Kind::Boolean => Datum::Number(f64::from(u8::from(spelled(value) == "true"))),
        Kind::Date => Datum::Number(dates::read(value, None, &TimeZone::UTC, false) as f64),
        Kind::Ip => Datum::Address(address(value.as_str().unwrap())),
    })
}

/// Returns the words of a text with their places.
pub(crate) fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.to_ascii_lowercase().chars().collect();
    let class = |at: usize| letters.get(at).copied().unwrap_or(' ');
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for at in 0..=letters.len() {
        let letter = class(at);
        let (before, after) = (class(at.wrapping_sub(1)), class(at + 1));
        let both = |is: fn(&char) -> bool| is(&before) && is(&after);
        let joins = match letter {
            '.' => both(char::is_ascii_alphabetic) || both(char::is_ascii_digit),
            '\'' => both(char::is_ascii_alphabetic),
            letter => letter.is_ascii_alphanumeric() || letter == '_',
        };
        if joins {
            word.push(letter);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words
}

/// Returns the words of a field, one list for each value.
pub(crate) fn texts(document: &Document, field: &str) -> Vec<Vec<String>> {
    raw(&document.source, field).into_iter().map(|value| words(&spelled(value))).collect()
}

/// Returns what queries for single terms look at: words of texts, values of everything else.
pub(crate) fn terms(document: &Document, field: &str) -> Vec<Datum> {
    match kind(field) {
        Some(Kind::Text) => texts(document, field).concat().into_iter().map(Datum::Word).collect(),
        _ => data(document, field),
    }
}
