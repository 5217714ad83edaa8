//! What a hit shows: source, fields, columns, versions, sort values, groups.

use serde_json::{Value, json};

use crate::kit::{Kit, hits, ids};

fn weather() -> Kit {
    let mapping = json!({
        "at": { "type": "date" }, "exact": { "type": "date_nanos" }, "place": { "type": "keyword" },
        "temp": { "type": "double" }, "count": { "type": "integer" }, "ok": { "type": "boolean" },
        "from": { "type": "ip" },
        "text": { "type": "text", "fields": { "keyword": { "type": "keyword" } } },
    });
    Kit::with(
        "weather",
        mapping,
        &[
            json!({
                "at": "2026-05-18T09:00:00Z", "exact": "2026-05-18T09:00:00.123456789Z",
                "place": ["Tandil", "Azul"], "temp": 3.5, "count": "7", "ok": true,
                "from": "10.0.0.7", "text": "Wind from the south",
            }),
            json!({ "at": 1_779_100_000_000_i64, "place": "Azul", "temp": -1.5, "ok": "false" }),
            json!({ "place": "Tandil", "temp": 8 }),
        ],
    )
}

#[test]
fn hit_has_its_parts() {
    let answer =
        weather().search(&json!({ "version": true, "seq_no_primary_term": true, "size": 1 }));
    let hit = &hits(&answer)[0];
    assert_eq!(hit["_index"], "weather");
    assert_eq!(hit["_id"], "0");
    assert_eq!(hit["_score"], 1.0);
    assert_eq!(answer["hits"]["max_score"], 1.0);
    assert_eq!(hit["_source"]["place"], json!(["Tandil", "Azul"]));
    assert_eq!(
        (&hit["_version"], &hit["_seq_no"], &hit["_primary_term"]),
        (&json!(1), &json!(0), &json!(1))
    );
    for absent in ["sort", "fields", "highlight", "matched_queries", "_routing"] {
        assert!(hit.get(absent).is_none(), "{absent}");
    }
}

#[track_caller]
fn check_sort(kit: &Kit, sort: Value, values: Value) {
    let answer = kit.search(&json!({ "sort": sort, "_source": false }));
    let written: Vec<Value> = hits(&answer).iter().map(|hit| hit["sort"].clone()).collect();
    assert_eq!(Value::from(written), values, "{sort}");
    assert!(
        hits(&answer).iter().all(|hit| hit["_score"].is_null() && hit.get("_source").is_none())
    );
    assert_eq!(answer["hits"]["max_score"], Value::Null);
}

#[test]
fn sort_values_are_written_by_type() {
    let kit = weather();
    let end = i64::MAX;
    let start = i64::MIN;
    check_sort(
        &kit,
        json!(["at"]),
        json!([[1_779_094_800_000_i64], [1_779_100_000_000_i64], [end]]),
    );
    check_sort(
        &kit,
        json!([{ "at": "desc" }]),
        json!([[1_779_100_000_000_i64], [1_779_094_800_000_i64], [start]]),
    );
    check_sort(
        &kit,
        json!([{ "at": { "format": "strict_date_optional_time" } }]),
        json!([["2026-05-18T09:00:00.000Z"], ["2026-05-18T10:26:40.000Z"], [null]]),
    );
    check_sort(&kit, json!(["exact"]), json!([[1_779_094_800_123_456_789_i64], [end], [end]]));
    check_sort(
        &kit,
        json!([{ "exact": { "numeric_type": "date" } }]),
        json!([[1_779_094_800_123_i64], [end], [end]]),
    );
    check_sort(
        &kit,
        json!(["place", "temp"]),
        json!([["Azul", -1.5], ["Azul", 3.5], ["Tandil", 8.0]]),
    );
    check_sort(
        &kit,
        json!([{ "place": "desc" }, "temp"]),
        json!([["Tandil", 3.5], ["Tandil", 8.0], ["Azul", -1.5]]),
    );
    check_sort(&kit, json!(["from"]), json!([["10.0.0.7"], [null], [null]]));
    check_sort(&kit, json!(["ok"]), json!([[0], [1], [end]]));
    check_sort(&kit, json!([{ "count": { "missing": 9 } }]), json!([[7], [9], [9]]));
    check_sort(
        &kit,
        json!([{ "from": { "missing": "_first" } }]),
        json!([[null], [null], ["10.0.0.7"]]),
    );
    check_sort(
        &kit,
        json!([{ "nothing": { "unmapped_type": "long" } }]),
        json!([[end], [end], [end]]),
    );
    check_sort(
        &kit,
        json!([{ "text.keyword": { "missing": "A" } }]),
        json!([["A"], ["A"], ["Wind from the south"]]),
    );
}

#[test]
fn modes_work_out_one_value_of_several() {
    let kit = Kit::with(
        "i",
        json!({ "n": { "type": "long" } }),
        &[json!({ "n": [1, 2, 9] }), json!({ "n": [4, 5] })],
    );
    for (mode, values) in [
        ("min", json!([[1], [4]])),
        ("max", json!([[5], [9]])),
        ("avg", json!([[4], [5]])),
        ("sum", json!([[9], [12]])),
        ("median", json!([[2], [5]])),
    ] {
        let answer = kit.search(&json!({ "sort": [{ "n": { "mode": mode } }] }));
        let written: Vec<Value> = hits(&answer).iter().map(|hit| hit["sort"].clone()).collect();
        assert_eq!(Value::from(written), values, "{mode}");
    }
}

#[test]
fn scores_are_tracked_on_demand() {
    let answer = weather().search(&json!({ "sort": ["temp"], "track_scores": true }));
    assert_eq!(answer["hits"]["max_score"], 1.0);
    assert!(hits(&answer).iter().all(|hit| hit["_score"] == 1.0));
}

#[track_caller]
fn check_fields(kit: &Kit, body: Value, fields: Value) {
    let answer = kit.search(&body);
    assert_eq!(hits(&answer)[0].get("fields").cloned().unwrap_or_default(), fields, "{body}");
}

#[test]
fn fields_are_read_from_the_source() {
    let kit = weather();
    check_fields(
        &kit,
        json!({ "fields": ["at", "place", "count", "ok", "absent", "text*"] }),
        json!({
            "at": ["2026-05-18T09:00:00.000Z"], "place": ["Tandil", "Azul"], "count": [7],
            "ok": [true], "text": ["Wind from the south"], "text.keyword": ["Wind from the south"],
        }),
    );
    check_fields(
        &kit,
        json!({ "fields": [{ "field": "at", "format": "epoch_millis" }] }),
        json!({ "at": ["1779094800000"] }),
    );
    check_fields(&kit, json!({ "fields": ["absent"] }), Value::Null);
}

#[test]
fn docvalue_fields_are_read_from_columns() {
    let kit = weather();
    check_fields(
        &kit,
        json!({ "docvalue_fields": ["at", "place", "temp", "ok", "from", "count", "absent"] }),
        json!({
            "at": ["2026-05-18T09:00:00.000Z"], "place": ["Azul", "Tandil"], "temp": [3.5],
            "ok": [true], "from": ["10.0.0.7"], "count": [7],
        }),
    );
    check_fields(
        &kit,
        json!({ "docvalue_fields": [{ "field": "at", "format": "epoch_second" }] }),
        json!({ "at": ["1779094800"] }),
    );
}

#[test]
fn source_is_filtered() {
    let answer =
        weather().search(&json!({ "_source": { "includes": ["t*"], "excludes": ["text"] } }));
    assert_eq!(hits(&answer)[0]["_source"], json!({ "temp": 3.5 }));
    let answer = weather().search(&json!({ "stored_fields": "_none_" }));
    assert!(hits(&answer)[0].get("_source").is_none() && hits(&answer)[0].get("_id").is_none());
}

#[test]
fn collapse_keeps_the_first_of_each_group() {
    let mapping = json!({ "k": { "type": "keyword" }, "n": { "type": "long" } });
    let documents: Vec<Value> = [("a", 3), ("b", 1), ("a", 2), ("c", 9), ("b", 7)]
        .into_iter()
        .map(|(k, n)| json!({ "k": k, "n": n }))
        .chain([json!({ "n": 5 }), json!({ "n": 4 })])
        .collect();
    let kit = Kit::with("i", mapping, &documents);
    let answer = kit.search(&json!({ "collapse": { "field": "k" }, "sort": ["n"] }));
    assert_eq!(ids(&answer), ["1", "2", "6", "3"]);
    assert_eq!(answer["hits"]["total"]["value"], 7);
    assert_eq!(hits(&answer)[0]["fields"], json!({ "k": ["b"] }));
    assert!(hits(&answer)[2].get("fields").is_none());
    let answer = kit.search(
        &json!({ "collapse": { "field": "n" }, "sort": [{ "n": "desc" }], "from": 1, "size": 2 }),
    );
    assert_eq!(ids(&answer), ["4", "5"]);
}
