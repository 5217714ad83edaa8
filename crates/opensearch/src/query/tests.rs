//! Tests of reading the query DSL.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn read(query: Value) -> Query {
    Query::from_json(&query).unwrap_or_else(|refusal| panic!("{query}: {refusal}"))
}

#[track_caller]
fn check_refusal(query: Value, kind: ExceptionKind, reason: &str) {
    let refusal = Query::from_json(&query).expect_err(&query.to_string());
    assert_eq!(refusal.kind(), kind, "{query}: {refusal}");
    assert!(refusal.reason().contains(reason), "{query}: {refusal}");
}

#[test]
fn short_and_long_forms_say_the_same() {
    for (short, long) in [
        (json!({ "match": { "f": "a" } }), json!({ "match": { "f": { "query": "a" } } })),
        (
            json!({ "match_phrase": { "f": "a" } }),
            json!({ "match_phrase": { "f": { "query": "a", "slop": 0 } } }),
        ),
        (json!({ "term": { "f": 1 } }), json!({ "term": { "f": { "value": 1 } } })),
        (json!({ "prefix": { "f": "a" } }), json!({ "prefix": { "f": { "value": "a" } } })),
        (json!({ "wildcard": { "f": "a" } }), json!({ "wildcard": { "f": { "wildcard": "a" } } })),
        (
            json!({ "fuzzy": { "f": "a" } }),
            json!({ "fuzzy": { "f": { "value": "a", "fuzziness": "AUTO" } } }),
        ),
        (
            json!({ "bool": { "must": { "match_all": {} } } }),
            json!({ "bool": { "must": [{ "match_all": {} }], "boost": 1 } }),
        ),
        (
            json!({ "range": { "f": { "gt": 1, "lte": 2 } } }),
            json!({ "range": { "f": { "from": 1, "to": 2, "include_lower": false } } }),
        ),
    ] {
        assert_eq!(read(short.clone()), read(long), "{short}");
    }
}

#[test]
fn every_clause_takes_a_boost_and_a_name() {
    for query in [
        json!({ "match_all": { "boost": 2, "_name": "q" } }),
        json!({ "match_none": { "boost": 2, "_name": "q" } }),
        json!({ "match": { "f": { "query": "a", "boost": 2, "_name": "q" } } }),
        json!({ "match_phrase": { "f": { "query": "a", "boost": "2", "_name": "q" } } }),
        json!({ "match_phrase_prefix": { "f": { "query": "a", "boost": 2, "_name": "q" } } }),
        json!({ "match_bool_prefix": { "f": { "query": "a", "boost": 2, "_name": "q" } } }),
        json!({ "multi_match": { "query": "a", "boost": 2, "_name": "q" } }),
        json!({ "term": { "f": { "value": "a", "boost": 2, "_name": "q" } } }),
        json!({ "term": { "f": "a", "boost": 2, "_name": "q" } }),
        json!({ "terms": { "f": ["a"], "boost": 2, "_name": "q" } }),
        json!({ "range": { "f": { "gte": 1, "boost": 2 }, "_name": "q" } }),
        json!({ "exists": { "field": "f", "boost": 2, "_name": "q" } }),
        json!({ "prefix": { "f": { "value": "a", "boost": 2, "_name": "q" } } }),
        json!({ "wildcard": { "f": { "value": "a", "boost": 2, "_name": "q" } } }),
        json!({ "regexp": { "f": { "value": "a", "boost": 2, "_name": "q" } } }),
        json!({ "fuzzy": { "f": { "value": "a", "boost": 2, "_name": "q" } } }),
        json!({ "ids": { "values": ["1"], "boost": 2, "_name": "q" } }),
        json!({ "bool": { "boost": 2, "_name": "q" } }),
        json!({ "constant_score": { "filter": { "match_all": {} }, "boost": 2, "_name": "q" } }),
        json!({ "dis_max": { "queries": { "match_all": {} }, "boost": 2, "_name": "q" } }),
        json!({ "query_string": { "query": "a", "boost": 2, "_name": "q" } }),
        json!({ "simple_query_string": { "query": "a", "boost": 2, "_name": "q" } }),
    ] {
        let read = read(query.clone());
        assert_eq!((read.boost, read.name.as_deref()), (2.0, Some("q")), "{query}");
    }
}

#[test]
fn named_queries_are_found_at_any_depth() {
    let named = |name: &str| json!({ "match_all": { "_name": name } });
    let query = read(json!({ "bool": {
        "_name": "outer",
        "must": named("a"),
        "should": [{ "constant_score": { "filter": named("b") } }],
        "must_not": { "dis_max": { "queries": [named("c")] } },
        "filter": { "boosting": { "positive": named("d"), "negative": named("e"), "negative_boost": 0 } },
    } }));
    let names: Vec<&str> = query.named().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["outer", "a", "d", "e", "b", "c"]);
}

#[test]
fn what_is_no_query_is_refused_in_opensearchs_words() {
    use ExceptionKind::{IllegalArgument, Parsing};
    for (query, kind, reason) in [
        (json!([]), Parsing, "query malformed"),
        (json!({}), IllegalArgument, "query malformed, empty clause found"),
        (
            json!({ "match": "a" }),
            Parsing,
            "[match] query malformed, no start_object after query name",
        ),
        (json!({ "mach": {} }), Parsing, "unknown query [mach] did you mean [match]?"),
        (json!({ "zzz": {} }), Parsing, "unknown query [zzz]"),
        (
            json!({ "match": { "f": "a" }, "term": { "f": "a" } }),
            Parsing,
            "[match] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
        ),
        (json!({ "geo_shape": {} }), IllegalArgument, "query [geo_shape] is not supported"),
        (json!({ "knn": {} }), IllegalArgument, "query [knn] is not supported"),
        (
            json!({ "range": { "f": { "foo": 1 } } }),
            Parsing,
            "[range] query does not support [foo]",
        ),
        (
            json!({ "match": { "f": { "query": "a", "foo": 1 } } }),
            Parsing,
            "[match] query does not support [foo]",
        ),
        (json!({ "bool": { "foo": [] } }), Parsing, "[bool] query does not support [foo]"),
        (json!({ "match_all": { "foo": 1 } }), Parsing, "[match_all] query does not support [foo]"),
        (
            json!({ "term": { "f": "a", "g": "b" } }),
            Parsing,
            "[term] query doesn't support multiple fields, found [f] and [g]",
        ),
        (
            json!({ "term": { "f": ["a"] } }),
            Parsing,
            "[term] query does not support array of values",
        ),
        (json!({ "term": { "f": null } }), IllegalArgument, "value cannot be null"),
        (json!({ "term": {} }), IllegalArgument, "requires a field name"),
        (
            json!({ "terms": { "f": { "index": "i", "id": "1", "path": "p" } } }),
            IllegalArgument,
            "query [terms] with a lookup",
        ),
        (json!({ "terms": { "f": ["a"], "g": ["b"] } }), Parsing, "multiple fields"),
        (json!({ "terms": {} }), Parsing, "requires a field name, followed by array of terms"),
        (json!({ "exists": {} }), Parsing, "[exists] must be provided with a [field]"),
        (json!({ "match": { "f": { "operator": "and" } } }), Parsing, "requires query value"),
        (
            json!({ "match": { "f": { "query": "a", "operator": "xor" } } }),
            IllegalArgument,
            "[OR] or [AND]",
        ),
        (
            json!({ "match": { "f": { "query": "a", "boost": -1 } } }),
            IllegalArgument,
            "negative [boost]",
        ),
        (
            json!({ "match": { "f": { "query": "a", "boost": "much" } } }),
            Parsing,
            "[boost] must be a number",
        ),
        (
            json!({ "match": { "f": { "query": "a", "analyzer": "klingon" } } }),
            IllegalArgument,
            "analyzer [klingon] not found",
        ),
        (
            json!({ "match": { "f": { "query": "a", "fuzziness": 3 } } }),
            IllegalArgument,
            "as a fuzziness",
        ),
        (
            json!({ "bool": { "minimum_should_match": "most" } }),
            IllegalArgument,
            "[minimum_should_match]",
        ),
        (json!({ "constant_score": {} }), Parsing, "requires a 'filter' element"),
        (json!({ "dis_max": {} }), Parsing, "requires 'queries' field"),
        (
            json!({ "boosting": { "positive": { "match_all": {} } } }),
            Parsing,
            "requires 'negative' to be set",
        ),
        (json!({ "regexp": { "f": "a".repeat(1001) } }), IllegalArgument, "length of regex [1001]"),
        (
            json!({ "query_string": { "fields": ["f"] } }),
            Parsing,
            "must be provided with a [query]",
        ),
        (json!({ "query_string": { "query": "a", "fields": null } }), Parsing, "[fields]"),
        (json!({ "simple_query_string": {} }), Parsing, "query text missing"),
        (json!({ "multi_match": { "fields": ["f"] } }), Parsing, "No text specified"),
        (
            json!({ "multi_match": { "query": "a", "type": "worst_fields" } }),
            Parsing,
            "query type [worst_fields]",
        ),
        (
            json!({ "multi_match": { "query": "a", "type": "phrase", "fuzziness": 1 } }),
            Parsing,
            "Fuzziness not allowed for type [phrase]",
        ),
        (
            json!({ "multi_match": { "query": "a", "fields": ["f^x"] } }),
            IllegalArgument,
            "boost of [f^x]",
        ),
    ] {
        check_refusal(query, kind, reason);
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let nested = |levels: usize| {
        (1..levels)
            .fold(json!({ "match_all": {} }), |inner, _| json!({ "bool": { "must": inner } }))
    };
    read(nested(DEPTH_MAX));
    check_refusal(nested(DEPTH_MAX + 1), ExceptionKind::IllegalArgument, "nested depth");
    let many =
        |count: usize| json!({ "bool": { "should": vec![json!({ "match_all": {} }); count] } });
    read(many(CLAUSES_MAX - 1));
    check_refusal(
        many(CLAUSES_MAX),
        ExceptionKind::TooManyClauses,
        "maxClauseCount is set to 1024",
    );
    read(json!({ "terms": { "f": vec![1; 65_536] } }));
    check_refusal(
        json!({ "terms": { "f": vec![1; 65_537] } }),
        ExceptionKind::IllegalArgument,
        "The number of terms [65537]",
    );
}

/// Makes values out of the words of the DSL, most of which are no queries.
fn any_query() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(
        KNOWN
            .into_iter()
            .chain([
                "f", "query", "value", "gte", "boost", "fields", "must", "_name", "values", "*",
            ])
            .collect::<Vec<_>>(),
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..3).prop_map(|entries| {
                Value::Object(entries.into_iter().map(|(key, it)| (key.to_owned(), it)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_panics(query in any_query()) {
        let _ = Query::from_json(&query);
    }
}
