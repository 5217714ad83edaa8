//! Queries of the DSL over documents in an index: which of them are found, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::LazyLock;

use jiff::Timestamp;
use pampero_index::query::{QueryContext, build};
use pampero_index::{Action, IndexOptions, Indices, Operation, Snapshot, VersionCheck};
use pampero_opensearch::query::Query;
use pampero_opensearch::{Exception, Mapping};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tantivy::collector::{Count, TopDocs};
use tantivy::schema::Value as _;
use tantivy::{Score, TantivyDocument};

/// 2026-08-21T10:07:42.500Z.
const NOW_MS: i64 = 1_787_306_862_500;

struct Scene {
    snapshot: Snapshot,
    now: Timestamp,
}

/// The documents, in two segments; their ids are `1`, `2` and so on.
fn documents() -> Vec<Value> {
    vec![
        json!({
            "message": "Sensor-12 Timed_Out after 10.5mm of rain", "level": "ERROR",
            "station": "K12", "temp": 21.5, "hits": 3, "ok": true, "big": 18_446_744_073_709_551_615_u64,
            "@timestamp": "2026-08-21T10:02:30.000Z", "ip": "10.1.2.3", "ratio": 0.1,
            "error": { "code": "E1" }, "labels": { "zone": "south" },
        }),
        json!({
            "message": "wind gust of the west, rain later", "level": "WARN",
            "station": "K13", "temp": -3.25, "hits": 7, "ok": false, "big": 5,
            "@timestamp": "2026-08-21T10:03:00.000Z", "ip": "192.168.0.7", "tags": ["a", "b"],
            "labels": { "zone": "north" },
        }),
        json!({
            "message": "timed out", "level": "ERROR", "station": "L2", "temp": 5, "hits": [1, 40],
            "@timestamp": "2026-08-20T23:59:59.999Z", "nanos": "2026-08-21T10:00:00.000000001Z",
            "ip": "2001:db8::1", "error": { "code": "E2" },
        }),
        json!({
            "message": "out of time: gust of wind", "level": "info", "station": "k12",
            "@timestamp": "2026-07-31T12:00:00Z", "tags": "c", "title": "rain",
            "note": "x".repeat(300),
        }),
        json!({ "message": "", "level": "DEBUG", "station": "a*b?c\\d", "hits": 0, "temp": null }),
        json!({
            "message": ["first value", "second value"], "level": "INFO", "title": "the sensor rain",
            "back\\slash": "odd", "back\\count": 3, "back\\part": 1.5, "ok": "true",
        }),
    ]
}

fn mapping() -> Value {
    json!({ "properties": {
        "message": { "type": "text" },
        "title": { "type": "text" },
        "level": { "type": "text", "fields": { "keyword": { "type": "keyword" } } },
        "station": { "type": "keyword" },
        "note": { "type": "keyword", "ignore_above": 256 },
        "temp": { "type": "double" },
        "ratio": { "type": "float" },
        "hits": { "type": "integer" },
        "big": { "type": "unsigned_long" },
        "ok": { "type": "boolean" },
        "@timestamp": { "type": "date" },
        "nanos": { "type": "date_nanos" },
        "ip": { "type": "ip" },
        "labels": { "type": "flat_object" },
        "secret": { "type": "text", "index": false },
        "where": { "type": "alias", "path": "station" },
    } })
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let now = Timestamp::from_millisecond(NOW_MS).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
    let mapping = Mapping::from_json(&mapping()).unwrap();
    let index = indices.create("weather_logs", Map::new(), mapping, now).unwrap();
    for (at, document) in documents().into_iter().enumerate() {
        let operation = Operation {
            id: Some((at + 1).to_string()),
            action: Action::Index(document.to_string().into()),
            routing: None,
            check: VersionCheck::None,
        };
        for written in index.write(vec![operation], now) {
            written.unwrap();
        }
        if at == 2 {
            index.refresh().unwrap();
        }
    }
    index.refresh().unwrap();
    Scene { snapshot: index.snapshot(now).unwrap(), now }
});

impl Scene {
    /// Returns the ids of what a query finds with their scores, in the order of the ids.
    fn find(&self, query: &Value) -> Result<Vec<(String, Score)>, Exception> {
        let query = Query::from_json(query)?;
        let context = QueryContext {
            index: "weather_logs",
            mapping: &self.snapshot.mapping,
            layout: &self.snapshot.layout,
            now: self.now,
        };
        let built = build(&query, context)?;
        let searcher = &self.snapshot.searcher;
        let top = TopDocs::with_limit(100).order_by_score();
        let (hits, count) = searcher.search(&*built, &(top, Count)).unwrap();
        // What is counted without scores is the same.
        assert_eq!(searcher.search(&*built, &Count).unwrap(), count);
        assert_eq!(built.count(searcher).unwrap(), count);
        let mut found: Vec<(String, Score)> = hits
            .into_iter()
            .map(|(score, address)| {
                let document: TantivyDocument = searcher.doc(address).unwrap();
                let id = document.get_first(self.snapshot.layout.id).unwrap();
                (id.as_str().unwrap().to_owned(), score)
            })
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(found)
    }
}

/// Asserts which documents a query finds.
#[track_caller]
fn check(query: Value, ids: &[&str]) {
    let found = SCENE.find(&query).unwrap_or_else(|refusal| panic!("{query}: {refusal}"));
    let found: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(found, ids, "{query}");
}

/// Asserts how a query is refused: the type, what its reason holds, and what its cause's does.
#[track_caller]
fn check_refusal(query: Value, kind: &str, reason: &str, cause: &str) {
    let refusal = SCENE.find(&query).expect_err(&query.to_string());
    assert_eq!(refusal.kind().as_str(), kind, "{query}: {refusal}");
    assert!(refusal.reason().contains(reason), "{query}: {refusal}");
    let of_cause = refusal.cause().map(|cause| cause.reason()).unwrap_or_default();
    assert!(of_cause.contains(cause), "{query}: caused by {of_cause}");
}

/// Asserts the score of one document.
#[track_caller]
fn check_score(query: Value, id: &str, score: Score) {
    let found = SCENE.find(&query).unwrap();
    let (_, of_id) = found.iter().find(|(found, _)| found == id).unwrap();
    assert!((of_id - score).abs() < 1e-6, "{query}: {of_id}");
}

const ALL: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

#[test]
fn everything_and_nothing_are_found() {
    check(json!({ "match_all": {} }), &ALL);
    check(json!({ "match_none": {} }), &[]);
    check_score(json!({ "match_all": { "boost": 2.5 } }), "1", 2.5);
}

#[test]
fn match_finds_words_in_texts_and_values_elsewhere() {
    let one = |field: &str, query: Value| json!({ "match": { field: query } });
    check(one("level", json!("error")), &["1", "3"]);
    check(one("level", json!("ERROR warn")), &["1", "2", "3"]);
    check(one("level.keyword", json!("error")), &[]);
    check(one("level.keyword", json!("ERROR")), &["1", "3"]);
    check(one("message", json!("timed_out sensor")), &["1"]);
    check(one("message", json!({ "query": "rain wind", "operator": "and" })), &["2"]);
    check(
        one("message", json!({ "query": "gust out wind", "minimum_should_match": 2 })),
        &["2", "4"],
    );
    check(
        one("message", json!({ "query": "gust out wind", "minimum_should_match": "-1" })),
        &["2", "4"],
    );
    check(one("message", json!({ "query": "!", "zero_terms_query": "all" })), &ALL);
    check(one("message", json!("!")), &[]);
    check(one("message", json!({ "query": "snsor", "fuzziness": "AUTO" })), &["1"]);
    check(one("message", json!({ "query": "snsor", "fuzziness": 1, "prefix_length": 2 })), &[]);
    check(one("level.keyword", json!({ "query": "ERRR", "fuzziness": 1 })), &["1", "3"]);
    check(one("hits", json!("7")), &["2"]);
    check(one("hits", json!(40)), &["3"]);
    check(one("@timestamp", json!("2026-08-20")), &["3"]);
    check(one("hits", json!({ "query": "some", "lenient": true })), &[]);
    check(one("nowhere", json!("some")), &[]);
    check_refusal(
        one("hits", json!("some")),
        "query_shard_exception",
        "failed to create query: For input string: \"some\"",
        "For input string",
    );
    check_refusal(
        one("@timestamp", json!("some")),
        "query_shard_exception",
        "failed to create query: failed to parse date field [some]",
        "failed to parse date field [some]",
    );
    check_refusal(
        one("secret", json!("x")),
        "query_shard_exception",
        "Cannot search on field [secret] since it is not indexed.",
        "",
    );
}

#[test]
fn phrases_keep_their_order() {
    let phrase = |text: &str, slop: u32| json!({ "match_phrase": { "message": { "query": text, "slop": slop } } });
    check(phrase("timed out", 0), &["3"]);
    check(phrase("out timed", 0), &[]);
    check(phrase("out timed", 2), &["3"]);
    check(phrase("gust wind", 0), &[]);
    check(phrase("gust wind", 1), &["4"]);
    check(phrase("rain", 0), &["1", "2"]);
    check(json!({ "match_phrase": { "level.keyword": "ERROR" } }), &["1", "3"]);
    let prefix = |text: &str| json!({ "match_phrase_prefix": { "message": text } });
    check(prefix("gust of w"), &["4"]);
    check(prefix("gust of th"), &["2"]);
    check(prefix("ti"), &["1", "3", "4"]);
    check(prefix("of nothing"), &[]);
    check(
        json!({ "match_phrase_prefix": { "message": { "query": "ti", "max_expansions": 1 } } }),
        &["4"],
    );
    check(
        json!({ "match_phrase_prefix": { "message": { "query": "gust wi", "slop": 1 } } }),
        &["4"],
    );
    check(json!({ "match_bool_prefix": { "message": "sensor ti" } }), &["1", "3", "4"]);
    check(
        json!({ "match_bool_prefix": { "message": { "query": "out ti", "operator": "and" } } }),
        &["3", "4"],
    );
}

#[test]
fn several_fields_are_put_together_by_type() {
    let multi = |kind: &str, operator: &str, query: &str| {
        let fields = json!(["message", "title^2"]);
        json!({ "multi_match": { "query": query, "fields": fields, "type": kind, "operator": operator } })
    };
    check(multi("best_fields", "or", "rain"), &["1", "2", "4", "6"]);
    check(multi("most_fields", "or", "rain"), &["1", "2", "4", "6"]);
    // In one field both words have to stand, across fields each may stand in another.
    check(multi("best_fields", "and", "gust rain"), &["2"]);
    check(multi("cross_fields", "and", "gust rain"), &["2", "4"]);
    check(multi("phrase", "or", "sensor rain"), &["6"]);
    check(multi("phrase_prefix", "or", "sensor ra"), &["6"]);
    check(multi("bool_prefix", "or", "sens"), &["1", "6"]);
    check(json!({ "multi_match": { "query": "K12" } }), &["1"]);
    check(json!({ "multi_match": { "query": "7" } }), &["2"]);
    check(json!({ "multi_match": { "query": "rain", "fields": ["tit*"] } }), &["4", "6"]);
    check(json!({ "multi_match": { "query": "rain", "fields": ["nowhere"] } }), &[]);
    check_refusal(
        json!({ "multi_match": { "query": "x", "fields": ["hits"] } }),
        "query_shard_exception",
        "failed to create query",
        "",
    );
    check(json!({ "multi_match": { "query": "x", "fields": ["hits"], "lenient": true } }), &[]);
}

#[test]
fn terms_are_whole() {
    let term = |field: &str, value: Value| json!({ "term": { field: value } });
    check(term("level", json!("ERROR")), &[]);
    check(term("level", json!("error")), &["1", "3"]);
    check(term("station", json!("K12")), &["1"]);
    check(term("where", json!("K12")), &["1"]);
    check(term("station", json!({ "value": "K12", "case_insensitive": true })), &["1", "4"]);
    check(term("station", json!("a*b?c\\d")), &["5"]);
    check(term("tags", json!("b")), &["2"]);
    check(term("labels.zone", json!("south")), &["1"]);
    check(term("back\\slash.keyword", json!("odd")), &["6"]);
    check(term("ok", json!("true")), &["1", "6"]);
    check(term("ok", json!(false)), &["2"]);
    check(term("temp", json!("21.5")), &["1"]);
    check(term("temp", json!(5)), &["3"]);
    check(term("ratio", json!(0.1)), &["1"]);
    check(term("hits", json!(1.0)), &["3"]);
    check(term("hits", json!(1.5)), &[]);
    check(term("hits", json!(99_999_999_999_i64)), &[]);
    check(term("big", json!(18_446_744_073_709_551_615_u64)), &["1"]);
    check(term("big", json!(5)), &["2"]);
    check(term("big", json!(-1)), &[]);
    check(term("ip", json!("10.1.2.3")), &["1"]);
    check(term("ip", json!("10.0.0.0/8")), &["1"]);
    check(term("ip", json!("2001:db8::/32")), &["3"]);
    check(term("@timestamp", json!("2026-08-21")), &["1", "2"]);
    check(term("@timestamp", json!("now/d")), &["1", "2"]);
    check(term("@timestamp", json!("now-5m/m")), &["1"]);
    check(term("@timestamp", json!(NOW_MS)), &[]);
    check(term("_id", json!("3")), &["3"]);
    check(term("_index", json!("weather_logs")), &ALL);
    check(term("_index", json!("other")), &[]);
    check(term("nowhere", json!(1)), &[]);
    check_refusal(
        term("ok", json!("yes")),
        "query_shard_exception",
        "Can't parse boolean value [yes]",
        "",
    );
    check_refusal(
        term("ip", json!("here")),
        "query_shard_exception",
        "'here' is not an IP string literal.",
        "",
    );
}

#[test]
fn any_of_several_terms_is_enough() {
    let terms = |field: &str, values: Value| json!({ "terms": { field: values } });
    check(terms("station", json!(["K12", "K13", "none"])), &["1", "2"]);
    check(terms("level", json!(["error", "WARN"])), &["1", "3"]);
    check(terms("hits", json!([7, "40", 1.5])), &["2", "3"]);
    check(terms("temp", json!([5, 21.5])), &["1", "3"]);
    check(terms("ok", json!([true, "false"])), &["1", "2", "6"]);
    check(terms("@timestamp", json!(["2026-08-21T10:03:00Z", "2026-07-31"])), &["2", "4"]);
    check(terms("@timestamp", json!(["2026-08-21", "2026-08-21T10:03:00Z"])), &["1", "2"]);
    check(terms("ip", json!(["10.0.0.0/8", "192.168.0.7"])), &["1", "2"]);
    check(terms("_id", json!(["2", "5"])), &["2", "5"]);
    check(terms("station", json!([])), &[]);
    check(json!({ "ids": { "values": ["1", 4, "none"] } }), &["1", "4"]);
    check(json!({ "ids": { "values": [] } }), &[]);
}

#[test]
fn ranges_lie_between_their_bounds() {
    let range = |field: &str, bounds: Value| json!({ "range": { field: bounds } });
    check(range("temp", json!({ "gte": -3.25, "lt": 21.5 })), &["2", "3"]);
    check(range("temp", json!({ "gt": -3.25, "lte": "21.5" })), &["1", "3"]);
    check(range("temp", json!({})), &["1", "2", "3"]);
    check(range("temp", json!({ "gte": null, "lte": 5 })), &["2", "3"]);
    check(range("hits", json!({ "gte": 2.5, "lt": 7.5 })), &["1", "2"]);
    check(range("hits", json!({ "gt": 7 })), &["3"]);
    check(range("hits", json!({ "from": 3, "to": 7, "include_lower": false })), &["2"]);
    check(range("hits", json!({ "from": 3, "to": 7, "include_upper": false })), &["1"]);
    check(range("big", json!({ "gt": 9_223_372_036_854_775_807_u64 })), &["1"]);
    check(range("big", json!({ "lte": 9_223_372_036_854_775_807_u64 })), &["2"]);
    check(range("big", json!({ "gte": -5 })), &["1", "2"]);
    check(range("ok", json!({ "gte": true })), &["1", "6"]);
    check(range("station", json!({ "gte": "K13", "lt": "a" })), &["2", "3"]);
    check(range("station", json!({ "gt": "L2" })), &["4", "5"]);
    check(range("level", json!({ "gte": "error", "lte": "info" })), &["1", "3", "4", "6"]);
    check(range("level", json!({ "gt": "info" })), &["2"]);
    check(range("level", json!({ "lt": "e" })), &["5"]);
    check(range("ip", json!({ "gte": "10.0.0.0", "lt": "192.168.0.7" })), &["1"]);
    check(range("nanos", json!({ "gt": "2026-08-21T10:00:00.000000000Z" })), &["3"]);
    check(range("nanos", json!({ "gt": "2026-08-21T10:00:00.000000001Z" })), &[]);
    check(range("_seq_no", json!({ "gte": 1, "lt": 3 })), &["2", "3"]);
    check(range("back\\slash.keyword", json!({ "gte": "o", "lt": "p" })), &["6"]);
    check(range("back\\count", json!({ "gt": 2 })), &["6"]);
    check(range("back\\part", json!({ "lt": 1.5 })), &[]);
    check(range("back\\part", json!({ "lte": 1.5 })), &["6"]);
    check(range("nowhere", json!({ "gte": 1 })), &[]);
}

#[test]
fn bounds_of_dates_are_rounded_to_their_side() {
    let range = |bounds: Value| json!({ "range": { "@timestamp": bounds } });
    check(range(json!({ "gte": "now-5m/m", "lt": "now-4m/m" })), &["1"]);
    check(range(json!({ "gt": "now-5m/m" })), &["2"]);
    check(range(json!({ "gte": "now-5m/m", "lte": "now-5m/m" })), &["1"]);
    check(range(json!({ "gte": "now-5m/m", "lte": "now-4m/m" })), &["1", "2"]);
    check(range(json!({ "lt": "2026-08-21||/d" })), &["3", "4"]);
    check(range(json!({ "lte": "2026-08-20" })), &["3", "4"]);
    check(range(json!({ "gt": "2026-08-20" })), &["1", "2"]);
    check(range(json!({ "gte": "2026-07||/M", "lte": "2026-07||/M" })), &["4"]);
    check(range(json!({ "gte": "2026-08-21", "time_zone": "+02:00" })), &["1", "2", "3"]);
    check(range(json!({ "lt": "31/07/2026", "format": "dd/MM/yyyy" })), &[]);
    check(range(json!({ "lte": "31/07/2026", "format": "dd/MM/yyyy" })), &["4"]);
    check(range(json!({ "gte": 1_787_306_550_000_i64, "lte": 1_787_306_550_000_i64 })), &["1"]);
    // A format of its own reads dates as finely as the field holds them.
    let nanos = |bound: &str, date: &str| {
        let format = "strict_date_optional_time_nanos";
        json!({ "range": { "nanos": { bound: date, "format": format } } })
    };
    check(nanos("gte", "2026-08-21T10:00:00.000000001Z"), &["3"]);
    check(nanos("gt", "2026-08-21T10:00:00.000000001Z"), &[]);
    check_refusal(
        range(json!({ "gte": "now*1" })),
        "parse_exception",
        "operator not supported for date math",
        "",
    );
    check_refusal(
        range(json!({ "gte": 1, "time_zone": "Nowhere" })),
        "illegal_argument_exception",
        "Nowhere",
        "",
    );
}

#[test]
fn exists_finds_any_value() {
    let exists = |field: &str| json!({ "exists": { "field": field } });
    check(exists("message"), &ALL);
    check(exists("temp"), &["1", "2", "3"]);
    check(exists("tags"), &["2", "4"]);
    check(exists("note"), &[]);
    check(exists("error"), &["1", "3"]);
    check(exists("error.code.keyword"), &["1", "3"]);
    check(exists("ok"), &["1", "2", "6"]);
    check(exists("labels.zone"), &["1", "2"]);
    check(exists("back\\count"), &["6"]);
    check(exists("nowhere"), &[]);
    check(exists("_id"), &ALL);
}

#[test]
fn patterns_are_held_against_whole_terms() {
    let one = |clause: &str, field: &str, value: Value| json!({ clause: { field: value } });
    check(one("prefix", "station", json!("K1")), &["1", "2"]);
    check(
        one("prefix", "station", json!({ "value": "K1", "case_insensitive": true })),
        &["1", "2", "4"],
    );
    check(one("prefix", "level", json!("ERR")), &[]);
    check(one("prefix", "level", json!("err")), &["1", "3"]);
    check(one("wildcard", "level", json!("ERR*")), &[]);
    check(one("wildcard", "level", json!("err*")), &["1", "3"]);
    check(one("wildcard", "level", json!("*r?o*")), &["1", "3"]);
    check(one("wildcard", "station", json!("?12")), &["1", "4"]);
    check(one("wildcard", "station", json!({ "wildcard": "K1?" })), &["1", "2"]);
    check(one("wildcard", "station", json!("a\\*b\\?c\\\\d")), &["5"]);
    check(one("wildcard", "station", json!("\\*")), &[]);
    check(one("wildcard", "station", json!("*")), &["1", "2", "3", "4", "5"]);
    check(one("wildcard", "_index", json!("weather*")), &ALL);
    check(one("regexp", "station", json!("[Kk]1[0-9]")), &["1", "2", "4"]);
    check(one("regexp", "station", json!("K")), &[]);
    check(
        one("regexp", "station", json!({ "value": "k1.*", "case_insensitive": true })),
        &["1", "2", "4"],
    );
    check(one("regexp", "message", json!("tim(e|ed)")), &["3", "4"]);
    check(one("fuzzy", "message", json!("snsor")), &["1"]);
    check(one("fuzzy", "message", json!({ "value": "tiemd", "fuzziness": 1 })), &["3"]);
    check(
        one(
            "fuzzy",
            "message",
            json!({ "value": "tiemd", "fuzziness": 1, "transpositions": false }),
        ),
        &[],
    );
    let expanded = |most: u32| json!({ "value": "time", "fuzziness": 1, "max_expansions": most });
    check(one("fuzzy", "message", expanded(50)), &["3", "4"]);
    check(one("fuzzy", "message", expanded(1)), &["4"]);
    check(one("fuzzy", "hits", json!("7")), &["2"]);
    check(one("prefix", "nowhere", json!("x")), &[]);
    check_refusal(
        one("wildcard", "ip", json!("10.*")),
        "query_shard_exception",
        "not on [ip] which is of type [ip]",
        "",
    );
    check_refusal(
        one("prefix", "hits", json!("7")),
        "query_shard_exception",
        "Can only use prefix queries on keyword, text and wildcard fields - not on [hits] which is of type [integer]",
        "",
    );
    check_refusal(
        one("regexp", "station", json!("~x")),
        "illegal_argument_exception",
        "regexp operator [~]",
        "",
    );
    check_refusal(
        one("regexp", "station", json!("(x")),
        "illegal_argument_exception",
        "expected ')'",
        "",
    );
    check_refusal(
        one("regexp", "station", json!("(((((x{99}){99}){99}){99}){99})")),
        "illegal_argument_exception",
        "cannot be used",
        "",
    );
    check_refusal(
        one("wildcard", "station", json!(format!("*a{}", "?".repeat(60)))),
        "illegal_argument_exception",
        "cannot be used",
        "",
    );
}

#[test]
fn bool_puts_clauses_together() {
    let error = json!({ "match": { "level": "error" } });
    let rain = json!({ "match": { "message": "rain" } });
    check(json!({ "bool": {} }), &ALL);
    check(json!({ "bool": { "must": error, "filter": [rain] } }), &["1"]);
    check(json!({ "bool": { "must_not": error } }), &["2", "4", "5", "6"]);
    check(json!({ "bool": { "must_not": error, "adjust_pure_negative": false } }), &[]);
    check(json!({ "bool": { "should": [error, rain] } }), &["1", "2", "3"]);
    check(json!({ "bool": { "should": [error, rain], "minimum_should_match": 2 } }), &["1"]);
    check(json!({ "bool": { "should": [error, rain], "minimum_should_match": "100%" } }), &["1"]);
    check(json!({ "bool": { "should": [error, rain], "minimum_should_match": 3 } }), &[]);
    check(json!({ "bool": { "should": [rain], "filter": error } }), &["1", "3"]);
    check(
        json!({ "bool": { "should": [rain], "filter": error, "minimum_should_match": 1 } }),
        &["1"],
    );
    check(json!({ "bool": { "should": [rain], "must_not": error } }), &["2"]);
    check(json!({ "constant_score": { "filter": error } }), &["1", "3"]);
    check(json!({ "dis_max": { "queries": [error, rain] } }), &["1", "2", "3"]);
    let boosting = json!({ "boosting": {
        "positive": { "match_all": {} }, "negative": error, "negative_boost": 0.25
    } });
    check(boosting.clone(), &ALL);
    check_score(boosting.clone(), "1", 0.25);
    check_score(boosting, "2", 1.0);
}

#[test]
fn filters_do_not_score() {
    let error = json!({ "match": { "level": "error" } });
    check_score(json!({ "bool": { "filter": error } }), "1", 0.0);
    check_score(json!({ "bool": { "must_not": error } }), "2", 0.0);
    check_score(json!({ "bool": { "filter": error, "must": { "match_all": {} } } }), "1", 1.0);
    check_score(json!({ "constant_score": { "filter": error, "boost": 1.5 } }), "1", 1.5);
    check_score(json!({ "range": { "hits": { "gte": 1, "boost": 2 } } }), "1", 2.0);
    check_score(json!({ "terms": { "station": ["K12"] } }), "1", 1.0);
    check_score(json!({ "term": { "hits": 7 } }), "2", 1.0);
    check_score(json!({ "exists": { "field": "temp" } }), "1", 1.0);
    check_score(json!({ "prefix": { "station": { "value": "K1", "boost": 3 } } }), "1", 3.0);
    // The weight of the field multiplies what the words score.
    let alone = SCENE.find(&json!({ "match": { "title": "rain" } })).unwrap()[0].1;
    let fields = json!(["message", "title^2"]);
    check_score(json!({ "multi_match": { "query": "rain", "fields": fields } }), "4", alone * 2.0);
}

#[test]
fn query_string_speaks_lucenes_language() {
    let text = |query: &str| json!({ "query_string": { "query": query } });
    check(text("level:ERROR"), &["1", "3"]);
    check(text("level:ERR*"), &["1", "3"]);
    check(text("level.keyword:err*"), &[]);
    check(text("level:error AND station:K12"), &["1"]);
    check(text("level:(error OR warn) -station:K1*"), &["3"]);
    check(text("level:error AND (rain OR \"wind gust\"~2) -station:K13"), &["1"]);
    check(text("rain OR gust AND NOT west"), &["4"]);
    check(text("+gust -west"), &["4"]);
    check(text("\"timed out\""), &["3"]);
    check(text("\"gust wind\"~1"), &["4"]);
    check(text("*"), &ALL);
    check(text("*:*"), &ALL);
    check(text("temp:*"), &["1", "2", "3"]);
    check(text("_exists_:tags"), &["2", "4"]);
    check(text("NOT _exists_:temp"), &["4", "5", "6"]);
    check(text("hits:[3 TO 7}"), &["1"]);
    check(text("hits:{3 TO 7]"), &["2"]);
    check(text("hits:>=7"), &["2", "3"]);
    check(text("hits:<3"), &["3", "5"]);
    check(text("@timestamp:[now-5m/m TO *]"), &["1", "2"]);
    check(text("@timestamp:[\"2026-07-31T12:00:00Z\" TO 2026-08-20]"), &["3", "4"]);
    check(text("station:/K1[0-9]/"), &["1", "2"]);
    check(text("snsor~1"), &["1", "6"]);
    check(text("mess\\*:snsor~"), &["1"]);
    check(text("err\\*.cod\\*:E1"), &["1"]);
    check(text("7"), &["2"]);
    check(text("K12^3"), &["1"]);
    check(text("station:a\\*b\\?c\\\\d"), &["5"]);
    check(text(""), &[]);
    check(text("nowhere:x"), &[]);
    check(text("level:error && !rain"), &["3"]);
    check(text("ip:\"2001:db8::1\""), &["3"]);
    check(text("- rain"), &["1", "2", "4", "6"]);
    for (query, ids) in [
        (
            json!({ "query": "gust rain", "default_operator": "AND", "default_field": "message" }),
            &["2"] as &[&str],
        ),
        (
            json!({ "query": "gust rain", "default_operator": "and", "fields": ["message", "title"] }),
            &["2"],
        ),
        (
            json!({ "query": "gust rain", "default_operator": "and", "fields": ["message", "title"], "type": "cross_fields" }),
            &["2", "4"],
        ),
        (
            json!({ "query": "rain gust out", "minimum_should_match": 2, "default_field": "message" }),
            &["2", "4"],
        ),
        (json!({ "query": "*", "default_field": "tags" }), &["2", "4"]),
        (json!({ "query": "hits:x", "lenient": true }), &[]),
        (
            json!({ "query": "@timestamp:[2026-08-21 TO *]", "time_zone": "+02:00" }),
            &["1", "2", "3"],
        ),
    ] {
        check(json!({ "query_string": query }), ids);
    }
    check_refusal(
        text("level:"),
        "query_shard_exception",
        "Failed to parse query [level:]",
        "Cannot parse 'level:'",
    );
    check_refusal(
        json!({ "query_string": { "query": "a *b", "allow_leading_wildcard": false } }),
        "query_shard_exception",
        "Failed to parse query [a *b]",
        "Cannot parse 'a *b': '*' or '?' not allowed as first character",
    );
    // Words in all fields are none of most of them, while a field that is named takes its own values.
    check(text("x"), &[]);
    check(text("\\*:K12"), &["1"]);
    for query in ["hits:x", "K12 OR hits:x", "hits:\"x\"", "hits:>x", "hit\\*:x"] {
        let reason = ("query_shard_exception", "failed to create query", "For input string");
        check_refusal(text(query), reason.0, reason.1, reason.2);
        let strict = json!({ "query": query, "default_field": "message" });
        check_refusal(json!({ "query_string": strict }), reason.0, reason.1, reason.2);
    }
    check(json!({ "query_string": { "query": "K12 OR hits:x", "lenient": true } }), &["1"]);
    check_refusal(
        json!({ "query_string": { "query": "x", "lenient": false, "fields": ["hits"] } }),
        "query_shard_exception",
        "failed to create query",
        "For input string",
    );
}

#[test]
fn simple_query_string_takes_every_text() {
    let text =
        |query: &str| json!({ "simple_query_string": { "query": query, "fields": ["message"] } });
    check(text("gust + wind"), &["2", "4"]);
    check(text("rain | out"), &["1", "2", "3", "4"]);
    check(text("rain + -gust"), &["1"]);
    check(text("\"timed out\""), &["3"]);
    check(text("\"gust wind\"~1"), &["4"]);
    check(text("ti*"), &["1", "3", "4"]);
    check(text("snsor~1"), &["1"]);
    check(text("gust + (west | time)"), &["2", "4"]);
    check(text("((( gust"), &["2", "4"]);
    check(text(") \" + |"), &[]);
    check(text(""), &[]);
    check(text("*"), &ALL);
    check(json!({ "simple_query_string": { "query": "K12" } }), &["1"]);
    check(
        json!({ "simple_query_string": {
            "query": "gust rain", "fields": ["message"], "default_operator": "and"
        } }),
        &["2"],
    );
    check(
        json!({ "simple_query_string": {
            "query": "gust | west", "fields": ["message"], "flags": "AND", "default_operator": "and"
        } }),
        &["2"],
    );
}

#[test]
fn the_deepest_queries_that_are_read_are_run() {
    let changes = format!("{}gust", "rain + gust | ".repeat(50));
    check(
        json!({ "simple_query_string": { "query": changes, "fields": ["message"] } }),
        &["2", "4"],
    );
    let levels = format!("{}gust{}", "(rain AND ".repeat(29), ")".repeat(29));
    let text = json!({ "query_string": { "query": levels, "default_field": "message" } });
    let nested = (1..30).fold(text, |inner, _| json!({ "bool": { "must": inner } }));
    check(nested, &["2"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(text in "[abK12+\\-!(){}\\[\\]^\"~*?:\\\\/& >=ANDORTlevhits.]{0,24}") {
        for query in [
            json!({ "query_string": { "query": text } }),
            json!({ "simple_query_string": { "query": text } }),
            json!({ "match_phrase_prefix": { "message": text } }),
            json!({ "match": { "message": { "query": text, "fuzziness": "AUTO" } } }),
            json!({ "wildcard": { "station": text } }),
            json!({ "regexp": { "station": text } }),
            json!({ "range": { "@timestamp": { "gte": text } } }),
        ] {
            let _ = SCENE.find(&query);
        }
    }
}
