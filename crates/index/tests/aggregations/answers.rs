//! Answers by example, in the shapes that OpenSearch gives them.

use std::sync::LazyLock;

use pampero_index::aggregation::AggregationLimits;
use serde_json::{Value, json};

use crate::kit::{Kit, assert_same, mapping};

/// Six documents in three segments of two indices, which the tests share.
fn kit() -> &'static Kit {
    static KIT: LazyLock<Kit> = LazyLock::new(make_kit);
    &KIT
}

fn make_kit() -> Kit {
    let document = |level: &str, count: i64, temp: f64, at: &str| json!({ "level": level, "count": count, "temp": temp, "at": at });
    let mut first = document("error", 1, 1.5, "2026-05-01T10:10:00Z");
    first["ok"] = json!(true);
    first["ip"] = json!("10.0.0.1");
    Kit::new(
        &mapping(),
        &[
            vec![
                vec![first, document("info", 2, 2.5, "2026-05-01T10:50:00Z")],
                vec![document("error", 3, -4.0, "2026-05-01T12:20:00Z")],
            ],
            vec![vec![
                document("warn", 4, 8.0, "2026-05-01T12:30:00Z"),
                document("error", 5, 0.5, "2026-05-02T00:00:00Z"),
                json!({ "level": "info", "count": [6, 60] }),
            ]],
        ],
    )
}

#[track_caller]
fn check(request: Value, expected: Value) {
    let found = kit().aggregate(&json!({ "x": request.clone() }));
    assert_same(&found["x"], &expected, &request.to_string());
}

#[test]
fn terms_are_ordered_by_what_is_inside_them() {
    let key = |level: &str, count: u64, max: f64| json!({ "key": level, "doc_count": count, "s": { "value": max } });
    let answer = |buckets: Value, other: u64| json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": buckets });
    let inner = json!({ "s": { "max": { "field": "count" } } });
    check(
        json!({ "terms": { "field": "level", "order": { "s": "desc" }, "size": 2 }, "aggs": inner }),
        answer(json!([key("info", 2, 60.0), key("error", 3, 5.0)]), 1),
    );
    check(
        json!({ "terms": { "field": "level", "order": [{ "_count": "asc" }, { "s.value": "asc" }] },
            "aggs": inner }),
        answer(json!([key("warn", 1, 4.0), key("info", 2, 60.0), key("error", 3, 5.0)]), 0),
    );
    check(
        json!({ "terms": { "field": "level", "include": "e.*|w.*", "exclude": ["error"] } }),
        answer(json!([{ "key": "warn", "doc_count": 1 }]), 0),
    );
}

#[test]
fn terms_are_chosen_by_expressions_of_lucene() {
    let keys = |rule: &str, pattern: &str| {
        let request = json!({ "x": { "terms": { "field": "level", rule: pattern } } });
        let found = kit().aggregate(&request);
        let buckets = found["x"]["buckets"].as_array().unwrap();
        buckets.iter().map(|it| it["key"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("include", "@r@"), "error warn");
    assert_eq!(keys("include", "\"info\"|w.{3}"), "info warn");
    assert_eq!(keys("exclude", "\\w+r|#"), "info warn");
    // Signs of other languages stand for themselves.
    assert_eq!(keys("include", "^info$|warn"), "warn");
}

#[test]
fn terms_without_documents_are_shown_when_none_are_needed() {
    let request = json!({ "x": { "terms": { "field": "level", "min_doc_count": 0 } } });
    let found = kit().aggregate_found(&json!({ "term": { "level": "warn" } }), &request);
    let counts: Vec<(&str, u64)> = found["x"]["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["key"].as_str().unwrap(), it["doc_count"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("warn", 1), ("error", 0), ("info", 0)]);
}

#[test]
fn special_keys_are_written_as_people_write_them() {
    let keys = |request: Value| {
        let found = kit().aggregate(&json!({ "x": { "terms": request } }));
        found["x"]["buckets"][0].clone()
    };
    assert_eq!(
        keys(json!({ "field": "ok" })),
        json!({ "key": 1, "key_as_string": "true", "doc_count": 1 })
    );
    assert_eq!(keys(json!({ "field": "ip" })), json!({ "key": "10.0.0.1", "doc_count": 1 }));
    assert_eq!(
        keys(json!({ "field": "at", "order": { "_key": "asc" } })),
        json!({ "key": 1_777_630_200_000_i64, "key_as_string": "2026-05-01T10:10:00.000Z", "doc_count": 1 })
    );
}

#[test]
fn date_histograms_show_empty_buckets_within_their_bounds() {
    let hour = |hour: u32, count: u64| {
        let text = format!("2026-05-01T{hour:02}:00:00.000Z");
        let key = text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        json!({ "key": key, "key_as_string": text, "doc_count": count })
    };
    check(
        json!({ "date_histogram": {
            "field": "at", "interval": "1h",
            "extended_bounds": { "min": "2026-05-01T09:30:00Z" },
            "hard_bounds": { "max": "2026-05-01T13:00:00Z" },
        } }),
        json!({ "buckets": [hour(9, 0), hour(10, 2), hour(11, 0), hour(12, 2)] }),
    );
    check(
        json!({ "date_histogram": {
            "field": "at", "fixed_interval": "1d", "min_doc_count": 2, "format": "yyyy-MM-dd",
            "keyed": true,
        } }),
        json!({ "buckets": { "2026-05-01": {
            "key": 1_777_593_600_000_i64, "key_as_string": "2026-05-01", "doc_count": 4,
        } } }),
    );
}

#[test]
fn a_bucket_below_zero_is_not_that_of_missing_values() {
    let bucket = |key: f64, count: u64| json!({ "key": key, "doc_count": count });
    check(
        json!({ "histogram": { "field": "temp", "interval": 10, "missing": 25 } }),
        json!({ "buckets": [bucket(-10.0, 1), bucket(0.0, 4), bucket(10.0, 0), bucket(20.0, 1)] }),
    );
}

#[test]
fn automatic_date_histograms_choose_their_width() {
    let found = kit().aggregate(&json!({ "x": {
        "auto_date_histogram": { "field": "at", "buckets": 5 },
        "aggs": { "c": { "sum": { "field": "count" } } },
    } }));
    assert_eq!(found["x"]["interval"], "3h");
    let counts: Vec<(u64, f64)> = found["x"]["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["doc_count"].as_u64().unwrap(), it["c"]["value"].as_f64().unwrap()))
        .collect();
    assert_eq!(counts, [(4, 10.0), (0, 0.0), (0, 0.0), (0, 0.0), (1, 5.0)]);
}

#[test]
fn ranges_and_filters_name_their_buckets() {
    check(
        json!({ "range": { "field": "count", "ranges": [{ "from": 3 }, { "to": 3 }] } }),
        json!({ "buckets": [
            { "key": "*-3.0", "to": 3.0, "doc_count": 2 },
            { "key": "3.0-*", "from": 3.0, "doc_count": 4 },
        ] }),
    );
    check(
        json!({ "date_range": { "field": "at", "format": "yyyy-MM-dd", "ranges": [
            { "from": "2026-05-02||/d", "key": "later" },
        ] } }),
        json!({ "buckets": [{
            "key": "later", "from": 1_777_680_000_000.0, "from_as_string": "2026-05-02",
            "doc_count": 1,
        }] }),
    );
    check(
        json!({ "filters": { "filters": [{ "term": { "level": "warn" } }], "other_bucket_key": "o" } }),
        json!({ "buckets": [{ "doc_count": 1 }, { "doc_count": 5 }] }),
    );
}

#[test]
fn composite_pages_go_through_all_combinations() {
    let sources = json!([
        { "l": { "terms": { "field": "level", "order": "desc" } } },
        { "d": { "date_histogram": { "field": "at", "calendar_interval": "day",
            "missing_bucket": true } } },
    ]);
    let (mut after, mut keys) = (Value::Null, Vec::new());
    loop {
        let found = kit().aggregate(&json!({ "x": {
            "composite": { "sources": sources, "size": 2, "after": after },
        } }));
        let buckets = found["x"]["buckets"].as_array().unwrap();
        keys.extend(
            buckets.iter().map(|it| json!([it["key"]["l"], it["key"]["d"], it["doc_count"]])),
        );
        match found["x"].get("after_key") {
            Some(key) => after = key.clone(),
            None => break,
        }
    }
    let (first, second) = (1_777_593_600_000_i64, 1_777_680_000_000_i64);
    assert_eq!(
        Value::Array(keys),
        json!([
            ["warn", first, 1],
            ["info", null, 1],
            ["info", first, 1],
            ["error", first, 2],
            ["error", second, 1],
        ])
    );
}

#[test]
fn several_terms_make_one_key() {
    let found = kit().aggregate(&json!({ "x": { "multi_terms": {
        "terms": [{ "field": "level" }, { "field": "count" }], "size": 1,
    } } }));
    assert_same(
        &found["x"],
        &json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 6, "buckets": [
            { "key": ["error", 1], "key_as_string": "error|1", "doc_count": 1 },
        ] }),
        "multi_terms",
    );
}

#[test]
fn metrics_say_so_when_there_is_nothing() {
    let nothing = json!({ "term": { "level": "none" } });
    let check = |request: Value, expected: Value| {
        let found = kit().aggregate_found(&nothing, &json!({ "x": request.clone() }));
        assert_same(&found["x"], &expected, &request.to_string());
    };
    check(json!({ "avg": { "field": "count" } }), json!({ "value": null }));
    check(json!({ "sum": { "field": "count" } }), json!({ "value": 0.0 }));
    check(
        json!({ "stats": { "field": "count" } }),
        json!({ "count": 0, "min": null, "max": null, "avg": null, "sum": 0.0 }),
    );
    check(
        json!({ "percentiles": { "field": "count", "percents": [50], "keyed": false } }),
        json!({ "values": [{ "key": 50.0, "value": null }] }),
    );
    check(
        json!({ "terms": { "field": "not.mapped" } }),
        json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": [] }),
    );
}

#[test]
fn other_metrics_are_right() {
    check(
        json!({ "max": { "field": "at" } }),
        json!({ "value": 1_777_680_000_000.0, "value_as_string": "2026-05-02T00:00:00.000Z" }),
    );
    check(
        json!({ "weighted_avg": { "value": { "field": "temp" }, "weight": { "field": "count" } } }),
        json!({ "value": (1.5 + 5.0 - 12.0 + 32.0 + 2.5) / 15.0 }),
    );
    check(
        json!({ "percentile_ranks": { "field": "temp", "values": [1.5, 100] } }),
        json!({ "values": { "1.5": 50.0, "100.0": 100.0 } }),
    );
    let found =
        kit().aggregate(&json!({ "x": { "extended_stats": { "field": "temp", "sigma": 1 } } }));
    assert_same(&found["x"]["variance"], &json!(14.86), "variance");
    assert_same(&found["x"]["variance_sampling"], &json!(18.575), "variance of a sample");
    let upper = 1.7 + 14.86_f64.sqrt();
    assert_same(&found["x"]["std_deviation_bounds"]["upper"], &json!(upper), "upper bound");
}

#[test]
fn top_hits_show_the_first_documents_of_each_bucket() {
    let found = kit().aggregate(&json!({ "x": {
        "terms": { "field": "level", "size": 1 },
        "aggs": { "newest": { "top_hits": {
            "size": 1, "sort": [{ "at": "desc" }], "_source": ["count"],
        } } },
    } }));
    assert_eq!(
        found["x"]["buckets"][0]["newest"],
        json!({ "hits": { "total": { "value": 3, "relation": "eq" }, "max_score": null, "hits": [{
            "_index": "logs-1", "_id": "5", "_score": null, "_source": { "count": 5 },
            "sort": [1_777_680_000_000_i64],
        }] } })
    );
}

#[test]
fn pipelines_read_the_buckets_beside_and_around_them() {
    let found = kit().aggregate(&json!({
        "days": {
            "date_histogram": { "field": "at", "calendar_interval": "day" },
            "aggs": {
                "c": { "sum": { "field": "count" } },
                "change": { "derivative": { "buckets_path": "c" } },
                "sofar": { "cumulative_sum": { "buckets_path": "_count" } },
            },
        },
        "best": { "max_bucket": { "buckets_path": "days>c" } },
        "mean": { "avg_bucket": { "buckets_path": "days>_count" } },
    }));
    let days = &found["days"]["buckets"];
    assert_eq!(days[0].get("change"), None);
    assert_eq!(days[1]["change"], json!({ "value": -5.0 }));
    assert_eq!(
        [&days[0]["sofar"]["value"], &days[1]["sofar"]["value"]],
        [&json!(4.0), &json!(5.0)]
    );
    assert_eq!(found["best"], json!({ "value": 10.0, "keys": ["2026-05-01T00:00:00.000Z"] }));
    assert_eq!(found["mean"], json!({ "value": 2.5 }));
    let sorted = kit().aggregate(&json!({ "x": {
        "terms": { "field": "level" },
        "aggs": {
            "c": { "max": { "field": "count" } },
            "s": { "bucket_sort": { "sort": [{ "c": "desc" }], "from": 1, "size": 1 } },
        },
    } }));
    let buckets = sorted["x"]["buckets"].as_array().unwrap();
    assert_eq!(buckets.iter().map(|it| it["key"].as_str().unwrap()).collect::<Vec<_>>(), ["error"]);
}

#[test]
fn global_looks_past_the_query_and_names_carry_types() {
    let request = json!({
        "all": { "global": {}, "meta": { "a": 1 }, "aggs": { "l": { "terms": { "field": "level", "size": 1 } } } },
        "n": { "value_count": { "field": "count" } },
    });
    let query = json!({ "term": { "level": "warn" } });
    let limits = AggregationLimits::default();
    let found = kit().try_aggregate(&query, &request, true, &limits).unwrap();
    assert_eq!(found["global#all"]["doc_count"], 6);
    assert_eq!(found["global#all"]["meta"], json!({ "a": 1 }));
    assert_eq!(found["global#all"]["sterms#l"]["buckets"][0]["key"], "error");
    assert_eq!(found["value_count#n"]["value"], 1);
}
