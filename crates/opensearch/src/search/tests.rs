//! Bodies and query strings of searches: what is read, and what is refused with which words.

use serde_json::json;

use super::*;

#[track_caller]
fn read(body: Value) -> SearchRequest {
    SearchRequest::from_json(&body).unwrap()
}

#[test]
fn empty_body_asks_for_ten_hits_of_everything() {
    assert_eq!(read(json!({})), SearchRequest::default());
    assert_eq!(read(Value::Null), SearchRequest::default());
    assert_eq!(SearchRequest::default().size, 10);
}

#[test]
fn every_option_is_read() {
    let request = read(json!({
        "from": 5, "size": "7", "sort": ["_doc"], "search_after": [3],
        "track_total_hits": 50, "track_scores": true, "min_score": 0.5, "timeout": "2s",
        "terminate_after": 9, "_source": ["a"], "stored_fields": "_none_",
        "fields": ["a", { "field": "b", "format": "epoch_millis" }],
        "docvalue_fields": [{ "field": "c" }], "collapse": { "field": "d" },
        "version": true, "seq_no_primary_term": "true", "indices_boost": [{ "i*": 2.5 }],
        "pit": { "id": "x", "keep_alive": "1m" }, "explain": false, "profile": false,
        "script_fields": {}, "ext": {}, "suggest": {}, "rescore": [],
        "query": { "match_all": {} }, "post_filter": { "match_all": {} }, "aggs": {},
        "highlight": { "fields": {} },
    }));
    assert_eq!((request.from, request.size), (5, 7));
    assert_eq!(request.sort.len(), 1);
    assert_eq!(request.search_after, Some(vec![json!(3)]));
    assert_eq!(request.track_total_hits, Some(TotalHits::UpTo(50)));
    assert!(request.track_scores && request.version && request.seq_no_primary_term);
    assert_eq!(request.min_score, Some(0.5));
    assert_eq!(request.timeout, Some(Duration::from_secs(2)));
    assert_eq!(request.terminate_after, Some(9));
    assert_eq!(request.source, Some(SourceFilter::new(vec!["a".into()], Vec::new())));
    assert_eq!(request.stored_fields, Some(StoredFields::None));
    assert_eq!(request.fields[1].pattern, "b");
    assert!(request.fields[0].format.is_none() && request.fields[1].format.is_some());
    assert_eq!(request.docvalue_fields[0].pattern, "c");
    assert_eq!(request.collapse.as_deref(), Some("d"));
    assert_eq!(request.indices_boost, [("i*".to_owned(), 2.5)]);
    let pit = request.pit.unwrap();
    assert_eq!((pit.id.as_str(), pit.keep_alive), ("x", Some(Duration::from_mins(1))));
    assert!(request.query.is_some() && request.post_filter.is_some());
    assert!(request.highlight.is_some());
}

#[test]
fn track_total_hits_has_many_spellings() {
    for (value, total) in [
        (json!(true), TotalHits::Exact),
        (json!("true"), TotalHits::Exact),
        (json!(-1), TotalHits::Exact),
        (json!(false), TotalHits::Untracked),
        (json!(0), TotalHits::UpTo(0)),
        (json!("12"), TotalHits::UpTo(12)),
    ] {
        let request = read(json!({ "track_total_hits": value }));
        assert_eq!(request.track_total_hits, Some(total), "{value}");
    }
}

#[test]
fn from_may_be_minus_one() {
    assert_eq!(read(json!({ "from": -1 })).from, 0);
    assert_eq!(read(json!({ "size": 1_000_000_000 })).size, 1_000_000_000);
}

#[track_caller]
fn refuse(body: Value, kind: ExceptionKind, reason: &str) {
    let refused = SearchRequest::from_json(&body).unwrap_err();
    assert_eq!((refused.kind(), refused.reason()), (kind, reason), "{body}");
}

#[test]
fn unknown_key_is_named_with_its_kind() {
    use ExceptionKind::Parsing;
    for (value, token) in [
        (json!({}), "START_OBJECT"),
        (json!([]), "START_ARRAY"),
        (json!("x"), "VALUE_STRING"),
        (json!(1), "VALUE_NUMBER"),
        (json!(true), "VALUE_BOOLEAN"),
        (json!(null), "VALUE_NULL"),
    ] {
        let reason = format!("Unknown key for a {token} in [match].");
        refuse(json!({ "match": value }), Parsing, &reason);
    }
    refuse(json!({ "size": {} }), Parsing, "Unknown key for a START_OBJECT in [size].");
    refuse(json!({ "query": [] }), Parsing, "Unknown key for a START_ARRAY in [query].");
    refuse(json!([]), Parsing, "Expected [START_OBJECT] but found [START_ARRAY]");
}

#[test]
fn wrong_values_are_refused() {
    use ExceptionKind::{IllegalArgument, XContentParse};
    let illegal = |body, reason| refuse(body, IllegalArgument, reason);
    illegal(json!({ "from": -5 }), "[from] parameter cannot be negative, found [-5]");
    illegal(json!({ "size": -1 }), "[size] parameter cannot be negative, found [-1]");
    illegal(json!({ "size": 1.5 }), "[size] must be a whole number of 64 bits, found [1.5]");
    illegal(
        json!({ "track_total_hits": -2 }),
        "[track_total_hits] parameter must be positive or equals to -1, got -2",
    );
    illegal(json!({ "search_after": [] }), "Values must contains at least one value.");
    illegal(json!({ "terminate_after": -1 }), "terminateAfter must be > 0");
    illegal(json!({ "stored_fields": ["_none_", "a"] }), "cannot combine _none_ with other fields");
    illegal(json!({ "collapse": {} }), "Required [field]");
    illegal(json!({ "fields": [{}] }), "Required [field]");
    illegal(
        json!({ "timeout": "5" }),
        "failed to parse setting [timeout] with value [5] as a time value: unit is missing or unrecognized",
    );
    let unknown = "[1:1] [collapse] unknown field [felid]";
    refuse(json!({ "collapse": { "felid": "a" } }), XContentParse, unknown);
}

#[test]
fn parts_that_are_not_there_are_refused_by_name() {
    use ExceptionKind::IllegalArgument;
    for (body, what) in [
        (json!({ "explain": true }), "[explain]"),
        (json!({ "profile": true }), "[profile]"),
        (json!({ "slice": { "id": 0, "max": 2 } }), "[slice] in a search"),
        (json!({ "rescore": { "query": {} } }), "[rescore] in a search"),
        (json!({ "suggest": { "s": {} } }), "[suggest] in a search"),
        (json!({ "script_fields": { "f": {} } }), "[script_fields] in a search"),
        (json!({ "ext": { "x": {} } }), "[ext] in a search"),
        (json!({ "collapse": { "field": "a", "inner_hits": {} } }), "collapse option [inner_hits]"),
    ] {
        refuse(body, IllegalArgument, &format!("{what} is not supported by this server"));
    }
}

#[test]
fn query_string_wins_over_the_body() {
    let mut request = read(json!({ "from": 1, "size": 2, "sort": "a", "_source": false }));
    let parameters = [
        ("size", "3"),
        ("sort", "b:desc"),
        ("_source_includes", "x,y"),
        ("track_total_hits", "true"),
        ("docvalue_fields", "c,d"),
        ("version", ""),
        ("timeout", "100ms"),
        ("pretty", "true"),
    ];
    request.apply_parameters(parameters.into_iter()).unwrap();
    assert_eq!((request.from, request.size), (1, 3));
    assert!(request.sort[0].descending);
    let filter = SourceFilter::new(vec!["x".into(), "y".into()], Vec::new());
    assert_eq!(request.source, Some(filter));
    assert_eq!(request.track_total_hits, Some(TotalHits::Exact));
    assert_eq!(request.docvalue_fields.len(), 2);
    assert!(request.version);
    assert_eq!(request.timeout, Some(Duration::from_millis(100)));
}

#[test]
fn wrong_parameters_are_refused() {
    for (key, value) in [
        ("size", "many"),
        ("from", "-2"),
        ("sort", "a:up"),
        ("track_total_hits", "-3"),
        ("version", "yes"),
        ("explain", "true"),
        ("timeout", "soon"),
    ] {
        let refused = SearchRequest::default().apply_parameters([(key, value)].into_iter());
        assert_eq!(refused.unwrap_err().kind(), ExceptionKind::IllegalArgument, "{key}={value}");
    }
}
