//! Whole searches over random documents are answered as a plain model answers them.
//!
//! Requests go the public way, from their JSON to the JSON of the answer. `documents` writes documents
//! to real indices and keeps them in a list, `ask` makes requests, and `model` works the answers out
//! from the list and the same JSON. What fails is told with the seed and the whole request.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ask;
mod documents;
mod model;

use std::sync::LazyLock;

use pampero_index::search::{SearchOptions, search};
use pampero_opensearch::search::SearchRequest;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use documents::{Document, Scene, now};
use model::{aggregations, order, queries};

/// Sets of documents; the seed of each is its place.
static SCENES: LazyLock<[Scene; 5]> = LazyLock::new(|| [0, 1, 2, 3, 4].map(Scene::new));

/// Searches by each test in each set of documents; the test of queries makes twice as many.
const REQUESTS: usize = 60;

/// Answers a request the public way.
#[track_caller]
fn answer(scene: &Scene, body: &Value, what: &str) -> Value {
    let answer = SearchRequest::from_json(body)
        .and_then(|request| search(&scene.snapshots, &request, &SearchOptions::default(), now()));
    match answer {
        Ok(answer) => answer,
        Err(refused) => panic!("{what}\nis refused: {}", refused.to_json()),
    }
}

/// Returns the documents that a query finds, in the order of a sort, each with its sort values.
fn found<'a>(scene: &'a Scene, query: &Value, sort: &Value) -> Vec<(&'a Document, Vec<Value>)> {
    let found: Vec<&Document> =
        scene.documents.iter().filter(|it| queries::matches(it, query)).collect();
    order::sorted(&found, sort)
}

/// Compares the ids of the hits of an answer with those that the model found.
#[track_caller]
fn assert_ids(answer: &Value, expected: &[(&Document, Vec<Value>)], what: &str) {
    let expected: Vec<&str> = expected.iter().map(|(document, _)| document.id.as_str()).collect();
    let hits = answer["hits"]["hits"].as_array().unwrap();
    let got: Vec<&str> = hits.iter().map(|hit| hit["_id"].as_str().unwrap()).collect();
    assert_eq!(got, expected, "{what}");
}

/// Compares the hits of an answer, with their sources and sort values, with those that the model found.
#[track_caller]
fn assert_hits(answer: &Value, expected: &[(&Document, Vec<Value>)], what: &str) {
    assert_ids(answer, expected, what);
    let hits = answer["hits"]["hits"].as_array().unwrap();
    for (hit, (document, values)) in hits.iter().zip(expected) {
        assert_eq!(hit["_index"], document.index, "{what}");
        assert_eq!(hit["_source"], document.source, "{what}");
        assert_same(&hit["sort"], &json!(values), &format!("sort of {}: {what}", document.id));
    }
}

/// Compares two answers; numbers are the same when they differ by no more than rounding does.
#[track_caller]
fn assert_same(got: &Value, expected: &Value, what: &str) {
    if let Some(path) = difference(got, expected) {
        panic!("{what}\ndiffers at {path}\n got      {got}\n expected {expected}");
    }
}

fn difference(got: &Value, expected: &Value) -> Option<String> {
    match (got, expected) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            let near = (one - other).abs() <= 1e-9 * one.abs().max(other.abs());
            (!near).then(|| format!(": {one} is not {other}"))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let differences = one.iter().zip(other).map(|(one, other)| difference(one, other));
            differences.enumerate().find_map(|(at, it)| Some(format!("[{at}]{}", it?)))
        }
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            one.iter().find_map(|(name, value)| {
                let inner = difference(value, other.get(name).unwrap_or(&json!("missing")))?;
                Some(format!(".{name}{inner}"))
            })
        }
        _ => (got != expected).then(|| format!(": {got} is not {expected}")),
    }
}

#[test]
fn nested_queries_find_what_the_model_finds() {
    let sort = json!(["unique"]);
    for (seed, scene) in (0..).zip(&*SCENES) {
        let mut chance = StdRng::seed_from_u64(1000 + seed);
        for _ in 0..2 * REQUESTS {
            let query = ask::query(&mut chance, 4);
            let body = json!({
                "query": query, "sort": sort, "size": 1000, "track_total_hits": true,
                "_source": false,
            });
            let what = format!("seed {seed}: {body}");
            let answer = answer(scene, &body, &what);
            let expected = found(scene, &query, &sort);
            assert_ids(&answer, &expected, &what);
            assert_eq!(answer["hits"]["total"]["value"], expected.len(), "{what}");
            assert_eq!(answer["_shards"]["failed"], 0, "{what}");
        }
    }
}

#[test]
fn sorted_pages_follow_each_other_as_in_the_model() {
    for (seed, scene) in (0..).zip(&*SCENES) {
        let mut chance = StdRng::seed_from_u64(2000 + seed);
        for _ in 0..REQUESTS {
            let (query, sort) = (ask::query(&mut chance, 2), ask::sort(&mut chance));
            let expected = found(scene, &query, &sort);
            let size = chance.random_range(1..40);
            let from = chance.random_range(0..=expected.len());
            let mut body = json!({ "query": query, "sort": sort, "size": size, "from": from });
            let tracked = [json!(true), json!(false), json!(5), Value::Null];
            let tracked = documents::pick(&mut chance, &tracked);
            if !tracked.is_null() {
                body["track_total_hits"] = tracked.clone();
            }
            let what = format!("seed {seed}: {body}");
            let page = answer(scene, &body, &what);
            let end = expected.len().min(from + size);
            assert_hits(&page, &expected[from..end], &what);
            assert_same(&page["hits"]["total"], &total(&tracked, expected.len()), &what);
            // What comes next is asked for with the values of the last hit.
            let Some(last) = page["hits"]["hits"].as_array().unwrap().last() else { continue };
            let after = json!({
                "query": query, "sort": sort, "size": size, "search_after": last["sort"],
            });
            let what = format!("seed {seed}: {after}");
            let next = answer(scene, &after, &what);
            assert_hits(&next, &expected[end..expected.len().min(end + size)], &what);
        }
    }
}

/// Returns the total that an answer shows.
fn total(tracked: &Value, count: usize) -> Value {
    match tracked {
        Value::Bool(false) => Value::Null,
        Value::Number(most) if most.as_u64().unwrap() < count as u64 => {
            json!({ "value": most, "relation": "gte" })
        }
        _ => json!({ "value": count, "relation": "eq" }),
    }
}

#[test]
fn nested_aggregations_are_worked_out_as_in_the_model() {
    for (seed, scene) in (0..).zip(&*SCENES) {
        let mut chance = StdRng::seed_from_u64(3000 + seed);
        for _ in 0..REQUESTS {
            let query = ask::query(&mut chance, 2);
            let asked = ask::aggregations(&mut chance, 3);
            let mut body = json!({ "query": query, "size": 0, "aggs": asked });
            let mut expected: Vec<&Document> =
                scene.documents.iter().filter(|it| queries::matches(it, &query)).collect();
            let aggregated = aggregations::evaluate(&asked, &expected);
            // Hits are filtered once more, what is aggregated is not.
            if chance.random_bool(0.3) {
                let filter = ask::query(&mut chance, 2);
                expected.retain(|it| queries::matches(it, &filter));
                body["post_filter"] = filter;
            }
            let what = format!("seed {seed}: {body}");
            let answer = answer(scene, &body, &what);
            assert_same(&answer["aggregations"], &aggregated, &what);
            assert_eq!(answer["hits"]["total"]["value"], expected.len(), "{what}");
        }
    }
}
