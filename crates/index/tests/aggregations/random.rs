//! Random trees over random documents are answered as the plain model answers them.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::kit::{Kit, assert_same, mapping};
use crate::model::{evaluate, matches};

#[test]
fn random_trees_are_answered_as_the_model_answers() {
    for seed in 0..4 {
        let mut chance = StdRng::seed_from_u64(seed);
        let indices: Vec<Vec<Vec<Value>>> = (0..chance.random_range(1..=3))
            .map(|_| {
                (0..chance.random_range(1..=3))
                    .map(|_| {
                        (0..chance.random_range(1..120)).map(|_| document(&mut chance)).collect()
                    })
                    .collect()
            })
            .collect();
        let kit = Kit::new(&mapping(), &indices);
        let all: Vec<&Value> = indices.iter().flatten().flatten().collect();
        for _ in 0..60 {
            let tree =
                json!({ "a": aggregation(&mut chance, 3), "b": aggregation(&mut chance, 2) });
            let query = query(&mut chance);
            let found: Vec<&Value> = all.iter().filter(|it| matches(it, &query)).copied().collect();
            let what = format!("seed {seed}: {tree} over {query}");
            assert_same(&kit.aggregate_found(&query, &tree), &evaluate(&tree, &found), &what);
        }
    }
}

fn document(chance: &mut StdRng) -> Value {
    let mut document = json!({});
    if chance.random_bool(0.9) {
        document["level"] = json!(pick(chance, &["debug", "info", "warn", "error"]));
    }
    if chance.random_bool(0.7) {
        let tag = |chance: &mut StdRng| format!("t{}", chance.random_range(0..15));
        document["tags"] = (0..chance.random_range(1..4)).map(|_| tag(chance)).collect();
    }
    if chance.random_bool(0.8) {
        document["count"] = match chance.random_bool(0.2) {
            true => json!([chance.random_range(-20..20), chance.random_range(-20..20)]),
            false => json!(chance.random_range(-20..20)),
        };
    }
    if chance.random_bool(0.8) {
        document["temp"] = json!(f64::from(chance.random_range(-800..800)) / 8.0);
    }
    if chance.random_bool(0.6) {
        document["ok"] = json!(chance.random_bool(0.5));
    }
    if chance.random_bool(0.95) {
        // Eight days round the change of Paris to summer time.
        let ms = 1_774_483_200_000 + chance.random_range(0..8 * 86_400_000_i64);
        document["at"] = json!(jiff::Timestamp::from_millisecond(ms).unwrap().to_string());
    }
    document
}

fn pick(chance: &mut StdRng, words: &[&'static str]) -> &'static str {
    words.choose(chance).unwrap()
}

fn query(chance: &mut StdRng) -> Value {
    match chance.random_range(0..4) {
        0 => json!({ "term": { "level": pick(chance, &["info", "error"]) } }),
        1 => json!({ "range": { "count": { "gte": chance.random_range(-20..0) } } }),
        _ => json!({ "match_all": {} }),
    }
}

fn aggregation(chance: &mut StdRng, depth: usize) -> Value {
    if depth == 0 || chance.random_bool(0.2) {
        return metric(chance);
    }
    let mut body = match chance.random_range(0..11) {
        0 => json!({ "terms": { "field": "level" } }),
        1 => json!({ "terms": { "field": "tags", "size": chance.random_range(1..20) } }),
        2 => json!({ "terms": { "field": "count", "order": { "_key": "desc" }, "size": 50 } }),
        3 => json!({ "terms": { "field": "ok" } }),
        4 => {
            json!({ "terms": { "field": "level", "missing": "info", "order": { "_key": "asc" } } })
        }
        5 => json!({ "histogram": { "field": pick(chance, &["count", "temp"]), "interval": 7.5 } }),
        6 => json!({ "date_histogram": {
            "field": "at", "fixed_interval": pick(chance, &["6h", "90m"]),
        } }),
        7 => json!({ "date_histogram": {
            "field": "at", "calendar_interval": "day", "time_zone": "Europe/Paris",
        } }),
        8 => json!({ "range": { "field": pick(chance, &["count", "temp"]), "ranges": [
            { "key": "low", "to": -5.0 }, { "key": "mid", "from": -5.0, "to": 5.0 },
            { "key": "wide", "from": -2.0 },
        ] } }),
        9 => json!({ "filters": { "other_bucket": chance.random_bool(0.5), "filters": {
            "errors": { "term": { "level": "error" } },
            "warm": { "range": { "temp": { "gte": 10.0, "lt": 60.0 } } },
            "tagged": { "term": { "tags": "t3" } },
        } } }),
        _ => match chance.random_bool(0.5) {
            true => json!({ "filter": { "term": { "tags": "t1" } } }),
            false => json!({ "missing": { "field": pick(chance, &["tags", "ok", "count"]) } }),
        },
    };
    if chance.random_bool(0.8) {
        body["aggs"] = json!({
            "x": aggregation(chance, depth - 1),
            "y": metric(chance),
        });
    }
    body
}

fn metric(chance: &mut StdRng) -> Value {
    let field = pick(chance, &["count", "temp"]);
    match chance.random_range(0..8) {
        0 => json!({ "min": { "field": field } }),
        1 => json!({ "max": { "field": field } }),
        2 => json!({ "avg": { "field": field, "missing": 3 } }),
        3 => json!({ "sum": { "field": field } }),
        4 => json!({ "stats": { "field": field } }),
        5 => json!({ "value_count": { "field": pick(chance, &["tags", "count", "level"]) } }),
        6 => json!({ "cardinality": { "field": pick(chance, &["tags", "count", "level"]) } }),
        _ => json!({ "percentiles": { "field": "temp", "percents": [25.0, 50.0, 90.0] } }),
    }
}
