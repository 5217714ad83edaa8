//! How aggregations are read, and which are refused in which words.

#![expect(clippy::unwrap_used, reason = "a test may fail by it")]

use pampero_opensearch::aggregation::{
    AggregationKind, Aggregations, CalendarUnit, DEPTH_MAX, Interval, Order, OrderKey,
};
use serde_json::{Value, json};

fn read(body: &Value) -> AggregationKind {
    let aggregations = Aggregations::from_json(&json!({ "x": body })).unwrap();
    aggregations.get("x").unwrap().kind.clone()
}

#[track_caller]
fn check_refused(aggregations: Value, kind: &str, words: &str) {
    let refused = Aggregations::from_json(&aggregations).unwrap_err();
    assert_eq!((refused.kind().as_str(), refused.status()), (kind, 400), "{refused}");
    assert!(refused.reason().contains(words), "{refused}");
}

#[test]
fn bodies_that_are_no_aggregations_are_refused() {
    let parsing = "parsing_exception";
    check_refused(
        json!({ "x": { "term": { "field": "a" } } }),
        parsing,
        "Unknown aggregation type [term] did you mean [terms]?",
    );
    check_refused(
        json!({ "x": { "terms": { "field": "a" }, "avg": { "field": "a" } } }),
        parsing,
        "Found two aggregation type definitions in [x]",
    );
    check_refused(
        json!({ "x": { "aggs": {} } }),
        parsing,
        "Missing definition for aggregation [x]",
    );
    check_refused(json!({ "x": 1 }), parsing, "starts with a [VALUE_NUMBER]");
    check_refused(
        json!({ "x": { "terms": [] } }),
        parsing,
        "Expected [START_OBJECT] under [terms]",
    );
    for name in ["a>b", "a[b", "a]b", ""] {
        check_refused(
            json!({ (name): { "terms": { "field": "a" } } }),
            parsing,
            "Aggregation names can contain any character except '[', ']', and '>'",
        );
    }
    check_refused(
        json!({ "x": { "terms": { "field": "a", "sise": 1 } } }),
        "x_content_parse_exception",
        "[terms] unknown field [sise] did you mean [size]?",
    );
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let illegal = "illegal_argument_exception";
    check_refused(
        json!({ "x": { "avg": {} } }),
        illegal,
        "Required one of fields [field, script], but none were specified. ",
    );
    check_refused(
        json!({ "x": { "terms": { "field": "a", "size": 0 } } }),
        illegal,
        "[size] must be",
    );
    check_refused(
        json!({ "x": { "terms": { "field": "a", "order": { "y": "asc" } } } }),
        illegal,
        "Invalid aggregation order path [y]",
    );
    check_refused(
        json!({ "x": { "date_histogram": { "field": "a", "calendar_interval": "2d" } } }),
        illegal,
        "The supplied interval [2d] could not be parsed as a calendar interval.",
    );
    check_refused(
        json!({ "x": { "date_histogram": { "field": "a", "interval": "1d", "fixed_interval": "1d" } } }),
        illegal,
        "Cannot use [interval] with [fixed_interval] or [calendar_interval] configuration options.",
    );
    check_refused(
        json!({ "x": { "filters": { "filters": [] } } }),
        illegal,
        "[filters] cannot be empty",
    );
    check_refused(
        json!({ "x": { "avg": { "field": "a" }, "aggs": { "y": { "avg": { "field": "b" } } } } }),
        illegal,
        "cannot accept sub-aggregations",
    );
    check_refused(
        json!({ "x": { "max_bucket": { "buckets_path": "nothing>a" } } }),
        illegal,
        "buckets_path aggregation does not exist",
    );
}

#[test]
fn what_this_server_cannot_is_refused_by_name() {
    for (kind, options) in [
        ("nested", json!({ "path": "a" })),
        ("bucket_script", json!({})),
        ("bucket_selector", json!({})),
        ("moving_fn", json!({})),
        ("significant_terms", json!({ "field": "a" })),
    ] {
        let words = format!("aggregation [{kind}] is not supported by this server");
        check_refused(json!({ "x": { (kind): options } }), "illegal_argument_exception", &words);
    }
    check_refused(
        json!({ "x": { "avg": { "script": "1" } } }),
        "illegal_argument_exception",
        "[script] in aggregation [avg] is not supported by this server",
    );
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| {
        (1..levels).fold(
            json!({ "a": { "terms": { "field": "f" } } }),
            |inner, _| json!({ "a": { "terms": { "field": "f" }, "aggs": inner } }),
        )
    };
    assert!(Aggregations::from_json(&nested(DEPTH_MAX)).is_ok());
    check_refused(
        nested(DEPTH_MAX + 1),
        "illegal_argument_exception",
        "more than [30] levels deep",
    );
}

#[test]
fn intervals_are_read_as_they_are_spelled() {
    let check = |key: &str, value: Value, expected: Interval| {
        let mut body = json!({ "date_histogram": { "field": "at" } });
        body["date_histogram"][key] = value;
        let AggregationKind::DateHistogram(histogram) = read(&body) else { panic!("{body}") };
        assert_eq!(histogram.interval, expected, "{body}");
    };
    check("interval", json!("month"), Interval::Calendar(CalendarUnit::Month));
    check("interval", json!("1d"), Interval::Calendar(CalendarUnit::Day));
    check("interval", json!("100ms"), Interval::Fixed(100));
    check("interval", json!(5_000), Interval::Fixed(5_000));
    check("fixed_interval", json!("2d"), Interval::Fixed(172_800_000));
    check("calendar_interval", json!("1q"), Interval::Calendar(CalendarUnit::Quarter));
}

#[test]
fn orders_are_read_in_all_their_forms() {
    let check = |order: Value, expected: &[(OrderKey, bool)]| {
        let body = json!({ "x": {
            "terms": { "field": "a", "order": order },
            "aggs": { "s": { "stats": { "field": "b" } } },
        } });
        let read = Aggregations::from_json(&body).unwrap();
        let AggregationKind::Terms(terms) = &read.get("x").unwrap().kind else { panic!("{body}") };
        let expected: Vec<Order> = expected
            .iter()
            .map(|(key, descending)| Order { key: key.clone(), descending: *descending })
            .collect();
        assert_eq!(terms.order, expected, "{body}");
    };
    check(json!({ "_term": "asc" }), &[(OrderKey::Key, false)]);
    check(json!({ "s.max": "desc" }), &[(OrderKey::Path("s.max".to_owned()), true)]);
    check(
        json!([{ "_count": "asc" }, { "_key": "desc" }]),
        &[(OrderKey::Count, false), (OrderKey::Key, true)],
    );
}
