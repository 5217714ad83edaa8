//! Queries over a few documents, as a table.

use pampero_opensearch::query::Query;
use pampero_opensearch::search::sort;
use serde_json::{Value, json};

use super::*;

const CATALOG: Catalog = Catalog {
    fields: &[
        ("monitor.name", FieldKind::Text),
        ("monitor.type", FieldKind::Keyword),
        ("monitor.enabled", FieldKind::Boolean),
        ("monitor.last_update_time", FieldKind::Number),
        ("monitor.inputs.search.indices", FieldKind::Keyword),
    ],
    absent: &["workflow."],
    default_fields: &["monitor.name"],
};

fn documents() -> Vec<(&'static str, Value)> {
    let monitor = |name: &str, enabled: bool, updated: Value, indices: &[&str]| {
        json!({ "monitor": { "type": "monitor", "name": name, "enabled": enabled,
            "last_update_time": updated, "inputs": [{ "search": { "indices": indices } }] } })
    };
    vec![
        ("a", monitor("Error Weather Logs", true, json!(300), &["weather_logs"])),
        ("b", monitor("error rate", false, json!(100), &["weather_logs", "other"])),
        ("c", monitor("Frost", true, Value::Null, &[])),
    ]
}

#[track_caller]
fn check(query: Value, expected: &str) {
    let filter = CATALOG.filter(&Query::from_json(&query).unwrap()).unwrap();
    let documents = documents();
    let found = documents.iter().filter(|(id, source)| filter.takes(Found { id, source }));
    assert_eq!(found.map(|(id, _)| *id).collect::<String>(), expected, "{query}");
}

#[test]
fn queries_find_what_they_mean() {
    check(json!({ "match_all": {} }), "abc");
    check(json!({ "match_none": {} }), "");
    check(json!({ "ids": { "values": ["a", "x"] } }), "a");
    check(json!({ "terms": { "_id": ["c", "b"] } }), "bc");
    check(json!({ "term": { "_id": "b" } }), "b");
    check(json!({ "term": { "monitor.enabled": true } }), "ac");
    check(json!({ "term": { "monitor.enabled": "false" } }), "b");
    check(json!({ "term": { "monitor.name": "error" } }), "ab");
    check(json!({ "term": { "monitor.name": "Error" } }), "");
    check(
        json!({ "term": { "monitor.name": { "value": "Error", "case_insensitive": true } } }),
        "ab",
    );
    check(json!({ "term": { "monitor.name.keyword": "error rate" } }), "b");
    check(json!({ "terms": { "monitor.name.keyword": ["Frost", "error rate", "x"] } }), "bc");
    check(json!({ "term": { "monitor.last_update_time": 100 } }), "b");
    check(json!({ "term": { "monitor.inputs.search.indices": "other" } }), "b");
    check(json!({ "match": { "monitor.name": "ERROR frost" } }), "abc");
    check(
        json!({ "match": { "monitor.name": { "query": "error logs", "operator": "and" } } }),
        "a",
    );
    check(
        json!({ "match": { "monitor.name": { "query": "error logs weather", "minimum_should_match": 2 } } }),
        "a",
    );
    check(json!({ "match": { "monitor.name": "!" } }), "");
    check(json!({ "match": { "monitor.type": "monitor" } }), "abc");
    check(json!({ "match_phrase": { "monitor.name": "weather logs" } }), "a");
    check(json!({ "match_phrase": { "monitor.name": "logs weather" } }), "");
    check(json!({ "exists": { "field": "monitor.last_update_time" } }), "ab");
    check(json!({ "exists": { "field": "monitor" } }), "abc");
    check(json!({ "exists": { "field": "monitor.inputs.search" } }), "abc");
    check(json!({ "exists": { "field": "workflow.name" } }), "");
    check(json!({ "wildcard": { "monitor.name": "W*er" } }), "a");
    check(json!({ "wildcard": { "monitor.name.keyword": "*rate" } }), "b");
    check(json!({ "prefix": { "monitor.name.keyword": "Fro" } }), "c");
    check(json!({ "constant_score": { "filter": { "term": { "monitor.enabled": true } } } }), "ac");
}

#[test]
fn clauses_are_combined() {
    let enabled = json!({ "term": { "monitor.enabled": true } });
    let error = json!({ "match": { "monitor.name": "error" } });
    let workflow = json!({ "term": { "workflow.enabled": true } });
    check(json!({ "bool": { "must": enabled, "filter": error } }), "a");
    check(json!({ "bool": { "must_not": [error] } }), "c");
    check(json!({ "bool": { "should": [enabled, error] } }), "abc");
    check(json!({ "bool": { "should": [enabled, error], "minimum_should_match": 2 } }), "a");
    check(json!({ "bool": { "should": [workflow], "must": error } }), "ab");
    check(
        json!({ "bool": { "should": [enabled, workflow], "minimum_should_match": 1, "must": error } }),
        "a",
    );
    check(json!({ "bool": {} }), "abc");
}

#[test]
fn the_query_language_asks_the_name() {
    let text = |query: &str| json!({ "query_string": { "query": query } });
    check(text("frost rate"), "bc");
    check(text("weather AND logs"), "a");
    check(text("error -weather"), "b");
    check(text("\"weather logs\""), "a");
    check(text("*eathe*"), "a");
    check(text("*"), "abc");
    check(text(""), "");
    check(text("monitor.enabled:false OR monitor.name.keyword:Frost"), "bc");
    check(text("_exists_:monitor.last_update_time"), "ab");
    let dashboards = json!({ "query_string": { "query": "*err* *log*", "default_operator": "AND",
        "default_field": "monitor.name" } });
    check(dashboards, "a");
}

#[track_caller]
fn check_refused(query: Value, words: &str) {
    let refused = CATALOG.filter(&Query::from_json(&query).unwrap()).unwrap_err();
    assert!(refused.reason().contains(words), "{query}: {refused}");
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    check_refused(json!({ "range": { "monitor.last_update_time": { "gte": 1 } } }), "[range]");
    check_refused(
        json!({ "nested": { "path": "monitor", "query": { "match_all": {} } } }),
        "[nested]",
    );
    check_refused(json!({ "term": { "monitor.colour": "red" } }), "field [monitor.colour]");
    check_refused(
        json!({ "term": { "monitor.type.keyword": "x" } }),
        "field [monitor.type.keyword]",
    );
    check_refused(json!({ "term": { "monitor.enabled": "yes" } }), "boolean value [yes]");
    check_refused(json!({ "term": { "monitor.last_update_time": "x" } }), "[x] is none");
    check_refused(json!({ "wildcard": { "monitor.enabled": "t*" } }), "[monitor.enabled]");
    check_refused(json!({ "query_string": { "query": "error~" } }), "[word~]");
    check_refused(json!({ "query_string": { "query": "/x/" } }), "regular expression");
    check_refused(json!({ "query_string": { "query": "monitor.name:[a TO b]" } }), "range");
    check_refused(json!({ "query_string": { "query": "colour:red" } }), "field [colour]");
    check_refused(
        json!({ "match": { "monitor.name": { "query": "x", "fuzziness": 1 } } }),
        "[fuzziness]",
    );
    check_refused(
        json!({ "bool": { "must_not": { "regexp": { "monitor.name": "x" } } } }),
        "[regexp]",
    );
}

#[test]
fn a_query_that_would_take_too_long_is_refused() {
    let long = "a".repeat(5_000);
    check_refused(json!({ "wildcard": { "monitor.name": format!("*{long}") } }), "[5002] words");
    let words = "a ".repeat(5_000);
    check_refused(json!({ "match": { "monitor.name": words } }), "takes [4096]");
    let values: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    check_refused(json!({ "terms": { "monitor.name.keyword": values } }), "takes [4096]");
    check(json!({ "terms": { "_id": values } }), "");
    check(json!({ "wildcard": { "monitor.name": format!("*{}", &long[..4_000]) } }), "");
}

#[track_caller]
fn check_order(keys: Value, expected: &str) {
    let order = CATALOG.order(&sort::from_json(&keys).unwrap()).unwrap();
    let documents = documents();
    let mut found: Vec<Found<'_>> =
        documents.iter().map(|(id, source)| Found { id, source }).collect();
    found.sort_by(|one, other| order.compare(*one, *other));
    assert_eq!(found.iter().map(|it| it.id).collect::<String>(), expected, "{keys}");
}

#[test]
fn hits_are_sorted_as_asked() {
    check_order(json!([]), "abc");
    check_order(json!("monitor.name.keyword"), "acb");
    check_order(json!([{ "monitor.name.keyword": "desc" }]), "bca");
    check_order(json!("monitor.last_update_time"), "bac");
    check_order(json!({ "monitor.last_update_time": "desc" }), "abc");
    check_order(
        json!({ "monitor.last_update_time": { "order": "asc", "missing": "_first" } }),
        "cba",
    );
    check_order(json!({ "monitor.last_update_time": { "order": "asc", "missing": 200 } }), "bca");
    check_order(json!([{ "monitor.enabled": "asc" }, { "monitor.name.keyword": "desc" }]), "bca");
    let refused = CATALOG.order(&sort::from_json(&json!("monitor.name")).unwrap()).unwrap_err();
    assert!(refused.reason().contains("[monitor.name.keyword]"), "{refused}");
}
