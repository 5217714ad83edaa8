//! What searches refuse, with which words, and what they answer when some indices refuse.

use serde_json::{Map, Value, json};

use crate::kit::{Kit, hits, write};

fn kit() -> Kit {
    let mapping = json!({
        "n": { "type": "long" }, "k": { "type": "keyword" }, "text": { "type": "text" },
        "bare": { "type": "long", "doc_values": false },
    });
    Kit::with("logs", mapping, &[json!({ "n": 1, "k": "a", "text": "x", "bare": 1 })])
}

/// The outer refusal says that all shards failed, the inner one why.
#[track_caller]
fn check(kit: &Kit, body: Value, kind: &str, reason: &str) {
    let refused = kit.try_search(&body).unwrap_err();
    assert_eq!(refused.kind().as_str(), "search_phase_execution_exception", "{body}");
    assert_eq!((refused.reason(), refused.status()), ("all shards failed", 400));
    let outer = refused.to_json();
    assert_eq!((&outer["phase"], &outer["grouped"]), (&json!("query"), &json!(true)));
    let inner = refused.cause().unwrap().to_json();
    assert_eq!(outer["failed_shards"][0]["reason"], inner);
    assert_eq!(outer["failed_shards"][0]["index"], "logs");
    assert_eq!((&inner["type"], &inner["index"]), (&json!(kind), &json!("logs")), "{body}");
    let said = inner["reason"].as_str().unwrap();
    assert!(said.starts_with(reason), "{body}: {said}");
}

#[test]
fn order_that_cannot_be_is_refused() {
    let logs = kit();
    check(
        &logs,
        json!({ "sort": ["ts"] }),
        "query_shard_exception",
        "No mapping found for [ts] in order to sort on",
    );
    check(
        &logs,
        json!({ "sort": ["text"] }),
        "illegal_argument_exception",
        "Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [text]",
    );
    check(
        &logs,
        json!({ "sort": ["bare"] }),
        "illegal_argument_exception",
        "Can't load fielddata on [bare]",
    );
    check(
        &logs,
        json!({ "sort": [{ "k": { "mode": "avg" } }] }),
        "query_shard_exception",
        "we only support AVG, MEDIAN and SUM on number based fields",
    );
    check(
        &logs,
        json!({ "sort": [{ "x": { "unmapped_type": "lung" } }] }),
        "illegal_argument_exception",
        "No mapper found for type [lung]",
    );
    let refused = logs.try_search(&json!({ "sort": ["_shard_doc"] })).unwrap_err();
    assert_eq!(refused.kind().as_str(), "action_request_validation_exception");
    logs.search(&json!({ "sort": ["_shard_doc"], "pit": { "id": "p" } }));
}

#[test]
fn search_after_that_does_not_fit_is_refused() {
    let logs = kit();
    let illegal = |body, reason| check(&logs, body, "illegal_argument_exception", reason);
    illegal(
        json!({ "sort": ["n", "k"], "search_after": [1] }),
        "search_after has 1 value(s) but sort has 2.",
    );
    illegal(json!({ "search_after": [1] }), "Sort must contain at least one field.");
    illegal(
        json!({ "sort": ["n"], "search_after": ["x"] }),
        "Failed to parse search_after value for field [n].",
    );
    illegal(
        json!({ "sort": ["k"], "search_after": [1] }),
        "Failed to parse search_after value for field [k].",
    );
}

#[test]
fn window_is_limited() {
    let logs = kit();
    check(
        &logs,
        json!({ "from": 9_000, "size": 1_010 }),
        "illegal_argument_exception",
        "Result window is too large, from + size must be less than or equal to: [10000] but was [10010]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.",
    );
    check(
        &logs,
        json!({ "size": 1_000_000_000_u64 }),
        "illegal_argument_exception",
        "Result window is too large",
    );
    let kit = Kit::new();
    let mut settings = Map::new();
    settings.insert("index.max_result_window".to_owned(), json!("20000"));
    write(&kit.create_with("wide", json!({}), settings), &[("0".to_owned(), json!({}))]);
    assert_eq!(hits(&kit.search(&json!({ "size": 20_000 }))).len(), 1);
    kit.try_search(&json!({ "size": 20_001 })).unwrap_err();
}

#[test]
fn fields_without_columns_are_refused() {
    let logs = kit();
    check(
        &logs,
        json!({ "docvalue_fields": ["text"] }),
        "illegal_argument_exception",
        "Text fields are not optimised",
    );
    let many: Vec<String> = (0..101).map(|n| format!("f{n}")).collect();
    let refused = kit().try_search(&json!({ "docvalue_fields": many })).unwrap_err();
    assert!(refused.reason().contains("[100] but was [101]"), "{refused}");
}

#[test]
fn some_indices_may_fail() {
    let kit = kit();
    write(&kit.create("other", json!({})), &[("1".to_owned(), json!({}))]);
    let answer = kit.search(&json!({ "sort": ["n"] }));
    let shards = &answer["_shards"];
    assert_eq!(
        (&shards["total"], &shards["successful"], &shards["failed"]),
        (&json!(2), &json!(1), &json!(1))
    );
    let failure = &shards["failures"][0];
    assert_eq!((&failure["index"], &failure["shard"]), (&json!("other"), &json!(0)));
    assert_eq!(failure["reason"]["type"], "query_shard_exception");
    assert_eq!(hits(&answer).len(), 1);
}

#[test]
fn unlike_types_cannot_be_sorted_together() {
    let kit = kit();
    write(
        &kit.create("other", json!({ "n": { "type": "keyword" } })),
        &[("1".to_owned(), json!({ "n": "x" }))],
    );
    let refused = kit.try_search(&json!({ "sort": ["n"] })).unwrap_err();
    assert_eq!(
        refused.reason(),
        "Can't sort on field [n]; the field has incompatible sort types: [LONG] and [STRING] across shards!"
    );
}

#[test]
fn answer_that_is_too_large_is_refused() {
    use pampero_index::search::{SearchOptions, search};
    use pampero_opensearch::search::SearchRequest;
    let options = SearchOptions { answer_bytes_max: 10, ..SearchOptions::default() };
    let refused =
        search(&kit().snapshots(), &SearchRequest::default(), &options, crate::kit::now())
            .unwrap_err();
    assert_eq!(refused.kind().as_str(), "circuit_breaking_exception");
}
