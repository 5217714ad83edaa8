//! Random queries, nested.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{language, value};
use crate::documents::{WORDS, pick};

/// All fields that hold values or words.
const FIELDS: [&str; 14] = [
    "message",
    "title",
    "level",
    "level.keyword",
    "station",
    "code",
    "count",
    "temp",
    "ok",
    "at",
    "ip",
    "place.name",
    "place.floor",
    "place.note",
];
const TEXTS: [&str; 4] = ["message", "title", "level", "place.note"];
const STRINGS: [&str; 6] = ["message", "title", "level.keyword", "station", "code", "place.name"];
const RULES: [&str; 8] = ["1", "2", "-1", "50%", "-30%", "2<75%", "1<-1 3<2", "3"];

/// Returns a query with at most so many clauses inside each other.
pub(crate) fn query(chance: &mut StdRng, depth: usize) -> Value {
    if depth == 0 || chance.random_bool(0.2) {
        return leaf(chance);
    }
    match chance.random_range(0..12) {
        0 => json!({ "constant_score": { "filter": query(chance, depth - 1), "boost": 2 } }),
        1 => json!({ "dis_max": { "queries": several(chance, depth, 1), "tie_breaker": 0.3 } }),
        2 => json!({ "boosting": {
            "positive": query(chance, depth - 1), "negative": leaf(chance), "negative_boost": 0.5,
        } }),
        3 => language::query_string(chance),
        _ => boolean(chance, depth),
    }
}

fn several(chance: &mut StdRng, depth: usize, least: usize) -> Value {
    (0..chance.random_range(least..least + 4)).map(|_| query(chance, depth - 1)).collect()
}

fn boolean(chance: &mut StdRng, depth: usize) -> Value {
    let mut body = json!({});
    for (key, probability) in [("must", 0.4), ("filter", 0.3), ("must_not", 0.25), ("should", 0.6)]
    {
        if !chance.random_bool(probability) {
            continue;
        }
        body[key] = match chance.random_range(0..3) {
            0 => query(chance, depth - 1),
            _ => several(chance, depth, 0),
        };
    }
    let has_optional = match &body["should"] {
        Value::Array(queries) => !queries.is_empty(),
        value => !value.is_null(),
    };
    if has_optional && chance.random_bool(0.5) {
        body["minimum_should_match"] = rule(chance);
    }
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, it| !it.is_null());
    }
    json!({ "bool": body })
}

fn rule(chance: &mut StdRng) -> Value {
    match chance.random_bool(0.3) {
        true => json!(chance.random_range(0..4)),
        false => json!(pick(chance, &RULES)),
    }
}

fn leaf(chance: &mut StdRng) -> Value {
    match chance.random_range(0..17) {
        0 => json!({ "match_all": {} }),
        1 => pick(chance, &[json!({ "match_none": {} }), json!({ "match_all": { "boost": 3 } })]),
        2..4 => match_words(chance),
        4 => phrase(chance),
        5 => multi_match(chance),
        6..8 => term(chance),
        8 => {
            let field = pick(chance, &FIELDS);
            let values: Value =
                (0..chance.random_range(0..6)).map(|_| value(field, chance)).collect();
            json!({ "terms": { field: values } })
        }
        9..12 => range(chance),
        12 => {
            let odd = ["place", "nowhere", "_id", "level.nowhere"];
            let field =
                if chance.random_bool(0.2) { pick(chance, &odd) } else { pick(chance, &FIELDS) };
            json!({ "exists": { "field": field } })
        }
        13..15 => pattern(chance),
        15 => {
            let id = |chance: &mut StdRng| {
                let index = pick(chance, &["alpha", "beta"]);
                format!("{index}-{}", chance.random_range(0..90))
            };
            let ids: Vec<String> = (0..chance.random_range(0..40)).map(|_| id(chance)).collect();
            json!({ "ids": { "values": ids } })
        }
        _ => language::query_string(chance),
    }
}

fn words(chance: &mut StdRng, count: usize) -> String {
    let words: Vec<String> = (0..count)
        .map(|_| match chance.random_range(0..6) {
            0 => pick(chance, &WORDS).to_uppercase(),
            1 => pick(chance, &["error", "info", "words", "nothing"]).to_owned(),
            _ => pick(chance, &WORDS).to_owned(),
        })
        .collect();
    words.join(" ")
}

fn match_words(chance: &mut StdRng) -> Value {
    if chance.random_bool(0.3) {
        let field = pick(chance, &["station", "level.keyword", "count", "temp", "ok", "at", "ip"]);
        return json!({ "match": { field: value(field, chance) } });
    }
    let field = pick(chance, &TEXTS);
    let count = chance.random_range(1..5);
    let mut options = json!({ "query": words(chance, count) });
    match chance.random_range(0..6) {
        5 => options["fuzziness"] = pick(chance, &[json!("AUTO"), json!(1), json!(2)]),
        0 => options["operator"] = json!(pick(chance, &["and", "or", "AND"])),
        1 => options["minimum_should_match"] = rule(chance),
        _ => {}
    }
    let clause = match options["fuzziness"].is_null() {
        true => pick(chance, &["match", "match", "match_bool_prefix"]),
        false => "match",
    };
    json!({ clause: { field: options } })
}

fn phrase(chance: &mut StdRng) -> Value {
    let field = pick(chance, &TEXTS);
    let count = chance.random_range(1..4);
    if chance.random_bool(0.3) {
        let mut text = words(chance, count);
        text.truncate(text.len() - chance.random_range(0..2));
        return json!({ "match_phrase_prefix": { field: text } });
    }
    // A word that is asked for twice may or may not stand for one place, so each is asked for once.
    let mut distinct: Vec<&str> = Vec::new();
    for _ in 0..count {
        let word = pick(chance, &WORDS);
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    // How far more than two words may lie apart is only nearly what Lucene says.
    let slop = if distinct.len() > 2 { 0 } else { pick(chance, &[0, 1, 2, 3]) };
    json!({ "match_phrase": { field: { "query": distinct.join(" "), "slop": slop } } })
}

fn multi_match(chance: &mut StdRng) -> Value {
    let kind = pick(chance, &["best_fields", "most_fields", "cross_fields", "phrase"]);
    let mut fields = vec!["message", "title^2"];
    if chance.random_bool(0.5) {
        fields.push("place.note");
    }
    if kind != "cross_fields" && chance.random_bool(0.3) {
        fields.push("station");
    }
    let count = chance.random_range(1..4);
    let mut body = json!({ "query": words(chance, count), "fields": fields, "type": kind });
    if kind != "phrase" {
        match chance.random_range(0..3) {
            0 => body["operator"] = json!("and"),
            1 => body["minimum_should_match"] = rule(chance),
            _ => {}
        }
    }
    json!({ "multi_match": body })
}

fn term(chance: &mut StdRng) -> Value {
    if chance.random_bool(0.1) {
        let (field, value) = pick(
            chance,
            &[
                ("_index", json!("alpha")),
                ("_index", json!("beta")),
                ("nowhere", json!(1)),
                ("ip", json!("10.0.0.0/8")),
                ("ip", json!("2001:db8::/32")),
                ("ip", json!("10.0.0.0/31")),
                ("count", json!("3")),
                ("count", json!(4.0)),
            ],
        );
        return json!({ "term": { field: value } });
    }
    let field = pick(chance, &FIELDS);
    let value = value(field, chance);
    match field {
        "station" | "level.keyword" | "message" if chance.random_bool(0.3) => {
            json!({ "term": { field: { "value": value, "case_insensitive": true } } })
        }
        _ => json!({ "term": { field: { "value": value } } }),
    }
}

fn range(chance: &mut StdRng) -> Value {
    let field = pick(
        chance,
        &[
            "count",
            "temp",
            "at",
            "at",
            "at",
            "ip",
            "station",
            "level",
            "place.floor",
            "ok",
            "nowhere",
        ],
    );
    let mut bounds = json!({});
    let make = |chance: &mut StdRng| match field {
        "count" if chance.random_bool(0.3) => json!(f64::from(chance.random_range(-20..20)) / 2.0),
        "count" if chance.random_bool(0.1) => json!("3"),
        _ => value(field, chance),
    };
    if chance.random_bool(0.8) {
        bounds[pick(chance, &["gt", "gte"])] = make(chance);
    }
    if chance.random_bool(0.7) {
        bounds[pick(chance, &["lt", "lte"])] = make(chance);
    }
    if field == "at" {
        match chance.random_range(0..5) {
            0 => bounds["time_zone"] = json!(pick(chance, &["Europe/Paris", "+05:30", "-08:00"])),
            1 => {
                let day = chance.random_range(20..30);
                let key = pick(chance, &["gt", "gte", "lt", "lte"]);
                bounds = match chance.random_bool(0.5) {
                    true => json!({ key: format!("{day}/03/2026"), "format": "dd/MM/yyyy" }),
                    false => {
                        json!({ key: 1_774_000_000 + 43_200 * (day - 20), "format": "epoch_second" })
                    }
                };
            }
            _ => {}
        }
    }
    json!({ "range": { field: bounds } })
}

fn pattern(chance: &mut StdRng) -> Value {
    let field = pick(chance, &STRINGS);
    let (clause, value) = match chance.random_range(0..4) {
        0 => ("prefix", pick(chance, &["k", "K1", "r", "w", "abc", "10", "IN", "c"])),
        1 => (
            "wildcard",
            pick(
                chance,
                &["k*", "?1*", "*", "w?nd", "*n*d*", "a\\*b", "W*", "abc?", "*o*", "r[ou]*"],
            ),
        ),
        2 => (
            "regexp",
            pick(
                chance,
                &[
                    "k1.*",
                    "[a-r].+",
                    "(rain|wind)s?",
                    "w.{2,3}",
                    "k[0-9]+",
                    "[A-Z]+",
                    ".*o.*",
                    "abcde?",
                ],
            ),
        ),
        _ => {
            let mut options =
                json!({ "value": pick(chance, &["rian", "wins", "k1", "sensr", "in", "abc"]) });
            match chance.random_range(0..3) {
                0 => options["fuzziness"] = json!(chance.random_range(0..3)),
                1 => options["fuzziness"] = json!("AUTO"),
                _ => {}
            }
            if chance.random_bool(0.3) {
                options["prefix_length"] = json!(chance.random_range(0..3));
            }
            if chance.random_bool(0.3) {
                options["transpositions"] = json!(false);
            }
            return json!({ "fuzzy": { field: options } });
        }
    };
    match chance.random_bool(0.3) {
        true => json!({ clause: { field: { "value": value, "case_insensitive": true } } }),
        false => json!({ clause: { field: value } }),
    }
}
