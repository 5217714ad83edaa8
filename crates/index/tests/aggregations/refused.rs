//! What is refused, with OpenSearch's types and words.

use std::sync::LazyLock;

use pampero_index::aggregation::AggregationLimits;
use serde_json::{Value, json};

use crate::kit::{Kit, mapping};

/// Three thousand documents with as many values.
static KIT: LazyLock<Kit> = LazyLock::new(|| {
    let documents = (0..3_000).map(|it| json!({ "count": it, "message": "m" })).collect();
    Kit::new(&mapping(), &[vec![documents]])
});

#[track_caller]
fn check(request: Value, kind: &str, words: &str) {
    let limits = AggregationLimits { bytes_max: 100_000, ..AggregationLimits::default() };
    let all = json!({ "match_all": {} });
    let refused = KIT.try_aggregate(&all, &json!({ "x": request }), false, &limits).unwrap_err();
    assert_eq!(refused.kind().as_str(), kind, "{refused}");
    assert!(refused.reason().contains(words), "{refused}");
}

#[test]
fn fields_that_cannot_be_aggregated_are_refused() {
    check(
        json!({ "terms": { "field": "message" } }),
        "illegal_argument_exception",
        "Text fields are not optimised for operations that require per-document field data",
    );
    check(
        json!({ "avg": { "field": "level" } }),
        "illegal_argument_exception",
        "Field [level] of type [keyword] is not supported for aggregation [avg]",
    );
    check(
        json!({ "terms": { "field": "count", "include": "a.*" } }),
        "illegal_argument_exception",
        "cannot support regular expression style include/exclude",
    );
    check(
        json!({ "terms": { "field": "level", "include": "(?i)info" } }),
        "illegal_argument_exception",
        "failed to parse regexp [(?i)info]: nothing to repeat at position 2",
    );
}

#[test]
fn too_many_buckets_are_refused_before_they_are_made() {
    check(
        json!({ "date_histogram": { "field": "at", "fixed_interval": "1ms",
            "extended_bounds": { "min": 0, "max": 1_777_680_000_000_i64 } } }),
        "too_many_buckets_exception",
        "Must be less than or equal to: [65535] but was [65536]",
    );
    check(
        json!({ "histogram": { "field": "temp", "interval": 1e-9,
            "extended_bounds": { "min": 0, "max": 1e9 } } }),
        "too_many_buckets_exception",
        "search.max_buckets",
    );
    check(
        json!({ "terms": { "field": "count" } }),
        "circuit_breaking_exception",
        "[request] Data too large",
    );
}
