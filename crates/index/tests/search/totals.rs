//! How far hits are counted, and the answers without hits.

use serde_json::{Value, json};

use crate::kit::{Kit, hits, now};

fn thirty() -> Kit {
    let documents: Vec<Value> =
        (0..30).map(|n| json!({ "n": n, "k": format!("{}", n % 3) })).collect();
    Kit::with("i", json!({ "n": { "type": "long" }, "k": { "type": "keyword" } }), &documents)
}

#[track_caller]
fn check(kit: &Kit, body: Value, total: Value) {
    assert_eq!(kit.search(&body)["hits"]["total"], total, "{body}");
}

#[test]
fn total_is_exact_up_to_the_limit() {
    let kit = thirty();
    let exact = |value: u64| json!({ "value": value, "relation": "eq" });
    let lower_bound = |value: u64| json!({ "value": value, "relation": "gte" });
    for size in [0, 5] {
        check(&kit, json!({ "size": size }), exact(30));
        check(&kit, json!({ "size": size, "track_total_hits": true }), exact(30));
        check(&kit, json!({ "size": size, "track_total_hits": 30 }), exact(30));
        check(&kit, json!({ "size": size, "track_total_hits": 29 }), lower_bound(29));
        check(&kit, json!({ "size": size, "track_total_hits": 0 }), lower_bound(0));
        check(&kit, json!({ "size": size, "track_total_hits": 7, "sort": ["n"] }), lower_bound(7));
    }
    let untracked = kit.search(&json!({ "track_total_hits": false }));
    assert!(untracked["hits"].get("total").is_none());
    assert_eq!(hits(&untracked).len(), 10);
}

#[test]
fn size_zero_has_no_hits_and_no_score() {
    let answer = thirty().search(&json!({ "size": 0 }));
    assert_eq!(hits(&answer), [] as [Value; 0]);
    assert_eq!(answer["hits"]["max_score"], Value::Null);
    assert_eq!(
        answer["_shards"],
        json!({ "total": 1, "successful": 1, "skipped": 0, "failed": 0 })
    );
    assert_eq!(answer["timed_out"], false);
}

#[test]
fn terminate_after_stops_each_index() {
    let kit = thirty();
    let answer = kit.search(&json!({ "terminate_after": 4, "sort": ["n"] }));
    assert_eq!(answer["terminated_early"], true);
    assert_eq!(answer["hits"]["total"], json!({ "value": 4, "relation": "eq" }));
    assert_eq!(hits(&answer).len(), 4);
    let answer = kit.search(&json!({ "terminate_after": 4, "size": 0 }));
    assert_eq!(answer["hits"]["total"]["value"], 4);
    let answer = kit.search(&json!({ "terminate_after": 30 }));
    assert!(answer.get("terminated_early").is_none());
}

#[test]
fn time_that_ran_out_is_told() {
    let documents: Vec<Value> = (0..9000).map(|n| json!({ "n": n })).collect();
    let kit = Kit::with("i", json!({ "n": { "type": "long" } }), &documents);
    let body = json!({ "timeout": "0", "sort": ["n"], "track_total_hits": true });
    let answer = kit.search(&body);
    assert_eq!(answer["timed_out"], true);
    assert!(answer["hits"]["total"]["value"].as_u64() < Some(9000));
}

#[test]
fn total_may_be_a_plain_number() {
    use pampero_index::search::{SearchOptions, search};
    use pampero_opensearch::search::SearchRequest;
    let kit = thirty();
    let options = SearchOptions { total_hits_as_int: true, ..SearchOptions::default() };
    let ask = |body: Value| {
        let request = SearchRequest::from_json(&body).unwrap();
        search(&kit.snapshots(), &request, &options, now())
    };
    assert_eq!(ask(json!({})).unwrap()["hits"]["total"], 30);
    assert_eq!(ask(json!({ "track_total_hits": false })).unwrap()["hits"]["total"], -1);
    let refused = ask(json!({ "track_total_hits": 5 })).unwrap_err();
    assert!(refused.reason().contains("is not accurate, got 5"), "{refused}");
}

#[test]
fn count_counts_all() {
    use pampero_index::search::count;
    let kit = thirty();
    assert_eq!(count(&kit.snapshots(), None, now()).unwrap(), 30);
    assert_eq!(count(&[], None, now()).unwrap(), 0);
}

#[test]
fn nothing_to_search_is_an_empty_answer() {
    let answer = Kit::new().search(&json!({}));
    assert_eq!(answer["hits"]["total"], json!({ "value": 0, "relation": "eq" }));
    assert_eq!(answer["_shards"]["total"], 0);
}
