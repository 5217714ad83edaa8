//! Whether a document matches a query, clause by clause.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::tz::TimeZone;
use regex::Regex;
use serde_json::{Map, Value};

use super::language;
use super::values::{Datum, Kind, address, data, kind, raw, terms, texts, words};
use super::{dates, values};
use crate::documents::Document;

/// Tells whether a document matches a query.
pub(crate) fn matches(document: &Document, query: &Value) -> bool {
    let (clause, body) = query.as_object().unwrap().iter().next().unwrap();
    match clause.as_str() {
        "match_all" => true,
        "match_none" => false,
        "bool" => boolean(document, body),
        "constant_score" => matches(document, &body["filter"]),
        "dis_max" => list(&body["queries"]).iter().any(|it| matches(document, it)),
        "boosting" => matches(document, &body["positive"]),
        "ids" => list(&body["values"]).iter().any(|it| *it == document.id.as_str()),
        "exists" => exists(document, body["field"].as_str().unwrap()),
        "multi_match" => multi_match(document, body),
        "query_string" => language::matches(document, body),
        _ => of_field(document, clause, body),
    }
}

/// Returns the clauses of a key: a list, one clause or none.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    }
}

fn boolean(document: &Document, body: &Value) -> bool {
    let all = |key: &str| list(&body[key]).iter().all(|it| matches(document, it));
    let any = |key: &str| list(&body[key]).iter().any(|it| matches(document, it));
    if !all("must") || !all("filter") || any("must_not") {
        return false;
    }
    let should = list(&body["should"]);
    let found = should.iter().filter(|it| matches(document, it)).count();
    let required = list(&body["must"]).len() + list(&body["filter"]).len();
    let alone = usize::from(required == 0 && !should.is_empty());
    let least = match &body["minimum_should_match"] {
        Value::Null => 0,
        rule => least(should.len(), rule),
    };
    found >= least.max(alone)
}

/// Returns how many of so many clauses have to match by a rule as in `2<75%`.
fn least(count: usize, rule: &Value) -> usize {
    let rule = rule.as_str().map_or_else(|| rule.to_string(), str::to_owned);
    let count = i64::try_from(count).unwrap();
    let simple = |rule: &str| {
        let amount = match rule.strip_suffix('%') {
            Some(percent) => count * percent.parse::<i64>().unwrap() / 100,
            None => rule.parse().unwrap(),
        };
        if rule.starts_with('-') { count + amount } else { amount }
    };
    let mut least = count;
    if rule.contains('<') {
        for step in rule.split(' ') {
            let (above, amount) = step.split_once('<').unwrap();
            if count > above.parse().unwrap() {
                least = simple(amount);
            }
        }
    } else {
        least = simple(&rule);
    }
    usize::try_from(least).unwrap_or(0)
}

/// Tells whether a field, or any below it, has a value.
pub(crate) fn exists(document: &Document, field: &str) -> bool {
    if field == "place" {
        return ["place.name", "place.floor", "place.note"].iter().any(|it| exists(document, it));
    }
    match kind(field) {
        None => matches!(field, "_id" | "_index"),
        Some(Kind::Text) => !raw(&document.source, field).is_empty(),
        Some(_) => !data(document, field).is_empty(),
    }
}

fn multi_match(document: &Document, body: &Value) -> bool {
    let fields = list(&body["fields"]);
    let mut fields = fields.iter().map(|it| it.as_str().unwrap().split('^').next().unwrap());
    let query = body["query"].as_str().unwrap();
    match body["type"].as_str().unwrap_or("best_fields") {
        "phrase" => fields.any(|field| phrase(document, field, query, 0)),
        "cross_fields" => {
            let fields: Vec<&str> = fields.collect();
            let found = |word: &String| {
                fields.iter().any(|it| terms(document, it).contains(&Datum::Word(word.clone())))
            };
            enough(&words(query), body, found)
        }
        _ => fields.any(|field| match_field(document, field, body)),
    }
}

/// Tells whether enough words are found: all, as many as there must be, or any.
fn enough(words: &[String], options: &Value, is_found: impl Fn(&String) -> bool) -> bool {
    let count = words.iter().filter(|word| is_found(word)).count();
    let operator = options["operator"].as_str().unwrap_or("or");
    let least = match &options["minimum_should_match"] {
        _ if operator.eq_ignore_ascii_case("and") => words.len(),
        // A single word is no list of clauses of which some could be left out.
        rule if !rule.is_null() && words.len() > 1 => least(words.len(), rule).max(1),
        _ => 1,
    };
    !words.is_empty() && count >= least
}

/// Matches one field: analyzed when it is a text, a whole value otherwise.
fn match_field(document: &Document, field: &str, options: &Value) -> bool {
    let query = &options["query"];
    if kind(field) != Some(Kind::Text) {
        return term(document, field, query);
    }
    let found = terms(document, field);
    enough(&words(query.as_str().unwrap()), options, |word| {
        found.iter().any(|it| match it {
            Datum::Word(it) if !options["fuzziness"].is_null() => near(it, word, options),
            it => *it == Datum::Word(word.clone()),
        })
    })
}

/// Splits the body of a clause over one field; the short form becomes the long one.
fn field_body<'a>(body: &'a Value, short: &str) -> (&'a str, Value) {
    let members = body.as_object().unwrap();
    let (field, options) =
        members.iter().find(|(key, _)| *key != "boost" && *key != "_name").unwrap();
    match options {
        Value::Object(_) => (field, options.clone()),
        value => (field, Value::Object(Map::from_iter([(short.to_owned(), value.clone())]))),
    }
}

fn of_field(document: &Document, clause: &str, body: &Value) -> bool {
    let short = if clause.starts_with("match") { "query" } else { "value" };
    let (field, options) = field_body(body, short);
    let text = || options[short].as_str().unwrap().to_owned();
    match clause {
        "match" => match_field(document, field, &options),
        "match_phrase" => {
            let slop = options["slop"].as_u64().unwrap_or(0);
            phrase(document, field, &text(), usize::try_from(slop).unwrap())
        }
        "match_phrase_prefix" => {
            let wanted = words(&text());
            texts(document, field).iter().any(|it| {
                it.windows(wanted.len()).any(|window| {
                    let (last, before) = window.split_last().unwrap();
                    let (start, wanted) = wanted.split_last().unwrap();
                    before == wanted && last.starts_with(start.as_str())
                })
            })
        }
        "match_bool_prefix" => {
            let mut wanted = words(&text());
            let found = texts(document, field).concat();
            // No word holds an asterisk, so it marks the last one.
            wanted.last_mut().unwrap().push('*');
            enough(&wanted, &options, |word| match word.strip_suffix('*') {
                Some(start) => found.iter().any(|it| it.starts_with(start)),
                None => found.contains(word),
            })
        }
        "term" => one_of(
            document,
            field,
            &options,
            |word, value| word == value,
            |value| term(document, field, value),
        ),
        "terms" => list(&body[field]).iter().any(|value| term(document, field, value)),
        "range" => range(document, field, &options),
        "prefix" => one_of(document, field, &options, |word, it| word.starts_with(it), |_| false),
        "wildcard" => one_of(document, field, &options, wildcard, |_| false),
        "regexp" => one_of(document, field, &options, regexp, |_| false),
        "fuzzy" => {
            let text = text();
            let is_near = |it: &Datum| match it {
                Datum::Word(word) => near(word, &text, &options),
                _ => false,
            };
            terms(document, field).iter().any(is_near)
        }
        other => panic!("the model does not know [{other}]"),
    }
}

/// Holds each word of a field against a value, without regard to case when the options say so.
fn one_of(
    document: &Document,
    field: &str,
    options: &Value,
    test: impl Fn(&str, &str) -> bool,
    otherwise: impl Fn(&Value) -> bool,
) -> bool {
    if !matches!(kind(field), Some(Kind::Text | Kind::Keyword(_))) {
        return otherwise(&options["value"]);
    }
    let fold = options["case_insensitive"] == true;
    let folded = |text: &str| if fold { text.to_ascii_lowercase() } else { text.to_owned() };
    let value = &options["value"];
    let value = folded(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    terms(document, field).iter().any(|it| match it {
        Datum::Word(word) => test(&folded(word), &value),
        _ => false,
    })
}

/// Tells whether a field has a value that is, or lies in, the one asked for.
pub(crate) fn term(document: &Document, field: &str, value: &Value) -> bool {
    let spelled = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (low, high) = match kind(field) {
        None => {
            return match field {
                "_id" => spelled == document.id,
                "_index" => spelled == document.index,
                _ => false,
            };
        }
        Some(Kind::Date) => {
            let edge = |up| Datum::Number(dates::read(value, None, &TimeZone::UTC, up) as f64);
            (edge(false), edge(true))
        }
        Some(Kind::Ip) => match spelled.split_once('/') {
            Some((network, bits)) => network_of(network, bits.parse().unwrap()),
            None => (Datum::Address(address(&spelled)), Datum::Address(address(&spelled))),
        },
        Some(Kind::Text | Kind::Keyword(_)) => (Datum::Word(spelled.clone()), Datum::Word(spelled)),
        Some(Kind::Boolean) => {
            let value = values::datum(Kind::Boolean, value).unwrap();
            (value.clone(), value)
        }
        Some(Kind::Long | Kind::Double) => {
            let number: f64 = spelled.parse().unwrap();
            (Datum::Number(number), Datum::Number(number))
        }
    };
    terms(document, field).iter().any(|it| low.compare(it).is_le() && it.compare(&high).is_le())
}

/// Returns the first and the last address of a network.
fn network_of(network: &str, bits: u32) -> (Datum, Datum) {
    let bits = if network.contains(':') { bits } else { bits + 96 };
    let host = u128::MAX.checked_shr(bits).unwrap_or(0);
    let first = address(network) & !host;
    (Datum::Address(first), Datum::Address(first | host))
}

fn range(document: &Document, field: &str, options: &Value) -> bool {
    let Some(kind) = kind(field) else { return false };
    let zone = options["time_zone"].as_str().map_or(TimeZone::UTC, dates::zone);
    let format = options["format"].as_str();
    let bound = |key: &str| {
        let value = options.get(key).filter(|it| !it.is_null())?;
        Some(match kind {
            Kind::Date => {
                Datum::Number(dates::read(value, format, &zone, matches!(key, "gt" | "lte")) as f64)
            }
            Kind::Ip => Datum::Address(address(value.as_str().unwrap())),
            Kind::Text | Kind::Keyword(_) => Datum::Word(value.as_str().unwrap().to_owned()),
            Kind::Boolean => values::datum(kind, value).unwrap(),
            Kind::Long | Kind::Double => values::datum(Kind::Double, value).unwrap(),
        })
    };
    let bounds: Vec<(&str, Datum)> =
        ["gt", "gte", "lt", "lte"].into_iter().filter_map(|key| Some((key, bound(key)?))).collect();
    terms(document, field).iter().any(|it| {
        bounds.iter().all(|(key, bound)| match (*key, it.compare(bound)) {
            ("gt", order) => order == Ordering::Greater,
            ("gte", order) => order != Ordering::Less,
            ("lt", order) => order == Ordering::Less,
            (_, order) => order != Ordering::Greater,
        })
    })
}

/// Tells whether words stand in a row, or as near to it as `slop` moves allow.
pub(crate) fn phrase(document: &Document, field: &str, query: &str, slop: usize) -> bool {
    if kind(field) != Some(Kind::Text) {
        return term(document, field, &Value::from(query));
    }
    let wanted = words(query);
    !wanted.is_empty() && texts(document, field).iter().any(|it| in_a_row(it, &wanted, slop))
}

/// Tries each way to put the wanted words on places of a text, each on a place of its own.
fn in_a_row(text: &[String], wanted: &[String], slop: usize) -> bool {
    // Where the phrase would begin, for each of the words.
    let mut choices: Vec<Vec<i64>> = vec![Vec::new()];
    for (offset, word) in wanted.iter().enumerate() {
        let starts: Vec<i64> = (0_i64..)
            .zip(text)
            .filter(|(_, it)| *it == word)
            .map(|(at, _)| at - offset as i64)
            .collect();
        choices = choices
            .iter()
            .flat_map(|chosen| {
                starts.iter().map(|start| chosen.iter().copied().chain([*start]).collect())
            })
            .collect();
    }
    choices.iter().any(|starts| {
        let spread = starts.iter().max().unwrap() - starts.iter().min().unwrap();
        spread <= slop as i64
    })
}

/// Holds a word against a pattern of `*`, `?` and escaped letters.
pub(crate) fn wildcard(word: &str, pattern: &str) -> bool {
    let mut letters = pattern.chars();
    let rest = letters.as_str().len();
    match letters.next() {
        None => word.is_empty(),
        Some('*') => {
            let after = letters.as_str();
            (0..=word.len()).any(|at| wildcard(&word[at..], after))
        }
        Some('?') => rest > 0 && !word.is_empty() && wildcard(&word[1..], letters.as_str()),
        Some(letter) => {
            let letter = if letter == '\\' { letters.next().unwrap_or('\\') } else { letter };
            word.strip_prefix(letter).is_some_and(|word| wildcard(word, letters.as_str()))
        }
    }
}

pub(crate) fn regexp(word: &str, pattern: &str) -> bool {
    thread_local! {
        /// Patterns that were asked for before.
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        let whole = || Regex::new(&format!("^(?:{pattern})$")).unwrap();
        compiled.entry(pattern.to_owned()).or_insert_with(whole).is_match(word)
    })
}

fn near(word: &str, wanted: &str, options: &Value) -> bool {
    let edits = match &options["fuzziness"] {
        Value::Number(edits) => edits.as_u64().unwrap(),
        _ => [0, 0, 0, 1, 1, 1].get(wanted.len()).copied().unwrap_or(2),
    };
    let kept = usize::try_from(options["prefix_length"].as_u64().unwrap_or(0)).unwrap();
    let kept = kept.min(wanted.len());
    let swaps = options["transpositions"] != false;
    word.get(..kept) == wanted.get(..kept)
        && is_within(&word.as_bytes()[kept..], &wanted.as_bytes()[kept..], swaps, edits)
}

/// Tells whether so many letters inserted, deleted, replaced or, with `swaps`, swapped are enough.
fn is_within(one: &[u8], other: &[u8], swaps: bool, edits: u64) -> bool {
    let (Some((first, rest)), Some((with, others))) = (one.split_first(), other.split_first())
    else {
        return one.len().max(other.len()) as u64 <= edits;
    };
    if first == with {
        return is_within(rest, others, swaps, edits);
    }
    let Some(edits) = edits.checked_sub(1) else { return false };
    let is_swapped = match (rest.split_first(), others.split_first()) {
        (Some((second, rest)), Some((next, others))) if swaps => {
            first == next && second == with && is_within(rest, others, swaps, edits)
        }
        _ => false,
    };
    is_swapped
        || is_within(rest, others, swaps, edits)
        || is_within(rest, other, swaps, edits)
        || is_within(one, others, swaps, edits)
}
