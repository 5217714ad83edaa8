//! `nested`: which documents have one object that matches as a whole.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::LazyLock;

use jiff::Timestamp;
use pampero_index::search::{SearchOptions, count, search};
use pampero_index::{Action, IndexOptions, Indices, Operation, Snapshot, VersionCheck};
use pampero_opensearch::query::Query;
use pampero_opensearch::search::SearchRequest;
use pampero_opensearch::{Exception, Mapping};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn now() -> Timestamp {
    "2026-08-21T10:07:42Z".parse().unwrap()
}

fn mapping() -> Value {
    json!({ "properties": {
        "station": { "type": "keyword" },
        "plain": { "properties": { "a": { "type": "keyword" } } },
        "reading": { "type": "nested", "properties": {
            "kind": { "type": "keyword" },
            "value": { "type": "double" },
            "note": { "type": "text" },
            "at": { "type": "date" },
            "sensor": { "type": "nested", "properties": {
                "maker": { "type": "keyword" }, "channel": { "type": "integer" },
            } },
        } },
        "deep": { "properties": { "list": { "type": "nested", "properties": {
            "x": { "type": "integer" }, "y": { "type": "integer" },
        } } } },
    } })
}

/// The documents; their ids are `1`, `2` and so on.
fn documents() -> Vec<Value> {
    let sensor = |maker: &str, channel: i32| json!({ "maker": maker, "channel": channel });
    vec![
        json!({ "station": "K1", "reading": [
            { "kind": "rain", "value": 5, "note": "heavy rain", "sensor": [sensor("a", 1), sensor("b", 2)] },
            { "kind": "wind", "value": 30, "note": "gust of wind", "at": "2026-08-21" },
        ] }),
        json!({ "station": "K1", "reading": [
            { "kind": "rain", "value": 30, "sensor": sensor("a", 2) },
            { "kind": "wind", "value": 5, "note": ["heavy", "rain later"] },
        ] }),
        json!({ "station": "L", "reading": { "kind": "rain", "value": [5, 30] } }),
        json!({ "station": "L", "deep": [
            { "list": [{ "x": 1, "y": 2 }, [{ "x": 2, "y": 1 }]] }, { "list": { "x": 3 } },
        ] }),
        json!({ "station": "M", "deep.list": [{ "x": 1, "y": 1 }], "reading": null }),
        json!({ "station": "M", "reading": [{ "value": 1 }, { "kind": "rain", "note": "" }] }),
    ]
}

/// Keeps documents in segments of so many.
fn scene(documents: impl IntoIterator<Item = Value>, segment: usize) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let indices = Indices::open(folder.path(), IndexOptions::default()).unwrap();
    let mapping = Mapping::from_json(&mapping()).unwrap();
    let index = indices.create("logs", Map::new(), mapping, now()).unwrap();
    let operations = documents.into_iter().enumerate().map(|(at, document)| Operation {
        id: Some((at + 1).to_string()),
        action: Action::Index(document.to_string().into()),
        routing: None,
        check: VersionCheck::None,
    });
    let mut operations = operations.peekable();
    while operations.peek().is_some() {
        for written in index.write(operations.by_ref().take(segment).collect(), now()) {
            written.unwrap();
        }
        index.refresh().unwrap();
    }
    index.snapshot(now()).unwrap()
}

static SCENE: LazyLock<Snapshot> = LazyLock::new(|| scene(documents(), 2));

fn ids(query: &Value) -> Result<Vec<String>, Exception> {
    let request = SearchRequest::from_json(&json!({ "query": query, "sort": ["_doc"] }))?;
    let snapshots = std::slice::from_ref(&*SCENE);
    let answer = search(snapshots, &request, &SearchOptions::default(), now())?;
    let hits = answer["hits"]["hits"].as_array().unwrap();
    let mut ids: Vec<String> = hits.iter().map(|hit| hit["_id"].as_str().unwrap().into()).collect();
    ids.sort();
    let counted = count(snapshots, Some(&Query::from_json(query)?), now())?;
    assert_eq!(counted, ids.len() as u64, "{query}");
    Ok(ids)
}

#[track_caller]
fn check(query: Value, expected: &[&str]) {
    assert_eq!(ids(&query).unwrap(), expected, "{query}");
}

fn nested(path: &str, query: Value) -> Value {
    json!({ "nested": { "path": path, "query": query } })
}

fn reading(query: Value) -> Value {
    nested("reading", query)
}

fn is(field: &str, value: impl Into<Value>) -> Value {
    json!({ "term": { field: value.into() } })
}

fn all_of(queries: &[Value]) -> Value {
    json!({ "bool": { "must": queries } })
}

fn none_of(queries: &[Value]) -> Value {
    json!({ "bool": { "must_not": queries } })
}

fn text(query: &str) -> Value {
    json!({ "query_string": { "query": query } })
}

#[test]
fn one_object_matches_as_a_whole() {
    let both =
        |kind: &str, value: i32| all_of(&[is("reading.kind", kind), is("reading.value", value)]);
    check(both("rain", 30), &["1", "2", "3"]);
    check(reading(both("rain", 30)), &["2", "3"]);
    check(reading(both("wind", 30)), &["1"]);
    let either = [both("wind", 5), both("wind", 30)];
    check(reading(json!({ "bool": { "should": either } })), &["1", "2"]);
    check(reading(json!({ "dis_max": { "queries": either } })), &["1", "2"]);
    check(reading(json!({ "match": { "reading.note": "heavy" } })), &["1", "2"]);
    check(reading(json!({ "match_phrase": { "reading.note": "heavy rain" } })), &["1"]);
    check(reading(json!({ "exists": { "field": "reading.at" } })), &["1"]);
    check(reading(json!({ "range": { "reading.at": { "gte": "now-1d/d" } } })), &["1"]);
    check(reading(text("reading.kind:rain AND reading.value:30")), &["2", "3"]);
    check(reading(json!({ "match_all": {} })), &["1", "2", "3", "6"]);
    check(reading(json!({ "match_none": {} })), &[]);
    check(reading(json!({ "ids": { "values": ["1", "4"] } })), &["1"]);
    check(reading(is("_seq_no", 1)), &["2"]);
    check(reading(is("station", "K1")), &[]);
}

#[test]
fn what_must_not_match_is_asked_of_each_object() {
    let rain = is("reading.kind", "rain");
    check(reading(none_of(std::slice::from_ref(&rain))), &["1", "2", "6"]);
    check(reading(none_of(&[json!({ "exists": { "field": "reading.kind" } })])), &["6"]);
    check(none_of(&[reading(rain.clone())]), &["4", "5"]);
    let without = json!({ "bool": { "must": rain, "must_not": is("reading.value", 30) } });
    check(reading(without), &["1", "6"]);
    check(reading(text("-reading.kind:rain")), &["1", "2", "6"]);
    let optional = json!({ "bool": {
        "should": is("reading.kind", "hail"), "must": none_of(std::slice::from_ref(&rain)),
    } });
    check(reading(optional), &["1", "2", "6"]);
    let either = json!({ "bool": { "should": [is("reading.kind", "hail"), none_of(&[rain])] } });
    check(reading(either), &["1", "2", "6"]);
}

#[test]
fn objects_are_found_wherever_lists_and_dots_put_them() {
    let list =
        |x: i32, y: i32| nested("deep.list", all_of(&[is("deep.list.x", x), is("deep.list.y", y)]));
    check(list(1, 2), &["4"]);
    check(list(2, 1), &["4"]);
    check(list(1, 1), &["5"]);
    check(list(3, 1), &[]);
}

#[test]
fn objects_in_objects_are_asked_for_inside_or_by_their_path() {
    let sensor = |maker: &str, channel: i32| {
        let both = [is("reading.sensor.maker", maker), is("reading.sensor.channel", channel)];
        nested("reading.sensor", all_of(&both))
    };
    check(sensor("a", 2), &["2"]);
    check(reading(sensor("b", 2)), &["1"]);
    let with = |value: i32| reading(all_of(&[is("reading.value", value), sensor("a", 1)]));
    check(with(5), &["1"]);
    check(with(30), &[]);
}

#[test]
fn clauses_around_it_hold_as_well() {
    let rain = reading(is("reading.kind", "rain"));
    check(all_of(&[rain.clone(), is("station", "K1")]), &["1", "2"]);
    check(json!({ "constant_score": { "filter": rain } }), &["1", "2", "3", "6"]);
    let scored = json!({ "nested": {
        "path": "reading", "query": is("reading.kind", "rain"), "boost": 3, "score_mode": "max",
    } });
    let request = json!({ "query": scored, "aggs": {
        "stations": { "terms": { "field": "station" } }, "rain": { "filter": rain },
    } });
    let request = SearchRequest::from_json(&request).unwrap();
    let snapshots = std::slice::from_ref(&*SCENE);
    let answer = search(snapshots, &request, &SearchOptions::default(), now()).unwrap();
    assert_eq!(answer["hits"]["max_score"], 3.0);
    let first = &answer["aggregations"]["stations"]["buckets"][0];
    assert_eq!(*first, json!({ "key": "K1", "doc_count": 2 }));
    assert_eq!(answer["aggregations"]["rain"]["doc_count"], 4);
}

/// What is asked of one object.
#[derive(Clone, Debug)]
enum Asked {
    Kind(u8),
    Above(i32),
    Nothing,
    Not(Box<Asked>),
    All(Vec<Asked>),
    Any(Vec<Asked>),
    Both(Vec<Asked>, Vec<Asked>, Vec<Asked>),
}

impl Asked {
    fn to_json(&self) -> Value {
        let list = |them: &[Self]| them.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::Kind(kind) => is("reading.kind", kind.to_string()),
            Self::Above(value) => json!({ "range": { "reading.value": { "gt": value } } }),
            Self::Nothing => json!({ "match_all": {} }),
            Self::Not(it) => none_of(&[it.to_json()]),
            Self::All(them) => all_of(&list(them)),
            Self::Any(them) => json!({ "dis_max": { "queries": list(them) } }),
            Self::Both(filter, should, must_not) => json!({ "bool": {
                "filter": list(filter), "should": list(should), "must_not": list(must_not),
            } }),
        }
    }

    fn holds(&self, kind: u8, value: i32) -> bool {
        let each = |it: &Self| it.holds(kind, value);
        match self {
            Self::Kind(asked) => kind == *asked,
            Self::Above(asked) => value > *asked,
            Self::Nothing => true,
            Self::Not(it) => !each(it),
            Self::All(them) => them.iter().all(each),
            Self::Any(them) => them.iter().any(each),
            Self::Both(filter, should, must_not) => {
                let optional = should.is_empty() || !filter.is_empty();
                filter.iter().all(each)
                    && (optional || should.iter().any(each))
                    && !must_not.iter().any(each)
            }
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let leaf = prop_oneof![
        (0..4_u8).prop_map(Asked::Kind),
        (-1..4_i32).prop_map(Asked::Above),
        Just(Asked::Nothing),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let some = |from: usize| proptest::collection::vec(inner.clone(), from..3);
        prop_oneof![
            inner.clone().prop_map(|it| Asked::Not(Box::new(it))),
            some(1).prop_map(Asked::All),
            some(1).prop_map(Asked::Any),
            (some(0), some(0), some(0))
                .prop_map(|(filter, should, must_not)| Asked::Both(filter, should, must_not)),
        ]
    })
}

/// Objects of 150 documents: their kinds and values.
static LISTS: LazyLock<Vec<Vec<(u8, i32)>>> = LazyLock::new(|| {
    let mut state = 7_u32;
    let mut draw = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let mut list = || (0..draw(4)).map(|_| (draw(4) as u8, draw(4) as i32)).collect();
    (0..150).map(|_| list()).collect()
});

static DRAWN: LazyLock<Snapshot> = LazyLock::new(|| {
    let object = |(kind, value): &(u8, i32)| json!({ "kind": kind.to_string(), "value": value });
    let objects = |list: &Vec<(u8, i32)>| list.iter().map(object).collect::<Vec<_>>();
    scene(LISTS.iter().map(|list| json!({ "reading": objects(list) })), 60)
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn every_query_finds_what_a_plain_model_finds(asked in asked()) {
        let query = reading(asked.to_json());
        let read = Query::from_json(&query).unwrap();
        let found = count(std::slice::from_ref(&*DRAWN), Some(&read), now()).unwrap();
        let holds = |list: &&Vec<(u8, i32)>| list.iter().any(|it| asked.holds(it.0, it.1));
        prop_assert_eq!(found, LISTS.iter().filter(holds).count() as u64, "{}", query);
    }
}

#[track_caller]
fn check_refused(query: Value, reason: &str) {
    let refused = ids(&query).unwrap_err();
    let told = refused.to_json().to_string();
    assert_eq!(refused.status(), 400, "{told}");
    assert!(told.contains(reason), "{told}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let all = json!({ "match_all": {} });
    check_refused(
        nested("nowhere", all.clone()),
        "failed to create query: [nested] failed to find nested object under path [nowhere]",
    );
    check_refused(
        nested("plain", all.clone()),
        "[nested] nested object under path [plain] is not of nested type",
    );
    let lenient = json!({ "path": "nowhere", "query": all, "ignore_unmapped": true });
    check(json!({ "nested": lenient }), &[]);
    let missing = |body: Value| json!({ "nested": body });
    check_refused(missing(json!({ "path": "reading" })), "[nested] requires 'query' field");
    check_refused(missing(json!({ "query": all })), "[nested] requires 'path' field");
    let with = |key: &str, value: Value| json!({ "nested": { "path": "reading", "query": { "match_all": {} }, key: value } });
    check_refused(with("score_mode", json!("most")), "No score mode for child query [most] found");
    check_refused(with("inner_hits", json!({})), "query [nested] with [inner_hits] is not");
    check_refused(with("depth", json!(1)), "[depth]");
    check_refused(reading(is("reading.value", "x")), "number_format_exception");
}

#[test]
fn what_would_look_into_too_much_is_refused() {
    let kind = |at: u32| if at < 3 { "hail" } else { "rain" };
    let snapshot = scene((0..10_001).map(|at| json!({ "reading": { "kind": kind(at) } })), 6_000);
    let counted = |query: Value| {
        let query = Query::from_json(&reading(query)).unwrap();
        count(std::slice::from_ref(&snapshot), Some(&query), now())
    };
    assert_eq!(counted(is("reading.kind", "hail")).unwrap(), 3);
    let refused = counted(json!({ "match_all": {} })).unwrap_err();
    assert_eq!(refused.status(), 400);
    let reason = refused.cause().unwrap().reason();
    assert!(reason.contains("look into more than [10000] documents of an index"), "{reason}");
}
